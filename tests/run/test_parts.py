"""Recipes by name, file and mapping; parts of a user's own file, and of an installed package."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from paper_size import PAPER_SIZE
from part_tables import tables_restored

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.core.recipe import Recipe
from fourfold.core.registry import Entry
from fourfold.run import parts
from fourfold.run.parts import TABLES, load_recipe, recipe_names, use_file

pytestmark = pytest.mark.usefixtures("added_parts")

MODEL = '''
from typing import Literal
from torch import nn
from fourfold.models.base import ModelConfig

class {cls}(ModelConfig):
    """{summary}

    And more."""
    name: Literal["{name}"] = "{name}"
    def build(self, spec):
        return nn.Sequential(nn.Flatten(), nn.Linear(spec.input.size, spec.num_outputs, bias={bias}))
'''


def model_file(path: Path, name: str, cls: str = "Own", bias: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    code = MODEL.format(cls=cls, name=name, summary="A model of my own.", bias=bias)
    path.write_text(code + f'\nPARTS = {{"model": {{"{name}": {cls}}}}}\n', encoding="utf-8")
    return path


def test_every_shipped_name_loads_under_its_own_name() -> None:
    names = recipe_names()
    assert names == sorted(names)
    assert {"digits-mlp", "xor-perceptron", "mnist-lenet5", "table-mlp"} <= set(names)
    for name in names:
        assert load_recipe(name)[0] == name
        assert isinstance(load_recipe(name)[1], Recipe)


def test_what_a_recipe_is_expected_to_reach_was_measured_at_several_seeds() -> None:
    expectations = {name: load_recipe(name)[1].expected for name in recipe_names()}
    for name, expected in expectations.items():
        if expected is not None and not name.endswith(PAPER_SIZE):
            assert None not in (expected.ours, expected.spread, expected.minutes, expected.device), name
            assert (expected.seeds or 0) >= 3, name


def test_overrides_apply_to_names_files_mappings_and_recipes(tmp_path: Path) -> None:
    _, recipe = load_recipe("digits-mlp")
    file = tmp_path / "mine.yml"
    file.write_text(recipe.to_yaml(), encoding="utf-8")
    for given in ("digits-mlp", file, recipe.to_mapping(), recipe):
        changed = load_recipe(given, {"model.widths": [3], "algorithm.optimizer": "sgd"})[1].to_mapping()
        assert changed["model"]["widths"] == [3]
        assert changed["algorithm"]["optimizer"]["name"] == "sgd"
        assert "beta1" not in changed["algorithm"]["optimizer"]
    assert recipe == load_recipe("digits-mlp")[1]  # what was given is not changed
    assert load_recipe(file)[0] == "mine"


@pytest.mark.promise("R9")
def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^no recipe called 'digit-mlp'; did you mean 'digits-mlp'\?"):
        load_recipe("digit-mlp")
    with pytest.raises(InputError, match=r"absent\.yaml"):
        load_recipe(tmp_path / "absent.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        "data: digits\nmodel: {name: mlp, width: [3]}\nloss: cross_entropy\nalgorithm: supervised\n", encoding="utf-8"
    )
    for overrides in ({}, {"seed": 3}):
        with pytest.raises(InputError, match=r"broken\.yaml: model\.width: no such field; did you mean 'widths'\?$"):
            load_recipe(broken, overrides)
    with pytest.raises(InputError, match=r"^model\.widht: no such field"):  # the override's mistake, not the file's
        load_recipe("digits-mlp", {"model.widht": [3]})


def test_a_file_may_leave_to_overrides_what_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "open.yaml"
    file.write_text("data: table\nmodel: mlp\nloss: usual\nalgorithm: supervised\n", encoding="utf-8")
    changed = load_recipe(file, {"data.path": "houses.csv", "data.target": "price"})[1]
    assert changed.to_mapping()["data"]["target"] == "price"
    with pytest.raises(InputError, match=r"open\.yaml: data\."):
        load_recipe(file)


def test_a_file_s_parts_are_chosen_by_name_and_listed_by_their_first_line(tmp_path: Path) -> None:
    use_file(model_file(tmp_path / "내 모델" / "my_parts.py", "own"))
    assert TABLES["model"]["own"].summary == "A model of my own."
    run = ff.run("xor-mlp", {"model": "own", "budget.steps": 3}, workspace=tmp_path)
    assert run.result["params"] == 2 * 2 + 2
    assert run.recipe.model.name == "own"


def test_two_files_of_one_name_in_two_folders_keep_their_own_classes(tmp_path: Path) -> None:
    use_file(model_file(tmp_path / "a" / "my_parts.py", "first", bias=True))
    use_file(model_file(tmp_path / "b" / "my_parts.py", "second", bias=False))
    counts = [
        ff.run("xor-mlp", {"model": name, "budget.steps": 1}, workspace=tmp_path).result["params"]
        for name in ("first", "second")
    ]
    assert counts == [6, 4]


def test_a_class_that_the_file_has_under_another_name(tmp_path: Path) -> None:
    file = tmp_path / "renamed.py"
    code = "from fourfold.models.mlp import MLPConfig as Imported\nclass Own(Imported):\n    name: str = 'mlp2'\n"
    file.write_text(code + "Mine = Own\ndel Own\nPARTS = {'model': {'mlp2': Mine}}\n", encoding="utf-8")
    use_file(file)
    assert load_recipe("xor-mlp", {"model": "mlp2", "model.widths": [5]})[1].to_mapping()["model"]["widths"] == [5]


def test_lazy_entries_and_presets(tmp_path: Path) -> None:
    file = tmp_path / "lazy.py"
    file.write_text(
        "from fourfold.core.registry import Entry\n"
        'PARTS = {"model": {"mlp_wide": Entry("fourfold.models.mlp:MLPConfig", "a wide one", {"widths": [77]})}}\n',
        encoding="utf-8",
    )
    use_file(file)
    assert load_recipe("xor-mlp", {"model": "mlp_wide"})[1].to_mapping()["model"]["widths"] == [77]


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise RuntimeError('no')", "RuntimeError: no"),
        ("def f(:", "SyntaxError"),
        ("import absent_module", "ModuleNotFoundError: No module named 'absent_module'"),
        ("x = 1", "define PARTS"),
        ("PARTS = [1]", "define PARTS"),
        ("PARTS = {'modle': {}}", "no part kind called 'modle'; did you mean 'model'?"),
        ("PARTS = {'model': ['a']}", "PARTS['model']: expected a mapping from names to config classes"),
        (
            "from torch import nn\nPARTS = {'model': {'own': nn.Linear}}",
            "PARTS['model']['own']: expected a config class",
        ),
        ("PARTS = {'model': {'own': 3}}", "PARTS['model']['own']: expected a config class"),
        (
            "from fourfold.models.mlp import MLPConfig\nPARTS = {'model': {'mlp': MLPConfig}}",
            "model 'mlp' exists already",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_adds_nothing(code: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "parts.py"
    file.write_text(code, encoding="utf-8")
    before = {kind: list(table) for kind, table in TABLES.items()}
    with pytest.raises(InputError) as error:
        use_file(file)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert {kind: list(table) for kind, table in TABLES.items()} == before


def test_of_several_parts_all_are_added_or_none(tmp_path: Path) -> None:
    file = model_file(tmp_path / "parts.py", "own")
    file.write_text(file.read_text(encoding="utf-8") + 'PARTS["model"]["mlp"] = Own\n', encoding="utf-8")
    with pytest.raises(InputError, match="exists already"):
        use_file(file)
    assert "own" not in TABLES["model"]


def test_files_that_are_not_there_or_not_python(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.py: no such file$"):
        use_file(tmp_path / "absent.py")
    (tmp_path / "parts.txt").write_text("PARTS = {}", encoding="utf-8")
    with pytest.raises(InputError, match=r"parts\.txt: not a Python file$"):
        use_file(tmp_path / "parts.txt")


def install(monkeypatch: pytest.MonkeyPatch, found: Any) -> list[str]:
    """Let an installed package have parts; return what asks for them."""
    asked: list[str] = []

    class Installed(EntryPoint):
        def load(self) -> Any:
            if isinstance(found, Exception):
                raise found
            return found

    def entry_points(group: str) -> list[EntryPoint]:
        asked.append(group)
        return [Installed("mine", "my_package:PARTS", group)]

    monkeypatch.setattr(parts, "entry_points", entry_points)
    parts.installed_parts.cache_clear()
    return asked


NARROW = {"model": {"narrow": Entry("fourfold.models.mlp:MLPConfig", "a narrow one", {"widths": [2]})}}


def test_parts_of_an_installed_package_are_there_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = install(monkeypatch, NARROW)
    for _ in range(2):
        assert load_recipe("xor-mlp", {"model": "narrow"})[1].to_mapping()["model"]["widths"] == [2]
    assert asked == ["fourfold.parts"]


def test_a_recorded_run_finds_them_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = {"model": {"own": Entry("own_installed:OwnConfig", "its own")}}
    code = "from fourfold.models.mlp import MLPConfig\nclass OwnConfig(MLPConfig):\n    name: str = 'own'\n"
    (tmp_path / "own_installed.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with tables_restored():  # afterwards all is as in a process that has run nothing yet
        install(monkeypatch, own)
        ff.run("xor-mlp", {"model": "own", "budget.steps": 2}, workspace=tmp_path)
    assert "own" not in TABLES["model"]
    assert ff.open_run("xor-mlp-1", tmp_path).recipe.model.name == "own"


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("found", "message"),
    [
        (ImportError("no module\nmore"), "ImportError: no module; mend or uninstall their package"),
        ([], "expected {'model': {'my_model': Entry(…)}}, got []"),
        ({"model": ["narrow"]}, "expected {'model': {'my_model': Entry(…)}}, got {'model': ['narrow']}"),
        ({"model": {"narrow": int}}, "model 'narrow': expected an Entry, got <class 'int'>"),
        ({"modle": {}}, "no part kind called 'modle'; did you mean 'model'?"),
        ({"model": {"mlp": NARROW["model"]["narrow"]}}, "model 'mlp' exists already; choose another name"),
    ],
)
def test_an_installed_package_that_cannot_be_used_is_named(
    found: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, found)
    for _ in range(2):  # every time, not only the first
        with pytest.raises(InputError) as error:
            load_recipe("xor-mlp")
        assert str(error.value) == f"the installed parts 'my_package:PARTS': {message}"


def test_importing_fourfold_looks_for_no_package() -> None:
    code = "import sys, fourfold; print([name for name in ('torch', 'fourfold.run.parts') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_length_in_steps_replaces_a_length_in_epochs() -> None:
    _, recipe = load_recipe("digits-mlp", {"budget.steps": 7})
    assert (recipe.budget.steps, recipe.budget.epochs) == (7, None)
    _, recipe = load_recipe("xor-mlp", {"budget.epochs": 2.0})
    assert (recipe.budget.steps, recipe.budget.epochs) == (None, 2.0)
    with pytest.raises(InputError, match="either"):
        load_recipe("digits-mlp", {"budget.steps": 7, "budget.epochs": 1})


def test_a_recipe_says_nothing_of_itself_once_a_part_is_another() -> None:
    _, recipe = load_recipe("iris-softmax", {"algorithm.optimizer.lr": 0.5, "model": "softmax_regression"})
    assert recipe.title
    assert recipe.title == load_recipe("iris-softmax")[1].title
    _, changed = load_recipe("iris-softmax", {"model": "mlp"})
    assert (changed.title, changed.paper, changed.expected) == (None, None, None)
