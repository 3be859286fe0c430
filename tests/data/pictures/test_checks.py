"""Copies are told by the whole digest of a file."""

import numpy as np

from fourfold.data.pictures.checks import copies
from fourfold.data.pictures.facts import Facts


def test_copies_are_numbered_in_the_order_of_their_digests() -> None:
    facts = Facts.empty(50, 1)
    facts.digests[:] = np.random.default_rng(0).integers(0, 256, (50, 32), dtype=np.uint8)
    facts.digests[7], facts.digests[30] = facts.digests[3], facts.digests[3]
    numbers = [*range(40), 45]
    _, expected = np.unique(facts.digests[numbers], axis=0, return_inverse=True)
    np.testing.assert_array_equal(copies(facts, numbers), expected.reshape(-1))


def test_digests_that_begin_alike_are_not_copies() -> None:
    facts = Facts.empty(4, 1)
    facts.digests[:] = 9
    facts.digests[2, 31], facts.digests[1, 8] = 1, 200
    assert copies(facts, [0, 1, 2, 3]).tolist() == [1, 2, 0, 1]
