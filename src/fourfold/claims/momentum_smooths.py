"""Does momentum average the noise of mini-batches away, so that its updates point more nearly downhill?

A small network learns digits in batches of 16, once by plain descent and once by momentum (0.9) with a tenth of the
step, so that both come about as far in as many updates.

    aim     cosine between an update and the descent of the whole training loss where the network then stands, on
            average over training: what averaging is for
    turn    cosine between an update and the one before it; told, not judged: that a sum of ten gradients changes little
            when one is exchanged goes without saying
"""

from functools import cache

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import greater

STEPS = {"quick": 100, "full": 400}
SETTINGS = {"descent": {"name": "sgd", "lr": 0.1}, "momentum": {"name": "momentum", "lr": 0.01, "momentum": 0.9}}


def score(arm: str, seed: int, size: Name) -> float:
    """Return a mean cosine of an arm's training."""
    measured, _, optimizer = arm.partition(": ")
    aim, turn = cosines(optimizer, seed, STEPS[size])
    return aim if measured == "aim" else turn


@cache
def cosines(optimizer: str, seed: int, steps: int) -> tuple[float, float]:
    """Return the mean cosines of the updates: with the whole loss's descent, and with the update before."""
    import torch
    from torch.nn.functional import cosine_similarity
    from torch.nn.utils import parameters_to_vector

    from fourfold.run.build import build_parts
    from fourfold.run.parts import load_recipe
    from fourfold.study.objective import split_batches
    from fourfold.tasks.seam import Order

    varied = {"model.widths": [32], "data.split_seed": None, "seed": seed}
    _, recipe = load_recipe("digits-mlp", {"algorithm.optimizer": SETTINGS[optimizer], **varied})
    source, model, loss = build_parts(recipe)
    params, (whole,) = list(model.parameters()), split_batches(source, "train", batch_size=10_000)
    moves = recipe.algorithm.optimizer.build(params)  # type: ignore[attr-defined]
    stream, updates, downhill = source.train(Order(seed, 16)), [], []
    for _ in range(steps):
        before = parameters_to_vector(params).detach()
        downhill.append(-parameters_to_vector(torch.autograd.grad(loss(model(*whole.inputs), whole).mean, params)))
        batch = next(stream)
        moves.zero_grad()
        loss(model(*batch.inputs), batch).mean.backward()
        moves.step()
        updates.append(parameters_to_vector(params).detach() - before)
    moved = torch.stack(updates)
    aims, turns = cosine_similarity(moved, torch.stack(downhill)), cosine_similarity(moved[1:], moved[:-1])
    return float(aims.mean()), float(turns.mean())


CLAIM = ComputedClaim(
    id="momentum-smooths",
    says="Momentum averages the noise of mini-batches away: its updates point more nearly down the whole training loss "
    "than plain descent's.",
    source="Goodfellow, Bengio and Courville, Deep Learning, 2016, section 8.3.2",
    arms={
        "aim: descent": "step 0.1",
        "aim: momentum": "step 0.01, which momentum makes ten times as long",
        "turn: descent": "of the same training; told, not judged",
        "turn: momentum": "of the same training; told, not judged",
    },
    measured="mean cosine of an update: aim, with the descent of the whole training loss; turn, with the update before",
    score=score,
    rule=greater("aim: momentum", "aim: descent", by=0.1),
    quick=Size(seeds=7),
    full=Size(seeds=20),
    scaled_from="nothing: the source says it of any network; here one hidden layer of 32 on digits of 8x8",
    likely_reason="the updates do turn less, so single batches' noise is averaged; but what is averaged are gradients "
    "of where the network was. Early on, while it goes one way, that helps; later the velocity carries it across the "
    "valley against the gradient that it meets there, and each update is aimed worse, though their sum need not be",
)
