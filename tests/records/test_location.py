"""Where the index is."""

from pathlib import Path

import pytest

from fourfold.core.errors import InputError
from fourfold.records import location
from fourfold.records.location import database_address, path_to_text, text_to_path


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("", None),
        (" ", None),
        ("sqlite:////a/b.db", "sqlite:////a/b.db"),
        ("postgresql+psycopg://u@h/n", "postgresql+psycopg://u@h/n"),
        ("postgresql://u@h/n", "postgresql+psycopg://u@h/n"),
        ("postgres://u@h/n", "postgresql+psycopg://u@h/n"),
    ],
)
def test_addresses(monkeypatch, given: str, meant: str | None):
    monkeypatch.setenv("FOURFOLD_DB", given)
    assert database_address() == meant


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    "given", ["mysql://me:s3cret@host/db", "postgres+psycopg://me:s3cret@host/db", "me:s3cret@host"]
)
def test_other_addresses_are_refused_without_repeating_the_password(monkeypatch, given: str):
    monkeypatch.setenv("FOURFOLD_DB", given)
    with pytest.raises(InputError, match="FOURFOLD_DB: expected postgresql") as caught:
        database_address()
    assert "s3cret" not in str(caught.value)


def test_a_missing_driver_says_what_to_install(monkeypatch):
    monkeypatch.setenv("FOURFOLD_DB", "postgresql://u@h/n")
    monkeypatch.setattr(location, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "fourfold\[pg\]"'):
        database_address()


def test_a_folder_has_one_text(tmp_path: Path, monkeypatch):
    (tmp_path / "실험 1").mkdir()
    (tmp_path / "link").symlink_to("실험 1")
    monkeypatch.chdir(tmp_path / "실험 1")
    texts = {
        path_to_text(p) for p in (Path("a"), Path("../실험 1/a"), tmp_path / "실험 1" / "a", tmp_path / "link" / "a")
    }
    assert texts == {str(tmp_path.resolve() / "실험 1" / "a")}
    assert text_to_path(texts.pop()) == tmp_path.resolve() / "실험 1" / "a"
