"""The sum-tree against a cumulative sum, and what is drawn against what should be."""

import numpy as np
import pytest
from scipy.stats import chisquare

from fourfold.algorithms.replay.prioritised import EPS, Priorities, SumTree


@pytest.mark.parametrize("count", [1, 2, 7, 8, 100])
def test_leaves_are_found_where_a_cumulative_sum_passes(count) -> None:
    draws = np.random.default_rng(count)
    tree, plain = SumTree(count), np.zeros(count)
    for _ in range(20):
        which = draws.integers(count, size=5)
        values = draws.integers(0, 64, size=5) / 8  # sums of these are exact
        tree.set(which, values)
        plain[which] = values
        one = int(draws.integers(count))
        tree.set_one(one, plain[one] + 0.5)
        plain[one] += 0.5
        assert tree.total == plain.sum()
        sums = draws.random(50) * plain.sum()
        expected = np.searchsorted(np.cumsum(plain), sums, side="right")
        assert tree.find(sums).tolist() == expected.tolist()
        assert tree.get(np.arange(count)).tolist() == plain.tolist()


def test_rounding_never_finds_a_leaf_of_zero() -> None:
    tree = SumTree(6)
    tree.set(np.arange(6), np.array([0.1, 0.0, 0.2, 0.3, 0.0, 0.0]))
    assert set(tree.find(np.full(3, np.nextafter(tree.total, 9)))) <= {0, 2, 3}


def test_transitions_are_drawn_in_proportion_to_their_priority() -> None:
    priorities = Priorities(6, exponent=0.5)
    for slot in range(6):
        priorities.added(slot, [])
    errors = np.array([0.0, 1.0, 4.0, 9.0, -16.0, 2.0])
    priorities.learned(np.arange(6), errors)
    priorities.forget([5])
    drawn = np.concatenate([priorities.draw(8, np.random.default_rng(seed)) for seed in range(5000)])
    expected = (np.abs(errors[:5]) + EPS) ** 0.5
    counts = np.bincount(drawn, minlength=6)
    assert counts[5] == 0
    # a batch takes one from each of eight equal ranges, which varies less than 40,000 draws apart would
    assert chisquare(counts[1:5], expected[1:] / expected[1:].sum() * counts[1:5].sum()).pvalue > 1e-3


def test_weights_are_the_paper_s() -> None:
    priorities = Priorities(4, exponent=1.0)
    priorities.added(0, [])
    priorities.learned(np.array([0, 1, 2]), np.array([1.0, 2.0, 5.0]) - EPS)
    weights = priorities.weights(np.array([2, 0]), num_ready=3, beta=0.5)
    share = np.array([5 / 8, 1 / 8])
    expected = (3 * share) ** -0.5
    np.testing.assert_allclose(weights.numpy(), expected / expected.max(), rtol=1e-6)


def test_what_is_new_is_as_likely_as_the_most_surprising_so_far() -> None:
    priorities = Priorities(4, exponent=0.6)
    priorities.added(0, [])
    priorities.learned(np.array([0]), np.array([-7.0]))
    priorities.added(1, [0])
    assert priorities.tree.get(np.array([0, 1])).tolist() == [0.0, (7.0 + EPS) ** 0.6]


def test_saved_priorities_draw_as_before() -> None:
    priorities, again = Priorities(50, 0.6), Priorities(50, 0.6)
    for slot in range(40):
        priorities.added(slot, [])
    priorities.learned(np.arange(40), np.random.default_rng(0).standard_normal(40))
    again.load_state_dict(priorities.state_dict())
    assert again.tree.nodes.tobytes() == priorities.tree.nodes.tobytes()
    assert again.highest == priorities.highest
