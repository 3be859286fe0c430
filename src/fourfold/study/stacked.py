"""Cells that differ in seed, or in how they are optimised, trained as one stacked model on one machine.

Each cell still leaves a run folder of its own, written by the same loop and session as any other run's: the stack is
trained first, and then every cell's history is told to them again.

What differs from the cell alone: matrix products are taken in batches, so results differ by the rounding of float32;
a note in result.json says that the run was stacked; `seconds` is the stack's time divided between the cells that shared
it; and points of curves bear the time at which they were written down. A stack has no checkpoints on the way: if its
process dies before the end, it begins again.

Checked by: each cell's folder against the same cell alone; diverging cells; cells of other sizes.
"""

import platform
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fourfold.algorithms.stacked import Member, StackedSupervised
from fourfold.algorithms.stacked_rows import Rows
from fourfold.algorithms.supervised import Supervised, SupervisedConfig
from fourfold.core.errors import DivergedError
from fourfold.core.recipe import Recipe
from fourfold.data.in_memory import InMemorySource, InMemoryStream
from fourfold.data.stacked_stream import StackedStream
from fourfold.records.atomic import write_atomically
from fourfold.records.environment import describe_environment
from fourfold.records.folder import RunFolder
from fourfold.records.metrics import MetricWriter
from fourfold.records.strict_json import encode
from fourfold.run import runtime
from fourfold.run.blind import without
from fourfold.run.build import Parts, batch_size_of, build_model, data_cache
from fourfold.run.checkpoint import random_state, set_random_state
from fourfold.run.evaluate import BATCH_SIZE
from fourfold.run.loop import Schedule
from fourfold.run.parts import with_parts
from fourfold.run.processes import SingleProcess, device_of
from fourfold.run.session import SPLITS, Session
from fourfold.run.watch import Watcher
from fourfold.study.cells import Cell, earlier_attempt, folders, peak_memory
from fourfold.study.replay import History, Measured, Replay
from fourfold.tasks.seam import Source


class _Built(NamedTuple):
    """A cell whose parts are built."""

    cell: Cell
    session: Session
    random: Mapping[str, Tensor]  # the state of torch's generators, as the run alone would begin with

    @property
    def config(self) -> SupervisedConfig:
        assert isinstance(self.session.recipe.algorithm, SupervisedConfig)
        return self.session.recipe.algorithm

    @property
    def training(self) -> Supervised:
        assert isinstance(self.session.training, Supervised)
        return self.session.training

    @property
    def shape(self) -> tuple[object, ...]:
        """What the cells of one stack have in common: a split by groups may differ in size from seed to seed."""
        shapes = [tuple(param.shape) for param in self.training.params]
        return tuple(sorted(self.session.source.sizes.items())), tuple(shapes), self.session.schedule


def run_stack(cells: Sequence[Cell], workspace: Path, threads: int | None = None) -> None:
    """Run cells to their end as one stack; finished ones are left as they are.

    `can_stack` has said that it is possible. A cell that diverges has ended: its folder says so.

    Args:
        cells: what to run.
        workspace: their folders go to `<workspace>/cells`.
        threads: CPU threads; None: one for small steps, else all cores.

    Raises:
        InputError: their parts do not fit each other; nothing was created.
        FourfoldError: one cannot be recorded, say.
    """
    began, before, cells_folder = time.monotonic(), torch.get_num_threads(), workspace / "cells"
    paths, sources = folders(cells_folder), {}
    earlier = {cell.key: earlier_attempt(cell, paths) for cell in cells}
    todo = [cell for cell in cells if (found := earlier[cell.key]) is None or found.status == "interrupted"]
    try:
        built = [_build(cell, sources) for cell in todo]
        built.sort(key=lambda each: (str(each.shape), Rows.key(each.config, 0)))
        for _, same in groupby(built, lambda each: each.shape):
            alike = list(same)
            torch.set_num_threads(threads or _threads(alike))
            histories = _train(alike)
            spent = (time.monotonic() - began) / len(alike)
            _record(alike, histories, earlier, cells_folder, spent)
            began = time.monotonic()
    finally:
        torch.set_num_threads(before)


def _build(cell: Cell, sources: dict[str, InMemorySource]) -> _Built:
    """Build a cell's parts as the run alone would."""
    recipe = with_parts(cell.fields)
    recipe = recipe.model_copy(update={"runtime": runtime.resolve_machine(recipe.runtime)})
    runtime.apply(recipe.runtime)
    device = device_of(recipe.runtime.device)
    source: Source = _source(recipe, sources)
    if cell.blind:
        source = without("test", source)
    model = build_model(recipe.model, source.spec, recipe.seed)
    parts = Parts(source, model, recipe.loss.build(source.spec))  # type: ignore[attr-defined]
    resolved = runtime.resolve_model(recipe.runtime, model, batch_size_of(recipe, source), source.spec)
    recipe = recipe.model_copy(update={"runtime": resolved})
    session = Session(cell.recipe, recipe, parts, device, SingleProcess(), Watcher())
    return _Built(cell, session, random_state(device))


def _source(recipe: Recipe, sources: dict[str, InMemorySource]) -> InMemorySource:
    """Return the recipe's data, which it shares with every cell that has the same: seeds need not differ in data."""
    key = f"{recipe.seed} {recipe.data.model_dump_json()}"
    if key not in sources:
        source: InMemorySource = recipe.data.build(recipe.seed, data_cache())  # type: ignore[attr-defined]
        sources[key] = next((other for other in sources.values() if other.holds_what(source)), source)
    return sources[key]


def _threads(built: Sequence[_Built]) -> int:
    """Return one thread for a step that is small even as a stack, else all cores."""
    session = built[0].session
    operations = 6 * session.params * session.plan.batch_size * len(built)
    return 1 if operations < runtime.SMALL_STEP else runtime.cores()


def _train(built: Sequence[_Built]) -> list[History]:
    """Train cells as one stack, and return what became of each."""
    schedule = built[0].session.schedule
    sources = [each.session.source for each in built]
    streams = [each.session.source.train(each.session.plan.order) for each in built]
    assert all(isinstance(stream, InMemoryStream) for stream in streams)
    stack = StackedSupervised([Member(b.config, b.training) for b in built], StackedStream(streams))  # type: ignore[arg-type]
    scores: list[dict[tuple[int, str], dict[str, float]]] = [{} for _ in built]
    seconds, began = [0.0] * len(built), time.monotonic()
    for step in range(1, schedule.steps + 1):
        stack.step()
        if not _looks(step, schedule):
            continue
        here = stack.running
        stack.check()
        share = (time.monotonic() - began) / max(len(here), 1)
        for number in here:
            seconds[number] += share
        splits = SPLITS if step == schedule.steps else ("validation",)
        if step % schedule.validate_every == 0 or step == schedule.steps:
            for split in splits:
                for number, found in zip(stack.running, _scores(stack, sources, split), strict=True):
                    scores[number][step, split] = found
        began = time.monotonic()
        if not stack.running:
            break
    stack.finish()
    return [
        History(stack.losses(i), stack.counts, stack.left[i], scores[i], seconds[i], len(built))
        for i in range(len(built))
    ]


def _looks(step: int, schedule: Schedule) -> bool:
    """Return whether the loop looks up after this many steps."""
    return step == schedule.steps or step % schedule.log_every == 0 or step % schedule.validate_every == 0


@torch.inference_mode()
def _scores(stack: StackedSupervised, all_sources: Sequence[Source], split: str) -> list[dict[str, float]]:
    """Return each running cell's metrics on a split of its own data; none where there is no such split."""
    sources = [all_sources[number] for number in stack.running]
    if not sources or not sources[0].sizes.get(split):
        return [{} for _ in sources]
    scorers = [source.spec.scorer() for source in sources]
    totals: list[Tensor] = []
    for batches in zip(*(source.split(split, BATCH_SIZE) for source in sources), strict=True):
        inputs = tuple(torch.stack(parts) for parts in zip(*(batch.inputs for batch in batches), strict=True))
        output = stack.forward(inputs)
        totals.append(stack.totals(output, torch.stack([batch.targets for batch in batches])))
        for scorer, own, batch in zip(scorers, output, batches, strict=True):
            scorer.update(own, batch)
    losses = torch.stack(totals).cpu().double().sum(0) / sources[0].sizes[split]
    return [{"loss": loss, **scorer.compute()} for loss, scorer in zip(losses.tolist(), scorers, strict=True)]


def _record(
    built: Sequence[_Built],
    histories: Sequence[History],
    unfinished: Mapping[str, RunFolder | None],
    cells: Path,
    spent: float,
) -> None:
    """Write every cell's folder.

    A thread of its own does it, for the loop hears signals in the main thread, and a run that is told again cannot be
    interrupted: who asks the process to end must be answered between two cells.

    Args:
        built: the cells.
        histories: what became of each.
        unfinished: folders of earlier attempts, by the cell's key.
        cells: where the others' folders go.
        spent: seconds that each cell has cost so far.
    """
    machine = built[0].session.recipe.runtime
    facts = {"device": machine.device, "precision": machine.precision, "threads": torch.get_num_threads()}
    environment = describe_environment({**facts, "stacked": len(built)})
    with ThreadPoolExecutor(1, "recorder") as recorder:
        for each, history in zip(built, histories, strict=True):
            began, place = time.monotonic(), unfinished[each.cell.key]
            folder = recorder.submit(_tell, each, history, place, cells, environment).result()
            seconds = round(spent + time.monotonic() - began, 3)
            cost = {"process_seconds": seconds, "host": platform.node(), **peak_memory()}
            write_atomically(folder.path / "cost.json", encode(cost, indent=1))


def _tell(
    built: _Built, history: History, unfinished: RunFolder | None, cells: Path, environment: Mapping[str, Any]
) -> RunFolder:
    """Let the loop and the session write one cell's folder; return it."""
    cell, session = built.cell, built.session
    replay = Replay(built.training, session.source, history)
    session.training, session.source = replay, Measured(session.source, replay, history.note)
    session.earlier_seconds = history.seconds
    if unfinished is None:
        settings, label = session.recipe.to_mapping(), f"{cell.recipe}-{cell.key}"
        folder = RunFolder.create(cells, cell.recipe, settings, environment, label)
    else:
        folder = unfinished.claim()
    session.folder, session.writer = folder, MetricWriter(folder, indexed=False)
    if unfinished is not None:
        session.writer.truncate_after(0)  # what the interrupted attempt wrote
    set_random_state(built.random, session.device)
    with suppress(DivergedError):  # its folder says so
        session.execute()
    return folder
