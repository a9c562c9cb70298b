#!/usr/bin/env bash
# torch 2.13.0, CPU, float64: the gradient of torch.nn.BCELoss is not the slope of its value where a probability is small.
#
# The value clamps each logarithm at -100, so it is -ln p down to p = e^-100 = 3.7e-44 and flat below.  The gradient
# (p - y) / max(p (1 - p), epsilon) stops at epsilon = 1e-12 instead: for y = 1 it is -1e12 from p = 1e-12 down, where the
# slope of the value is -1/p (1e28 times as much at p = 1e-40), and it is -1e12 still where the value is flat.  Besides,
# epsilon is a float32 constant also for doubles: the gradient reads -1000000003995.8..., not -1000000000000.
# A gradient check of a saturated classifier in double precision blames whoever wrote the rest of it.
#
# The script installs what it names into a temporary folder, prints what it sees, and fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -q --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import math

import torch

assert torch.__version__.startswith("2.13.0"), torch.__version__
loss, one = torch.nn.BCELoss(), torch.ones(1, dtype=torch.float64)


def value(p):
    return loss(torch.tensor([p], dtype=torch.float64), one).item()


print("torch", torch.__version__)
SEEN = {1e-6: True, 1e-11: True, 1e-13: False, 1e-20: False, 1e-40: False, 1e-50: False}
for p, agrees in SEEN.items():
    at = torch.tensor([p], dtype=torch.float64, requires_grad=True)
    loss(at, one).backward()
    gradient, slope = at.grad.item(), (value(1.0001 * p) - value(0.9999 * p)) / (2e-4 * p)
    print(f"p = {p:g}: value {value(p):.6g}, its slope {slope:.6g}, gradient {gradient!r}")
    assert math.isclose(gradient, slope, rel_tol=1e-6) is agrees
    if not agrees:
        assert math.isclose(gradient, -1 / float(torch.tensor(1e-12, dtype=torch.float32)), rel_tol=1e-12)
assert value(1e-50) == 100.0 and value(1e-40) < 100.0
PY
echo "as described"
