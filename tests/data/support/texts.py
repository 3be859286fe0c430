"""Tiny files in the true form of the sources of running text."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from fourfold.data.text.brown import NAMES, BrownConfig
from fourfold.data.text.shakespeare import WORKS, ShakespeareConfig

TAGGED = "\n\n\tThe/at jury/nn said/vbd ``/`` no/at evidence/nn ''/'' ./.\n\n\n\tText/nn number/nn {i}/cd-hl !/.\n"
PLAY = "ACT {i}.\n\nRom.\nWhat light through yonder window breaks?\n\n[Exeunt {name}.]\n"
LENGTH = {"length": 12}


def write_running_texts(cache: Path, monkeypatch: Any) -> dict[str, dict[str, object]]:
    """Put files into a cache, have the sources expect them, and return the fields that build each source."""
    texts = {
        ("shakespeare", ShakespeareConfig): {name: PLAY.format(i=i, name=name) for i, name in enumerate(WORKS)},
        ("brown", BrownConfig): {name: TAGGED.format(i=i) for i, name in enumerate(NAMES)},
    }
    for (name, kind), held in texts.items():
        content = json.dumps(held, ensure_ascii=False, indent=0).encode()
        (cache / name).mkdir()
        (cache / name / "texts.json").write_bytes(content)
        monkeypatch.setattr(kind, "digests", {"texts.json": hashlib.sha256(content).hexdigest()})
    (cache / "own.txt").write_text("나는 학교에 갔다. To be, or not to be.\n" * 12, encoding="utf-8")
    (cache / "wikitext").mkdir()
    lines = [" = 제목 = \n", "", *(f" Line {i} of an article . \n" for i in range(12))]
    for split in ("train", "validation", "test"):
        parquet.write_table(pyarrow.table({"text": lines}), cache / "wikitext" / f"{split}-0.parquet")
    return {
        "shakespeare": LENGTH,
        "brown": LENGTH,
        "text": {"path": str(cache / "own.txt"), **LENGTH},
        "wikitext": {"path": str(cache / "wikitext"), **LENGTH},
    }
