"""`fourfold decompose`: what it prints, and what a program reads."""

import json
from pathlib import Path

import pytest

from fourfold.cli.app import execute


def test_a_sum_and_what_it_misses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["decompose", "curve-mlp", "budget.steps=40", "--replicates", "3", "--workspace", str(tmp_path)]
    assert execute([*command, "--json"]) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out.splitlines()[-1])
    assert f"{answer['error']['value']:.4g}" in out
    assert "+ noise" in out
    assert "0.09" in out
    assert "3 samples drawn anew, 200 test examples" in out
    assert f"they miss the sum by {answer['gap']['value']:.3g}" in out
    assert "3 cells" in err


def test_shares_of_a_zero_one_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["decompose", "iris-softmax", "budget.steps=2", "--replicates", "3", "--workspace", str(tmp_path)]
    assert execute(command) == 0
    out = capsys.readouterr().out
    for word in (
        "expected error",
        "= bias",
        "+ unbiased variance",
        "- biased variance",
        "3 bootstraps of the training",
    ):
        assert word in out


def test_a_mistake_is_one_line_and_nothing_is_created(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["decompose", "xor-mlp", "--workspace", str(tmp_path / "runs")]) == 2
    assert capsys.readouterr().err == "error: data: 'gates' has one training sample and cannot be drawn again\n"
    assert not (tmp_path / "runs").exists()
