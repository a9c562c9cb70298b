"""One step after the other at a terminal, in answer to what is typed; or the whole at once."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence

from backprop.errors import unknown_name
from backprop.stories.numbers import ACTIVATION, COST, list_given
from backprop.stories.rules import RULE_STORIES, RuleStory
from backprop.stories.story import Story, StoryStep, tell, tell_chapter
from theory.chapters.book import CHAPTERS
from theory.chapters.networks.four_equations import TITLES, derive_matrix_form
from theory.language.printing import show
from theory.notations.choices import LECTURE, NotationChoice
from theory.notations.rewriting import with_notes

__all__ = ["HELP", "Teller", "choose", "describe_rule", "tell_all"]

HELP = "Enter: next step   b: back   why   numbers   shapes   all: the rest at once   q: leave"
WIDTH = 100
INDENT = "      "
WORDS = {
    "": "next", "n": "next", "next": "next", "b": "back", "back": "back", "w": "why", "why": "why", "shapes": "shapes",
    "numbers": "numbers", "s": "shapes", "a": "all", "all": "all", "q": "quit", "quit": "quit", "exit": "quit",
    "h": "help", "?": "help", "help": "help",
}  # fmt: skip


def choose(topic: str, notation: NotationChoice = LECTURE) -> list[Story | str] | RuleStory:
    """What a topic means: a chapter, an equation (BP2), or a rule, said as a notation says it.  Errors: UsageError with
    the choices.

    >>> [story.derivation.label for story in choose("BP2")]
    ['BP2', 'BP2']
    >>> choose("collapse").name
    'collapse'
    """
    if topic in CHAPTERS:
        return list(tell_chapter(CHAPTERS[topic], notation))
    if topic.upper() in TITLES:
        equations = (derive_matrix_form(topic.upper(), batch) for batch in (False, True))
        return [tell(with_notes(equation, notation), notation) for equation in equations]
    if topic in RULE_STORIES:
        return RULE_STORIES[topic]
    raise unknown_name("topic", topic, [*CHAPTERS, *TITLES, *RULE_STORIES])


def describe_rule(rule: RuleStory) -> str:
    """Its law, why it holds, the example."""
    head = f"{rule.name}" + (f": {rule.law}" if rule.law else "")
    parts = [*textwrap.wrap(head, WIDTH - 6), "", *textwrap.wrap(rule.why, WIDTH - 6)]
    example = ["", "For example", *textwrap.indent(rule.example, "  ").splitlines()] if rule.example else []
    return textwrap.indent("\n".join(parts + example), INDENT)


def describe_step(story: Story, step: StoryStep) -> str:
    """The line with its rule, and how far the story is."""
    last = len(story.steps) - 1
    head = f"  {show(step.after)}" if step.before is None else f"    = {show(step.after)}"
    note = f": {step.note}" if step.note else ""
    rule = (
        f"asked for; {last} steps" if step.before is None else f"step {step.number} of {last}, {step.rule.name}{note}"
    )
    return f"{head}\n{INDENT}[{rule}]"


def describe_numbers(story: Story, step: StoryStep) -> str:
    """The line in the small network."""
    text = step.numbers("text")
    if not text:
        return f"{INDENT}no numbers: this line is about means over random weights, which one network does not have"
    where = f" at {step.places()}" if step.places() else ""
    return f"{INDENT}in the network {story.sizes}{where}: {text}"


def describe_shapes(story: Story, step: StoryStep) -> str:
    """The arrays of the line."""
    rows = [f"{INDENT}{name}: {wide}, here {here}" for name, wide, here in step.shapes()]
    return "\n".join(rows) or f"{INDENT}no array in this line"


def describe_example(story: Story) -> str:
    """What the small network is."""
    if not story.sizes:
        return ""
    given = ", ".join(f"{name} = {value}" for name, value in list_given(story.steps[0].notation))
    text = f"Numbers come from a network {story.sizes}, {ACTIVATION}, {COST} where the cost is not stated: {given}."
    return textwrap.fill(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)


def tell_all(parts: Sequence[Story | str]) -> Iterator[str]:
    """Every step with why, numbers and shapes, for a pipe; a rule is explained where it is first used."""
    known: set[str] = set()
    for part in parts:
        if isinstance(part, str):
            yield from (textwrap.fill(line, WIDTH) for line in part.splitlines())
            yield ""
            continue
        yield from (part.heading, "", *filter(None, [describe_example(part)]))
        for step in part.steps:
            yield describe_step(part, step)
            if step.before is not None and step.rule.name not in known:
                known.add(step.rule.name)
                yield describe_rule(step.rule)
            yield describe_numbers(part, step)
        yield ""


class Teller:
    """Tells the stories of a topic, one step at a time: `answer` takes what was typed and returns what is said."""

    def __init__(self, parts: Sequence[Story | str]) -> None:
        self.parts, self.part, self.step, self.over = list(parts), -1, 0, False

    @property
    def story(self) -> Story | None:
        """The derivation that is being told."""
        now = self.parts[self.part] if 0 <= self.part < len(self.parts) else None
        return now if isinstance(now, Story) else None

    def answer(self, typed: str) -> str:
        """What is said to a word; `over` is true after the last step and after q."""
        word = WORDS.get(typed.strip().lower())
        if word is None:
            return f"{INDENT}{typed.strip()!r} is none of: {HELP}"
        actions: dict[str, Callable[[], str]] = {
            "next": self.go_on, "back": self.go_back, "all": self.tell_rest, "quit": self.leave, "help": lambda: HELP,
            "why": lambda: self.describe(lambda story, step: describe_rule(step.rule)),
            "numbers": lambda: self.describe(describe_numbers), "shapes": lambda: self.describe(describe_shapes),
        }  # fmt: skip
        return actions[word]()

    def describe(self, what: Callable[[Story, StoryStep], str]) -> str:
        """Something about the step that was told last."""
        return what(self.story, self.story.steps[self.step]) if self.story else f"{INDENT}Enter begins the derivation"

    def go_on(self) -> str:
        """The next step, the next derivation, or the end."""
        if self.story and self.step + 1 < len(self.story.steps):
            self.step += 1
            return describe_step(self.story, self.story.steps[self.step])
        if self.part + 1 >= len(self.parts):
            self.over = True
            return "That is all."
        self.part, self.step = self.part + 1, 0
        return self.tell_place()

    def tell_place(self) -> str:
        """A paragraph, or heading and first line of a derivation."""
        now = self.parts[self.part]
        if isinstance(now, str):
            return "\n".join(textwrap.fill(line, WIDTH) for line in now.splitlines())
        return "\n".join(filter(None, [now.heading, describe_example(now), describe_step(now, now.steps[self.step])]))

    def go_back(self) -> str:
        """The step before, the last one of what came before."""
        if self.story and self.step:
            self.step -= 1
            return describe_step(self.story, self.story.steps[self.step])
        if self.part <= 0:
            return f"{INDENT}this is the beginning"
        self.part -= 1
        self.step = len(self.story.steps) - 1 if self.story else 0
        return self.tell_place()

    def tell_rest(self) -> str:
        """All that is left."""
        said = []
        while not self.over:
            said.append(self.go_on())
        return "\n".join(said)

    def leave(self) -> str:
        """The end."""
        self.over = True
        return ""

    def listen(self, lines: Iterable[str], say: Callable[[str], None]) -> None:
        """Answer lines until the end or until there are no more."""
        say(HELP)
        say(self.go_on())
        for line in lines:
            said = self.answer(line)
            if said:
                say(said)
            if self.over:
                return
