"""The examples of docs/add-a-claim.md are claims that run as they stand."""

import re
from pathlib import Path
from typing import Any

import pytest

from fourfold.claims.base import Claim
from fourfold.claims.engine import run_claim

GUIDE = Path(__file__).parents[2] / "docs" / "add-a-claim.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def claim(block: str) -> Claim:
    names: dict[str, Any] = {}
    exec(block, names)
    return names["CLAIM"]


@pytest.mark.parametrize("block", BLOCKS, ids=["trained", "computed", "exact"])
def test_an_example_runs_and_holds(block: str, tmp_path: Path):
    assert run_claim(claim(block), "quick", tmp_path)["verdict"] == "holds"
