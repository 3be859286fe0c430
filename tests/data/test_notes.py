"""What every source says about itself: the numbers in words are those of the data."""

import re
from pathlib import Path
from typing import Any

import pytest

from fourfold.data import DATA
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.tasks.classification import ClassificationSpec

OWN = (  # a user's files
    *("table", "image_folder", "imagenet", "series"),
    *("text", "labelled_text", "tagged_text", "pairs", "masked_text"),
    *("two_views", "gaussians", "unlabelled_pictures"),  # which have tests of their own
    *("gym", "minatar", "atari"),  # environments, likewise
)
SEQUENCES = ("adding", "copy")  # tests/data/series has them
HERE = [
    name
    for name in DATA
    if name not in (*OWN, *SEQUENCES, "gates") and DATA.config_class(name).is_here(Path("nowhere"))
]


def build(tmp_path: Path, name: str, seed: int = 7, **fields: Any) -> InMemorySource:
    return DATA.parse({"name": name, **fields}, "data").build(seed, tmp_path)  # type: ignore[attr-defined]


def only(source: InMemorySource, start: str) -> str:
    (line,) = [note for note in source.notes if note.startswith(start)]
    return line


@pytest.mark.promise("R10")
@pytest.mark.parametrize("name", [name for name in HERE if name != "curve"])  # whose splits are drawn, not divided
def test_sizes_and_seed_of_the_split(name: str, tmp_path: Path) -> None:
    source = build(tmp_path, name)
    sizes = ", ".join(f"{split} {size:,}" for split, size in source.sizes.items())
    by = "in proportion to the classes" if isinstance(source.spec, ClassificationSpec) else "at random"
    assert only(source, "split: ") == f"split: {sizes} examples, drawn {by} with data.split_seed=0"
    assert only(build(tmp_path, name, split_seed=3), "split: ").endswith("with data.split_seed=3")
    assert only(build(tmp_path, name, split_seed=None), "split: ").endswith("with the run's seed, 7")
    folded = build(tmp_path, name, folds=5, fold=2)
    assert f"validation {folded.sizes['validation']}" in only(folded, "split: ")
    assert only(folded, "split: ").endswith("; validation is fold 2 of 5, counted from 0")


@pytest.mark.promise("R10")
@pytest.mark.parametrize("name", [*HERE, "gates"])
def test_classes_and_scales_are_those_of_the_training_split(name: str, tmp_path: Path) -> None:
    source = build(tmp_path, name)
    spec, encoding = source.spec, source.encoding
    told = " ".join(source.notes)
    if isinstance(spec, ClassificationSpec):
        line = only(source, f"{len(spec.class_names)} classes; training examples of each: ")
        targets = next(iter(source.split("train", 10_000))).targets
        for k, label in enumerate(spec.class_names):
            assert f"{label}: {int((targets == k).sum())}" in line
    if isinstance(encoding, ImageEncoding):
        raw = source.raw("train", list(range(source.sizes["train"]))).double()
        mean, deviation = re.search(r"mean (\S+) and deviation ([\d.]+)", told).groups()  # type: ignore[union-attr]
        assert float(mean) == pytest.approx(float(raw.mean()), rel=1e-5)
        assert float(deviation) == pytest.approx(float(raw.std(correction=0)), rel=1e-5)
        assert "pictures: 1x8x8, pixels 0 to 16," in told
        assert "kept as pictures: models of rows flatten them" in told
    elif name == "gates":
        assert "not standardised" in told
    else:
        assert f"inputs: {spec.input.size} numbers, each standardised by its mean and deviation over the train" in told


def test_what_was_changed_or_drawn_is_told(tmp_path: Path) -> None:
    changed = build(tmp_path, "digits", augment=[{"name": "pad_crop", "pad": 1}, "horizontal_flip"])
    assert "training pictures are changed anew each time (pad_crop, horizontal_flip)" in changed.notes[-1]
    assert not any("changed" in note for note in build(tmp_path, "digits").notes)
    points = build(tmp_path, "two_moons", num_examples=90, noise=0.25)
    assert points.notes[0].startswith("90 points along 2 curves")
    assert points.notes[0].endswith("of deviation 0.25 drawn with data.data_seed=0")
    assert build(tmp_path, "two_moons", data_seed=None).notes[0].endswith("drawn with the run's seed, 7")
    price = only(build(tmp_path, "diabetes"), "targets standardised over the training split: 'progression' by mean 15")
    assert price.endswith("predictions are in their own units")


def test_a_class_of_two_lines_is_told_on_one(tmp_path: Path) -> None:
    rows = "".join(f'{i % 7 / 3},"{("one" if i % 2 else "two") + chr(10) + "lines"}"\n' for i in range(40))
    (tmp_path / "t.csv").write_text("x,y\n" + rows, encoding="utf-8")
    source = build(tmp_path, "table", path=str(tmp_path / "t.csv"), target="y")
    assert "one lines: 14" in only(source, "2 classes; ")
