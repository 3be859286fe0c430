"""Sentences of film reviews and phrases out of them, bad or good: 67,349 to train on, and 872 sentences.

The test split's labels were never published, so papers report on the validation split: it is the test split here, and
validation texts are drawn from training. A phrase is part of a sentence, so these are not independent of the rest.

Source: Socher et al., Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank, EMNLP 2013; as in
Wang et al., GLUE, ICLR 2019, arXiv:1804.07461; from Hugging Face's stanfordnlp/sst2, or from a copy of your own.
Licence: not stated by its makers; for research.
Checked by: tiny files in the true form. Not opened here: the true files.
"""

from typing import ClassVar, Literal

from fourfold.data.text.hosted_labels import HostedLabelsConfig


class SST2Config(HostedLabelsConfig):
    """Fields of `data: sst2`."""

    licence: ClassVar[str] = "not stated by its makers; for research"
    origin: ClassVar[str] = "Socher et al., 2013, as in GLUE; Hugging Face stanfordnlp/sst2, or a copy of your own"
    repository: ClassVar[str] = "stanfordnlp/sst2"
    columns: ClassVar[tuple[str, ...]] = ("sentence", "label")
    hosted: ClassVar[tuple[str, ...]] = ("train", "validation")
    class_names: ClassVar[tuple[str, ...]] = ("negative", "positive")

    name: Literal["sst2"] = "sst2"
