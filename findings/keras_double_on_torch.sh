#!/usr/bin/env bash
# Keras 3.15.1 on its torch backend (torch 2.13.0, NumPy 2.4.6): arithmetic in double precision that is not.
#
# Given two float64 tensors, keras.ops.matmul, dot and tensordot return float32, also after
# keras.config.set_floatx("float64"); einsum of the same product stays in float64.  keras.ops.mean is quieter still: its
# result is a float64 tensor, and its value was rounded to float32 on the way, while keras.ops.sum keeps all digits.
# A gradient that goes through one of them is good for seven digits, and a gradient check in double precision that looks at
# the dtype of what comes back does not notice it in `mean`.
#
# Expected: 1/3 in float64 is 0.3333333333333333; rounded to float32 it reads 0.3333333432674408.
# The script installs what it names into a temporary folder, prints what it sees, and fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -q --disable-pip-version-check torch==2.13.0 keras==3.15.1 numpy==2.4.6
cd "$work"
KERAS_BACKEND=torch KERAS_HOME="$work" "$work/venv/bin/python" - <<'PY'
import keras
import torch

assert keras.__version__ == "3.15.1" and torch.__version__.startswith("2.13.0"), (keras.__version__, torch.__version__)
keras.config.set_floatx("float64")
third = torch.full((1, 1), 1 / 3, dtype=torch.float64)
one = torch.ones((1, 1), dtype=torch.float64)
asked = {
    "matmul": keras.ops.matmul(third, one),
    "dot": keras.ops.dot(third, one),
    "tensordot": keras.ops.tensordot(third, one, axes=1),
    "einsum": keras.ops.einsum("ij,jk->ik", third, one),
    "mean": keras.ops.mean(third),
    "sum": keras.ops.sum(third),
    "torch's own matmul": third @ one,
}
DOUBLE, SINGLE = 0.3333333333333333, 0.3333333432674408
seen = {
    "matmul": (torch.float32, SINGLE),
    "dot": (torch.float32, SINGLE),
    "tensordot": (torch.float32, SINGLE),
    "einsum": (torch.float64, DOUBLE),
    "mean": (torch.float64, SINGLE),
    "sum": (torch.float64, DOUBLE),
    "torch's own matmul": (torch.float64, DOUBLE),
}
print("keras", keras.__version__, "torch", torch.__version__)
for name, tensor in asked.items():
    found = tensor.dtype, tensor.reshape(-1)[0].item()
    print(f"{name:20} {found[0]!s:14} {found[1]!r}")
    assert found == seen[name], f"{name} was {seen[name]}, is {found}"
PY
echo "as described"
