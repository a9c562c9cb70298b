"""A loss of torch's whose gradient is not its derivative is named; a module and a reader's loss are judged."""

from __future__ import annotations

import numpy as np
import pytest

import backprop

torch = pytest.importorskip("torch")
SAID = "gives another gradient than the derivative of its value"


class Halved(torch.autograd.Function):
    """A slope that is half of what it should be."""

    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return z * z

    @staticmethod
    def backward(ctx, delta):
        return ctx.saved_tensors[0] * delta


class Faulty(torch.nn.Module):
    """Two layers with such a slope between them."""

    def __init__(self):
        super().__init__()
        self.first, self.last = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)

    def forward(self, x):
        return torch.sigmoid(self.last(Halved.apply(self.first(x))) - 30)


def make(bias, outputs=1):
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, outputs), torch.nn.Sigmoid()
    )
    module[2].bias.data.fill_(bias)
    return module


def verify(module, loss, target=1.0, outputs=1):
    X = np.random.default_rng(0).normal(size=(5, 2))
    return backprop.verify(backprop.subject_from_torch(module, loss, X, np.full((5, outputs), target)))


@pytest.mark.parametrize(
    "loss", [torch.nn.BCELoss(), torch.nn.functional.binary_cross_entropy], ids=["class", "function"]
)
@pytest.mark.parametrize(("bias", "target"), [(-30.0, 1.0), (-33.0, 1.0)])
def test_saturated_outputs_are_not_the_module_s_fault(bias, target, loss):
    report = verify(make(bias), loss, target)
    assert report.verdict == "verified", str(report)
    (said,) = [str(note) for note in report.notes if SAID in str(note)]
    assert torch.__version__ in said


@pytest.mark.parametrize("bias", [0.0, -10.0, 5.0])
def test_of_outputs_that_are_not_saturated_nothing_is_said(bias):
    report = verify(make(bias), torch.nn.BCELoss())
    assert report.ok
    assert SAID not in str(report)


@pytest.mark.parametrize(
    "loss", [torch.nn.MSELoss(), torch.nn.L1Loss(), torch.nn.BCEWithLogitsLoss(), torch.nn.SmoothL1Loss()]
)
def test_of_losses_whose_gradient_is_their_derivative_nothing_is_said(loss):
    report = verify(make(0.0, outputs=2), loss, outputs=2)
    assert report.ok, str(report)
    assert SAID not in str(report)


def test_a_module_that_is_wrong_is_wrong_beside_such_a_loss():
    torch.manual_seed(1)
    report = verify(Faulty(), torch.nn.BCELoss())
    assert report.verdict == "wrong"
    assert (report.findings[0].equation, report.findings[0].layer) == ("BP2", 1)


def test_a_loss_of_the_reader_s_with_a_wrong_gradient_is_wrong():
    report = verify(make(0.0), lambda o, t: Halved.apply(o - t).sum())
    assert report.verdict == "wrong"
    assert SAID not in str(report)
