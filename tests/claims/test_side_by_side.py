"""Scores of computed claims in several processes: the same, and kept; and what becomes of them if something fails."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from multiprocessing import active_children
from pathlib import Path

import pytest

from fourfold.claims import CLAIMS, side_by_side
from fourfold.claims.base import ComputedClaim, Size
from fourfold.claims.engine import run_claim
from fourfold.claims.kept_scores import KeptScores
from fourfold.claims.side_by_side import compute_side_by_side
from fourfold.core.errors import DivergedError, FourfoldError
from fourfold.run import runtime
from fourfold.study.execute import Watcher


class Heard(Watcher):
    """What was told of progress."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int, int]] = []

    def progressed(self, done: int, running: int, total: int, seconds: float) -> None:
        self.told.append((done, running, total))


def loaded(name: str) -> ComputedClaim:
    claim = CLAIMS.load(name)
    assert isinstance(claim, ComputedClaim)
    return claim


def on_cores(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "cores", lambda: count)


def test_scores_are_those_of_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim, heard, scores = loaded("mse-outliers"), Heard(), []
    on_cores(2, monkeypatch)
    compute_side_by_side(claim, "full", tmp_path / "two", heard)
    cells = [(arm, seed) for seed in range(claim.full.seeds) for arm in claim.arms]
    kept = KeptScores(claim, "full", tmp_path / "two")
    assert all(kept.has(*cell) for cell in cells)
    assert heard.told[0] == (0, 2, len(cells))
    for cores, folder in ((1, "one"), (2, "two")):
        on_cores(cores, monkeypatch)
        arms = run_claim(claim, "full", tmp_path / folder)["arms"]
        scores.append({(arm["name"], seed): score for arm in arms for seed, score in arm["scores"].items()})
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)
    assert not active_children()


def test_only_seeds_that_miss_a_score_are_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim, heard = loaded("mse-outliers"), Heard()
    on_cores(2, monkeypatch)
    compute_side_by_side(claim, "full", tmp_path, Watcher())
    kept = sorted((tmp_path / "claims" / "scores").iterdir())
    for path in kept[:2]:  # of one seed or of two
        path.unlink()
    before = {path: path.stat().st_mtime_ns for path in kept[2:]}
    compute_side_by_side(claim, "full", tmp_path, heard)
    run_claim(claim, "full", tmp_path, heard)
    assert {path: path.stat().st_mtime_ns for path in kept[2:]} == before
    assert all(path.exists() for path in kept)


@pytest.mark.parametrize("which", ["quick", "one core", "not of the table"])
def test_otherwise_they_are_computed_where_they_are_asked_for(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = loaded("mse-outliers")
    on_cores(1 if which == "one core" else 2, monkeypatch)
    if which == "not of the table":
        claim = ComputedClaim(**{**vars(claim), "says": "Something else."})
    compute_side_by_side(claim, "quick" if which == "quick" else "full", tmp_path, Watcher())
    assert not (tmp_path / "claims").exists()


def test_a_score_that_is_refused_is_left_to_who_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def score(arm: str, seed: int, size: str) -> float:
        if arm == "absolute":
            raise DivergedError(f"{arm}, {seed}: no")
        return 1.0

    claim = ComputedClaim(**{**vars(loaded("mse-outliers")), "score": score, "full": Size(seeds=2)})
    monkeypatch.setattr(CLAIMS, "load", lambda _: claim)
    assert not side_by_side._score(claim.id, "full", tmp_path, 1)
    left_out: Future[bool] = Future()
    left_out.set_result(False)
    with pytest.raises(side_by_side._LeftOutError):
        side_by_side._check(left_out)
    on_cores(1, monkeypatch)
    with pytest.raises(DivergedError, match="absolute, 0: no"):
        run_claim(claim, "full", tmp_path)


def test_a_killed_process_is_told_and_the_others_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_cores(2, monkeypatch)
    killer = threading.Thread(target=kill_a_child, daemon=True)
    killer.start()
    with pytest.raises(FourfoldError, match="was killed; the same command goes on"):
        compute_side_by_side(loaded("momentum-smooths"), "full", tmp_path, Watcher())
    killer.join()
    assert not active_children()


def kill_a_child() -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for child in active_children():
            if child.pid is not None:
                os.kill(child.pid, signal.SIGKILL)
                return
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_claim_that_is_stopped_leaves_no_process(number: signal.Signals, tmp_path: Path) -> None:
    code = (
        "import sys; from fourfold.run import runtime; runtime.cores = lambda: 2; from fourfold.cli import main; "
        "sys.exit(main(['claim', 'momentum-smooths', '--full', '--workspace', sys.argv[1]]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "runs")], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        scores, until = tmp_path / "runs" / "claims" / "scores", time.monotonic() + 120
        while not (scores.exists() and any(scores.iterdir())) and time.monotonic() < until:
            time.sleep(0.1)
        os.killpg(child.pid, number)  # as a terminal or a scheduler does
        _, said = child.communicate(timeout=60)
    assert child.returncode == 130, said
    assert "Traceback" not in said
    until = time.monotonic() + 20
    while is_alive(child.pid) and time.monotonic() < until:
        time.sleep(0.1)
    assert not is_alive(child.pid)


def is_alive(group: int) -> bool:
    """Whether a process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
