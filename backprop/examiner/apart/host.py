"""The subject's side: a process that runs the subject's code and nothing else; it is asked for numbers."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from backprop.errors import UsageError
from backprop.examiner.apart.wire import LENGTH_BYTES, Reader, WireWriter
from backprop.examiner.measuring.cases import read_globals, seed_globals
from backprop.examiner.subject.protocol.subjects import OPTIONAL, Subject, Unusable, describe_error
from backprop.processes import limit_memory

__all__ = ["main"]

EXACT = "backprop.examiner.wiring.exact"
CHANGING = ("gradients", "step")
"""Functions that may write into what they are given, so that what became of it is sent back."""


def main() -> None:
    """Take requests from standard input, answer on the pipe that was standard output, until the input ends."""
    request = json.loads(sys.stdin.buffer.readline())
    # Whatever the subject prints goes to standard error, and what it reads is empty.
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    limit_memory(request["memory"])
    warnings.simplefilter("ignore")
    with contextlib.suppress(OSError, ValueError):
        host = _Host(asked, answers, bytes.fromhex(request["mark"]), request["seed"])
        host.serve(request["loader"], request["target"], request["text"], request["options"])
    os._exit(0)


class _Host:
    """Answers one request after the other."""

    def __init__(self, asked: IO[bytes], answers: IO[bytes], mark: bytes, seed: int) -> None:
        self.asked, self.answers, self.mark, self.seed = asked, answers, mark, seed
        self.kept: list[Any] = []
        self.classes: dict[tuple[str, str], type] = {}
        self.reader = Reader(self.kept.__getitem__, self.classes)
        self.me = os.getpid()

    def serve(self, loader: str, target: str, text: str | None, options: dict[str, Any]) -> None:
        """Load the subject, then call what is asked for."""
        seed_globals(self.seed)
        module, _, function = loader.partition(":")
        try:
            load: Callable[..., Subject] = getattr(importlib.import_module(module), function)
            subject = load(target, text, **options)
        except (Unusable, KeyboardInterrupt) as error:
            self._answer(_refuse(error, f"{target} raised {describe_error(error, None)}"))
            return
        self._answer(
            {"label": subject.label, "file": subject.file, "flat": subject.flat, "takes_rows": subject.takes_rows,
             "notes": list(map(str, subject.notes)),
             "has": [name for name in OPTIONAL if subject.has(name)]}
        )  # fmt: skip
        while True:
            length = int.from_bytes(self.asked.read(LENGTH_BYTES), "big")
            if not length:
                return
            data = bytearray(length)
            if self.asked.readinto(data) != length:  # type: ignore[attr-defined]
                return
            self._answer(self._handle(subject, self.reader.message(data)))

    def _handle(self, subject: Subject, request: dict[str, Any]) -> dict[str, Any]:
        for number in [kept for kept in self.reader.shared if kept < request["oldest"]]:
            del self.reader.shared[number]
        if request["restart"] is not None:
            seed_globals(request["restart"])
        name, args, keywords = request["call"], request["args"], request["keywords"]
        try:
            if name == "check_exact":
                return {"value": _check_exact(*args)}
            if request["each"]:
                return {"value": [subject.call(name, *one, **keywords) for one in args]}
            before = _print_arguments(args) if name in CHANGING else None
            state = read_globals() if name in CHANGING else None
            value = subject.call(name, *args, **keywords)
        except (Unusable, KeyboardInterrupt) as error:
            return _refuse(error, f"{subject.label}: {name} raised {describe_error(error, None)}")
        answer = {"value": value, "generators": [a for a in args if isinstance(a, np.random.Generator)]}
        if before is not None:
            answer["drawn"] = read_globals() != state
            answer["changed"] = args if _print_arguments(args) != before else None
        return answer

    def _answer(self, answer: dict[str, Any]) -> None:
        # A forked copy of the subject comes here too; only the process that was asked may answer.
        if os.getpid() != self.me:
            os._exit(0)
        try:
            parts = WireWriter(self._keep, classes=self.classes).message(answer)
        except Exception as error:  # objects of a subject can fail in any way
            parts = WireWriter().message(
                {"unusable": f"what it returned cannot be read: {describe_error(error, None)}"}
            )
        self.answers.write(self.mark)
        for part in parts:
            self.answers.write(part)
        self.answers.flush()

    def _keep(self, value: Any) -> int:
        self.kept.append(value)
        return len(self.kept) - 1


def _refuse(error: BaseException, said: str) -> dict[str, Any]:
    return {"unusable": str(error) or said, "reason": getattr(error, "reason", "crashed")}


def _check_exact(source: str, seed: int) -> dict[str, Any]:
    """The exact check runs the source, so it belongs here; its arithmetic is loaded for generated modules only."""
    try:
        result = importlib.import_module(EXACT).check_exact(source, seed=seed)
    except UsageError as error:
        return {"refused": str(error)}
    return dataclasses.asdict(result)


def _print_arguments(args: Any) -> list[bytes]:
    return [bytes(part) for part in WireWriter(id).message({"args": list(args)})]
