"""A table from a text file: two columns of numbers, every defect said with its line."""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from backprop.approximation.ground.table import MOST_ROWS, TableTarget, build_table
from backprop.errors import UsageError

__all__ = ["ENDINGS", "is_table_file", "read_table_file"]

ENDINGS = (".csv", ".tsv", ".txt", ".dat")
"""What the name of a table ends in, so that no expression is taken for one."""
MOST_BYTES = 32 * 2**20
SHOWN = 30
"""Characters of a field in a message."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?")
_MISSING = ("", "na", "n/a", "null", "none", "-", "?")
_FORMULA = ("=", "@")


def is_table_file(target: object) -> bool:
    """Whether a target is meant as a file: a path, or text that ends as the name of a table does.

    >>> is_table_file("data.csv"), is_table_file("x*y"), is_table_file(Path("measured"))
    (True, False, True)
    """
    return isinstance(target, os.PathLike) or (isinstance(target, str) and target.strip().lower().endswith(ENDINGS))


def read_table_file(path: str | os.PathLike[str], domain: Sequence[float] | None = None) -> TableTarget:
    """Read two columns x and y, separated by a comma, a semicolon, a tab or spaces, in any order of rows.

    A first line without numbers is a heading; what follows # is a comment; empty lines are passed over. With a
    domain only the rows whose x lies in it are kept.

    Raises:
        UsageError: a file that cannot be read, or the first line that is no pair of finite numbers: the file, the
            line, what was found there.
    """
    name = ascii(os.fspath(path))
    lines = _read_text(path, name).split("\n")
    rows = list(_read_rows(lines, name))
    if not rows:
        raise UsageError(f"{name} has no rows of numbers; it needs two columns, x and y")
    numbers, x, y = zip(*rows, strict=True)
    text = Path(path).name
    return build_table(text, np.array(x), np.array(y), [f"line {number}" for number in numbers], domain)


def _read_text(path: str | os.PathLike[str], name: str) -> str:
    try:
        _check_file(os.stat(path), name)
        data = Path(path).read_bytes()
    except UsageError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {name}: {reason.lower()}; give an existing file with two columns") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"byte {data[error.start]:#04x} is no UTF-8 text; save the file as UTF-8"
        raise UsageError(f"{name}, line {line}: {what}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_file(state: os.stat_result, name: str) -> None:
    """Refuse what is no ordinary file of reasonable size, before it is opened."""
    if stat.S_ISDIR(state.st_mode):
        raise UsageError(f"{name} is a folder; give a file with two columns, x and y")
    if not stat.S_ISREG(state.st_mode):
        raise UsageError(f"{name} is no ordinary file; copy what it gives into one")
    if state.st_size > MOST_BYTES:
        size = f"{state.st_size / 2**20:,.0f} MB, at most {MOST_BYTES // 2**20}"
        raise UsageError(f"{name} is too large ({size}); thin it out to {MOST_ROWS:,} rows")


def _read_rows(lines: Sequence[str], name: str) -> Iterator[tuple[int, float, float]]:
    """Yield the number of the line, x and y."""
    count, heading_possible = 0, True
    for number, line in enumerate(lines, start=1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        where = f"{name}, line {number}"
        fields = _split_fields(content, where)
        if heading_possible and not any(_looks_like_value(field) for field in fields):
            heading_possible = False
            continue
        heading_possible = False
        count += 1
        if count > MOST_ROWS:
            raise UsageError(f"{name} has more than {MOST_ROWS:,} rows; thin it out")
        x, y = (_read_number(field, column, where) for field, column in zip(fields, "xy", strict=True))
        yield number, x, y


def _split_fields(content: str, where: str) -> list[str]:
    """Split a line at its separator: semicolons if there are any, else commas, else white space."""
    separator = next((mark for mark in ";," if mark in content), None)
    fields = [field.strip().strip('"').strip() for field in content.split(separator)]
    if len(fields) != 2:
        counted = "one column" if len(fields) == 1 else f"{len(fields)} columns"
        raise UsageError(f"{where}: {counted} in {_show(content)}; two are needed, x and y")
    return fields


def _looks_like_value(field: str) -> bool:
    """Whether a field stands for a value, were it a missing one, and is no word of a heading."""
    if field.lower() in _MISSING or field.startswith(_FORMULA) or _DECIMAL_COMMA.fullmatch(field):
        return True
    return _NUMBER.fullmatch(field) is not None or field.lower().lstrip("+-") in ("nan", "inf", "infinity")


def _read_number(field: str, column: str, where: str) -> float:
    if _NUMBER.fullmatch(field):
        value = float(field)
        if math.isfinite(value):
            return value
        raise UsageError(f"{where}: {column} is {_show(field)}, which is too large for a float")
    if field.lower() in _MISSING:
        raise UsageError(f"{where}: {column} is missing; leave the line out or give a number")
    if _DECIMAL_COMMA.fullmatch(field):
        raise UsageError(f"{where}: {column} is {_show(field)}; write numbers with a point, {field.replace(',', '.')}")
    if field.startswith(_FORMULA):
        raise UsageError(f"{where}: {column} is the formula {_show(field)}; save the values instead")
    raise UsageError(f"{where}: {column} is {_show(field)}, which is no finite number")


def _show(text: str) -> str:
    return ascii(text if len(text) <= SHOWN else text[: SHOWN - 3] + "...")
