"""Polynomials and waves beside networks with as many numbers; Hornik's mean square with a density, proved and checked.
`python examples/27_parallels_from_analysis.py`"""

import json
import os
from pathlib import Path

from backprop.approximation import approximate_in_mean
from backprop.approximation.checking import check_certificate
from backprop.approximation.ground.wording import describe_above
from backprop.approximation.survey import survey_series
from backprop.pictures.series.beside_networks import plot_beside_networks
from theory.chapters.approximation.universal_approximation import PARALLELS

QUICK = bool(os.environ.get("QUICK"))
claims = [claim for part in PARALLELS for claim in part.claims]
assert all(claim.holds() for claim in claims)
print(f"{len(claims)} claims about Bernstein's polynomials, waves and algebras of units, each shown by its judge")

targets, widths = (("kink",), (1, 2, 4)) if QUICK else (("kink", "wave"), (1, 2, 4, 8, 16, 32))
surveys = [survey_series(target, widths, widths[len(widths) // 2]) for target in targets]
for survey in surveys:
    print(f"\n{survey.target:<15}" + "".join(f"{count:>10}" for count in survey.counts) + "  numbers")
    for one in survey.series:
        print(f"{one.kind:<15}" + "".join(f"{error:>10.1e}" for error in one.errors))
print(plot_beside_networks("parallels.png", surveys))

print("\nthe root of ∫ p (F − f)² dx on [-3, 3], proved; a step too, which no network follows at every point")
print(f"{'F':<12}{'p':<16}{'units':<8}{'root at most':<14}{'E[(F − f)²] at most':<22}largest error on the grid")
for target, density in (("sin(3*x)", "exp(-x**2)"), ("sin(3*x)", "1"), ("x > 1/3", "exp(-x**2)")):
    found = approximate_in_mean(target, density, width=4, domain=(-3, 3))
    Path("mean.json").write_text(json.dumps(found.to_dict()))
    assert check_certificate("mean.json").ok
    assert found.bound is not None
    assert found.mean_square_bound is not None
    print(
        f"{target:<12}{density:<16}{found.approximation.width:<8}{describe_above(found.bound):<14}"
        f"{describe_above(found.mean_square_bound):<22}{found.approximation.sup_error:.2g}"
    )
print("each confirmed by the checker, which shares nothing with the prover")
