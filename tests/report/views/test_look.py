"""The views of a run together."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from fourfold.algorithms.combining import mean
from fourfold.algorithms.ensemble import Ensemble
from fourfold.report.predictions import predict_split
from fourfold.report.views.inside import sees_places
from fourfold.report.views.look import look_at_data, what_it_sees
from fourfold.run.api import run as run_recipe
from fourfold.run.run import Run
from fourfold.tasks.seam import Features, Image

BASE = {
    "data": "digits",
    "loss": "cross_entropy",
    "algorithm": "supervised",
    "budget": {"steps": 3},
    "runtime": {"threads": 1},
}


@pytest.fixture(scope="module")
def convolved(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_recipe({**BASE, "model": "lenet5"}, workspace=tmp_path_factory.mktemp("runs"))


def test_the_page_of_a_run_of_pictures_has_the_few_that_it_can_carry(convolved: Run) -> None:
    predictions = predict_split(convolved)
    twice = [torch.zeros(2 * len(predictions), 5)]
    drawn = {each.name: each for each in what_it_sees(convolved, predictions, twice)}
    assert list(drawn) == ["receptive-fields", "feature-maps", "embedding", "grad-cam"]
    assert "10 numbers each" in drawn["embedding"].caption  # the scores: what was heard twice is no embedding
    assert sum(len(each.to_html()) for each in drawn.values()) < 500_000


def test_all_views_are_of_one_split_and_the_embedding_is_what_the_last_layer_was_given(convolved: Run) -> None:
    drawn, told = look_at_data(convolved)
    assert "84 numbers each" in next(each.caption for each in drawn if each.name == "embedding")
    assert sum(told["embedding"]["shares"]) <= 1
    assert (told["split"], told["examples"]) == ("test", convolved.parts.source.sizes["test"])
    assert all(0 < each["of"] < told["examples"] for each in told["confused_pairs"])


def test_inside_of_several_networks_or_of_none_with_convolutions_there_is_nothing_to_see() -> None:
    def sees(model: nn.Module, spec_input: Image | Features) -> bool:
        run: Any = SimpleNamespace(model=model, spec=SimpleNamespace(input=spec_input))
        return sees_places(run)

    network, pictures = nn.Sequential(nn.Conv2d(1, 2, 3)), Image(1, 8, 8)
    assert sees(network, pictures)
    assert not sees(network, Features(("x",)))
    assert not sees(Ensemble([network, network], mean), pictures)
    assert not sees(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), pictures)
