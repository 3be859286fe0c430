"""A block of a Transformer beside an LSTM of as many weights, by the length of the text; part of language.py.

Each step is of as many tokens, in fewer rows where they are longer. A block takes the same products for a token at
every length, and besides them the scores of attention, which grow with it. An LSTM takes as many at every length, but
one step after another.
"""

import statistics
from collections.abc import Callable

import torch
from tables import spread, table
from torch import Tensor, nn
from turns import interleaved

from fourfold.algorithms.optimizers import Adam
from fourfold.models.gpt import Block
from fourfold.nn.recurrent_cells import run_layers

LENGTHS = {"quick": (8, 16), "full": (32, 128, 512, 2048)}


def attention(rounds: int, threads: int, quick: bool, clock: str) -> str:
    """Return the table of training steps of the two, by length, in float32."""
    lengths = LENGTHS["quick" if quick else "full"]
    width, heads, state, tokens = (16, 2, 21, 32) if quick else (256, 4, 334, 4096)
    block = Block(width, heads, 0.0, "pre")
    lstm = nn.LSTM(width, state, batch_first=True)
    ways: dict[str, Callable[[], object]] = {}
    for length in lengths:
        words = torch.randn(tokens // length, length, width, generator=torch.Generator().manual_seed(0))
        ways[f"block {length}"] = learn(block, block, words)
        ways[f"lstm {length}"] = learn(lambda x: run_layers(lstm, x)[0], lstm, words)
    seconds = interleaved(ways, rounds, 1 if quick else 2, clock)
    rows = []
    for length in lengths:
        own = {name: seconds[f"{name} {length}"] for name in ("block", "lstm")}
        speeds = [f"{tokens / statistics.median(found):,.0f}" for found in own.values()]
        falls = [ratios(seconds[f"{name} {lengths[0]}"], found) for name, found in own.items()]
        rows.append([str(length), str(tokens // length), *speeds, ratios(own["lstm"], own["block"]), *falls])
    weights = [sum(param.numel() for param in layer.parameters()) for layer in (block, lstm)]
    note = (
        f"One layer each, {width} numbers a token: GPT's block of causal attention in {heads} heads and its "
        f"feed-forward, {weights[0]:,} weights, and an LSTM of {state} numbers, {weights[1]:,}. Forward, backward (to "
        f"the inputs too) and Adam, {tokens:,} tokens a step in rows of one length, fp32, {threads} threads; medians "
        f"(quartiles) of {rounds} rounds. No embedding, and no scores of words, which would cost both the same."
    )
    columns = ["tokens of a text", "texts a step", "block, tokens a second", "LSTM", "block, LSTM = 1"]
    columns += [f"{name}, {lengths[0]} tokens = 1" for name in ("block", "LSTM")]
    return f"### Attention and recurrence, by length\n\n{note}\n\n{table(columns, rows)}"


def learn(forward: Callable[[Tensor], Tensor], layer: nn.Module, words: Tensor) -> Callable[[], object]:
    """Return a training step of a layer that stands amid others: its inputs get a gradient."""
    optimizer = Adam(layer.parameters(), lr=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        forward(words.detach().requires_grad_()).square().mean().backward()
        optimizer.step()

    return step


def ratios(slow: list[float], fast: list[float]) -> str:
    """Return how many times as fast the second is, within rounds."""
    return spread([a / b for a, b in zip(slow, fast, strict=True)], 2)
