"""What CIFAR-10 and CIFAR-100 share: 50,000 + 10,000 colour pictures of 32x32, in the binary version of their makers.

    label bytes | 1,024 red | 1,024 green | 1,024 blue, row after row; the next picture

The Python version of the same sets is made of pickles, which can run anything, and is never opened.
"""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from fourfold.core.errors import InputError
from fourfold.data.cache import CachedFile, ensure, unsound
from fourfold.data.download import download, unpack
from fourfold.data.fixed_pictures import FixedPicturesConfig
from fourfold.data.in_memory import InMemorySource
from fourfold.data.labelled_pictures import Labelled

SIDE = 32


class CifarLikeConfig(FixedPicturesConfig):
    """The fields of both sets.

    Attributes:
        url: of the archive.
        inside: the folder in it.
        digests: SHA-256 of each file, by name; the test split's is the last.
        label_bytes: before each picture; the last one is the class.
    """

    client: ClassVar[str] = ""
    url: ClassVar[str]
    inside: ClassVar[str]
    digests: ClassVar[dict[str, str]]
    label_bytes: ClassVar[int]

    name: str
    source: Literal["host"] = Field(default="host", description="host: from its makers' site, 170 MB, once")
    path: str | None = Field(
        default=None, description="a copy of your own: the archive of the binary version, or the folder it unpacks to"
    )

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Read the files from the cache, fetching them where they are missing or damaged, or from a copy."""
        notes: list[str] = []
        folder = self._folder(cache, notes)
        *train, test = (self._read(folder / name) for name in self.digests)
        images, labels = (torch.cat(parts) for parts in zip(*train, strict=True))
        return self.source_of(Labelled(images, labels), test, seed, notes)

    def _folder(self, cache: Path, notes: list[str]) -> Path:
        """Return a folder that holds every file as its makers made it."""
        files = [CachedFile(name, digest) for name, digest in self.digests.items()]
        folder = cache / self.name
        if self.path is None:
            notes += [f"fetched into {folder}"] if ensure(folder, files, self._fetch) else []
            return folder
        path = Path(self.path).expanduser()
        if path.is_file():
            notes += [f"unpacked into {folder}"] if ensure(folder, files, lambda into: self._unpack(path, into)) else []
            return folder
        if not path.is_dir():
            raise InputError(f"{path}: no such file or folder; the binary version of {self.name} is needed")
        folder = path / self.inside if (path / self.inside).is_dir() else path
        if wrong := unsound(folder, files):
            problem = "is not as its makers made it (SHA-256 differs)" if (folder / wrong[0]).is_file() else "not there"
            raise InputError(f"{folder / wrong[0]}: {problem}; the binary version of {self.name} is needed")
        return folder

    def _fetch(self, into: Path) -> None:
        archive = into / self.url.rsplit("/", 1)[-1]
        download(self.url, archive)
        self._unpack(archive, into)

    def _unpack(self, archive: Path, into: Path) -> None:
        unpack(archive, {f"{self.inside}/{name}": name for name in self.digests}, into)

    def _read(self, file: Path) -> Labelled:
        data = np.frombuffer(file.read_bytes(), np.uint8)
        size = self.label_bytes + 3 * SIDE * SIDE
        if len(data) == 0 or len(data) % size:
            raise InputError(f"{file}: {len(data):,} bytes, which is no whole number of pictures of {size:,}")
        rows = data.reshape(-1, size)
        labels = torch.from_numpy(rows[:, self.label_bytes - 1].astype(np.int64))
        if int(labels.max()) >= len(self.class_names):
            raise InputError(f"{file}: class {int(labels.max())}, where there are {len(self.class_names)}")
        images = rows[:, self.label_bytes :].reshape(-1, 3, SIDE, SIDE)
        return Labelled(torch.from_numpy(images.copy()), labels)
