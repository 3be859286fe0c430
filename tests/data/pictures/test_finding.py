import os
import unicodedata

import pytest
from pictures import folder, picture

from fourfold.core.errors import InputError
from fourfold.data.pictures.finding import find
from fourfold.data.pictures.labels import apply_labels
from fourfold.data.table.reading import read_table


def problems(found) -> list[str]:
    return sorted(map(str, found.problems))


def test_a_folder_a_class_whatever_is_inside(tmp_path) -> None:
    folder(tmp_path, {"고양이": 2, "개 강아지": 1, "개 강아지/작은": 1})
    found = find(tmp_path)
    assert [file.name for file in found.files] == [
        "개 강아지/000.png",
        "개 강아지/작은/000.png",
        "고양이/000.png",
        "고양이/001.png",
    ]
    assert found.labels == ["개 강아지"] * 2 + ["고양이"] * 2
    assert found.splits is None
    assert problems(found) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("train", "val", "test"), {"train": "train", "validation": "val", "test": "test"}),
        (("Training", "validation"), {"train": "Training", "validation": "validation"}),
        (("train", "dev"), {"train": "train", "validation": "dev"}),
        (("train",), {"train": "train"}),
    ],
)
def test_folders_that_are_splits(names, expected, tmp_path) -> None:
    folder(tmp_path, {f"{name}/{label}": 1 for name in names for label in ("cat", "dog")})
    found = find(tmp_path)
    assert found.split_folders == expected
    assert sorted(set(found.splits)) == sorted(expected)
    assert found.labels == ["cat", "dog"] * len(names)
    by_split = dict(zip([file.name.split("/")[0] for file in found.files], found.splits, strict=True))
    assert by_split == {folder: split for split, folder in expected.items()}


def test_a_train_is_a_class_among_others_that_are_no_splits(tmp_path) -> None:
    folder(tmp_path / "a", {"train": 1, "car": 1, "bus": 1})
    assert find(tmp_path / "a").labels == ["bus", "car", "train"]
    folder(tmp_path / "b", {"train": 1, "test": 1})  # no classes inside, so they are classes themselves
    assert find(tmp_path / "b").labels == ["test", "train"]


def test_two_folders_for_one_split(tmp_path) -> None:
    folder(tmp_path, {"train/a": 1, "val/a": 1, "valid/a": 1})
    with pytest.raises(InputError, match="val and valid are both the validation split"):
        find(tmp_path)


@pytest.mark.promise("R11")
def test_what_is_no_class_and_no_picture(tmp_path) -> None:
    folder(tmp_path, {"cat": 1})
    (tmp_path / "dog").mkdir()
    picture(5).save(tmp_path / "loose.png")
    for name in ("cat/notes.txt", "cat/.hidden.png", "cat/Thumbs.db", ".git/x.png", "read.me"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    found = find(tmp_path)
    assert [file.name for file in found.files] == ["cat/000.png"]
    assert found.left_out == ["cat/notes.txt", "read.me"]
    assert problems(found) == [
        "dog/: a class's folder without pictures",
        "loose.png: no class: it stands in no class's folder",
    ]


@pytest.mark.promise("R11")
def test_links(tmp_path) -> None:
    root = folder(tmp_path / "photos", {"cat": 1})
    folder(tmp_path / "elsewhere", {"dog": 2}, first=7)
    (root / "dog").symlink_to(tmp_path / "elsewhere" / "dog")
    (root / "cat" / "link.png").symlink_to(root / "cat" / "000.png")
    (root / "cat" / "gone.png").symlink_to(root / "nowhere.png")
    (root / "cat" / "round").symlink_to(root)
    found = find(root)
    assert [file.name for file in found.files] == ["cat/000.png", "cat/link.png", "dog/000.png", "dog/001.png"]
    assert problems(found) == [
        "cat/gone.png: a broken symbolic link",
        "cat/round/: a symbolic link to a folder that it is in",
    ]


@pytest.mark.promise("R22")
def test_one_class_in_two_ways_of_unicode_is_one_class(tmp_path) -> None:
    name = "고양이"
    folder(tmp_path, {f"train/{name}": 1, f"val/{unicodedata.normalize('NFD', name)}": 1})
    assert find(tmp_path).labels == [name, name]


@pytest.mark.promise("R11")
def test_a_name_that_is_not_utf_8(tmp_path) -> None:
    root = folder(tmp_path, {"cat": 1})
    (root / "cat" / os.fsdecode(b"caf\xe9.png")).write_bytes((root / "cat" / "000.png").read_bytes())
    found = find(root)
    assert len(found.files) == 1
    assert problems(found) == ["cat/caf\\xe9.png: the name is not UTF-8; rename it"]


@pytest.mark.parametrize(
    ("name", "message"), [("gone", "no such folder"), ("file", "not a folder"), ("empty", "no pictures")]
)
def test_no_folder_of_pictures(name, message, tmp_path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=message):
        find(tmp_path / name)


def labelled(root, text: str, **columns):
    (root / "labels.csv").write_text(text, encoding="utf-8")
    found = find(root, by_folder=False)
    told = {"picture": None, "label": None, "split": None} | columns
    notes = apply_labels(found, read_table(root / "labels.csv"), **told)
    return found, notes


@pytest.mark.parametrize(
    "text",
    [
        "file,label\na/000.png,cat\na/001.png,dog\nb/000.png,cat\n",
        "label,id\ncat,a/000\ndog,a/001\ncat,b/000\n",
        "n,Class,name\n1,cat,a/000.png\n2,dog,.\\a\\001.png\n3,cat,./b/000.png\n",
    ],
)
def test_labels_from_a_table_whose_columns_are_found(text, tmp_path) -> None:
    folder(tmp_path, {"a": 2, "b": 1})
    columns = {"picture": "id"} if "id" in text else {}
    found, notes = labelled(tmp_path, text, **columns)
    assert [(file.name, label) for file, label in zip(found.files, found.labels, strict=True)] == [
        ("a/000.png", "cat"),
        ("a/001.png", "dog"),
        ("b/000.png", "cat"),
    ]
    assert problems(found) == []
    assert "classes from" in notes[0]


def test_splits_from_a_table(tmp_path) -> None:
    folder(tmp_path, {"": 3})
    found, _ = labelled(tmp_path, "file,y,part\n000.png,a,train\n001.png,b,VAL\n002.png,a,test\n", split="part")
    assert found.splits == ["train", "validation", "test"]
    folder(tmp_path, {"": 3})
    found, _ = labelled(tmp_path, "file,y,part\n000.png,a,train\n001.png,b,x\n002.png,a,test\n", split="part")
    assert problems(found) == ["001.png: 'x' in labels.csv, row 3 is no split"]


@pytest.mark.promise("R11")
def test_a_table_that_does_not_fit_its_pictures(tmp_path) -> None:
    folder(tmp_path, {"a": 3, "b": 1})
    found, _ = labelled(
        tmp_path, "file,label\na/000.png,cat\na/001.png,\na/9.png,dog\n000.png,cat\na/000.png,dog\n,cat\n"
    )
    assert [file.name for file in found.files] == ["a/000.png"]
    assert problems(found) == [
        "000.png: row 5 of labels.csv may mean a/000.png or b/000.png",
        "a/000.png: labelled twice, the second time in row 6 of labels.csv",
        "a/001.png: no label in labels.csv, row 3",
        "a/002.png: no label: labels.csv does not name it",
        "a/9.png: no such picture, but row 4 of labels.csv gives it a label",
        "b/000.png: no label: labels.csv does not name it",
        "labels.csv: row 7 names no file",
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"picture": "fiel"}, "data.picture_column: .*no column 'fiel'; did you mean 'file'"),
        ({"label": "x"}, "data.label_column: .*no column 'x'"),
        ({"split": "x"}, "data.split_column: .*no column 'x'"),
        ({}, "which column is the class"),
    ],
)
def test_columns_that_are_not_there_or_cannot_be_told(columns, message, tmp_path) -> None:
    folder(tmp_path, {"a": 1})
    with pytest.raises(InputError, match=message):
        labelled(tmp_path, "file,one,two\na/000.png,1,2\n", **columns)
    with pytest.raises(InputError, match="which column names the files"):
        labelled(tmp_path, "one,two\n1,2\n")
