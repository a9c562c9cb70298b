"""How update equations look: numbers before vectors, memory before news, in text and in LaTeX."""

from __future__ import annotations

from sympy import Expr, Integer, Rational, Symbol

from theory.language.formulas import describe

__all__ = ["HAT", "is_vector", "rank_term", "write_formula", "write_letter"]

HAT = "\N{COMBINING CIRCUMFLEX ACCENT}"
GREEK = {"θ": r"\theta", "η": r"\eta", "μ": r"\mu", "ρ": r"\rho", "β": r"\beta", "ε": r"\epsilon", "λ": r"\lambda"}
TIMES = {False: "*", True: r"\,"}
SUM, PRODUCT, ATOM = range(3)


def is_vector(symbol: Expr) -> bool:
    """Is this a letter with a step index, one value for each parameter?  (Others are single numbers.)

    >>> is_vector(Symbol("g_t")), is_vector(Symbol("η"))
    (True, False)
    """
    return isinstance(symbol, Symbol) and "_" in symbol.name


def write_letter(symbol: Symbol, latex: bool = False) -> str:
    r"""A letter with its index.

    >>> write_letter(Symbol("v_(t-1)"), latex=True), write_letter(Symbol("β1"), latex=True)
    ('v_{t-1}', '\\beta_{1}')
    """
    name = str(symbol.name)
    if not latex:
        return name
    letter, _, index = name.partition("_")
    base, number = letter.rstrip("0123456789"), letter.lstrip("".join(GREEK))
    bare = base.removesuffix(HAT)
    shown = GREEK.get(bare, bare)
    shown = shown if bare == base else rf"\hat{{{shown}}}"
    subscript = index.strip("()") or (number if number.isdigit() else "")
    return f"{shown}_{{{subscript}}}" if subscript else shown


def write_formula(expression: Expr, latex: bool = False, tightness: int = SUM) -> str:
    r"""A formula of sums, products, quotients, powers and square roots.

    >>> m, g, b = Symbol("m_(t-1)"), Symbol("g_t"), Symbol("β1")
    >>> write_formula(g * (1 - b) + b * m)
    'β1*m_(t-1) + (1 - β1)*g_t'
    >>> write_formula(g / (Symbol("ε") + m ** Rational(1, 2)), latex=True)
    '\\frac{g_{t}}{\\sqrt{m_{t-1}} + \\epsilon}'
    """
    text, level = _write(expression, latex)
    if level >= tightness:
        return text
    return rf"\left({text}\right)" if latex else f"({text})"


def _write(e: Expr, latex: bool) -> tuple[str, int]:
    if e.is_Symbol:
        return write_letter(e, latex), ATOM
    if e.is_Add:
        return _write_sum(e, latex), SUM
    if e.is_Mul or (e.is_Pow and e.exp.is_negative):
        return _write_product(e, latex)
    if e.is_Pow:
        return _write_power(e, latex), ATOM
    return describe(e), ATOM


def _write_sum(e: Expr, latex: bool) -> str:
    text = ""
    for term in sorted(e.args, key=rank_term):
        minus = term.as_coeff_Mul()[0].is_negative
        body = write_formula(-term if minus else term, latex, PRODUCT if minus else SUM)
        text += (" - " if minus else " + ") + body if text else ("-" if minus else "") + body
    return text


def _write_product(e: Expr, latex: bool) -> tuple[str, int]:
    factors = e.args if e.is_Mul else (e,)
    below = [1 / f for f in factors if f.is_Pow and f.exp.is_negative]
    above = sorted((f for f in factors if not (f.is_Pow and f.exp.is_negative)), key=_rank_factor) or [Integer(1)]
    top = TIMES[latex].join(write_formula(f, latex, PRODUCT) for f in above)
    if not below:
        return top, PRODUCT
    if latex:
        return rf"\frac{{{top}}}{{{TIMES[latex].join(write_formula(f, latex) for f in below)}}}", ATOM
    bottom = "*".join(write_formula(f, latex, PRODUCT) for f in below)
    return f"{top}/{bottom if len(below) == 1 else f'({bottom})'}", PRODUCT


def _write_power(e: Expr, latex: bool) -> str:
    if e.exp == Rational(1, 2):
        return rf"\sqrt{{{write_formula(e.base, latex)}}}" if latex else f"sqrt({write_formula(e.base)})"
    base = write_formula(e.base, latex, ATOM)
    return (
        f"{{{base}}}^{{{write_formula(e.exp, latex)}}}" if latex else f"{base}^{write_formula(e.exp, tightness=ATOM)}"
    )


def _letters(e: Expr) -> list[str]:
    return [s.name for s in e.free_symbols if is_vector(s)]


def rank_term(e: Expr) -> tuple[bool, bool, bool, str]:
    """1 - β, then memory, then news; the single number of a sum of vectors last."""
    return not e.is_number, not _letters(e), not any("(t-1)" in name for name in _letters(e)), str(e)


def _rank_factor(e: Expr) -> tuple[bool, bool, str]:
    return not e.is_number, bool(_letters(e)), str(e)
