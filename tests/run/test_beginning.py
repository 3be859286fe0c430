"""A run that begins from a file of weights: what is recorded, and what a resume, a reader and a study make of it."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from stopping import differences, interrupted_after, remains, resumed, start_and_stop
from torch import Tensor

import fourfold as ff
from fourfold.cli import main
from fourfold.core.errors import InputError
from fourfold.core.recipe import Recipe
from fourfold.models import MLP
from fourfold.records.folder import RunFolder
from fourfold.run.parts import load_recipe
from fourfold.run.run import Run, resume, start
from fourfold.study.compare import compare
from fourfold.study.design import Arm
from fourfold.study.question import Question

RECIPE: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60},
    "model": {"name": "mlp", "widths": [6]},
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "optimizer": {"name": "sgd", "lr": 0.1}},
    "budget": {"steps": 6, "batch_size": 12, "validate_every": 3, "log_every": 1},
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}
STILL = {"algorithm.optimizer.lr": 1e-30}  # too small to move a weight: what a run ends with is what it began from


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(5)
    file = tmp_path / "처음.pth"
    torch.save({name: torch.randn_like(weight) for name, weight in MLP(2, [6], 2).state_dict().items()}, file)
    return file


def stored(file: Path) -> dict[str, Tensor]:
    return torch.load(file, weights_only=True)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def recipe(file: Path, **changes: Any) -> Recipe:
    return load_recipe({**RECIPE, "weights": str(file)}, changes)[1]


def test_the_network_begins_from_the_file_and_the_record_says_which(weights: Path, tmp_path: Path) -> None:
    run = ff.run({**RECIPE, "weights": str(weights)}, STILL, workspace=tmp_path)
    assert differences(run.model.state_dict(), stored(weights)) == []
    assert run.recipe.weights is not None
    assert run.recipe.weights.model_dump() == {"file": str(weights), "sha256": sha256(weights)}
    assert run.result["notes"][-1] == f"weights: begun from {weights} (SHA-256 {sha256(weights)[:12]})"
    again = ff.run(run.recipe, workspace=tmp_path)
    assert differences(again.model.state_dict(), run.model.state_dict()) == []


def test_without_a_file_nothing_is_recorded_of_weights(tmp_path: Path) -> None:
    run = ff.run(RECIPE, workspace=tmp_path)
    assert "weights" not in run.folder.recipe()
    assert not any("weights" in note for note in run.result["notes"])


def test_an_output_layer_of_another_size_is_drawn_and_noted(tmp_path: Path) -> None:
    torch.manual_seed(5)
    file = tmp_path / "seven.pth"
    torch.save(MLP(2, [6], 7).state_dict(), file)
    run = ff.run({**RECIPE, "weights": str(file)}, STILL, workspace=tmp_path)
    drawn = ff.run(RECIPE, STILL, workspace=tmp_path).model.state_dict()
    model = run.model.state_dict()
    assert torch.equal(model["layers.1.weight"], stored(file)["layers.1.weight"])
    assert torch.equal(model["layers.3.weight"], drawn["layers.3.weight"])
    said = "weights: layers.3.weight, layers.3.bias drawn anew: the file has 7 outputs, the data 2"
    assert run.result["notes"][-1] == said


@pytest.mark.promise("R1")
def test_a_run_goes_on_without_the_file_it_began_from(weights: Path, tmp_path: Path) -> None:
    chosen = recipe(weights)
    whole = remains(start("whole", chosen, tmp_path / "whole"))
    folder = start_and_stop(chosen, tmp_path / "stopped", 4, "whole")
    weights.unlink()
    run = resumed(folder)
    assert differences(remains(run), whole) == []
    assert differences(Run(folder).model.state_dict(), run.model.state_dict()) == []
    assert Run(folder).parts.source.sizes["train"] == 42


def test_a_run_without_a_checkpoint_refuses_another_file(weights: Path, tmp_path: Path) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    with patch("fourfold.run.session.train", lambda *_, **__: killed()), pytest.raises(KilledError):
        start("killed", recipe(weights), tmp_path)
    folder = RunFolder.open(tmp_path / "killed-1")
    before = sha256(weights)
    torch.save(MLP(2, [6], 2).state_dict(), weights)
    line = (
        f"weights: {weights}: the file has changed (SHA-256 {before[:12]}, now {sha256(weights)[:12]}); put the old one"
    )
    with pytest.raises(InputError, match=f"^{re.escape(line)}"):
        resume(folder)


@pytest.mark.slow
def test_two_processes_begin_from_the_same_file(weights: Path, tmp_path: Path) -> None:
    alone = start("one", recipe(weights), tmp_path)
    together = ff.run({**RECIPE, "weights": str(weights)}, {"runtime.processes": 2}, workspace=tmp_path / "two")
    for name, weight in alone.model.state_dict().items():
        torch.testing.assert_close(together.model.state_dict()[name], weight, rtol=0, atol=1e-6)


def test_each_member_of_an_ensemble_begins_from_the_file(weights: Path, tmp_path: Path) -> None:
    bagging = {"name": "bagging", "members": 2, "optimizer": {"name": "sgd", "lr": 1e-30}}
    run = ff.run({**RECIPE, "weights": str(weights)}, {"algorithm": bagging}, workspace=tmp_path)
    for member in run.model.members:
        assert differences(member.state_dict(), stored(weights)) == []


@pytest.mark.promise("R9")
def test_a_file_that_does_not_fit_creates_nothing(tmp_path: Path) -> None:
    file, place = tmp_path / "wide.pth", tmp_path / "runs"
    torch.save(MLP(2, [9], 2).state_dict(), file)
    with pytest.raises(
        InputError, match=r"does not fit this mlp: of another shape: layers\.1\.weight is 9x2, here 6x2"
    ):
        ff.run({**RECIPE, "weights": str(file)}, workspace=place)
    with pytest.raises(InputError, match=r"^weights: nowhere\.pth: no such file$"):
        ff.run({**RECIPE, "weights": "nowhere.pth"}, workspace=place)
    assert not place.exists()


def test_a_published_file_that_is_damaged_is_told_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half of it")
    fields = {**RECIPE, "data": "digits", "model": "resnet18", "weights": "torchvision"}
    line = f"weights: {file}: damaged, its SHA-256 begins {sha256(file)[:8]}; fetch it again"
    with pytest.raises(InputError, match=f"^{re.escape(line)}$"):
        ff.run(fields, workspace=tmp_path)


def test_from_the_command_line(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(load_recipe(RECIPE, STILL)[1].to_yaml(), encoding="utf-8")
    command = ["run", str(file), "--weights", str(weights), "--workspace", str(tmp_path), "--json", "--quiet"]
    assert main(command) == 0
    run = Run(RunFolder.open(Path(json.loads(capsys.readouterr().out.splitlines()[-1])["folder"])))
    assert differences(run.model.state_dict(), stored(weights)) == []
    begun = f"{weights} (SHA-256 {sha256(weights)[:12]})"
    for shown in (["show", run.run_id, "--workspace", str(tmp_path)], ["show", str(file), f"weights={weights}"]):
        assert main(shown) == 0
        assert begun.replace(" ", "") in "".join(capsys.readouterr().out.split())  # lines are broken anywhere


def test_a_study_trains_anew_when_the_file_holds_something_else(weights: Path, tmp_path: Path) -> None:
    fields = recipe(weights).to_mapping()
    asked = Question({"moons": fields}, [Arm("as is", {}), Arm("drawn", {"weights": None})], [0], metric="test.loss")

    def losses() -> list[float]:
        return [arm["cells"][0]["score"] for arm in compare(asked, tmp_path)["problems"][0]["arms"]]

    before, old = losses(), weights.read_bytes()
    torch.manual_seed(6)
    torch.save(MLP(2, [6], 2).state_dict(), weights)
    after = losses()
    assert after[0] != before[0]
    assert after[1] == before[1]
    weights.write_bytes(old)
    assert losses() == before


def test_a_stopped_cell_of_a_file_is_the_same_run(weights: Path, tmp_path: Path) -> None:
    with interrupted_after(2):
        run = start("cell", recipe(weights), tmp_path)
    assert resumed(run.folder).recipe.weights == Run(run.folder).recipe.weights
