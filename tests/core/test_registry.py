"""Part tables: the only way a name becomes code."""

import sys

import pytest

from fourfold.core.errors import InputError
from fourfold.core.registry import Entry, Table, lazy_exports


def test_a_table_keeps_its_order_and_imports_nothing() -> None:
    table = Table("model", {"b": Entry("no_such_module:B", "two"), "a": Entry("no_such_module:A", "one")})
    assert list(table) == ["b", "a"]
    assert table["a"].summary == "one"
    assert "no_such_module" not in sys.modules


def test_a_name_is_never_replaced() -> None:
    table = Table("model", {"a": Entry("x:A", "")})
    with pytest.raises(InputError, match="model 'a' exists already"):
        table.add("a", Entry("y:A", ""))
    assert table["a"].target == "x:A"
    table.add("b", Entry("y:B", ""))
    assert list(table) == ["a", "b"]


def test_one_table_s_additions_are_not_another_s() -> None:
    rows = {"a": Entry("x:A", "")}
    table = Table("model", rows)
    table.add("b", Entry("x:B", ""))
    assert list(rows) == ["a"]


def test_presets_stand_with_the_part_whose_fields_they_set() -> None:
    rows = {
        "mlp": Entry("x:MLP", ""),
        "vgg": Entry("x:VGG", ""),
        "vgg11": Entry("x:VGG", "", {"depth": 11}),
        "perceptron": Entry("x:Perceptron", ""),
        "vgg16": Entry("x:VGG", "", {"depth": 16}),
        "alone": Entry("x:Other", "", {"depth": 3}),
        "another": Entry("x:MLP", ""),
    }
    families = {"mlp": [], "vgg": ["vgg11", "vgg16"], "perceptron": [], "alone": [], "another": []}
    assert Table("model", rows).families() == families
    assert list(Table("model", rows).families()) == list(families)


@pytest.mark.promise("R9")
def test_an_unknown_name_offers_the_nearest(tables: dict[str, Table]) -> None:
    with pytest.raises(InputError, match=r"^no model called 'desnet'; did you mean 'densenet'\?$"):
        tables["model"].config_class("desnet")


@pytest.mark.promise("R8")
@pytest.mark.parametrize("name", ["os:system", "fourfold.models.mlp:MLPConfig", "../mlp", "", "__class__"])
def test_only_names_of_the_table_become_code(name: str, tables: dict[str, Table]) -> None:
    with pytest.raises(InputError):
        tables["model"].parse({"name": name}, "model")


@pytest.mark.parametrize("value", [None, 3, ["mlp"], {"name": 3}, {"name": None}, {}])
def test_what_is_no_part_is_refused(value: object, tables: dict[str, Table]) -> None:
    with pytest.raises(InputError, match=r"^model"):
        tables["model"].parse(value, "model")


def test_an_export_is_imported_when_it_is_asked_for() -> None:
    assert lazy_exports("p", {"sqrt": "math"}, "sqrt")(9) == 3
    with pytest.raises(AttributeError, match=r"module 'p' has no attribute 'sqr'; did you mean 'sqrt'\?"):
        lazy_exports("p", {"sqrt": "math"}, "sqr")
