"""Where a run breaks: the expression that raised, or the first value that is NaN or infinite, and what went into it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Any

import numpy as np

from backprop.examiner.measuring.cases import Case, draw_case
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.reading.running.bench import Bench
from backprop.reading.running.recorder import Event
from backprop.reading.source import Source, Spot

__all__ = ["Break", "find_break", "place_of_error"]

PLANS: Sequence[dict[str, Any]] = ({"jitter": False}, {"jitter": True}, {"jitter": True, "rows": 5})
MOST_OPERANDS = 4


@dataclass(frozen=True, eq=False)
class Break:
    """Where it began, what is said of it, the case, and whether the cost itself is broken."""

    spot: Spot
    said: str
    case: Case | None = None
    in_cost: bool = True


def find_break(bench: Bench) -> Break | None:
    """The first break in the cost, else in the gradients, at points as the judge draws them; None if all is well."""
    for seed, plan in enumerate(PLANS):
        if "rows" in plan and not bench.subject.takes_rows:
            continue
        try:
            case = draw_case(bench.subject, seed, **plan)
        except Unusable as error:
            return place_of_error(bench.source, error)
        for in_cost in (True, False):
            found = _look(bench, case, in_cost=in_cost)
            if found is not None:
                return found
    return None


def _look(bench: Bench, case: Case, *, in_cost: bool) -> Break | None:
    events: list[Event] = []
    bench.recorder.restart()
    bench.recorder.log = events
    try:
        made = [case.cost(case.values)] if in_cost else case.gradients(case.values)
    except Unusable as error:
        place = place_of_error(bench.source, error)
        if place is None:
            return None
        said = "; ".join((place.said, *_describe_operands(bench, events, place.spot)))
        return Break(place.spot, said, case, in_cost)
    finally:
        bench.recorder.log = None
    if all(g is None or np.isfinite(g).all() for g in made):
        return None
    event = _find_origin(bench, events)
    return None if event is None else Break(*_describe_value(bench, events, event), case, in_cost)


def place_of_error(source: Source, error: BaseException) -> Break | None:
    """Where in the source an error came from; None where none of its lines took part.

    >>> from pathlib import Path
    >>> source = Source(Path("f.py"), "1 / 0")
    >>> try:
    ...     exec(compile(source.text, "f.py", "exec"))
    ... except ZeroDivisionError as error:
    ...     place_of_error(source, error).said
    'raised here: ZeroDivisionError: division by zero'
    """
    cause = error.__cause__ if isinstance(error, Unusable) and error.__cause__ is not None else error
    said = f"raised here: {type(cause).__name__}: {' '.join(str(cause).split())}"
    if isinstance(cause, SyntaxError) and cause.lineno:
        end = cause.end_lineno or cause.lineno, max((cause.end_offset or 0) - 1, cause.offset or 1)
        return Break(Spot(cause.lineno, max((cause.offset or 1) - 1, 0), *end), said)
    spots = [spot for spot in _frames(source, cause.__traceback__) if spot is not None]
    return Break(spots[-1], said) if spots else None


def _frames(source: Source, traceback: TracebackType | None) -> Iterator[Spot | None]:
    """The pieces of the source that were being run, the innermost last."""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename in (str(source.path), str(source.path.resolve())):
            place = next(islice(code.co_positions(), traceback.tb_lasti // 2, None), None)
            yield None if place is None else _piece_at(source, *place)
        traceback = traceback.tb_next


def _piece_at(source: Source, *place: int | None) -> Spot | None:
    """The expression that stands exactly there, else the statement of the line."""
    line, end_line, column, end_column = place
    for node in ast.walk(source.tree):
        if isinstance(node, ast.expr):
            mine = node.lineno, node.end_lineno, node.col_offset, node.end_col_offset
            if mine == (line, end_line, column, end_column):
                return source.spot(node)
    statements = [n for n in ast.walk(source.tree) if isinstance(n, ast.stmt) and n.lineno == line]
    return source.spot(statements[0]) if statements else None


def _operands(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Call):
        owner = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        return [*owner, *node.args]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    return [node.value] if isinstance(node, ast.Subscript) else []


def _values_of(bench: Bench, events: Sequence[Event], node: ast.AST) -> Iterator[tuple[str, Any]]:
    """Texts and last values of the operands of a node."""
    last = {bench.instrumented.sites[event.key[0]]: event.value for event in events}
    for operand in _operands(node)[:MOST_OPERANDS]:
        if operand in last:
            yield bench.source.segment(operand), last[operand]


def _describe_operands(bench: Bench, events: Sequence[Event], spot: Spot) -> Iterator[str]:
    nodes = [n for n in ast.walk(bench.source.tree) if isinstance(n, ast.expr) and bench.source.spot(n) == spot]
    for text, value in _values_of(bench, events, nodes[0]) if nodes else ():
        yield f"{text} has shape {value.shape}"


def _find_origin(bench: Bench, events: Sequence[Event]) -> Event | None:
    """From the last value that is not finite back to the one that was made of finite ones.

    So an infinity that does no harm, the exp(-z) in a sigmoid, a mask of -inf, is passed by.
    """
    sites = bench.instrumented.sites
    wrong = [k for k, e in enumerate(events) if e.value.dtype.kind == "f" and not np.isfinite(e.value).all()]
    if not wrong:
        return None
    at = wrong[-1]
    while True:
        inside = set(ast.walk(sites[events[at].key[0]])) - {sites[events[at].key[0]]}
        earlier = [k for k in wrong if k < at]
        inner = [k for k in earlier if sites[events[k].key[0]] in inside and _is_last(events, k, at)]
        same = [k for k in earlier if _operands(sites[events[k].key[0]]) and _equal(events[k], events[at])]
        if not inner and not same:
            return events[at]
        at = inner[-1] if inner else same[0]


def _is_last(events: Sequence[Event], k: int, before: int) -> bool:
    return not any(event.key[0] == events[k].key[0] for event in events[k + 1 : before])


def _equal(one: Event, other: Event) -> bool:
    return one.value.shape == other.value.shape and one.value.tobytes() == other.value.tobytes()


def _describe_value(bench: Bench, events: Sequence[Event], event: Event) -> tuple[Spot, str]:
    node = bench.instrumented.sites[event.key[0]]
    wrong = np.argwhere(~np.isfinite(event.value))
    where = f" at [{', '.join(map(str, wrong[0]))}]" if event.value.ndim else ""
    kind = "NaN" if np.isnan(event.value[tuple(wrong[0])]) else "infinite"
    before = events[: next(k for k, one in enumerate(events) if one is event)]
    ranges = [
        f"{text} is {value.min():.6g}" if value.min() == value.max() else
        f"{text} goes from {value.min():.6g} to {value.max():.6g}"
        for text, value in _values_of(bench, before, node)
        if value.size
    ]  # fmt: skip
    return bench.source.spot(node), "; ".join((f"here a value becomes {kind}{where}", *ranges))
