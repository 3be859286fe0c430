"""Texts written token by token: GPT-2, and a Transformer that translates; part of language.py."""

import copy
import statistics
from collections.abc import Callable
from typing import Any

import torch
from tables import spread, table
from texts import TorchTransformer
from torch import Tensor, nn
from torch.nn import functional as F
from turns import interleaved

from fourfold.models import GPT, MODELS
from fourfold.nn.int8_weights import to_int8_
from fourfold.tasks.decoding import beam_search, greedy
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.translation import TranslationSpec

THEIRS = {"fp32": "Hugging Face `generate`", "bf16": "Hugging Face `generate`, bf16"}
NEVER = -1  # a token that ends a translation and is in no vocabulary: all are written to their full length


def writing(rounds: int, threads: int, quick: bool, clock: str) -> str:
    """Return the table of GPT-2 writing token by token, batch 1, weights drawn at random."""
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"layers": 2, "width": 64, "heads": 2} if quick else {"layers": 12, "width": 768, "heads": 12}
    config: Any = MODELS.parse({"name": "gpt2", **sizes}, "model")
    theirs = GPT2LMHeadModel(
        GPT2Config(n_layer=sizes["layers"], n_embd=sizes["width"], n_head=sizes["heads"], bos_token_id=0)
    ).eval()
    count = 4 if quick else 32

    def drawn() -> Any:
        network = config.build(config.paper_spec()).eval()
        network.load_state_dict(config.adopted(theirs.state_dict()))
        return network

    networks = {"fp32": drawn(), "bf16": drawn().bfloat16(), "int8 weights": to_int8_(drawn())}
    peers = {THEIRS["fp32"]: theirs, THEIRS["bf16"]: copy.deepcopy(theirs).bfloat16()}
    short, long = (torch.randint(50_257, (1, length)) for length in (16, 64 if quick else 512))
    results: dict[str, list[list[float]]] = {}
    for prompt, new in ((short, count), (long, 1)):
        ways: dict[str, Callable[[], object]] = {
            name: lambda prompt=prompt, new=new, peer=peer: peer.generate(
                prompt, max_new_tokens=new, min_new_tokens=new, do_sample=False, pad_token_id=0
            )
            for name, peer in peers.items()
        }
        for name, network in networks.items():
            ways[f"**Fourfold**, {name}"] = lambda prompt=prompt, new=new, network=network: write(network, prompt, new)
        for name, found in interleaved(ways, rounds, 1, clock).items():
            results.setdefault(name, []).append(found)
    with torch.inference_mode():
        exact = networks["fp32"](long).double()
        scores = {name: peer(long).logits for name, peer in peers.items()}
        scores |= {f"**Fourfold**, {name}": network(long) for name, network in networks.items()}
        errors = {
            name: float((found.double() - exact).abs().max() / exact.abs().max()) for name, found in scores.items()
        }
    rows = []
    for name, (tokens, first) in results.items():
        ratios = [
            spread([a / b for a, b in zip(theirs_took, ours_took, strict=True)], 2)
            for precision in THEIRS
            for theirs_took, ours_took in zip(results[THEIRS[precision]], (tokens, first), strict=True)
        ]
        error = f"{errors[name]:.0e}" if errors[name] > 1e-4 else ""  # below it, fp32 in another order
        rows.append([name, f"{count / statistics.median(tokens):.1f}", *ratios, error])
    columns = ["", "tokens a second", "times as fast as theirs in fp32"]
    columns += [f"first token after {long.shape[1]}, theirs in fp32 = 1"]
    columns += ["times as fast as theirs in bf16", "first token, theirs in bf16 = 1", "error"]
    note = (
        f"{count} tokens after {short.shape[1]}, batch 1, always the likeliest, {threads} threads; medians "
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


def decoding(rounds: int, threads: int, quick: bool, clock: str) -> str:
    """Return the table of translations written by networks of the sizes of "Training a translator"."""
    from transformers import MarianConfig, MarianMTModel

    layers, width, heads, hidden, vocab, batch, count = (
        (1, 16, 2, 32, 50, 4, 5) if quick else (2, 128, 4, 512, 4000, 32, 40)
    )
    generator = torch.Generator().manual_seed(0)
    source = torch.randint(2, vocab, (batch, 40), generator=generator)
    lengths = torch.randint(10, 41, (batch,), generator=generator)
    lengths[0] = 40
    real = torch.arange(40) < lengths[:, None]
    source = source.masked_fill(~real, 0)
    config: Any = MODELS.parse(
        {"name": "transformer", "layers": layers, "width": width, "heads": heads, "hidden": hidden}, "model"
    )
    spec = TranslationSpec(Tokens(vocab, 40, 1), Tokens(vocab, 40, 1), tokenizer="", languages=("en", "ko"))
    ours, torchs = config.build(spec).eval(), TorchTransformer(vocab, layers, width, heads, hidden).eval()
    sides = {
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in (("layers", layers), ("attention_heads", heads), ("ffn_dim", hidden))
    }
    tokens = {"pad_token_id": 0, "decoder_start_token_id": 1, "eos_token_id": None, "forced_eos_token_id": None}
    marian = MarianMTModel(
        MarianConfig(
            vocab_size=vocab, d_model=width, max_position_embeddings=64, activation_function="relu", **sides, **tokens
        )
    ).eval()

    def theirs(beams: int) -> Callable[[], object]:
        return lambda: marian.generate(
            source, attention_mask=real.long(), max_new_tokens=count, num_beams=beams, do_sample=False
        )

    ways: dict[str, Callable[[], object]] = {
        "greedy: torch.nn.Transformer": lambda: greedy_by_torch(torchs, source, count),
        "greedy: Hugging Face `generate`": theirs(1),
        "greedy: **Fourfold**": lambda: greedy(ours, source, lengths, 1, NEVER, count),
        "4 beams: Hugging Face `generate`": theirs(4),
        "4 beams: **Fourfold**": lambda: beam_search(ours, source, lengths, 1, NEVER, count, 4),
    }
    seconds, rows = interleaved(ways, rounds, 1, clock), []
    for name, found in seconds.items():
        first = next(other for other in ways if other.split(":")[0] == name.split(":")[0])
        ratio = spread([a / b for a, b in zip(seconds[first], found, strict=True)], 2)
        rows.append([name, f"{batch * count / statistics.median(found):,.0f}", ratio])
    note = (
        f"{layers} layers each way, {width} wide, {vocab:,} tokens, weights drawn at random; {batch} texts of up to 40 "
        f"tokens at once, translations of {count}, fp32, {threads} threads; median (quartiles) of {rounds} rounds. "
        "torch.nn.Transformer keeps nothing and reads its translation so far anew for every token, as PyTorch's "
        "tutorial does; Hugging Face's is a MarianMTModel. The first of each search is 1."
    )
    columns = ["search and network", "tokens translated a second", "times as fast"]
    return f"### Translating\n\n{note}\n\n{table(columns, rows)}"


@torch.inference_mode()
def greedy_by_torch(network: TorchTransformer, source: Tensor, count: int) -> Tensor:
    """Return `count` tokens a text, each the likeliest, by torch.nn.Transformer, which has no state to go on from."""
    padding = source == 0
    memory = network.layers.encoder(network.placed(source), src_key_padding_mask=padding)
    written = source.new_ones(len(source), 1)
    for _ in range(count):
        states = network.layers.decoder(
            network.placed(written),
            memory,
            tgt_mask=nn.Transformer.generate_square_subsequent_mask(written.shape[1]),
            memory_key_padding_mask=padding,
            tgt_is_causal=True,
        )
        scores = F.linear(states[:, -1], network.tokens.weight)
        written = torch.cat([written, scores.argmax(1, keepdim=True)], 1)
    return written[:, 1:]
