"""PReLU: what f lets through passes as it is, the rest with a learned slope.

With f = max(0, x) this is x for x > 0 and α x for x <= 0.  Stated with an arbitrary f, so that the derivation does
not depend on where the kink is.

>>> from theory.language.printing import show
>>> for definition in prelu().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
F2 h_sj^l := α_j^l (x_sj^l - f_l(x_sj^l)) + f_l(x_sj^l)
"""

from __future__ import annotations

from theory.language.notation import Function, l, sample, unit, var
from theory.language.statement import Definition, System
from theory.layers.kind import Kind

__all__ = ["PRELU", "prelu"]


def prelu() -> System:
    """One slope for each unit: alpha is (M_l,).  Source: LECTURE item 6; He et al. 2015, equation 1."""
    s, j = sample(), unit("j", l)
    x, h, alpha = var("x", l, s, j), var("h", l, s, j), var("alpha", l, j)
    passed = Function(l, 0, x)
    definition = Definition("F2", h, passed + alpha * (x - passed))
    return System((definition,), last=l, cuts=(), adjoints=(), output="h", inputs=(x,), parameters=(alpha,))


PRELU = Kind("PReLU", prelu, prelu, "a", "a", owner="Slope", starts={"slope": "initial"}, function="relu")
