"""Fourfold from Python: `ff.run`, `ff.resume`, `ff.open_run`, and a package that can be called."""

import json
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest
import torch

import fourfold as ff
from fourfold.core.errors import DivergedError, FourfoldError, InputError
from fourfold.records.folder import RunFolder
from fourfold.run.watch import Setup, Watcher

RECIPE: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60},
    "model": {"name": "mlp", "widths": [6], "dropout": 0.2},
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "optimizer": {"name": "sgd", "lr": 0.1}},
    "budget": {"steps": 6, "batch_size": 16, "validate_every": 2, "log_every": 1},
    "runtime": {"device": "cpu", "threads": 1},
}


def weights(run: ff.Run) -> dict[str, torch.Tensor]:
    return run.model.state_dict()


def same_weights(a: ff.Run, b: ff.Run) -> bool:
    return all(torch.equal(weights(a)[name], weights(b)[name]) for name in weights(a))


def test_a_run_has_model_metrics_and_curves(tmp_path: Path) -> None:
    run = ff.run("digits-mlp", overrides={"budget.epochs": 1, "algorithm.optimizer.lr": 1e-2}, workspace=tmp_path)
    assert (run.status, run.run_id, run.folder.path) == ("done", "digits-mlp-1", tmp_path / "digits-mlp-1")
    assert isinstance(run.model, torch.nn.Module)
    assert not run.model.training
    assert set(run.metrics) == {"train", "validation", "test"}
    steps, accuracy = run.curve("validation.accuracy")[-1]
    assert steps == run.result["steps"]
    assert accuracy == run.metrics["validation"]["accuracy"]
    assert run.metrics["test"]["accuracy"] > 0.5
    source = run.parts.source
    hits = total = 0
    with torch.inference_mode():
        for batch in source.split("test", 50):
            hits += int((run.model(*batch.inputs).argmax(1) == batch.targets).sum())
            total += len(batch.targets)
    assert run.metrics["test"]["accuracy"] == pytest.approx(hits / total)


def test_a_recipe_may_be_a_name_a_file_a_mapping_or_a_recipe(tmp_path: Path) -> None:
    name, recipe = ff.load_recipe(RECIPE)
    file = tmp_path / "나의 요리법.yaml"
    file.write_text(recipe.to_yaml(), encoding="utf-8")
    runs = [ff.run(each, workspace=tmp_path / "runs") for each in (RECIPE, recipe, file, str(file))]
    assert all(same_weights(runs[0], run) for run in runs[1:])
    assert name == "recipe"
    assert [run.result["recipe"] for run in runs] == ["recipe", "recipe", "나의 요리법", "나의 요리법"]


@pytest.mark.promise("R12")
def test_same_seed_same_bits_and_another_seed_differs(tmp_path: Path) -> None:
    first = ff.run(RECIPE, seed=3, workspace=tmp_path)
    torch.rand(7)  # what happens in between is no part of a run
    again = ff.run(RECIPE, {"seed": 3}, workspace=tmp_path)
    other = ff.run(RECIPE, seed=4, workspace=tmp_path)
    assert same_weights(first, again)
    assert first.curve("train.loss") == again.curve("train.loss")
    assert first.metrics == again.metrics
    assert not same_weights(first, other)


@pytest.mark.promise("R10")
def test_running_again_from_the_record_gives_the_same_bits(tmp_path: Path) -> None:
    run = ff.run({**RECIPE, "loss": "usual", "runtime": {}}, seed=5, workspace=tmp_path)
    again = ff.run(run.folder.path / "recipe.yaml", workspace=tmp_path)
    assert same_weights(run, again)
    assert run.curve("train.loss") == again.curve("train.loss")
    assert run.folder.recipe() == again.folder.recipe()


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"model.widht": 9}, "model.widht: no such field; did you mean 'widths'?"),
        ({"model": "mpl"}, "model: no model called 'mpl'; did you mean 'mlp'?"),
        ({"algorithm.optimizer.lr": -1}, "algorithm.optimizer.lr: "),
        ({"data.folds": 5}, "data.folds: give data.fold for one fold, or call fourfold.cross_validate"),
        ({"runtime.compile": "step", "runtime.accumulate": 2}, "runtime.compile: 'step' is for one process without"),
        ({"loss": "mse"}, "mse is for regression, but this data poses classification"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_created(overrides: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        ff.run(RECIPE, overrides, workspace=tmp_path / "runs")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_the_workspace_is_the_one_given_else_the_environment_s_else_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOURFOLD_WORKSPACE", str(tmp_path / "from environment"))
    assert ff.run(RECIPE, workspace="given").folder.path.parent == Path("given")
    assert ff.run(RECIPE).folder.path.parent == tmp_path / "from environment"
    monkeypatch.delenv("FOURFOLD_WORKSPACE")
    assert ff.run(RECIPE).folder.path.parent == Path("runs")
    assert ff.open_run("recipe-1").run_id == "recipe-1"


def test_a_recorded_run_opens_by_name_and_by_folder(tmp_path: Path) -> None:
    run = ff.run(RECIPE, workspace=tmp_path)
    by_name, by_folder = ff.open_run("recipe-1", tmp_path), ff.open_run(run.folder.path)
    assert by_name.metrics == by_folder.metrics == run.metrics
    assert same_weights(by_name, run)
    with pytest.raises(InputError, match=r"no run 'recipe-7' in .*; did you mean 'recipe-1'\?$"):
        ff.open_run("recipe-7", tmp_path)
    with pytest.raises(InputError, match=r"did you mean 'validation.accuracy'\?$"):
        run.curve("validation.acuracy")
    assert ff.resume("recipe-1", workspace=tmp_path).result == run.result  # finished: returned as it is


def test_an_interrupted_run_is_resumed(tmp_path: Path) -> None:
    from stopping import interrupted_after

    whole = ff.run(RECIPE, workspace=tmp_path / "whole")
    with interrupted_after(3):
        assert ff.run(RECIPE, workspace=tmp_path).status == "interrupted"
    run = ff.resume("recipe-1", workspace=tmp_path)
    assert run.status == "done"
    assert same_weights(run, whole)


def test_a_diverged_run_raises_and_is_recorded(tmp_path: Path) -> None:
    overrides = {"data": "diabetes", "loss": "mse", "model": "linear_regression", "algorithm.optimizer.lr": 1e30}
    overrides |= {"budget.log_every": 5, "budget.validate_every": 6}
    with pytest.raises(DivergedError, match=r"^step [1-4]: ") as caught:  # before anything was read
        ff.run(RECIPE, overrides, workspace=tmp_path)
    run = ff.open_run("recipe-1", tmp_path)
    assert run.status == "diverged"
    assert run.result["steps"] == caught.value.step


def test_a_watcher_hears_what_happens(tmp_path: Path) -> None:
    heard: list[Any] = []

    class Listening(Watcher):
        def started(self, setup: Setup) -> None:
            heard.append((setup.run_id, setup.steps))

        def progressed(self, step: int, metrics: Any, examples_per_second: float) -> None:
            heard.append(step)

        def ended(self, status: str) -> None:
            heard.append(status)

    ff.run(RECIPE, workspace=tmp_path, watcher=Listening())
    assert heard == [("recipe-1", 6), 1, 2, 3, 4, 5, 6, "done"]


def python(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_the_package_can_be_called_before_and_after_its_modules_are_imported(tmp_path: Path) -> None:
    code = f"""
import sys
import fourfold as ff
assert "torch" not in sys.modules
assert {{"run", "resume", "Recipe", "losses"}} <= set(dir(ff))
first = ff.run({RECIPE!r}, seed=1)
import fourfold.run.run
from fourfold.run import run as module
second = ff.run({RECIPE!r}, seed=1)
assert module is sys.modules["fourfold.run.run"] and ff.Run is module.Run
import fourfold.run.api
third = fourfold.run({RECIPE!r}, seed=1)
import fourfold
assert fourfold.run.api.run({RECIPE!r}, seed=1).metrics == first.metrics == second.metrics == third.metrics
print(third.run_id)
"""
    assert python(code, tmp_path) == "recipe-3"


def test_what_goes_wrong_can_be_caught_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ff.InputError, match="did you mean 'widths'"):
        ff.run(RECIPE, {"model.widht": 9}, workspace=tmp_path)
    assert issubclass(ff.InputError, ff.FourfoldError)
    assert issubclass(ff.DivergedError, ff.FourfoldError)


def test_a_name_that_is_not_there_is_an_attribute_error_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match=r"did you mean 'resume'\?$"):
        _ = ff.resum  # type: ignore[attr-defined]
    assert not hasattr(ff, "absent")
    assert ff.losses.CrossEntropy is __import__("fourfold.losses.cross_entropy", fromlist=["x"]).CrossEntropy


def test_parts_work_in_a_plain_loop() -> None:
    from fourfold.algorithms.optimizers import Adam
    from fourfold.losses import CrossEntropy
    from fourfold.models import MLP

    torch.manual_seed(0)
    images, labels = torch.randn(32, 1, 4, 4), torch.arange(32) % 3
    model, loss = MLP(16, [12], 3), CrossEntropy()
    optimizer = Adam(model.parameters(), lr=1e-2)
    before = loss(model(images), labels).mean.item()
    assert before == pytest.approx(torch.nn.functional.cross_entropy(model(images), labels).item())
    for _ in range(60):
        optimizer.zero_grad()
        loss(model(images), labels).mean.backward()
        optimizer.step()
    assert loss(model(images), labels).mean.item() < before / 2


def test_several_processes_from_python(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    recipe = {**RECIPE, "model": {"name": "mlp", "widths": [6]}}
    alone = ff.run(recipe, workspace=tmp_path)
    both = ff.run(recipe, {"runtime.processes": 2}, workspace=tmp_path)
    assert (both.status, both.recipe.runtime.processes) == ("done", 2)
    for name, weight in weights(alone).items():
        torch.testing.assert_close(weights(both)[name], weight, rtol=1e-4, atol=1e-6)
    assert capfd.readouterr() == ("", "")


def pretend(monkeypatch: pytest.MonkeyPatch, code: int, said: str) -> None:
    """Have every launch end with `code`, its first process having said `said`."""

    def launch(arguments: list[str], count: int, output: IO[bytes]) -> int:
        output.write(said.encode("utf-8"))
        return code

    monkeypatch.setattr("fourfold.run.api.launch", launch)


@pytest.mark.parametrize(
    ("code", "line", "error"),
    [
        (2, '{"error": "data.path: no such file"}', InputError),
        (3, '{"error": "step 4: loss is nan"}', DivergedError),
        (1, '{"error": "out of memory"}', FourfoldError),
        (130, "", FourfoldError),
    ],
)
def test_what_ends_the_processes_is_raised_here(
    code: int, line: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, code, f"some library's chatter\n{line}\n" if line else "")
    with pytest.raises(error) as raised:
        ff.run(RECIPE, {"runtime.processes": 2}, workspace=tmp_path)
    assert type(raised.value) is error
    assert str(raised.value) == (json.loads(line)["error"] if line else f"the processes ended with exit code {code}")


def test_what_a_part_prints_around_the_answer_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ff.run(RECIPE, workspace=tmp_path)
    answer = json.dumps({"folder": str(run.folder.path), "status": "done"})
    pretend(monkeypatch, 0, f'loading\n{answer}\nthank you\n7\n{{"mine": 1}}\n{{\n')
    assert ff.run(RECIPE, {"runtime.processes": 2}, workspace=tmp_path).run_id == run.run_id


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace of a run of two processes that is not finished; whoever starts processes now fails."""

    def launch(*_: object) -> int:
        raise AssertionError("processes were started")

    monkeypatch.setattr("fourfold.run.api.launch", launch)
    RunFolder.create(tmp_path, "begun", ff.load_recipe(RECIPE, {"runtime.processes": 2})[1].to_mapping(), {})
    return tmp_path


def test_a_script_that_torchrun_started_starts_no_more_processes(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes its place among those there are; here they are too many, which ends it before it waits for them."""
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    for call in (
        lambda: ff.run(RECIPE, {"runtime.processes": 2}, workspace=begun, watcher=Watcher()),
        lambda: ff.resume("begun-1", workspace=begun, watcher=Watcher()),
        lambda: ff.cross_validate({**RECIPE, "data": "iris"}, 3, {"runtime.processes": 2}, workspace=begun),
    ):
        with pytest.raises(InputError, match=r"^runtime\.processes: the recipe asks for 2 processes, the launcher"):
            call()


def test_a_watcher_that_would_hear_nothing_is_refused(begun: Path) -> None:
    for call in (
        lambda: ff.run(RECIPE, {"runtime.processes": 2}, workspace=begun, watcher=Watcher()),
        lambda: ff.resume("begun-1", workspace=begun, watcher=Watcher()),
        lambda: ff.cross_validate(
            {**RECIPE, "data": "iris"}, 3, {"runtime.processes": 2}, workspace=begun, watcher=Watcher()
        ),
    ):
        with pytest.raises(InputError, match=r"^watcher: cannot hear a run of several processes; leave it out, or use"):
            call()
    assert [path.name for path in begun.iterdir()] == ["begun-1"]


def test_an_interruption_of_several_processes_returns_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ff.run(RECIPE, workspace=tmp_path)
    pretend(monkeypatch, 130, json.dumps({"folder": str(run.folder.path), "status": "interrupted"}))
    assert ff.run(RECIPE, {"runtime.processes": 2}, workspace=tmp_path).run_id == run.run_id
