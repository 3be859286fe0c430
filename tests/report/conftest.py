from pathlib import Path

import pytest

from fourfold.run.run import Run

SMALL = {"budget": {"steps": 12, "batch_size": 16, "validate_every": 4, "log_every": 2}}
RECIPES = {
    "pictures": {
        "title": "Pictures",
        "data": "digits",
        "model": {"name": "mlp", "widths": [12]},
        "loss": "cross_entropy",
        "algorithm": {"name": "supervised", "schedule": "cosine"},
        "expected": {"metric": "accuracy", "paper": 0.9, "ours": 0.91, "spread": 0.01, "seeds": 10},
        **SMALL,
    },
    "flowers": {
        "data": "iris",
        "model": "softmax_regression",
        "loss": "cross_entropy",
        "algorithm": "supervised",
        **SMALL,
    },
    "plane": {"data": "two_moons", "model": "mlp", "loss": "cross_entropy", "algorithm": "supervised", **SMALL},
    "numbers": {"data": "diabetes", "model": "linear_regression", "loss": "mse", "algorithm": "supervised", **SMALL},
    "intervals": {
        "data": {"name": "diabetes", "task": "probabilistic_regression"},
        "model": {"name": "mlp", "widths": [4]},
        "loss": "gaussian_nll",
        "algorithm": "supervised",
        **SMALL,
    },
}


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory):
    """Train each small recipe once a session."""
    from fourfold.run.api import run

    done: dict[str, Run] = {}
    workspace: Path = tmp_path_factory.mktemp("runs")

    def get(name: str) -> Run:
        if name not in done:
            done[name] = run(RECIPES[name], workspace=workspace)
        return done[name]

    return get
