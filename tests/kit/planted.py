"""Mistakes planted in random networks: every entry of the table, as modules with scrambled names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from kit.planted_source import draw_dress, write_subject

from backprop.codegen.lowering.program import Program
from backprop.diagnosis.matching.match import list_sets, mutate
from backprop.diagnosis.mistakes.catalogue import CAUSES
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.evaluate import names_in
from backprop.diagnosis.model.families import FAMILIES
from backprop.diagnosis.model.functions import pair_of
from backprop.diagnosis.model.net import Net
from backprop.diagnosis.recognition.costs import program_for
from backprop.diagnosis.recognition.hidden import SOFTMAX, Norm, Stack
from backprop.diagnosis.recognition.right_program import complete, name_calls, own_functions, placeholder
from backprop.examiner.subject.protocol.naming import name_leaves
from backprop.examiner.subject.protocol.nests import flatten

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "gelu", "gelu_tanh", "silu", "identity")
ENDS = (
    ("identity", "half-sse"), ("sigmoid", "half-sse"), ("tanh", "half-sse"), ("softmax", "half-sse"),
    ("sigmoid", "binary-cross-entropy"), ("softmax", "cross-entropy"), ("identity", "Huber"), ("tanh", "log-cosh"),
)  # fmt: skip
SLOPES = {"leaky_relu": 0.2, "elu": 0.5, "tanh": 2 / 3, "sigmoid": 2.0, "silu": 1.702}
VISIBLE = 1e-3
MOST_TRIES = 2000


@dataclass(frozen=True)
class Planted:
    """A subject with one known mistake."""

    label: str
    subject: Mapping[str, Any]
    identifier: str
    equation: str
    layer: int | None


def plant(seed: int) -> Planted:
    """One planted mistake for a seed: draws networks until the chosen entry of the table can be made and is visible."""
    rng = np.random.default_rng([7, seed])
    entries = list_entries()
    cause = entries[seed % len(entries)]
    for _ in range(MOST_TRIES):
        planted = try_planting(cause, rng, seed)
        if planted is not None:
            return planted
    raise AssertionError(f"{cause.identifier} cannot be planted in {MOST_TRIES} networks; draw other networks")


def try_planting(cause: Cause, rng: np.random.Generator, seed: int) -> Planted | None:
    """Draw a network and make the mistake; None if it cannot be made there or shows nothing."""
    net = draw_net(rng)
    layer = int(rng.integers(1, net.depth + 1))
    layers = list_sets(layer, net.depth, cause.spreads)
    chosen = layers[int(rng.integers(len(layers)))]
    values = list(cause.values(net))
    value = values[int(rng.integers(len(values)))]
    program = mutate(net, cause, chosen, value)
    if program is None or not reads_what_is_there(program):
        return None
    number = draw_number(cause, net, rng)
    if number is None:
        return None
    dress = draw_dress(net, rng)
    if cause.equation == "BP3" and not dress.biased:
        return None
    subject = write_subject(net, program, number, rng, dress)
    if not is_visible(subject, net, layer, cause):
        return None
    whole = cause.equation in ("cost", "forward")
    label = (
        f"seed {seed}: {cause.identifier} value {value} number {number} in {chosen} of {net.sizes} {net.activations}"
    )
    equation = cause.equation_at(layer, net.depth)
    return Planted(f"{label} {net.cost} {dress}", subject, cause.identifier, equation, None if whole else layer)


def reads_what_is_there(program: Program) -> bool:
    """Whether every line reads only what the lines before it have computed (an error of a layer below is not there)."""
    known: set[str] = set()
    targets = {line.target.id for line in (*program.forward, *program.backward)}
    for line in (*program.forward, *program.backward):
        if (names_in(line.value) & targets) - known:
            return False
        known.add(line.target.id)
    return True


def draw_net(rng: np.random.Generator) -> Net:
    """A random network with its right program; a third have a penalty."""
    depth = int(rng.integers(1, 5))
    width = int(rng.integers(2, 5))
    sizes = tuple(int(rng.integers(2, 6)) for _ in range(depth + 1))
    sizes = (width,) * (depth + 1) if rng.random() < 0.5 else sizes
    output, cost = ENDS[int(rng.integers(len(ENDS)))]
    if output != "softmax" and rng.random() < 0.2:
        sizes = (*sizes[:-1], 1)
    masked = int(rng.integers(1, min(3, depth))) if depth > 1 and rng.random() < 0.2 else 0
    stack = draw_stack(depth - 1, rng)
    program = name_calls(program_for(sizes, placeholder(output), cost), stack)
    layers = frozenset(range(1, depth + 1))
    penalised = layers if rng.random() < 0.35 else frozenset()
    normalised = frozenset({1}) if depth > 1 and not masked and rng.random() < 0.25 else frozenset()
    functions = own_functions(stack, output, cost) if not normalised else own_functions(with_norm(stack), output, cost)
    net = Net(
        sizes, (*stack.names, output), cost, program, functions, penalised,
        penalised if rng.random() < 0.5 else frozenset(), frozenset(range(1, masked + 1)), layers, normalised,
    )  # fmt: skip
    return replace(net, program=complete(net))


def draw_stack(hidden: int, rng: np.random.Generator) -> Stack:
    """Hidden activations: mostly one for all, sometimes with a constant of its own, sometimes one for each layer."""
    chosen = [ACTIVATIONS[int(k)] for k in rng.integers(len(ACTIVATIONS), size=max(1, hidden))]
    name, pick = chosen[0], rng.random()
    if pick < 0.06:
        return Stack(("softmax",) * hidden, (SOFTMAX,) * hidden)
    if pick < 0.25 and hidden <= 2:
        return Stack(tuple(chosen[:hidden]), tuple(pair_of(n) for n in chosen[:hidden]))
    pair = pair_of(name)
    if pick > 0.8 and name in SLOPES:
        pair = FAMILIES[name].member(SLOPES[name])
    return Stack((name,) * hidden, (pair,) * hidden)


def with_norm(stack: Stack) -> Stack:
    """The same with a batch normalisation in the first layer."""
    return replace(stack, norms={1: Norm(1e-5, 0)})


def draw_number(cause: Cause, net: Net, rng: np.random.Generator) -> str | None:
    """The text of the free number: one that means this cause."""
    outputs = str(net.sizes[-1])
    choices = {text: (float(text), 0) for text in ("0.5", "2", "3", "0", "-1", "0.1", outputs)}
    choices |= {"n": (1.0, 1), "1 / n": (1.0, -1)}
    usable = [text for text, (c, p) in choices.items() if cause.accepts is None or cause.accepts(c, p, net)]
    if cause.accepts is None:
        usable = ["0.5", "3", "0.1"]
    return usable[int(rng.integers(len(usable)))] if usable else None


def is_visible(subject: Mapping[str, Any], net: Net, layer: int, cause: Cause) -> bool:
    """Whether the gradient is a finite number and visibly wrong, in the layer where the mistake stands."""
    rng = np.random.default_rng(1)
    params = subject["parameters"](rng)
    X, Y = subject["data"](rng)
    context = subject["context"](rng, len(X)) if "context" in subject else {}
    with np.errstate(all="ignore"):
        given = subject["gradients"](params, X, Y, **context)
        right = true_gradient(subject, params, X, Y, context)
    largest = max(float(np.max(np.abs(g))) for g in right)
    wrong = set()
    for leaf, a, b in zip(name_leaves(params), flatten(given), right, strict=True):
        if not np.isfinite(a).all() or np.max(np.abs(a)) > 1e6:
            return False
        if np.shape(a) != np.shape(b) or np.max(np.abs(a - b)) > VISIBLE * max(np.max(np.abs(b)), 0.1 * largest):
            wrong.add(leaf.layer)
    if cause.equation == "forward":
        return bool(wrong)
    return bool(wrong) and max(wrong) == layer


def true_gradient(subject: Mapping[str, Any], params: Any, X: Any, Y: Any, context: Mapping[str, Any]) -> list[Any]:
    """Central differences: good enough to see whether a mistake shows."""
    h, out = 1e-5, []
    for tensor in flatten(params):
        g = np.zeros_like(tensor)
        for index in np.ndindex(*tensor.shape):
            old = tensor[index]
            tensor[index] = old + h
            up = subject["cost"](params, X, Y, **context)
            tensor[index] = old - h
            down = subject["cost"](params, X, Y, **context)
            tensor[index] = old
            g[index] = (up - down) / (2 * h)
        out.append(g)
    return out


def count_entries() -> int:
    """How many entries of the table can be planted."""
    return len(list_entries())


def list_entries() -> list[Cause]:
    """The entries that can be planted in any network: those that need nothing but its own program."""
    return [cause for cause in CAUSES if cause.rewrite is not None and not cause.given]


def list_planted(first: int, last: int) -> Iterator[Planted]:
    """The planted mistakes of some seeds."""
    return (plant(seed) for seed in range(first, last))
