"""`python -m backprop` = `backprop`; an interruption is quiet from the first import on."""

from __future__ import annotations

import sys

from backprop.errors import INTERRUPTED

__all__ = ["run"]


def run() -> int:
    """The command line."""
    try:
        from backprop.door.cli import main

        return main()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED


if __name__ == "__main__":
    raise SystemExit(run())
