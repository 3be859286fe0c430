"""News of the BBC sorted by topic from 50 and from 200 labels, by an LSTM that has read other news before or has not.

Before, that is as a language model: it predicts each next piece of a word in the 1,487 articles of the training split,
whose topics it is not told. Its embedding and its recurrent layer are then where the classifier begins; only the output
is drawn anew. The other classifier begins with all weights as drawn. From there on both have the same labelled
articles, the same order, as many steps of one size, and the same tokens, which are learnt from all the training
articles. Both judge an article by the mean of their states.

Reading costs many times what it saves: 900 steps of 1,024 tokens, each with scores of 4,096 pieces, before 150 steps of
ten articles. The quick size is few steps on the beginnings of one split's articles, and may say otherwise.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.in_process import trained
from fourfold.claims.rules import all_of, greater
from fourfold.core.seeds import stream_seed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fourfold.data.text.padded import PaddedSource
    from fourfold.tasks.seam import Source

LABELS = (50, 200)
MODEL: dict[str, Any] = {"name": "lstm", "width": 128, "reads": "mean"}
WINDOW = 64  # tokens that the language model reads at once
READING = {"quick": 4, "full": 900}  # steps of 16 windows
SORTING = {"quick": 4, "full": 150}  # steps of 10 articles


def score(arm: str, seed: int, size: Name) -> float:
    """Return the share of the test articles that are sorted rightly."""
    from fourfold.models import MODELS
    from fourfold.models.weights import put_weights
    from fourfold.run.build import build_model

    begins, _, labels = arm.partition(", ")
    source = articles(seed, size)
    few = source.resampled(labelled(source, int(labels.split()[0]), seed))
    config: Any = MODELS.parse(MODEL, "model")
    model = build_model(config, source.spec, seed)
    if begins == "pre-trained":
        put_weights(model, config, read_before(seed, size), source.spec.num_outputs, Path("the language model"))
    return sorted_rightly(trained(model, few, seed, SORTING[size], 10, 0.002), few)


def articles(seed: int, size: Name) -> "PaddedSource":
    """Return all articles, three in ten for the test, their beginnings of 256 tokens; the quick size has less."""
    return _articles(seed, 256, 0.3) if size == "full" else _articles(0, 64, 0.1)


@lru_cache(maxsize=1)
def _articles(seed: int, max_length: int, test: float) -> "PaddedSource":
    from fourfold.data import DATA
    from fourfold.run.build import data_cache

    fields = {"name": "bbc", "lowercase": True, "vocab_size": 4096, "max_length": max_length}
    config: Any = DATA.parse({**fields, "split_seed": None, "validation": 0.0, "test": test}, "data")
    return config.build(seed, data_cache())


@lru_cache(maxsize=1)
def read_before(seed: int, size: Name) -> "dict[str, Tensor]":
    """Return the weights of a language model that has read the training articles, one behind the other."""
    from fourfold.models import MODELS
    from fourfold.run.build import build_model

    source = running(articles(seed, size))
    model = build_model(MODELS.parse(MODEL, "model"), source.spec, seed)
    return trained(model, source, seed, READING[size], 16, 0.004).state_dict()


def running(source: "PaddedSource") -> "Source":
    """Return the training texts of a source as running text, without their labels."""
    import torch

    from fourfold.data.text.windows import RunningText, WindowsSource
    from fourfold.tasks.inputs import Tokens
    from fourfold.tasks.language_modelling import LanguageModellingSpec

    rows = [
        row[:length]
        for batch in source.split("train", 1024)
        for row, length in zip(batch.inputs[0], batch.inputs[1].tolist(), strict=True)
    ]
    assert isinstance(source.spec.input, Tokens)
    assert source.encoding is not None
    text = RunningText(torch.cat(rows))
    counts = torch.bincount(text.tokens, minlength=source.spec.input.vocab_size)
    tokens = Tokens(len(counts), WINDOW, 1)
    spec = LanguageModellingSpec(tokens, source.encoding.to_mapping()["tokenizer"], tuple(counts.tolist()))
    return WindowsSource(spec, {"train": text})


def labelled(source: "PaddedSource", count: int, seed: int) -> "Tensor":
    """Return which of the training articles have labels, int64 `[count]`: the first of a permutation."""
    import torch

    draw = torch.Generator().manual_seed(stream_seed(seed, "sample"))
    return torch.randperm(source.sizes["train"], generator=draw)[:count]


def sorted_rightly(model: "nn.Module", source: "Source") -> float:
    """Return the share of a source's test articles whose class is the likeliest."""
    import torch

    with torch.inference_mode():
        hits = torch.cat([model(*each.inputs).argmax(1) == each.targets for each in source.split("test", 64)])
    return float(hits.double().mean())


CLAIM = ComputedClaim(
    id="pretrain-finetune",
    says="On few labels a network that has learnt from texts without labels before is better than one from scratch.",
    source="A. Dai and Q. Le, Semi-supervised sequence learning, NeurIPS 2015, arXiv:1511.01432, section 4 (LM-LSTM); "
    "on few labels J. Howard and S. Ruder, Universal language model fine-tuning for text classification, ACL 2018, "
    "arXiv:1801.06146, section 5 and Fig. 3; with a Transformer, J. Devlin et al., BERT, NAACL 2019, arXiv:1810.04805",
    arms={
        f"{begins}, {labels} labels": f"{what} on {labels} articles with their topics"
        for labels in LABELS
        for begins, what in {
            "pre-trained": "900 steps of reading 1,024 tokens, and then 150 steps of 10",
            "from scratch": "150 steps of 10",
        }.items()
    },
    measured="share of the test articles whose topic is right",
    score=score,
    rule=all_of(
        *(greater(f"pre-trained, {labels} labels", f"from scratch, {labels} labels", by=0.02) for labels in LABELS)
    ),
    quick=Size(seeds=7),
    full=Size(seeds=8),
    likely_reason="two passes over 1,487 articles are very little reading: the states then tell which piece of a word "
    "comes next and hardly what an article is about, and 150 steps of one size move settled weights less than "
    "weights as drawn; the sources read thousands of times as much, and chose each network's step size",
    scaled_from="reviews, news and encyclopaedias of 20 to 100 million words to read before, LSTMs of 512 numbers and "
    "more, and from 100 labels up",
)
