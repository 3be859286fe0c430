"""docs/promises.md names every test that carries a promise's number, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parent / "docs" / "promises.md"


def numbers(marks: list[ast.expr]) -> Iterator[str]:
    for mark in marks:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.promise":
            yield ast.literal_eval(mark.args[0])


def promised() -> set[tuple[str, str, str]]:
    """Every (number, file, test) in the code."""
    found = set()
    for path in TESTS.rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        whole_file = [
            number
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
            for number in numbers(node.value.elts if isinstance(node.value, ast.List) else [node.value])
        ]
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                name = str(path.relative_to(TESTS.parent))
                found |= {(number, name, node.name) for number in [*numbers(node.decorator_list), *whole_file]}
    return found


def listed() -> set[tuple[str, str, str]]:
    """Every (number, file, test) in the document."""
    found = set()
    for section in DOCUMENT.read_text(encoding="utf-8").split("\n## ")[1:]:
        number = section.split(".")[0]
        for path, names in re.findall(r"^- `(\S+)`: (.*)$", section, re.MULTILINE):
            found |= {(number, path, name) for name in re.findall(r"`(\w+)`", names)}
    return found


def test_every_test_that_is_named_exists_and_carries_the_number() -> None:
    assert listed() - promised() == set()


def test_every_test_that_carries_a_number_is_named() -> None:
    assert promised() - listed() == set()
