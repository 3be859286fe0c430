"""A folder as Hugging Face publishes a model, or `save_pretrained` writes one: weights, sizes and tokenizer.

    model.safetensors    the weights; or model.safetensors.index.json, which says in which other file each one is
    config.json          sizes, which must be the network's own
    tokenizer.json       the tokenizer; or vocab.json and merges.txt, byte-level pairs as GPT-2's

Nothing is fetched, and nothing that a folder holds can run.

Checked by: folders that transformers writes, whole, in several files, and damaged in each way.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.records.digest import sha256_of
from fourfold.tasks.tokenizer import Tokenizer, tokenizer_of_merges

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


def weights_in(folder: Path) -> Path:
    """Return the file of weights in a folder, or the index of several.

    Raises:
        InputError: there is neither.
    """
    for name in (WEIGHTS, INDEX):
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"weights: {folder}: no {WEIGHTS} in this folder")


def files_of(path: Path) -> list[Path]:
    """Return the files that weights are in: `path`, or of an index, those it names.

    Raises:
        InputError: the index cannot be read, or a file that it names is not beside it.
    """
    if not path.name.endswith(".index.json"):
        return [path]
    places = _json(path).get("weight_map")
    names = sorted({str(name) for name in places.values()}) if isinstance(places, dict) else []
    if not names:
        raise InputError(f"weights: {path}: names no files under weight_map")
    missing = [name for name in names if Path(name).name != name or not (path.parent / name).is_file()]
    if missing:
        raise InputError(f"weights: {path}: names {missing[0]!r}, which is not beside it")
    return [path.parent / name for name in names]


def digest_of(path: Path) -> str:
    """Return SHA-256 of a file of weights in hexadecimal; of an index, that of what its files' are, line by line.

    Raises:
        OSError: a file cannot be read.
    """
    files = files_of(path)
    if files == [path]:
        return sha256_of(path)
    return hashlib.sha256("".join(f"{sha256_of(file)}\n" for file in files).encode()).hexdigest()


def check_sizes(path: Path, config: ModelConfig) -> None:
    """Raise InputError where the config.json beside a file of weights, if there is one, is of another network."""
    facts = config.published_facts()
    file = path.parent / "config.json"
    if not facts or path.name not in (WEIGHTS, INDEX) or not file.is_file():
        return
    theirs = _json(file)
    wrong = [
        f"{_field_of(name, config)}: {theirs[name]} there, {fact} here"
        for name, fact in facts.items()
        if theirs.get(name, fact) != fact
    ]
    if wrong:
        raise InputError(f"weights: {path.parent} is of another network than this {config.name}: {'; '.join(wrong)}")


def _field_of(name: str, config: ModelConfig) -> str:
    """Return the field that a name of config.json is here, as it is typed; what no field changes keeps its name."""
    field = config.published_names.get(name)
    return f"{name} of config.json" if field is None else f"model.{field}"


def sizes_in(folder: Path) -> dict[str, Any]:
    """Return what a folder's config.json says.

    Raises:
        InputError: it is not there, or cannot be read.
    """
    return _json(folder / "config.json")


def tokenizer_in(folder: Path) -> Tokenizer:
    """Return a folder's tokenizer.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    if (folder / "tokenizer.json").is_file():
        return Tokenizer(_text(folder / "tokenizer.json"))
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    if not (vocabulary.is_file() and merges.is_file()):
        raise InputError(f"weights: {folder}: no tokenizer.json in this folder, nor vocab.json and merges.txt")
    try:
        return tokenizer_of_merges(vocabulary, merges)
    except InputError as error:
        raise InputError(f"weights: {error}") from None


def _json(path: Path) -> dict[str, Any]:
    text = _text(path)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"weights: {path}: not JSON") from None
    if not isinstance(found, dict):
        raise InputError(f"weights: {path}: not a JSON object")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"weights: {path}: cannot be read: {str(error).splitlines()[0]}") from None
