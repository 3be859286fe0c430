"""Systems whose loop is not predict, compare, descend: `fourfold run`, killed after any step, and resumed."""

import json
from pathlib import Path
from typing import Any

import pytest
from killing import killed_and_resumed, run

RUNTIME = {"device": "cpu", "threads": 1, "precision": "fp32"}
BUDGET = {"steps": 6, "batch_size": 8, "validate_every": 4, "log_every": 3, "checkpoint_every": 2}
SYSTEMS: dict[str, dict[str, Any]] = {
    "gan": {
        "data": {"name": "gaussians", "examples": 2000},
        "model": {"name": "gan", "latent": 2, "generator_widths": [5], "discriminator_widths": [6], "pieces": 2},
        "loss": "minimax",
        "algorithm": {
            "name": "adversarial",
            "discriminator_steps": 2,
            "label_noise": 0.1,
            "regularizers": [{"name": "ema", "decay": 0.5}],
        },
        "budget": BUDGET,
    },
    "simclr": {
        "data": {"name": "two_views", "of": "digits", "compared": 32, "augment": [{"name": "pad_crop", "pad": 1}]},
        "model": {"name": "simclr", "encoder": "lenet5", "projected": 4},
        "loss": "nt_xent",
        "algorithm": {"name": "supervised", "optimizer": {"name": "lars", "lr": 0.2}, "schedule": "cosine"},
        "budget": BUDGET,
    },
    "dqn": {
        "data": {"name": "gym", "validation_episodes": 1, "test_episodes": 1},
        "model": {"name": "dueling_mlp", "widths": [4]},
        "loss": "td_error",
        "algorithm": {
            "name": "q_learning",
            "capacity": 14,
            "learning_starts": 5,
            "train_every": 2,
            "target_every": 3,
            "epsilon_moves": 20,
            "prioritised": True,
            "environments": 2,
        },
        "budget": {**BUDGET, "steps": 12, "batch_size": 4},
    },
}


@pytest.mark.promise("R1")
@pytest.mark.parametrize("name", SYSTEMS)
def test_killed_after_any_step_and_resumed(name: str, tmp_path: Path) -> None:
    recipe = tmp_path / f"{name}.yaml"
    recipe.write_text(json.dumps({**SYSTEMS[name], "runtime": RUNTIME}), encoding="utf-8")
    whole = run(recipe, tmp_path / "whole")
    last = SYSTEMS[name]["budget"]["steps"]
    assert whole["step"] == last
    killed_and_resumed(recipe, range(1, last), whole, tmp_path)
