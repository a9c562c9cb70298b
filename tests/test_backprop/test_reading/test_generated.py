"""Generated modules with one line spoilt: the line is found, for every kind of layer, and mended."""

from __future__ import annotations

import ast
import re
import types

import pytest

from backprop.examiner.judging.judge import judge
from backprop.reading.reader import read
from backprop.reading.running.workshop import open_premises
from backprop.runtime.compiled import build
from backprop.specification.layers import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Gated,
    Layer,
    LayerNorm,
    PReLU,
    Residual,
)
from backprop.specification.network import Network

KINDS = {
    Dense: [Dense(4, "tanh")],
    Gated: [Gated(4, "silu")],
    Activation: [Dense(4), Activation("gelu")],
    PReLU: [Dense(4), PReLU()],
    BatchNorm: [Dense(4), BatchNorm(), Activation("tanh")],
    LayerNorm: [Dense(4), LayerNorm(), Activation("tanh")],
    Dropout: [Dense(5, "tanh"), Dropout(0.3)],
    Residual: [Dense(4, "tanh"), Residual(Dense(4, "tanh"), Dense(4))],
}
SPOIL = {
    "a sign turned": lambda value: f"-({value})",
    "a mean for a sum": lambda value: value.replace("np.sum(", "np.mean("),
    "a factor dropped": lambda value: re.sub(r" \* \w+_prime\w*\([^()]*\)", "", value),
    "a transpose dropped": lambda value: value.replace(".T", "", 1),
}


def find_backward_lines(text: str) -> list[ast.Assign]:
    """The lines of `gradients` after the forward pass."""
    tree = ast.parse(text)
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "gradients")
    lines = [s for s in function.body if isinstance(s, ast.Assign)]
    start = next(k for k, s in enumerate(lines) if "forward_pass" in ast.unparse(s))
    return lines[start + 1 :]


def spoil(text: str, line: ast.Assign, how: str) -> str:
    """The text with the right side of a line spoilt."""
    value = ast.get_source_segment(text, line.value)
    assert value is not None
    rows = text.splitlines(keepends=True)
    row = rows[line.lineno - 1]
    rows[line.lineno - 1] = row.replace(value, SPOIL[how](value), 1)
    return "".join(rows)


def list_spoilt() -> list[tuple[str, str, int]]:
    """One line of each kind of layer a kind of mistake: the lowest that changes by it."""
    found = []
    for kind, layers in KINDS.items():
        text = build(Network(3, *layers, Dense(2))).source
        lines = find_backward_lines(text)
        for how in SPOIL:
            # The bias before a normalisation has a gradient of zero, whatever is done to it.
            whole = [s for s in lines if s.lineno == s.end_lineno and ast.unparse(s.targets[0]) != "db1"]
            fitting = [s for s in whole if spoil(text, s, how) != text]
            if fitting:
                found.append(
                    pytest.param(spoil(text, fitting[-1], how), fitting[-1].lineno, id=f"{kind.__name__}: {how}")
                )
    return found


def test_every_kind_of_layer_has_its_turn():
    assert set(KINDS) == set(Layer.__subclasses__())


def make_module(text: str) -> types.ModuleType:
    """A module of a text."""
    module = types.ModuleType("mended")
    exec(compile(text, "mended.py", "exec"), vars(module))
    return module


@pytest.mark.parametrize(("text", "line"), list_spoilt())
def test_the_spoilt_line_of_a_generated_module_is_found(tmp_path, text, line):
    path = tmp_path / "net.py"
    path.write_text(text, encoding="utf-8")
    found = read(open_premises(path))
    assert found.mends, "no mend"
    assert found.mends[0].lines == (line,)
    assert judge(make_module(found.source.replace(found.mends[0].edits)), seed=99).ok
