"""MLflow: a run in the experiment "fourfold", on the server that MLFLOW_TRACKING_URI names.

Source: mlflow.MlflowClient.
Checked by: a local MLflow store where mlflow is installed; a stand-in for its client otherwise.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourfold.records.trackers import flatten

EXPERIMENT = "fourfold"
_A_BATCH = 100  # MLflow's own limit on params in a batch
_LONGEST = 500  # characters; what every MLflow server since 1.28 accepts
_STATUS = {"done": "FINISHED", "interrupted": "KILLED"}


class MLflow:
    """Uses the client, not MLflow's global active run: a program may track something of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self, run_id: str, recipe: Mapping[str, Any]) -> None:
        """Make the experiment if need be, the run, and its parameters."""
        from mlflow import MlflowClient  # pyright: ignore[reportMissingImports]
        from mlflow.entities import Metric, Param  # pyright: ignore[reportMissingImports]

        self._client, self._metric = MlflowClient(), Metric
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        number = experiment.experiment_id if experiment else self._client.create_experiment(EXPERIMENT)
        self._run = self._client.create_run(
            number, run_name=run_id, tags={"fourfold.folder": str(self._folder)}
        ).info.run_id
        params = [Param(key, value[:_LONGEST]) for key, value in flatten(recipe).items()]
        for start in range(0, len(params), _A_BATCH):
            self._client.log_batch(self._run, params=params[start : start + _A_BATCH])

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Send the metrics of one step."""
        now = int(time.time() * 1000)
        self._client.log_batch(self._run, metrics=[self._metric(n, v, now, step) for n, v in values.items()])

    def finish(self, status: str) -> None:
        """Close the run."""
        self._client.set_terminated(self._run, _STATUS.get(status, "FAILED"))
