"""The run folder: everything about one run, in plain files that describe themselves.

    recipe.yaml       the recipe with every default filled in
    environment.json  versions, machine, code
    run.json          the run's identity, and the process it belongs to
    inputs.json       how a new example reaches the model, and digests of the user's own files
    metrics.jsonl     every point of every curve
    result.json       how it ended; written last, so a run without it runs or was interrupted
    checkpoints/  figures/

The folder's name is the run's id and may be changed; `uid` in run.json stays the same wherever the folder is moved.
The status is not stored twice: result.json has it, and without one the process of run.json is asked.

Checked by: many processes creating at once, a fault at each write, a killed run, folders damaged file by file.
"""

import os
import secrets
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Mapping, cast

from fourfold.core.document import read_yaml, to_yaml
from fourfold.core.errors import InputError, RecordError, did_you_mean
from fourfold.records import strict_json
from fourfold.records.atomic import fsync_directory, remove, temporary_beside, write_atomically, write_durably
from fourfold.records.identity import Identity, read_identity
from fourfold.records.location import database_address
from fourfold.records.naming import is_plain_name, slug, to_file_name, to_text
from fourfold.records.numbered import place
from fourfold.records.points import Point, read_points
from fourfold.records.process import is_alive, this_process
from fourfold.records.result import FinalStatus, read_result

Status = Literal["running", "done", "interrupted", "diverged", "failed"]


@dataclass(frozen=True)
class RunFolder:
    """One run's folder. Make one with `create`, `open` or `find`."""

    path: Path
    identity: Identity

    @classmethod
    def create(
        cls,
        workspace: Path,
        name: str,
        recipe: Mapping[str, Any],
        environment: Mapping[str, Any],
        label: str | None = None,
    ) -> "RunFolder":
        """Make `<workspace>/<label>-<n>`, complete or not at all; `n` is the first number after those in use.

        Args:
            workspace: made if it does not exist.
            name: the recipe's name.
            recipe: the resolved recipe as plain data, with `seed`.
            environment: from `describe_environment`.
            label: by default the recipe's name; characters that a file name should not have become `-`.

        Raises:
            RecordError: the folder cannot be written; nothing is left of it.
            InputError: `FOURFOLD_DB` is not usable, which is better said now than when the run ends.
        """
        database_address()
        identity = Identity(secrets.token_hex(16), to_text(name), int(recipe.get("seed", 0)), _now(), this_process())
        try:
            workspace.mkdir(parents=True, exist_ok=True)
            draft = temporary_beside(workspace / "run")
            try:
                draft.mkdir()
                write_durably(draft / "recipe.yaml", to_yaml(dict(recipe)).encode("utf-8"))
                write_durably(draft / "environment.json", strict_json.encode(dict(environment), indent=1))
                write_durably(draft / "run.json", strict_json.encode(asdict(identity), indent=1))
                (draft / "checkpoints").mkdir()
                (draft / "figures").mkdir()
                return cls(place(draft, workspace, slug(label or identity.recipe)), identity)
            except BaseException:
                remove(draft)
                raise
        except OSError as error:
            raise cannot_write(error, workspace) from None

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Open an existing run folder.

        Raises:
            InputError: not a run folder, or one of its files is missing or damaged; names the file.
        """
        if not os.path.isdir(path):  # which says no, and does not raise, where a name is too long for a file
            raise InputError(f"{path}: no such run folder")
        if not (path / "run.json").exists():
            raise InputError(f"{path}: not a run folder: it has no run.json")
        folder = cls(path, read_identity(path / "run.json"))
        folder.recipe()
        folder.environment()
        folder.result()
        return folder

    @classmethod
    def find(cls, workspace: Path, run: str) -> "RunFolder":
        """Open a run by its id in `workspace`, or by the path of its folder.

        Raises:
            InputError: no such run (the nearest id is offered), or a damaged one.
        """
        run = to_text(run)
        if is_plain_name(run) and os.path.isdir(workspace / to_file_name(run)):
            return cls.open(workspace / to_file_name(run))
        if run and os.path.isdir(to_file_name(run)):
            return cls.open(Path(to_file_name(run)))
        ids = [to_text(path.name) for path in run_paths(workspace)]
        raise InputError(f"no run '{run}' in {workspace}{did_you_mean(run, ids) if ids else ': it has no runs'}")

    @property
    def run_id(self) -> str:
        """The folder's name, such as `digits-mlp-3`."""
        return to_text(self.path.name)

    @property
    def metrics_file(self) -> Path:
        """Where the points of the curves are."""
        return self.path / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints go."""
        return self.path / "checkpoints"

    @property
    def figures(self) -> Path:
        """Where figures go."""
        return self.path / "figures"

    def recipe(self) -> dict[str, Any]:
        """Read the resolved recipe as plain data.

        Raises:
            InputError: missing or damaged.
        """
        return read_yaml(self.path / "recipe.yaml")

    def environment(self) -> dict[str, Any]:
        """Read what the run ran on.

        Raises:
            InputError: missing or damaged.
        """
        environment = strict_json.read_mapping(self.path / "environment.json")
        if not isinstance(environment.get("packages", {}), dict):
            raise InputError(f"{self.path / 'environment.json'}: damaged: packages must be names and versions")
        return environment

    def result(self) -> dict[str, Any] | None:
        """Read how the run ended, None while it has not; `metrics` holds floats, NaN and infinities included.

        Raises:
            InputError: damaged.
        """
        path = self.path / "result.json"
        return read_result(path) if path.exists() else None

    @property
    def status(self) -> Status:
        """How the run stands: result.json's word, else `running` while its process lives, else `interrupted`.

        Raises:
            InputError: result.json is damaged.
        """
        result = self.result()
        if result is not None:
            return cast(Status, result["status"])
        return "running" if is_alive(self.identity.process, self.silence()) else "interrupted"

    def status_by(self, result: Mapping[str, Any] | None) -> Status:
        """Return the status for who has read `result()` already; where there was none, one may have come since."""
        return self.status if result is None else cast(Status, result["status"])

    def silence(self) -> float:
        """Seconds since the run's last heartbeat."""
        try:
            return time.time() - (self.path / "run.json").stat().st_mtime
        except OSError:
            return float("inf")

    def heartbeat(self) -> None:
        """Say that the run lives; the time of change of run.json carries it.

        Raises:
            OSError: run.json is gone or cannot be touched.
        """
        os.utime(self.path / "run.json")

    def points(self) -> list[Point]:
        """Read every point of every curve, in the order written.

        Raises:
            InputError: damaged before the last line.
        """
        return list(read_points(self.metrics_file))

    def curve(self, name: str) -> list[tuple[int, float]]:
        """Read one curve as (step, value) pairs in step order.

        Raises:
            InputError: damaged, or no metric of that name; the nearest is offered.
        """
        points = self.points()
        curve = {point.step: point.value for point in points if point.name == name}
        if not curve:
            raise InputError(f"{self.run_id}: no metric '{name}'{did_you_mean(name, {p.name for p in points})}")
        return sorted(curve.items())

    def claim(self) -> "RunFolder":
        """Make the run this process's own, to go on with it: it runs again, and its old result is removed.

        Raises:
            InputError: another process runs it, or `FOURFOLD_DB` is not usable.
            RecordError: the folder cannot be written.
        """
        from filelock import FileLock

        database_address()
        try:
            with FileLock(self.path / ".claim.lock"):
                held = read_identity(self.path / "run.json").process
                if held != this_process() and self.result() is None and is_alive(held, self.silence()):
                    raise InputError(
                        f"{self.run_id} is running already (process {held.get('pid')} on {held.get('host')})"
                    )
                claimed = replace(self.identity, process=this_process())
                write_atomically(self.path / "run.json", strict_json.encode(asdict(claimed), indent=1))
                (self.path / "result.json").unlink(missing_ok=True)
                fsync_directory(self.path)
        except OSError as error:
            raise cannot_write(error, self.path) from None
        return RunFolder(self.path, claimed)

    def write_result(self, status: FinalStatus, result: Mapping[str, Any]) -> None:
        """Write result.json, the last act of a run; written again, it replaces the old one.

        Args:
            status: how the run ended.
            result: what else to say; `metrics`, if there, is `{"train": {"loss": 0.1}, …}`.

        Raises:
            RecordError: it cannot be written; an old result.json is as it was.
        """
        content = {**result, "status": status, "ended": _now()}
        path = self.path / "result.json"
        try:
            write_atomically(path, strict_json.encode(content, indent=1))
        except OSError as error:
            raise cannot_write(error, path) from None


def run_paths(workspace: Path) -> list[Path]:
    """Return the folders in `workspace` that are runs, damaged ones too, in no order; none if it does not exist."""
    try:
        with os.scandir(workspace) as entries:
            folders = [entry.path for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return []
    marks = ("run.json", "result.json", "recipe.yaml")
    return [Path(path) for path in folders if any(os.path.exists(os.path.join(path, mark)) for mark in marks)]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def cannot_write(error: OSError, path: Path) -> RecordError:
    """Return the error a person sees when `path` could not be written."""
    reason = error.strerror or str(error)
    return RecordError(f"{path}: {reason[:1].lower()}{reason[1:]}; nothing was saved there")
