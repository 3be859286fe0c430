"""What the documents say works: their Python, their links, the example file, and every shipped recipe."""

import hashlib
import importlib
import re
import shlex
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from emoji_files import write_emoji
from paper_size import PAPER_SIZE
from part_tables import tables_restored
from pictures import folder
from series_files import write_series
from texts import write_running_texts
from whole_texts import write_whole_texts

import fourfold as ff
from fourfold.core.document import read_yaml
from fourfold.core.recipe import parse_recipe
from fourfold.data.emoji import EmojiConfig
from fourfold.data.fashion_mnist import FashionMnistConfig
from fourfold.data.mnist import MnistConfig
from fourfold.data.mnist_like import NAMES
from fourfold.run.parts import TABLES, load_recipe, recipe_names, use_file

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])


def blocks(document: Path, language: str) -> list[str]:
    text = document.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


PYTHON = [(document, i) for document in DOCUMENTS for i in range(len(blocks(document, "python")))]
README, GUIDE = ROOT / "README.md", ROOT / "docs" / "add-a-part.md"


@pytest.fixture
def _tables_as_before() -> Iterator[None]:
    with tables_restored():
        yield


def test_there_is_something_to_check() -> None:
    assert len(blocks(README, "python")) == 2
    assert len(blocks(GUIDE, "python")) == 2
    assert len(recipe_names()) >= 15


@pytest.mark.parametrize(("document", "index"), PYTHON, ids=[f"{d.name}-{i}" for d, i in PYTHON])
def test_python_compiles(document: Path, index: int) -> None:
    compile(blocks(document, "python")[index], f"{document.name}[{index}]", "exec")


@pytest.mark.parametrize("document", DOCUMENTS, ids=[d.name for d in DOCUMENTS])
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    local = [link.split("#")[0] for link in links if not link.startswith(("http://", "https://", "#"))]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_the_readme_s_table_is_the_measured_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    measured = importlib.import_module("readme").engines((ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8"))
    shown = re.search(
        r"<!-- engines: begin -->\n(.*?)\n<!-- engines: end -->", README.read_text(encoding="utf-8"), re.S
    )
    assert shown is not None
    assert shown[1] == measured
    assert "Fourfold" in measured


def test_tables_of_expected_scores_are_the_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    expected = importlib.import_module("expected")
    texts = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "docs").glob("*.md")}
    assert sum(bool(expected.TABLE.search(text)) for text in texts.values()) >= 2
    stale = [name for name, text in texts.items() if expected.with_tables(text) != text]
    assert stale == [], "python benchmarks/expected.py writes them anew"


def test_the_readme_s_first_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOURFOLD_WORKSPACE", str(tmp_path))
    shorter = blocks(README, "python")[0].replace("overrides={", 'overrides={"budget.epochs": 1, ')
    names: dict[str, Any] = {}
    exec(shorter, names)
    run = names["run"]
    assert run.recipe.to_mapping()["algorithm"]["optimizer"]["lr"] == 1e-2
    assert run.metrics["test"]["accuracy"] > 0.5
    assert len(run.curve("validation.accuracy")) == 1


def test_the_readme_s_plain_loop_trains() -> None:
    torch.manual_seed(0)
    images, labels = torch.randn(64, 1, 28, 28), torch.arange(64) % 10
    names: dict[str, Any] = {"loader": [(images, labels)] * 15}
    exec(blocks(README, "python")[1], names)
    mean = torch.nn.functional.cross_entropy(names["model"](images), labels)
    assert mean.item() < 1.0  # of ten classes by chance: 2.3


def example_file(folder: Path) -> Path:
    """Write the guide's example where a reader would."""
    text = GUIDE.read_text(encoding="utf-8")
    name, code = re.findall(r"<!-- example: (\S+) -->\n```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)[0]
    file = folder / name
    file.write_text(code, encoding="utf-8")
    return file


@pytest.mark.usefixtures("_tables_as_before")
def test_the_guide_s_model_runs_and_is_what_it_says(tmp_path: Path) -> None:
    use_file(example_file(tmp_path))
    run = ff.run("digits-mlp", {"model": "maxout", "model.pieces": 4, "budget.epochs": 1}, workspace=tmp_path)
    assert run.recipe.model.name == "maxout"
    assert run.result["params"] == (64 * 32 * 4 + 32 * 4) + (32 * 10 + 10)
    assert run.metrics["test"]["accuracy"] > 0.5
    model, x = run.model, torch.randn(3, 1, 8, 8)
    hidden, out = model.hidden, model.out
    z = x.flatten(1) @ hidden.weight.T + hidden.bias  # type: ignore[union-attr, operator]
    units = torch.stack([z[:, 4 * i : 4 * i + 4].max(1).values for i in range(32)], 1)
    with torch.no_grad():
        torch.testing.assert_close(model(x), units @ out.weight.T + out.bias)  # type: ignore[union-attr, operator]


def test_the_guide_s_command_runs(tmp_path: Path) -> None:
    example_file(tmp_path)
    command = next(line for line in blocks(GUIDE, "bash")[0].splitlines() if "--use" in line).split()
    assert command[0] == "fourfold"
    shorter = [*command[1:], "budget.epochs=0.1", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "fourfold", *shorter], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert read_yaml(tmp_path / "runs" / "digits-mlp-1" / "recipe.yaml")["model"]["pieces"] == 4


def test_the_readme_s_recipes_and_parts_exist() -> None:
    for line in "\n".join(blocks(README, "bash")).splitlines():
        words = shlex.split(line, comments=True)
        if words[:2] == ["fourfold", "run"] and words[2] not in ("table-mlp", "pictures-lenet5"):
            from fourfold.core.overrides import parse_overrides

            load_recipe(words[2], parse_overrides([word for word in words[3:] if "=" in word]))


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_goes_through_yaml_and_back(name: str, tmp_path: Path) -> None:
    _, recipe = load_recipe(name)
    file = tmp_path / "written.yaml"
    file.write_text(recipe.to_yaml(), encoding="utf-8")
    assert load_recipe(file)[1] == recipe
    assert parse_recipe(recipe.to_mapping(), TABLES) == recipe
    assert recipe.title
    expected = recipe.to_mapping().get("expected")
    assert expected is None or expected["metric"]


@pytest.fixture
def _tiny_downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the cache hold files of MNIST's form with 5,300 pictures in place of 70,000, and 60 emoji."""

    def idx(values: np.ndarray) -> bytes:
        return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()

    pixels, classes = np.random.default_rng(0).integers(0, 256, (5300, 28, 28), dtype=np.uint8), np.arange(5300) % 10
    train, test, labels = slice(0, 5200), slice(5200, None), classes.astype(np.uint8)
    files = dict(zip(NAMES, map(idx, (pixels[train], labels[train], pixels[test], labels[test])), strict=True))
    for kind, name in ((MnistConfig, "mnist"), (FashionMnistConfig, "fashion_mnist")):
        monkeypatch.setattr(kind, "digests", {file: hashlib.sha256(data).hexdigest() for file, data in files.items()})
        (tmp_path / "cache" / name).mkdir(parents=True)
        for file, data in files.items():
            (tmp_path / "cache" / name / file).write_bytes(data)
    monkeypatch.setattr(EmojiConfig, "digests", write_emoji(tmp_path / "cache" / "emoji"))
    write_series(tmp_path / "cache", monkeypatch)
    write_running_texts(tmp_path / "cache", monkeypatch)
    write_whole_texts(tmp_path / "cache", monkeypatch)
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "cache"))


SMALL = [name for name in recipe_names() if not name.endswith(PAPER_SIZE)]


@pytest.mark.usefixtures("_tiny_downloads")
@pytest.mark.parametrize("name", SMALL)
def test_a_recipe_runs_three_steps(name: str, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"budget.steps": 3, "budget.epochs": None, "runtime.device": "cpu", "runtime.threads": 1}
    if name.endswith("-dqn"):
        changes |= {"data.validation_episodes": 2, "data.test_episodes": 2}
    if name == "table-mlp":
        table = tmp_path / "houses.csv"
        table.write_text(
            "area,price\n" + "".join(f"{40 + i},{100 + 3 * i % 50}\n" for i in range(60)), encoding="utf-8"
        )
        changes |= {"data.path": str(table), "data.target": "price"}
    if name == "pictures-lenet5":
        changes |= {"data.path": str(folder(tmp_path / "photos", {"a": 9, "b": 9}))}
    if load_recipe(name)[1].data.name == "unlabelled_pictures":
        changes |= {"data.scored": 20}
    if name == "pictures-dcgan":
        changes |= {"data.of.path": str(folder(tmp_path / "photos", {"a": 9, "b": 9})), "model.width": 4}
    run = ff.run(name, changes, workspace=tmp_path / "runs")
    _, recipe = load_recipe(name)
    assert run.status == "done"
    assert 1 <= run.result["steps"] <= 3  # the closed form needs one
    assert run.parts.source.spec.headline in run.metrics["test" if "test" in run.metrics else "train"]
    if recipe.expected is not None:
        assert recipe.expected.metric in run.metrics["test" if "test" in run.metrics else "train"]
