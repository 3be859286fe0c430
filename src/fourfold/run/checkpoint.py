"""Checkpoints: safetensors for tensors, JSON for the rest, nothing that can run.

    checkpoints/step-000000120/model.safetensors      the weights to use
                               training.safetensors   every other tensor: optimizer, averages, random streams, replay
                               state.json             numbers and text, with a name in place of each tensor
                               manifest.json          SHA-256 of the three files; written last
    checkpoints/last -> step-000000120

A checkpoint is written under a temporary name, synced, and renamed; the newest `KEEP` complete ones are kept, and an
older one goes only after the new one is durable.
"""

import contextlib
import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from fourfold.core.errors import CheckpointError
from fourfold.records.atomic import (
    fsync_directory,
    is_temporary,
    remove,
    rename_durably,
    temporary_beside,
    write_durably,
)

KEEP = 2
MAX_JSON_BYTES = 64 << 20
MAX_DEPTH = 50
TENSOR = "$tensor"
_NAME = re.compile("step-([0-9]{9})(?:-([0-9]{3}))?")  # saved again at the same step: -002, -003, …
FILES = ("model.safetensors", "training.safetensors", "state.json")


class Checkpoint(NamedTuple):
    """What a checkpoint holds: the weights to use, and the state the next step depends on."""

    step: int
    model: dict[str, Tensor]
    state: Any


def save_checkpoint(folder: Path, step: int, model: Mapping[str, Tensor], state: Mapping[str, Any]) -> Path:
    """Write a checkpoint and return its folder; when this returns it survives a power cut.

    Args:
        folder: the run's `checkpoints` folder.
        step: updates made so far.
        model: the weights to use.
        state: tensors, numbers, strings, None, and lists and dicts of these.

    Raises:
        CheckpointError: it could not be written; the checkpoints that were there are untouched.
    """
    target = _unused(folder, step)
    temporary = temporary_beside(target)
    try:
        tensors: dict[str, Tensor] = {}
        plain = _take_tensors(state, "", tensors)
        contents = {
            "model.safetensors": _to_bytes(model),
            "training.safetensors": _to_bytes(tensors),
            "state.json": json.dumps({"step": step, "state": plain}, allow_nan=True).encode(),
        }
        folder.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        for name, data in contents.items():
            write_durably(temporary / name, data)
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
        manifest = {"format": 1, "step": step, "sha256": digests}
        write_durably(temporary / "manifest.json", json.dumps(manifest, indent=1).encode())
        fsync_directory(temporary)
        rename_durably(temporary, target)
        _point_last_at(folder, target)
    except OSError as error:
        remove(temporary)
        what = f"{error.filename or target}: the checkpoint was not saved: {error.strerror or error}"
        raise CheckpointError(f"{what}; earlier ones are intact") from error
    _forget_old(folder, target)
    return target


def load_newest(folder: Path) -> tuple[Checkpoint, list[str]]:
    """Return the newest complete checkpoint and a notice for each damaged one that was passed over.

    Raises:
        CheckpointError: there is none; the message names every damaged file.
    """
    problems: list[str] = []
    for path in reversed(_steps(folder)):
        try:
            return load_checkpoint(path), problems
        except CheckpointError as error:
            problems.append(str(error))
    raise CheckpointError("; ".join(problems) or f"{folder}: no checkpoint")


def has_checkpoint(folder: Path) -> bool:
    """Return whether there is anything to load."""
    return bool(_steps(folder))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read one checkpoint folder, every file checked against its SHA-256 before it is parsed.

    Raises:
        CheckpointError: a file is missing, damaged, or holds more than data.
    """
    digests = _digests(path)
    contents = {name: _read_checked(path / name, digests) for name in FILES}
    body = _json(path / "state.json", contents["state.json"])
    if not isinstance(body, dict) or type(body.get("step")) is not int or body["step"] < 0:
        raise CheckpointError(f"{path / 'state.json'}: not a checkpoint state")
    tensors = _from_bytes(path / "training.safetensors", contents["training.safetensors"])
    model = _from_bytes(path / "model.safetensors", contents["model.safetensors"])
    return Checkpoint(body["step"], model, _put_tensors(path, body.get("state"), tensors))


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file; one that belongs to a checkpoint is checked against its SHA-256.

    Raises:
        CheckpointError: missing or damaged; the message names the file.
    """
    data = _read_checked(path, _digests(path.parent)) if (path.parent / "manifest.json").exists() else _read(path)
    return _from_bytes(path, data)


def _digests(path: Path) -> dict[str, Any]:
    """Return each file's SHA-256 from a checkpoint's manifest."""
    manifest = _json(path / "manifest.json", _read(path / "manifest.json", MAX_JSON_BYTES))
    digests = manifest.get("sha256") if isinstance(manifest, dict) else None
    if not isinstance(digests, dict) or manifest.get("format") != 1:
        raise CheckpointError(f"{path / 'manifest.json'}: not a checkpoint manifest of format 1")
    return digests


def _read_checked(path: Path, digests: Mapping[str, Any]) -> bytes:
    data = _read(path, MAX_JSON_BYTES if path.suffix == ".json" else None)
    if hashlib.sha256(data).hexdigest() != digests.get(path.name):
        raise CheckpointError(f"{path}: damaged: its SHA-256 is not the manifest's")
    return data


def _take_tensors(value: Any, key: str, tensors: dict[str, Tensor]) -> Any:
    """Return `value` with each tensor moved to `tensors` and its name left in its place."""
    if isinstance(value, Tensor):
        while key in tensors:  # {"a.b": …} and {"a": {"b": …}}
            key += "+"
        tensors[key] = value
        return {TENSOR: key}
    if isinstance(value, Mapping):
        if TENSOR in value or not all(isinstance(k, str) for k in value):
            raise TypeError(f"state '{key}': keys must be text")
        return {k: _take_tensors(v, f"{key}.{k}" if key else k, tensors) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_take_tensors(v, f"{key}.{i}", tensors) for i, v in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"state '{key}': {type(value).__name__} cannot be saved as data")


def _put_tensors(path: Path, value: Any, tensors: Mapping[str, Tensor], depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise CheckpointError(f"{path / 'state.json'}: nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        if set(value) == {TENSOR}:
            if not isinstance(value[TENSOR], str) or value[TENSOR] not in tensors:
                raise CheckpointError(f"{path / 'state.json'}: names a tensor that is not in training.safetensors")
            return tensors[value[TENSOR]]
        return {k: _put_tensors(path, v, tensors, depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_put_tensors(path, v, tensors, depth + 1) for v in value]
    return value


def _to_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Serialise; tied tensors are stored once a name, for safetensors refuses shared memory."""
    return save({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()})


def _from_bytes(path: Path, data: bytes) -> dict[str, Tensor]:
    try:
        return load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError, RuntimeError) as error:
        raise CheckpointError(f"{path}: not a safetensors file: {str(error).splitlines()[0]}") from None


def _read(path: Path, most: int | None = None) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe would wait and a device would never end
            raise CheckpointError(f"{path}: not a file")
        if most is not None and found.st_size > most:
            raise CheckpointError(f"{path}: larger than {most >> 20} MiB")
        return path.read_bytes()
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def _json(path: Path, data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path}: not JSON") from None


def _steps(folder: Path) -> list[Path]:
    """Return the checkpoint folders, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if _NAME.fullmatch(p.name) and p.is_dir() and not p.is_symlink())


def _unused(folder: Path, step: int) -> Path:
    """Return a name for a checkpoint of `step`, later in order than any other of the same step."""
    names = [match for path in _steps(folder) if (match := _NAME.fullmatch(path.name)) and int(match[1]) == step]
    again = f"-{max(int(match[2] or 1) for match in names) + 1:03d}" if names else ""
    return folder / f"step-{step:09d}{again}"


def _point_last_at(folder: Path, target: Path) -> None:
    link = temporary_beside(folder / "last")
    os.symlink(target.name, link, target_is_directory=True)
    rename_durably(link, folder / "last")


def _forget_old(folder: Path, newest: Path) -> None:
    """Remove all but `newest` and those just before it.

    What stands after `newest` was damaged, or the run would have gone on from there.
    """
    kept = [path for path in _steps(folder) if path.name <= newest.name][-KEEP:]
    for path in _steps(folder):
        if path not in kept:
            with contextlib.suppress(OSError):  # renamed first, for a half-removed checkpoint would look damaged
                path.rename(temporary_beside(path))
    for path in folder.iterdir():
        if is_temporary(path):  # these, and what a writer that was killed left behind
            remove(path)


def seed_random_state(seed: int, device: torch.device) -> None:
    """Begin torch's global generators anew, as `torch.manual_seed` does, which is slow where there is no GPU."""
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the state of torch's global generators, from which dropout draws."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Continue torch's global generators."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
    if device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"])
