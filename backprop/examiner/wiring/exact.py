"""The exact check: the wiring of a generated source, unchanged, over a prime field, for any functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from backprop.errors import UsageError
from backprop.examiner.subject.protocol.naming import name_leaves
from backprop.examiner.subject.protocol.nests import Nest, flatten, rebuild
from backprop.examiner.wiring.contraction import Bounds, dot
from backprop.examiner.wiring.field import Degree, Divisors, Draws, Objects, ScalarDual, pack
from backprop.examiner.wiring.result import ExactResult
from backprop.examiner.wiring.tables import RowTable, Table

__all__ = ["check_exact"]

SMALLEST_BATCH = 3
REDRAWS = 4
SOURCE_NAME = "<generated source under exact check>"


def check_exact(source: str, *, rows: int | None = None, seed: int = 0) -> ExactResult:
    """Check every index, transpose, sum, layer and factor of a generated module, for arbitrary functions.

    The source is executed unchanged. Every key of its `TABLE` is then bound to an arbitrary function over
    GF(p), p = 2^61 - 1: an independent random value for each distinct argument. Parameters, X, Y and the
    direction u are random too, and one identity is compared:

        ⟨gradients(params, X, Y), u⟩ = dC[u],   dC[u] from dual numbers run through `cost`.

    Both sides are rational functions of all those random values. If they differ as functions, their
    difference has a numerator of some degree d, which is zero at a random point with probability at most d/p
    (Schwartz and Zippel). Two different arguments of one table may meet by chance and then share a value;
    the probability of that is bounded by pairs × degree / p. d is not guessed: the same source is run once
    more on degree bounds.

    Parameters: `rows` is the batch size n (by default the smallest n >= 3 that is no layer's width, so that
    a mixed-up axis cannot hide), `seed` an integer. Raises UsageError if the source is no generated module.
    Never raises for a wrong source: `ok` is false, and `failed` names the parameters.

    >>> source = '''
    ... import numpy as np
    ... TARGETS, TABLE = "real", {}
    ... def parameters(rng): return [(rng.normal(size=(2, 2)), rng.normal(size=2))]
    ... def data(rng, n=3): return rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
    ... def cost(params, X, Y): return np.sum((X @ params[0][0] + params[0][1] - Y) ** 2) / 2
    ... def gradients(params, X, Y):
    ...     delta = X @ params[0][0] + params[0][1] - Y
    ...     return [(X.T @ delta, np.sum(delta, axis=0))]
    ... '''
    >>> check_exact(source).ok
    True
    >>> check_exact(source.replace("X.T @ delta", "(X.T @ delta).T")).failed
    ('W1',)
    """
    space = _load(source)
    for attempt in count():
        try:
            return _examine(space, rows, seed + attempt, seed)
        except ZeroDivisionError:
            # A random denominator was zero: as rare as a false pass. Once is chance, often is a fault.
            if attempt == REDRAWS:
                return ExactResult(False, reason="the source divides by zero for every draw", seed=seed)
    raise AssertionError("unreachable")


def _load(source: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "generated", "__file__": SOURCE_NAME}
    try:
        exec(compile(source, SOURCE_NAME, "exec"), space)  # generated code, never a student's
    except Exception as error:
        raise UsageError(f"the source for the exact check does not run: {_say(error)}") from error
    for name in ("parameters", "data", "cost", "gradients"):
        if not callable(space.get(name)):
            raise UsageError(f"the source for the exact check has no function {name!r}; pass a generated module")
    table = space.setdefault("TABLE", {})
    for key, value in table.items():
        if not callable(space.get(key)) or (value not in (None, "free") and not callable(space.get(value))):
            raise UsageError(f"TABLE names {key!r}: {value!r}, but the source defines no such functions")
    return space


def _say(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


@dataclass
class _Run:
    """One evaluation of both sides, in field elements or in degree bounds."""

    space: dict[str, Any]
    template: Nest
    names: list[str]
    values: list[Objects]
    directions: list[Objects]
    X: Objects
    Y: Objects
    zero: Any
    context: dict[str, Any] = field(default_factory=dict)

    def gradients(self) -> list[Objects]:
        params = rebuild(self.template, [v.copy() for v in self.values])
        return [np.asarray(g, dtype=object) for g in flatten(self._call("gradients", params))]

    def _call(self, name: str, params: Nest) -> Any:
        return self.space[name](params, self.X, self.Y, **self.context)

    def derivative(self, only: int | None = None) -> Any:
        """dC[u], with u restricted to one tensor if asked."""
        duals = []
        for i, (value, direction) in enumerate(zip(self.values, self.directions, strict=True)):
            moves = only is None or only == i
            pairs = zip(value.flat, direction.flat, strict=True)
            packed = pack([ScalarDual(v, u if moves else self.zero) for v, u in pairs], value.shape)
            duals.append(packed.view(type(value)))
        cost = self._call("cost", rebuild(self.template, duals))
        cost = cost.item() if isinstance(cost, np.ndarray) and cost.size == 1 else cost
        return cost.slope if type(cost) is ScalarDual else self.zero

    def project(self, gradients: list[Objects], only: int | None = None) -> Any:
        """⟨gradients, u⟩."""
        total = self.zero
        for i, (g, u) in enumerate(zip(gradients, self.directions, strict=True)):
            if only is None or only == i:
                total = total + np.sum(g * u)
        return total


def _examine(space: dict[str, Any], rows: int | None, seed: int, named_seed: int) -> ExactResult:
    rng = np.random.default_rng(0)
    template = space["parameters"](rng)
    shapes = [np.shape(leaf) for leaf in flatten(template)]
    names = [leaf.name for leaf in name_leaves(template)]
    n = rows or _choose_rows(shapes)
    X, Y = space["data"](rng, n)
    described = dict(zip(names, shapes, strict=True))

    def fail(reason: str, failed: tuple[str, ...] = ()) -> ExactResult:
        return ExactResult(False, n, described, failed, reason, seed=named_seed)

    draws = Draws(seed)
    tables = _bind(space, draws.scalar)
    targets = _draw_targets(np.shape(Y), space.get("TARGETS", "real"), draws)
    zero = draws.scalar() * 0
    values, directions = ([draws.array(s) for s in shapes] for _ in range(2))
    run = _Run(
        space,
        template,
        names,
        values,
        directions,
        draws.array(np.shape(X)),
        targets,
        zero,
        _draw_context(space, n, draws),
    )
    batch = run.X.copy(), run.Y.copy()
    try:
        gradients = run.gradients()
        bad = _misshapen(names, shapes, gradients)
        if bad:
            return fail("the gradient has another shape than its parameter", bad)
        if spoiled := [k for k, a, b in zip("XY", batch, (run.X, run.Y), strict=True) if (a != b).any()]:
            return fail(f"gradients writes into {' and '.join(spoiled)}")
        if run.project(gradients) != run.derivative():
            return fail(*_blame(run, gradients))
        known = [(t.arguments, t.name) for t in tables]
        degree, degrees = _count_degree(space, run, _bind)
    except ZeroDivisionError:
        raise
    except Exception as error:
        return fail(f"the source leaves the field: {_say(error)}")
    collisions = sum(k * (k - 1) // 2 * degrees[name] for k, name in known)
    return ExactResult(True, n, described, degree=degree, collisions=collisions, seed=named_seed)


def _choose_rows(shapes: list[tuple[int, ...]]) -> int:
    widths = {size for shape in shapes for size in shape}
    return next(n for n in count(SMALLEST_BATCH) if n not in widths)


def _bind(space: dict[str, Any], fresh: Callable[[], Any]) -> list[Table]:
    tables: list[Table] = []
    for name, derivative in space["TABLE"].items():
        free = derivative == "free"
        tables.append(RowTable(name, fresh) if free else Table(name, derivative, space, fresh))
    space.update({table.name: table for table in tables})
    return tables


def _draw_targets(shape: tuple[int, ...], kind: str, draws: Draws) -> Objects:
    Y = draws.array(shape)
    if kind == "distribution":
        Y[..., -1] = 1 - np.sum(Y[..., :-1], axis=-1)
    return Y


def _draw_context(space: dict[str, Any], n: int, draws: Draws) -> dict[str, Any]:
    """What comes in beside the batch: arbitrary arrays of the same shapes (any mask, any weights of samples)."""
    if not callable(space.get("context")):
        return {}
    made = space["context"](np.random.default_rng(0), n)
    return {key: draws.array(value.shape) if isinstance(value, np.ndarray) else value for key, value in made.items()}


def _misshapen(names: list[str], shapes: list[tuple[int, ...]], gradients: list[Objects]) -> tuple[str, ...]:
    if len(gradients) != len(shapes):
        return tuple(names)
    return tuple(n for n, s, g in zip(names, shapes, gradients, strict=True) if np.shape(g) != s)


def _blame(run: _Run, gradients: list[Objects]) -> tuple[str, tuple[str, ...]]:
    wrong = [name for i, name in enumerate(run.names) if run.project(gradients, only=i) != run.derivative(only=i)]
    return "<gradient, u> differs from dC[u] over the prime field", tuple(wrong)


def _count_degree(space: dict[str, Any], run: _Run, bind: Callable[..., list[Table]]) -> tuple[int, dict[str, int]]:
    """Run the same source on degree bounds: every random value is a variable of degree one."""
    pool = Divisors()

    def fresh() -> Degree:
        return Degree(1, 0, pool)

    def variables(like: Objects) -> Objects:
        return pack([fresh() for _ in range(like.size)], like.shape).view(Bounds)

    tables = bind(space, fresh)
    values, directions = ([variables(a) for a in group] for group in (run.values, run.directions))
    X, Y = variables(run.X), variables(run.Y)
    zero = Degree(0, 0, pool)
    context = {key: variables(v) if isinstance(v, np.ndarray) else v for key, v in run.context.items()}
    space.update({name: dot for name, value in space.items() if value is np.ndarray.dot})
    bounds = _Run(space, run.template, run.names, values, directions, X, Y, zero, context)
    identity = bounds.project(bounds.gradients()) - bounds.derivative()
    return identity.top + pool.weigh(identity.mask), {t.name: t.degree for t in tables}
