"""NetLayout: how a subject stores its parameters and its batch, and the way to W (in, out), b (out,), X (n, M_0)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from backprop.diagnosis.model.evaluate import Array, Values
from backprop.examiner.measuring.cases import Case
from backprop.examiner.subject.protocol.naming import Leaf

__all__ = ["NetLayout", "list_layouts"]

Places = tuple["int | None", ...]


@dataclass(frozen=True)
class NetLayout:
    """Which leaf is which parameter. `outward`: W is stored (out, in); `columns`: a sample is a column; `fold`: the
    bias is the "first" or "last" row of W; `scales`, `shifts`: γ and β of normalisations; `lowest`: the first class."""

    sizes: tuple[int, ...]
    weights: tuple[int, ...]
    biases: tuple[int | None, ...]
    outward: bool = False
    columns: bool = False
    fold: str = ""
    scales: tuple[int | None, ...] = ()
    shifts: tuple[int | None, ...] = ()
    lowest: int = 0

    @property
    def depth(self) -> int:
        return len(self.weights)

    def read_parameters(self, leaves: Sequence[Any]) -> Values:
        """W1, b1, W2, b2 … from the leaves."""
        found: Values = {}
        for layer in range(1, self.depth + 1):
            W, b = self.read_layer(layer, leaves)
            assert W is not None
            found[f"W{layer}"] = W
            found[f"b{layer}"] = np.zeros(self.sizes[layer]) if b is None else b
        return found | self.read_normalisations(leaves, "")

    def read_normalisations(self, leaves: Sequence[Any], prefix: str) -> Values:
        """gamma1, beta1 … or their gradients."""
        found: Values = {}
        for letter, places in (("gamma", self.scales), ("beta", self.shifts)):
            for layer, place in enumerate(places, start=1):
                if place is not None and leaves[place] is not None:
                    array = leaves[place]
                    found[f"{prefix}{letter}{layer}"] = (
                        np.ravel(array) if np.size(array) == self.sizes[layer] else array
                    )
        return found

    def read_gradients(self, leaves: Sequence[Any]) -> Values:
        """dW1, db1 … as far as the subject has them; what has a wrong size stays as it is."""
        found: Values = {}
        for layer in range(1, self.depth + 1):
            W, b = self.read_layer(layer, leaves)
            if W is not None:
                found[f"dW{layer}"] = W
            if b is not None:
                found[f"db{layer}"] = b
        return found | self.read_normalisations(leaves, "d")

    def read_layer(self, layer: int, leaves: Sequence[Any]) -> tuple[Array | None, Array | None]:
        """The weights and the bias of a layer."""
        inside, outside = self.sizes[layer - 1], self.sizes[layer]
        W, own = leaves[self.weights[layer - 1]], self.biases[layer - 1]
        b = None if own is None else leaves[own]
        if b is not None and np.size(b) == outside:
            b = np.reshape(b, outside)
        elif b is not None and self.columns and np.ndim(b) == 2:
            b = np.transpose(b)
        if W is None:
            return None, b
        if self.fold:
            return self._unfold(W, inside, outside)
        if np.size(W) == inside * outside:
            W = np.reshape(W, (outside, inside)).T if self.outward else np.reshape(W, (inside, outside))
        return W, b

    def read_shifted(self, leaves: Sequence[Any]) -> Values:
        """The weights with the row at the wrong end dropped, where the bias is a row of them."""
        found: Values = {}
        for layer in range(1, self.depth + 1) if self.fold else ():
            W = leaves[self.weights[layer - 1]]
            whole = W.T if self.outward else W
            found[f"shifted_W{layer}"] = whole[:-1] if self.fold == "first" else whole[1:]
        return found

    def _unfold(self, W: Array, inside: int, outside: int) -> tuple[Array | None, Array | None]:
        whole = W.T if self.outward else W
        if whole.shape != (inside + 1, outside):
            return None, None
        return (whole[1:], whole[0]) if self.fold == "first" else (whole[:-1], whole[-1])

    def read_batch(self, case: Case) -> tuple[Array, Array] | None:
        """X (n, M_0) and Y (n, M_L), class numbers as one-hot rows; None if they do not fit."""
        try:
            X, Y = np.asarray(case.X, dtype=float), np.asarray(case.Y, dtype=float)
        except (TypeError, ValueError):
            return None
        if not X.size:
            return None  # of a subject that keeps its data to itself
        X = X.T if self.columns and X.ndim == 2 else X
        if X.ndim < 2:
            X = X.reshape(-1, self.sizes[0])
        X = X.reshape(len(X), -1)
        if X.shape[1] != self.sizes[0]:
            return None
        targets = self.read_targets(Y, len(X))
        return None if targets is None else (X, targets)

    def read_targets(self, Y: Array, rows: int) -> Array | None:
        """Targets or outputs as (n, M_L)."""
        width = self.sizes[-1]
        if Y.size == rows * width:
            if Y.ndim == 2 and self.columns and Y.shape == (width, rows):
                return Y.T
            return Y.reshape(rows, width)
        labels = Y.ravel()
        if labels.size == rows and width > 1 and np.array_equal(labels, np.round(labels)):
            if labels.max() >= width + self.lowest or np.any((labels >= 0) & (labels < self.lowest)):
                return None
            # A negative label is no class: padding, which a cost leaves out.
            shown = np.eye(width)[np.maximum(labels.astype(int) - self.lowest, 0)]
            return np.asarray(shown * (labels >= self.lowest)[:, None])
        return None


def list_layouts(leaves: Sequence[Leaf], case: Case) -> Iterator[NetLayout]:
    """Every way to read the parameters that fits their shapes and the batch's."""
    found = _sort(leaves)
    if found is None:
        return
    weights, biases, scales, shifts = found
    if any(scale is not None and shift is None for scale, shift in zip(scales, shifts, strict=True)):
        # What stands beside a γ and is called a bias is its β more often than not.
        rows = zip(biases, scales, shifts, strict=True)
        turned = [(None, b) if scale is not None and shift is None else (b, shift) for b, scale, shift in rows]
        yield from _list_shapes(leaves, case, weights, tuple(b for b, _ in turned), scales, tuple(s for _, s in turned))
    yield from _list_shapes(leaves, case, *found)


def _list_shapes(
    leaves: Sequence[Leaf], case: Case, weights: tuple[int, ...], biases: Places, scales: Places, shifts: Places
) -> Iterator[NetLayout]:
    """The ways to read those of one sorting."""
    folds = ("",) if any(b is not None for b in (*biases, *shifts)) else ("", "first", "last")
    # A bias that stands upright goes with samples in columns.
    upright = any(
        b is not None and len(leaves[b].shape) == 2 and leaves[b].shape[1] == 1 < leaves[b].size for b in biases
    )
    order = (True, False) if upright else (False, True)
    for fold, outward, columns in product(folds, order, order):
        sizes = _chain([leaves[i].shape for i in weights], outward, bool(fold))
        if sizes is None:
            continue
        vectors = [(k, i) for places in (biases, scales, shifts) for k, i in enumerate(places) if i is not None]
        if any(leaves[i].size != sizes[k + 1] for k, i in vectors):
            continue
        for lowest in (0, 1) if np.ndim(case.Y) == 1 and np.min(case.Y, initial=0) >= 0 else (0,):
            layout = NetLayout(sizes, weights, biases, outward, columns, fold, scales, shifts, lowest)
            if layout.read_batch(case) is not None and (np.ndim(case.X) == 2 or not columns):
                yield layout


def _sort(leaves: Sequence[Leaf]) -> tuple[tuple[int, ...], Places, Places, Places] | None:
    """Which leaf is W, b, γ and β of each layer; None if there is anything else."""
    depth = max((leaf.layer or 0 for leaf in leaves), default=0)
    weights: list[int] = []
    others: list[list[int | None]] = [[], [], []]
    for layer in range(1, depth + 1):
        mine = [i for i, leaf in enumerate(leaves) if leaf.layer == layer]
        W = [i for i in mine if leaves[i].role != "b" and leaves[i].dense]
        rest = [
            [i for i in mine if leaves[i].role == role and leaves[i].dense == dense]
            for role, dense in (("b", True), ("W", False), ("b", False))
        ]
        if len(W) != 1 or any(len(found) > 1 for found in rest) or len(leaves[W[0]].shape) > 2:
            return None
        weights.append(W[0])
        for kept, found in zip(others, rest, strict=True):
            kept.append(found[0] if found else None)
    biases, scales, shifts = map(tuple, others)
    return (tuple(weights), biases, scales, shifts) if weights else None


def _chain(shapes: Sequence[tuple[int, ...]], outward: bool, fold: bool) -> tuple[int, ...] | None:
    """The widths of the layers, if each W takes what the one below gives."""
    sizes: list[int] = []
    for shape in shapes:
        inside, outside = (shape[0], 1) if len(shape) == 1 else shape[::-1] if outward else shape
        inside -= fold
        if inside < 1 or (sizes and sizes[-1] != inside):
            return None
        sizes = [*(sizes or [inside]), outside]
    return tuple(sizes) if sizes else None
