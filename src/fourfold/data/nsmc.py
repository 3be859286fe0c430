"""Korean comments on films, bad or good: 150,000 to train on and 50,000 to test, of at most 140 characters.

Source: L. Park, Naver sentiment movie corpus v1.0, 2015; from Hugging Face's e9t/nsmc, or from a copy of your own.
Licence: CC0 1.0.
Checked by: tiny files in the true form. Not opened here: the true files.
"""

from typing import ClassVar, Literal

from fourfold.data.text.hosted_labels import HostedLabelsConfig


class NSMCConfig(HostedLabelsConfig):
    """Fields of `data: nsmc`."""

    licence: ClassVar[str] = "CC0 1.0"
    origin: ClassVar[str] = "L. Park, Naver sentiment movie corpus, 2015; Hugging Face e9t/nsmc, or a copy of your own"
    repository: ClassVar[str] = "e9t/nsmc"
    revision: ClassVar[str | None] = "refs/convert/parquet"
    columns: ClassVar[tuple[str, ...]] = ("document", "label")
    hosted: ClassVar[tuple[str, ...]] = ("train", "test")
    class_names: ClassVar[tuple[str, ...]] = ("부정", "긍정")

    name: Literal["nsmc"] = "nsmc"
