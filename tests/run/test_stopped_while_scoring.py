"""A signal after the last step: the scores are left at the next layer, and resuming only scores.

The clock of a test is the number of layers that were asked since the last checkpoint: whatever a task does to score a
model, it asks layers.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from stopping import around_steps, differences, remains, resumed
from torch.nn.modules.module import register_module_forward_pre_hook

from fourfold.core.recipe import Recipe
from fourfold.records.folder import RunFolder
from fourfold.run.loop import Outcome
from fourfold.run.parts import load_recipe
from fourfold.run.run import Run, start
from fourfold.run.session import Session

BUDGET = {"steps": 3, "batch_size": 8, "validate_every": 3, "log_every": 2}
SMALL: dict[str, Any] = {"budget": BUDGET, "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"}}
PAIRS = "".join(
    f"the {a} sees a {b}\tein {a} sieht {b}\n" for a in ("cat", "dog", "cow") for b in ("bird", "fish", "fox")
)
RECIPES: dict[str, dict[str, Any]] = {
    "labelled rows": {
        "data": {"name": "two_moons", "num_examples": 60},
        "model": {"name": "mlp", "widths": [6]},
        "loss": "cross_entropy",
        "algorithm": "supervised",
    },
    "episodes": {
        "data": {"name": "gym", "validation_episodes": 1, "test_episodes": 1},
        "model": {"name": "mlp", "widths": [4]},
        "loss": "td_error",
        "algorithm": {"name": "q_learning", "capacity": 14, "learning_starts": 3, "train_every": 2},
    },
    "made points": {
        "data": {"name": "gaussians", "examples": 40, "scored": 30},
        "model": {"name": "gan", "latent": 2, "generator_widths": [6], "discriminator_widths": [6]},
        "loss": "non_saturating",
        "algorithm": "adversarial",
    },
    "made pictures, by a judge": {
        "data": {"name": "unlabelled_pictures", "of": "digits", "scored": 20},
        "model": {"name": "dcgan", "width": 4, "latent": 5},
        "loss": "minimax",
        "algorithm": "adversarial",
    },
    "translations": {
        "data": {"name": "pairs", "path": "PAIRS"},
        "model": {"name": "seq2seq", "width": 8, "embedding": 8},
        "loss": "cross_entropy",
        "algorithm": "supervised",
    },
    "two views": {
        "data": {"name": "two_views", "of": "digits"},
        "model": {"name": "simclr", "encoder": {"name": "mlp", "widths": [12]}, "projected": 5},
        "loss": "nt_xent",
        "algorithm": "supervised",
    },
}


def recipe_of(task: str, folder: Path) -> Recipe:
    parts = {**SMALL, **RECIPES[task]}
    if parts["data"].get("path"):
        (folder / "pairs.tsv").write_text(PAIRS, encoding="utf-8")
        parts["data"] = {**parts["data"], "path": str(folder / "pairs.tsv")}
    return load_recipe(parts)[1]


@contextmanager
def layers_after_the_last_step(interrupt_at: int | None = None) -> Iterator[list[str]]:
    """Give the layers that were asked since the final checkpoint; send a signal once there are so many."""
    asked: list[str] = []
    ended = False
    checkpoint = Session._checkpoint

    def heard(session: Session, outcome: Outcome, pending: Any) -> None:
        nonlocal ended
        checkpoint(session, outcome, pending)
        ended = outcome.status == "done"

    def hook(layer: Any, *_: Any) -> None:
        if ended:
            asked.append(type(layer).__name__)
            if len(asked) == interrupt_at:
                signal.raise_signal(signal.SIGTERM)

    handle = register_module_forward_pre_hook(hook)
    try:
        with patch.object(Session, "_checkpoint", heard):
            yield asked
    finally:
        handle.remove()


def start_and_stop_while_scoring(recipe: Recipe, workspace: Path, at: int) -> Run:
    with layers_after_the_last_step(interrupt_at=at) as asked:
        run = start("run", recipe, workspace)
    assert asked[at:] == [], "it went on"
    return run


@pytest.mark.promise("R4")
@pytest.mark.parametrize("task", RECIPES)
def test_a_signal_while_it_is_scored_leaves_the_scores_and_resuming_only_scores(task: str, tmp_path: Path) -> None:
    recipe = recipe_of(task, tmp_path)
    with layers_after_the_last_step() as asked:
        whole = start("run", recipe, tmp_path / "whole")
    for at in (2, len(asked) // 2):
        run = start_and_stop_while_scoring(recipe, tmp_path / f"stopped-{at}", at)
        assert (run.status, run.result["stopped_because"], run.metrics) == ("interrupted", "SIGTERM", {})
        assert (run.result["steps"], run.result["findings"]) == (3, [])

        def refuse(*_: Any) -> Any:
            raise AssertionError("a step was made")

        with around_steps(refuse):
            again = resumed(RunFolder.open(run.folder.path))
        assert differences(remains(again), remains(whole)) == []
