"""Texts and pairs are framed and cut as by transformers' fast BERT tokenizer with the same vocabulary."""

import pytest

from fourfold.data.text.encoding import TextEncoding
from fourfold.data.text.learning import FRAME
from fourfold.data.text.tokenizer import train_tokenizer

TEXTS = ["the film was good , was it ?", "a film of 2012", "정말 좋은 영화", "bad"]


@pytest.fixture(scope="module")
def theirs():
    from tokenizers import Tokenizer, processors
    from transformers import PreTrainedTokenizerFast

    ours = train_tokenizer("wordpiece", TEXTS, 200, FRAME)
    library = Tokenizer.from_str(ours.text)
    frame = [(name, ours.number_of(name)) for name in ("[SEP]", "[CLS]")]
    library.post_processor = processors.BertProcessing(*frame)
    return ours, PreTrainedTokenizerFast(tokenizer_object=library, pad_token="[PAD]")


@pytest.mark.parametrize("length", [7, 9, 64])
def test_rows_are_transformers(length, theirs) -> None:
    ours, other = theirs
    pairs = [(a, b) for a in TEXTS for b in TEXTS]
    for columns, rows in (("a", [(text,) for text in TEXTS]), ("ab", pairs)):
        known = TextEncoding(tokenizer=ours.text, max_length=length, columns=list(columns))
        framed = known.framed(rows)
        for place, row in enumerate(rows):
            wanted = other(*row, truncation="longest_first", max_length=length, return_token_type_ids=True)
            assert framed.tokens[place] == wanted["input_ids"]
            if framed.first:
                assert framed.first[place] == wanted["token_type_ids"].count(0)
