"""YAML as plain data: what goes out comes back, and nothing else comes in."""

import math
import os
import signal
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourfold.core.document import MAX_BYTES, MAX_DEPTH, parse_yaml, read_yaml, to_yaml
from fourfold.core.errors import InputError

# Everything that a YAML file can hold as text; control characters, lone surrogates and the like it cannot.
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"), exclude_characters="\u2028\u2029\ufeff"), max_size=30
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(["no", "yes", "on", "1e-3", "12:30", "0x1f", "1_000", "~", "null", "", "=", "<<", "2024-01-01"])
)
DATA = st.recursive(SCALARS, lambda child: st.lists(child, max_size=4) | st.dictionaries(TEXT, child, max_size=4))


def refused(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "r.yaml")
    message = str(caught.value)
    assert message.startswith("r.yaml: ")
    assert "\n" not in message
    assert len(message) < 300
    return message


def same(a: Any, b: Any) -> bool:
    """Equal in value and type; -0.0 is not 0.0, and True is not 1."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return type(a) is type(b) and a == b


@given(DATA)
def test_what_is_written_is_read_back(data: Any) -> None:
    assert same(parse_yaml(to_yaml(data), "x"), data)


def test_the_words_of_yaml_1_2() -> None:
    text = "{a: no, b: yes, c: on, d: true, e: 1e-3, f: 12:30, g: 0.5, h: 07, i: 1_000, j: .5, k: -3, l: 2024-01-01}"
    expected = {
        "a": "no", "b": "yes", "c": "on", "d": True, "e": 0.001, "f": "12:30",
        "g": 0.5, "h": 7, "i": "1_000", "j": 0.5, "k": -3, "l": "2024-01-01",
    }  # fmt: skip
    assert same(parse_yaml(text, "x"), expected)


def test_a_value_that_occurs_twice_is_written_twice() -> None:
    shared = [1, 2]
    assert parse_yaml(to_yaml({"a": shared, "b": shared}), "x") == {"a": [1, 2], "b": [1, 2]}


def test_text_of_every_script_stays_readable() -> None:
    assert "한글 이름" in to_yaml({"title": "한글 이름"})


@pytest.mark.promise("R8")
@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['touch pwned']",
        "a: !!python/object/new:subprocess.Popen [[touch, pwned]]",
        "a: !!python/name:os.system",
        "!!python/object/apply:os.mkdir [pwned]",
        "a: !!python/module:os",
        "a: !include /etc/passwd",
        "a: !!binary aGVsbG8=",
        "a: !!set {x, y}",
        "a: !!str 3",
        "a: ! 3",
        "? !!python/tuple [1]\n: 2",
        "%TAG ! tag:yaml.org,2002:python/\n---\na: !name:os.system",
    ],
)
def test_a_tag_is_refused_and_nothing_runs(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused(text)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("R8")
@pytest.mark.parametrize(
    "text", ["a: &x 1\nb: *x", "&x {a: 1}", "a: &x [1]", "a: {<<: *x}", "? &x a\n: 1", "a: *missing"]
)
def test_anchors_and_aliases_are_refused(text: str) -> None:
    assert "anchors and aliases" in refused(text)


@pytest.mark.promise("R8")
def test_an_anchors_bomb_takes_no_memory() -> None:
    lines = ["a0: &a0 [" + ",".join(["x"] * 9) + "]"]
    lines += [f"a{i}: &a{i} [" + ",".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 30)]
    tracemalloc.start()
    refused("\n".join(lines))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.promise("R8")
@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused(opening: str) -> None:
    limit = sys.getrecursionlimit()
    assert "nested deeper" in refused(opening * (MAX_DEPTH + 1))
    refused(opening * 100_000)
    assert sys.getrecursionlimit() == limit


def test_nesting_up_to_the_limit_is_read() -> None:
    inside = MAX_DEPTH - 1
    assert parse_yaml("[" * inside + "1" + "]" * inside, "x") is not None
    assert parse_yaml("\n".join("- [[1]]" for _ in range(3 * MAX_DEPTH)), "x") == [[[1]]] * (3 * MAX_DEPTH)


@pytest.mark.promise("R8")
@pytest.mark.parametrize("text", ["a: 1\na: 2", "{a: 1, 'a': 2}", "x:\n  b: 1\n  b: 1"])
def test_a_repeated_key_is_refused_with_its_line(text: str) -> None:
    assert "stands twice" in refused(text)
    assert "line " in refused(text)


@pytest.mark.promise("R8")
@pytest.mark.parametrize("text", ["1: a", "null: a", "true: a", "[a, b]: 1", "{a: 1}: 2", "? [[a]]\n: 1"])
def test_a_key_is_text(text: str) -> None:
    refused(text)


@pytest.mark.promise("R8")
@pytest.mark.parametrize("number", ["9" * 21, "9" * 5000, "-" + "1" * 900_000])
def test_a_huge_number_is_refused(number: str) -> None:
    refused(f"a: {number}")


@pytest.mark.promise("R8")
@pytest.mark.parametrize("number", ["1e999", "1" * 400 + ".0", "-1e999", "1e99999999999"])
def test_a_number_beyond_a_float_is_refused(number: str) -> None:
    refused(f"a: {number}")


@pytest.mark.promise("R8")
@pytest.mark.parametrize(
    "text", ["a: [1", "a: b: c", "\t- x", "a: 'x", "--- 1\n--- 2", "a: \x00", "@", "%YAML 9.9\n---\na"]
)
def test_what_is_not_yaml_says_so_in_one_line(text: str) -> None:
    refused(text)


@pytest.mark.promise("R8")
@given(st.text(st.sampled_from("[]{}:,-?&*!|>'\"%@`#\n \tab1.~<="), max_size=60))
def test_any_text_is_read_or_refused_and_never_anything_else(text: str) -> None:
    try:
        data = parse_yaml(text, "r.yaml")
    except InputError:
        refused(text)
    else:
        assert same(parse_yaml(to_yaml(data), "x"), data)


@pytest.mark.promise("R8")
def test_too_much_text_is_refused() -> None:
    assert "larger than" in refused("a" * (MAX_BYTES + 1))


@pytest.mark.promise("R8")
def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(50 << 30)  # a hole: it takes no room on the disk
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: pytest.fail("the file was read"))
    with pytest.raises(InputError, match="larger than"):
        read_yaml(path)


@pytest.fixture
def _alarm() -> Iterator[None]:
    """Fail where the test would wait for ever."""
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits for what the pipe may bring"))
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.promise("R8")
@pytest.mark.usefixtures("_alarm")
def test_a_pipe_or_device_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")  # before the devices, for no alarm ends the reading of endless zeros
    for path in (tmp_path / "pipe.yaml", Path("/dev/null"), Path("/dev/zero")):
        if path.exists():
            with pytest.raises(InputError, match="not a file"):
                read_yaml(path)


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"- 1\n- 2\n", "expected 'key: value' lines, found a list"),
        (b"", "expected 'key: value' lines, found nothing"),
        (b"just words", "expected 'key: value' lines, found only 'just words'"),
    ],
)
def test_a_file_that_is_no_mapping_is_named(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "내 recipe.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(f"{path}: {expected}")


@pytest.mark.promise("R9")
def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.yaml: no such file or directory"):
        read_yaml(tmp_path / "missing.yaml")
    with pytest.raises(InputError, match="not a file"):
        read_yaml(tmp_path)
