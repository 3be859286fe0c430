"""How well a model does on a split: loss and metrics, over every example exactly once."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from fourfold.run.processes import ManyProcesses, SingleProcess
from fourfold.tasks.seam import Loss, Source

BATCH_SIZE = 1024


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    loss: Loss,
    source: Source,
    split: str,
    autocast: Callable[[], AbstractContextManager[Any]] = nullcontext,
    processes: ManyProcesses | SingleProcess | None = None,
) -> dict[str, float]:
    """Return the mean loss and the task's metrics on what `split` is scored on, or what the source itself measures.

    Several processes take batches in turn; each example counts once, none is padded.
    """
    totals: list[torch.Tensor] = []
    count = 0
    training = model.training
    model.eval()
    try:
        measured = source.evaluate(model, split)
        if measured is not None:
            return measured
        scorer = source.spec.scorer()
        for i, batch in enumerate(source.scored(split, BATCH_SIZE)):
            if processes is not None and i % processes.count != processes.rank:
                continue
            with autocast():
                output = model(*batch.inputs)
                value = loss(output, batch)
                scorer.ask(model, batch)
            scorer.update(output.float() if isinstance(output, torch.Tensor) else output, batch)
            totals.append(value.total)
            count = count + value.count
    finally:
        model.train(training)
    total = float(torch.stack(totals).cpu().double().sum()) if totals else 0.0  # a Mac's GPU has no float64
    if processes is not None and processes.count > 1:
        parts = processes.gather((scorer, total, int(count)))
        scorer = source.spec.scorer()
        for part, _, _ in parts:
            scorer.merge(part)
        total, count = sum(p[1] for p in parts), sum(p[2] for p in parts)
    return {"loss": total / max(int(count), 1), **scorer.compute()}
