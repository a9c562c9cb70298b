"""Helpers of accurate forms: the type of the result, and functions tabulated as polynomial pieces."""

from __future__ import annotations

import functools
import zlib

from theory.functions.accurate_forms import PowerFactor
from theory.functions.decays import Decay
from theory.functions.polynomial_pieces import PolynomialPieces, tabulate

__all__ = ["AS_DOUBLE", "name_table", "write_table"]

AS_DOUBLE = '''\
def as_double(z):
    """z in double precision, and the type of the result; there is no accurate form for complex numbers"""
    z = np.asarray(z)
    if z.dtype.kind == "c":
        raise TypeError("accurate forms are for real numbers; for a complex step use the fast ones")
    if z.dtype.kind == "O":
        return z, z.dtype
    return z.astype(np.float64), z.dtype if z.dtype.kind == "f" else np.dtype(np.float64)
'''

PIECEWISE = '''\
def evaluate_pieces(edges, centres, table, low, p):
    """Sum of table[k, i] * y**k on the piece i that holds p, y = p - centres[i]; c_0 is table[0] + low"""
    i = np.minimum(np.searchsorted(edges, p, side="right"), len(centres)) - 1
    y = p - centres[i]
    total = table[-1][i]
    for row in table[-2:0:-1]:
        total = total * y + row[i]
    return table[0][i] + (total * y + low[i])
'''


def name_table(factor: PowerFactor, decay: Decay) -> str:
    """A name that belongs to the content."""
    return f"tail_{zlib.crc32(repr((factor.expression, decay.exponent)).encode()) & 0xFFFF:04x}"


def write_table(name: str, factor: PowerFactor, decay: Decay, until: int) -> list[tuple[str, str]]:
    """The helpers that evaluate a tabulated factor."""
    pieces = make_pieces(factor, decay, until)
    bound = 1.1 * pieces.truncation  # printed with two digits, and not below what is proved
    rows = [
        ("EDGES", write_row(pieces.edges)),
        ("CENTRES", write_row(pieces.centres)),
        ("TABLE", "[\n" + "".join(f"    {write_row(row)},\n" for row in pieces.coefficients) + "]"),
        ("LOW", write_row(pieces.low)),
    ]
    constants = [(f"{name.upper()}_{key}", f"{name.upper()}_{key} = np.array({text})\n") for key, text in rows]
    arguments = ", ".join(f"{name.upper()}_{key}" for key, _ in rows)
    what = "g(p)" if factor.root is None else "N(p) / (p - r)"
    text = f'''\
def {name}(p):
    """{what}, from the tail of the error function, in pieces; relative truncation below {bound:.1e}"""
    return evaluate_pieces({arguments}, p)
'''
    return [("evaluate_pieces", PIECEWISE), *constants, (name, text)]


@functools.lru_cache(maxsize=16)
def make_pieces(factor: PowerFactor, decay: Decay, until: int) -> PolynomialPieces:
    """The pieces of a factor, made once."""
    return tabulate(factor.expression, decay, factor.root, until)


def write_row(numbers: tuple[float, ...]) -> str:
    """A list of floats that read back exactly, over several lines."""
    lines: list[str] = []
    line = "   "
    for number in numbers:
        word = f" {number!r},"
        if len(line) + len(word) > 110:
            lines.append(line)
            line = "   "
        line += word
    return "[\n" + "\n".join([*lines, line]) + "\n]"
