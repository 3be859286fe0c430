"""Bad input to every command: one line that names it, exit code 2, nothing made. Each of these once ended otherwise."""

import json
import shutil

import pandas as pd
import pytest

from fourfold.cli import main

RECIPE = """data: {name: two_moons, num_examples: 60}
model: {name: mlp, widths: [4]}
loss: cross_entropy
algorithm: supervised
budget: {steps: 4}
"""
LONG = "x" * 5000


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    assert main(["run", "xor-mlp", "budget.steps=5", "--workspace", str(place), "--quiet"]) == 0
    return place / "xor-mlp-1"


@pytest.fixture
def refuse(tmp_path, monkeypatch, capsys):
    """Return a function that gives the one line a command is refused with."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text(RECIPE, encoding="utf-8")

    def ask(*arguments: str) -> str:
        before = sorted(tmp_path.rglob("*"))
        code = main(list(arguments))
        out, err = capsys.readouterr()
        assert (code, out, err[:7], err.count("\n")) == (2, "", "error: ", 1), err
        assert sorted(tmp_path.rglob("*")) == before
        return err[7:-1]

    return ask


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("runtime.threads=100000", "runtime.threads: input should be less than or equal to 1024"),
        ("budget.epochs=1e308", "budget.epochs: input should be less than or equal to 1000000000"),
        ("budget.steps=9999999999999", "budget.steps: input should be less than or equal to 1000000000000"),
        (
            "model.widths=[1000000, 1000000]",
            "model: this mlp does not fit into memory: its weights alone take 4,000 GB",
        ),
        ("model.widths=[99999999999999999999]", "model.widths.0: input should be less than or equal to 1000000"),
        ("title=\x1b[31m", "title: not YAML: unacceptable character"),
        ("model.\x1b[31m=1", "model.\\x1b[31m: no such field"),
    ],
)
def test_a_value_that_no_machine_can_use(change, problem, refuse):
    assert refuse("run", "own.yaml", change).startswith(problem)


@pytest.mark.promise("R9")
def test_a_table_is_no_recipe(refuse):
    way = "fourfold run table-mlp data.path=houses.csv data.target=COLUMN learns from it"
    assert refuse("run", "houses.csv") == f"houses.csv: a table, not a recipe; {way}"


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--seed", "1", "seed=2"], "'seed' is given twice"),
        (["--track", ""], "trackers: no tracker called ''; one of mlflow, tensorboard, wandb"),
        (["--workspace", ""], "invalid value for '--workspace': an empty name; . is the folder you are in"),
    ],
)
def test_an_option_that_would_be_passed_over(options, problem, refuse):
    assert refuse("run", "own.yaml", *options).startswith(problem)


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("raise SystemExit('bye')", "own.py: SystemExit: bye"),
        ("PARTS = {3: {}}", "own.py: no part kind called '3'; one of "),
        (
            "from fourfold.models.mlp import MLPConfig as Own\nPARTS = {'model': {3: Own}}",
            "own.py: model 3: a part's name",
        ),
    ],
)
def test_a_file_of_ones_own_that_is_none(code, problem, refuse, tmp_path):
    (tmp_path / "own.py").write_text(code, encoding="utf-8")
    assert refuse("run", "own.yaml", "--use", "own.py").startswith(problem)


@pytest.mark.promise("R9")
@pytest.mark.parametrize("command", ["resume", "evaluate", "predict", "export", "report", "show", "import"])
@pytest.mark.parametrize("name", [LONG, "a\nb", "\x1b[31m", ""])
def test_a_name_that_no_run_can_have(command, name, refuse):
    refuse(command, name, *(["--row", "[1]"] if command == "predict" else []))


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["report", "RUN", "--to", "."], ".: a folder; name the page in it, such as report.html"),
        (["report", "RUN", "--to", "own.yaml/x.html"], "own.yaml: not a folder"),
        (["report", "RUN", "--to", "absent/x.html"], "absent: no such folder"),
        (["export", "RUN", "--to", "absent/x.onnx"], "absent: no such folder"),
        (["export", "RUN", "--format", ""], "cannot export to ''; one of onnx, safetensors"),
        (["show", "relu", "--png", "own.yaml/x.png"], "own.yaml: not a folder"),
        (["show", "relu", "--png", "relu.svg"], "relu.svg: the name of a PNG file must end in .png"),
        (["show", "adam", "--steps"], "--steps: 'adam' is a part, and a recipe is needed"),
        (["show", "digits-mlp", "--yaml", "--steps"], "--steps and --yaml: one of the two at a time"),
        (["show", "xor-needs-depth", "--yaml"], "--yaml: 'xor-needs-depth' is a claim, and a recipe is needed"),
        (["show", "xor-needs-depth", "--steps"], "--steps: 'xor-needs-depth' is a claim, and a recipe is needed"),
        (["show", "relu", "--yaml"], "--yaml: 'relu' is an activation, and a recipe is needed"),
        (["show", "RUN", "--steps"], "--steps: "),
        (["show", "data.mnist", "--yaml"], "--yaml: 'data.mnist' is a part, and a recipe is needed"),
    ],
)
def test_what_a_command_cannot_do(arguments, problem, refuse, trained):
    assert refuse(*[str(trained) if each == "RUN" else each for each in arguments]).startswith(problem)


@pytest.mark.promise("R6")
@pytest.mark.parametrize(
    ("file", "content", "command", "problem"),
    [
        ("recipe.yaml", RECIPE, "evaluate", "not the weights of this run's recipe: size mismatch"),
        ("recipe.yaml", RECIPE, "export", "not the weights of this run's recipe: size mismatch"),
        ("recipe.yaml", RECIPE, "predict", "not the weights of this run's recipe: size mismatch"),
        ("result.json", {"seconds": "x"}, "show", "result.json: damaged: seconds must be a number, and is 'x'"),
        ("result.json", {"params": None}, "report", "result.json: damaged: params must be a number, and is None"),
        ("result.json", {"notes": [3]}, "report", "result.json: damaged: notes must be a list of texts"),
        ("result.json", {"findings": 3}, "resume", "result.json: damaged: findings must be a list of texts"),
        ("environment.json", {"packages": 3}, "report", "environment.json: damaged: packages must be"),
    ],
)
def test_a_damaged_run_is_named(file, content, command, problem, refuse, trained, tmp_path):
    run = tmp_path / "damaged"
    shutil.copytree(trained, run, symlinks=True)
    if isinstance(content, dict):
        content = json.dumps({**json.loads((run / file).read_text(encoding="utf-8")), **content})
    (run / file).write_text(content, encoding="utf-8")
    line = refuse(command, str(run), *(["--row", "[1, 0]"] if command == "predict" else []))
    assert line.startswith(str(run))
    assert problem in line


@pytest.mark.promise("R11")
def test_numbers_too_large_to_square(refuse, tmp_path, capsys):
    frame = pd.DataFrame({"a": [(-1) ** i * 1e308 / (i + 1) for i in range(60)], "b": [i % 7 for i in range(60)]})
    frame.assign(y=["pq"[i % 2] for i in range(60)]).to_csv(tmp_path / "inputs.csv", index=False)
    assert main(["run", "table-mlp", "data.path=inputs.csv", "data.target=y", "budget.epochs=1"]) == 0
    assert "'a' left out" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "runs")
    line = refuse("run", "table-mlp", "data.path=inputs.csv", "data.target=a", "data.task=regression")
    assert line.startswith("inputs.csv: row 2, column 'a': '1e+308' is not a number")


@pytest.mark.promise("R9")
def test_a_line_break_in_the_name_of_a_column(refuse, tmp_path):
    (tmp_path / "t.csv").write_text('"a\nb",y\n1,2\n', encoding="utf-8")
    assert refuse("run", "table-mlp", "data.path=t.csv", "data.target=z").endswith(r"no column 'z'; one of a\nb, y")


def test_files_by_other_editors_are_read(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "crlf": RECIPE.replace("\n", "\r\n"),
        "bom": "\ufeff" + RECIPE,
        "문서": f"---\n{RECIPE}...\n",
    }.items():
        (tmp_path / f"{name}.yaml").write_bytes(text.encode("utf-8"))
        assert main(["run", f"{name}.yaml", "--quiet"]) == 0, capsys.readouterr().err
