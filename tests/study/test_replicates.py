"""Replicates of a recipe: each with a sample of its own, the same test split, and what they say taken apart."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fourfold as ff
from fourfold.core.errors import FourfoldError, InputError
from fourfold.core.overrides import apply_overrides
from fourfold.run.parts import load_recipe, recipe_fields
from fourfold.study.decompose import decompose_squared, decompose_zero_one
from fourfold.study.replicates import decompose_recipe, sampled

SHORT = {"budget": {"steps": 60, "batch_size": "full"}}


def fields(name: str, **changes: Any) -> dict[str, Any]:
    return apply_overrides(recipe_fields(name)[1], {**SHORT, **changes})


def raw(recipe: Any, seed: int, split: str) -> torch.Tensor:
    source = recipe.data.build(seed, Path("nowhere"))
    return source.raw(split, list(range(source.sizes[split])))


def runs_of(workspace: Path) -> list[Any]:
    """The replicates, in whatever order."""
    return [ff.open_run(path) for path in sorted((workspace / "cells").iterdir()) if path.is_dir()]


@pytest.mark.parametrize("name", ["curve-mlp", "iris-softmax", "moons-mlp", "diabetes-linear"])
@pytest.mark.parametrize("seeded", [{}, {"data.split_seed": None}])
def test_only_the_training_sample_varies_with_the_seed(name: str, seeded: dict[str, Any]) -> None:
    changes = {} if name == "curve-mlp" else seeded
    recipe = sampled(load_recipe(name, changes)[1])
    assert not torch.equal(raw(recipe, 0, "train"), raw(recipe, 1, "train"))
    assert torch.equal(raw(recipe, 0, "test"), raw(recipe, 1, "test"))


def test_points_that_vary_with_the_seed_are_held_still() -> None:
    recipe = sampled(load_recipe("moons-mlp", {"data.data_seed": None, "data.split_seed": None, "seed": 4})[1])
    assert torch.equal(raw(recipe, 4, "test"), raw(recipe, 5, "test"))
    drawn = load_recipe("moons-mlp", {"data.data_seed": 4, "data.split_seed": 4})[1]
    assert torch.equal(raw(recipe, 9, "test"), raw(drawn, 0, "test"))


def test_a_number_with_known_noise(tmp_path: Path) -> None:
    answer = decompose_recipe("curve-mlp", fields("curve-mlp", seed=7), tmp_path, replicates=4)
    assert (answer["seeds"], answer["sample"], answer["loss"]) == ([7, 8, 9, 10], "fresh", "squared")
    assert answer["noise"] == pytest.approx(0.09)
    runs = runs_of(tmp_path)
    assert len(runs) == 4
    assert answer["error"]["value"] == pytest.approx(np.mean([run.metrics["test"]["rmse"] ** 2 for run in runs]))
    x = (np.arange(200) + 0.5) / 200
    predictions = np.array([[row["y"] for row in ff_predict(run, x)] for run in runs])
    by_hand = decompose_squared(predictions, np.sin(2 * np.pi * x))
    assert answer["bias"]["value"] == pytest.approx(by_hand.bias.value, rel=1e-4)
    assert answer["variance"]["value"] == pytest.approx(by_hand.variance.value, rel=1e-4)
    parts = [answer[name]["value"] for name in ("bias", "variance", "gap")]
    assert answer["error"]["value"] == pytest.approx(sum(parts) + 0.09)
    again = decompose_recipe("curve-mlp", fields("curve-mlp", seed=7), tmp_path, replicates=4)
    assert again == answer
    (file,) = (tmp_path / "studies").glob("curve-mlp-decomposition-*/decomposition.json")
    assert json.loads(file.read_text(encoding="utf-8")) == json.loads(json.dumps(answer))
    assert len(runs_of(tmp_path)) == 4, "finished replicates are not run again"


def ff_predict(run: Any, x: np.ndarray) -> list[dict[str, float]]:
    from fourfold.run.predict import predict

    return predict(run, [[float(value)] for value in x]).rows


def test_classes_of_bagged_networks(tmp_path: Path) -> None:
    algorithm = {"name": "bagging", "members": 2}
    answer = decompose_recipe("iris-softmax", fields("iris-softmax", algorithm=algorithm), tmp_path, replicates=4)
    assert (answer["sample"], answer["loss"], answer["noise"]) == ("bootstrap", "zero_one", None)
    runs = runs_of(tmp_path)
    (batch,) = runs[0].parts.source.split("test", 1000)
    raw_inputs = runs[0].parts.source.raw("test", list(range(22)))
    with torch.no_grad():
        said = [run.model(run.encoding.standardise().encode(raw_inputs)).argmax(1).numpy() for run in runs]
    by_hand = decompose_zero_one(said, batch.targets.numpy())
    assert by_hand.error > 0, "the case tests nothing"
    for name, value in by_hand._asdict().items():
        assert answer[name] == pytest.approx(value)


def test_a_replicate_that_diverges_is_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fourfold.study import replicates

    whole = decompose_recipe("curve-mlp", fields("curve-mlp"), tmp_path, replicates=4)
    execute = replicates.execute

    def one_diverges(*args: Any) -> Any:
        found = execute(*args)
        second = list(found)[1]
        found[second] = found[second]._replace(result=found[second].result._replace(status="diverged"))
        return found

    monkeypatch.setattr(replicates, "execute", one_diverges)
    answer = decompose_recipe("curve-mlp", fields("curve-mlp"), tmp_path, replicates=4)
    assert answer["left_out"] == {"1": "diverged"}
    assert answer["seeds"] == [0, 2, 3]
    assert answer["variance"] != whole["variance"]
    with pytest.raises(FourfoldError, match="left no predictions"):
        decompose_recipe("curve-mlp", fields("curve-mlp"), tmp_path, replicates=3)


@pytest.mark.parametrize(
    ("name", "changes", "replicates", "says"),
    [
        ("xor-mlp", {}, 5, r"^data: 'gates' has one training sample and cannot be drawn again$"),
        ("curve-mlp", {"data.data_seed": 1}, 5, r"drawn again; data.data_seed=null draws another sample"),
        ("curve-mlp", {}, 2, r"^--replicates: at least 3, and not 2$"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_runs(
    name: str, changes: dict[str, Any], replicates: int, says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says):
        decompose_recipe(name, fields(name, **changes), tmp_path / "workspace", replicates)
    assert not (tmp_path / "workspace").exists()
