"""What reading before brings where it can bring something, and where it cannot; what it reads; what is passed on."""

import random
from pathlib import Path

import pytest
import torch
from torch import nn

from fourfold.claims import pretrain_finetune as claim
from fourfold.data import DATA
from fourfold.data.text.padded import PaddedSource
from fourfold.data.text.windows import RunningText, WindowsSource
from fourfold.tasks.seam import Order, Source

TOPICS = ("abcdefghijkl", "mnopqrstuvwx")  # words of one letter


def source_of(folder: Path) -> PaddedSource:
    """Return texts of two topics, which have no word in common."""
    draw = random.Random(0)
    rows = ["text,label"]
    for i in range(600):
        rows.append(f"{''.join(draw.choices(TOPICS[i % 2], k=10))},{i % 2}")
    path = folder / "texts.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    fields = {"name": "labelled_text", "path": str(path), "tokenizer": "char", "vocab_size": None, "max_length": 16}
    source = DATA.parse({**fields, "validation": 0.0, "test": 0.3}, "data").build(0, folder)  # type: ignore[attr-defined]
    assert isinstance(source, PaddedSource)
    return source


@pytest.fixture
def begun(monkeypatch):
    """Make the networks small, and nothing of one test meet another."""
    monkeypatch.setattr(claim, "MODEL", {"name": "lstm", "width": 24, "reads": "mean"})
    monkeypatch.setitem(claim.READING, "quick", 300)
    monkeypatch.setitem(claim.SORTING, "quick", 30)
    claim.read_before.cache_clear()
    yield monkeypatch
    claim.read_before.cache_clear()


def test_who_has_read_which_words_stand_together_needs_fewer_labels(begun, tmp_path: Path):
    source = source_of(tmp_path)
    begun.setattr(claim, "articles", lambda seed, size: source)
    read, scratch = (claim.score(f"{begins}, 4 labels", 2, "quick") for begins in ("pre-trained", "from scratch"))
    assert read > 0.97
    assert scratch < 0.7


def test_reading_words_in_no_order_brings_nothing(begun, tmp_path: Path):
    source = source_of(tmp_path)
    text = claim.running(source)
    assert isinstance(text, WindowsSource)
    tokens = text._texts["train"].tokens
    mixed = RunningText(tokens[torch.randperm(len(tokens), generator=torch.Generator().manual_seed(0))])
    begun.setattr(claim, "articles", lambda seed, size: source)
    begun.setattr(claim, "running", lambda source: WindowsSource(text.spec, {"train": mixed}))
    assert claim.score("pre-trained, 4 labels", 2, "quick") < 0.7


def test_the_topics_are_not_told_to_who_reads(begun, tmp_path: Path):
    source = source_of(tmp_path)
    text = claim.running(source)
    batch = next(iter(text.train(Order(0, 4))))
    assert batch.inputs[0].shape == (4, claim.WINDOW)
    lengths = torch.cat([each.inputs[1] for each in source.split("train", 1000)])
    counted = text.spec.token_counts  # type: ignore[attr-defined]
    assert sum(counted) == int(lengths.sum())  # all the training tokens, no padding, and none of the test
    assert counted[0] == 0


def test_all_but_the_output_is_passed_on(begun, tmp_path: Path):
    source = source_of(tmp_path)
    begun.setattr(claim, "articles", lambda seed, size: source)

    def moved(model: nn.Module, source: Source, *rest: object) -> nn.Module:
        for parameter in model.parameters() if isinstance(source, WindowsSource) else ():
            parameter.data += 1
        return model

    begun.setattr(claim, "trained", moved)
    seen = []
    begun.setattr(claim, "sorted_rightly", lambda model, source: seen.append((model, source)) or 0.0)
    before = claim.read_before(0, "quick")
    for begins in ("pre-trained", "from scratch"):
        claim.score(f"{begins}, 7 labels", 0, "quick")
    (read, few), (scratch, same) = seen
    assert few.sizes["train"] == same.sizes["train"] == 7
    assert all(
        torch.equal(value, before[name]) for name, value in read.state_dict().items() if not name.startswith("head")
    )
    head = [name for name in read.state_dict() if name.startswith("head")]
    assert all(torch.equal(read.state_dict()[name], scratch.state_dict()[name]) for name in head)
    assert torch.allclose(read.embedding.weight, scratch.embedding.weight + 1)


def test_the_labelled_are_some_of_the_training_texts_other_ones_at_other_seeds(tmp_path: Path):
    source = source_of(tmp_path)
    first, second = (claim.labelled(source, 20, seed) for seed in (0, 1))
    assert len(set(first.tolist())) == 20
    assert int(first.max()) < source.sizes["train"]
    assert first.tolist() != second.tolist()
    assert first.tolist() == claim.labelled(source, 50, 0)[:20].tolist()
