from pathlib import Path

import pytest

from fourfold.core.errors import InputError
from fourfold.data.text.conll import is_scheme, parse_conll, to_iob2

PATH = Path("words.conll")


def test_words_tags_and_sentences_with_spaces_or_tabs() -> None:
    spaces = "-DOCSTART- -X- O\n\nKim NNP B-PER\nflew VBD O\n\n\n서울 NNP B-LOC\n"
    tabs = "# text = Kim flew\nKim\tNNP\tB-PER\nflew\tVBD\tO\n\t\t\n서울\tNNP\tB-LOC"
    for text in (spaces, tabs, tabs.replace("\n", "\r\n")):
        sentences = parse_conll(PATH, text)
        assert sentences == [(["Kim", "flew"], ["B-PER", "O"]), (["서울"], ["B-LOC"])]
    assert parse_conll(PATH, spaces, tag_column=1)[0].tags == ["NNP", "VBD"]
    assert parse_conll(PATH, "B-PER\tKim\nO\t#\n", word_column=1, tag_column=0)[0].words == ["Kim", "#"]
    assert parse_conll(PATH, "# O\nwins O\n")[0].words == ["#", "wins"]  # a word, for it has a tag


@pytest.mark.parametrize(
    ("text", "fields", "says"),
    [
        ("a O\nb O x\n", {}, "words.conll: line 2 has 3 columns, and line 1 has 2"),
        ("a X O\n\nb O\n", {}, "words.conll: line 3 has 2 columns, and line 1 has 3"),
        ("a\nb\n", {}, "words.conll: line 1 has one column; a word and its tag are needed"),
        ("a\tO\n\tO\n", {}, "words.conll: line 2 has no word"),
        ("a\tO\nb\t\n", {}, "words.conll: line 2 has no tag"),
        ("\n\n", {}, "words.conll: no sentence in it"),
        ("a O\n", {"tag_column": 2}, "data.tag_column: 2, but line 1 of words.conll has 2 columns"),
        ("a O\n", {"word_column": -3}, "data.word_column: -3, but line 1"),
    ],
)
def test_a_broken_line_is_named(text, fields, says) -> None:
    with pytest.raises(InputError, match=says) as caught:
        parse_conll(PATH, text, **fields)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "tags", "wanted"),
    [
        ("IOB2", "B-A I-A O B-A B-B I-B", "B-A I-A O B-A B-B I-B"),
        ("IOB1", "I-A I-A B-A O I-B I-A", "B-A I-A B-A O B-B B-A"),
        ("IOBES", "B-A E-A S-A O B-B I-B E-B", "B-A I-A B-A O B-B I-B I-B"),
        ("BILOU", "B-A L-A U-A O B-B I-B L-B", "B-A I-A B-A O B-B I-B I-B"),
        ("parts of speech", "NN VB O", "NN VB O"),
    ],
)
def test_every_scheme_becomes_iob2(scheme, tags, wanted) -> None:
    assert to_iob2(tags.split()) == wanted.split()


def test_what_marks_entities() -> None:
    assert is_scheme({"O", "B-x", "I-x"})
    assert is_scheme({"S-x", "O"})
    assert not is_scheme({"O"})
    assert not is_scheme({"NN", "O"})
    assert not is_scheme({"B-x", "NN"})
    assert not is_scheme({"-LRB-", "NN"})
