"""Scores of what was made: oracles for the Frechet distance, precision and recall, and the cover of a mixture."""

import math

import numpy as np
import pytest
import torch

from fourfold.data.synthesis.frechet import Moments, frechet_distance, moments
from fourfold.data.synthesis.manifolds import precision_and_recall, radii_of, share_within
from fourfold.data.synthesis.modes import coverage


def drawn(seed: int, count: int = 60, size: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(size, size, generator=generator, dtype=torch.float64)
    return torch.randn(count, size, generator=generator, dtype=torch.float64) @ mixed + seed


def test_the_frechet_distance_is_that_by_scipys_root() -> None:
    from scipy.linalg import sqrtm

    a, b = drawn(1), drawn(2, count=90)
    c1, c2 = np.cov(a.numpy().T), np.cov(b.numpy().T)
    difference = a.numpy().mean(0) - b.numpy().mean(0)
    expected = difference @ difference + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert frechet_distance(moments(a), moments(b)) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(moments(b), moments(a)) == pytest.approx(expected, rel=1e-9)


def test_of_diagonal_covariances_it_is_the_closed_form() -> None:
    s, t = torch.tensor([1.0, 4.0, 0.25]).double(), torch.tensor([9.0, 1.0, 0.0]).double()
    m = torch.tensor([1.0, -2.0, 0.5]).double()
    a, b = Moments(m, s.diag()), Moments(torch.zeros(3).double(), t.diag())
    expected = 1 + 4 + 0.25 + (1 - 3) ** 2 + (2 - 1) ** 2 + 0.5**2  # by hand: |m|^2 + sum (sqrt s - sqrt t)^2
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-12)


def test_a_set_is_at_no_distance_from_itself_and_fewer_examples_than_features_do() -> None:
    few = drawn(3, count=4, size=9)
    assert frechet_distance(moments(few), moments(few)) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(moments(few), moments(few * math.nan)) == math.inf


def test_precision_and_recall_are_those_of_a_double_loop() -> None:
    from sklearn.neighbors import NearestNeighbors

    given, made = drawn(4, 40, 3), drawn(5, 30, 3) * 0.5
    radii = {}
    for name, points in (("given", given.numpy()), ("made", made.numpy())):
        radii[name] = NearestNeighbors(n_neighbors=4).fit(points).kneighbors(points)[0][:, 3]  # itself is the nearest
    precise = sum(
        any(np.linalg.norm(m - g) <= r for g, r in zip(given.numpy(), radii["given"], strict=True))
        for m in made.numpy()
    )
    recalled = sum(
        any(np.linalg.norm(g - m) <= r for m, r in zip(made.numpy(), radii["made"], strict=True)) for g in given.numpy()
    )
    assert precision_and_recall(given, made) == pytest.approx((precise / 30, recalled / 40))
    assert 0 < precise < 30
    np.testing.assert_allclose(radii_of(given).numpy(), radii["given"], rtol=1e-9)


def test_sets_that_are_equal_apart_or_one_within_the_other() -> None:
    given = drawn(6)
    assert precision_and_recall(given, given.clone()) == (1.0, 1.0)
    assert precision_and_recall(given, given + 1e4) == (0.0, 0.0)
    corner = given[:1] + 1e-3 * drawn(7, 20)
    precision, recall = precision_and_recall(given, corner)
    assert precision == 1
    assert recall < 0.2  # a generator that makes one thing over and over
    assert share_within(given[:3], given[:3]) == 1  # fewer than four examples


def test_points_counted_by_hand() -> None:
    centres = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    points = torch.tensor([[0.1, 0.0], [0.0, -0.29], [2.0, 0.2], [0.31, 0.0], [1.0, 1.0], [9.0, 9.0]])
    scores = coverage(points, centres, 0.1)
    assert scores["modes"] == 2
    assert scores["high_quality"] == pytest.approx(3 / 6)


def test_the_divergence_is_scipys() -> None:
    from scipy.spatial.distance import jensenshannon

    centres = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    points = torch.cat([torch.zeros(5, 2), torch.tensor([[2.0, 0.0]]), torch.full((4, 2), 50.0)])
    inside = 1 - math.exp(-4.5)
    expected = jensenshannon([0.5, 0.1, 0.4], [inside / 2, inside / 2, 1 - inside], base=2) ** 2
    assert coverage(points, centres, 0.1)["jensen_shannon"] == pytest.approx(expected, rel=1e-9)


def test_the_mixture_itself_scores_best() -> None:
    generator = torch.Generator().manual_seed(0)
    centres = torch.cartesian_prod(torch.arange(5.0), torch.arange(5.0))
    chosen = torch.randint(25, (20_000,), generator=generator)
    points = centres[chosen] + 0.02 * torch.randn(20_000, 2, generator=generator)
    scores = coverage(points, centres, 0.02)
    assert scores["modes"] == 25
    assert scores["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.002)
    assert scores["jensen_shannon"] < 0.001
    one = coverage(points[chosen == 3], centres, 0.02)
    assert one["high_quality"] > 0.98  # which does not see that 24 are missing
    assert one["jensen_shannon"] > 0.8
