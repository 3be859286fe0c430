"""One execution of a run: the parts at work, the loop's callbacks, and the record they leave."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from fourfold.core.errors import DivergedError, InputError
from fourfold.core.recipe import Recipe
from fourfold.records.atomic import write_atomically
from fourfold.records.folder import RunFolder, cannot_write
from fourfold.records.metrics import MetricWriter
from fourfold.records.result import FinalStatus
from fourfold.records.strict_json import encode
from fourfold.run import runtime, snapshots
from fourfold.run.build import Parts, build_training
from fourfold.run.checkpoint import has_checkpoint, load_newest, random_state, save_checkpoint, set_random_state
from fourfold.run.evaluate import evaluate, nobody
from fourfold.run.findings import find, find_misplaced_certainty
from fourfold.run.loop import Outcome, Progress, Stop, StopHeardError, pack_pending, train, unpack_pending
from fourfold.run.processes import ManyProcesses, SingleProcess, are_on_one_machine, lost_is_told
from fourfold.run.watch import Setup, Watcher
from fourfold.tasks.seam import LossValue
from fourfold.tasks.specs import spec_to_mapping

SPLITS = ("train", "validation", "test")


class Session:
    """One execution, from built parts to a result; `attach` says where it is recorded, and `execute` trains.

    Args:
        name: the recipe's, for the record.
        recipe: its runtime resolved.
        parts: data, model and loss, on the CPU; they are moved to `device`.
        device: where this process computes.
        processes: its place among the others; the first one writes the record.
        watcher: hears progress, in the first process only.
        notes: what to record of the weights it begins from, beside the data's notes.

    Raises:
        InputError: the algorithm does not fit the other parts or the budget.
    """

    def __init__(
        self,
        name: str,
        recipe: Recipe,
        parts: Parts,
        device: torch.device,
        processes: ManyProcesses | SingleProcess,
        watcher: Watcher,
        notes: Sequence[str] = (),
    ) -> None:
        self.name, self.recipe, self.device, self.processes = name, recipe, device, processes
        self.watcher = watcher if processes.rank == 0 else Watcher()
        self.source = parts.source.to(device)
        self.beginning = list(notes)
        self.loss = parts.loss.to(device) if isinstance(parts.loss, torch.nn.Module) else parts.loss  # class weights
        self.params = sum(p.numel() for p in parts.model.parameters())
        model = runtime.place(parts.model, recipe.runtime, device)
        placed = Parts(self.source, model, self.loss)
        self.training, self.schedule, self.plan = build_training(recipe, placed, device, processes)
        asked, used = recipe.budget.batch_size, self.plan.batch_size
        self.choices: list[str] = []
        if asked != "full" and asked > used:
            self.choices.append(f"budget.batch_size: {used:,}, all training examples, where {asked:,} were asked for")
        if processes.count > 1 and device.type == "cpu" and are_on_one_machine():
            self.choices.append(
                f"runtime.processes: {processes.count} processes on this machine's CPU exchange all gradients at every "
                "step; one process with several threads is usually faster"
            )
        self.progress = Progress(step=0)
        self.earlier_seconds, self.earlier_examples = 0.0, 0
        self.pending: list[LossValue] = []
        self.ended: Outcome | None = None  # the steps are all made, and only the scores are missing
        self.folder: RunFolder | None = None
        self.writer: MetricWriter | None = None

    def attach(self, folder: RunFolder, trackers: Sequence[str], indexed: bool) -> None:
        """Record into `folder` from now on, with a copy of every point to each of `trackers`, and to the index."""
        self.folder = folder
        self.writer = MetricWriter(folder, trackers, indexed) if self.processes.rank == 0 else None

    def _describe_inputs(self) -> None:
        """Write what a new example needs to reach the model, so that predicting never needs the training data."""
        if self.folder is None or self.writer is None or (self.folder.path / "inputs.json").exists():
            return
        encoding = getattr(self.source, "encoding", None)  # an environment has observations, not examples to encode
        inputs = {
            "spec": spec_to_mapping(self.source.spec),
            "encoding": encoding.to_mapping() if encoding is not None else None,
            "files": dict(self.source.files),
            **({"weights": self.beginning} if self.beginning else {}),
        }
        try:
            write_atomically(self.folder.path / "inputs.json", encode(inputs, indent=1))
        except OSError as error:
            raise cannot_write(error, self.folder.path) from None

    def restore(self, checkpoints: Path) -> None:
        """Continue from the newest complete checkpoint, if there is one; curves after it are cut off.

        Raises:
            CheckpointError: every checkpoint is damaged; the run is recorded as failed.
            InputError: the checkpoint is another recipe's; likewise.
        """
        try:
            self._restore(checkpoints)
        except Exception as error:
            self._end("failed", None, {}, [f"{type(error).__name__}: {error}".splitlines()[0]])
            raise

    def _restore(self, checkpoints: Path) -> None:
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
                if checkpoint.state["status"] == "done":
                    self.ended = Outcome(checkpoint.step, "done", checkpoint.state["reason"], 0.0, 0)
            except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
                raise InputError(f"{checkpoints}: does not fit this recipe: {str(error).splitlines()[0]}") from None
            self.progress.step = checkpoint.step
        else:
            self.watcher.said("no checkpoint was saved before it ended; it begins again, from step 0")
        if self.writer is not None:
            self.writer.truncate_after(self.progress.step)

    def execute(self) -> None:
        """Train to the end and record how it ended, whatever ends it."""
        many = self.processes.count > 1
        status: FinalStatus = "failed"
        findings: list[str] = []
        metrics: dict[str, dict[str, float]] = {}
        reason: str | None = None
        try:
            with Stop() as stop, lost_is_told(self.processes.count):
                self.watcher.started(self._setup())
                self._describe_inputs()
                outcome = self.ended or train(
                    self.training,
                    self.schedule,
                    self.progress,
                    pending=self.pending,
                    record=self._record,
                    validate=self._validate,
                    checkpoint=self._checkpoint,
                    agree=self.processes.any if many else None,
                    watcher=self.watcher,
                    stop=stop,
                )
                if outcome.status == "done":
                    findings = self.training.finish()
                    self._checkpoint(outcome, [])
                    try:
                        metrics = self._scores(stop)
                        poor = find(self.source, metrics, self.schedule.steps, self.training.kept_step())
                        findings += poor or find_misplaced_certainty(self.source.spec, self.loss, metrics)
                    except StopHeardError:  # what is saved says that the steps are done: resuming only scores
                        outcome, findings = outcome._replace(status="interrupted", reason=stop.requested), []
                reason, status = outcome.reason, "done" if outcome.status == "done" else "interrupted"
        except DivergedError as error:
            status, findings = "diverged", [str(error)]
            if error.step is not None:  # a GPU says at a look-up which step before it was refused
                self.progress.step = error.step
            raise
        except BaseException as error:
            findings = [f"{type(error).__name__}: {error}".splitlines()[0]]
            raise
        finally:
            self._end(status, reason, metrics, findings)

    def _notes(self) -> list[str]:
        """Return what the data, the weights it begins from and the run itself have to say; a source may be replaced."""
        return [*self.source.notes, *self.beginning, *self.choices]

    def _setup(self) -> Setup:
        return Setup(
            run_id=self.folder.run_id if self.folder else "",
            steps=self.schedule.steps,
            start=self.progress.step,
            params=self.params,
            sizes=self.source.sizes,
            notes=self._notes(),
            device=self.recipe.runtime.device,
            precision=self.recipe.runtime.precision,
            headline=self.source.spec.headline,
            counts=self.source.spec.counts,
            task=self.source.spec.task,
            counted_later=getattr(self.training.model, "counted_later", ""),
        )

    def _record(self, step: int, metrics: Mapping[str, float]) -> None:
        if self.writer is not None:
            self.writer.add(step, metrics)

    def _validate(self) -> dict[str, float]:
        """Score the validation split, and keep a picture of what the model does, where the data have one to show."""
        if self.folder is not None and self.writer is not None:
            picture = snapshots.take(self.training.model, self.source)
            if picture is not None:
                try:
                    snapshots.keep(picture, self.folder.path, self.progress.step)
                except OSError as error:
                    raise cannot_write(error, self.folder.path) from None
        return self._evaluate("validation")

    def _evaluate(self, split: str, look: Callable[[], None] = nobody) -> dict[str, float]:
        if not self.source.sizes.get(split):
            return {}
        return evaluate(self.training.model, self.loss, self.source, split, self.plan.autocast, self.processes, look)

    def _scores(self, stop: Stop) -> dict[str, dict[str, float]]:
        """Score every split there is.

        Raises:
            StopHeardError: a signal came meanwhile, to this process or to another one.
        """

        def look() -> None:
            if self.processes.any(stop.requested is not None):
                raise StopHeardError

        return {split: self._evaluate(split, look) for split in SPLITS if self.source.sizes.get(split)}

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
            "status": outcome.status,
            "reason": outcome.reason,
        }
        self.writer.flush()  # a checkpoint promises the curve up to its step
        save_checkpoint(self.folder.checkpoints, outcome.step, self.training.model.state_dict(), state)

    def _end(
        self, status: FinalStatus, reason: str | None, metrics: dict[str, dict[str, float]], findings: list[str]
    ) -> None:
        """Write the result, the last act of a run."""
        if self.folder is None or self.writer is None:
            return
        seconds = self.earlier_seconds + self.progress.seconds
        examples = self.earlier_examples + self.progress.examples
        result = {
            "run_id": self.folder.run_id,
            "recipe": self.name,
            "seed": self.recipe.seed,
            "steps": self.progress.step,
            "planned_steps": self.schedule.steps,
            "stopped_because": reason,
            "metrics": metrics,
            "params": sum(p.numel() for p in self.training.model.parameters()),  # a kernel machine has found some
            "sizes": dict(self.source.sizes),
            "task": self.source.spec.task,
            "headline": self.source.spec.headline,
            "counts": self.source.spec.counts,
            "seconds": round(seconds, 3),
            "examples_per_second": round(examples / seconds, 1) if seconds else 0.0,
            "findings": findings,
            "notes": self._notes(),
        }
        try:
            self.writer.finish(status, result)
        except BaseException:  # whatever it is, nothing else was recorded
            status = "failed"
            raise
        finally:
            self.watcher.ended(status)
