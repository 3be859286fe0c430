"""Named random streams."""

import hashlib
from itertools import product
from typing import get_args

import numpy as np
import pytest

from fourfold.core.seeds import Stream, stream_seed


@pytest.mark.promise("R12")
def test_a_seed_is_the_first_63_bits_of_sha_256() -> None:
    # From the command line's `printf 0/init | sha256sum`: the seeds of old runs must never change.
    assert stream_seed(0, "order", 3) == int(hashlib.sha256(b"0/order/3").hexdigest()[:16], 16) // 2
    assert stream_seed(0, "init") == 0x2A29A3E290B9715C // 2
    assert stream_seed(7, "dropout", 1, 2) == 0xFA66C4D7205F686E // 2


@pytest.mark.promise("R12")
def test_streams_seeds_and_positions_never_meet() -> None:
    streams = get_args(Stream)
    keys = [(), *((i,) for i in range(30)), (1, 1), (11,), (1, 11), (11, 1)]
    seeds = [stream_seed(s, stream, *key) for s, stream, key in product((0, 1, 2, 11, 12), streams, set(keys))]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.promise("R12")
def test_neighbouring_streams_are_independent() -> None:
    bits = np.array([[stream_seed(s, "noise", k) >> b & 1 for b in range(63)] for s in range(8) for k in range(64)])
    ones = bits.mean()
    assert abs(ones - 0.5) < 4 * 0.5 / bits.size**0.5
    flips = (bits[1:] ^ bits[:-1]).mean(1) * 63  # neighbours differ in about half of their bits
    assert flips.min() > 10
    assert flips.max() < 53
