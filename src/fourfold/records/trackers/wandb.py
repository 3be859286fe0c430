"""Weights & Biases: a run in the project "fourfold", or the one that WANDB_PROJECT names.

Source: wandb.init and wandb.Run.
Checked by: wandb's offline mode where it is installed; a stand-in for it otherwise.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = "fourfold"


class WeightsAndBiases:
    """Its files go into the run folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self, run_id: str, recipe: Mapping[str, Any]) -> None:
        """Begin a run with the recipe as its config."""
        import wandb  # pyright: ignore[reportMissingImports]

        project = os.environ.get("WANDB_PROJECT", PROJECT)
        self._run = wandb.init(
            project=project, name=run_id, config=dict(recipe), dir=str(self._folder), reinit="create_new"
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Send the metrics of one step."""
        self._run.log(dict(values), step=step)

    def finish(self, status: str) -> None:
        """Close the run; any status but done is shown as failed."""
        self._run.finish(exit_code=0 if status == "done" else 1)
