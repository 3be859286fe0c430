from pathlib import Path

import pytest

from fourfold.data import DATA
from fourfold.data.text.header import may_name_columns, names_columns


@pytest.mark.parametrize(
    "cells",
    [
        ("english", "korean"),
        ("English", "Français"),
        ("영어", "한국어"),
        ("원문", "번역"),
        ("source", "target"),
        ("SRC", "tgt"),
        ("sentence1", "sentence2"),
        ("en", "de"),
        ("EN", "DE"),
    ],
)
def test_two_names_are_a_header(cells) -> None:
    assert names_columns(cells, ("en", "de"))


@pytest.mark.parametrize(
    "cells",
    [
        ("Korean", "한국어"),  # of a dictionary
        ("English", "Englisch"),
        ("text", "input"),
        ("it", "es"),  # English into German, and two languages' codes
        ("en", "ko"),
        ("english", "Hallo"),
        ("the english", "korean"),
        ("", ""),
    ],
)
def test_words_and_their_translations_are_none(cells) -> None:
    assert not names_columns(cells, ("en", "de"))


def test_the_same_code_twice_is_no_header() -> None:
    assert not names_columns(("en", "en"), ("en", "en"))


def test_single_words_among_sentences_may_be_one() -> None:
    sentences = [("I am here.", "나는 여기 있다."), ("Go.", "가라."), ("You are there.", "너는 거기 있다.")]
    assert may_name_columns(("eng_text", "kor-text"), sentences)
    assert not may_name_columns(("Hi!", "안녕!"), sentences)
    assert not may_name_columns(("eng", "kor"), [("cat", "고양이"), ("dog", "개"), ("a big dog", "큰 개")])


@pytest.mark.parametrize(
    ("first", "size", "note"),
    [
        ("english\tkorean", 40, "line 1 is a header: english, korean"),
        ("english_side\tkorean_side", 41, "the first pair is 'english_side' and 'korean_side'; if that is a header"),
        ("I am number none.\t나는 번호가 없다.", 41, None),
    ],
)
def test_a_header_is_no_pair_and_what_may_be_one_is_noted(first: str, size: int, note: str, tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    lines = [first, *(f"I am number {i}.\t나는 {i}번 이다." for i in range(40))]
    file.write_text("\r\n".join(lines), encoding="utf-8")
    source = DATA.parse({"name": "pairs", "path": str(file), "vocab_size": 400}, "data").build(0, tmp_path)  # type: ignore[attr-defined]
    assert sum(source.sizes.values()) == size
    found = [each for each in source.notes if "header" in each]
    assert found == [] if note is None else found[0].startswith(note)
