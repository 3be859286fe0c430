import hashlib

import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.tasks.seam import Order
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.tokens import IGNORED

TEXT = "값을 읽는다, and so on.\n" * 40


def source(path, seed: int = 0, **fields):
    return DATA.parse({"name": "text", "path": str(path), "length": 8, **fields}, "data").build(seed, path)


def texts_of(found, name: str) -> list[str]:
    """Return the texts of a split, read back from its windows."""
    tokenizer = tokenizer_of(found.spec.tokenizer)
    targets = torch.cat([batch.targets.flatten() for batch in found.split(name, 64)])
    (text,) = tokenizer.decode([targets[targets != IGNORED].tolist()], special=True)
    return text.split("[EOS]")[:-1]


@pytest.mark.parametrize(
    ("encoding", "note"), [("utf-8", None), ("utf-8-sig", None), ("utf-16", "UTF-16"), ("cp949", "CP949")]
)
def test_a_file_in_the_usual_encodings(encoding, note, tmp_path) -> None:
    path = tmp_path / "내 글.txt"
    path.write_bytes(TEXT.encode(encoding))
    found = source(path, validation=0.25, test=0.25)
    assert "".join(text for name in ("train", "validation", "test") for text in texts_of(found, name)) == TEXT
    assert found.files == {str(path): hashlib.sha256(path.read_bytes()).hexdigest()}
    assert (note is None) == (not any("read as" in line for line in found.notes))


def test_line_ends_of_windows_are_line_feeds(tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert "".join(texts_of(source(tmp_path / "a.txt"), "train")) == TEXT[: round(0.8 * len(TEXT))]


def test_a_folder_of_many_texts_is_divided_by_text(tmp_path) -> None:
    (tmp_path / "deep").mkdir()
    for i in range(30):
        folder = tmp_path / "deep" if i % 2 else tmp_path
        (folder / f"{i:02}.TXT").write_text(f"Text number {i}, {'xyz'[i % 3] * 20}.", encoding="utf-8")
    (tmp_path / "deep" / "copy.txt").write_text("Text number 1, yyyyyyyyyyyyyyyyyyyy.", encoding="utf-8")
    (tmp_path / "notes.md").write_text("not a text", encoding="utf-8")
    found = source(tmp_path, validation=0.1, test=0.2)
    parts = {name: texts_of(found, name) for name in ("train", "validation", "test")}
    assert {name: len(part) for name, part in parts.items()} == {"train": 21, "validation": 3, "test": 6}
    together = [text for part in parts.values() for text in part]
    assert sorted(together) == sorted(f"Text number {i}, {'xyz'[i % 3] * 20}." for i in range(30))
    again, other = source(tmp_path, validation=0.1, test=0.2), source(tmp_path, validation=0.1, test=0.2, split_seed=1)
    assert texts_of(again, "test") == parts["test"]
    assert sorted(texts_of(other, "test")) != sorted(parts["test"])
    varied = [source(tmp_path, seed, validation=0.1, test=0.2, split_seed=None) for seed in (0, 1)]
    assert [texts_of(each, "test") for each in varied] == [parts["test"], texts_of(other, "test")]
    assert len(found.files) == 31
    assert any("31 files, 30 different texts" in note for note in found.notes)


def test_a_file_divided_into_texts_kept_apart(tmp_path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n---\n".join(f"text {i}" for i in range(20)), encoding="utf-8")
    found = source(path, divider="---", apart=True)
    assert len(texts_of(found, "train")) == 16
    batch = next(found.train(Order(0, 4)))
    assert len(batch.inputs) == 4
    rows, _, _, documents = batch.inputs
    end = tokenizer_of(found.spec.tokenizer).number_of("[EOS]")
    assert torch.equal(documents[:, 1:] > documents[:, :-1], rows[:, 1:] == end)
    assert len(next(source(path, divider="---").train(Order(0, 4))).inputs) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no text in it"),
        (b" \n\r\n ", "no text in it"),
        (b"ok\nab\x80\xff\xfe", "row 2 is not UTF-8 text, nor CP949"),
        (b"ab\x00cd", "holds zero bytes"),
        (b"short", r"data\.length: 8 and one to predict, but the training text has"),
    ],
)
def test_what_cannot_be_read_is_one_line(content, says, tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(InputError, match=says) as error:
        source(tmp_path / "a.txt")
    assert "\n" not in str(error.value)


def test_what_is_not_there(tmp_path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.txt: no such file"):
        source(tmp_path / "nowhere.txt")
    with pytest.raises(InputError, match=r"no \.txt file in this folder"):
        source(tmp_path)
    with pytest.raises(InputError, match=r"data\.path: name your text"):
        DATA.parse("text", "data").build(0, tmp_path)
    with pytest.raises(InputError, match="together they must stay below 1"):
        source(tmp_path, validation=0.5, test=0.5)
