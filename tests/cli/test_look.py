"""`fourfold look`."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from fourfold.cli import main

SHORT = ["budget.steps=6", "runtime.threads=1", "budget.epochs=null", "--quiet"]
INSIDE = ["receptive-fields", "feature-maps", "grad-cam"]
ANSWERS = ["embedding", "confused-pairs", "worst-mistakes"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of pictures with and without convolutions, of rows, and of numbers; and a picture."""
    place = tmp_path_factory.mktemp("runs")
    for recipe in (["digits-mlp", "model=lenet5"], ["digits-mlp", "model.widths=[4]"], ["iris-softmax"], ["curve-mlp"]):
        assert main(["run", *recipe, *SHORT, "--workspace", str(place)]) == 0
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(place / "내 사진.png")
    return place


def _look(words: list[str], workspace: Path, capsys) -> tuple[dict, str]:
    assert main(["look", *words, "--workspace", str(workspace), "--json"]) == 0
    told = capsys.readouterr()
    return json.loads(told.out.splitlines()[-1]), told.err


def _figures(page: str) -> list[str]:
    return re.findall(r'<figure id="([^"]+)"', Path(page).read_text(encoding="utf-8"))


def test_every_view_of_a_convolutional_network(workspace: Path, capsys) -> None:
    before = {path: path.stat().st_mtime_ns for path in (workspace / "digits-mlp-1").glob("*.json")}
    found, err = _look(["digits-mlp-1"], workspace, capsys)
    (page,) = found["files"]
    assert page == str((workspace / "digits-mlp-1" / "figures" / "look.html").resolve())
    assert f"look: {workspace / 'digits-mlp-1' / 'figures' / 'look.html'}" in err
    assert _figures(page) == ["weights", *INSIDE[:2], "embedding", "grad-cam", *ANSWERS[1:]]
    fields = {each["stage"]: (each["receptive_field"], each["jump"]) for each in found["receptive_fields"]}
    assert fields["c1, tanh"] == ([5, 5], [1, 1])
    assert fields["s4"] == ([16, 16], [4, 4])
    assert [len(each["classes"]) for each in found["grad_cam"]] == [2, 2, 2]
    assert [len(each["classes"][0]["heat"]) for each in found["grad_cam"]] == [10] * 3  # C3's maps are 10x10
    worst = [each["surprise"] for each in found["worst_mistakes"]]
    assert worst == sorted(worst, reverse=True)
    assert all(each["true"] != each["said"] for each in found["worst_mistakes"] + found["confused_pairs"])
    assert len(found["embedding"]["points"]) == found["examples"]
    assert before == {path: path.stat().st_mtime_ns for path in (workspace / "digits-mlp-1").glob("*.json")}


def test_a_picture_is_looked_at_without_the_data(workspace: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("fourfold.run.run.build_parts", lambda *_: pytest.fail("the data were read"))
    picture = workspace / "내 사진.png"
    words = ["digits-mlp-1", "--image", str(picture), "--class", "7", "-o", str(tmp_path / "out"), "--png"]
    found, err = _look(words, workspace, capsys)
    assert [Path(each).parent for each in found["files"]] == [(tmp_path / "out").resolve()] * 4
    assert [Path(each).name for each in found["files"]] == [
        "look-내-사진.html",
        *(f"{name}-내-사진.png" for name in INSIDE),
    ]
    assert _figures(found["files"][0]) == INSIDE
    (explained,) = found["grad_cam"]
    assert explained["true"] is None
    assert [each["class"] for each in explained["classes"]] == list(dict.fromkeys([explained["said"], "7"]))
    assert "30x20" in "".join(found["notes"])  # it was made smaller, and that is said
    assert found["notes"][0] in err


def test_a_network_without_convolutions_has_the_other_views(workspace: Path, capsys) -> None:
    assert _figures(_look(["digits-mlp-2"], workspace, capsys)[0]["files"][0]) == ["weights", *ANSWERS]


def test_rows_have_the_views_of_their_answers(workspace: Path, capsys) -> None:
    found, _ = _look(["iris-softmax-1"], workspace, capsys)
    assert _figures(found["files"][0]) == ["weights", *ANSWERS]
    assert "grad_cam" not in found


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["digits-mlp-9"], "no run 'digits-mlp-9' in"),
        (["digits-mlp-1", "--class", "sevn"], "--class: no class called 'sevn'"),
        (["digits-mlp-2", "--class", "7"], "--class: is for Grad-CAM, which needs pictures and a network with"),
        (["digits-mlp-2", "--image", "nowhere.png"], "nowhere.png: no such file"),
        (["iris-softmax-1", "--image", "nowhere.png"], "nowhere.png: no such file"),
        (["digits-mlp-2", "--image", __file__], "--image: shows convolutions, and mlp here has none"),
        (["digits-mlp-1", "--image", "nowhere.png"], "nowhere.png: no such file"),
        (["iris-softmax-1", "--image", __file__], "--image: this run takes rows of 4 numbers"),
        (["curve-mlp-1"], "curve-mlp-1: look shows how classes are told apart (embedding, confused pairs,"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(words, says, workspace: Path, capsys) -> None:
    shutil.rmtree(workspace / words[0] / "figures", ignore_errors=True)
    assert main(["look", *words, "--workspace", str(workspace)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"error: {says}")
    assert not list((workspace / words[0]).glob("figures/*"))
