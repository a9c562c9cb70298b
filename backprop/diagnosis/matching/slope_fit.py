"""Where no formula of the table fits: is what stands for f' some other function of z, the same for every unit?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from backprop.codegen.lowering.nodes import Call
from backprop.codegen.lowering.program import Program
from backprop.diagnosis.matching.match import Match, Trial, list_sets
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.evaluate import Array, Function, evaluate
from backprop.diagnosis.model.functions import NetFunctions
from backprop.diagnosis.model.net import set_line
from backprop.diagnosis.recognition.recognise import NetScene

__all__ = ["try_slopes"]

IDENTIFIER = "derivative_formula_incomplete"
ENOUGH = 2
"""Equations for each number that is fitted; with fewer any slope would do."""


def try_slopes(trial: Trial, causes: list[Cause], top: int) -> Iterator[Match]:
    """A slope Σ c_k g_k(z) of the topmost wrong layer that makes exactly the subject's gradient, at every case.

    The g_k are those of `basis`: a formula with a part too much or too little, whichever it is. A mistake that is no
    function of z does not pass: there are many more equations than numbers.
    """
    net = trial.net
    own = net.functions
    if net.error(top) is None or net.activation(top) in ("softmax", "identity") or not isinstance(own, NetFunctions):
        return
    cause = next((c for c in causes if c.identifier == IDENTIFIER), None)
    if cause is None:
        return
    for wide in (False, True):
        numbers = fit_numbers(trial, top, wide)
        match = None if numbers is None else try_numbers(trial, cause, top, numbers, wide)
        if match is not None:
            yield match
            return


def try_numbers(trial: Trial, cause: Cause, top: int, numbers: Array, wide: bool) -> Match | None:
    """The mutant with that slope in the topmost wrong layer, or in it and those below."""
    net, own = trial.net, trial.net.functions
    assert isinstance(own, NetFunctions)
    for layers in list_sets(top, net.depth, True):
        program: Program | None = net.program
        for layer in layers:
            error = net.error(layer)
            if error is None or program is None:
                program = None
                break
            name = f"fitted_slope{layer}"
            own.own[name] = combine(own, layer, numbers, wide)
            program = set_line(program, f"delta{layer}", error * Call(name, net.z(layer)))
        if program is not None and trial.fits(program):
            return Match(cause, top, layers, numbers=trial.measure(program))
    return None


def fit_numbers(trial: Trial, layer: int, wide: bool) -> Array | None:
    """The c_k from the gradients of one layer, which depend on them linearly; None if there are too few equations."""
    columns, wanted = [], []
    for scene in trial.scenes:
        parts = list_parts(trial, scene, layer, wide)
        names = [name for name in (f"dW{layer}", f"db{layer}") if name in scene.yours]
        shapes = [np.shape(scene.right[name]) for name in names]
        if any(np.shape(scene.yours[n]) != shape for n, shape in zip(names, shapes, strict=True)):
            return None
        base = [make_gradients(trial, scene, layer, 0.0 * parts[0], names)]
        made = [make_gradients(trial, scene, layer, part, names) - base[0] for part in parts]
        columns.append(np.stack(made, axis=1))
        wanted.append(np.concatenate([np.ravel(scene.yours[n]) for n in names]) - base[0])
    matrix, target = np.concatenate(columns), np.concatenate(wanted)
    if len(matrix) < ENOUGH * matrix.shape[1] or not np.isfinite(matrix).all() or not np.isfinite(target).all():
        return None
    sizes = np.linalg.norm(matrix, axis=0)
    sizes[sizes == 0] = 1.0
    return np.asarray(np.linalg.lstsq(matrix / sizes, target, rcond=1e-10)[0] / sizes)


def list_parts(trial: Trial, scene: NetScene, layer: int, wide: bool) -> list[Array]:
    """The g_k at the z of a layer."""
    z, functions = scene.right[f"z{layer}"], trial.net.functions
    return basis(functions, z, functions[f"f{layer}"](z), functions[f"f{layer}_prime"](z), wide)


def basis(functions: Mapping[str, Function], z: Array, a: Array, slope: Array, wide: bool) -> list[Array]:
    """1, z, a, a², z², f', z a and z f' on either side of 0; `wide`: what σ, tanh, e^-|z| and products with σ give."""
    if not wide:
        parts = (np.ones_like(z), z, a, a * a, z * z, slope, z * a, z * slope)
        return [part * side for side in (z > 0, z <= 0) for part in parts]
    s, t, decay = functions["sigmoid"](z), functions["tanh"](z), np.exp(-np.abs(z))
    return [np.ones_like(z), z, a, slope, s, s * s, s * a, z * s, t, t * t, t * a, decay, a * a]


def combine(functions: NetFunctions, layer: int, numbers: Array, wide: bool) -> Function:
    """Σ c_k g_k as a function of z."""
    f, f_prime = functions[f"f{layer}"], functions[f"f{layer}_prime"]

    def fitted(z: Array) -> Array:
        parts = basis(functions, z, f(z), f_prime(z), wide)
        return np.asarray(sum(c * part for c, part in zip(numbers, parts, strict=True)))

    return fitted


def make_gradients(trial: Trial, scene: NetScene, layer: int, slope: Array, names: list[str]) -> Array:
    """The gradients of a layer with numbers in the place of f'."""
    net = trial.net
    error = net.error(layer)
    assert error is not None
    values = dict(scene.right)
    values[f"delta{layer}"] = evaluate(error, values, net.functions) * slope
    lines = {line.target.id: line for line in net.program.backward}
    for extra in (f"dxhat{layer}", f"du{layer}"):
        if extra in lines:
            values[extra] = evaluate(lines[extra].value, values, net.functions)
    return np.concatenate([np.ravel(evaluate(lines[name].value, values, net.functions)) for name in names])
