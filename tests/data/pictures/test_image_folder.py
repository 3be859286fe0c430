import contextlib
import os
import re
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from faulty_pictures import WHOLE, with_faults
from pictures import folder, picture, source

from fourfold.core.errors import InputError
from fourfold.data.pictures.problems import ProblemsError
from fourfold.tasks.seam import Order


def names(found, split: str, root: Path) -> set[str]:
    """Return which files of a folder a split's pictures came from, by their pixels."""
    files = {}
    for path in filter(Path.is_file, root.rglob("*.png")):
        with contextlib.suppress(Exception), PIL.Image.open(path) as file:  # some are damaged, and one is a bomb
            files[np.asarray(file).tobytes()] = str(path.relative_to(root))
    raw = found.raw(split, list(range(found.sizes[split])))
    return {files[pixels.permute(1, 2, 0).numpy().tobytes()] for pixels in raw}


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.mark.promise("R22")
def test_a_folder_a_class(tmp_path, cache) -> None:
    root = folder(tmp_path / "내 사진", {"고양이": 20, "개": 40})
    found = source(root, cache)
    assert found.spec.class_names == ("개", "고양이")
    assert found.sizes == {"train": 42, "validation": 9, "test": 9}
    assert found.spec.class_counts == (28, 14)
    assert tuple(found.spec.input) == (3, 12, 16)
    for split in found.sizes:
        targets = torch.cat([batch.targets for batch in found.split(split, 8)])
        raw = found.raw(split, list(range(found.sizes[split])))
        label = {np.asarray(PIL.Image.open(p)).tobytes(): p.parent.name for p in root.rglob("*.png")}
        of = [label[pixels.permute(1, 2, 0).numpy().tobytes()] for pixels in raw]
        assert [found.spec.class_names[target] for target in targets] == of
    whole = set.union(*(names(found, split, root) for split in found.sizes))
    assert len(whole) == 60
    pixels = found.raw("train", list(range(42))).double()
    np.testing.assert_allclose(found.encoding.mean, pixels.mean((0, 2, 3)).numpy(), rtol=1e-12)
    np.testing.assert_allclose(found.encoding.deviation, pixels.std((0, 2, 3), correction=0).numpy(), rtol=1e-12)


def test_the_split_follows_its_seed_and_folds_cover_everything_but_the_test_split(tmp_path, cache) -> None:
    root = folder(tmp_path / "photos", {"a": 12, "b": 12})
    first, again, other = (names(source(root, cache, split_seed=seed), "test", root) for seed in (0, 0, 1))
    assert first == again != other
    by_run = [names(source(root, cache, seed, split_seed=None), "test", root) for seed in (0, 1)]
    assert by_run[0] != by_run[1]
    folds = [source(root, cache, folds=3, fold=fold) for fold in range(3)]
    held_out = [names(found, "validation", root) for found in folds]
    assert len(set.union(*held_out)) == sum(map(len, held_out)) == 24 - len(first)


def test_split_folders_are_kept_and_what_has_none_is_drawn_from_training(tmp_path, cache) -> None:
    root = folder(tmp_path / "a", {f"{s}/{c}": n for s, n in (("train", 10), ("val", 3), ("test", 4)) for c in "xy"})
    found = source(root, cache)
    assert found.sizes == {"train": 20, "validation": 6, "test": 8}
    for split, place in (("train", "train"), ("validation", "val"), ("test", "test")):
        assert {name.split("/")[0] for name in names(found, split, root)} == {place}
    shutil.rmtree(root / "test")
    found = source(root, cache)
    assert found.sizes == {"train": 17, "validation": 6, "test": 3}
    assert {name.split("/")[0] for name in names(found, "test", root)} == {"train"}
    assert "split: train 17, validation 6, test 3 pictures, test drawn in proportion" in "\n".join(found.notes)
    assert source(root, cache, test=0).sizes == {"train": 20, "validation": 6, "test": 0}
    with pytest.raises(InputError, match=r"data.folds: .* has a validation split of its own"):
        source(root, cache, folds=4)
    shutil.rmtree(root / "val")
    assert source(root, cache, folds=4).sizes["test"] == 3


def test_statistics_come_from_the_training_split_alone(tmp_path, cache) -> None:
    root = folder(tmp_path / "a", {"train/x": 3, "train/y": 3, "test/x": 2, "test/y": 2})
    before = source(root, cache, validation=0).encoding
    for number in range(2):
        PIL.Image.new("RGB", (16, 12), (number, 0, 0)).save(root / "test" / "x" / f"{number:03}.png")
    after = source(root, cache, validation=0)
    assert after.encoding == before
    assert after.raw("test", [0]).max() == 0


def test_a_table_of_labels(tmp_path, cache) -> None:
    root = folder(tmp_path / "a", {"": 12})
    rows = [f"{i:03}.png,{'cat' if i % 3 else 'dog'},{'train' if i < 8 else 'test'}" for i in range(12)]
    (root / "labels.csv").write_text("\n".join(["file,label,part", *rows]), encoding="utf-8")
    for fields in ({"path": str(root / "labels.csv")}, {"path": str(root), "labels": "labels.csv"}):
        found = source(root, cache, **fields, split_column="part", validation=0)
        assert found.sizes == {"train": 8, "validation": 0, "test": 4}
        assert found.spec.class_names == ("cat", "dog")
        assert set(found.files) == {fields["path"], str(root / "labels.csv")}
    with pytest.raises(InputError, match=r"data.label_column: folders have no columns"):
        source(folder(tmp_path / "b", {"x": 5, "y": 5}), cache, label_column="x")


def test_size_and_colour_are_what_was_asked_for(tmp_path, cache) -> None:
    root = folder(tmp_path / "a", {"x": 5, "y": 5})
    assert tuple(source(root, cache, size=6).spec.input) == (3, 6, 6)
    grey = source(root, cache, size=[6, 8], colour="grey")
    assert tuple(grey.spec.input) == (1, 6, 8)
    assert any("converted from RGB to grey" in note and note.startswith("10 pictures") for note in grey.notes)
    notes = "\n".join(source(root, cache, size=6).notes)
    assert "size: 6x6 (height x width), as data.size=6 of the recipe or the command says (null would choose); " in notes
    assert "; pictures of 12x16 to 12x16, other proportions by" in notes
    assert "as data.size=[6,8] of the recipe" in "\n".join(grey.notes)
    for size in ("large", 0, [1], [1, 2, 3], 1e3):
        with pytest.raises(InputError, match=r"^data\.size"):
            source(root, cache, size=size)


@pytest.mark.promise("R11")
def test_odd_modes_are_noted_by_path(tmp_path, cache) -> None:
    root = folder(tmp_path / "a", {"x": 5, "y": 5})
    picture(90).convert("CMYK").save(root / "x" / "print.jpg")
    PIL.Image.new("RGBA", (16, 12), (9, 9, 9, 9)).save(root / "x" / "clear.png")
    PIL.Image.fromarray(np.arange(192, dtype=np.uint16).reshape(12, 16) * 300).save(root / "y" / "deep.png")
    notes = source(root, cache).notes
    assert "1 picture: converted from CMYK to RGB (x/print.jpg)" in notes
    assert "1 picture: transparent parts laid on white (x/clear.png)" in notes
    assert "1 picture: 16-bit grey scaled to 8 bits (y/deep.png)" in notes


@pytest.mark.promise("R11")
def test_copies_stay_in_one_split(tmp_path, cache) -> None:
    root = folder(tmp_path / "a", {"x": 20, "y": 20})
    for number in range(10):
        shutil.copy(root / "x" / f"{number:03}.png", root / "x" / f"copy{number}.png")
    for seed in range(5):
        found = source(root, cache, split_seed=seed)
        contents = [
            {pixels.numpy().tobytes() for pixels in found.raw(split, list(range(found.sizes[split])))}
            for split in found.sizes
        ]
        assert sum(map(len, contents)) == len(set.union(*contents)) == 40
        assert "10 pictures are copies of another one; copies are kept in one split" in found.notes


@pytest.mark.promise("R11")
def test_a_folder_with_twelve_planted_faults_is_reported_in_one_list(tmp_path, cache) -> None:
    root = tmp_path / "photos"
    expected = with_faults(root)
    with pytest.raises(ProblemsError) as caught:
        source(root, cache)
    first, *lines = str(caught.value).split("\n")
    assert first.startswith(f"{root}: {len(expected)} problems; ")
    assert "data.problems=leave_out" in first
    assert len(lines) == len(expected) >= 12
    for path, reason in expected.items():
        (line,) = [line for line in lines if line.startswith(f"  {path}: ")]
        assert reason in line
    assert str(caught.value).isprintable() or all(line.isprintable() for line in lines)


@pytest.mark.promise("R11")
def test_what_can_be_left_out_is_left_out_when_asked_and_named(tmp_path, cache) -> None:
    root = tmp_path / "photos"
    expected = with_faults(root)
    (root / "train" / "cat" / "notes.txt").write_text("not looked at", encoding="utf-8")
    found = source(root, cache, problems="leave_out", size=[12, 16])
    assert found.spec.class_names == ("cat", "cow", "dog")
    left_out = "\n".join(note for note in found.notes if note.startswith("left out: "))
    assert all(path in left_out for path in expected)
    assert "left out: 1 class: missing: train has this class (val/cow/)" in left_out
    assert "1 file: left out, no picture by its ending (train/cat/notes.txt)" in found.notes
    used = set.union(*(names(found, split, root) for split in found.sizes if found.sizes[split]))
    assert not used & set(expected)
    assert not used & {"train/cat/dog.png", "train/lone/000.png", "val/lone/000.png", "val/bird/000.png"}
    assert found.sizes["train"] + found.sizes["test"] == 6 + 5 + 2


@pytest.mark.promise("R11")
@pytest.mark.parametrize("fault", range(14))
def test_each_fault_alone_is_one_line(fault, tmp_path, cache) -> None:
    root, whole = tmp_path / "photos", tmp_path / "whole"
    faults = list(with_faults(root))
    folder(whole, WHOLE)
    if faults[fault] != "train/lone/":
        shutil.rmtree(whole / "train" / "lone")
        shutil.rmtree(whole / "val" / "lone")
    path = faults[fault].replace("\\xe9", os.fsdecode(b"\xe9"))
    if path == "train/dog/001.png":
        shutil.copy(root / "train" / "cat" / "dog.png", whole / "train" / "cat" / "dog.png")
    elif path == "val/cow/":
        shutil.copytree(root / "train" / "cow", whole / "train" / "cow")
    elif path.endswith("/") and (whole / path).exists():
        pass  # a class of one picture
    elif path.endswith("/"):
        shutil.copytree(root / path, whole / path)
    elif path == "train/dog/pipe.png":
        os.mkfifo(whole / path)
    else:
        shutil.copy(root / path, whole / path, follow_symlinks=False)
    with pytest.raises(InputError) as caught:
        source(whole, cache)
    assert "\n" not in str(caught.value)
    assert f"{whole}/{faults[fault]}: " in str(caught.value)


@pytest.mark.promise("R11")
def test_a_table_and_its_pictures_are_told_together(tmp_path, cache) -> None:
    root = folder(tmp_path / "a", {"": 12})
    (root / "003.png").write_bytes(b"")
    rows = [f"{i:03}.png,{'cat' if i % 2 else 'dog'}" for i in range(11)]
    (root / "labels.csv").write_text("\n".join(["file,label", *rows, "gone.png,cat"]), encoding="utf-8")
    with pytest.raises(ProblemsError) as caught:
        source(root, cache, labels="labels.csv")
    assert [problem.name for problem in caught.value.problems] == ["003.png", "011.png", "gone.png"]


@pytest.mark.promise("R11")
def test_a_table_of_labels_that_is_not_there_is_named_where_it_was_looked_for(tmp_path, cache) -> None:
    root = folder(tmp_path / "photos", {"": 3})
    with pytest.raises(InputError) as caught:
        source(root, cache, labels="labels.csv")
    assert str(caught.value) == f"{root / 'labels.csv'}: no such file"


@pytest.mark.promise("R11")
def test_a_class_too_small_to_be_divided(tmp_path, cache) -> None:
    root = folder(tmp_path / "a", {"x": 9, "y": 9, "z": 2})
    with pytest.raises(InputError, match=r"z/: 2 pictures of this class; at least 3 are needed, one for each split"):
        source(root, cache)
    assert source(root, cache, validation=0).sizes["train"] == 17
    shutil.copy(root / "z" / "000.png", root / "z" / "copy.png")  # which makes no difference
    with pytest.raises(InputError, match="z/: 2 pictures"):
        source(root, cache)


def test_one_class_is_none(tmp_path, cache) -> None:
    with pytest.raises(InputError, match="one class, 'x'; nothing can be told apart"):
        source(folder(tmp_path / "a", {"x": 9}), cache)
    with pytest.raises(InputError, match=r"^data.path: name your folder"):
        source(Path(), cache, path="")


def test_nothing_but_problems(tmp_path, cache) -> None:
    root = tmp_path / "a"
    for name in ("x", "y"):
        (root / name).mkdir(parents=True)
        (root / name / "1.png").touch()
    with pytest.raises(ProblemsError, match="2 problems"):
        source(root, cache)
    with pytest.raises(InputError, match="no pictures that can be used"):
        source(root, cache, problems="leave_out")


def test_the_folder_s_digest_changes_with_what_is_learned_from_it(tmp_path, cache) -> None:
    root = folder(tmp_path / "a", {"x": 6, "y": 6})
    (path, first) = next(iter(source(root, cache).files.items()))
    assert path == str(root)
    moved = shutil.copytree(root, tmp_path / "b")
    assert source(moved, cache).files == {str(moved): first}  # by what is in it, not when or where
    (moved / "x" / "000.png").rename(moved / "x" / "9.png")
    assert source(moved, cache).files != {str(moved): first}
    picture(77).save(root / "x" / "000.png")
    assert source(root, cache).files != {str(root): first}


def test_a_new_picture_is_treated_as_training_ones_were(tmp_path, cache) -> None:
    root = folder(tmp_path / "a", {"x": 9, "y": 9}, height=30, width=40)
    for proportions in ("crop", "pad", "stretch"):
        found = source(root, cache, size=16, proportions=proportions)
        batch = next(iter(found.split("test", 99)))
        files = sorted(root.rglob("*.png"))
        inputs, notes, _ = found.encoding.encode_rows([str(file) for file in files])
        everything = {row.numpy().tobytes() for row in inputs[0]}
        assert all(row.contiguous().numpy().tobytes() in everything for row in batch.inputs[0])
        assert len(notes) == 1
        assert re.match(r"18 pictures: resized to 16x16", notes[0])


@pytest.mark.promise("R12")
def test_the_same_seed_gives_the_same_batches(tmp_path, cache) -> None:
    root = folder(tmp_path / "a", {"x": 9, "y": 9})
    one, same = (next(source(root, cache / str(n)).train(Order(3, 4))).inputs[0] for n in range(2))
    assert torch.equal(one, same)
