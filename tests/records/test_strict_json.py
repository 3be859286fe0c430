"""Strict JSON: non-finite floats survive, and no reader of RFC 8259 is surprised."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourfold.core.errors import InputError
from fourfold.records import strict_json


@given(st.floats())
def test_every_float_survives(value: float):
    encoded = strict_json.encode({"value": value})
    json.loads(encoded, parse_constant=pytest.fail)  # no NaN or Infinity literal
    back = strict_json.number(strict_json.decode(encoded)["value"])
    assert back == value or (math.isnan(back) and math.isnan(value))
    assert math.copysign(1, back) == math.copysign(1, value) or math.isnan(value)


def test_non_finite_floats_are_text_however_deep():
    assert (
        strict_json.encode({"a": [math.nan, {"b": (math.inf, -math.inf)}]}) == b'{"a": ["nan", {"b": ["inf", "-inf"]}]}'
    )


@pytest.mark.promise("R22")
def test_text_stays_readable():
    assert strict_json.encode("한글").decode("utf-8") == '"한글"'


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "", "{", "[" * 100_000, b"\xff"])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the words are Python's
        strict_json.decode(text)


@pytest.mark.parametrize("value", [True, None, "one", [], "Infinity"])
def test_what_is_not_a_number_is_refused(value):
    with pytest.raises(ValueError, match="not a number"):
        strict_json.number(value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"a": NaN}', b"\0" * 100])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "result.json").write_bytes(content)
    with pytest.raises(InputError, match=r"result\.json: damaged") as caught:
        strict_json.read_mapping(tmp_path / "result.json")
    assert "\n" not in str(caught.value)


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(strict_json, "MAX_BYTES", 10)
    (tmp_path / "a.json").write_bytes(b'{"a": "0123456789"}')
    with pytest.raises(InputError, match="larger than 10 bytes"):
        strict_json.read_mapping(tmp_path / "a.json")
