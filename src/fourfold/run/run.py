"""Starting a run, resuming it, and reading what it left."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fourfold.core.errors import CheckpointError, InputError, UnknownPartError
from fourfold.core.recipe import Recipe
from fourfold.data.encoding import Encoding, encoding_from_mapping
from fourfold.records.environment import describe_environment
from fourfold.records.folder import RunFolder
from fourfold.records.strict_json import read_mapping
from fourfold.records.trackers import check_trackers
from fourfold.run import runtime
from fourfold.run.beginning import beginning_of
from fourfold.run.blind import without
from fourfold.run.build import Parts, batch_size_of, build_network, build_parts
from fourfold.run.checkpoint import has_checkpoint, load_weights
from fourfold.run.folding import folded
from fourfold.run.packing import packed
from fourfold.run.parts import with_parts
from fourfold.run.processes import ManyProcesses, SingleProcess, device_of, joined
from fourfold.run.session import SPLITS, Session
from fourfold.run.watch import Watcher
from fourfold.tasks.seam import Source, Spec
from fourfold.tasks.specs import spec_from_mapping


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
        return _recorded(self.folder)

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
    def headline(self) -> str:
        """The deciding metric; of a killed run, which has no result, the task's, or "loss" if it was killed at once."""
        if recorded := self.result.get("headline"):
            return str(recorded)
        try:
            return self.spec.headline
        except InputError:
            return "loss"

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

    @property
    def autocast(self) -> Callable[[], AbstractContextManager[Any]]:
        """A factory of the context that its scores were computed in, for the CPU."""
        return runtime.autocast(self.recipe.runtime.model_copy(update={"device": "cpu"}))

    @cached_property
    def parts(self) -> Parts:
        """Data, model and loss, the weights as drawn, whatever the run began from; reads the data."""
        return build_parts(self.recipe.model_copy(update={"weights": None}))

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
        model = build_network(self.recipe, self.spec)
        weights = self.folder.checkpoints / "last" / "model.safetensors"
        try:
            model.load_state_dict(load_weights(weights))
        except RuntimeError as error:  # other names or shapes, which torch lists below its first line
            raise CheckpointError(
                f"{weights}: not the weights of this run's recipe: {str(error).splitlines()[-1].strip()}"
            ) from None
        return model.eval()

    @cached_property
    def predictor(self) -> nn.Module:
        """What predicts: `model`, its batch normalisations folded and its weights packed, the same but for rounding.

        It cannot be trained or saved. Where there is nothing to fold or to pack it is the model itself.

        Raises:
            CheckpointError: as for `model`.
        """
        (example, *rest), generator = self.spec.example(), torch.Generator().manual_seed(0)
        if rest or not example.is_floating_point():
            return self.model
        example = torch.randn(example.shape, generator=generator)
        if (network := folded(self.model, example)) is not self.model:
            network = runtime.place(network, self.recipe.runtime, torch.device("cpu"))
        return packed(network, example)


def start(
    name: str,
    recipe: Recipe,
    workspace: Path,
    watcher: Watcher | None = None,
    trackers: Sequence[str] = (),
    *,
    splits: Sequence[str] = SPLITS,
    label: str | None = None,
    indexed: bool = True,
) -> Run:
    """Train `recipe` in a new folder of `workspace`.

    Args:
        name: the recipe's.
        recipe: what to train; of several processes, all call this with the same.
        workspace: where the folder goes.
        watcher: hears progress.
        trackers: where the curves go too.
        splits: those that can be read, and are scored at the end; the others cannot be, by anything.
        label: what the folder's name begins with; the recipe's name by default.
        indexed: whether the workspace's own index hears of the run at its end; else when somebody reads the index.

    Raises:
        InputError: the recipe cannot be built; nothing was created.
        DivergedError: training stopped being finite; the run is recorded as diverged.
        RecordError, CheckpointError: the folder cannot be written; the run is recorded as failed if it can be.
        LostProcessError: another process ended or cannot be reached; the run is recorded as failed.
    """
    machine = runtime.resolve_machine(recipe.runtime)
    with joined(machine.processes, device_of(machine.device)) as processes:
        return start_among(
            processes, name, recipe, workspace, watcher, trackers, splits=splits, label=label, indexed=indexed
        )


def start_among(
    processes: ManyProcesses | SingleProcess,
    name: str,
    recipe: Recipe,
    workspace: Path,
    watcher: Watcher | None = None,
    trackers: Sequence[str] = (),
    *,
    splits: Sequence[str] = SPLITS,
    label: str | None = None,
    indexed: bool = True,
) -> Run:
    """Train `recipe` in a new folder of `workspace`, in a process that has joined the others already.

    When it returns, in whichever process, the run's record is complete.

    Args:
        processes: this one's place among them.
        name: as for `start`.
        recipe: as for `start`.
        workspace: as for `start`.
        watcher: as for `start`.
        trackers: as for `start`.
        splits: as for `start`.
        label: as for `start`.
        indexed: as for `start`.

    Raises:
        InputError: the recipe cannot be built; nothing was created.
        DivergedError: training stopped being finite; the run is recorded as diverged.
        RecordError, CheckpointError: the folder cannot be written; the run is recorded as failed if it can be.
        LostProcessError: another process ended or cannot be reached; the run is recorded as failed.
    """
    if trackers:
        check_trackers(trackers)
    recipe = recipe.model_copy(update={"runtime": runtime.resolve_machine(recipe.runtime)})
    runtime.apply(recipe.runtime)  # what it says of threads counts for the data too, whatever ran here before
    device = device_of(recipe.runtime.device)
    beginning = beginning_of(recipe)
    recipe = recipe if beginning is None else beginning.recorded(recipe)
    parts = _readable(build_parts(recipe, beginning), splits)
    batch_size = batch_size_of(recipe, parts.source)
    resolved = runtime.resolve_model(recipe.runtime, parts.model, batch_size, parts.source.spec)
    recipe = recipe.model_copy(update={"runtime": resolved})
    runtime.apply(recipe.runtime)
    session = Session(
        name, recipe, parts, device, processes, watcher or Watcher(), beginning.notes if beginning else []
    )
    create = processes.rank == 0
    settings, environment = recipe.to_mapping(), _environment(recipe)
    folder = RunFolder.create(workspace, name, settings, environment, label) if create else None
    created = processes.share(folder)
    session.attach(created, trackers, indexed)
    session.execute()
    processes.share(None)  # the first process writes the record, and the others read it
    return Run(created)


def resume(
    folder: RunFolder,
    watcher: Watcher | None = None,
    trackers: Sequence[str] = (),
    *,
    splits: Sequence[str] = SPLITS,
    indexed: bool = True,
) -> Run:
    """Continue an interrupted run from its newest complete checkpoint, as if it had never stopped.

    Args:
        folder: the run's; a finished one is left as it is.
        watcher: hears progress.
        trackers: where the rest of its curves goes too; the record does not remember the trackers of before.
        splits: as for `start`.
        indexed: as for `start`.

    Raises:
        InputError: another process runs it, its files are damaged, its data have changed, or no such tracker.
        CheckpointError: every checkpoint is damaged, or a new one cannot be written.
        DivergedError: training stopped being finite.
        RecordError: the folder cannot be written; the run is recorded as failed if it can be.
        LostProcessError: another process ended or cannot be reached; the run is recorded as failed.
    """
    if trackers:
        check_trackers(trackers)
    if folder.status == "done":
        return Run(folder)
    recipe = _recorded(folder)
    recipe = recipe.model_copy(update={"runtime": runtime.resolve_machine(recipe.runtime)})
    runtime.apply(recipe.runtime)
    device = device_of(recipe.runtime.device)
    with joined(recipe.runtime.processes, device) as processes:
        goes_on = has_checkpoint(folder.checkpoints)  # whose weights replace those it began from
        beginning = None if goes_on else beginning_of(recipe)
        built = recipe.model_copy(update={"weights": None}) if goes_on else recipe
        parts = _readable(build_parts(built, beginning), splits)
        refuse_changed_files(folder, parts.source)
        notes = beginning.notes if beginning else _beginning_notes(folder)
        session = Session(folder.identity.recipe, recipe, parts, device, processes, watcher or Watcher(), notes)
        session.attach(processes.share(folder.claim() if processes.rank == 0 else None), trackers, indexed)
        session.restore(folder.checkpoints)
        session.execute()
        processes.share(None)
        return Run(folder)


def _recorded(folder: RunFolder) -> Recipe:
    """Return a run's recipe, its parts read."""
    try:
        return with_parts(folder.recipe())
    except UnknownPartError as error:
        raise UnknownPartError(
            f"{folder.run_id}: {error}; a part in a file of your own needs --use FILE again"
        ) from None


def _readable(parts: Parts, splits: Sequence[str]) -> Parts:
    """Return the parts with only `splits` of the data."""
    for split in SPLITS:
        if split not in splits:
            parts = parts._replace(source=without(split, parts.source))
    return parts


def refuse_changed_files(folder: RunFolder, source: Source) -> None:
    """Raise InputError where a file that the run's data came from holds something else now."""
    if not (folder.path / "inputs.json").exists():  # it was stopped before it could say
        return
    began = read_mapping(folder.path / "inputs.json").get("files")
    for file, digest in source.files.items():
        before = began.get(file, digest) if isinstance(began, dict) else digest
        if before != digest:
            raise InputError(
                f"{file}: the file has changed since the run began (SHA-256 {str(before)[:12]}, now {digest[:12]}); "
                "put the old one back, or start a new run"
            )


def _beginning_notes(folder: RunFolder) -> list[str]:
    """Return what a run noted of the weights it began from."""
    if not (folder.path / "inputs.json").exists():
        return []
    noted = read_mapping(folder.path / "inputs.json").get("weights")
    return [str(note) for note in noted] if isinstance(noted, list) else []


def _environment(recipe: Recipe) -> dict[str, Any]:
    device = {
        "device": recipe.runtime.device,
        "precision": recipe.runtime.precision,
        "threads": torch.get_num_threads(),
    }
    if recipe.runtime.device == "cuda":
        device["device_name"] = torch.cuda.get_device_name()
    return describe_environment(device)
