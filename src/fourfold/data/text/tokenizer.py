"""Making a tokenizer: from training texts, or from a tokenizer.json that Hugging Face publishes beside a model.

- char: a token for each character.
- bpe: byte-pair encoding of bytes, so that any text has tokens and every character comes back (GPT-2).
- wordpiece: words and pieces of words that begin with ## (BERT); spaces and line breaks are not kept.

The same texts give the same tokenizer, in whatever order they come. Text is brought to Unicode's form NFC first, in
which a Hangul syllable is one character and not its two or three jamo.

Sources: Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, ACL 2016,
arXiv:1508.07909; Radford et al., Language Models are Unsupervised Multitask Learners, 2019, section 2.2 (bytes); Wu et
al., 2016, arXiv:1609.08144, section 4.1, and Devlin et al., 2019, arXiv:1810.04805 (WordPiece).
Departures: GPT-2's has no normaliser; lower-casing BERT also takes accents away, by a form that tears Hangul syllables
apart, so accents stay here; pieces are merged by how often they meet, as the library does, not by likelihood.
Checked by: the library's own trainers; transformers' GPT2TokenizerFast and BertTokenizerFast with the same vocabulary.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from fourfold.core.errors import InputError
from fourfold.tasks.tokenizer import BOS, CLS, EOS, MASK, PAD, SEP, UNK, Tokenizer, tokenizer_of, tokenizer_of_merges

Kind = Literal["char", "bpe", "wordpiece"]
FILE = "tokenizer.json"
MERGES = ("vocab.json", "merges.txt")  # what GPT-2's tokenizer is in, in folders without that file
BYTES = 256
SPECIAL: dict[Kind, tuple[str, ...]] = {  # by default; padding is number 0 in each
    "char": (PAD, UNK, BOS, EOS),
    "bpe": (PAD, BOS, EOS),
    "wordpiece": (PAD, UNK, CLS, SEP, MASK),
}


def train_tokenizer(
    kind: Kind,
    texts: Iterable[str],
    vocab_size: int | None = None,
    special: Sequence[str] | None = None,
    lowercase: bool = False,
) -> Tokenizer:
    """Return a tokenizer learnt from `texts`.

    Args:
        kind: "char", "bpe" or "wordpiece".
        texts: the training split's.
        vocab_size: tokens at most, special ones among them; None: of characters all, else 4,096.
        special: special tokens, numbered from 0; None: `SPECIAL`.
        lowercase: whether capitals become small letters.

    Raises:
        InputError: `vocab_size` has no room for the special tokens and, of bpe, the 256 bytes.
    """
    names = SPECIAL[kind] if special is None else tuple(special)
    assert kind == "bpe" or UNK in names, f"{kind} needs {UNK} for what is not in its vocabulary"
    least = len(names) + (BYTES if kind == "bpe" else 1)
    if vocab_size is not None and vocab_size < least:
        raise InputError(f"vocab_size: {vocab_size} is too few for {kind}; the nearest valid number is {least}")
    if kind == "char":
        library = _characters(texts, vocab_size, names, lowercase)
    elif kind == "bpe":
        library = _byte_pairs(texts, vocab_size or 4096, names, lowercase)
    else:
        library = _word_pieces(texts, vocab_size or 4096, names, lowercase)
    return tokenizer_of(library.to_str())


def tokenizer_from_folder(folder: Path) -> Tokenizer:
    """Return the tokenizer of a folder that holds a model in Hugging Face's form.

    Raises:
        InputError: it has neither tokenizer.json nor vocab.json and merges.txt, or what cannot be read.
    """
    path = folder / FILE
    if not path.is_file() and all((folder / name).is_file() for name in MERGES):
        return tokenizer_of_merges(*(folder / name for name in MERGES))
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{folder}: no {FILE} in it, nor {' and '.join(MERGES)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    try:
        return tokenizer_of(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _normalizer(lowercase: bool, *others: Any) -> Any:
    from tokenizers import normalizers

    # NFC comes last too: small letters of composed ones may be made of parts
    parts = [normalizers.NFC(), *others, *([normalizers.Lowercase(), normalizers.NFC()] if lowercase else [])]
    return normalizers.Sequence(parts) if len(parts) > 1 else parts[0]


def _characters(texts: Iterable[str], vocab_size: int | None, special: Sequence[str], lowercase: bool) -> Any:
    """Return byte-pair encoding without a single merge, and over characters: the fastest way the library has."""
    from tokenizers import Tokenizer as Library
    from tokenizers import decoders, models

    normalizer = _normalizer(lowercase)
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(normalizer.normalize_str(text))
    often = sorted(counts, key=lambda letter: (-counts[letter], letter))
    kept = sorted(often if vocab_size is None else often[: vocab_size - len(special)])
    vocab = {token: number for number, token in enumerate([*special, *kept])}
    library = Library(models.BPE(vocab=vocab, merges=[], unk_token=UNK))
    library.normalizer = normalizer
    library.decoder = decoders.Fuse()
    return _with_special(library, special)


def _byte_pairs(texts: Iterable[str], vocab_size: int, special: Sequence[str], lowercase: bool) -> Any:
    from tokenizers import Tokenizer as Library
    from tokenizers import decoders, models, pre_tokenizers, trainers

    library = Library(models.BPE())
    library.normalizer = _normalizer(lowercase)
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(special),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    library.train_from_iterator(texts, trainer)
    return library


def _word_pieces(texts: Iterable[str], vocab_size: int, special: Sequence[str], lowercase: bool) -> Any:
    from tokenizers import Tokenizer as Library
    from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

    cleaned = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False
    )
    normalizer, words = _normalizer(lowercase, cleaned), pre_tokenizers.BertPreTokenizer()
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word, _ in words.pre_tokenize_str(normalizer.normalize_str(text)))
    letters: Counter[str] = Counter()
    for word, count in counts.items():
        for letter in word:
            letters[letter] += count
    # Half of the room is for letters, at the beginning of a word and inside: rarer ones are [UNK].
    often = sorted(letters, key=lambda letter: (-letters[letter], letter))[: max(1, (vocab_size - len(special)) // 4)]
    frequent = set(often)
    known = {word: count for word, count in counts.items() if set(word) <= frequent}
    inside = {letter for word in known for letter in word[1:]}
    alphabet = sorted(often) + [f"##{letter}" for letter in sorted(inside)]
    # The library numbers inner letters as a hash table happens to hold the words, and ties are decided by number; so
    # they are given a number beforehand, as special tokens, and the vocabulary is then taken out of what it has learnt.
    learner = Library(models.WordPiece(unk_token=UNK))
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        special_tokens=[*special, *alphabet],
        limit_alphabet=0,
        show_progress=False,
        continuing_subword_prefix="##",
    )
    learner.train_from_iterator((" ".join([word] * count) for word, count in sorted(known.items())), trainer)
    vocab = learner.get_vocab(with_added_tokens=True)
    library = Library(models.WordPiece(vocab=vocab, unk_token=UNK, max_input_chars_per_word=100))
    library.normalizer, library.pre_tokenizer = normalizer, words
    library.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    return _with_special(library, special)


def _with_special(library: Any, special: Sequence[str]) -> Any:
    from tokenizers import AddedToken

    library.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    return library


def describe(tokenizer: Tokenizer) -> str:
    """Say what a tokenizer is in a few words, for the record."""
    names = {"bpe": "byte pairs", "char": "characters", "wordpiece": "word pieces"}
    kind = kind_of(tokenizer)
    what = names[kind] if kind else f"of the kind {json.loads(tokenizer.text)['model']['type']}"
    return f"{tokenizer.vocab_size:,} tokens ({len(tokenizer.special)} special), {what}"


def kind_of(tokenizer: Tokenizer) -> Kind | None:
    """Return what a tokenizer's tokens are, or None where that is none of ours, such as a unigram model's."""
    model = json.loads(tokenizer.text)["model"]
    if model["type"] == "BPE":
        return "bpe" if model.get("merges") else "char"
    return "wordpiece" if model["type"] == "WordPiece" else None
