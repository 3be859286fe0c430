"""Damaged checkpoints: every error names the file, and falling back to an older one is never silent."""

import shutil
from pathlib import Path

import pytest
import torch

from fourfold.core.errors import BAD_INPUT, CheckpointError
from fourfold.run.checkpoint import FILES, load_checkpoint, load_newest, load_weights, save_checkpoint

ALL = (*FILES, "manifest.json")


def save(folder: Path, step: int, scale: float = 1.0) -> Path:
    model = {"layer.weight": torch.arange(12.0).view(3, 4) * scale, "layer.bias": torch.ones(3) * scale}
    return save_checkpoint(folder, step, model, {"step": step, "momentum": torch.ones(4) * scale, "lr": 0.1})


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return save(tmp_path / "run", 4)


def refused(checkpoint: Path, names: str) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(checkpoint)
    message = str(caught.value)
    assert message.startswith(str(checkpoint / names)), message
    assert "\n" not in message
    assert caught.value.exit_code == BAD_INPUT
    return message


@pytest.mark.promise("R6")
@pytest.mark.parametrize("name", ALL)
def test_cut_off_anywhere(checkpoint: Path, name: str) -> None:
    data = (checkpoint / name).read_bytes()
    for length in {0, 1, 7, 8, 9, len(data) // 2, len(data) - 1, *range(0, len(data), 23)}:
        (checkpoint / name).write_bytes(data[:length])
        refused(checkpoint, name)
    (checkpoint / name).write_bytes(data + b" " if name != "manifest.json" else data + b"x")
    refused(checkpoint, name)


@pytest.mark.promise("R6")
@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_anywhere(checkpoint: Path, name: str) -> None:
    data = (checkpoint / name).read_bytes()
    for position in range(0, len(data), max(1, len(data) // 60)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        (checkpoint / name).write_bytes(flipped)
        assert "SHA-256" in refused(checkpoint, name)


@pytest.mark.promise("R6")
def test_a_flipped_bit_in_the_manifest_is_noticed_or_harmless(checkpoint: Path) -> None:
    """It holds nothing but names and digests: either it no longer fits the files, or what is loaded is unchanged."""
    data = (checkpoint / "manifest.json").read_bytes()
    good = load_checkpoint(checkpoint)
    refusals = 0
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        (checkpoint / "manifest.json").write_bytes(flipped)
        try:
            loaded = load_checkpoint(checkpoint)
        except CheckpointError as error:
            refusals += str(error).startswith(str(checkpoint))
        else:
            refusals += 1
            assert loaded.step == good.step
            assert torch.equal(loaded.model["layer.weight"], good.model["layer.weight"])
    assert refusals == len(data)


@pytest.mark.promise("R6")
@pytest.mark.parametrize("name", ALL)
def test_a_file_that_is_missing(checkpoint: Path, name: str) -> None:
    (checkpoint / name).unlink()
    assert "no such file" in refused(checkpoint, name)


@pytest.mark.promise("R6")
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_run(checkpoint: Path, tmp_path: Path, name: str) -> None:
    other = save(tmp_path / "other run", 4, scale=2.0)
    if name == "state.json":  # numbers differ only where the run differs
        other = save(tmp_path / "other run", 5, scale=2.0)
    shutil.copy(other / name, checkpoint / name)
    refused(checkpoint, name)


@pytest.mark.promise("R6")
def test_another_run_s_manifest(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copy(save(tmp_path / "other run", 4, scale=2.0) / "manifest.json", checkpoint)
    refused(checkpoint, "model.safetensors")


@pytest.mark.promise("R6")
@pytest.mark.parametrize("name", ALL)
def test_a_damaged_newest_checkpoint_is_passed_over_with_a_notice(tmp_path: Path, name: str) -> None:
    save(tmp_path, 4)
    newest = save(tmp_path, 8)
    (newest / name).write_bytes(b"")
    loaded, notices = load_newest(tmp_path)
    assert loaded.step == 4
    assert len(notices) == 1
    assert str(newest / name) in notices[0]


@pytest.mark.promise("R6")
def test_when_all_are_damaged_all_are_named(tmp_path: Path) -> None:
    paths = [save(tmp_path, 4), save(tmp_path, 8)]
    for path in paths:
        (path / "state.json").write_bytes(b"{")
    with pytest.raises(CheckpointError) as caught:
        load_newest(tmp_path)
    assert all(str(path / "state.json") in str(caught.value) for path in paths)
    assert "\n" not in str(caught.value)


@pytest.mark.promise("R6")
def test_without_any_checkpoint_the_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nothing here: no checkpoint"):
        load_newest(tmp_path / "nothing here")


@pytest.mark.promise("R6")
def test_weights_taken_from_a_checkpoint_are_checked_too(checkpoint: Path) -> None:
    path = checkpoint.parent / "last" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-2] ^= 4  # inside the last tensor: still a well-formed file
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: damaged"):
        load_weights(path)


@pytest.mark.promise("R6")
def test_weights_alone_are_read_and_named_when_damaged(checkpoint: Path, tmp_path: Path) -> None:
    alone = tmp_path / "weights.safetensors"
    shutil.copy(checkpoint / "model.safetensors", alone)
    assert set(load_weights(alone)) == {"layer.weight", "layer.bias"}
    alone.write_bytes(alone.read_bytes()[:40])
    with pytest.raises(CheckpointError, match=r"weights\.safetensors: not a safetensors file"):
        load_weights(alone)
