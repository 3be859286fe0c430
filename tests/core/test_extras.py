"""An extra is installed from a clone, and every message says so in the same words."""

import re
from pathlib import Path

import fourfold
from fourfold.core.extras import to_install

SOURCE = Path(fourfold.__file__).parent
ROOT = Path(__file__).parents[2]


def test_it_is_a_clone_s() -> None:
    assert to_install("onnx") == 'pip install -e ".[onnx]" in your clone of Fourfold'


def test_nothing_says_that_it_comes_from_a_registry() -> None:
    files = [*SOURCE.rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    assert [file for file in files if re.search(r"fourfold\[\w+\]", file.read_text(encoding="utf-8"))] == []


def test_only_one_function_words_it() -> None:
    wording = [file for file in SOURCE.rglob("*.py") if "pip install -e" in file.read_text(encoding="utf-8")]
    assert wording == [SOURCE / "core" / "extras.py"]
