"""`fourfold claim`, and claims in `list` and `show`."""

import json
from pathlib import Path

import pytest

from fourfold.claims import CLAIMS
from fourfold.claims.base import ExactClaim, Name, Proof
from fourfold.claims.record import read_record
from fourfold.cli import main


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOURFOLD_WORKSPACE", str(tmp_path / "runs"))
    return tmp_path / "runs"


def false_claim(size: Name) -> Proof:
    return Proof(False, [f"1 + 1 = 2, looked at {size}"])


FALSE = ExactClaim(
    id="affine-collapse",
    says="1 + 1 = 3.",
    source="nobody",
    rule="1 + 1 = 3",
    prove=false_claim,
    likely_reason="it is 2",
)


def test_a_claim_that_fails_is_told_and_recorded_and_the_exit_code_is_0(workspace, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("fourfold.claims.affine_collapse.CLAIM", FALSE)
    kept = tmp_path / "kept" / "claims"
    assert main(["claim", "affine-collapse", "--full", "--record", str(kept), "--json"]) == 0
    out = capsys.readouterr().out
    for words in ("fails", "1 + 1 = 2, looked at full", "it is 2"):
        assert words in out
    said = json.loads(out.splitlines()[-1])["claims"]
    record = read_record(kept / "affine-collapse.json")
    assert said == [record]
    assert read_record(workspace / "claims" / "affine-collapse-full.json") == record
    assert (record["verdict"], record["size"], record["likely_reason"]) == ("fails", "full", "it is 2")
    assert "it is 2" in (kept.parent / "claims.md").read_text(encoding="utf-8")
    assert "it is 2" in (kept.parent / "claims.html").read_text(encoding="utf-8")


def test_quick_is_what_is_run_when_nothing_is_said(workspace, monkeypatch, capsys):
    monkeypatch.setattr("fourfold.claims.affine_collapse.CLAIM", FALSE)
    assert main(["claim", "affine-collapse", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert [path.name for path in (workspace / "claims").iterdir()] == ["affine-collapse-quick.json"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["xor-need-depth"], "no claim called 'xor-need-depth'; did you mean 'xor-needs-depth'?"),
        (["xor-needs-depth", "--all"], "--all: every claim"),
        (["--quick"], "which claim?"),
        (["xor-needs-depth", "--quick", "--full"], "--quick and --full: one of the two"),
        (["xor-needs-depth", "--record", "."], "add --full"),
        (["xor-needs-depth", "--full", "--record", ".", "--on", "ray"], "leave out --on ray"),
    ],
)
def test_a_mistake_is_one_line_and_runs_nothing(arguments, says, workspace, capsys):
    assert main(["claim", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not workspace.exists()


def test_claims_are_listed(workspace, capsys):
    assert main(["list", "claims"]) == 0
    shown = capsys.readouterr().out
    for name, entry in CLAIMS.items():
        assert name in shown
        assert entry.summary in shown
    assert main(["list"]) == 0
    assert f"claims ({len(CLAIMS)})" in capsys.readouterr().out


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_shown_with_its_rule(name: str, workspace, capsys):
    assert main(["show", name]) == 0
    shown, claim = capsys.readouterr().out, CLAIMS.load(name)
    for words in (claim.says, claim.source, claim.asked("full")["rule"], *claim.asked("full").get("arms", {})):
        assert words in shown
    assert main(["show", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["quick"] == json.loads(json.dumps(claim.asked("quick")))
