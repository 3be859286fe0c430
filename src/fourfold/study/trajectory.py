"""A finished run trained again: the weights that it went through, and whatever else is looked at on the way.

A run keeps its last checkpoints only, and every draw of it belongs to a named stream, so the same recipe takes the same
path.

Checked by: the last state is the run's own weights; the first is what its seed draws.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.run import runtime
from fourfold.run.build import build_parts, build_training
from fourfold.run.processes import SingleProcess
from fourfold.run.run import Run
from fourfold.tasks.seam import Training


def _nobody(step: int) -> None:
    """Hear nothing."""


@contextmanager
def trained_again(run: Run) -> Iterator[Training]:
    """Give a run's algorithm at step 0, on the CPU; its steps are those that the run made there.

    Raises:
        InputError: its data cannot be read.
    """
    single = run.recipe.runtime.model_copy(update={"processes": 1, "device": "cpu", "compile": "none"})
    recipe = run.recipe.model_copy(update={"runtime": runtime.resolve_machine(single)})
    with torch.random.fork_rng(devices=[]):
        training, _, _ = build_training(recipe, build_parts(recipe), torch.device("cpu"), SingleProcess())
        yield training


def weights_along(
    run: Run,
    flat: Callable[[Mapping[str, Tensor]], Tensor],
    states: int = 25,
    heard: Callable[[int], None] = _nobody,
) -> list[Tensor]:
    """Return a run's weights at evenly spaced steps, its start first and its own weights last.

    The recipe is trained again on the CPU for as many steps as the run made. Where the run ended with other weights
    than those of its last step (the best after early stopping), the last state is apart from the path.

    Args:
        run: finished.
        flat: weights by name to a vector `[weights]`, such as `Objective.flat`.
        states: how many, at least 4; fewer where the run has fewer steps.
        heard: told how many steps are made.

    Raises:
        InputError: the run has too few steps, its data cannot be read, or it has other weights than it is trained on.
        DivergedError: training stopped being finite.
    """
    steps = int(run.result["steps"])
    if steps < 3:
        raise InputError(f"{run.run_id}: a path needs at least 3 steps, and it has {steps}")
    wanted = {round(i * steps / (max(states, 4) - 1)) for i in range(max(states, 4) - 1)}
    path: list[Tensor] = []
    with trained_again(run) as training:
        for step in range(steps):
            if step in wanted:
                path.append(_weights(training.model, flat, run))
            training.step()
            heard(step + 1)
        training.check()
    return [*path, flat(dict(run.model.named_parameters()))]


def _weights(model: torch.nn.Module, flat: Callable[[Mapping[str, Tensor]], Tensor], run: Run) -> Tensor:
    try:
        return flat(dict(model.named_parameters())).clone()
    except KeyError:
        raise InputError(f"{run.run_id}: its algorithm trains other weights than it ends with; no path") from None
