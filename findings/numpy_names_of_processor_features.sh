#!/usr/bin/env bash
# NumPy 2.4.6 beside 2.2.6, x86-64: the names by which NPY_DISABLE_CPU_FEATURES switches kernels off have changed.
#
# Up to 2.2 the kernels for AVX-512 go by the name AVX512_SKX, and a benchmark that wants the speed of a processor without
# them sets NPY_DISABLE_CPU_FEATURES="AVX512F AVX512_SKX ...".  In 2.4.6 the dispatched names are X86_V3, X86_V4, AVX512_ICL
# and AVX512_SPR: the old ones are refused by an ImportWarning, which Python does not show unless it is told to, and
# nothing is switched off.  On the machine where this was seen tanh of float64 took 1.6 ns an entry with the old names
# set and 10 ns with "X86_V4 AVX512_ICL AVX512_SPR".
#
# The script installs what it names into temporary folders, prints what it sees, and fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/ask.py" <<'PY'
import os
import sys
import warnings

os.environ["NPY_DISABLE_CPU_FEATURES"] = "AVX512_SKX"
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    import numpy
from numpy._core._multiarray_umath import __cpu_dispatch__

refused = [str(w.message) for w in said if issubclass(w.category, ImportWarning) and "AVX512_SKX" in str(w.message)]
not_dispatched = any("not part of the dispatched optimizations" in text for text in refused)
print("numpy", numpy.__version__, "dispatches", *__cpu_dispatch__)
print("  AVX512_SKX is", "refused as unknown" if not_dispatched else "a name that is known")
known, wanted = {"2.2.6": (True, False), "2.4.6": (False, True)}[numpy.__version__]
assert ("AVX512_SKX" in __cpu_dispatch__) is known
assert not_dispatched is wanted
assert ("X86_V4" in __cpu_dispatch__) is not known
assert any(line[0] == "ignore" and line[2] is ImportWarning for line in warnings.filters), "it would be shown"
PY
for version in 2.2.6 2.4.6; do
    python3 -m venv "$work/$version"
    "$work/$version/bin/python" -m pip install -q --disable-pip-version-check "numpy==$version"
    (cd "$work" && "$work/$version/bin/python" ask.py)
done
echo "as described"
