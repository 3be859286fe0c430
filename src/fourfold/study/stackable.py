"""Which runs can be trained as one stack, and where that is faster.

Checked by: every reason by a recipe that has it; what a reason does not cover is caught by a trial of two.
"""

import math
from collections.abc import Sequence
from itertools import islice

import torch

from fourfold.algorithms.stacked_rows import ELEMENTWISE_REGULARIZERS, NETWORKWISE_REGULARIZERS
from fourfold.algorithms.supervised import SupervisedConfig
from fourfold.core.recipe import WORDS, Recipe
from fourfold.data.in_memory import InMemorySource
from fourfold.nn.stacked import HasStackedForward, stacked_gradient
from fourfold.run import runtime
from fourfold.run.build import Parts, batch_size_of, build_parts
from fourfold.tasks.seam import Batch

SEEN = (*WORDS, "seed")  # what a recipe says about itself, and what cells may differ in

SMALL = 20e6  # operations of one run's step, above which a stack saves less than a tenth of the time
FEW = 4  # runs, below which it saves less than a third
MOST = 64  # runs
MEMORY = 2 << 30  # bytes that the data of one stack may take, if each run has data of its own


def pays(recipes: Sequence[Recipe]) -> bool:
    """Return whether a stack is faster than the runs one by one, on as many cores; `can_stack` has said that it can be.

    What a stack saves is the overhead of a step, so it pays where that is much of it. Measured on two Zen 4 cores, MLPs
    of one to three layers on digits, seconds of one run's step over a stack's divided by its size: with 1.8 million
    operations 1.9 (stack of 4) and 4.3 (stack of 16), with 10 million 1.3 and 1.8, with 16 million 1.1 and 1.4, with
    32 million 1.0 and 1.2, with 116 million 1.0 and 1.1. A model without a twin, and a GPU, count as not paying,
    for neither was measured. The answer depends on the recipe alone, and so does not differ between two attempts at a
    study.

    Raises:
        InputError: the first one's parts cannot be built.
    """
    machine = runtime.resolve_machine(recipes[0].runtime)
    if len(recipes) < FEW or machine.device != "cpu" or room(recipes[0]) < FEW:
        return False
    parts = build_parts(recipes[0])
    operations = 6 * sum(p.numel() for p in parts.model.parameters()) * batch_size_of(recipes[0], parts.source)
    return isinstance(parts.model, HasStackedForward) and operations <= SMALL


def room(recipe: Recipe) -> int:
    """Return how many runs a stack may have for its data to fit into memory, one or more.

    Raises:
        InputError: the recipe's data cannot be read.
    """
    source = build_parts(recipe).source
    numbers = sum(source.sizes.values()) * source.spec.input.size
    return max(1, min(MOST, MEMORY // (numbers * 4 * 3)))  # float32: raw, encoded, and in the table of the stack


def can_stack(recipes: Sequence[Recipe]) -> str | None:
    """Return why runs cannot be trained as one stack, in one line, or None where they can.

    They may differ in seed, optimizer, schedule and the regularizers named below, and in nothing else. The first one's
    parts are built to look at them.

    Raises:
        InputError: the first one's parts cannot be built.
    """
    for recipe in recipes:
        if reason := _reason_in(recipe):
            return reason
    first = _shared(recipes[0])
    for recipe in recipes:
        other = _shared(recipe)
        for key in first | other:
            if first.get(key) != other.get(key):
                return f"{key}: differs between them; a stack's runs differ in seed, optimizer and the like only"
    return _reason_in_parts(recipes[0], build_parts(recipes[0]))


def _reason_in(recipe: Recipe) -> str | None:
    """Return what in one recipe a stack cannot do."""
    algorithm, machine = recipe.algorithm, recipe.runtime
    if not isinstance(algorithm, SupervisedConfig):
        return f"algorithm: only supervised can be stacked, and not {algorithm.name}"
    if algorithm.freeze or algorithm.lr_factors:
        field = "freeze" if algorithm.freeze else "lr_factors"
        return f"algorithm.{field}: a stack moves every parameter at one learning rate"
    known = (*ELEMENTWISE_REGULARIZERS, *NETWORKWISE_REGULARIZERS)
    for regularizer in algorithm.regularizers:
        if regularizer.name not in known:
            return f"algorithm.regularizers: {regularizer.name} acts on one run; stacked are {', '.join(known)}"
    if machine.processes > 1:
        return "runtime.processes: a stack is one process"
    if machine.accumulate > 1:
        return "runtime.accumulate: a stack takes each batch whole"
    if machine.compile != "none":
        return "runtime.compile: a stack is not compiled"
    if recipe.weights is not None:
        return "weights: a stack's weights are drawn"
    if recipe.budget.checkpoint_every is not None:
        return "budget.checkpoint_every: a stack has no checkpoints on the way"
    return None


def _reason_in_parts(recipe: Recipe, parts: Parts) -> str | None:
    """Return what in a recipe's data, model or loss a stack cannot do."""
    model, machine = parts.model, runtime.resolve_machine(recipe.runtime)
    if not isinstance(parts.source, InMemorySource):
        return f"data: {recipe.data.name} is not held in memory"
    batch_size = batch_size_of(recipe, parts.source)
    precision = runtime.resolve_model(machine, model, batch_size, parts.source.spec).precision
    if precision != "fp32":
        return f"runtime.precision: a stack computes in fp32, and not in {precision}; set runtime.precision=fp32"
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd):
            return f"model: its layer '{name}' draws at random ({type(module).__name__})"
    if any(True for _ in model.buffers()):
        return f"model: {recipe.model.name} has buffers, such as running statistics, beside its parameters"
    if not all(p.requires_grad and p.dtype == torch.float32 for p in model.parameters()):
        return f"model: {recipe.model.name} has parameters that are not trained, or not in fp32"
    return _reason_in_trial(recipe, parts)


def _reason_in_trial(recipe: Recipe, parts: Parts) -> str | None:
    """Return what is wrong with a stack of two on one batch, or None where it gives what each gives alone."""
    half = parts.source.sizes["train"] // 2
    if half == 0:
        return "data: one training example"
    batches = list(islice(parts.source.split("train", min(4, half)), 2))
    inputs = tuple(torch.stack(both) for both in zip(*(batch.inputs for batch in batches), strict=True))
    batch = Batch(inputs, torch.stack([batch.targets for batch in batches]))
    named = dict(parts.model.named_parameters())
    params = {name: torch.stack([param.detach()] * 2) for name, param in named.items()}
    found = {name: torch.zeros_like(param) for name, param in params.items()}
    try:
        alone = [parts.loss(parts.model(*batch.inputs), batch) for batch in batches]
        grads = [torch.autograd.grad(value.total, list(named.values()), allow_unused=True) for value in alone]
        if idle := [name for name, grad in zip(named, grads[0], strict=True) if grad is None]:
            return f"model: its parameter '{idle[0]}' has no part in the output"
        totals = stacked_gradient(parts.model, parts.loss)(params, batch, found)
    except Exception as error:  # of a user's own part, or of torch's, which cannot map everything
        return f"model or loss: cannot be stacked: {str(error).strip().splitlines()[0]}"
    if any(value.parts or value.count != len(batch.targets) for value, batch in zip(alone, batches, strict=True)):
        return f"loss: {recipe.loss.name} is not one sum over examples"
    for mine, value in zip(totals.tolist(), alone, strict=True):
        if not math.isclose(mine, value.total.item(), rel_tol=1e-3, abs_tol=1e-5):
            return f"model or loss: {mine:g} in a stack, but {value.total.item():g} alone"
    for row, own in enumerate(grads):
        for (name, mine), grad in zip(found.items(), own, strict=True):
            if grad is not None and not torch.allclose(mine[row], grad, rtol=1e-3, atol=1e-4):
                return f"model or loss: the gradient of '{name}' is another one in a stack"
    return None


def _shared(recipe: Recipe) -> dict[str, object]:
    """Return what all runs of a stack have in common."""
    fields = {key: value for key, value in recipe.to_mapping().items() if key not in SEEN}
    fields["algorithm"] = recipe.algorithm.name
    return fields
