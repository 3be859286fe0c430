"""Runs with frozen parts and learning rates of their own: resumed, compiled, shared by processes, shown."""

from pathlib import Path
from typing import Any

import pytest
import torch
from stopping import differences, remains, resumed, start_and_stop

import fourfold as ff
from fourfold.cli import main
from fourfold.run.parts import load_recipe
from fourfold.run.run import start

RECIPE: dict[str, Any] = {
    "data": "digits",
    "model": {"name": "resnet_cifar", "depth": 8},
    "loss": "cross_entropy",
    "algorithm": {
        "name": "supervised",
        "optimizer": {"name": "adam", "lr": 0.001},
        "schedule": "cosine",
        "regularizers": ["decoupled_weight_decay"],
        "freeze": ["conv1", "bn1", "layer1"],
        "lr_factors": {"layer2": 0.1, "layer3": 0.3},
    },
    "budget": {"steps": 4, "batch_size": 40, "validate_every": 1, "log_every": 1},
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}
STILL = ("conv1", "bn1", "layer1")


def test_frozen_parts_end_as_they_began_and_the_others_moved(tmp_path: Path) -> None:
    run = ff.run(RECIPE, workspace=tmp_path)
    begun, ended = run.parts.model.state_dict(), run.model.state_dict()
    for name in begun:
        assert torch.equal(begun[name], ended[name]) is name.startswith(STILL), name


@pytest.mark.promise("R1")
@pytest.mark.parametrize("extra", [{}, {"algorithm.regularizers": [{"name": "swa", "start": 1, "every": 1}]}], ids=str)
def test_stopped_after_any_step_and_resumed(extra: dict[str, Any], tmp_path: Path) -> None:
    recipe = load_recipe(RECIPE, extra)[1]
    whole = remains(start("whole", recipe, tmp_path / "whole"))
    for step in (1, 3):
        assert differences(remains(resumed(start_and_stop(recipe, tmp_path / str(step), step, "whole"))), whole) == []


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"runtime.processes": 2}, {"runtime.accumulate": 2}], ids=str)
def test_the_same_in_pieces(changes: dict[str, Any], tmp_path: Path) -> None:
    """Normalisations in training see a piece each, so all of them are frozen; Adam would magnify what is rounded."""
    plain = {"algorithm.optimizer": {"name": "momentum", "lr": 0.05}, "algorithm.freeze": [*STILL, "*.running_mean"]}
    plain |= {"algorithm.regularizers": []}
    alone, cut = (ff.run(RECIPE, {**plain, **each}, workspace=tmp_path) for each in ({}, changes))
    for name, weight in alone.model.state_dict().items():
        torch.testing.assert_close(cut.model.state_dict()[name], weight, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch.compile's own
@pytest.mark.parametrize("compile", ["model", "step"])
def test_the_same_as_one_graph(compile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph is called as it was traced, for Adam would magnify what another kernel rounds."""
    made, calls = torch.compile, []

    def traced(function: Any, dynamic: bool | None = None, options: Any = None) -> Any:
        return made(function, dynamic=dynamic, backend=lambda graph, _: calls.append(graph) or graph.forward)

    monkeypatch.setattr(torch, "compile", traced)
    plain = ff.run(RECIPE, {"algorithm.regularizers": []}, workspace=tmp_path)
    graph = ff.run(RECIPE, {"algorithm.regularizers": [], "runtime.compile": compile}, workspace=tmp_path)
    assert calls
    for name, weight in plain.model.state_dict().items():
        torch.testing.assert_close(graph.model.state_dict()[name], weight, rtol=1e-4, atol=1e-6)
        if name.startswith(STILL):
            assert torch.equal(graph.model.state_dict()[name], weight)


@pytest.mark.promise("R9")
def test_a_part_that_is_not_there_creates_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", "digits-mlp", "algorithm.freeze=[layer]", "--workspace", str(tmp_path / "runs"), "--quiet"]
    assert main(command) == 2
    line = "error: algorithm.freeze.0: 'layer' names no parameter of MLP; did you mean 'layers'?\n"
    assert capsys.readouterr().err == line
    assert not (tmp_path / "runs").exists()


def test_it_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["digits-mlp", "algorithm.freeze=[layers.1]", "algorithm.lr_factors={layers.3: 0.5}"]
    assert main(["show", *given, "--steps"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "set the learning rate, x 0.5 for layers.3" in shown
    assert "keep layers.1 still: 8,320 of 9,610 parameters" in shown
    assert main(["run", *given, "budget.steps=1", "--quiet", "--workspace", str(tmp_path)]) == 0
    assert main(["show", "digits-mlp-1", "--workspace", str(tmp_path)]) == 0
    assert "supervised, adam at lr 0.003, layers.1 frozen" in capsys.readouterr().out
