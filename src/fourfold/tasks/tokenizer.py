"""A tokenizer: text to token numbers and back. It is its JSON text, what the library `tokenizers` calls tokenizer.json.

Where outputs are text the JSON stands in the Spec, so that whoever has a run's folder can read and write its tokens.
It stands here, and not with the data, because tasks put tokens into words.

Checked by: the library itself; characters counted by hand in Hangul, emoji and text cut inside a character.
"""

import json
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from fourfold.core.errors import InputError, did_you_mean

PAD, UNK, CLS, SEP, MASK, BOS, EOS = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[BOS]", "[EOS]"
ENDS = (EOS, "<|endoftext|>", "</s>", SEP)  # what ends a text and stands between two, by who made the tokenizer


class Tokenizer:
    """Text to token numbers and back; nothing is added, cut off or padded.

    Args:
        text: the tokenizer as JSON.

    Attributes:
        text: the same.

    Raises:
        InputError: it is no tokenizer.
    """

    def __init__(self, text: str) -> None:
        from tokenizers import Tokenizer as Library

        try:
            self._library: Any = Library.from_str(text)
        except Exception as error:  # the library raises Exception itself
            raise InputError(f"tokenizer: not the JSON of a tokenizer: {str(error).splitlines()[0]}") from None
        self._library.no_truncation()  # a file of Hugging Face may ask for both
        self._library.no_padding()
        self.text = text

    @cached_property
    def vocab_size(self) -> int:
        """Token numbers there are; numbers are below it."""
        return 1 + max(self._library.get_vocab(with_added_tokens=True).values())

    @cached_property
    def special(self) -> dict[str, int]:
        """The special tokens' numbers by name, in order of number."""
        added = self._library.get_added_tokens_decoder()
        return {token.content: number for number, token in sorted(added.items()) if token.special}

    @property
    def end(self) -> int | None:
        """The token that ends a text; None where there is none of `ENDS`."""
        return next((self.special[name] for name in ENDS if name in self.special), None)

    def number_of(self, token: str) -> int:
        """Return a token's number.

        Raises:
            InputError: there is none; the nearest special token is offered.
        """
        number = self._library.token_to_id(token)
        if number is None:
            raise InputError(f"tokenizer: no token '{token}'{did_you_mean(token, self.special)}")
        return number

    def numbers_as(self, other: "Tokenizer") -> bool:
        """Return whether each token has the number that it has in another tokenizer."""
        return self.text == other.text or self._library.get_vocab(True) == other._library.get_vocab(True)

    def token_of(self, number: int) -> str:
        """Return a token as the vocabulary spells it; `text_of` says what it stands for."""
        return self._library.id_to_token(number) or ""

    def encode(self, texts: Sequence[str], special: bool = False) -> list[list[int]]:
        """Return each text's token numbers.

        Args:
            texts: what to encode.
            special: whether "[MASK]" in a text means that token; else it is seven letters like any others.
        """
        self._library.encode_special_tokens = not special
        return [encoding.ids for encoding in self._library.encode_batch_fast(list(texts), add_special_tokens=False)]

    def decode(self, numbers: Sequence[Sequence[int]], special: bool = False) -> list[str]:
        """Return each row's text; bytes that make no character become U+FFFD.

        Args:
            numbers: token numbers, row by row.
            special: whether special tokens are spelt out; else they are left out.
        """
        return self._library.decode_batch([list(row) for row in numbers], skip_special_tokens=not special)

    def stream(self, numbers: Iterator[int] | Sequence[int], special: bool = False) -> Iterator[str]:
        """Yield what each token adds to the text; "" until the bytes of a character are complete."""
        from tokenizers.decoders import DecodeStream

        decoder = DecodeStream(skip_special_tokens=not special)
        for number in numbers:
            yield decoder.step(self._library, number) or ""

    @cached_property
    def characters(self) -> tuple[int, ...]:
        """How many characters of the text begin in each token, by its number.

        Of byte-level tokens these are their bytes that begin a character, so that the sum over a text is the number of
        its characters whatever the tokens cut. A special token has none, but `[UNK]` stands for one. A WordPiece that
        begins a word counts the space before it.
        """
        vocab = self._library.get_vocab(with_added_tokens=True)
        kind = _decoder_kinds(self.text)
        counts = [0] * self.vocab_size
        for token, number in vocab.items():
            if token in self.special:
                counts[number] = int(token in (UNK, "<unk>"))
            elif "ByteLevel" in kind:
                counts[number] = sum(_BYTES.get(letter, 0) & 0xC0 != 0x80 for letter in token)
            elif "WordPiece" in kind:
                counts[number] = len(token) - 2 if token.startswith("##") else len(token) + 1
            else:
                counts[number] = len(token)
        return tuple(counts)


@lru_cache(maxsize=8)
def tokenizer_of(text: str) -> Tokenizer:
    """Return the tokenizer whose JSON this is; large ones take long to read, so the last few are kept."""
    return Tokenizer(text)


def tokenizer_of_merges(vocabulary: Path, merges: Path) -> Tokenizer:
    """Return the byte-level tokenizer of GPT-2's two files, which stand beside weights where no tokenizer.json does.

    Args:
        vocabulary: vocab.json, the number of each token.
        merges: merges.txt, pairs of tokens in the order in which they are joined.

    Raises:
        InputError: a file is missing, or is something else.
    """
    from tokenizers import AddedToken, decoders, models, pre_tokenizers
    from tokenizers import Tokenizer as Library

    try:
        library: Any = Library(models.BPE.from_file(str(vocabulary), str(merges)))
    except Exception as error:  # the library raises Exception itself
        raise InputError(f"{vocabulary}: not a vocabulary: {str(error).splitlines()[0]}") from None
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    ends = "<|endoftext|>"
    if library.token_to_id(ends) is not None:
        library.add_special_tokens([AddedToken(ends, special=True)])
    return Tokenizer(library.to_str())


def _decoder_kinds(text: str) -> set[str]:
    """Return the types of a tokenizer's decoder and of what that is made of."""
    decoder = json.loads(text).get("decoder") or {}
    return {part.get("type", "") for part in (decoder, *decoder.get("decoders", ()))}


def _byte_alphabet() -> dict[str, int]:
    """Return the byte that each letter of byte-level tokens spells (GPT-2): itself if it prints, else U+0100 on."""
    prints = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in prints]
    return {chr(byte): byte for byte in prints} | {chr(256 + i): byte for i, byte in enumerate(others)}


_BYTES = _byte_alphabet()
