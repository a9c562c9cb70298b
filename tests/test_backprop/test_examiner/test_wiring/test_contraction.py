"""Products of matrices of bounds are those that NumPy makes, and every entry is a polynomial of its own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backprop.examiner.wiring.contraction import Bounds, dot
from backprop.examiner.wiring.field import Degree, Divisors, ScalarDual, pack


def draw(rng: np.random.Generator, shape: tuple[int, int], pool: Divisors, masks: list[int], *, dual: bool):
    def one() -> Degree:
        return Degree(int(rng.integers(0, 4)), masks[rng.integers(len(masks))], pool)

    made = [ScalarDual(one(), one()) if dual and rng.integers(2) else one() for _ in range(shape[0] * shape[1])]
    return pack(made, shape)


def read(value) -> tuple:
    return (value.top, value.mask) if type(value) is Degree else (read(value.value), read(value.slope))


@given(st.integers(0, 10_000), st.tuples(*[st.integers(1, 5)] * 3), st.booleans(), st.booleans())
def test_a_product_is_that_of_its_entries(seed: int, sizes: tuple[int, int, int], first: bool, second: bool) -> None:
    rng, pool = np.random.default_rng(seed), Divisors()
    masks = [0, pool.register(2), pool.register(3)]
    masks.append(masks[1] | masks[2])
    a = draw(rng, sizes[:2], pool, masks, dual=first)
    b = draw(rng, sizes[1:], pool, masks, dual=second)
    expected = [read(value) for value in (a @ b).flat]
    for x, y in ((a.view(Bounds), b), (a, b.view(Bounds)), (a.view(Bounds), b.view(Bounds))):
        for found in (x @ y, dot(x, y)):
            assert [read(value) for value in found.flat] == expected
            assert isinstance(found, Bounds)
            assert len({id(value) for value in found.flat}) == found.size
    for product in (np.matmul, dot):
        into = np.empty((sizes[0], sizes[2]), object)
        product(a.view(Bounds), b, into)
        assert [read(value) for value in into.flat] == expected
    row = dot(a[0].view(Bounds), b.view(Bounds))
    assert [read(value) for value in row.flat] == expected[: sizes[2]]


def test_what_divides_by_entries_of_a_product_counts_each() -> None:
    pool = Divisors()
    x = pack([Degree(1, 0, pool) for _ in range(4)], (2, 2)).view(Bounds)
    inverse = 1 / (x @ x)
    assert len({value.mask for value in inverse.flat}) == 4
