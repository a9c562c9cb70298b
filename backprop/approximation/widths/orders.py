"""Where the kinks of a network with no more of them than are forced must be, and in which orders they may stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backprop.approximation.proving.kinks import ForcedKinks, Triple
from backprop.approximation.widths.relaxation import Kink

__all__ = ["list_orders"]

MOST_ORDERS = 16


def list_orders(proofs: Sequence[ForcedKinks]) -> list[tuple[Kink, ...]] | None:
    """All orders in which rising and falling kinks may stand, each kink with the part common to all its triples.

    Each of the proofs forces as many kinks: with no others, the j-th that rises is in the j-th triple of its kind in
    every proof. None where the proofs disagree about the kinds, or the orders are too many.

    >>> list_orders([ForcedKinks(0.1, ((0.0, 0.3, 0.7),), ()), ForcedKinks(0.1, ((0.2, 0.5, 1.0),), ())])
    [(Kink(low=0.2, high=0.7, rises=True),)]
    """
    if len({(len(proof.rising), len(proof.falling)) for proof in proofs}) != 1:
        return None
    rising = [_meet(triples, True) for triples in zip(*(proof.rising for proof in proofs), strict=True)]
    falling = [_meet(triples, False) for triples in zip(*(proof.falling for proof in proofs), strict=True)]
    found: list[tuple[Kink, ...]] = []
    for order in _merge(rising, falling, -float("inf")):
        found.append(order)
        if len(found) > MOST_ORDERS:
            return None
    return found


def _meet(triples: Sequence[Triple], rises: bool) -> Kink:
    return Kink(max(a for a, _, _ in triples), min(c for _, _, c in triples), rises)


def _merge(rising: Sequence[Kink], falling: Sequence[Kink], before: float) -> Iterator[tuple[Kink, ...]]:
    """All orders in which each kink has room behind those before it."""
    if not rising and not falling:
        yield ()
    for kinks, takes_rising in ((rising, True), (falling, False)):
        if kinks and kinks[0].high > before:
            head = kinks[0]._replace(low=max(kinks[0].low, before))
            rest = (rising[1:], falling) if takes_rising else (rising, falling[1:])
            for tail in _merge(*rest, head.low):
                yield (head, *tail)
