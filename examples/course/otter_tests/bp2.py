"""Tests for otter: the names of the arguments are looked up in what the student wrote."""

from otter.test_files import test_case

OK_FORMAT = False

name = "bp2"
points = None


@test_case(points=2, hidden=False)
def test_the_error_has_the_shape_of_its_layer(error_of_layer_below, np):
    found = error_of_layer_below(np.ones((6, 2)), np.ones((4, 2)), np.zeros((6, 4)))
    assert found.shape == (6, 4), f"an error of shape (6, 4) is wanted, got {found.shape}"


@test_case(points=8, hidden=True)
def test_the_gradient_is_the_derivative_of_the_cost(parameters, data, cost, gradients):
    import backprop

    report = backprop.verify({"parameters": parameters, "data": data, "cost": cost, "gradients": gradients})
    assert report.ok, str(report.tell("place"))
