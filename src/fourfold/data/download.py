"""Fetching an archive from its makers' host, and taking files out of archives; nothing in them is ever run.

Checked by: a server that a test starts; archives that name files outside.
"""

import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from fourfold.core.errors import InputError

SECONDS = 60  # without a byte


def download(url: str, file: Path) -> None:
    """Fetch `url` into a file; who calls checks what came.

    Raises:
        InputError: the host cannot be reached, or breaks off; it says what else can be done.
    """
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer, file.open("wb") as target:
            shutil.copyfileobj(answer, target)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        elsewhere = f"fetch it elsewhere and say where it is, data.path=/…/{file.name}"
        raise InputError(f"{url}: could not be fetched ({reason}); check the network, or {elsewhere}") from None


def unpack(archive: Path, members: Mapping[str, str], into: Path) -> None:
    """Take files out of a .tar or .tar.gz.

    Args:
        archive: the file.
        members: path inside -> file name in `into`.
        into: an existing folder.

    Raises:
        InputError: not such an archive, or a file is not in it.
    """
    left = dict(members)
    try:
        with tarfile.open(archive) as tar:
            for member in tar:  # in the order of the archive: to go back in it is to unzip it again
                name = left.pop(member.name.removeprefix("./"), None) if member.isfile() else None
                file = tar.extractfile(member) if name else None
                if file is not None and name:
                    with file, (into / name).open("wb") as target:
                        shutil.copyfileobj(file, target)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(f"{archive}: {str(error).splitlines()[0] if str(error) else 'damaged'}") from None
    if left:
        raise InputError(f"{archive}: {next(iter(left))} is not in it")
