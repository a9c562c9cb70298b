"""Derivations for a page: each step with its rule, its formula, and what unfolds under it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from backprop.reporting.pages.mathematics import set_change, set_expression, set_row
from backprop.reporting.pages.template import fill
from backprop.stories.numbers import ACTIVATION, COST, list_given
from backprop.stories.story import Story, StoryStep

__all__ = ["write_example", "write_story"]


@dataclass(frozen=True)
class ShownStep:
    """One line, ready for the template."""

    number: int
    rule: str
    law: str
    why: str
    example: str
    note: str
    formula: Markup
    before: Markup
    numbers: Markup
    places: str
    shapes: list[tuple[str, str, str]]


@dataclass(frozen=True)
class ShownStory:
    """A derivation, ready for the template."""

    id: str
    heading: str
    steps: list[ShownStep]


def show_step(step: StoryStep) -> ShownStep:
    """Formulas as MathML."""
    rule = step.rule
    if step.before is None:
        formula, before = set_expression(step.after), Markup("")
    else:
        formula, before = set_change(step.before, step.after), set_expression(step.before)
    numbers = step.numbers("mathml")
    shown = set_row(numbers) if numbers else Markup("")
    return ShownStep(
        step.number, rule.name, rule.law, rule.why, rule.example, step.note, formula, before, shown, step.places(),
        step.shapes(),
    )  # fmt: skip


def write_story(story: Story, *, opened: bool = False, name: str = "") -> Markup:
    """One derivation to unfold; its anchor is `name`, or made of its label."""
    anchor = name or make_anchor(story.derivation.label)
    shown = ShownStory(anchor, story.heading, [show_step(step) for step in story.steps])
    return fill("story", shown, opened)


def make_anchor(text: str) -> str:
    """Letters and digits only.

    >>> make_anchor("∂C/∂a"), make_anchor("BP2")
    ('C-a', 'BP2')
    """
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def write_example(story: Story) -> Markup:
    """What the small network is that the numbers come from."""
    given = ", ".join(f"{name} = {value}" for name, value in list_given())
    told: dict[str, Any] = {"sizes": story.sizes, "given": given}
    told["functions"] = f"{ACTIVATION} in every layer, cost {COST} where none is stated"
    return fill("example", told)
