"""Every arm has the same pictures and as many settings, chosen on validation and scored on test."""

from fourfold.claims import cnn_beats_kernels as claim
from fourfold.claims import in_process


def test_arms_have_the_same_pictures_and_as_many_settings():
    for size in ("quick", "full"):
        settings = [claim.recipes(arm, size) for arm in claim.CLAIM.arms]
        assert [len(each) for each in settings] == [3, 3, 3]
        assert all(recipe["data"] == claim.DATA[size] for each in settings for recipe in each)
        algorithms = [str(recipe["algorithm"]) + str(recipe["model"]) for each in settings for recipe in each]
        assert len(set(algorithms)) == 9


def test_what_is_best_on_validation_is_tested(monkeypatch):
    found = {3.0: (0.3, 0.1), 10.0: (0.1, 0.25), 30.0: (0.2, 0.05)}
    monkeypatch.setattr(in_process, "train", lambda recipe, changes: (None, found[recipe["algorithm"]["C"]]))
    monkeypatch.setattr(claim, "error", lambda parts, split: parts[("validation", "test").index(split)])
    assert claim.test_error("kernel on pixels", 0, "full") == 0.25


def test_mistakes_are_counted_over_a_whole_split():
    shared = {"data": claim.DATA["quick"], "loss": {"name": "cross_entropy"}, "budget": {"steps": 1}}
    machine = {"model": {"name": "kernel_svm"}, "algorithm": {"name": "svm", "C": 10.0}}
    _, parts = in_process.train({**shared, **machine}, {"seed": 3})
    output, targets = in_process.outputs_on_test(parts)
    assert len(targets) > 1000
    assert claim.error(parts, "test") == float((output.argmax(1) != targets).double().mean())
    assert 0 < claim.error(parts, "test") < 0.3
