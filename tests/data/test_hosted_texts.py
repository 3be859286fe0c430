"""Sets that Hugging Face hosts: tiny files in the true form, a library that pretends, and no network."""

import json
import sys
import types
from pathlib import Path

import pyarrow
import pytest
import torch
from pyarrow import parquet
from whole_texts import HOSTED, sentence, write_hosted

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.text.padded import PaddedSource

LABELLED = ("sst2", "nsmc")


def build(name: str, path: Path | None, cache: Path, **fields) -> PaddedSource:
    given = {"name": name, "vocab_size": 300, "path": None if path is None else str(path), **fields}
    given |= {"validation_examples": 8} if name in LABELLED else {}
    return DATA.parse(given, "data").build(0, cache)


@pytest.mark.parametrize("name", HOSTED)
def test_splits_texts_and_answers_are_those_of_the_files(name, tmp_path) -> None:
    folder = write_hosted(tmp_path, name)
    source = build(name, folder, tmp_path)
    test = {"sst2": 11, "nsmc": 13}.get(name, 14)
    assert source.sizes == (
        {"train": 31, "validation": 8, "test": test}
        if name in LABELLED
        else {"train": 39 if name == "wmt14" else 40, "validation": 12, "test": 14}
    )
    first = 1000 if name == "sst2" else 2000  # whose own test split has no labels
    (text,) = source.raw("test", [3])
    wanted = sentence(first + 3)
    both = (wanted, f"{wanted} auch")
    true = {"conll2003": [*wanted.split(), "Kim", "Lee"], "multi30k": both, "wmt14": both}
    assert text == true.get(name, wanted)
    targets = next(iter(source.split("test", 4))).targets
    if name in LABELLED:
        assert targets.tolist() == [0, 1, 0, 1]
        assert any("1 empty text of train left out" in note for note in source.notes)
    if name == "wmt14":
        assert "1 train pair with an empty text left out" in source.notes
    if name == "conll2003":
        assert sorted(targets[3][targets[3] > 0].tolist()) == [1, 2]
        assert source.spec.tag_names[:3] == ("O", "B-PER", "I-PER")
    assert len(source.files) == (2 if name in LABELLED else 3)


def test_captions_go_both_ways(tmp_path) -> None:
    folder = write_hosted(tmp_path, "multi30k")
    back = build("multi30k", folder, tmp_path, target_language="en")
    assert back.spec.languages == ("de", "en")
    assert back.raw("test", [0]) == [(f"{sentence(2000)} auch", sentence(2000))]
    assert back.spec.words == "13a"


def test_many_pairs_become_tokens_piece_by_piece(tmp_path, monkeypatch) -> None:
    folder = write_hosted(tmp_path, "wmt14")
    whole = build("wmt14", folder, tmp_path, max_length=20)
    monkeypatch.setattr("fourfold.data.text.translated.PIECE", 7)
    pieces = build("wmt14", folder, tmp_path, max_length=20)
    assert pieces.notes == whole.notes
    assert any("train pairs are longer than 20 tokens" in note for note in whole.notes)
    for split, size in whole.sizes.items():
        (a,), (b,) = (list(source.split(split, 100)) for source in (whole, pieces))
        assert all(torch.equal(x, y) for x, y in zip((*a.inputs, a.targets), (*b.inputs, b.targets), strict=True))
        assert whole.raw(split, list(range(size))) == pieces.raw(split, list(range(size)))


def test_pairs_of_another_language_are_not_taken_for_those_that_are_asked_for(tmp_path) -> None:
    with pytest.raises(InputError, match=r"^wmt14: a translation without 'en' or 'fr' in it$"):
        build("wmt14", write_hosted(tmp_path, "wmt14"), tmp_path, target_language="fr")


CARD = """---
configs:
- config_name: de-en
  data_files:
  - {split: train, path: de-en/train-*}
  - {split: validation, path: de-en/validation-*}
  - {split: test, path: de-en/test-*}
---
"""


@pytest.mark.slow
def test_the_librarys_own_reading_of_a_repository_of_several_languages(tmp_path, monkeypatch) -> None:
    datasets = pytest.importorskip("datasets")
    host = tmp_path / "host"
    write_hosted(host, "wmt14").rename(host / "de-en")
    (host / "README.md").write_text(CARD, encoding="utf-8")
    load = datasets.load_dataset

    def local(_name: str, part: str, revision: None, cache_dir: str):
        return load(str(host), part, revision=revision, cache_dir=cache_dir)

    monkeypatch.setattr(datasets, "load_dataset", local)
    ours, theirs = build("wmt14", host / "de-en", tmp_path), build("wmt14", None, tmp_path)
    for split, size in ours.sizes.items():
        assert ours.raw(split, list(range(size))) == theirs.raw(split, list(range(size)))


@pytest.mark.parametrize("name", HOSTED)
def test_the_library_brings_the_same(name, tmp_path, monkeypatch) -> None:
    folder = write_hosted(tmp_path, name)
    kind = DATA.config_class(name)
    asked: list[tuple[object, ...]] = []

    def load_dataset(
        repository: str, part: str | None, revision: str | None, cache_dir: str
    ) -> dict[str, dict[str, list]]:
        asked.append((repository, part, revision, cache_dir))
        from fourfold.data.text.hosted import _of_folder

        return _of_folder(folder, kind.hosted, kind.columns)[0]

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    ours, theirs = build(name, folder, tmp_path), build(name, None, tmp_path)
    part = "de-en" if name == "wmt14" else None
    assert asked == [(kind.repository, part, kind.revision, str(tmp_path / "huggingface"))]
    for split in ours.sizes:
        for a, b in zip(ours.split(split, 9), theirs.split(split, 9), strict=True):
            assert all(torch.equal(x, y) for x, y in zip(a.inputs, b.inputs, strict=True))
            assert torch.equal(a.targets, b.targets)
    assert theirs.notes[0] == f"from Hugging Face's host, {kind.repository}"


@pytest.mark.promise("R21")
@pytest.mark.parametrize("name", HOSTED)
def test_without_the_library_or_its_host_it_says_what_to_do(name, tmp_path, monkeypatch) -> None:
    def unreachable(*_arguments, **_fields):
        raise ConnectionError("https://user:secret@host")

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=unreachable))
    with pytest.raises(
        InputError, match=rf"{name}: Hugging Face's host could not be read \(ConnectionError\).*data\.path"
    ) as caught:
        build(name, None, tmp_path)
    assert "secret" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=r'pip install -e "\.\[text\]" in your clone'):
        build(name, None, tmp_path)


def damaged(folder: Path, what: str) -> None:
    file = folder / "train-00000-of-00001.parquet"
    if what == "gone":
        file.unlink()
    elif what == "junk":
        file.write_bytes(b"junk")
    elif what == "column":
        parquet.write_table(pyarrow.table({"text": ["a"], "label": [1]}), file)
    else:
        parquet.write_table(pyarrow.table({"sentence": ["a", "b"], "label": [1, 7]}), file)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("gone", r"sst2: no train….parquet in it, nor train….jsonl"),
        ("junk", r"train-00000-of-00001\.parquet: not a Parquet file"),
        ("column", r"parquet: no column 'sentence'; it has text, label"),
        ("class", r"sst2: a text of class 7 in the train split; classes are 0 to 1"),
    ],
)
def test_files_that_cannot_be_used_are_refused_in_one_line(what, says, tmp_path) -> None:
    folder = write_hosted(tmp_path, "sst2")
    damaged(folder, what)
    with pytest.raises(InputError, match=says) as caught:
        build("sst2", folder, tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="none: no such folder"):
        build("sst2", tmp_path / "none", tmp_path)


@pytest.mark.parametrize(
    ("line", "says"), [("[1]", "line 41 is not a JSON object"), (json.dumps({"en": "a"}), "line 41 has no 'de'")]
)
def test_a_line_that_cannot_be_used_is_named(line, says, tmp_path) -> None:
    folder = write_hosted(tmp_path, "multi30k")
    with (folder / "train.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(InputError, match=says):
        build("multi30k", folder, tmp_path)
