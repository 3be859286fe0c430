"""LibreOffice's help pages, English into Korean, French or German: some 14,000, 26,000 or 27,000 pairs.

The pages are the same in every language: the same files, and in them the same numbers of headings and paragraphs. Where
a page has no translation the English stands there; such pairs are left out, and Korean ones without a Hangul letter.
Kept are pairs whose English has 3 to 40 words, and of those with the same English, but for capitals, the first. A page
is in one split only, for its paragraphs resemble each other; the splits are of pages that are drawn, and no English
text is in two.

              aligned   translated   of 3-40 words   distinct   distinct in English
    Korean     61,585       27,819          17,591     14,117                13,932
    French     61,587       51,078          33,339     26,100                25,688
    German     61,587       53,105          34,789     27,345                26,858

Many Korean pages are translated in part; some paragraphs are half English. That is left as it is.

Source: The Document Foundation, LibreOffice 7.4, the Debian packages libreoffice-help-en-us, -ko, -fr and -de.
Licence: MPL-2.0.
Checked by: SHA-256 of what is taken out of the pages, language by language; tiny pages of the true form; the counts.
"""

import html
import json
import re
import shutil
from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field

from fourfold.data.base import SplitDataConfig
from fourfold.data.cache import CachedFile, ensure
from fourfold.data.notes import split_note
from fourfold.data.registries import debian_folder
from fourfold.data.text.padded import PaddedSource
from fourfold.data.text.translated import TranslationFields, translated_texts

ENGLISH = "en-US"
SHORTEST, LONGEST = 3, 40  # words of the English
ELEMENT = re.compile(r'<(p|h[1-6])\b[^>]*?\bid="((?:par|hd)_[^"]+)"[^>]*>(.*?)</\1>', re.DOTALL)
HANGUL = re.compile("[가-힣]")

Pages = dict[str, dict[str, str]]  # file -> id of a heading or paragraph -> its text


class LibreOfficeHelpConfig(TranslationFields, SplitDataConfig):
    """Fields of `data: libreoffice_help`."""

    licence: ClassVar[str] = "MPL-2.0"
    origin: ClassVar[str] = "The Document Foundation, LibreOffice 7.4; Debian libreoffice-help-en-us, -ko, -fr, -de"
    client: ClassVar[str] = "apt-get"
    fetched_files: ClassVar[tuple[str, ...]] = (f"{ENGLISH}.json", "ko.json")
    digests: ClassVar[dict[str, str]] = {
        f"{ENGLISH}.json": "cf1b94a0983f3522667b76d0a7908c4789995b4af8e48b34c77a9b9c41f4b28f",
        "ko.json": "4f98c86ae47956a92b2ebfbbed8fdd0cfa7c998c62ad5f9f1ae7cb870a5fa1fc",
        "fr.json": "1e2211a05ae28513080152d298d7a8c7bf0342245c115f4f8a7b994eb1e6cb35",
        "de.json": "24c9ffe2b72991550eb289e52053cc108644edef6a6a15a2ea38f7db656a4f2b",
    }

    name: Literal["libreoffice_help"] = "libreoffice_help"
    target_language: Literal["ko", "fr", "de"] = Field(default="ko", description="Korean, French or German")
    validation: float = Field(default=0.05, ge=0, lt=1, description="share of the pages that steers training")
    test: float = Field(default=0.05, ge=0, lt=1, description="share of the pages that is kept for the end")

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read, align, split and tokenise the pages, fetching them where they are missing or damaged."""
        folder = cache / self.name
        names = [f"{ENGLISH}.json", f"{self.target_language}.json"]
        notes = []
        for name in names:  # one by one: another language does not fetch English again
            if ensure(folder, [CachedFile(name, self.digests[name])], lambda into, name=name: _fetch(name, into)):
                notes.append(f"{name} fetched into {folder}")
        english, other = (json.loads((folder / name).read_text(encoding="utf-8")) for name in names)
        pairs, pages = align(english, other, self.target_language, notes)
        splits = self.fewer(self.splits(len(pairs), None, seed, torch.tensor(pages)), self.seed_of_split(seed), notes)
        notes.append(split_note(splits, f"{self.drawn(seed, in_proportion=False)}, pages kept whole"))
        return translated_texts(self, pairs, ("en", self.target_language), splits, cache, notes)


def align(english: Pages, other: Pages, language: str, notes: list[str]) -> tuple[list[tuple[str, str]], list[int]]:
    """Return pairs of texts, and the number of the page that each stands on."""
    pairs: list[tuple[str, str]] = []
    pages: list[int] = []
    seen: set[str] = set()
    aligned = untranslated = too_long = repeated = 0
    for page, (file, texts) in enumerate(sorted(english.items())):
        theirs = other.get(file, {})
        for element, text in texts.items():
            translation = theirs.get(element)
            if translation is None:
                continue
            aligned += 1
            if text.casefold() == translation.casefold() or (language == "ko" and not HANGUL.search(translation)):
                untranslated += 1
            elif not SHORTEST <= len(text.split()) <= LONGEST:
                too_long += 1
            elif text.casefold() in seen:
                repeated += 1
            else:
                seen.add(text.casefold())
                pairs.append((text, translation))
                pages.append(page)
    notes.append(
        f"{aligned:,} aligned headings and paragraphs; left out: {untranslated:,} not translated, {too_long:,} of "
        f"fewer than {SHORTEST} or more than {LONGEST} words, {repeated:,} with the same English as another; "
        f"{len(pairs):,} kept"
    )
    return pairs, pages


def texts_of_page(page: str) -> dict[str, str]:
    """Return a page's headings and paragraphs by their ids, without tags; of one id the first, and no empty one."""
    found: dict[str, str] = {}
    for _, element, body in ELEMENT.findall(page):
        text = html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<br\s*/?>", " ", body)))
        if (text := " ".join(text.split())) and element not in found:
            found[element] = text
    return found


def _fetch(name: str, into: Path) -> None:
    """Put the texts of all pages of a language into one file."""
    language = name.removesuffix(".json")
    unpacked = debian_folder(f"libreoffice-help-{language.lower()}", into)
    root = unpacked / "usr/share/libreoffice/help" / language / "text"
    pages = {
        path.relative_to(root).as_posix(): texts_of_page(path.read_text(encoding="utf-8"))
        for path in sorted(root.rglob("*.html"))
    }
    shutil.rmtree(unpacked)
    content = json.dumps(pages, ensure_ascii=False, indent=0, sort_keys=True)
    (into / name).write_text(content, encoding="utf-8", newline="\n")
