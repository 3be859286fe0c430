"""Networks for language: how fast they train, and how fast they write and translate.

    python benchmarks/language.py                                 all of it, about half an hour
    python benchmarks/language.py --only writing                  a part of it
    python benchmarks/language.py --markdown docs/benchmarks.md   write the tables where readers find them

All contenders live in one process and take turns in a random order, a few steps at a time; each ratio is taken within
a round. Hugging Face's networks have the same sizes, and where outputs are compared the same weights.
"""

import argparse
import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import attention
import texts
import torch
import writing
from peers import nanogpt
from tables import machine, table, tell, write_section
from torch import Tensor, nn
from turns import interleaved, our_training, parse, rows_of

from fourfold.run import runtime
from fourfold.run.parts import load_recipe

MEASURES = {  # of each part, what measures it, and how many rounds
    "recurrent": (texts.recurrent, 11),
    "attention": (attention.attention, 11),
    "lengths": (texts.lengths, 11),
    "translation": (texts.translation, 11),
    "decoding": (writing.decoding, 11),
    "writing": (writing.writing, 7),
}
PARTS = ("training", *MEASURES)
PREFACE = """## Language

{machine}. Load before: {load:.2f}. `runtime.precision=auto` is bf16 where the processor has instructions for it (then
its name above says which), else fp32."""


class Sizes(NamedTuple):
    """Of the GPT that is trained."""

    layers: int = 4
    width: int = 128
    heads: int = 4
    context: int = 128
    batch: int = 16


def main() -> None:
    options = parse(__doc__, PARTS, "tiny networks: whether it runs, not how fast")
    torch.set_num_threads(options.threads)
    if options.markdown is not None:
        write_section(options.markdown, "language", PREFACE.format(machine=machine(), load=os.getloadavg()[0]))
    if "training" in options.only:
        sizes = Sizes(1, 32, 2, 32, 4) if options.quick else Sizes()
        rounds = options.rounds or (3 if options.quick else 21)
        tell(options.markdown, "language training", training(sizes, rounds, options))
    for part, (measure, many) in MEASURES.items():
        if part in options.only:
            rounds = options.rounds or (2 if options.quick else many)
            tell(options.markdown, f"language {part}", measure(rounds, options.threads, options.quick, options.clock))


def training(sizes: Sizes, rounds: int, options: argparse.Namespace) -> str:
    """Return the table of training steps, a few a turn."""
    letters = "abcdefghijklmnopqrstuvwxyz ,.\n"
    text = "".join(random.Random(0).choices(letters, k=200_000))
    tokens = torch.tensor([letters.index(letter) for letter in text])
    ways: dict[str, Callable[[], object]] = {
        "raw loop, fp32": nanogpt.loop(tokens, len(letters), sizes.context, *sizes[:3], sizes.batch)
    }
    skipped = ""
    try:
        ways["Hugging Face Trainer's step"] = hugging_face_trainer(tokens, len(letters), sizes)
    except ImportError as error:  # accelerate comes with the `bench` extra
        skipped = f" Hugging Face's Trainer was skipped: {str(error).splitlines()[0]}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "text.txt"
        file.write_text(text, encoding="utf-8")
        ways["**Fourfold**"] = ours(file, sizes, {"threads": options.threads})
        ways["**Fourfold**, compile=step"] = ours(file, sizes, {"threads": options.threads, "compile": "step"})
        if runtime.resolve_machine(load_recipe("shakespeare-gpt")[1].runtime).precision != "fp32":
            ways["**Fourfold**, precision=fp32"] = ours(file, sizes, {"threads": options.threads, "precision": "fp32"})
        seconds = interleaved(ways, rounds, 2 if options.quick else 5, options.clock)
    rows = rows_of(seconds, sizes.batch * sizes.context)
    note = (
        f"GPT of {sizes.layers} layers, {sizes.width} wide, {sizes.batch} rows of {sizes.context} characters a step, "
        f"{options.threads} threads; median (quartiles) of {rounds} rounds.{skipped}"
    )
    return f"### Training a GPT\n\n{note}\n\n{table(['loop', 'tokens a second', 'throughput, raw = 1'], rows)}"


def ours(file: Path, sizes: Sizes, settings: dict[str, Any]) -> Callable[[], object]:
    """Return a step of Fourfold's own algorithm, as a run takes it."""
    parts: dict[str, Any] = {
        "data": {"name": "text", "path": str(file), "length": sizes.context},
        "model": {"name": "gpt", **{name: getattr(sizes, name) for name in ("layers", "width", "heads")}, "dropout": 0},
        "loss": "cross_entropy",
        "algorithm": {
            "name": "supervised",
            "optimizer": {"name": "adam", "lr": 1e-3},
            "regularizers": [
                {"name": "decoupled_weight_decay", "rate": 0.01},
                {"name": "gradient_clipping", "max_norm": 1.0},
            ],
        },
        "budget": {"steps": 10**6, "batch_size": sizes.batch},
        "runtime": {"device": "cpu", **settings},
    }
    return our_training(parts).step


def hugging_face_trainer(tokens: Tensor, vocab: int, sizes: Sizes) -> Callable[[], object]:
    """Return a step of transformers' Trainer on its own GPT-2, everything beside the step turned off."""
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
    from transformers.utils import logging

    logging.set_verbosity_error()
    facts = {"n_layer": sizes.layers, "n_embd": sizes.width, "n_head": sizes.heads, "n_positions": sizes.context}
    off = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    network = GPT2LMHeadModel(GPT2Config(vocab_size=vocab, bos_token_id=0, eos_token_id=0, **facts, **off))
    rows = tokens[: len(tokens) // sizes.context * sizes.context].view(-1, sizes.context)
    examples = [{"input_ids": row, "labels": row} for row in rows]
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=sizes.batch,
        max_steps=10**6,
        learning_rate=1e-3,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
        logging_strategy="no",
    )
    trainer = Trainer(model=network, args=arguments, train_dataset=examples)  # type: ignore[arg-type]
    trainer.create_optimizer_and_scheduler(10**6)
    network.train()

    def batches() -> Any:
        while True:
            yield from trainer.get_train_dataloader()

    stream = batches()

    def step() -> None:  # what its inner loop does for a step
        trainer.training_step(network, trainer._prepare_inputs(next(stream)), torch.tensor(sizes.batch))
        nn.utils.clip_grad_norm_(network.parameters(), arguments.max_grad_norm)
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
        network.zero_grad()

    return step


if __name__ == "__main__":
    main()
