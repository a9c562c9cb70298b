"""Writes a program, right or wrong, as the module of a subject: scrambled names, and the conventions people have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop.codegen.lowering.load import load
from backprop.codegen.lowering.program import Program
from backprop.codegen.printing.emit import write_expression
from backprop.diagnosis.model.functions import NetFunctions
from backprop.diagnosis.model.net import Net

__all__ = ["PLAIN", "Dress", "draw_dress", "write_subject"]

ROWS = 6
OWN = re.compile(r"f\d+(_prime)?|normalise1|shrink1|residual_cost|cost_prime")
WORDS = ("ab", "lo", "mi", "tu", "re", "ka", "so", "ne", "vu", "pi")
KEPT = {
    "np", "parameters", "data", "cost", "gradients", "forward", "def", "return", "rng", "in", "for", "import", "as",
    "None", "True", "False",
}  # fmt: skip
GIVEN = {*["mask1", "mask2", "dict", "size", "axis", "keepdims", "float", "params", "X", "Y", "gamma", "beta"]}


@dataclass(frozen=True)
class Dress:
    """The conventions of a subject: they change nothing that is right or wrong about it.

    `scale` is a text of n and K in front of the cost; `outward`: W as (out, in); `columns`: a sample is a column and b
    is (out, 1); `nest`: how parameters are kept; `labels`: class numbers for targets; `sized`: data takes n.
    """

    scale: str = "1.0"
    outward: bool = False
    columns: bool = False
    nest: str = "pairs"
    labels: bool = False
    sized: bool = True
    forward: bool = True
    biased: bool = True


PLAIN = Dress()
NESTS = ("pairs", "pairs", "lists", "flat", "dict", "two lists")


def draw_dress(net: Net, rng: np.random.Generator) -> Dress:
    """Conventions that people have, drawn; a third of all subjects is plain."""
    scales = ("1.0", "n") if net.fused else ("1.0", "1.0 / n", "2.0 / n", "2.0", "1.0 / (n * K)", "2.0 / (n * K)")
    scale = str(rng.choice(scales))
    if rng.random() < 0.3 or net.normalised:
        return Dress(scale)
    columns = bool(rng.random() < 0.35) and not net.masked
    return Dress(
        scale,
        columns or bool(rng.random() < 0.15),
        columns,
        str(rng.choice(NESTS)),
        net.cost == "cross-entropy" and bool(rng.random() < 0.3),
        bool(rng.random() < 0.6) or bool(net.masked),
        bool(rng.random() < 0.8),
        bool(rng.random() < 0.9) or bool(net.penalised_b),
    )


def write_subject(net: Net, program: Program, number: str, rng: np.random.Generator, dress: Dress) -> dict[str, Any]:
    """The subject: the module's functions in a dress."""
    inner = load_module(write_text(net, program, number, dress), net, rng)
    return wear(inner, net, dress)


def write_text(net: Net, program: Program, number: str, dress: Dress) -> str:
    """The module as text, with the letters of the derivation."""
    right = [f"{line.target.id} = {write_expression(line.value)}" for line in net.program.forward]
    lines = [f"{line.target.id} = {write_expression(line.value)}" for line in (*program.forward, *program.backward)]
    layers = range(1, net.depth + 1)
    pack = ", ".join(
        f"(dW{l}, db{l}" + (f", dict(gamma=dgamma{l}, beta=dbeta{l})" if l in net.normalised else "") + ")"
        for l in layers
    )
    terms = [f" + 0.02 * np.sum(W{l} ** 2)" for l in sorted(net.penalised_W)]
    terms += [f" + 0.015 * np.sum(b{l} ** 2)" for l in sorted(net.penalised_b)]
    sizes = [f"K = {net.sizes[-1]}.0", f"scale = {dress.scale}"]
    extra, unpack = "".join(f", mask{l}" for l in sorted(net.masked)), write_unpacking(net)
    price = f"return scale * ({write_expression(net.program.cost)}){''.join(terms)}"
    blocks = [
        ("parameters(rng)", [f"return [{', '.join(write_draws(net))}]"]),
        (f"data(rng, n={ROWS})", [f"return rng.normal(size=(n, {net.sizes[0]})), {write_targets(net)}"]),
        (f"forward(params, X{extra})", [unpack, *right, f"return a{net.depth}"]),
        (f"cost(params, X, Y{extra})", ["n = X.shape[0]", *sizes, unpack, *right, price]),
        (
            f"gradients(params, X, Y{extra})",
            ["n = X.shape[0]", *sizes, *write_constants(net, number), unpack, *lines, f"return [{pack}]"],
        ),
    ]
    if net.masked:
        drawn = ", ".join(f"mask{l}=2.0 * (rng.random((n, {net.sizes[l]})) < 0.6)" for l in sorted(net.masked))
        blocks.append(("context(rng, n)", [f"return dict({drawn})"]))
    return "\n\n".join(f"def {head}:\n" + "\n".join(f"    {line}" for line in body) for head, body in blocks)


def write_unpacking(net: Net) -> str:
    """W1, b1 … from params."""
    names = ", ".join(
        f"(W{l}, b{l}" + (", norm1" if l in net.normalised else "") + ")" for l in range(1, net.depth + 1)
    )
    end = "; gamma1, beta1 = norm1['gamma'], norm1['beta']" if net.normalised else ""
    return f"{names}{',' if net.depth == 1 else ''} = params{end}"


def write_draws(net: Net) -> list[str]:
    """Parameters of each layer."""
    return [
        f"(rng.normal(size=({i}, {o})) / np.sqrt({i}), 0.2 * rng.normal(size={o})"
        + (
            f", dict(gamma=1 + 0.4 * rng.normal(size={o}), beta=0.3 * rng.normal(size={o}))"
            if l in net.normalised
            else ""
        )
        + ")"
        for l, (i, o) in enumerate(zip(net.sizes, net.sizes[1:], strict=False), start=1)
    ]


def write_targets(net: Net) -> str:
    """Targets that the cost can have."""
    width = net.sizes[-1]
    return {
        "binary-cross-entropy": f"rng.integers(2, size=(n, {width})).astype(float)",
        "cross-entropy": f"np.eye({width})[rng.integers({width}, size=n)]",
    }.get(net.cost, f"rng.normal(size=(n, {width}))")


def write_constants(net: Net, number: str) -> list[str]:
    """The names that a mutant may read besides the variables of the network."""
    constants = [
        f"unit = {'scale / n' if net.fused else 'scale'}", f"kappa = {number}", "first = np.eye(n)[0]",
        "last = np.eye(n)[-1]", "first_column = first[:, None]", "last_column = last[:, None]",
        "ones_row = np.ones((1, n))",
    ]  # fmt: skip
    constants += [f"penalty_W{l} = 0.04" for l in range(1, net.depth + 1)]
    return constants + [f"penalty_b{l} = 0.03" for l in range(1, net.depth + 1)]


def load_module(text: str, net: Net, rng: np.random.Generator) -> dict[str, Any]:
    """The functions of the text, its names scrambled, beside the activation functions."""
    called = set(re.findall(r"([A-Za-z_]\w*)\(", text))
    module = load("import numpy as np\n\n" + scramble(text, rng, called), "planted")
    known = NetFunctions({})
    for name in called:
        if OWN.fullmatch(name) or _is_known(known, name):
            vars(module)[name] = net.functions[name]
    protocol = ("parameters", "data", "forward", "cost", "gradients", "context")
    return {name: vars(module)[name] for name in protocol if name in vars(module)}


def _is_known(functions: NetFunctions, name: str) -> bool:
    try:
        return functions[name] is not None
    except KeyError:
        return False


def scramble(text: str, rng: np.random.Generator, called: set[str]) -> str:
    """Names of variables without meaning; keywords, functions and the protocol keep theirs."""
    names = set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", text)) - KEPT - GIVEN - called - {"n"}
    fresh = {name: "".join(rng.choice(WORDS, 3)) + str(k) for k, name in enumerate(sorted(names))}
    return re.sub(r"(?<![\w.])[A-Za-z_]\w*", lambda m: fresh.get(m[0], m[0]), text)


def wear(inner: Mapping[str, Any], net: Net, dress: Dress) -> dict[str, Any]:
    """The same functions with parameters, batches and gradients kept in another way."""
    if dress == Dress(dress.scale):
        return dict(inner)
    outside, inside = _make_keepers(net, dress)

    def read_batch(X: Any, Y: Any) -> tuple[Any, Any]:
        rows = np.asarray(X).T if dress.columns else X
        if dress.labels:
            return rows, np.eye(net.sizes[-1])[np.asarray(Y).astype(int)]
        return rows, np.asarray(Y).T if dress.columns else Y

    def data(rng: np.random.Generator, n: int = ROWS) -> tuple[Any, Any]:
        X, Y = inner["data"](rng, n)
        Y = np.argmax(Y, axis=1) if dress.labels else Y.T if dress.columns else Y
        return (X.T if dress.columns else X), Y

    def forward(params: Any, X: Any, **context: Any) -> Any:
        out = inner["forward"](inside(params), np.asarray(X).T if dress.columns else X, **context)
        return out.T if dress.columns else out

    def cost(params: Any, X: Any, Y: Any, **context: Any) -> Any:
        return float(inner["cost"](inside(params), *read_batch(X, Y), **context))

    def gradients(params: Any, X: Any, Y: Any, **context: Any) -> Any:
        return outside(inner["gradients"](inside(params), *read_batch(X, Y), **context))

    def data_of_one_size(rng: np.random.Generator) -> tuple[Any, Any]:
        return data(rng)

    worn: dict[str, Any] = {"parameters": lambda rng: outside(inner["parameters"](rng)), "cost": cost}
    worn |= {"data": data if dress.sized else data_of_one_size, "gradients": gradients}
    if dress.forward:
        worn["forward"] = forward
    return worn | ({"context": inner["context"]} if "context" in inner else {})


def _make_keepers(net: Net, dress: Dress) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """From pairs (W, b) in rows to the subject's own parameters, and back."""

    def turn_W(W: Any) -> Any:
        return np.asarray(W).T if dress.outward else W

    def turn_b(b: Any) -> Any:
        if not dress.columns:
            return b
        return np.reshape(b, (-1, 1)) if np.ndim(b) == 1 else np.asarray(b).T

    def outside(pairs: Any) -> Any:
        turned = [(turn_W(W), turn_b(b)) for W, b in pairs]
        if dress.nest == "dict":
            named = {f"W{l}": W for l, (W, _) in enumerate(turned, start=1)}
            return named | ({f"b{l}": b for l, (_, b) in enumerate(turned, start=1)} if dress.biased else {})
        if not dress.biased:
            return [W for W, _ in turned]
        if dress.nest == "flat":
            return [array for pair in turned for array in pair]
        if dress.nest == "two lists":
            return [W for W, _ in turned], [b for _, b in turned]
        return [list(pair) for pair in turned] if dress.nest == "lists" else turned

    def inside(params: Any) -> Any:
        if dress.nest == "dict":
            pairs = [(params[f"W{l}"], params.get(f"b{l}")) for l in range(1, net.depth + 1)]
        elif not dress.biased:
            pairs = [(W, None) for W in params]
        elif dress.nest == "flat":
            pairs = list(zip(params[::2], params[1::2], strict=True))
        else:
            pairs = list(zip(*params, strict=True)) if dress.nest == "two lists" else params
        widths = net.sizes[1:]
        return [
            (turn_W(W), np.zeros(width) if b is None else np.reshape(b, width))
            for (W, b), width in zip(pairs, widths, strict=True)
        ]

    return outside, inside
