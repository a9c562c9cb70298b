"""`python -m backprop` = `backprop`; an interruption is quiet from the first import on."""

from __future__ import annotations

import sys

__all__ = ["run"]

INTERRUPTED = 130


def run() -> int:
    """The command line."""
    try:
        from backprop.cli import main

        return main()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED


if __name__ == "__main__":
    raise SystemExit(run())
