"""The judge's side: a subject in another process, called over two pipes; only numbers come back."""

from __future__ import annotations

import contextlib
import json
import random
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop.errors import UsageError
from backprop.examiner.apart.wire import LENGTH_BYTES, Reader, WireError, WireWriter, overwrite
from backprop.examiner.measuring.cases import RESEED, count_restarts
from backprop.examiner.saying.remarks import read_notes
from backprop.examiner.subject.protocol.nests import flatten
from backprop.examiner.subject.protocol.subjects import Subject, Unusable
from backprop.examiner.wiring.result import ExactResult
from backprop.processes import GRACE, Started, describe_end, start_python

__all__ = ["HOST", "RemoteSubject"]

HOST = "backprop.examiner.apart.host:main"
MARK_BYTES = 16
MOST_BYTES = 2**31
MOST_SHARED = 256
CHUNK = 2**20
MOST_AT_ONCE = 2**16
"""Numbers in one message for several calls: about what a pipe holds."""


class RemoteSubject(Subject):
    """A subject whose code runs in a process of its own, which knows nothing of the judge.

    The judge hands over parameters and data and gets numbers; frames, modules and memory of the judge are out of the
    subject's reach. Raises `Unusable` if the subject does not load, leaves, or answers what cannot be read.
    """

    has_command = True

    def __init__(
        self,
        target: str,
        *,
        seed: int,
        memory: int,
        text: str | None = None,
        loader: str,
        options: Mapping[str, Any] | None = None,
        process: Started | None = None,
    ) -> None:
        self.label = target
        self._mark = secrets.token_bytes(MARK_BYTES)
        self._reader = Reader()
        self._shared: dict[int, tuple[int, Any]] = {}
        self._next = 0
        self._oldest = 0
        self._restarts = count_restarts()
        self._process = process or start_python(HOST)
        request = {"target": target, "seed": seed, "memory": memory, "mark": self._mark.hex(), "text": text}
        request |= {"loader": loader, "options": dict(options or {})}
        self._send([json.dumps(request).encode() + b"\n"])

    def load(self) -> RemoteSubject:
        """Wait until the subject is loaded; its code is imported while the judge is."""
        hello = self._receive("while it was loaded")
        try:
            self.label, self.file = str(hello["label"]), hello["file"] and str(hello["file"])
            self.flat, self.takes_rows = bool(hello["flat"]), bool(hello["takes_rows"])
            self.notes, self._names = read_notes(hello["notes"]), set(hello["has"])
        except (KeyError, TypeError) as error:
            raise Unusable(f"{self.label}: its process did not say what it is") from error
        return self

    def has(self, name: str) -> bool:
        """Whether an optional function is there."""
        return name in self._names

    def call(self, name: str, *args: Any, **keywords: Any) -> Any:
        """Call one function there; what it draws and what it writes happens to the arguments here as well."""
        self.pace.check()
        answer = self._ask(name, args, keywords)
        if "value" not in answer:
            raise Unusable(f"{self.label}: {name} gave no answer")
        self._take_over(answer, args)
        return answer["value"]

    def call_each(self, name: str, calls: Sequence[Sequence[Any]], **keywords: Any) -> list[Any]:
        """The same in one message where it is a small one; of what is drawn or written there nothing comes back."""
        if sum(np.size(array) for args in calls for array in flatten(args[0])) > MOST_AT_ONCE:
            return super().call_each(name, calls, **keywords)
        self.pace.check()
        answers = self._ask(name, [list(args) for args in calls], keywords, each=True).get("value")
        if isinstance(answers, list) and len(answers) == len(calls):
            return answers
        raise Unusable(f"{self.label}: {name} gave no answer")

    def check_exact(self, source: str, seed: int) -> ExactResult:
        """Run the exact check of a source there; raises UsageError if it is no generated module."""
        found: Any = self._ask("check_exact", (source, seed), {}).get("value")
        try:
            if "refused" in found:
                raise UsageError(str(found["refused"]))
            shapes = {str(key): tuple(int(n) for n in shape) for key, shape in found["shapes"].items()}
            numbers = {name: int(found[name]) for name in ("rows", "degree", "collisions", "seed")}
            failed = tuple(str(name) for name in found["failed"])
            reason = str(found["reason"])
            return ExactResult(found["ok"] is True, shapes=shapes, failed=failed, reason=reason, **numbers)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError("its process gave no result") from error

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)

    def _ask(self, name: str, args: Any, keywords: dict[str, Any], *, each: bool = False) -> dict[str, Any]:
        restarts = count_restarts()
        restart = RESEED if restarts != self._restarts else None
        self._restarts = restarts
        if len(self._shared) > MOST_SHARED:
            self._shared.clear()
            self._oldest = self._next
        # Numbers are not used again: what is older than this may be forgotten there, whenever the message is read.
        request = {"call": name, "args": list(args), "keywords": keywords, "restart": restart, "each": each}
        request["oldest"] = self._oldest
        self._send(WireWriter(share=self._share).message(request))
        return self._receive(f"in {name}")

    def _take_over(self, answer: dict[str, Any], args: Any) -> None:
        try:
            drawn = [a for a in args if isinstance(a, np.random.Generator)]
            for mine, theirs in zip(drawn, answer.get("generators", ()), strict=False):
                mine.bit_generator.state = theirs.bit_generator.state
            if answer.get("changed") is not None:
                overwrite(list(args), answer["changed"])
        except (AttributeError, TypeError, ValueError, KeyError) as error:
            raise Unusable(f"{self.label}: what it made of its arguments cannot be read") from error
        if answer.get("drawn"):
            # What draws from the global generators there is seen to draw from them here.
            np.random.random(), random.random()

    def _share(self, array: Any) -> tuple[int, bool]:
        if id(array) in self._shared:
            return self._shared[id(array)][0], True
        number = self._next
        self._next += 1
        self._shared[id(array)] = (number, array)
        return number, False

    def _send(self, parts: Any) -> None:
        assert self._process.stdin is not None
        try:
            for part in parts:
                self._process.stdin.write(part)
            self._process.stdin.flush()
        except OSError as error:
            raise Unusable(f"{self.label}: {self._describe_end()}") from error

    def _receive(self, when: str) -> dict[str, Any]:
        self._find_mark(when)
        length = int.from_bytes(self._read(LENGTH_BYTES, when), "big")
        if length > MOST_BYTES:
            raise Unusable(f"{self.label}: it returned more than {MOST_BYTES >> 20} MiB {when}")
        try:
            answer = self._reader.message(self._read(length, when))
        except WireError as error:
            raise Unusable(f"{self.label}: what it returned {when} is not usable: {error}") from error
        if "unusable" in answer:
            raise Unusable(str(answer["unusable"]), str(answer.get("reason", "")))
        return answer

    def _find_mark(self, when: str) -> None:
        """Skip what a subject wrote into the pipe on its own."""
        seen = self._read(MARK_BYTES, when)
        while seen != self._mark:
            seen = seen[1:] + self._read(1, when)

    def _read(self, size: int, when: str) -> bytearray:
        assert self._process.stdout is not None
        data, done = bytearray(size), 0
        view = memoryview(data)
        while done < size:
            got = self._process.stdout.readinto(view[done : done + CHUNK])  # type: ignore[attr-defined]
            if not got:
                raise Unusable(f"{self.label}: {self._describe_end()} {when}", "crashed")
            done += got
        return data

    def _describe_end(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        return describe_end(self._process.returncode)
