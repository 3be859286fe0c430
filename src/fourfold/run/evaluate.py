"""How well a model does on a split: loss and metrics, over every example exactly once."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import get_ident
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from fourfold.run.processes import ManyProcesses, SingleProcess
from fourfold.tasks.seam import Loss, Source

BATCH_SIZE = 1024


def nobody() -> None:
    """Look for nothing."""


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    loss: Loss,
    source: Source,
    split: str,
    autocast: Callable[[], AbstractContextManager[Any]] = nullcontext,
    processes: ManyProcesses | SingleProcess | None = None,
    look: Callable[[], None] = nobody,
) -> dict[str, float]:
    """Return the mean loss and the task's metrics on what `split` is scored on, or what the source itself measures.

    Several processes take batches in turn; each example counts once, none is padded.

    Args:
        model: left in the mode it was in.
        loss: the loss.
        source: where the examples are.
        split: "train", "validation" or "test".
        autocast: what forward and loss run in.
        processes: who takes the batches; None: this process alone.
        look: called before each batch, and by a process alone whenever a layer is about to work; what it raises ends
            the scoring. Several processes call it equally often, so that they can agree in it.
    """
    alone = processes is None or processes.count == 1
    totals: list[torch.Tensor] = []
    count = 0
    training = model.training
    model.eval()
    try:
        with _before_each_layer(look) if alone and look is not nobody else nullcontext():
            look()
            measured = source.evaluate(model, split)
            if measured is not None:
                return measured
            scorer = source.spec.scorer()
            for i, batch in enumerate(source.scored(split, BATCH_SIZE)):
                if processes is None or i % processes.count == 0:
                    look()
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


@contextmanager
def _before_each_layer(look: Callable[[], None]) -> Iterator[None]:
    """Have `look` called whenever a layer of any network is about to work in this thread.

    A batch may be minutes of work: a thousand sentences translated token after token, episodes played to their end,
    pictures judged by a network of the data's own. Whatever a task does to score a model, it asks layers.
    """
    here = get_ident()

    def hook(*_: object) -> None:
        if get_ident() == here:
            look()

    handle = register_module_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()
