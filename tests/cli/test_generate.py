"""`fourfold generate`: what it streams, what it prints for programs, and what it refuses."""

import io
import json
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from fourfold.cli import main
from fourfold.run.generate import Written

TEXT = "나는 학교에 갔다. To be, or not to be.\n" * 30


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    place = tmp_path_factory.mktemp("글")
    (place / "a.txt").write_text(TEXT, encoding="utf-8")
    given = [f"data.path={place / 'a.txt'}", "data.length=20", "model.order=6", "--workspace", str(place), "--quiet"]
    assert main(["run", "shakespeare-markov", "data=text", *given]) == 0
    assert main(["run", "iris-softmax", "budget.epochs=1", "--workspace", str(place), "--quiet"]) == 0
    return place


def test_what_to_type_next_is_told_after_a_run(workspace, capsys) -> None:
    data = [f"data.path={workspace / 'a.txt'}", "data.length=20"]
    assert main(["run", "shakespeare-markov", "data=text", *data, "--workspace", str(workspace)]) == 0
    assert f"fourfold generate '{workspace / 'shakespeare-markov-2'}'\n" in capsys.readouterr().err


@pytest.fixture
def write(workspace, capsys):
    def ask(*arguments: object, run: str = "shakespeare-markov-1", code: int = 0) -> tuple[str, str]:
        assert main(["generate", run, *map(str, arguments), "--workspace", str(workspace)]) == code
        out, err = capsys.readouterr()
        return out, err

    return ask


def test_the_likeliest_text_goes_on_from_the_prompt(write) -> None:
    out, err = write("--prompt", "나는 학", "--tokens", 20, "--temperature", 0)
    assert out == "나는 학교에 갔다. To be, or not\n"
    assert err.startswith("20 tokens, ")


def test_one_object_for_programs(write) -> None:
    out, err = write("--prompt", "To be", "--tokens", 10, "--temperature", 0, "--json")
    answer = json.loads(out)
    assert answer.pop("tokens_per_second") > 0
    expected = {"prompt": "To be", "text": ", or not t", "tokens": 10, "unread": 0, "unknown": 0, "seed": 0}
    assert answer == {"run_id": "shakespeare-markov-1", **expected}
    assert err == ""


def test_a_prompt_that_the_model_cannot_see_whole_is_told(workspace, write) -> None:
    data = [f"data.path={workspace / 'a.txt'}", "data.length=20", "budget.steps=1", "budget.batch_size=2"]
    small = ["model.layers=1", "model.width=8", "model.heads=1", "--workspace", str(workspace), "--quiet"]
    assert main(["run", "shakespeare-gpt", "data=text", *data, *small]) == 0
    fits = write("--prompt", "나" * 20, "--tokens", 1, run="shakespeare-gpt-1")[1]
    assert "unread" not in fits
    said = write("--prompt", "나" * 21, "--tokens", 1, run="shakespeare-gpt-1")[1]
    assert "the prompt is too long for this model: its first 1 token went unread\n" in said
    answer = json.loads(write("--prompt", "나" * 25, "--tokens", 1, "--json", run="shakespeare-gpt-1")[0])
    assert answer["unread"] == 5


def test_what_the_tokenizer_does_not_know_is_told(write) -> None:
    assert "the model does not know 2 tokens of the prompt" in write("--prompt", "#To be#", "--tokens", 1)[1]
    assert "does not know" not in write("--prompt", "To be", "--tokens", 1)[1]


def test_the_prompt_from_stdin(write, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("갔다\n".encode()), encoding="utf-8"))
    assert write("--prompt", "-", "--tokens", 4, "--temperature", 0)[0] == "갔다. To\n"


SHOTS = "sea => 바다\nsky => 하늘\ntree =>"


@pytest.fixture(scope="module")
def few_shot(workspace) -> str:
    (workspace / "shots.txt").write_text("sea => 바다\nsky => 하늘\ntree => 나무\n" * 40, encoding="utf-8")
    given = [f"data.path={workspace / 'shots.txt'}", "data.length=20", "model.order=6", "--workspace", str(workspace)]
    with redirect_stdout(io.StringIO()) as out:
        assert main(["run", "shakespeare-markov", "data=text", *given, "--quiet", "--json"]) == 0
    return json.loads(out.getvalue())["run_id"]


@pytest.mark.parametrize("ends", ["", "\n", "\n\n", "\r\n"])
def test_examples_before_a_question_are_the_same_prompt_from_everywhere(ends, few_shot, write, monkeypatch) -> None:
    asked = ["--tokens", 3, "--temperature", 0, "--json"]
    expected = json.loads(write("--prompt", SHOTS, *asked, run=few_shot)[0])
    assert (expected["prompt"], expected["text"], expected["unread"]) == (SHOTS, " 나무", 0)
    lines = SHOTS.replace("\n", "\r\n") if "\r" in ends else SHOTS
    for mark in ("", "\ufeff"):
        piped = io.TextIOWrapper(io.BytesIO((mark + lines + ends).encode()), encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", piped)
        found = json.loads(write("--prompt", "-", *asked, run=few_shot)[0])
        assert (found["prompt"], found["text"]) == (SHOTS, " 나무")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_example_of_the_guide_asks_the_same_from_file_pipe_and_argument(
    few_shot, write, monkeypatch, tmp_path
) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "text.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^<!-- few-shot -->\n```bash\n(.*?)^```", guide, flags=re.DOTALL | re.MULTILINE)
    told = "import json, sys; given = '-' in sys.argv; print(json.dumps([sys.argv[1:], given and sys.stdin.read()]))"
    shell = f'fourfold() {{ "{sys.executable}" -X utf8 -c "{told}" "$@"; }}\n{block}'
    answer = subprocess.run(["bash", "-ec", shell], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    calls = [json.loads(line) for line in answer.stdout.decode().splitlines()]
    assert [typed for _, typed in calls] == [f"{SHOTS}\n", f"{SHOTS}\n", False, False]
    for (command, run, *arguments), typed in calls:
        assert (command, run) == ("generate", "RUN")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((typed or "").encode()), encoding="utf-8"))
        assert write(*arguments, run=few_shot)[0] == f"{SHOTS} 나무\n"


def test_a_seed_decides(write) -> None:
    texts = [write("--tokens", 30, "--temperature", 3, "--seed", seed)[0] for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert "[PAD]" not in texts[0]


def test_without_a_prompt_a_text_begins(write) -> None:
    assert write("--tokens", 5, "--temperature", 0)[0] == "나는 학교\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--temperature", -1], "temperature: -1; it must be 0 (always the likeliest) or above"),
        (["--top-k", 0], "top_k: 0; the nearest valid number is 1"),
        (["--top-p", 2], "top_p: 2; it must be above 0 and at most 1"),
        (["--tokens", -3], "tokens: -3; the nearest valid number is 1"),
        (["--tokens", 0], "tokens: 0; the nearest valid number is 1"),
        (["--seed", -1], "seed: input should be greater than or equal to 0 (got -1)"),
        (["--seed", 2**31], "seed: input should be less than 2147483648 (got 2147483648)"),
    ],
)
def test_what_is_out_of_range_is_one_line(arguments, says, write) -> None:
    assert write(*arguments, code=2) == ("", f"error: {says}\n")


def test_rows_are_not_predicted(workspace, capsys) -> None:
    assert main(["predict", "shakespeare-markov-1", "a=1", "--workspace", str(workspace)]) == 2
    assert capsys.readouterr().err == "error: shakespeare-markov-1: of this run ask fourfold generate\n"


def test_another_task_is_refused(write) -> None:
    _, err = write(run="iris-softmax-1", code=2)
    assert (
        err == "error: iris-softmax-1: only a run of language modelling writes on, and this is one of classification\n"
    )
    _, err = write(run="shakespere-markov-1", code=2)
    assert "did you mean 'shakespeare-markov-1'" in err


def test_text_is_shown_as_it_is_written(workspace, monkeypatch) -> None:
    class Out(io.StringIO):
        shown = ""

        def flush(self) -> None:
            self.shown = self.getvalue()

    out, seen = Out(), []

    def write(*_arguments: object):
        for letter in "가나다":
            seen.append(out.shown)  # what a person has before this letter is drawn
            yield Written(0, letter)

    monkeypatch.setattr("fourfold.run.generate.generate", write)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["generate", "shakespeare-markov-1", "--prompt", "글", "--workspace", str(workspace)]) == 0
    assert seen == ["글", "글가", "글가나"]
    assert out.shown == "글가나다\n"
