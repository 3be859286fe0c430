"""One run from start to end: create its folder, train, evaluate, and say how it ended."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fourfold.core.errors import DivergedError, InputError
from fourfold.core.recipe import Recipe, parse_recipe
from fourfold.data.encoding import Encoding, encoding_from_mapping
from fourfold.records.atomic import write_atomically
from fourfold.records.environment import describe_environment
from fourfold.records.folder import FinalStatus, RunFolder
from fourfold.records.metrics import MetricWriter
from fourfold.records.strict_json import encode, read_mapping
from fourfold.run import runtime
from fourfold.run.build import Parts, build_parts, build_training
from fourfold.run.checkpoint import (
    has_checkpoint,
    load_newest,
    load_weights,
    random_state,
    save_checkpoint,
    set_random_state,
)
from fourfold.run.evaluate import evaluate
from fourfold.run.loop import Outcome, Stop, pack_pending, train, unpack_pending
from fourfold.run.parts import TABLES
from fourfold.run.processes import ManyProcesses, SingleProcess, device_of, join
from fourfold.run.watch import Setup, Watcher
from fourfold.tasks.seam import LossValue, Spec
from fourfold.tasks.specs import spec_from_mapping, spec_to_mapping

SPLITS = ("train", "validation", "test")


class Run:
    """A finished or interrupted run, read from its folder.

    Attributes:
        folder: the run's folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"Run({self.run_id!r}, {self.status})"

    @property
    def run_id(self) -> str:
        """The run's name in its workspace, such as `digits-mlp-3`."""
        return self.folder.run_id

    @property
    def status(self) -> str:
        """One of running, done, interrupted, diverged, failed."""
        return self.folder.status

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe with every default filled in."""
        return parse_recipe(self.folder.recipe(), TABLES)

    @property
    def result(self) -> dict[str, Any]:
        """Everything in result.json, with the fields that are always there filled in."""
        result = self.folder.result() or {}
        facts = {
            "run_id": self.run_id,
            "folder": str(self.folder.path.resolve()),
            "recipe": self.folder.identity.recipe,
            "seed": self.folder.identity.seed,
            "status": self.status,
        }
        empty = {"steps": 0, "metrics": {}, "params": 0, "seconds": 0.0, "examples_per_second": 0.0, "findings": []}
        return {**facts, **empty, **result}

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """Metrics by split: `metrics["test"]["accuracy"]`."""
        return self.result["metrics"]

    @property
    def findings(self) -> list[str]:
        """What the algorithm found that a person should know."""
        return self.result["findings"]

    def curve(self, name: str) -> list[tuple[int, float]]:
        """Return one curve as (step, value) pairs, such as `validation.accuracy`.

        Raises:
            InputError: no such metric; the nearest is offered.
        """
        return self.folder.curve(name)

    @cached_property
    def parts(self) -> Parts:
        """Data, model and loss, the weights as drawn; reads the data."""
        return build_parts(self.recipe)

    @cached_property
    def _inputs(self) -> dict[str, Any]:
        return read_mapping(self.folder.path / "inputs.json")

    @cached_property
    def spec(self) -> Spec:
        """What the data promised the model; read from the folder, without the data."""
        return spec_from_mapping(self._inputs.get("spec", {}))

    @cached_property
    def encoding(self) -> Encoding:
        """How raw examples become model inputs; read from the folder, without the data."""
        return encoding_from_mapping(self._inputs.get("encoding", {}))

    @cached_property
    def model(self) -> nn.Module:
        """The trained network, on the CPU, in evaluation mode; needs the folder and not the data.

        Raises:
            CheckpointError: the run has no weights, or they are damaged.
        """
        model: nn.Module = self.recipe.model.build(self.spec)  # type: ignore[attr-defined]
        model.load_state_dict(load_weights(self.folder.checkpoints / "last" / "model.safetensors"))
        return model.eval()


def start(name: str, recipe: Recipe, workspace: Path, watcher: Watcher | None = None) -> Run:
    """Train `recipe` in a new folder of `workspace`.

    Raises:
        InputError: the recipe cannot be built; nothing was created.
        DivergedError: training stopped being finite; the run is recorded as diverged.
    """
    recipe = recipe.model_copy(update={"runtime": runtime.resolve_machine(recipe.runtime)})
    runtime.apply(recipe.runtime)
    device = device_of(recipe.runtime.device)
    parts = build_parts(recipe)
    recipe = recipe.model_copy(update={"runtime": runtime.resolve_model(recipe.runtime, parts.model)})
    processes = join(recipe.runtime.processes, device)
    try:
        session = _Session(
            name, recipe, parts, device, processes, watcher or Watcher()
        )  # fails before anything is made
        create = processes.rank == 0
        folder = RunFolder.create(workspace, name, recipe.to_mapping(), _environment(recipe)) if create else None
        session.attach(processes.share(folder))
        session.describe_inputs()
        return session.execute()
    finally:
        processes.close()


def resume(folder: RunFolder, watcher: Watcher | None = None) -> Run:
    """Continue an interrupted run from its newest complete checkpoint, as if it had never stopped.

    Raises:
        InputError: another process runs it, or its files are damaged.
        CheckpointError: every checkpoint is damaged.
        DivergedError: training stopped being finite.
    """
    if folder.status == "done":
        return Run(folder)
    recipe = parse_recipe(folder.recipe(), TABLES)
    recipe = recipe.model_copy(update={"runtime": runtime.resolve_machine(recipe.runtime)})
    runtime.apply(recipe.runtime)
    device = device_of(recipe.runtime.device)
    processes = join(recipe.runtime.processes, device)
    try:
        parts = build_parts(recipe)
        session = _Session(folder.identity.recipe, recipe, parts, device, processes, watcher or Watcher())
        session.attach(processes.share(folder.claim() if processes.rank == 0 else None))
        session.restore(folder.checkpoints)
        return session.execute()
    finally:
        processes.close()


def _environment(recipe: Recipe) -> dict[str, Any]:
    device = {
        "device": recipe.runtime.device,
        "precision": recipe.runtime.precision,
        "threads": torch.get_num_threads(),
    }
    if recipe.runtime.device == "cuda":
        device["device_name"] = torch.cuda.get_device_name()
    return describe_environment(device)


class _Session:
    """The state of one execution: built parts, the loop's callbacks, and the record."""

    def __init__(
        self,
        name: str,
        recipe: Recipe,
        parts: Parts,
        device: torch.device,
        processes: ManyProcesses | SingleProcess,
        watcher: Watcher,
    ) -> None:
        self.name, self.recipe, self.device, self.processes = name, recipe, device, processes
        self.watcher = watcher if processes.rank == 0 else Watcher()
        self.source = parts.source.to(device)
        self.loss = parts.loss
        self.params = sum(p.numel() for p in parts.model.parameters())
        model = runtime.place(parts.model, recipe.runtime, device)
        placed = Parts(self.source, model, parts.loss)
        self.training, self.schedule, self.plan = build_training(recipe, placed, device, processes)
        self.start = 0
        self.earlier_seconds, self.earlier_examples = 0.0, 0
        self.pending: list[LossValue] = []
        self.folder: RunFolder | None = None
        self.writer: MetricWriter | None = None

    def attach(self, folder: RunFolder) -> None:
        """Record into `folder` from now on."""
        self.folder = folder
        self.writer = MetricWriter(folder) if self.processes.rank == 0 else None

    def describe_inputs(self) -> None:
        """Write what a new example needs to reach the model, so that predicting never needs the training data."""
        if self.folder is None or self.writer is None:
            return
        encoding = getattr(self.source, "encoding", None)  # an environment has observations, not examples to encode
        inputs = {
            "spec": spec_to_mapping(self.source.spec),
            "encoding": encoding.to_mapping() if encoding is not None else None,
        }
        write_atomically(self.folder.path / "inputs.json", encode(inputs, indent=1))

    def restore(self, checkpoints: Path) -> None:
        """Continue from the newest complete checkpoint, if there is one; curves after it are cut off."""
        loaded = load_newest(checkpoints) if self.processes.rank == 0 and has_checkpoint(checkpoints) else None
        loaded = self.processes.share(loaded)
        if loaded is not None:
            checkpoint, problems = loaded
            for problem in problems:
                self.watcher.said(f"{problem}; continuing from step {checkpoint.step}")
            try:
                self.training.model.load_state_dict(checkpoint.model)
                self.training.load_state_dict(checkpoint.state["training"])
                self.pending = unpack_pending(checkpoint.state["pending"])
                set_random_state(checkpoint.state["random"][self.processes.rank], self.device)
                self.earlier_seconds = float(checkpoint.state["seconds"])
                self.earlier_examples = int(checkpoint.state["examples"])
            except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
                raise InputError(f"{checkpoints}: does not fit this recipe: {str(error).splitlines()[0]}") from None
            self.start = checkpoint.step
        if self.writer is not None:
            self.writer.truncate_after(self.start)

    def execute(self) -> Run:
        """Train to the end and record how it ended."""
        self.watcher.started(
            Setup(
                run_id=self.folder.run_id if self.folder else "",
                steps=self.schedule.steps,
                start=self.start,
                params=self.params,
                sizes=self.source.sizes,
                notes=self.source.notes,
                device=self.recipe.runtime.device,
                precision=self.recipe.runtime.precision,
                headline=self.source.spec.headline,
            )
        )
        many = self.processes.count > 1
        status: FinalStatus = "failed"
        findings: list[str] = []
        metrics: dict[str, dict[str, float]] = {}
        outcome = Outcome(self.start, "failed", None, 0.0, 0)
        try:
            with Stop() as stop:
                outcome = train(
                    self.training,
                    self.schedule,
                    self.start,
                    pending=self.pending,
                    record=self._record,
                    validate=lambda: self._evaluate("validation"),
                    checkpoint=self._checkpoint,
                    agree=self.processes.any if many else None,
                    watcher=self.watcher,
                    stop=stop,
                )
                status = "done" if outcome.status == "done" else "interrupted"
                if status == "done":
                    findings = self.training.finish()
                    self._checkpoint(outcome, [])
                    metrics = {split: self._evaluate(split) for split in SPLITS if self.source.sizes.get(split)}
        except DivergedError as error:
            status, findings = "diverged", [str(error)]
            raise
        except BaseException as error:
            findings = [f"{type(error).__name__}: {error}".splitlines()[0]]
            raise
        finally:
            self._end(status, outcome, metrics, findings)
        assert self.folder is not None
        return Run(self.folder)

    def _record(self, step: int, metrics: Mapping[str, float]) -> None:
        if self.writer is not None:
            self.writer.add(step, metrics)

    def _evaluate(self, split: str) -> dict[str, float]:
        if not self.source.sizes.get(split):
            return {}
        return evaluate(self.training.model, self.loss, self.source, split, self.plan.autocast, self.processes)

    def _checkpoint(self, outcome: Outcome, pending: list[LossValue]) -> None:
        """Save everything; every process gives its random state, the first one writes."""
        random = self.processes.gather(random_state(self.device))
        if self.folder is None or self.writer is None:
            return
        state = {
            "training": self.training.state_dict(),
            "pending": pack_pending(pending),
            "random": random,
            "seconds": self.earlier_seconds + outcome.seconds,
            "examples": self.earlier_examples + outcome.examples,
        }
        self.writer.flush()  # a checkpoint promises the curve up to its step
        save_checkpoint(self.folder.checkpoints, outcome.step, self.training.model.state_dict(), state)

    def _end(
        self, status: FinalStatus, outcome: Outcome, metrics: dict[str, dict[str, float]], findings: list[str]
    ) -> None:
        """Write the result, the last act of a run."""
        if self.folder is None or self.writer is None:
            return
        seconds = self.earlier_seconds + outcome.seconds
        examples = self.earlier_examples + outcome.examples
        result = {
            "run_id": self.folder.run_id,
            "recipe": self.name,
            "seed": self.recipe.seed,
            "steps": outcome.step,
            "planned_steps": self.schedule.steps,
            "stopped_because": outcome.reason,
            "metrics": metrics,
            "params": self.params,
            "sizes": dict(self.source.sizes),
            "headline": self.source.spec.headline,
            "seconds": round(seconds, 3),
            "examples_per_second": round(examples / seconds, 1) if seconds else 0.0,
            "findings": findings,
            "notes": self.source.notes,
        }
        try:
            self.writer.finish(status, result)
        finally:
            self.watcher.ended(status)
