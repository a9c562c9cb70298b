"""load: the text of a module becomes a module; tracebacks and `inspect` show its lines."""

from __future__ import annotations

import linecache
import zlib
from types import ModuleType
from typing import Any

__all__ = ["load", "load_functions"]


def load(source: str, name: str = "network") -> ModuleType:
    """Run generated source as a module of its own; nothing is written to disk or to `sys.modules`.

    >>> module = load('def double(x):\\n    return 2 * x\\n')
    >>> module.double(4)
    8
    >>> import inspect
    >>> print(inspect.getsource(module.double), end="")
    def double(x):
        return 2 * x
    """
    filename = f"<generated {name} {len(source)}-{zlib.crc32(source.encode()):08x}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    module = ModuleType(name)
    module.__file__ = filename
    exec(compile(source, filename, "exec"), module.__dict__)
    return module


def load_functions(source: str, name: str) -> dict[str, Any]:
    """Run functions that know NumPy as `np`, and return the names they define.

    >>> load_functions("def root(x):\\n    return np.sqrt(x)\\n", "example")["root"](4.0)
    np.float64(2.0)
    """
    return vars(load(f"import numpy as np\n\n\n{source}", name))
