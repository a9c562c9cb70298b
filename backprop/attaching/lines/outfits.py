"""The live functions of a program with other code: of the same text with probes, or of a text with edits."""

from __future__ import annotations

import contextlib
import gc
import types
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from backprop.attaching.running.program import HookedProgram

__all__ = ["Outfit", "Wardrobe", "list_codes"]


@dataclass
class Outfit:
    """Code for some functions of a program, by the identity of their own, and for its iteration."""

    codes: dict[int, types.CodeType] = field(default_factory=dict)
    piece: types.CodeType | None = None

    def over(self, other: Outfit) -> Outfit:
        """This one, and the other where this one has nothing."""
        return Outfit({**other.codes, **self.codes}, self.piece or other.piece)


def list_codes(code: types.CodeType) -> list[types.CodeType]:
    """The code of everything that a piece of code defines itself."""
    return [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]


def pair(old: types.CodeType, new: types.CodeType) -> Iterator[tuple[types.CodeType, types.CodeType]]:
    """The same functions in two forms of a program."""
    yield old, new
    theirs: defaultdict[str, list[types.CodeType]] = defaultdict(list)
    for code in list_codes(new):
        theirs[code.co_name].append(code)
    for code in list_codes(old):
        if theirs[code.co_name]:
            yield from pair(code, theirs[code.co_name].pop(0))


class Wardrobe:
    """All functions of a program that are alive, and how they are dressed."""

    def __init__(self, program: HookedProgram) -> None:
        assert program.code is not None
        self.program, self.whole = program, program.code
        known = {id(code) for code, _ in pair(self.whole, self.whole)}
        self.functions: defaultdict[int, list[types.FunctionType]] = defaultdict(list)
        for thing in gc.get_objects():
            if type(thing) is types.FunctionType and id(thing.__code__) in known:
                self.functions[id(thing.__code__)].append(thing)

    def fit(self, old: types.CodeType, new: types.CodeType) -> Outfit | None:
        """The functions of one piece of code in the form of another; None where that cannot be put on."""
        out = Outfit()
        for mine, theirs in pair(old, new):
            if self.functions[id(mine)]:
                if mine.co_freevars != theirs.co_freevars:
                    return None
                out.codes[id(mine)] = theirs
        return out

    def dress(self, new: types.CodeType, piece: types.CodeType | None) -> Outfit:
        """The whole program in another form, as far as it can be put on."""
        out = Outfit(piece=piece)
        for mine, theirs in pair(self.whole, new):
            if mine.co_freevars == theirs.co_freevars:
                out.codes[id(mine)] = theirs
        return out

    @contextlib.contextmanager
    def wearing(self, outfit: Outfit) -> Iterator[None]:
        """The program in another form for a while."""
        changed = [(function, code) for key, code in outfit.codes.items() for function in self.functions[key]]
        before = [(function, function.__code__) for function, _ in changed]
        kept = self.program.piece
        try:
            for function, code in changed:
                function.__code__ = code
            self.program.piece = outfit.piece
            yield
        finally:
            for function, code in before:
                function.__code__ = code
            self.program.piece = kept
