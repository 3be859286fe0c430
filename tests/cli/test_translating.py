"""Texts are translated from the command line, from files and from stdin, by a model whose translations are known."""

import io
import json
import sys

import pytest
from part_tables import tables_restored
from whole_texts import sentence

from fourfold.cli import main

ECHO = '''
from typing import Literal

import torch
from torch import nn

from fourfold.models.base import ModelConfig


class EchoConfig(ModelConfig):
    """A model that translates by saying the same again."""

    name: Literal["echo"] = "echo"

    def build(self, spec):
        return Echo(spec.num_outputs)


class Echo(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scores = nn.Parameter(torch.zeros(size))

    def forward(self, source, lengths, target):
        return self.scores.expand(*target.shape, -1)

    def translate(self, source, lengths, max_length):
        return [row[: int(length) - 1] for row, length in zip(source.tolist(), lengths)]


PARTS = {"model": {"echo": EchoConfig}}
'''
TEXTS = [sentence(3), sentence(8), "새로운 영화"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    place = tmp_path_factory.mktemp("글")
    (place / "pairs.tsv").write_text("".join(f"{sentence(i)}\t{sentence(i)}\n" for i in range(40)), encoding="utf-8")
    (place / "echo.py").write_text(ECHO, encoding="utf-8")
    (place / "echo.yaml").write_text(
        f"title: echo\ndata: {{name: pairs, path: {place / 'pairs.tsv'}, vocab_size: 400}}\nmodel: echo\nloss: usual\n"
        "algorithm: supervised\nbudget: {steps: 2, batch_size: 8}\n",
        encoding="utf-8",
    )
    with tables_restored():
        use = ["--use", str(place / "echo.py")]
        assert main(["run", str(place / "echo.yaml"), *use, "--workspace", str(place), "--quiet"]) == 0
        yield place


@pytest.fixture
def ask(workspace, capsys):
    def answer(*arguments: object) -> list[dict[str, str]]:
        assert main(["translate", "echo-1", *map(str, arguments), "--workspace", str(workspace), "--json"]) == 0
        return json.loads(capsys.readouterr().out.splitlines()[-1])["translations"]

    return answer


def test_texts_are_translated_alike_from_everywhere(ask, tmp_path, workspace, capsys, monkeypatch) -> None:
    wanted = [{"source": text, "translation": text} for text in TEXTS]
    assert ask(*TEXTS) == wanted
    (tmp_path / "some.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    assert ask(tmp_path / "some.txt") == wanted

    class Standard:
        buffer = io.BytesIO("\n".join(TEXTS).encode())

    monkeypatch.setattr(sys, "stdin", Standard)
    assert ask("-") == wanted
    assert main(["translate", "echo-1", *TEXTS, "--workspace", str(workspace)]) == 0
    assert capsys.readouterr().out.splitlines() == TEXTS


def test_an_empty_line_stays_one_so_that_lines_keep_their_places(ask, tmp_path, workspace, capsys) -> None:
    (tmp_path / "gaps.txt").write_text(f"\n{TEXTS[0]}\n \n{TEXTS[1]}\n\n", encoding="utf-8")
    wanted = ["", TEXTS[0], "", TEXTS[1], ""]
    assert [each["translation"] for each in ask(tmp_path / "gaps.txt")] == wanted
    assert main(["translate", "echo-1", str(tmp_path / "gaps.txt"), "--workspace", str(workspace)]) == 0
    assert capsys.readouterr().out.split("\n") == [*wanted, ""]


def test_bleu_of_the_record_is_that_of_the_model_s_own_translations(workspace) -> None:
    result = json.loads((workspace / "echo-1" / "result.json").read_text(encoding="utf-8"))
    assert result["metrics"]["test"]["bleu"] == pytest.approx(100)
    assert result["headline"] == "bleu"


@pytest.mark.parametrize(
    ("command", "arguments", "says"),
    [
        ("predict", ["a"], "echo-1: of this run ask fourfold translate"),
        ("tag", ["a"], "echo-1: this run does not tag words; its data pose translation"),
        ("translate", [], "nothing to translate: give a text in quotes"),
        ("translate", [""], "'': empty text; give a text in quotes, a file of texts, a line each, or - for stdin"),
        ("translate", ["."], ".: a folder, not a file; give a text in quotes"),
        ("translate", ["none.txt"], "none.txt: no such file"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(command, arguments, says, workspace, capsys) -> None:
    assert main([command, "echo-1", *arguments, "--workspace", str(workspace)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert says in err


def test_a_map_in_a_folder_that_is_not_there_is_refused_before_any_work(workspace, tmp_path, capsys) -> None:
    given = ["a", "--attention", str(tmp_path / "absent" / "map.png"), "--workspace", str(workspace)]
    assert main(["translate", "echo-1", *given]) == 2
    assert capsys.readouterr() == ("", f"error: {tmp_path / 'absent'}: no such folder\n")


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["a", "b"], "--attention draws one text, but 2 were given"),
        (["a"], "echo-1: echo does not look back at the text"),
    ],
)
def test_what_has_no_map_is_refused_in_one_line(texts, says, workspace, tmp_path, capsys) -> None:
    given = [*texts, "--attention", str(tmp_path / "map.png"), "--workspace", str(workspace)]
    assert main(["translate", "echo-1", *given]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), list(tmp_path.iterdir())) == ("", 1, [])
    assert says in err
