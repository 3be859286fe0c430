import json
import subprocess
import sys
from pathlib import Path

import pytest

from fourfold.core.errors import InputError
from fourfold.data.text.tokenizer import SPECIAL, describe, tokenizer_from_folder, train_tokenizer
from fourfold.tasks.tokenizer import Tokenizer, tokenizer_of

TEXTS = [
    "To be, or not to be, that is the question:\r\nWhether 'tis nobler in the mind to suffer\n",
    "나는 학교에 갔다. 학교는 크고 넓었다.\n값을 읽고 앉았다 😀👩‍👩‍👧\n",
    "The question is the question; the mind is the mind.\tWhether or not.\n" * 3,
]
KINDS = ("char", "bpe", "wordpiece")
HARD = ["한국어 텍스트를 읽는다", "값 넓다 읽었다", "👩‍👩‍👧 😀 e\u0301", "line\r\nline\n\n  two spaces\tend ", ""]


@pytest.fixture(scope="module")
def made() -> dict[str, Tokenizer]:
    return {kind: train_tokenizer(kind, TEXTS, 400) for kind in KINDS}


def test_special_tokens_come_first_and_padding_is_number_0(made) -> None:
    for kind, tokenizer in made.items():
        assert list(tokenizer.special.items()) == [(name, i) for i, name in enumerate(SPECIAL[kind])]
        assert tokenizer.number_of("[PAD]") == 0
    with pytest.raises(InputError, match=r"no token '\[MSAK\]'; did you mean '\[MASK\]'\?"):
        made["wordpiece"].number_of("[MSAK]")


def test_bytes_come_back_whatever_they_are(made) -> None:
    import unicodedata

    assert made["bpe"].decode(made["bpe"].encode(HARD)) == [unicodedata.normalize("NFC", text) for text in HARD]
    assert made["bpe"].encode([TEXTS[2]])[0] != []
    assert len(made["bpe"].encode([TEXTS[2]])[0]) < len(TEXTS[2]) / 2  # it has learnt merges


def test_characters_are_tokens_and_unknown_ones_stand_for_one_each(made) -> None:
    tokenizer = made["char"]
    for text in TEXTS:
        (numbers,) = tokenizer.encode([text])
        assert len(numbers) == len(text)
        assert tokenizer.decode([numbers]) == [text]
    assert tokenizer.encode(["a한b힣힣"])[0].count(tokenizer.number_of("[UNK]")) == 3
    assert tokenizer.vocab_size == 4 + len(set("".join(TEXTS)))
    few = train_tokenizer("char", ["aaabbc"], 6)
    assert few.decode(few.encode(["abc"]), special=True) == ["ab[UNK]"]


@pytest.mark.parametrize("kind", KINDS)
def test_syllables_stay_whole_also_when_they_arrive_as_jamo(kind, made) -> None:
    import unicodedata

    text = "학교에 갔다. 값을 읽고"
    torn = unicodedata.normalize("NFD", text)
    assert len(torn) > len(text)
    tokenizer = made[kind]
    assert tokenizer.encode([torn]) == tokenizer.encode([text])
    assert tokenizer.decode(tokenizer.encode([torn]))[0].replace(" ", "") == text.replace(" ", "")
    assert not any(0x1100 <= ord(letter) < 0x1200 for number in range(tokenizer.vocab_size)
                   for letter in tokenizer.token_of(number))  # fmt: skip


def test_word_pieces_of_small_letters_keep_accents_and_syllables() -> None:
    tokenizer = train_tokenizer("wordpiece", ["Été 학교에 ÉTÉ"], 60, lowercase=True)
    assert tokenizer.decode(tokenizer.encode(["ÉTÉ 학교"])) == ["été 학교"]


def test_word_pieces_are_the_longest_that_fit(made) -> None:
    vocab = ["[PAD]", "[UNK]", "un", "##aff", "##able", "##a", "학", "##교", "학교"]
    text = json.loads(made["wordpiece"].text)
    text["model"]["vocab"] = {token: number for number, token in enumerate(vocab)}
    text["added_tokens"] = [each for each in text["added_tokens"] if each["content"] in vocab]
    tokenizer = Tokenizer(json.dumps(text))
    found = tokenizer.encode(["unaffable 학교 학교교 unx"])[0]
    assert [vocab[number] for number in found] == ["un", "##aff", "##able", "학교", "학교", "##교", "[UNK]"]


def test_text_cannot_spell_a_special_token_unless_it_may(made) -> None:
    for kind, tokenizer in made.items():
        name = SPECIAL[kind][-1]
        assert tokenizer.number_of(name) not in tokenizer.encode([f"mind {name} mind"])[0]
        assert tokenizer.number_of(name) in tokenizer.encode([f"mind {name} mind"], special=True)[0]


@pytest.mark.parametrize("kind", ["char", "bpe"])
def test_characters_add_up_to_those_of_the_text_wherever_tokens_are_cut(kind, made) -> None:
    tokenizer = made[kind]
    for text in (*TEXTS, "힣힣 😀 unseen 漢字"):
        assert sum(tokenizer.characters[number] for number in tokenizer.encode([text])[0]) == len(text)
    assert all(tokenizer.characters[number] == (name == "[UNK]") for name, number in tokenizer.special.items())


def test_characters_of_word_pieces_count_a_space_a_word(made) -> None:
    tokenizer = made["wordpiece"]
    numbers = tokenizer.encode(["the mind is the question"])[0]
    assert sum(tokenizer.characters[number] for number in numbers) == len(" the mind is the question")


@pytest.mark.parametrize("kind", KINDS)
def test_text_streams_as_it_would_be_decoded(kind, made) -> None:
    tokenizer = made[kind]
    (numbers,) = tokenizer.encode(["학교는 😀 the mind"])
    pieces = list(tokenizer.stream(numbers))
    assert len(pieces) == len(numbers)
    assert "".join(pieces) == tokenizer.decode([numbers])[0]
    assert "\ufffd" not in "".join(pieces)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_its_json(kind, made) -> None:
    again = tokenizer_of(made[kind].text)
    assert again.encode(TEXTS) == made[kind].encode(TEXTS)
    assert (again.vocab_size, again.special, again.text) == (made[kind].vocab_size, made[kind].special, made[kind].text)


def test_what_it_is_in_words(made) -> None:
    assert describe(made["char"]) == f"{made['char'].vocab_size} tokens (4 special), characters"
    assert describe(made["bpe"]) == f"{made['bpe'].vocab_size} tokens (3 special), byte pairs"
    assert describe(made["wordpiece"]) == f"{made['wordpiece'].vocab_size} tokens (5 special), word pieces"


TRAIN = """
import hashlib, json, sys
from fourfold.data.text.tokenizer import train_tokenizer
texts = json.loads(sys.stdin.read())
for kind in ("char", "bpe", "wordpiece"):
    print(hashlib.sha256(train_tokenizer(kind, texts, 400).text.encode()).hexdigest())
"""


def test_the_same_texts_give_the_same_tokenizer_in_any_process_and_order() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", TRAIN], input=json.dumps(texts), capture_output=True, text=True, check=True
        ).stdout
        for texts in (TEXTS, TEXTS[::-1], TEXTS, TEXTS[1:] + TEXTS[:1])
    }
    assert len(digests) == 1


@pytest.mark.parametrize(("kind", "least"), [("char", 5), ("bpe", 259), ("wordpiece", 6)])
def test_too_small_a_vocabulary_is_refused(kind, least) -> None:
    with pytest.raises(InputError, match=f"vocab_size: 3 is too few for {kind}; the nearest valid number is {least}"):
        train_tokenizer(kind, TEXTS, 3)
    assert train_tokenizer(kind, TEXTS, least).vocab_size == least


def test_a_folder_of_hugging_face(made, tmp_path: Path) -> None:
    settings = json.loads(made["bpe"].text)
    settings["truncation"] = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    settings["padding"] = {"strategy": {"Fixed": 12}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
                           "pad_type_id": 0, "pad_token": "[PAD]"}  # fmt: skip
    (tmp_path / "tokenizer.json").write_text(json.dumps(settings), encoding="utf-8")
    assert tokenizer_from_folder(tmp_path).encode(TEXTS) == made["bpe"].encode(TEXTS)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"tokenizer\.json: tokenizer: not the JSON of a tokenizer") as error:
        tokenizer_from_folder(tmp_path)
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=r"no tokenizer\.json in it"):
        tokenizer_from_folder(tmp_path / "nowhere")
