"""Only the output error is wrong: what it looks like beside the measured one, sample by sample, output by output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backprop.diagnosis.matching.comparison import is_gradient, measure_match
from backprop.diagnosis.model.evaluate import Array, Values, run_lines
from backprop.diagnosis.model.net import MEASURED
from backprop.diagnosis.recognition.recognise import NetScene, Recognised

__all__ = ["name_error"]

EQUAL = 1e-5


def name_error(recognised: Recognised) -> tuple[str, dict[str, float]] | None:
    """A cause, and how closely, where the subject's gradients all follow from one output error of its own."""
    net = recognised.net
    if net.cost != MEASURED:
        return None
    found = [find_own_error(recognised, scene) for scene in recognised.scenes]
    own = [error for error in found if error is not None]
    if len(own) < len(found):
        return None
    made = [send_back(recognised, *pair) for pair in zip(recognised.scenes, own, strict=True)]
    numbers = measure_match(recognised.scenes, made)
    identifier = name_own_error(recognised, own) if numbers["off"] <= 1 else None
    return None if identifier is None else (identifier, numbers)


def name_own_error(recognised: Recognised, own: Sequence[Array]) -> str | None:
    """What an output error looks like beside the true one."""
    net = recognised.net
    pairs = [(error, scene.right[f"delta{net.depth}"]) for error, scene in zip(own, recognised.scenes, strict=True)]
    if all(np.max(np.abs(mine - true)) <= EQUAL * np.max(np.abs(true)) for mine, true in pairs):
        return None
    if all(rows_are_multiples(mine, true) for mine, true in pairs):
        return "samples_weighted_differently"
    if columns_are_multiples(pairs):
        return "outputs_weighted_differently"
    return name_entries(recognised.scenes, pairs)


def find_own_error(recognised: Recognised, scene: NetScene) -> Array | None:
    """The Δ^L with a^{L-1}ᵀ Δ^L and 1ᵀ Δ^L as the subject has them."""
    net, depth = recognised.net, recognised.net.depth
    a = scene.values["X"] if depth == 1 else scene.right[f"a{depth - 1}"]
    dW = scene.yours.get(f"dW{depth}")
    if dW is None or dW.shape != (a.shape[1], net.sizes[-1]):
        return None
    pull = scene.right[f"dW{depth}"] - a.T @ scene.right[f"delta{depth}"]
    rows, wanted = a.T, dW - pull
    db = scene.yours.get(f"db{depth}")
    if db is not None and db.shape == (net.sizes[-1],):
        rows, wanted = np.vstack([rows, np.ones(len(a))]), np.vstack([wanted, db])
    if not np.isfinite(wanted).all():
        return None
    return np.asarray(np.linalg.lstsq(rows, wanted, rcond=None)[0])


def send_back(recognised: Recognised, scene: NetScene, error: Array) -> Values:
    """The gradients that the right program makes of an output error."""
    program = recognised.net.program
    made = run_lines((*program.forward, *program.backward), scene.values | {MEASURED: error}, recognised.net.functions)
    return {name: array for name, array in made.items() if is_gradient(name)}


def rows_are_multiples(mine: Array, true: Array) -> bool:
    """Whether each sample's error is a multiple of the true one (or the true one is zero)."""
    room = EQUAL * max(np.max(np.abs(mine)), np.max(np.abs(true)))
    square = np.sum(true * true, axis=1, keepdims=True)
    factor = np.divide(np.sum(mine * true, axis=1, keepdims=True), square, out=np.zeros_like(square), where=square > 0)
    zero = np.max(np.abs(true), axis=1, keepdims=True) <= room
    return bool(np.all((np.abs(mine - factor * true) <= room) | zero)) and mine.shape[1] > 1


def columns_are_multiples(pairs: Sequence[tuple[Array, Array]]) -> bool:
    """Whether each output's error is the same multiple of the true one at every sample."""
    mine, true = (np.vstack([pair[k] for pair in pairs]) for k in (0, 1))
    room = EQUAL * max(np.max(np.abs(mine)), np.max(np.abs(true)))
    square = np.sum(true * true, axis=0)
    factor = np.divide(np.sum(mine * true, axis=0), square, out=np.zeros_like(square), where=square > 0)
    return bool(np.all(np.abs(mine - factor * true) <= room)) and mine.shape[1] > 1


def name_entries(scenes: Sequence[NetScene], pairs: Sequence[tuple[Array, Array]]) -> str | None:
    """Only the entries of the target's class are wrong, or only the others."""
    targets = np.vstack([scene.values["Y"] for scene in scenes])
    if not np.all((targets == 0) | (targets == 1)) or not np.all(targets.sum(axis=1) == 1):
        return None
    mine, true = (np.vstack([pair[k] for pair in pairs]) for k in (0, 1))
    wrong = np.abs(mine - true) > EQUAL * max(np.max(np.abs(mine)), np.max(np.abs(true)))
    if not wrong[targets == 0].any():
        return "error_at_target_wrong"
    return "error_beside_target_wrong" if not wrong[targets == 1].any() else None
