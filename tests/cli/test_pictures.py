"""Pictures of one's own, from the folder to a prediction."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import PIL.Image
import pytest
from faulty_pictures import with_faults
from pictures import folder, picture

from fourfold.cli import main
from fourfold.study.history import LANDMARKS


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with pictures, a run on them, and a cache beside them."""
    place = tmp_path_factory.mktemp("집")
    for number, (name, colour) in enumerate((("빨강", (220, 30, 30)), ("파랑", (30, 30, 220)))):
        (place / "내 사진" / name).mkdir(parents=True)
        for i in range(20):
            noisy = PIL.Image.blend(PIL.Image.new("RGB", (40, 30), colour), picture(number * 100 + i, 30, 40), 0.3)
            noisy.save(place / "내 사진" / name / f"{i}.jpg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOURFOLD_DATA", str(place / "cache"))
        fields = [f"data.path={place / '내 사진'}", "data.size=16", "budget.epochs=40"]
        assert main(["run", "pictures-lenet5", *fields, "--workspace", str(place), "--quiet"]) == 0
    return place


@pytest.fixture
def ask(place, capsys):
    def ask(*arguments: object) -> dict:
        code = main(["predict", "pictures-lenet5-1", *map(str, arguments), "--workspace", str(place), "--json"])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out.splitlines()[-1])

    return ask


@pytest.fixture
def refuse(place, capsys):
    def ask(*arguments: object) -> str:
        assert main(["predict", "pictures-lenet5-1", *map(str, arguments), "--workspace", str(place)]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n"), err[:7]) == ("", 1, "error: ")
        return err[7:-1]

    return ask


@pytest.mark.promise("R22")
def test_pictures_of_any_size_and_mode_and_folders_of_them(place, tmp_path, ask) -> None:
    PIL.Image.blend(PIL.Image.new("RGB", (500, 300), (220, 30, 30)), picture(7, 300, 500), 0.3).save(
        tmp_path / "큰 그림.jpg"
    )
    PIL.Image.new("CMYK", (9, 9), (255, 255, 0, 0)).save(tmp_path / "인쇄.jpg")
    PIL.Image.new("RGBA", (64, 64), (60, 60, 190, 255)).save(tmp_path / "투명.png")
    names = [str(tmp_path / name) for name in ("큰 그림.jpg", "인쇄.jpg", "투명.png")]
    answer = ask(*names)
    assert [row["picture"] for row in answer["predictions"]] == names
    assert [row["class"] for row in answer["predictions"]] == ["빨강", "파랑", "파랑"]
    assert f"{names[1]}: converted from CMYK to RGB" in answer["notes"]
    whole = ask(place / "내 사진")["predictions"]
    assert len(whole) == 40
    assert sum(Path(row["picture"]).parent.name == row["class"] for row in whole) >= 38
    alone = ask(whole[0]["picture"])["predictions"][0]
    assert alone["probability"] == pytest.approx(whole[0]["probability"])
    assert len(ask(tmp_path, names[0])["predictions"]) == 4


def test_a_table_names_each_picture(place, capsys) -> None:
    assert main(["predict", "pictures-lenet5-1", str(place / "내 사진" / "빨강"), "--workspace", str(place)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split()[:2] == ["picture", "class"]
    assert len(out) >= 21


def test_paths_from_stdin(place, ask) -> None:
    paths = [str(place / "내 사진" / "빨강" / f"{i}.jpg") for i in (3, 1)]
    command = [sys.executable, "-m", "fourfold", "predict", "pictures-lenet5-1", "-", "--json"]
    command += ["--workspace", str(place)]
    given = "\n".join(paths).encode()
    done = subprocess.run(command, input=given, capture_output=True, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["predictions"] == ask(*paths)["predictions"]


def _state_of(folder: Path) -> dict[Path, tuple[int, ...]]:
    """Return what tells whether anything in a folder was touched; reading may move the time of access."""
    states = {path: path.lstat() for path in folder.rglob("*")}
    return {path: (state.st_mode, state.st_size, state.st_mtime_ns, state.st_ino) for path, state in states.items()}


def test_more_pictures_than_are_read_at_a_time(place, ask, monkeypatch) -> None:
    whole = ask(place / "내 사진")
    monkeypatch.setattr("fourfold.run.predict.PICTURES", 7)
    parts = ask(place / "내 사진")
    assert [row["class"] for row in parts["predictions"]] == [row["class"] for row in whole["predictions"]]


def test_nothing_given_suggests_what_pictures_take(refuse) -> None:
    wanted = "pictures, folders of them, or - for their paths from stdin, a line each"
    assert refuse() == f"nothing to predict: give {wanted}"


@pytest.mark.promise("R11")
def test_a_picture_that_cannot_be_read_is_one_line(place, tmp_path, refuse) -> None:
    (tmp_path / "text.jpg").write_text("text", encoding="utf-8")
    (tmp_path / "empty.png").touch()
    (tmp_path / "table.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "nothing").mkdir()
    assert refuse(tmp_path / "text.jpg") == f"{tmp_path}/text.jpg: not a picture that can be read"
    assert refuse(tmp_path / "gone.jpg") == f"{tmp_path}/gone.jpg: no such file"
    assert refuse(tmp_path / "gone") == f"{tmp_path}/gone: no such file"
    assert refuse(tmp_path) == f"{tmp_path}/empty.png: an empty file"
    assert refuse(tmp_path / "nothing").startswith(f"{tmp_path}/nothing: no pictures in it")
    assert "takes pictures, not the rows of a table" in refuse(tmp_path / "table.csv")
    (tmp_path / "nothing" / "x.png").symlink_to(tmp_path / "nowhere")
    assert refuse(tmp_path / "nothing") == f"{tmp_path}/nothing/x.png: a broken symbolic link"


@pytest.mark.promise("R11")
def test_faults_are_told_before_anything_is_made(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "cache"))
    root = folder(tmp_path / "photos", {"a": 6, "b": 6})
    (root / "a" / "000.png").write_bytes(b"")
    (root / "b" / "000.png").write_bytes(b"x")
    given = ["run", "pictures-lenet5", f"data.path={root}", "--workspace", str(tmp_path / "runs")]
    assert main([*given, "--json"]) == 2
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        f"error: {root}: 2 problems; mend them, or leave them out with data.problems=leave_out",
        "  a/000.png: an empty file",
        "  b/000.png: not a picture that can be read",
    ]
    assert json.loads(out.splitlines()[-1])["status"] == "failed"
    assert not (tmp_path / "runs").exists()


@pytest.mark.promise("R11")
def test_every_fault_of_a_folder_is_told_in_one_list(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "cache"))
    expected = with_faults(tmp_path / "photos")
    before = _state_of(tmp_path / "photos")
    given = [f"data.path={tmp_path / 'photos'}", "--workspace", str(tmp_path / "runs")]
    for command in (["run", "pictures-lenet5"], ["show", "pictures-lenet5"]):
        assert main([*command, *given]) == 2
        out, err = capsys.readouterr()
        first, *lines = err.splitlines()
        assert first.startswith(f"error: {tmp_path / 'photos'}: {len(expected)} problems; ")
        assert sorted(line.split(": ")[0].strip() for line in lines) == sorted(expected)
        assert (out, len(lines) >= 12) == ("", True)
    assert not (tmp_path / "runs").exists()
    assert _state_of(tmp_path / "photos") == before


def test_a_folder_that_changed_is_not_gone_on_with(place, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "cache"))
    root = folder(tmp_path / "photos", {"a": 6, "b": 6})
    given = ["run", "pictures-lenet5", f"data.path={root}", "budget.steps=4", "--workspace", str(tmp_path), "--quiet"]
    assert main(given) == 0
    run = tmp_path / "pictures-lenet5-1"
    (run / "result.json").unlink()
    picture(99).save(root / "a" / "000.png")
    assert main(["resume", "pictures-lenet5-1", "--workspace", str(tmp_path)]) == 2
    assert f"{root}: the file has changed since the run began" in capsys.readouterr().err


def test_every_landmark_that_fits_a_folder(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "cache"))
    few = [each for each in LANDMARKS if each.name in ("linear_regression", "softmax_regression", "lenet5", "resnet20")]
    monkeypatch.setattr("fourfold.study.history.LANDMARKS", few)
    root = folder(tmp_path / "my <photos>", {"a": 8, "b": 8})
    given = ["--data", str(root), "--seeds", "2", "data.size=8", "budget.steps=1", "--workspace", str(tmp_path)]
    assert main(["history", *given, "--json"]) == 0
    out = capsys.readouterr().out
    answer = json.loads(out.splitlines()[-1])
    assert [arm["name"] for arm in answer["problems"][0]["arms"]] == ["softmax_regression", "lenet5", "resnet20"]
    place = Path(answer["folder"])
    page = (place / "history.html").read_text(encoding="utf-8")
    for text in (out, page):
        words = " ".join(text.split())
        assert [words.index(year) for year in ("1966", "1998", "2015")] == sorted(
            map(words.index, ("1966", "1998", "2015"))
        )
        assert "1 step of batches of 32" in words
        assert "linear_regression (1805): linear_regression is for regression" in words
    assert "my &lt;photos&gt;: which years pay off?" in page
    assert "<photos>" not in page
    assert '<figure id="history"' in page
    assert f"fourfold history --data &#x27;{root}&#x27;".replace("<", "&lt;").replace(">", "&gt;") in page
    assert (place / "history.png").read_bytes()[:4] == b"\x89PNG"
    assert main(["history", "--data", str(tmp_path / "gone"), "--workspace", str(tmp_path)]) == 2
    assert "pictures are a folder" in capsys.readouterr().err
    shutil.rmtree(root / "b")
    assert main(["history", "--data", str(root), "--workspace", str(tmp_path)]) == 2
    assert "one class, 'a'" in capsys.readouterr().err
