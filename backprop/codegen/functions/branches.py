"""Joins the formulas of several stretches of the line to one line of NumPy code, quiet outside their stretches."""

from __future__ import annotations

import sympy
from sympy import Expr, Symbol

from backprop.codegen.functions.numpy_printer import PRODUCT, NumpyPrinter
from theory.functions.half_line import M, T, X
from theory.functions.stable_forms import StableForm

__all__ = ["write_branches", "write_constant_or"]

_Case = tuple[Expr, Expr]  # upper end of a stretch, and the formula there
_LONG = 32  # characters of a branch before it gets a line of its own
_S = Symbol("s", real=True)  # -|x|, or x where only x <= 0 matters


def write_branches(form: StableForm, values: list[Expr]) -> tuple[NumpyPrinter, list[str]]:
    """Print one function given branch by branch in x, T and M: the printer used, and the lines of the body."""
    cases = _merge_cases([(b.upper, value) for b, value in zip(form.branches, values, strict=True)])
    printer = NumpyPrinter({X: "z", T: "t", M: "m", _S: "s"})
    lines = _write_decay(form, cases, printer)
    cases = _clip_cases(cases, printer, lines)
    result = _join_with_extreme(cases, printer)
    if result is None:
        cases = _share_functions(cases, printer, lines)
        result = _join_cases(cases, printer, lines)
    result += "  # NaN stays NaN" if result.endswith(", z))") else ""
    return printer, [*printer.write_constants(), *lines, f"return {result}"]


def _merge_cases(cases: list[_Case]) -> list[_Case]:
    """Join neighbours with the same formula."""
    merged: list[_Case] = []
    for upper, value in cases:
        if merged and merged[-1][1] == value:
            merged.pop()
        merged.append((upper, value))
    return merged


def _write_decay(form: StableForm, cases: list[_Case], printer: NumpyPrinter) -> list[str]:
    """Return the lines that define t and m, as far as they are used."""
    used = [symbol for symbol in (T, M) if any(symbol in value.free_symbols for _, value in cases)]
    if not used or form.rate is None:
        return []
    only_left = all(upper.is_nonpositive for upper, value in cases if value.has(T, M))
    size, meaning = ("np.minimum(z, 0)", "z") if only_left else ("np.where(z > 0, -z, z)", "-|z|")
    lines = [f"s = {size}"] if len(used) > 1 else []
    exponent = printer.write((form.rate * _S).xreplace({_S: _S if lines else printer.name("size", size)}))
    lines += [f"{'t' if u == T else 'm'} = np.{'exp' if u == T else 'expm1'}({exponent})" for u in used]
    lines[0] += f"  # {'s' if len(used) > 1 else 'the exponent'} is {meaning} <= 0: nothing overflows"
    return lines


_HARMLESS = (sympy.tanh, sympy.erf, sympy.sin, sympy.cos, sympy.atan, sympy.Add, sympy.Mul)


def _is_harmless(node: Expr) -> bool:
    """Whether a formula may be evaluated outside its own stretch, where its value is thrown away."""
    if X not in node.free_symbols:
        return True
    is_power = node.is_Pow and node.exp.is_Integer and node.exp > 0
    return node == X or ((is_power or isinstance(node, _HARMLESS)) and all(map(_is_harmless, node.args)))


def _clip_cases(cases: list[_Case], printer: NumpyPrinter, lines: list[str]) -> list[_Case]:
    """Keep z inside a branch's stretch where the formula could divide by zero or overflow outside."""
    clipped, low = [], -sympy.oo
    for place, (upper, value) in enumerate(cases):
        if len(cases) > 1 and not _is_harmless(value):
            edges = [printer.write(edge) for edge in (low, upper) if edge.is_finite]
            function = "clip" if len(edges) > 1 else "minimum" if place == 0 else "maximum"
            name = {"minimum": "below", "maximum": "above"}.get(function, f"inside{place}")
            lines.append(f"{name} = np.{function}(z, {', '.join(edges)})")
            clipped.append((upper, value.xreplace({X: printer.name(name, name)})))
        else:
            clipped.append((upper, value))
        low = upper
    return clipped


def _share_functions(cases: list[_Case], printer: NumpyPrinter, lines: list[str]) -> list[_Case]:
    """Give a function value that occurs more than once a local name."""
    calls = {node for _, value in cases for node in value.atoms(sympy.Function)}
    shared = 0
    for call in sorted(calls, key=lambda u: (-u.count_ops(), str(u))):
        if sum(value.count(call) for _, value in cases) < 2 or not call.free_symbols:
            continue
        shared += 1
        lines.append(f"h{shared} = {printer.write(call)}")
        symbol = printer.name(f"h{shared}", f"h{shared}")
        cases = [(upper, value.xreplace({call: symbol})) for upper, value in cases]
    return cases


def _join_with_extreme(cases: list[_Case], printer: NumpyPrinter) -> str | None:
    """Return the text where the two cases differ by z alone: max(z, 0) + what they share."""
    if len(cases) != 2 or cases[0][0] != 0:
        return None
    (_, low), (_, high) = cases
    if high - low == X:
        return printer.write(printer.name("largest", "np.maximum(z, 0)") + low)
    return printer.write(printer.name("least", "np.minimum(z, 0)") + high) if low - high == X else None


def _join_cases(cases: list[_Case], printer: NumpyPrinter, lines: list[str]) -> str:
    """Return the text of a value given by cases, with what they share written once."""
    if len(cases) == 1:
        return write_constant_or(cases[0][1], printer)
    if len(cases) == 2:
        (at, low), (_, high) = cases
        (low_top, bottom), (high_top, other) = sympy.fraction(low), sympy.fraction(high)
        if bottom == other and bottom != 1:
            text = _choose([(at, low_top), (sympy.oo, high_top)], printer, lines)
            return printer.write(printer.name("case", text) / bottom)
    return _choose(cases, printer, lines)


def _choose(cases: list[_Case], printer: NumpyPrinter, lines: list[str]) -> str:
    """Return nested np.where, such that NaN ends up in a formula that contains z."""
    edges = [printer.write(upper) for upper, _ in cases[:-1]]
    names = ("left", "right") if len(cases) == 2 else tuple(f"case{k}" for k in range(1, len(cases) + 1))
    texts = [_name_if_long(printer.write(value), name, lines) for name, (_, value) in zip(names, cases, strict=True)]
    if len(cases) == 2 and cases[0][1].free_symbols:
        return f"np.where(z > {edges[0]}, {texts[1]}, {texts[0]})"
    result = texts[-1] if cases[-1][1].free_symbols else f"np.where(z > {edges[-1]}, {texts[-1]}, z)"
    for edge, text in zip(reversed(edges), reversed(texts[:-1]), strict=True):
        result = f"np.where(z <= {edge}, {text}, {result})"
    return result


def _name_if_long(text: str, name: str, lines: list[str]) -> str:
    if len(text) <= _LONG:
        return text
    lines.append(f"{name} = {text}")
    return name


def write_constant_or(value: Expr, printer: NumpyPrinter, argument: str = "z") -> str:
    """Return the text of a value; a constant is spread over the shape of the argument."""
    if value.free_symbols:
        return printer.write(value)
    if value in (0, 1):
        return f"np.{'ones' if value == 1 else 'zeros'}_like({argument})"
    return f"np.zeros_like({argument}) + {printer.write(value, PRODUCT)}"
