"""Networks for language: how fast they train, and how fast GPT-2 writes.

    python benchmarks/language.py                                 all of it, about twenty minutes
    python benchmarks/language.py --only writing                  a part of it
    python benchmarks/language.py --markdown docs/benchmarks.md   write the tables where readers find them

All contenders live in one process and take turns in a random order, a few steps at a time; each ratio is taken within
a round. Hugging Face's networks have the same sizes, and where outputs are compared the same weights.
"""

import argparse
import os
import random
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import texts
import torch
from peers import nanogpt
from tables import machine, spread, table, tell, write_section
from torch import Tensor, nn
from turns import interleaved, our_training, parse, rows_of

from fourfold.models import GPT, MODELS
from fourfold.nn.int8_weights import to_int8_
from fourfold.run import runtime
from fourfold.run.parts import load_recipe

PARTS = ("training", "recurrent", "lengths", "translation", "writing")
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
    for part, measure in {
        "recurrent": texts.recurrent,
        "lengths": texts.lengths,
        "translation": texts.translation,
    }.items():
        if part in options.only:
            rounds = options.rounds or (2 if options.quick else 11)
            tell(options.markdown, f"language {part}", measure(rounds, options.threads, options.quick, options.clock))
    if "writing" in options.only:
        tell(options.markdown, "language writing", writing(options.rounds or (2 if options.quick else 7), options))


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


def writing(rounds: int, options: argparse.Namespace) -> str:
    """Return the table of GPT-2 writing token by token, batch 1, weights drawn at random."""
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"layers": 2, "width": 64, "heads": 2} if options.quick else {"layers": 12, "width": 768, "heads": 12}
    config: Any = MODELS.parse({"name": "gpt2", **sizes}, "model")
    theirs = GPT2LMHeadModel(
        GPT2Config(n_layer=sizes["layers"], n_embd=sizes["width"], n_head=sizes["heads"], bos_token_id=0)
    ).eval()
    count = 4 if options.quick else 32

    def drawn() -> Any:
        network = config.build(config.paper_spec()).eval()
        network.load_state_dict(config.adopted(theirs.state_dict()))
        return network

    networks = {"fp32": drawn(), "bf16": drawn().bfloat16(), "int8 weights": to_int8_(drawn())}
    short, long = (torch.randint(50_257, (1, length)) for length in (16, 64 if options.quick else 512))
    results: dict[str, list[list[float]]] = {}
    for prompt, new in ((short, count), (long, 1)):
        ways: dict[str, Callable[[], object]] = {
            "Hugging Face `generate`": lambda prompt=prompt, new=new: theirs.generate(
                prompt, max_new_tokens=new, min_new_tokens=new, do_sample=False, pad_token_id=0
            )
        }
        for name, network in networks.items():
            ways[f"**Fourfold**, {name}"] = lambda prompt=prompt, new=new, network=network: write(network, prompt, new)
        for name, found in interleaved(ways, rounds, 1, options.clock).items():
            results.setdefault(name, []).append(found)
    first, rows = results["Hugging Face `generate`"], []
    with torch.inference_mode():
        exact = networks["fp32"](long).double()
        errors = {
            f"**Fourfold**, {name}": float((network(long).double() - exact).abs().max() / exact.abs().max())
            for name, network in networks.items()
        }
    for name, (tokens, _) in results.items():
        ratios = [
            spread([a / b for a, b in zip(*pair, strict=True)], 2) for pair in zip(first, results[name], strict=True)
        ]
        error = f"{errors[name]:.0e}" if errors.get(name) else ""
        rows.append([name, f"{count / statistics.median(tokens):.1f}", ratios[0], ratios[1], error])
    columns = ["", "tokens a second", "times as fast", f"first token after {long.shape[1]}, times as fast", "error"]
    note = (
        f"{count} tokens after {short.shape[1]}, batch 1, always the likeliest, {options.threads} threads; medians "
        f"(quartiles) of {rounds} rounds. The error is the largest of any score over the largest score of fp32."
    )
    return f"### GPT-2 writing\n\n{note}\n\n{table(columns, rows)}"


@torch.inference_mode()
def write(network: GPT, prompt: Tensor, count: int) -> Tensor:
    """Return `count` tokens after the prompt, each the likeliest."""
    state, new, written = network.begin(len(prompt)), prompt, []
    for _ in range(count):
        scores, state = network.extend(new, state)
        new = scores[:, -1].argmax(1, keepdim=True)
        written.append(new)
    return torch.cat(written, 1)


if __name__ == "__main__":
    main()
