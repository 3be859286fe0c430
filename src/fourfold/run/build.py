"""From a recipe to its four parts at work."""

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from fourfold.core.config import PartConfig
from fourfold.core.errors import InputError
from fourfold.core.recipe import Recipe
from fourfold.core.seeds import stream_seed
from fourfold.models import MODELS
from fourfold.run import runtime
from fourfold.run.beginning import Beginning, beginning_of
from fourfold.run.checkpoint import seed_random_state
from fourfold.run.loop import Schedule, plan_schedule
from fourfold.run.processes import ManyProcesses, SingleProcess
from fourfold.tasks.seam import Loss, Plan, Source, Spec, Training


class Parts(NamedTuple):
    """Three of the four parts, before an algorithm moves anything; enough to evaluate or predict."""

    source: Source
    model: nn.Module
    loss: Loss


def data_cache() -> Path:
    """Return where downloaded data are kept: `FOURFOLD_DATA`, or `~/.cache/fourfold`."""
    return Path(os.environ.get("FOURFOLD_DATA") or Path.home() / ".cache" / "fourfold")


def build_parts(recipe: Recipe, beginning: Beginning | None = None) -> Parts:
    """Build data, model and loss on the CPU; the weights are drawn from the seed's `init` stream, or begun from a file.

    Args:
        recipe: what to build.
        beginning: its weights, if they were looked up already.

    Raises:
        InputError: the parts do not fit each other, or the data or the weights cannot be read.
    """
    beginning = beginning or beginning_of(recipe)
    source = recipe.data.build(recipe.seed, data_cache())  # type: ignore[attr-defined]
    if beginning is not None:
        beginning.check_tokens(source)
    return Parts(source, build_network(recipe, source.spec, beginning), recipe.loss.build(source.spec))  # type: ignore[attr-defined]


def build_network(recipe: Recipe, spec: Spec, beginning: Beginning | None = None) -> nn.Module:
    """Build what the algorithm trains: the recipe's model, or an ensemble of it; drawn from streams of its seed.

    Args:
        recipe: what to build.
        spec: what the data promises.
        beginning: weights to begin from; None leaves them as drawn, for a checkpoint to replace.

    Raises:
        InputError: it does not fit the data, or into memory; or the weights do not fit it.
    """

    def draw(seed: int) -> nn.Module:
        model = build_model(recipe.model, spec, seed)
        return model if beginning is None else beginning.begin(model, spec)

    algorithm: Any = recipe.algorithm
    return algorithm.network(draw, spec, recipe.seed)


def build_model(config: PartConfig, spec: Spec, seed: int) -> nn.Module:
    """Build a network; its weights are drawn from the seed's `init` stream.

    Raises:
        InputError: it does not fit the data, or into memory.
    """
    own = getattr(config, "own_task", None)
    if own != spec.task and (spec.own_models or own is not None):
        made_for = f"is for {own}" if own is not None else f"takes no batches of {spec.task}"
        raise InputError(f"model: {config.name} {made_for}, and this data poses {spec.task}{_models_for(spec)}")
    with torch.random.fork_rng(devices=[]):
        seed_random_state(stream_seed(seed, "init"), torch.device("cpu"))
        try:
            return config.build(spec)  # type: ignore[attr-defined]
        except (RuntimeError, MemoryError) as error:  # torch cannot have that much memory, or cannot even count it
            if isinstance(error, MemoryError) or "allocate" in str(error):
                raise InputError(f"model: this {config.name} does not fit into memory{_takes(config, spec)}") from error
            first = str(error).strip().splitlines()[:1] or [type(error).__name__]
            raise InputError(f"model: {config.name} cannot be built like this: {first[0]}") from error


def _takes(config: PartConfig, spec: Spec) -> str:
    """Return how much memory a network's weights take, in words to end an error with; empty where nobody can tell."""
    try:
        with torch.device("meta"):
            model = config.build(spec)  # type: ignore[attr-defined]
    except (RuntimeError, MemoryError):  # drawn by a rule that needs numbers
        return ""
    size = sum(param.numel() * param.element_size() for param in model.parameters())
    return f": its weights alone take {max(1, round(size / 1e9)):,} GB"


def _models_for(spec: Spec) -> str:
    """Return which models were made for a task that takes no others, in words to end an error with."""
    if not spec.own_models:
        return ""
    own = [name for name in MODELS if getattr(MODELS[name].load(), "own_task", None) == spec.task]
    return f"; made for it: {', '.join(own)}" if own else ""


def batch_size_of(recipe: Recipe, source: Source) -> int:
    """Return the examples of one update: what the budget says, at most the whole training split.

    Raises:
        InputError: it has fewer examples than there are processes to share it.
    """
    num_train = source.sizes["train"]
    batch_size = num_train if recipe.budget.batch_size == "full" else min(recipe.budget.batch_size, num_train)
    if recipe.runtime.processes > batch_size:
        raise InputError(
            f"runtime.processes: {recipe.runtime.processes} processes cannot share batches of {batch_size}; "
            f"the nearest valid number is {batch_size}"
        )
    return batch_size


def build_training(
    recipe: Recipe, parts: Parts, device: torch.device, processes: ManyProcesses | SingleProcess
) -> tuple[Training, Schedule, Plan]:
    """Build the algorithm around placed parts, at step 0; `recipe.runtime` is resolved.

    Raises:
        InputError: the algorithm does not fit the other parts or the budget.
    """
    batch_size = batch_size_of(recipe, parts.source)
    steps_per_epoch = math.ceil(parts.source.sizes["train"] / batch_size)
    schedule = plan_schedule(recipe.budget, steps_per_epoch)
    plan = Plan(
        seed=recipe.seed,
        steps=schedule.steps,
        batch_size=batch_size,
        steps_per_epoch=steps_per_epoch,
        accumulate=recipe.runtime.accumulate,
        compile=recipe.runtime.compile,
        device=device,
        autocast=runtime.autocast(recipe.runtime),
        processes=processes,
    )
    # Dropout draws from torch's global generator: its own stream, another one in each process.
    seed_random_state(stream_seed(recipe.seed, "dropout", processes.rank), device)
    training = recipe.algorithm.build(parts.model, parts.loss, parts.source, plan)  # type: ignore[attr-defined]
    return training, schedule, plan
