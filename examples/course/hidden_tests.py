"""What is run on what was handed in: `pytest hidden_tests.py --backprop write_bp2.py`."""


def test_it_can_be_judged(backprop_report):
    assert backprop_report.verdict in ("verified", "wrong")


def test_what_was_given_still_holds(backprop_report):
    assert all(backprop_report.holds(equation) for equation in ("BP1", "BP3", "BP4"))


def test_bp2_holds_in_every_layer(backprop_report):
    assert backprop_report.holds("BP2")
