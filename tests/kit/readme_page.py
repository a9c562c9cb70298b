"""Fill README and pages from real runs: every console block is executed, the tables come from the code.

`python tests/kit/readme_page.py [FILE …]` rewrites them; the tests compare.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from backprop.reporting.assurance import LEVELS, NOT_SHOWN

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs" / "pages").glob("*.md"))
BLOCK = re.compile(r"```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)```", re.DOTALL)
TABLE = re.compile(r"<!-- assurance -->.*?(?=\n## )", re.DOTALL)
MISSING = re.compile(r"<!-- not shown -->.*", re.DOTALL)


def run(command: str) -> str:
    """What a command of the README prints to standard output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "120"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command = (
        command.replace("backprop ", f"{sys.executable} -m backprop ", 1) if command.startswith("backprop") else command
    )
    result = subprocess.run(
        command, shell=True, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    return result.stdout.rstrip("\n") + "\n"


def assurance() -> str:
    """The table of levels."""
    rows = "".join(f"| **{level.word}** | {level.means} | {level.how} |\n" for level in LEVELS)
    return f"<!-- assurance -->\n| word | means | how |\n|---|---|---|\n{rows}"


def not_shown() -> str:
    """The list of what is not shown."""
    return "<!-- not shown -->\n" + "".join(f"- {text}\n" for text in NOT_SHOWN)


def render(text: str) -> str:
    """The page with fresh outputs."""
    text = BLOCK.sub(lambda m: f"```console\n$ {m['command']}\n{run(m['command'])}```", text)
    text = TABLE.sub(lambda _: assurance(), text)
    return MISSING.sub(lambda _: not_shown(), text)


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:] or [README, *PAGES]):
        page.write_text(render(page.read_text(encoding="utf-8")), encoding="utf-8")
