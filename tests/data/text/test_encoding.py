import json
from pathlib import Path

import numpy as np
import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data.encoding import encoding_from_mapping
from fourfold.data.table.reading import Table, as_texts
from fourfold.data.text.encoding import TaggedTextEncoding, TextEncoding, split_words
from fourfold.data.text.learning import FRAME
from fourfold.data.text.tokenizer import train_tokenizer

TEXTS = ["the film was good", "the film was bad", "정말 좋은 영화", "영화가 나쁘다"]
WORDS = train_tokenizer("wordpiece", TEXTS, 200, FRAME)
PLAIN = train_tokenizer("char", TEXTS)  # without [CLS] and [SEP]
PAD, CLS, SEP = 0, WORDS.number_of("[CLS]"), WORDS.number_of("[SEP]")


def encoding(length: int = 12, columns: tuple[str, ...] = ("text",), **fields) -> TextEncoding:
    return TextEncoding(tokenizer=WORDS.text, max_length=length, columns=list(columns), **fields)


def table(**columns: list[str | None]) -> Table:
    count = len(next(iter(columns.values())))
    texts = {name: as_texts(values) for name, values in columns.items()}
    return Table(Path("t.csv"), texts, np.arange(2, count + 2), ["read"], "")


def test_a_text_is_framed_and_padded() -> None:
    (short,), (long,) = WORDS.encode([TEXTS[0]]), WORDS.encode([TEXTS[3]])
    tokens, lengths = encoding().encode_rows([TEXTS[0], {"text": TEXTS[3]}, ["the"]]).inputs
    rows = [[CLS, *short, SEP], [CLS, *long, SEP], [CLS, *WORDS.encode(["the"])[0], SEP]]
    width = max(map(len, rows))
    assert tokens.tolist() == [row + [PAD] * (width - len(row)) for row in rows]
    assert lengths.tolist() == list(map(len, rows))


def test_a_pair_has_two_segments() -> None:
    a, b = WORDS.encode(["the film", "영화가 나쁘다"])
    tokens, lengths, segments = (
        encoding(columns=("first", "second")).encode_rows([["the film", "영화가 나쁘다"]]).inputs
    )
    assert tokens.tolist() == [[CLS, *a, SEP, *b, SEP]]
    assert segments.tolist() == [[0] * (len(a) + 2) + [1] * (len(b) + 1)]
    assert lengths.tolist() == [len(a) + len(b) + 3]


@pytest.mark.parametrize(
    ("words", "length", "kept"),
    [((2, 20), 10, (2, 5)), ((20, 2), 10, (5, 2)), ((9, 9), 10, (4, 3)), ((3, 4), 10, (3, 4)), ((9, 0), 9, (6, 0))],
)
def test_of_a_long_pair_the_longer_text_loses_its_end(words, length, kept) -> None:
    known = encoding(length, ("a", "b"))
    pair = [" ".join(["film"] * words[0]), " ".join(["the"] * words[1])]
    encoded = known.encode_rows([pair])
    tokens, lengths, segments = encoded.inputs
    assert int(lengths[0]) <= length
    assert (int((segments == 0).sum()) - 2, int(segments.sum()) - 1) == kept
    film, the = WORDS.encode(["film", "the"])
    assert tokens.tolist() == [[CLS, *film * kept[0], SEP, *the * kept[1], SEP]]
    assert (encoded.notes != []) == (kept != words)


def test_a_long_text_loses_its_end_and_it_is_said() -> None:
    encoded = encoding(8).encode_rows(["the " * 30, "the film"])
    assert encoded.inputs[1].tolist() == [8, 4]
    assert encoded.inputs[0][0, -1] == SEP
    assert encoded.notes == ["1 of 2 texts are longer than 8 tokens; their ends are cut"]


def test_a_tokenizer_without_a_frame_gives_the_tokens_alone_and_an_empty_text_is_one_of_padding() -> None:
    bare = TextEncoding(tokenizer=PLAIN.text, max_length=9, columns=["text"])
    tokens, lengths = bare.encode_rows(["the", ""]).inputs
    assert tokens.tolist() == [PLAIN.encode(["the"])[0], [0, 0, 0]]
    assert lengths.tolist() == [3, 1]


def test_a_table_gives_its_texts_and_other_columns_are_left_alone() -> None:
    known = encoding(ignored=["label"])
    given = table(label=["x", "y"], text=["the film", None], other=["1", "2"])
    encoded = known.encode_table(given)
    assert torch.equal(encoded.inputs[0], known.encode_rows(["the film", ""]).inputs[0])
    assert encoded.notes == ["read", "columns left alone: other"]
    only = known.encode_table(table(whatever=["the film"]))
    assert torch.equal(only.inputs[0], known.encode_rows(["the film"]).inputs[0])
    with pytest.raises(InputError, match=r"t\.csv: no column 'text', which holds the texts; it has a, b"):
        known.encode_table(table(a=["x"], b=["y"]))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"txt": "a"}, "row 1: no such column: 'txt'; did you mean 'text'"),
        ({}, "row 1: missing: text"),
        (["a", "b"], "row 1: expected one text"),
        (3, "row 1: expected one text, got 3"),
        ([None], "row 1: None is not a text"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(row, says) -> None:
    with pytest.raises(InputError, match=says) as caught:
        encoding().encode_rows([row])
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="expected two texts, a and b"):
        encoding(columns=("a", "b")).encode_rows(["only one"])


@pytest.mark.parametrize(
    "saved", [encoding(ignored=["label"]), TaggedTextEncoding(tokenizer=WORDS.text, max_length=9)], ids=lambda e: e.name
)
def test_it_reads_back_equal_through_json(saved) -> None:
    again = encoding_from_mapping(json.loads(json.dumps(saved.to_mapping())))
    assert again == saved
    assert torch.equal(again.encode_rows([TEXTS[0]]).inputs[0], saved.encode_rows([TEXTS[0]]).inputs[0])
    assert saved.tokens == (WORDS.vocab_size, saved.max_length, 1)


def test_what_is_no_tokenizer_is_refused() -> None:
    with pytest.raises(InputError, match="encoding"):
        encoding_from_mapping({"name": "text", "tokenizer": "{}", "max_length": 9, "columns": ["text"]})


def test_each_word_has_the_place_of_its_first_token() -> None:
    letters = train_tokenizer("char", TEXTS, None, FRAME)
    tagged = TaggedTextEncoding(tokenizer=letters.text, max_length=40)
    words = ["good", "was", "영화가"]
    rows, places = tagged.placed([words, [], ["bad"]])
    pieces = letters.encode(["good", " was", " 영화가", "bad"])
    assert list(map(len, pieces)) == [4, 4, 4, 3]
    assert rows == [[CLS, *pieces[0], *pieces[1], *pieces[2], SEP], [CLS, SEP], [CLS, *pieces[3], SEP]]
    assert places == [[1, 1 + len(pieces[0]), 1 + len(pieces[0]) + len(pieces[1])], [], [1]]


def test_words_beyond_the_longest_row_have_no_place() -> None:
    tagged = TaggedTextEncoding(tokenizer=WORDS.text, max_length=5)
    rows, places = tagged.placed([["the", "film", "was", "good", "bad"]])
    assert len(rows[0]) == 5
    assert places == [[1, 2, 3]]


def test_a_word_of_which_nothing_is_left_is_unknown() -> None:
    tagged = TaggedTextEncoding(tokenizer=WORDS.text, max_length=9)
    rows, places = tagged.placed([["the", "\u200b", "film"]])  # a space without width, which WordPiece takes out
    assert len(places[0]) == 3
    assert rows[0][places[0][1]] == WORDS.number_of("[UNK]")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Kim flies from Seoul to Paris.", ["Kim", "flies", "from", "Seoul", "to", "Paris", "."]),
        ("I don't (really) know!", ["I", "don't", "(", "really", ")", "know", "!"]),
        ("@paul saw #x at https://a.b/c?d", ["@paul", "saw", "#x", "at", "https://a.b/c?d"]),
        ("well-known U.S. firms", ["well-known", "U.S", ".", "firms"]),
        ("김철수는 서울에 산다.", ["김철수는", "서울에", "산다", "."]),
        ("   ", []),
    ],
)
def test_words_of_a_text(text, words) -> None:
    assert split_words(text) == words
    tagged = TaggedTextEncoding(tokenizer=WORDS.text, max_length=9)
    assert tagged.words(text, "row 1") == tagged.words({"words": words}, "row 1") == words


def test_words_are_words() -> None:
    tagged = TaggedTextEncoding(tokenizer=WORDS.text, max_length=9)
    with pytest.raises(InputError, match="row 1: expected a text or a list of words, got 7"):
        tagged.encode_rows([7])
    with pytest.raises(InputError, match=r"t\.csv: this run tags words"):
        tagged.encode_table(table(a=["x"]))
