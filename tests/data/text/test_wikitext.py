import sys
from types import SimpleNamespace

import pyarrow
import pytest
import torch
from pyarrow import parquet

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.text.wikitext import articles
from fourfold.tasks.tokenizer import tokenizer_of

LINES = ["", " = Robert Boulter = \n", "", " Robert <unk> is a writer . \n", " = = Career = = \n", " He was . \n",
         " = 한국 = \n", "", " 대한민국 . \n"]  # fmt: skip


def put(folder) -> None:
    for name, lines in (("train", LINES), ("validation", LINES[:4]), ("test", LINES[6:])):
        parquet.write_table(pyarrow.table({"text": lines}), folder / f"{name}-00000-of-00001.parquet")


def test_articles_begin_at_their_titles() -> None:
    found = articles(LINES)
    assert len(found) == 2
    assert found[0].startswith(" = Robert Boulter = \n\n Robert <unk>")
    assert " = = Career = = \n He was . \n" in found[0]
    assert found[1] == " = 한국 = \n\n 대한민국 . \n"


def test_a_copy_in_the_hosts_form(tmp_path) -> None:
    put(tmp_path)
    source = DATA.parse({"name": "wikitext", "path": str(tmp_path), "length": 8}, "data").build(0, tmp_path)
    assert "train 2 texts" in "\n".join(source.notes)
    assert source.raw("test", [0])[0].startswith("[EOS] = 한국 =")
    (tmp_path / "test-00000-of-00001.parquet").write_bytes(b"PAR1 damaged")
    with pytest.raises(InputError, match=r"test-00000-of-00001\.parquet: cannot be read") as error:
        DATA.parse({"name": "wikitext", "path": str(tmp_path), "length": 8}, "data").build(0, tmp_path)
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=r"no train-….parquet in it"):
        DATA.parse({"name": "wikitext", "path": str(tmp_path / "x")}, "data").build(0, tmp_path)


def test_articles_are_kept_apart_where_asked(tmp_path) -> None:
    put(tmp_path)
    fields = {"name": "wikitext", "path": str(tmp_path), "length": 64}
    for apart, count in ((False, 1), (True, 4)):
        source = DATA.parse({**fields, "apart": apart}, "data").build(0, tmp_path)
        (*_, last) = source.split("train", 1)
        assert len(last.inputs) == count
    documents = torch.cat([batch.inputs[3].flatten() for batch in source.split("train", 1)])
    assert documents.max() == 2  # the second article's beginning stands in one window with the first's end
    assert "not seen from another" in "\n".join(source.notes)


def test_the_host_through_its_library(tmp_path, monkeypatch) -> None:
    asked = []

    def load_dataset(*arguments: str, cache_dir: str):
        asked.append((*arguments, cache_dir))
        return {"train": {"text": LINES}, "validation": {"text": LINES[:4]}, "test": {"text": LINES[6:]}}

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    config = DATA.parse({"name": "wikitext", "million_words": 103, "length": 8}, "data")
    source = config.build(0, tmp_path)
    assert asked == [("Salesforce/wikitext", "wikitext-103-raw-v1", str(tmp_path / "huggingface"))]
    assert tokenizer_of(source.spec.tokenizer).number_of("한") > 0

    def unreachable(*arguments: str, cache_dir: str):
        raise ConnectionError("https://user:secret@host/x")

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=unreachable))
    with pytest.raises(InputError, match=r"could not be read \(ConnectionError\); .* data\.path") as error:
        config.build(0, tmp_path)
    assert "secret" not in str(error.value)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=r'not installed: pip install -e "\.\[text\]" in your clone'):
        config.build(0, tmp_path)


CARD = """---
configs:
- config_name: wikitext-2-raw-v1
  data_files:
  - {split: test, path: wikitext-2-raw-v1/test-*}
  - {split: train, path: wikitext-2-raw-v1/train-*}
  - {split: validation, path: wikitext-2-raw-v1/validation-*}
---
"""


@pytest.mark.slow
def test_the_librarys_own_reading_of_a_repository_like_the_hosts(tmp_path, monkeypatch) -> None:
    datasets = pytest.importorskip("datasets")
    (tmp_path / "host" / "wikitext-2-raw-v1").mkdir(parents=True)
    put(tmp_path / "host" / "wikitext-2-raw-v1")
    (tmp_path / "host" / "README.md").write_text(CARD, encoding="utf-8")
    load = datasets.load_dataset

    def local(_name: str, part: str, cache_dir: str):
        return load(str(tmp_path / "host"), part, cache_dir=cache_dir)

    monkeypatch.setattr(datasets, "load_dataset", local)
    source = DATA.parse({"name": "wikitext", "length": 8}, "data").build(0, tmp_path)
    alike = {"name": "wikitext", "length": 8, "path": str(tmp_path / "host" / "wikitext-2-raw-v1")}
    other = DATA.parse(alike, "data").build(0, tmp_path)
    assert source.spec == other.spec
    assert source.notes == other.notes
    assert source.raw("train", [0, 1]) == other.raw("train", [0, 1])
