"""Small pictures kept as training goes on: which steps, what is in them, and that most data have none."""

from pathlib import Path

import numpy as np
import PIL.Image
import torch

import fourfold as ff
from fourfold.run.snapshots import FOLDER, kept, to_png

RECIPE = {
    "data": {"name": "gaussians", "examples": 40, "scored": 30},
    "model": {"name": "gan", "latent": 2, "generator_widths": [6], "discriminator_widths": [6]},
    "loss": "usual",
    "algorithm": "adversarial",
    "budget": {"steps": 9, "batch_size": 12, "validate_every": 4},
    "runtime": {"device": "cpu", "threads": 1},
}


def test_a_picture_at_each_validation(tmp_path: Path) -> None:
    run = ff.run(RECIPE, workspace=tmp_path)
    found = kept(run.folder.path)
    assert [step for step, _ in found] == [4, 8, 9]
    pictures = [np.asarray(PIL.Image.open(path)) for _, path in found]
    assert all(picture.shape == (128, 128) for picture in pictures)
    assert not np.array_equal(pictures[0], pictures[1])
    run.folder.path.joinpath(FOLDER, "notes.txt").write_text("mine", encoding="utf-8")
    assert len(kept(run.folder.path)) == 3


def test_other_data_have_nothing_to_show(tmp_path: Path) -> None:
    run = ff.run("xor-mlp", {"budget.steps": 3}, workspace=tmp_path)
    assert kept(run.folder.path) == []
    assert not (run.folder.path / FOLDER).exists()


def test_colours_and_greys_are_read_back(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    for channels in (1, 3):
        picture = torch.randint(0, 256, (5, 7, channels), generator=generator, dtype=torch.uint8)
        path = tmp_path / f"{channels}.png"
        path.write_bytes(to_png(picture))
        assert np.array_equal(np.asarray(PIL.Image.open(path)).reshape(5, 7, channels), picture.numpy())
