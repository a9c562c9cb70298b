"""The golden sources: three small networks, and one for JAX.  Regenerate with `python tests/kit/golden_files.py`."""

from __future__ import annotations

from pathlib import Path

from backprop.codegen.printing.emit_jax import emit_jax
from backprop.runtime.compiled import build

GOLDEN = {
    "network_3_2_1_sigmoid.py": ("3-2-1", "sigmoid", "identity", "half-sse"),
    "network_4_3_3_2_gelu_softmax.py": ("4-3-3-2", "gelu", "softmax", "cross-entropy"),
    "network_2_2_2_1_mixed.py": ("2-2-2-1", ("relu", "x*tanh(x)"), "sigmoid", "binary-cross-entropy"),
}
JAX = {"jax_4_3_2_relu_softmax.py": ("4-3-2", "relu", "softmax", "cross-entropy")}


def golden_source(name: str) -> str:
    """What the generator prints today."""
    if name in JAX:
        net = build(*JAX[name])
        return emit_jax(net.network, net.program)
    return build(*GOLDEN[name]).source


if __name__ == "__main__":
    for name in (*GOLDEN, *JAX):
        (Path(__file__).resolve().parents[1] / "golden" / name).write_text(golden_source(name), encoding="utf-8")
