"""Every command's help has an example that its own parser takes, derive lists its topics, the shell completes."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest
import typer
from kit.house import ROOT

from backprop.door.cli import app
from theory.chapters.book import CHAPTERS

GROUP = typer.main.get_command(app)
COMMANDS = sorted(GROUP.commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example_that_can_be_typed(name):
    told = GROUP.commands[name].help or ""
    examples = re.findall(rf"^(?:Example: )?backprop ({name} [^\n]*)", told, re.MULTILINE)
    assert examples, told
    for example in examples:
        words = shlex.split(example.split(" > ")[0].split(" | ")[0])
        GROUP.commands[name].make_context(name, words[1:], resilient_parsing=False)


def test_derive_lists_every_topic_of_the_book():
    told = " ".join((GROUP.commands["derive"].help or "").split())
    assert f"Topics: {', '.join(CHAPTERS)}." in told


def complete(line: str) -> list[str]:
    """What the shell is offered for a line that was begun."""
    words = line.split(" ")
    asked = {"_BACKPROP_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    command = [sys.executable, "-m", "backprop"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **asked}, check=False)
    return result.stdout.split()


def test_the_shell_completes_commands_options_and_topics():
    assert complete("backprop ver") == ["verify"]
    assert "--feedback" in complete("backprop verify --f")
    assert complete("backprop derive four") == ["four_equations"]
