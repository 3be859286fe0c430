"""What answers at once, and how a mistake ends."""

import json
import os
import subprocess
import sys

import pytest
import typer
from rich.text import Text

from fourfold.cli import main
from fourfold.cli.app import app

HEAVY = ("torch", "sqlalchemy", "sklearn", "matplotlib", "pandas", "numpy")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["list"], ["list", "recipes"], ["list", "parts"], ["list", "claims"], ["list", "runs", "--json"]],
)
def test_help_and_lists_import_nothing_heavy(arguments, tmp_path):
    program = (
        "import sys\nfrom fourfold.cli import main\n"
        f"code = main({[*arguments]!r})\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not loaded, loaded\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_help_text_loses_no_word_to_markup():
    """`[word]` in a text for rich is a style, and is not printed."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert len(commands) >= 10
    texts = [each.help or "" for command in commands.values() for each in command.params]
    assert [text for text in texts if Text.from_markup(text).plain != text.replace("\\[", "[")] == []
    assert 'One row as {"name": value} or \\[numbers]; repeatable.' in texts


def test_module_and_command_are_the_same(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "fourfold", "list", "claims", "--json"], capture_output=True, text=True, cwd=tmp_path
    )
    assert "xor-needs-depth" in json.loads(done.stdout)["claims"]


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["run", "digits-mlp", "model.widht=9"], "did you mean 'widths'"),
        (["run", "digits-mpl"], "did you mean 'digits-mlp'"),
        (["run", "digits-mlp", "model=mpl"], "did you mean 'mlp'"),
        (["run", "digits-mlp", "model.widths"], "expected KEY=VALUE"),
        (["rnu"], "did you mean 'run'"),
        (["run", "digits-mlp", "--sede", "3"], "--seed"),
        (["run", "digits-mlp", "--track", "tensorbord"], "did you mean 'tensorboard'"),
        (["show", "model.mpl"], "did you mean 'model.mlp'"),
        (["show", "lenet"], "did you mean 'lenet5'"),
        (["list", "recipe"], "did you mean 'recipes'"),
        (["resume", "digits-mlp-1"], "no run 'digits-mlp-1'"),
        (["evaluate", "digits-mlp-1", "--split", "tets"], "did you mean 'test'"),
        (["import", "nowhere"], "no such run folder"),
    ],
)
def test_a_mistake_is_one_line_with_the_nearest_name(arguments, near, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert near in err
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_is_json_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "digits-mlp", "model.widht=9", "--json"]) == 2
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["status"] == "failed"
    assert "widths" in answer["error"]


def test_an_unforeseen_error_is_one_line_unless_asked(monkeypatch, capsys):
    def broken() -> None:
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr("fourfold.cli.app.app", lambda **_: broken())
    assert main(["list"]) == 1
    assert capsys.readouterr().err == "error: RuntimeError: first (--debug shows where)\n"
    monkeypatch.setenv("FOURFOLD_DEBUG", "1")
    assert main(["list"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_bare_command_teaches(capsys):
    assert main(["predict"]) == 2
    out, err = capsys.readouterr()
    assert "Examples:" in out
    assert err == ""


@pytest.mark.parametrize(
    "command", ["run", "resume", "evaluate", "predict", "export", "report", "list", "show", "import", "doctor"]
)
def test_every_command_has_examples(command, capsys):
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out.count(f"fourfold {command}") >= 2


@pytest.mark.promise("R22")
def test_hangul_is_written_as_utf8_whatever_the_locale(tmp_path):
    place = tmp_path / "실험 기록"
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "FOURFOLD_WORKSPACE": str(place)}
    command = [sys.executable, "-m", "fourfold", "list", "runs"]
    done = subprocess.run(command, capture_output=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "실험 기록" in done.stdout.decode("utf-8").replace("\n", " ")
