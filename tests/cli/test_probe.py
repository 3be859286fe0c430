"""`fourfold probe` as a person calls it."""

import json
from pathlib import Path

import pytest

import fourfold as ff
from fourfold.cli import main, waiting

RECIPE = {
    "data": {"name": "two_views", "of": "digits"},
    "model": {"name": "simclr", "encoder": {"name": "mlp", "widths": [12]}, "projected": 5},
    "loss": "nt_xent",
    "algorithm": "supervised",
    "budget": {"steps": 3, "batch_size": 64},
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}


def test_a_table_json_and_a_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ff.run(RECIPE, workspace=tmp_path)
    before = {path: path.read_bytes() for path in run.folder.path.rglob("*") if path.is_file()}
    figure = tmp_path / "labels.png"
    command = [
        "probe",
        run.run_id,
        "--workspace",
        str(tmp_path),
        "--labels",
        "0.2,0.05",
        "--json",
        "--out",
        str(figure),
    ]
    assert main(command) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert [each["share"] for each in found["probes"]] == [0.05, 0.2, 0.05, 0.2]
    assert found["split"] == "validation"
    assert f"{found['probes'][0]['linear']:.4f}" in told.err
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert {path: path.read_bytes() for path in run.folder.path.rglob("*") if path.is_file()} == before


def test_it_says_how_far_it_is(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 1,257 and 270 pictures, and six regressions a share, for the run's encoder and the one as drawn."""
    monkeypatch.setattr(waiting, "LINE_SECONDS", 0.0)
    run = ff.run(RECIPE, workspace=tmp_path)
    assert main(["probe", run.run_id, "--workspace", str(tmp_path), "--labels", "0.2,0.05", "--json"]) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 1
    said = [line.split(" ·")[0] for line in told.err.splitlines() if line.startswith("  the probe: ")]
    assert said == [f"  the probe: {done} of 32" for done in range(1, 33)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--split", "train"], "--split: no split called 'train'"),
        (["--labels", "ten"], "--labels: expected shares such as 0.01,0.1,1.0, got 'ten'"),
        (["--labels", "2"], "--labels: a share is above 0 and at most 1 (got 2)"),
        (["--out", "absent/curve.png"], "absent: no such folder"),
        (["--seed", "-1"], "seed: input should be greater than or equal to 0 (got -1)"),
        (["--out", "curve.jpg"], "let its name end in .png"),
        ([], "'nothing'"),
    ],
)
def test_mistakes_are_one_line(arguments, says, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["probe", "nothing", "--workspace", str(tmp_path), *arguments]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1
