"""MLflow: against a local store where it is installed, against a stand-in for its client everywhere."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fourfold.records.trackers.mlflow import MLflow

RECIPE = {"model": {"name": "mlp", "widths": list(range(400))}, **{f"key{i}": i for i in range(150)}}


class Client:
    """As much of MlflowClient as is used, with its real limit on a batch."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        Client.last = self  # type: ignore[attr-defined]

    def get_experiment_by_name(self, name: str) -> None:
        return None

    def create_experiment(self, name: str) -> str:
        self.calls.append(("experiment", name))
        return "7"

    def create_run(self, experiment: str, run_name: str, tags: dict[str, str]) -> Any:
        self.calls.append(("run", experiment, run_name, tags))
        return SimpleNamespace(info=SimpleNamespace(run_id="abc"))

    def log_batch(self, run: str, metrics: list = [], params: list = []) -> None:  # noqa: B006
        assert len(params) <= 100
        self.calls.append(("batch", run, metrics, params))

    def set_terminated(self, run: str, status: str) -> None:
        self.calls.append(("end", run, status))


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    package, entities = ModuleType("mlflow"), ModuleType("mlflow.entities")
    package.MlflowClient, entities.Metric, entities.Param = Client, tuple_of("metric"), tuple_of("param")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", package)
    monkeypatch.setitem(sys.modules, "mlflow.entities", entities)


def tuple_of(kind: str) -> Any:
    return lambda *values: (kind, *values)


@pytest.mark.parametrize(
    ("status", "word"), [("done", "FINISHED"), ("interrupted", "KILLED"), ("diverged", "FAILED"), ("running", "FAILED")]
)
def test_the_client_is_told_everything(stand_in, tmp_path: Path, status: str, word: str):
    tracker = MLflow(tmp_path)
    tracker.start("digits-mlp-1", RECIPE)
    tracker.log(3, {"train.loss": 0.5})
    tracker.finish(status)
    calls = Client.last.calls  # type: ignore[attr-defined]
    assert calls[:2] == [("experiment", "fourfold"), ("run", "7", "digits-mlp-1", {"fourfold.folder": str(tmp_path)})]
    params = {param[1]: param[2] for call in calls if call[0] == "batch" for param in call[3]}
    assert params["model.name"] == "mlp"
    assert len(params) == 152
    assert len(params["model.widths"]) == 500  # cut to what the server takes
    ((_, _, metrics, _),) = [call for call in calls if call[0] == "batch" and call[2]]
    assert [(name, value, step) for _, name, value, _, step in metrics] == [("train.loss", 0.5, 3)]
    assert calls[-1] == ("end", "abc", word)


SCRIPT = """
import json, pathlib, sys
from fourfold.records.trackers.mlflow import MLflow
tracker = MLflow(pathlib.Path(sys.argv[1]))
tracker.start("digits-mlp-1", json.loads(sys.argv[2]))
for step in range(3):
    tracker.log(step, {"train.loss": step / 2})
tracker.finish("done")
from mlflow import MlflowClient
client = MlflowClient()
(run,) = client.search_runs([client.get_experiment_by_name("fourfold").experiment_id])
curve = [(metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, "train.loss")]
print(json.dumps([run.info.run_name, run.info.status, run.data.params["model.name"], len(run.data.params), curve]))
"""


@pytest.mark.skipif(find_spec("mlflow") is None, reason="needs the extra mlflow")
def test_a_real_store_has_the_run(tmp_path: Path):
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    command = [sys.executable, "-X", "utf8", "-c", SCRIPT, str(tmp_path), json.dumps(RECIPE)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    assert answer == ["digits-mlp-1", "FINISHED", "mlp", 152, [[0, 0.0], [1, 0.5], [2, 1.0]]]
