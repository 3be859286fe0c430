"""The claims about bias and variance: what they read, and of what, against a computation of its own."""

import numpy as np
import pytest

from fourfold.claims import bagging_variance, bias_variance_sum, boosting_bias
from fourfold.claims.in_process import replicates, train
from fourfold.data.curve import even, sine


def test_the_parts_of_error_are_those_of_the_replicates_of_a_group(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(bias_variance_sum.METHODS, "short", {"model.widths": [2], "budget.steps": 10})
    found = bias_variance_sum.parts_of_error("short", 2, 3)
    settings = {"model.widths": [2], "budget.steps": 10, "data.validation_examples": 0}
    f, y = (each[..., 0].numpy() for each in replicates("curve-mlp", settings, range(6, 9)))
    variance = f.var(axis=0, ddof=1).mean()
    bias = ((f.mean(axis=0) - sine(even(200))[:, 0].numpy()) ** 2).mean() - variance / 3
    assert found["error"] == pytest.approx(((f - y) ** 2).mean())
    assert found["variance"] == pytest.approx(variance)
    assert found["bias^2"] == pytest.approx(bias)
    assert found["sum"] == pytest.approx(bias + variance + 0.09)


def test_a_bag_is_a_bag_of_as_many_steps_a_member(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def spy(recipe: str, settings: dict, seeds: range, prepare):
        asked.append((settings, seeds))
        return replicates(recipe, {**settings, "model.widths": [2], "budget.steps": 6}, seeds, prepare)

    monkeypatch.setattr("fourfold.claims.in_process.replicates", spy)
    found = [bagging_variance.decomposed(method, 1, 3, 2)["variance"] for method in bagging_variance.METHODS]
    assert all(seeds == range(3, 6) for _, seeds in asked)
    alone, bagged, drawn = (settings for settings, _ in asked)
    assert "algorithm" not in alone
    assert [settings["budget.steps"] for settings in (alone, bagged, drawn)] == [400, 800, 800]
    assert [settings["algorithm"]["sample"] for settings in (bagged, drawn)] == [1.0, None]
    assert all(settings["algorithm"]["optimizer"] == alone["algorithm.optimizer"] for settings in (bagged, drawn))
    assert len(set(found)) == 3
    assert min(found) > 0


def test_members_of_the_bag_differ_in_their_samples_alone():
    """They begin where the network alone does; without samples they would end there too, each the same."""
    alone, bagged, drawn = (
        {**bagging_variance.settings_of(method, 2), "model.widths": [3], "seed": 5}
        for method in bagging_variance.METHODS
    )
    alone["budget.steps"], bagged["budget.steps"], drawn["budget.steps"] = 5, 10, 10
    begin = bagging_variance.begin_alike

    def weights(module) -> list:
        return [param.detach().flatten().tolist() for param in module.parameters()]

    one = weights(train("curve-mlp", alone)[1].model)
    first, second = train("curve-mlp", drawn, begin)[1].model.members
    assert np.allclose(np.concatenate(weights(first)), np.concatenate(one), atol=1e-6)
    assert np.allclose(np.concatenate(weights(second)), np.concatenate(one), atol=1e-6)
    first, second = train("curve-mlp", bagged, begin)[1].model.members
    assert weights(first) != weights(second)
    first, second = train("curve-mlp", drawn)[1].model.members
    assert not np.allclose(np.concatenate(weights(second)), np.concatenate(one), atol=1e-2)


def test_replicates_of_a_group_share_their_test_points_and_groups_do_not(monkeypatch: pytest.MonkeyPatch):
    kept = []

    def spy(recipe: str, settings: dict, seeds: range):
        outputs, targets = replicates(recipe, {**settings, "budget.steps": 10}, seeds)
        sources = [train(recipe, {**settings, "budget.steps": 10, "seed": seed})[1].source for seed in seeds]
        first, *others = (source.raw("test", list(range(300))) for source in sources)
        assert all((other == first).all() for other in others)
        kept.append((outputs, targets, first))
        return outputs, targets

    monkeypatch.setattr("fourfold.claims.in_process.replicates", spy)
    found = boosting_bias.decomposed("line", "boosted", 1, 3)
    outputs, targets, points = kept[0]
    assert (targets == targets[0]).all()
    assert len({tuple(each.flatten().tolist()) for each in outputs}) == 3  # each has a bootstrap of its own
    wrong = (outputs.argmax(2) != targets).double().numpy()
    assert found["error"] == pytest.approx(wrong.mean())
    assert found["bias"] == pytest.approx((np.median(wrong, axis=0) == 1).mean())  # of two classes, of three replicates
    assert found["error"] == pytest.approx(found["bias"] + found["variance"])
    boosting_bias.decomposed("line", "boosted", 2, 3)
    assert (kept[1][2] != points).any()
    boosting_bias.decomposed("line", "boosted", 1, 2)
    assert (kept[2][2] == points).all()
