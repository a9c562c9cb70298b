"""A derivation as a story: for every step what stood before and after, the rule, why, numbers and shapes.

>>> from theory.chapters.networks.four_equations import derive
>>> story = tell(derive()["BP3"])
>>> story.steps[1].rule.name, story.steps[1].numbers("text")
('chain over the cut', '(−0.02005) × 1 + 0.04233 × 0 = −0.02005')
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from sympy import Expr

from backprop.stories.numbers import Numbers
from backprop.stories.rules import RULE_STORIES, RuleStory
from theory.chapters.chapter import Chapter
from theory.language.alphabets import ALPHABETS
from theory.language.derivation import Derivation
from theory.language.matrices import MatrixEntry, shape
from theory.language.printing import show
from theory.notations.choices import LECTURE, NotationChoice
from theory.notations.rewriting import rewritten

__all__ = ["Story", "StoryStep", "tell", "tell_chapter"]

START = RuleStory("start", "This is what is asked for.", "")


@dataclass(frozen=True)
class StoryStep:
    """One line of a derivation; the first one (number 0) is the question."""

    number: int
    rule: RuleStory
    note: str
    before: Expr | None
    after: Expr
    example: Numbers | None
    notation: NotationChoice = LECTURE

    def numbers(self, style: str) -> str:
        """The line in the small network; "" where it has no value there."""
        return "" if self.example is None else self.example.spell(self.after, ALPHABETS[style])

    def places(self) -> str:
        """At which indices the numbers are taken: "j = 1, l = 1"."""
        found = {} if self.example is None else self.example.indices(self.after)
        return ", ".join(f"{name} = {value}" for name, value in found.items())

    def shapes(self) -> list[tuple[str, str, str]]:
        """(letter, shape, shape in the small network) of the arrays in the line, and of the whole where it is one."""
        if self.example is None:
            return []
        line = rewritten(self.after, self.notation)
        rows = self.example.shapes(line)
        if isinstance(self.after, MatrixEntry):
            sizes = shape(line.matrix)
            here = ", ".join(str(self.example.world.whole(size)) for size in sizes)
            rows.append((show(self.after.matrix), f"({', '.join(map(show, sizes))})", f"({here})"))
        return rows


@dataclass(frozen=True)
class Story:
    """A derivation with its steps."""

    derivation: Derivation
    steps: tuple[StoryStep, ...]
    sizes: str

    @property
    def heading(self) -> str:
        """Label and title."""
        return f"{self.derivation.label}: {self.derivation.title}"


@cache
def tell(derivation: Derivation, notation: NotationChoice = LECTURE) -> Story:
    """Put why, numbers and shapes beside the steps of a derivation; without numbers where nothing has a value."""
    example: Numbers | None = Numbers(derivation.system)
    try:
        assert example is not None
        example.value(derivation.subject)
    except TypeError:  # a mean over random weights has no value in one network
        example = None
    first = StoryStep(0, START, "", None, derivation.subject, example, notation)
    rest = (
        StoryStep(number, RULE_STORIES[step.rule], step.note, step.before, step.after, example, notation)
        for number, step in enumerate(derivation.steps, start=1)
    )
    return Story(derivation, (first, *rest), "" if example is None else example.sizes)


def tell_chapter(chapter: Chapter, notation: NotationChoice = LECTURE) -> Iterator[Story | str]:
    """The sections of a chapter in order: stories where it derives, its text where it states."""
    for section in chapter.told_in(notation):
        if isinstance(section, Derivation):
            yield tell(section, notation)
        else:
            yield section if isinstance(section, str) else f"{section.label}: {section.text}"
