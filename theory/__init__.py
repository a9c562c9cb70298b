"""The book: backpropagation derived in small named steps, every step re-checked.

Begin with `theory.chapters.networks.four_equations`."""

import sys

from theory.signpost import stand_at

if sys.argv[:1] == ["-m"]:
    stand_at("theory")
