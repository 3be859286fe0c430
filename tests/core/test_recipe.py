"""Recipes: read, written, named, and refused."""

import subprocess
import sys
from copy import deepcopy
from typing import Any

import pytest

from fourfold.core.document import parse_yaml
from fourfold.core.errors import InputError
from fourfold.core.overrides import apply_overrides
from fourfold.core.recipe import Budget, Recipe, parse_recipe
from fourfold.core.registry import Table

FULL: dict[str, Any] = {
    "title": "한글 제목",
    "paper": {"title": "A paper", "authors": "A. Author", "year": 1998, "section": "4.2", "url": "arXiv:1"},
    "data": {"name": "digits", "validation": 0.2, "shuffled": False, "augment": [{"pad": 2}, {"pad": 1}]},
    "model": {"name": "mlp", "widths": [8, 4], "activation": "tanh", "dropout": 0.25},
    "loss": {"name": "cross_entropy", "label_smoothing": 0.1},
    "algorithm": {"name": "supervised", "optimizer": {"name": "adam", "lr": 0.01, "beta1": 0.8}},
    "budget": {
        "steps": 7, "epochs": None, "batch_size": 16, "validate_every": 3, "checkpoint_every": 2, "log_every": 5,
    },
    "runtime": {
        "device": "cpu", "precision": "fp32", "compile": "model", "channels_last": True, "accumulate": 2,
        "processes": 2, "threads": 3, "deterministic": False,
    },
    "seed": 5,
    "expected": {
        "metric": "accuracy", "paper": 0.99, "ours": 0.98, "spread": 0.01, "seeds": 3, "minutes": 0.5, "device": "cpu",
    },
}  # fmt: skip
DESCRIPTIONS = ("title", "paper", "expected")


def leaves(value: Any, at: str = "") -> list[str]:
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in leaves(v, f"{at}.{k}" if at else k)]
    if isinstance(value, list):
        return [leaf for i, v in enumerate(value) for leaf in leaves(v, f"{at}.{i}")]
    return [at]


def sections(value: Any, at: str = "") -> list[str]:
    """Every mapping in it, by its dotted key."""
    if isinstance(value, dict):
        return [at, *(s for k, v in value.items() for s in sections(v, f"{at}.{k}" if at else k))]
    if isinstance(value, list):
        return [s for i, v in enumerate(value) for s in sections(v, f"{at}.{i}")]
    return []


def get(value: Any, key: str) -> Any:
    for part in key.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def test_a_recipe_written_as_yaml_reads_back_equal(tables: dict[str, Table], fields: dict[str, Any]) -> None:
    for given in (FULL, fields):
        recipe = parse_recipe(given, tables)
        again = parse_recipe(parse_yaml(recipe.to_yaml(), "x"), tables)
        assert again == recipe
        assert again.digest() == recipe.digest()
        assert type(again.algorithm.optimizer) is type(recipe.algorithm.optimizer)  # type: ignore[attr-defined]


@pytest.mark.promise("R10")
def test_every_default_is_written_down(tables: dict[str, Table], fields: dict[str, Any]) -> None:
    written = parse_yaml(parse_recipe(fields, tables).to_yaml(), "x")
    assert written["model"] == {"name": "mlp", "widths": [8], "activation": "relu", "dropout": 0.0}
    assert written["data"] == {"name": "digits", "validation": 0.15, "shuffled": True, "augment": []}
    assert written["budget"]["batch_size"] == 64
    assert written["runtime"]["deterministic"] is True
    assert written["seed"] == 0
    assert set(leaves(FULL["runtime"])) == set(written["runtime"])
    assert set(leaves(FULL["budget"])) == set(written["budget"])


@pytest.mark.promise("R10")
def test_a_preset_is_written_as_the_fields_it_stands_for(tables: dict[str, Table], fields: dict[str, Any]) -> None:
    recipe = parse_recipe({**fields, "model": "densenet121"}, tables)
    assert recipe.to_mapping()["model"] == {"name": "densenet", "growth": 32, "depth": 121}
    chosen = parse_recipe({**fields, "model": {"name": "densenet121", "growth": 4}}, tables)
    assert chosen.to_mapping()["model"] == {"name": "densenet", "growth": 4, "depth": 121}


@pytest.mark.promise("R9")
@pytest.mark.parametrize("key", leaves(FULL))
def test_a_key_that_changes_changes_the_resolved_recipe_or_is_refused(key: str, tables: dict[str, Table]) -> None:
    base = parse_recipe(FULL, tables)
    old = get(FULL, key)
    tried = 0
    for new in [0, 1, 3, 0.5, 2000, "relu", "sgd", "cuda", "auto", "none", True, False, None, [3], "densenet"]:
        if type(new) is type(old) and new == old:
            continue
        try:
            changed = parse_recipe(apply_overrides(FULL, {key: new}), tables)
        except InputError:
            continue
        tried += 1
        assert changed != base, f"{key}={new!r} was ignored"
        assert (changed.digest() != base.digest()) == (key.split(".")[0] not in DESCRIPTIONS)
        if not key.endswith("name"):
            assert get(changed.to_mapping(), key) == new if new is not None or "." in key else True
    assert tried or key in ("budget.epochs", "loss.name", "data.name", "algorithm.name"), f"nothing fits {key}"


@pytest.mark.promise("R9")
@pytest.mark.parametrize("section", sections(FULL))
def test_an_unknown_key_is_refused_at_every_level(section: str, tables: dict[str, Table]) -> None:
    key = f"{section}.xyzzy" if section else "xyzzy"
    with pytest.raises(InputError) as caught:
        parse_recipe(apply_overrides(FULL, {key: 1}), tables)
    message = str(caught.value)
    assert message.startswith(f"{key}: no such field"), message
    assert "\n" not in message


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"modle": "mlp"}, "modle: no such field; did you mean 'model'?"),
        ({"model": "mpl"}, "model: no model called 'mpl'; did you mean 'mlp'?"),
        ({"model": {"widths": [3]}}, "model.name: which model? one of mlp, densenet, densenet121"),
        ({"model": 3}, "model: expected a model name or a mapping with 'name', got 3"),
        ({"model": None}, "model: a recipe needs all four parts, data, model, loss and algorithm"),
        ({"algorithm": {"name": "supervised", "optimizer": "adamm"}},
         "algorithm.optimizer: no optimizer called 'adamm'; did you mean 'adam'?"),
        ({"algorithm": {"name": "supervised", "optimizer": {"name": "adam", "bta": 1}}},
         "algorithm.optimizer.bta: no such field; did you mean 'beta1'?"),
        ({"algorithm": {"name": "supervised", "optimizer": {"name": "adam", "lr": -1}}},
         "algorithm.optimizer.lr: input should be greater than 0 (got -1)"),
        ({"budget": {"steps": 3, "epochs": 2}}, "give either budget.steps or budget.epochs"),
        ({"budget": {}}, "give either budget.steps or budget.epochs"),
        ({"budget": {"steps": 3, "batch_size": 0}}, "budget.batch_size"),
        ({"budget": {"steps": 3, "batch_size": "ful"}},
         "budget.batch_size: 'ful' is not a choice; did you mean 'full'?"),
        ({"budget": {"steps": 3, "batch_size": 2.5}}, "budget.batch_size: input should be a valid integer (got 2.5)"),
        ({"budget": {"steps": True}}, "budget.steps: input should be a valid integer (got True)"),
        ({"runtime": {"acumulate": 2}}, "runtime.acumulate: no such field; did you mean 'accumulate'?"),
        ({"seed": -1}, "seed: input should be greater than or equal to 0 (got -1)"),
        ({"seed": 2**31}, "seed: "),
        ({"data": {"name": "digits", "_target_": "os.system"}}, "data._target_: no such field"),
        ({"model": {"name": "os:system"}}, "model: no model called 'os:system'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(
    changes: dict[str, Any], expected: str, tables: dict[str, Table], fields: dict[str, Any]
) -> None:
    with pytest.raises(InputError) as caught:
        parse_recipe({**fields, **changes}, tables)
    message = str(caught.value)
    assert expected in message
    assert message.startswith(expected.split(":")[0]) or ":" not in expected
    assert "\n" not in message


@pytest.mark.promise("R8")
@pytest.mark.parametrize("key", ["_target_", "__class__", "class_path", "model_config", "build", "__dict__"])
@pytest.mark.parametrize("part", ["data", "model", "loss", "algorithm"])
def test_a_part_cannot_be_named_by_an_import_path(key: str, part: str, tables: dict[str, Table]) -> None:
    fields = deepcopy(FULL)
    fields[part][key] = "os.system"
    with pytest.raises(InputError, match="no such field"):
        parse_recipe(fields, tables)


def test_the_digest_names_what_the_result_depends_on(tables: dict[str, Table]) -> None:
    base = parse_recipe(FULL, tables)
    bare = parse_recipe({k: v for k, v in FULL.items() if k not in DESCRIPTIONS}, tables)
    assert bare.digest() == base.digest()
    assert len(base.digest()) == 16
    reordered = parse_recipe(dict(reversed(FULL.items())), tables)
    assert reordered.digest() == base.digest()


def test_a_config_given_as_an_object_is_kept(tables: dict[str, Table], fields: dict[str, Any]) -> None:
    recipe = parse_recipe(fields, tables)
    again = parse_recipe({**fields, "model": recipe.model}, tables)
    assert again == recipe


def test_a_recipe_cannot_be_changed(tables: dict[str, Table], fields: dict[str, Any]) -> None:
    recipe = parse_recipe(fields, tables)
    with pytest.raises(ValueError, match="frozen"):
        recipe.seed = 3  # type: ignore[misc]


def test_a_whole_split_is_a_batch() -> None:
    assert Budget(epochs=1, batch_size="full").batch_size == "full"


def test_core_and_records_import_no_torch() -> None:
    code = (
        "import sys, pkgutil, importlib, fourfold.core, fourfold.records\n"
        "for p in (fourfold.core, fourfold.records):\n"
        "    for m in pkgutil.iter_modules(p.__path__): importlib.import_module(p.__name__ + '.' + m.name)\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_recipe_is_a_value(tables: dict[str, Table]) -> None:
    assert isinstance(parse_recipe(FULL, tables), Recipe)
    given = deepcopy(FULL)
    parse_recipe(given, tables)
    assert given == FULL
