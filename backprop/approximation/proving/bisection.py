"""Boxes that wait, the largest first, until each is shown, one of them decides, or the limits are reached."""

from __future__ import annotations

import heapq
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, TypeVar

__all__ = ["Bisection", "telling"]

Box = TypeVar("Box", bound=tuple[float, ...])
Verdict = TypeVar("Verdict")

Listener = Callable[[float], None]
_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def telling(listener: Listener) -> Iterator[None]:
    """Whatever is proved inside the block tells the listener, after each box, which share of the domain is shown."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


class Bisection(ABC, Generic[Box, Verdict]):
    """What is shown, each box with its bound, and what work is left: so many terms, of which a box takes `cost`."""

    def __init__(self, epsilon: float, deadline: float, most_boxes: int, terms: int, cost: int) -> None:
        self.epsilon, self.deadline, self.most_boxes = epsilon, deadline, most_boxes
        self.terms_left, self.cost = terms, cost
        self.listener, self.done = _LISTENER.get(), 0.0
        self.shown: list[tuple[Box, float]] = []

    def run(self) -> Verdict:
        """Halve until every box is shown, one decides, or the limits are reached."""
        waiting = self.list_boxes()
        heapq.heapify(waiting)
        while waiting:
            order, box = heapq.heappop(waiting)
            if self.terms_left < 0 or len(self.shown) + len(waiting) > self.most_boxes:
                return self.give_up(box, "boxes")
            if time.monotonic() > self.deadline:
                return self.give_up(box, "time")
            self.terms_left -= self.cost
            bound, decided = self.look_at(box)
            if decided is not None:
                return decided
            if bound < self.epsilon:
                self.shown.append((box, bound))
                self.tell(box)
                continue
            halves = self.halve(order, box)
            if not halves:
                return self.give_up(box, "size")
            for half in halves:
                heapq.heappush(waiting, half)
        return self.conclude()

    def tell(self, box: Box) -> None:
        """One more box is shown: who waits hears which share of the domain is."""
        self.done += self.measure(box)
        if self.listener is not None:
            self.listener(min(self.done, 1.0))

    @abstractmethod
    def measure(self, box: Box) -> float:
        """The share of the domain that a box is."""

    @abstractmethod
    def list_boxes(self) -> list[tuple[float, Box]]:
        """The boxes to begin with, which cover the domain; those of the smallest number are looked at first."""

    @abstractmethod
    def look_at(self, box: Box) -> tuple[float, Verdict | None]:
        """A bound of the error on the box, infinite where there is none; and a verdict where the box decides."""

    @abstractmethod
    def halve(self, order: float, box: Box) -> list[tuple[float, Box]]:
        """Two boxes that cover this one; none if it is too small."""

    @abstractmethod
    def give_up(self, box: Box, limit: str) -> Verdict:
        """Undecided, on account of the boxes, the time or the size of this one."""

    @abstractmethod
    def conclude(self) -> Verdict:
        """Proved: the boxes shown cover the domain."""
