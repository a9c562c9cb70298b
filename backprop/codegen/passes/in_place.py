"""in_place: a recorded function becomes one that writes into a given array and needs a few work arrays.

    def f_into(z, out, work1, c1): …

`out` may be `z` itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from backprop.codegen.passes.record import Record
from backprop.codegen.passes.steps import Unsupported

__all__ = ["KEYWORD_OUT", "InPlace", "write_in_place"]

KEYWORD_OUT = frozenset({"maximum", "minimum"})  # these take no third positional argument
COMPARISONS = frozenset({"greater", "less", "greater_equal", "less_equal"})
ARGUMENT = -1


@dataclass(frozen=True)
class InPlace:
    """The text of a function, how many work arrays it takes, and the numbers it takes after them."""

    text: str
    work: int
    constants: tuple[str, ...]
    ufunc: str = ""


def write_in_place(name: str, record: Record) -> InPlace:
    """Give every step a place: over an operand that is read no more, else in a free work array.

    What was recorded with a second function has a second result, `slope`, which may not be z.

    >>> from backprop.codegen.passes.record import record
    >>> print(write_in_place("f_slope_into", record(lambda a: 1 - a**2)).text, end="")
    def f_slope_into(z, out, c1):
        square(z, out)
        subtract(c1, out, out)
    """
    return InPlaceWriter(record).write(name)


class InPlaceWriter:
    """Writes one function."""

    def __init__(self, record: Record) -> None:
        self.entries, self.result, self.second = record.entries, record.result, record.second
        self.used = self.find_used()
        self.last = {operand: k for k in self.used for operand in self.entries[k][1] if isinstance(operand, int)}
        self.last |= dict.fromkeys([self.result, *([self.second] if self.second >= 0 else [])], len(self.entries))
        self.places: dict[int, str] = {ARGUMENT: "z"}
        self.free: list[str] = []
        self.work = 0
        self.constants: list[str] = []
        self.lines: list[str] = []

    def find_used(self) -> list[int]:
        """The entries that the result depends on, in order."""
        used: set[int] = set()
        waiting = [self.result, self.second]
        while waiting:
            k = waiting.pop()
            if k != ARGUMENT and k not in used:
                used.add(k)
                waiting += [operand for operand in self.entries[k][1] if isinstance(operand, int)]
        return sorted(used)

    def write(self, name: str) -> InPlace:
        """All lines."""
        for k in self.used:
            self.write_step(k)
        for wanted, result in (("slope", self.second), ("out", self.result)):
            if result >= 0 and self.places[result] != wanted:
                self.lines.append(f"copyto({wanted}, {self.places[result]})")
        work = [f"work{k + 1}" for k in range(self.work)]
        numbers = [f"c{k + 1}" for k in range(len(self.constants))]
        outs = ["out", "slope"] if self.second >= 0 else ["out"]
        head = f"def {name}({', '.join(['z', *outs, *work, *numbers])}):"
        text = "\n".join([head, *(f"    {line}" for line in self.lines)]) + "\n"
        function, operands = self.entries[self.used[0]]
        plain = len(self.used) == 1 and operands == (ARGUMENT,) and function not in KEYWORD_OUT
        return InPlace(text, self.work, tuple(self.constants), function if plain else "")

    def write_step(self, k: int) -> None:
        """One line."""
        function, operands = self.entries[k]
        texts = [self.places[o] if isinstance(o, int) else self.constant(o) for o in operands]
        dying = [o for o in dict.fromkeys(operands) if isinstance(o, int) and self.last[o] == k]
        if function in COMPARISONS:
            self.places[k] = f"test{k}"
            self.lines.append(f"test{k} = {function}({', '.join(texts)})")
            self.release(dying, "")
            return
        target = self.choose(k, dying)
        self.release(dying, target)
        self.places[k] = target
        if function == "where":
            self.lines.append(f"copyto({target}, where({', '.join(texts)}))")
        elif function in ("sum_columns", "row_max"):
            raise Unsupported("a sum over rows inside a function of single numbers")
        else:
            keyword = "out=" if function in KEYWORD_OUT else ""
            function = "step" if function == "heaviside" else function
            self.lines.append(f"{function}({', '.join(texts)}, {keyword}{target})")

    def constant(self, text: str) -> str:
        """The argument that brings this number."""
        if text not in self.constants:
            self.constants.append(text)
        return f"c{self.constants.index(text) + 1}"

    def choose(self, k: int, dying: list[int]) -> str:
        """Over an operand that dies; in `out` as soon as z is read no more; else in a work array.

        `out` may be z, so nothing else is put there while z is needed.
        """
        if k == self.second != self.result:
            return "slope"
        z_is_over = self.last.get(ARGUMENT, -1) <= k
        if z_is_over and "out" not in self.taken(dying):
            return "out"
        for operand in dying:
            if self.places[operand] not in ("z", "slope") and not self.places[operand].startswith("test"):
                return self.places[operand]
        if self.free:
            return self.free.pop()
        self.work += 1
        return f"work{self.work}"

    def taken(self, dying: list[int]) -> set[str]:
        """The places of values that are still needed."""
        return {place for o, place in self.places.items() if o not in dying and self.last.get(o, -1) >= 0 and o >= 0}

    def release(self, dying: list[int], target: str) -> None:
        """Work arrays of values that are read no more are free again."""
        for operand in dying:
            place = self.places.pop(operand) if operand != ARGUMENT else ""
            if place.startswith("work") and place != target:
                self.free.append(place)
