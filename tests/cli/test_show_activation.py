"""`fourfold show relu`."""

import json

import pytest

from fourfold.cli import main
from fourfold.cli.show_activation import NAMES
from fourfold.report.activations import ALL


def test_every_function_is_known_to_the_command() -> None:
    assert NAMES == ALL


def test_formula_derivative_and_saturation_are_printed(capsys) -> None:
    assert main(["show", "sigmoid"]) == 0
    shown = capsys.readouterr().out
    for words in ("1 / (1 + e", "s (1 − s); at most 0.25", "x < -2.89, x > 2.89", "model.activation=sigmoid"):
        assert words in shown
    assert main(["show", "sigmoid", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["saturated"]) == ("sigmoid", [[None, -2.89], [2.89, None]])


def test_the_softmax_is_no_choice_for_a_hidden_layer(capsys) -> None:
    assert main(["show", "softmax"]) == 0
    assert "model.activation" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["relu", "activations"])
def test_the_figure_is_written(name, tmp_path, capsys) -> None:
    assert main(["show", name, "--png", str(tmp_path / "그림.png")]) == 0
    assert (tmp_path / "그림.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "digits-mlp", "--png", "x.png"], "fourfold report RUN --png"),
        (["show", "relu", "--png", "absent/x.png"], "absent: no such folder"),
        (["show", "sigmod"], "did you mean 'sigmoid'"),
    ],
)
def test_a_mistake_is_one_line(arguments, says, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert says in capsys.readouterr().err
