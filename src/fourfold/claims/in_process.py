"""Networks trained in this process, for claims that need many small ones and no record of each.

What comes out of a recipe is the network that `fourfold run` gives, to the bit.

Checked by: a recorded run of the same recipe; the tests of the claims that train on a source.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from fourfold.core.recipe import Recipe
    from fourfold.run.build import Parts
    from fourfold.tasks.seam import Source


def train(
    recipe: str | Mapping[str, Any],
    overrides: Mapping[str, Any],
    prepare: "Callable[[Module], object] | None" = None,
) -> "tuple[Recipe, Parts]":
    """Return the recipe with its defaults, and its parts, the model trained to the end and in evaluation mode.

    Args:
        recipe: a shipped recipe's name, or a recipe as plain data.
        overrides: dotted, `seed` among them.
        prepare: may give the model other first weights.

    Raises:
        InputError: the recipe cannot be built.
        DivergedError: training stopped being finite.
    """
    import torch

    from fourfold.run.build import build_parts, build_training
    from fourfold.run.parts import load_recipe
    from fourfold.run.processes import SingleProcess

    _, chosen = load_recipe(recipe, {**overrides, "runtime.device": "cpu", "runtime.precision": "fp32"})
    parts = build_parts(chosen)
    if prepare is not None:
        prepare(parts.model)
    with torch.random.fork_rng(devices=[]):
        training, _, plan = build_training(chosen, parts, torch.device("cpu"), SingleProcess())
        for _ in range(plan.steps):
            training.step()
        training.check()
        training.finish()
    return chosen, parts._replace(model=training.model.eval())


def trained(model: "Module", source: "Source", seed: int, steps: int, batch_size: int, lr: float) -> "Module":
    """Return a network after so many steps on a source's training split: Adam over one cycle, the gradient clipped."""
    import torch

    from fourfold.algorithms import ALGORITHMS
    from fourfold.losses import LOSSES
    from fourfold.tasks.seam import Plan

    algorithm: Any = ALGORITHMS.parse(
        {
            "name": "supervised",
            "optimizer": {"name": "adam", "lr": lr},
            "schedule": {"name": "one_cycle"},
            "regularizers": [{"name": "gradient_clipping", "max_norm": 1.0}],
        },
        "algorithm",
    )
    loss: Any = LOSSES.parse("cross_entropy", "loss")
    with torch.random.fork_rng(devices=[]):
        training = algorithm.build(model, loss.build(source.spec), source, Plan(seed, steps, batch_size))
        for _ in range(steps):
            training.step()
        training.check()
        training.finish()
    return model.eval()


def outputs_on_test(parts: "Parts") -> "tuple[Tensor, Tensor]":
    """Return what a network says of the test split, and the targets; numbers to predict are in their own units."""
    import torch

    from fourfold.tasks.regression import RegressionSpec, in_own_unit

    with torch.inference_mode():
        batches = [(parts.model(*batch.inputs), batch.targets) for batch in parts.source.split("test", 4096)]
    output, targets = (torch.cat(each) for each in zip(*batches, strict=True))
    spec = parts.source.spec
    if not isinstance(spec, RegressionSpec):
        return output, targets
    mean, deviation = spec.target_mean, spec.target_deviation
    return in_own_unit(output, mean, deviation), in_own_unit(targets, mean, deviation)


def replicates(
    recipe: str | Mapping[str, Any],
    overrides: Mapping[str, Any],
    seeds: range,
    prepare: "Callable[[Module], object] | None" = None,
) -> "tuple[Tensor, Tensor]":
    """Return outputs and targets of the test split for each seed, `[replicates, examples, …]` each; see `train`."""
    import torch

    pairs = [outputs_on_test(train(recipe, {**overrides, "seed": seed}, prepare)[1]) for seed in seeds]
    outputs, targets = (torch.stack(each) for each in zip(*pairs, strict=True))
    return outputs, targets
