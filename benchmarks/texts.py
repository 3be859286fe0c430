"""Networks for sequences beside torch's own, and what batches of like lengths are worth; part of language.py."""

import random
import statistics
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from tables import between, spread, table
from torch import Tensor, nn
from torch.nn import functional as F
from turns import interleaved, our_training, rows_of

from fourfold.algorithms.optimizers import Adam
from fourfold.data import DATA
from fourfold.models import MODELS
from fourfold.nn.positions import sinusoids
from fourfold.run.build import data_cache
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Batch, Order
from fourfold.tasks.translation import TranslationSpec

LETTERS = "abcdefghijklmnopqrstuvwxyz ,.\n"


def recurrent(rounds: int, threads: int, quick: bool, clock: str) -> str:
    """Return the table of training steps of language models of characters, against torch.nn's layers in a raw loop."""
    width, embedding, length, batch = (16, 8, 16, 4) if quick else (256, 64, 128, 32)
    text = "".join(random.Random(0).choices(LETTERS, k=200_000))
    tokens = torch.tensor([LETTERS.index(letter) for letter in text])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "text.txt"
        file.write_text(text, encoding="utf-8")
        for cell in ("rnn", "lstm", "gru"):
            parts: dict[str, Any] = {
                "data": {"name": "text", "path": str(file), "length": length},
                "model": {"name": cell, "width": width, "layers": 2, "embedding": embedding},
                "loss": "cross_entropy",
                "algorithm": {
                    "name": "supervised",
                    "optimizer": {"name": "adam", "lr": 1e-3},
                    "regularizers": [{"name": "gradient_clipping", "max_norm": 1.0}],
                },
                "budget": {"steps": 10**6, "batch_size": batch},
                "runtime": {"device": "cpu", "threads": threads},
            }
            ways = {
                "raw": raw_recurrent(cell, tokens, width, embedding, length, batch),
                "**Fourfold**": our_training(parts).step,
                "fp32": our_training({**parts, "runtime": {**parts["runtime"], "precision": "fp32"}}).step,
            }
            seconds = interleaved(ways, rounds, 2 if quick else 3, clock)
            speeds = [f"{batch * length / statistics.median(seconds[way]):,.0f}" for way in ("raw", "**Fourfold**")]
            raw, *own = seconds.values()
            ratios = [spread([a / b for a, b in zip(raw, found, strict=True)], 2) for found in own]
            rows.append([f"`{cell}`", *speeds, *ratios])
    note = (
        f"2 layers of {width}, {batch} rows of {length} characters a step, {threads} threads; median (quartiles) of "
        f"{rounds} rounds. The raw loop has torch.nn's layers and torch.optim's Adam, and clips the gradient too."
    )
    columns = ["network", "raw loop, tokens a second", "**Fourfold**", "throughput, raw = 1", "the same in fp32"]
    return f"### Training recurrent networks\n\n{note}\n\n{table(columns, rows)}"


def raw_recurrent(
    cell: str, tokens: Tensor, width: int, embedding: int, length: int, batch: int
) -> Callable[[], object]:
    kind = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
    table_, layers = nn.Embedding(len(LETTERS), embedding), kind(embedding, width, 2, batch_first=True)
    head = nn.Linear(width, len(LETTERS))
    parameters = [*table_.parameters(), *layers.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-3)

    def step() -> None:
        starts = torch.randint(len(tokens) - length, (batch,)).tolist()
        inputs = torch.stack([tokens[i : i + length] for i in starts])
        targets = torch.stack([tokens[i + 1 : i + 1 + length] for i in starts])
        optimizer.zero_grad(set_to_none=True)
        scores = head(layers(table_(inputs))[0])
        F.cross_entropy(scores.flatten(0, 1), targets.flatten()).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return step


def lengths(rounds: int, threads: int, quick: bool, clock: str) -> str:
    """Return the table of a BERT that learns from reviews of films, in batches padded in three ways."""
    longest, batch = (32, 4) if quick else (512, 16)
    data: Any = DATA.parse({"name": "reviews", "vocab_size": 4000, "max_length": longest}, "data")
    source = data.build(0, data_cache())
    layers = 2 if quick else 4
    model: Any = MODELS.parse({"name": "bert", "layers": layers, "width": 128, "heads": 2}, "model")
    network = model.build(source.spec)
    optimizer = Adam(network.parameters(), lr=1e-4)
    singles = list(islice(source.train(Order(seed=0, batch_size=1)), 64 if quick else 1024))  # nearly random in order

    def random_batches(pad_to: int | None) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(0)
        while True:
            chosen = [singles[i] for i in torch.randperm(len(singles), generator=generator)[:batch].tolist()]
            width = pad_to or max(one.inputs[0].shape[1] for one in chosen)
            tokens = torch.cat([F.pad(one.inputs[0], (0, width - one.inputs[0].shape[1])) for one in chosen])
            targets = torch.cat([one.targets for one in chosen])
            yield Batch((tokens, torch.cat([one.inputs[1] for one in chosen])), targets)

    def learn_from(batches: Iterator[Batch]) -> Callable[[], object]:
        def step() -> None:
            taken = next(batches)
            optimizer.zero_grad()
            F.cross_entropy(network(*taken.inputs), taken.targets).backward()
            optimizer.step()

        return step

    ways = {
        f"random batches, padded to {longest}": learn_from(random_batches(longest)),
        "random batches, padded to the longest of each": learn_from(random_batches(None)),
        "**Fourfold**, batches of like lengths": learn_from(iter(source.train(Order(seed=0, batch_size=batch)))),
    }
    seconds = interleaved(ways, rounds, 2 if quick else 6, clock)
    whole = next(iter(seconds.values()))
    cut = statistics.fmean(int(one.inputs[1]) == longest for one in singles)
    rows = [
        [
            name,
            between(batch / statistics.fmean(found), [batch / each for each in found], 1),
            between(
                statistics.fmean(whole) / statistics.fmean(found),
                [a / b for a, b in zip(whole, found, strict=True)],
                2,
            ),
        ]
        for name, found in seconds.items()
    ]
    note = (
        f"BERT of {layers} layers, 128 wide, on IMDB's reviews of up to {longest} tokens ({cut:.0%} are longer and "
        f"cut), {batch} a step, {threads} threads; one network and one optimizer. Speeds are by the mean time of "
        f"{rounds} rounds, for batches differ; in brackets the quartiles of single rounds."
    )
    columns = ["batches", "reviews a second", "times as fast"]
    return f"### Texts of unlike lengths\n\n{note}\n\n{table(columns, rows)}"


def translation(rounds: int, threads: int, quick: bool, clock: str) -> str:
    """Return the table of a Transformer's training step, against torch.nn.Transformer of the same sizes."""
    layers, width, heads, hidden, vocab, batch = (1, 16, 2, 32, 50, 4) if quick else (2, 128, 4, 512, 4000, 32)
    generator = torch.Generator().manual_seed(0)
    lengths_ = torch.randint(10, 41, (batch,), generator=generator)
    source = torch.randint(1, vocab, (batch, 40), generator=generator)
    source = source.masked_fill(torch.arange(40) >= lengths_[:, None], 0)
    target = torch.randint(1, vocab, (batch, 41), generator=generator)
    spec = TranslationSpec(Tokens(vocab, 40, 1), Tokens(vocab, 40, 1), tokenizer="", languages=("en", "ko"))
    config = {"name": "transformer", "layers": layers, "width": width, "heads": heads, "hidden": hidden}
    model: Any = MODELS.parse(config, "model")
    ours = model.build(spec)
    theirs = TorchTransformer(vocab, layers, width, heads, hidden)

    def learn(forward: Callable[[], Tensor], network: nn.Module) -> Callable[[], object]:
        optimizer = Adam(network.parameters(), lr=1e-4)

        def step() -> None:
            optimizer.zero_grad()
            F.cross_entropy(forward().flatten(0, 1), target[:, 1:].flatten(), label_smoothing=0.1).backward()
            optimizer.step()

        return step

    inputs = target[:, :-1].contiguous()
    ways = {
        "torch.nn.Transformer": learn(lambda: theirs(source, inputs), theirs),
        "**Fourfold**": learn(lambda: ours(source, lengths_, inputs), ours),
    }
    seconds = interleaved(ways, rounds, 2 if quick else 5, clock)
    rows = rows_of(seconds, batch * 40)
    note = (
        f"{layers} layers each way, {width} wide, {vocab:,} tokens, {batch} pairs a step, translations of 40 tokens, "
        f"{threads} threads; median (quartiles) of {rounds} rounds. Same loss and optimizer."
    )
    columns = ["network", "tokens translated a second", "times as fast"]
    return f"### Training a translator\n\n{note}\n\n{table(columns, rows)}"


class TorchTransformer(nn.Module):
    def __init__(self, vocab: int, layers: int, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.scale = width**0.5
        self.tokens = nn.Embedding(vocab, width)
        self.layers = nn.Transformer(width, heads, layers, layers, hidden, batch_first=True)
        self.dropout = nn.Dropout(0.1)
        self.register_buffer("positions", sinusoids(64, width))

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        states = self.layers(
            self.placed(source),
            self.placed(target),
            tgt_mask=nn.Transformer.generate_square_subsequent_mask(target.shape[1]),
            src_key_padding_mask=source == 0,
            memory_key_padding_mask=source == 0,
            tgt_is_causal=True,
        )
        return F.linear(states, self.tokens.weight)

    def placed(self, tokens: Tensor) -> Tensor:
        return self.dropout(self.tokens(tokens) * self.scale + self.positions[: tokens.shape[1]])
