"""Scores of a computed claim: kept one by one, and known by what computes them."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fourfold.claims.base import ComputedClaim
from fourfold.claims.engine import run_claim
from fourfold.claims.kept_scores import KeptScores

CODE = """'''{words}'''
import os, time
from pathlib import Path
from fourfold.claims.base import ComputedClaim, Size
from fourfold.claims.rules import greater

def score(arm, seed, size):
    with open(os.environ["CALLS"], "a", encoding="utf-8") as calls:
        calls.write(f"{{arm}} {{seed}}\\n")
    if "SLEEP_AT" in os.environ and f"{{arm}} {{seed}}" == os.environ["SLEEP_AT"]:
        time.sleep(600)
    return seed + {more}

CLAIM = ComputedClaim(
    id="kept", says="{words}", source="a test", arms={{"a": "", "b": ""}}, measured="itself", score=score,
    rule=greater("a", {words!r} == "x"), quick=Size(seeds=6), full=Size(seeds=6),
)
"""


def claim_in(file: Path, more: str = "0.5", words: str = "first") -> ComputedClaim:
    file.write_text(CODE.format(more=more, words=words), encoding="utf-8")
    names: dict = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    return names["CLAIM"]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "calls.txt"
    file.touch()
    monkeypatch.setenv("CALLS", str(file))
    return file


def test_a_claim_that_is_killed_goes_on_with_the_score_it_was_at(tmp_path: Path, calls: Path):
    claim = claim_in(tmp_path / "kept.py")
    run = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from kept import CLAIM; "
        "from fourfold.claims.engine import run_claim; run_claim(CLAIM, 'quick', Path(sys.argv[2]))"
    )
    environment = {**os.environ, "SLEEP_AT": "b 2"}
    with subprocess.Popen([sys.executable, "-c", run, str(tmp_path), str(tmp_path / "runs")], env=environment) as child:
        until = time.monotonic() + 120
        while "b 2" not in calls.read_text(encoding="utf-8") and time.monotonic() < until:
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
    before = calls.read_text(encoding="utf-8").splitlines()
    assert before == ["a 0", "b 0", "a 1", "b 1", "a 2", "b 2"]
    assert not list((tmp_path / "runs" / "claims").glob("*.json"))
    record = run_claim(claim, "quick", tmp_path / "runs")
    after = calls.read_text(encoding="utf-8").splitlines()[len(before) :]
    assert after == ["b 2", *(f"{arm} {seed}" for seed in (3, 4, 5) for arm in "ab")]
    assert record["arms"][1]["scores"] == {str(seed): seed + 0.5 for seed in range(6)}


def test_other_words_keep_a_score_and_other_code_does_not(tmp_path: Path, calls: Path):
    def score(**changes: str) -> float:
        return KeptScores(claim_in(tmp_path / "kept.py", **changes), "quick", tmp_path).get("a", 3)[0]

    assert [score(), score(words="second"), score()] == [3.5] * 3
    assert calls.read_text(encoding="utf-8") == "a 3\n"
    assert score(more="0.25") == 3.25
    assert score() == 3.5
    assert calls.read_text(encoding="utf-8") == "a 3\na 3\n"


def test_arms_seeds_and_sizes_are_kept_apart_and_no_score_is_a_score(tmp_path: Path, calls: Path):
    claim = claim_in(tmp_path / "kept.py", more="float('nan')")
    for _ in range(2):
        for arm, seed in (("a", 1), ("b", 1), ("a", 2)):
            assert math.isnan(KeptScores(claim, "quick", tmp_path).get(arm, seed)[0])
        assert math.isnan(KeptScores(claim, "full", tmp_path).get("a", 1)[0])
    assert len(calls.read_text(encoding="utf-8").splitlines()) == 4


def test_a_damaged_score_is_computed_again(tmp_path: Path, calls: Path):
    kept = KeptScores(claim_in(tmp_path / "kept.py"), "quick", tmp_path)
    kept.get("a", 1)
    (file,) = (tmp_path / "claims" / "scores").iterdir()
    for damaged in ("", "{", "[]", "{}", '{"score": "much", "seconds": 1}'):
        file.write_text(damaged, encoding="utf-8")
        assert kept.get("a", 1)[0] == 1.5
    assert len(calls.read_text(encoding="utf-8").splitlines()) == 6


def test_scores_of_code_in_no_file_are_not_kept(tmp_path: Path, calls: Path):
    names: dict = {}
    exec(CODE.format(more="0.5", words="typed"), names)
    kept = KeptScores(names["CLAIM"], "quick", tmp_path)
    assert kept.get("a", 1)[0] == kept.get("a", 1)[0] == 1.5
    assert not (tmp_path / "claims").exists()
    assert len(calls.read_text(encoding="utf-8").splitlines()) == 2
