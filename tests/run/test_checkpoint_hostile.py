"""Checkpoints made to harm: nothing runs, nothing outside is read, and memory stays bounded.

The attacker writes every file, so every digest is right.
"""

import hashlib
import json
import os
import pickle
import signal
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from fourfold.core.errors import CheckpointError
from fourfold.run.checkpoint import load_checkpoint, load_newest, save_checkpoint


class Harm:
    """What unpickling this would do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def forge(folder: Path, **files: bytes) -> Path:
    """Write a checkpoint of the given bytes, with true digests."""
    path = folder / "step-000000005"
    path.mkdir(parents=True)
    whole = {
        "model.safetensors": save({"w": torch.ones(2)}),
        "training.safetensors": save({"m": torch.ones(2)}),
        "state.json": json.dumps({"step": 5, "state": {"m": {"$tensor": "m"}}}).encode(),
    }
    whole |= {name.replace("_", "."): data for name, data in files.items()}
    manifest = {"format": 1, "step": 5, "sha256": {n: hashlib.sha256(d).hexdigest() for n, d in whole.items()}}
    for name, data in {"manifest.json": json.dumps(manifest).encode(), **whole}.items():
        (path / name).write_bytes(data)
    return path


def refused(path: Path, name: str = "") -> str:
    tracemalloc.start()
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000
    assert str(caught.value).startswith(str(path / name))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def safetensors_of(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(start: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def test_a_forged_checkpoint_that_is_harmless_loads(tmp_path: Path) -> None:
    assert load_checkpoint(forge(tmp_path)).state["m"].tolist() == [1, 1]


@pytest.mark.promise("R7")
@pytest.mark.parametrize("name", ["model_safetensors", "training_safetensors", "state_json"])
@pytest.mark.parametrize("kind", ["pickle", "torch.save"])
def test_a_pickle_under_any_name_is_not_unpickled(tmp_path: Path, name: str, kind: str) -> None:
    harm = Harm(tmp_path / "harmed")
    if kind == "pickle":
        data = pickle.dumps(harm)
    else:
        torch.save(harm, tmp_path / "harm.pt")
        data = (tmp_path / "harm.pt").read_bytes()
    refused(forge(tmp_path / "run", **{name: data}), name.replace("_", "."))
    assert not (tmp_path / "harmed").exists()


@pytest.mark.promise("R7")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 7,
        safetensors_of(b"{}", length=2**63),
        safetensors_of(b"{}", length=2**64 - 1),
        safetensors_of(b"{}", length=90_000_000),
        safetensors_of(b"[" * 100_000),
        safetensors_of(b'{"a":' * 50_000),
        safetensors_of(b'{"w": 3}'),
        safetensors_of(json.dumps({"a": entry(0, 8, [2]), "b": entry(4, 12, [2])}).encode(), b"\x00" * 12),
        safetensors_of(json.dumps({"a": entry(0, 8, [2]), "b": entry(0, 8, [2])}).encode(), b"\x00" * 8),
        safetensors_of(json.dumps({"a": entry(8, 0, [2])}).encode(), b"\x00" * 8),
        safetensors_of(json.dumps({"a": entry(0, 2**60, [2**58])}).encode(), b"\x00" * 8),
        safetensors_of(json.dumps({"a": entry(0, 8, [2**33, 2**31])}).encode(), b"\x00" * 8),
        safetensors_of(json.dumps({"a": entry(0, 8, [-2])}).encode(), b"\x00" * 8),
        safetensors_of(json.dumps({"a": entry(0, 8, [4])}).encode(), b"\x00" * 8),
        safetensors_of(json.dumps({"a": entry(0, 8, [2], "OBJECT")}).encode(), b"\x00" * 8),
        safetensors_of(json.dumps({"a": entry(0, 4, [1])}).encode(), b"\x00" * 800),
    ],
    ids=lambda data: f"{len(data)}-{hashlib.sha256(data).hexdigest()[:4]}",
)
@pytest.mark.parametrize("name", ["model_safetensors", "training_safetensors"])
def test_a_malformed_tensor_file_is_refused_in_little_memory(tmp_path: Path, name: str, data: bytes) -> None:
    refused(forge(tmp_path, **{name: data}), name.replace("_", "."))


@pytest.mark.promise("R7")
@pytest.mark.parametrize("depth", [60, 900, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_deeply_nested_state_is_refused(tmp_path: Path, depth: int, opening: str) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]
    body = '{"step": 5, "state": ' + opening * depth + "1" + closing * depth + "}"
    refused(forge(tmp_path, state_json=body.encode()), "state.json")


@pytest.mark.promise("R7")
@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"3", b"null", b"{}", b'{"step": "5", "state": {}}', b'{"step": -1, "state": {}}',
        b'{"step": true, "state": {}}', b'{"step": 1e9, "state": {}}', b"\xff\xfe", b"{" + b" " * 1000,
        b'{"step": ' + b"9" * 5000 + b"}", b'{"step": 5, "state": {"a": {"$tensor": "w"}}}',
        b'{"step": 5, "state": {"a": {"$tensor": ["m"]}}}', b'{"step": 5, "state": {"a": {"$tensor": {"b": 1}}}}',
        b'{"step": 5, "state": {"a": {"$tensor": "../model"}}}',
    ],
)  # fmt: skip
def test_a_state_that_is_none_is_refused(tmp_path: Path, body: bytes) -> None:
    refused(forge(tmp_path, state_json=body), "state.json")


@pytest.mark.promise("R7")
def test_import_paths_in_a_state_stay_text(tmp_path: Path) -> None:
    state = {"_target_": "os.system", "__class__": "subprocess.Popen", "__reduce__": ["os.mkdir", ["harmed"]]}
    path = forge(tmp_path, state_json=json.dumps({"step": 5, "state": state}).encode())
    assert load_checkpoint(path).state == state


@pytest.mark.promise("R7")
@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "..", "model.safetensors/../../x", "\x00"])
def test_a_manifest_cannot_name_other_files(tmp_path: Path, name: str) -> None:
    path = forge(tmp_path)
    manifest = json.loads((path / "manifest.json").read_bytes())
    manifest["sha256"] = {name: "0" * 64, **manifest["sha256"]}
    (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert load_checkpoint(path).step == 5  # a name that is not ours is never opened
    del manifest["sha256"]["model.safetensors"]
    (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    refused(path, "model.safetensors")


@pytest.mark.promise("R7")
@pytest.mark.parametrize(
    "manifest", ["[]", "3", "{}", '{"format": 2, "sha256": {}}', '{"format": 1, "sha256": []}', "[" * 100_000]
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, manifest: str) -> None:
    path = forge(tmp_path)
    (path / "manifest.json").write_text(manifest, encoding="utf-8")
    refused(path, "manifest.json")


@pytest.mark.promise("R7")
@pytest.mark.parametrize("name", ["manifest.json", "state.json"])
def test_a_huge_text_file_is_not_read(tmp_path: Path, name: str) -> None:
    path = forge(tmp_path)
    with (path / name).open("r+b") as file:
        file.truncate(40 << 30)  # a hole: it takes no room on the disk
    assert "larger than" in refused(path, name)


@pytest.fixture
def _alarm() -> Iterator[None]:
    """Fail where the test would wait for ever."""
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits for what the pipe may bring"))
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.promise("R7")
@pytest.mark.usefixtures("_alarm")
@pytest.mark.parametrize("name", ["manifest.json", "state.json", "model.safetensors"])
def test_a_device_or_pipe_in_place_of_a_file_is_not_read(tmp_path: Path, name: str) -> None:
    path = forge(tmp_path)
    (path / name).unlink()
    os.mkfifo(path / name)  # before the device, for no alarm ends the reading of endless zeros
    assert "not a file" in refused(path, name)
    (path / name).unlink()
    (path / name).symlink_to("/dev/zero")
    assert "not a file" in refused(path, name)
    (path / name).unlink()
    (path / name).mkdir()
    assert "not a file" in refused(path, name)


@pytest.mark.promise("R7")
def test_other_names_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep.txt").write_text("precious", encoding="utf-8")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "step-999999999").symlink_to(outside)
    (folder / "step-..").mkdir()
    (folder / "step-000000009-zzz").mkdir()
    (folder / ".x.tmp").symlink_to(outside)
    for step in (1, 2, 3, 4):
        save_checkpoint(folder, step, {}, {})
    assert load_newest(folder)[0].step == 4
    assert (outside / "keep.txt").read_text(encoding="utf-8") == "precious"
