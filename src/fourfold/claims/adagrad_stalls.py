"""Adagrad divides by the root of all squared gradients so far, a sum that only grows; RMSprop forgets.

Two spirals are learned by a small network in mini-batches, once by each optimizer, with the step size that had the
lowest training loss half-way: of five, the same number for both, each around the optimizer's own default.

    rate      |update| / |gradient| of each weight, the median over weights: its median over the last tenth of the steps
              relative to that over the first tenth, what is left of the step
    progress  training loss at the end relative to that half-way: what is left to do after the second half
    whole     as `rate`, of all weights' update and gradient as one vector; told, not judged. This was the rule's first
              measure, and by it Adagrad kept nine tenths of its step where the rule asked for less than half. It is
              not what the source speaks of, each dimension's own rate: while those shrink, the gradient turns to
              weights that have moved little, whose rates are still large.

All three are judged and told as logarithms to base 2, so that -1 is a half, 0 is all of it, and 1 is twice as much: an
RMSprop now and then ends a thousand times above where it was half-way, and of such ratios one
seed alone would be the mean, as it was by the first rules. The margin of progress is a tenth more that is left.
"""

import math
from functools import cache
from typing import TYPE_CHECKING

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, greater, not_greater

if TYPE_CHECKING:
    from torch import Tensor

HALF, A_TENTH_MORE = -1.0, math.log2(1.1)
STEPS = {"quick": 300, "full": 2000}
LRS = {"adagrad": (0.003, 0.01, 0.03, 0.1, 0.3), "rmsprop": (0.0003, 0.001, 0.003, 0.01, 0.03)}


def score(arm: str, seed: int, size: Name) -> float:
    """Return log2 of what is left of the step or of the loss, of the best of an optimizer's step sizes."""
    measured, _, optimizer = arm.partition(": ")
    tried = [trained(optimizer, lr, seed, STEPS[size]) for lr in LRS[optimizer]]
    half, end, kept, whole = min(each for each in tried if each is not None)  # the lowest loss half-way
    return math.log2({"rate": kept, "whole": whole, "progress": end / half}[measured])


def rate_kept(rates: "Tensor") -> float:
    """Return the median of the last tenth of the rates `[steps]` relative to that of the first tenth."""
    tenth = max(1, len(rates) // 10)
    return float(rates[-tenth:].median() / rates[:tenth].median())


@cache
def trained(optimizer: str, lr: float, seed: int, steps: int) -> tuple[float, float, float, float] | None:
    """Return the training loss half-way and at the end, and `rate_kept` of the median weight and of the whole.

    None of a run that diverged.
    """
    import torch
    from torch.nn.utils import parameters_to_vector

    from fourfold.run.build import build_parts
    from fourfold.run.parts import load_recipe
    from fourfold.study.objective import split_batches
    from fourfold.study.paths import effective_rates
    from fourfold.tasks.seam import Order

    varied = {"data.data_seed": None, "data.split_seed": None, "seed": seed}
    _, recipe = load_recipe("spirals-mlp", {"algorithm.optimizer": {"name": optimizer, "lr": lr}, **varied})
    source, model, loss = build_parts(recipe)
    (whole,), stream = split_batches(source, "train", batch_size=10_000), source.train(Order(seed, 32))
    params, losses = list(model.parameters()), []
    moves = recipe.algorithm.optimizer.build(params)  # type: ignore[attr-defined]
    medians, sizes, norms = [], [], []
    for step in range(1, steps + 1):
        batch = next(stream)
        gradients = torch.autograd.grad(loss(model(*batch.inputs), batch).mean, params)
        before = parameters_to_vector(params).detach()
        for each, own in zip(params, gradients, strict=True):
            each.grad = own
        moves.step()
        update, gradient = parameters_to_vector(params).detach() - before, parameters_to_vector(gradients)
        medians.append(effective_rates(update.abs(), gradient.abs()).median())
        sizes.append(update.norm())
        norms.append(gradient.norm())
        if step in (steps // 2, steps):
            with torch.no_grad():
                losses.append(float(loss(model(*whole.inputs), whole).mean))
    rates = effective_rates(torch.stack(sizes), torch.stack(norms))
    found = (losses[0], losses[1], rate_kept(torch.stack(medians)), rate_kept(rates))
    return found if sum(found) < float("inf") else None


CLAIM = ComputedClaim(
    id="adagrad-stalls",
    says="The sum under Adagrad's root only grows, so its step goes to zero and late training stalls; RMSprop's does "
    "not.",
    source="Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012, arXiv:1212.5701, sections 2.2 and 3.1",
    arms={
        "rate: adagrad": "the median weight's step at the end, relative to the beginning",
        "rate: rmsprop": "the same",
        "whole: adagrad": "the same of all weights as one vector; told, not judged",
        "whole: rmsprop": "the same",
        "progress: adagrad": "training loss at the end, relative to that half-way",
        "progress: rmsprop": "the same",
    },
    measured="log2 of what is left: of the effective step since the beginning, of the training loss since half-way",
    score=score,
    rule=all_of(
        not_greater("rate: adagrad", HALF, by=0.0),
        greater("rate: rmsprop", HALF),
        greater("progress: adagrad", "progress: rmsprop", by=A_TENTH_MORE),
    ),
    likely_reason="the sum grows by what the gradients add to it, and as the spirals are learned they shrink: it "
    "nearly stops growing, and the median weight keeps six tenths of its early step. Where gradients stay as large as "
    "they were, for noise, say, it would be about a quarter after as many steps; and RMSprop's step grows as gradients "
    "shrink, but on some draws that undoes what it has learned",
    quick=Size(seeds=7),
    full=Size(seeds=12),
    scaled_from="speech and MNIST for many epochs; here two spirals and two hidden layers of 32",
)
