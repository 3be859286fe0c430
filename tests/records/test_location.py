"""Where runs and their index are."""

from pathlib import Path

import pytest

from fourfold.core.errors import InputError
from fourfold.records import location
from fourfold.records.location import database_address, workspace_path


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


def test_the_workspace_is_the_one_given_else_the_environment_s_else_runs(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("FOURFOLD_WORKSPACE", str(tmp_path))
    assert (workspace_path("a"), workspace_path(Path("a")), workspace_path(None)) == (Path("a"), Path("a"), tmp_path)
    for unset in ("", None):
        monkeypatch.delenv("FOURFOLD_WORKSPACE") if unset is None else monkeypatch.setenv("FOURFOLD_WORKSPACE", unset)
        assert workspace_path(None) == Path("runs")


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
    with pytest.raises(InputError, match=r'pip install -e "\.\[pg\]" in your clone of Fourfold'):
        database_address()


def test_a_bad_address_is_refused_before_a_run_folder_is_made(make, workspace, monkeypatch):
    monkeypatch.setenv("FOURFOLD_DB", "mysql://host/db")
    with pytest.raises(InputError, match="FOURFOLD_DB"):
        make()
    assert not workspace.exists()
