"""Writing on from a prompt with a language model, token by token.

    p_i = exp(z_i / temperature) / sum_j exp(z_j / temperature)

Of these, top-k keeps the k largest, and top-p after it the fewest that hold p of what is left; what is kept is scaled
to one. Temperature 0 is greedy: always the likeliest, the first of them where several are.

Papers: Fan, Lewis and Dauphin, Hierarchical Neural Story Generation, ACL 2018, arXiv:1805.04833 (top-k); Holtzman et
al., The Curious Case of Neural Text Degeneration, ICLR 2020, arXiv:1904.09751, section 3.1 (top-p).
Departures: where a text has grown over what a model can see at once, it goes on from the last half of that; tokens that
are not text, such as padding, are never drawn.
Checked by: distributions by hand; transformers' logits processors; frequencies of draws; a state against starting over.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.seeds import check_seed, stream_seed
from fourfold.nn.int8_weights import TiedOutput, to_int8_
from fourfold.run.run import Run
from fourfold.tasks.language_modelling import Continues, LanguageModellingSpec
from fourfold.tasks.tokenizer import UNK, tokenizer_of

Precision = Literal["fp32", "bf16", "int8"]


class Sampling(NamedTuple):
    """How the next token is drawn from a model's scores."""

    temperature: float = 1.0  # 0: always the likeliest
    top_k: int | None = None  # keep this many; None: all
    top_p: float | None = None  # keep the fewest that hold this share; None: all

    def check(self) -> None:
        """Raise InputError, which names the field and the nearest valid value, where one is out of range."""
        if not 0 <= self.temperature < float("inf"):
            raise InputError(f"temperature: {self.temperature:g}; it must be 0 (always the likeliest) or above")
        if self.top_k is not None and self.top_k < 1:
            raise InputError(f"top_k: {self.top_k}; the nearest valid number is 1")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise InputError(f"top_p: {self.top_p:g}; it must be above 0 and at most 1")


class Written(NamedTuple):
    """A token that was written."""

    number: int
    text: str  # what it adds; "" until the bytes of a character are complete


def probabilities(scores: Tensor, sampling: Sampling) -> Tensor:
    """Return the probability of each token to be drawn, `[batch, vocab]`.

    Args:
        scores: `[batch, vocab]`.
        sampling: temperature, top-k and top-p.
    """
    scores = scores.float()
    if sampling.temperature == 0:
        return torch.zeros_like(scores).scatter_(1, scores.argmax(1, keepdim=True), 1.0)
    p = (scores / sampling.temperature).softmax(1)
    if sampling.top_k is None and sampling.top_p is None:
        return p
    values, numbers = p.sort(dim=1, descending=True, stable=True)
    if sampling.top_k is not None:
        values[:, sampling.top_k :] = 0
    if sampling.top_p is not None:
        shares = values / values.sum(1, keepdim=True)
        values[shares.cumsum(1) - shares >= sampling.top_p] = 0  # what is held before it is enough already
    return torch.zeros_like(p).scatter_(1, numbers, values / values.sum(1, keepdim=True))


@torch.inference_mode()
def write_on(
    model: nn.Module,
    tokens: Tensor,
    sampling: Sampling,
    generator: torch.Generator,
    length: int,
    never: Tensor | None = None,
) -> Iterator[Tensor]:
    """Yield the next token of each text, int64 `[batch]`, without end.

    Args:
        model: a language model in evaluation mode; what it offers beside `forward` is in `Continues`.
        tokens: the texts so far, int64 `[batch, length]`, at least one token each.
        sampling: how to draw.
        generator: whom the draws come from.
        length: tokens that a model without a state of its own sees at once.
        never: numbers of tokens that are not drawn, int64.
    """
    keeps = isinstance(model, Continues)
    most = model.context if keeps else length
    state: Any = None
    seen = 0  # tokens in the state
    new = tokens if most is None else tokens[:, -most:]
    known = new
    while True:
        if keeps:
            if state is None or (most is not None and seen + new.shape[1] > most):
                new = known if state is None or most is None else known[:, -max(1, most // 2) :]
                known, state, seen = new, model.begin(len(tokens)), 0
            scores, state = model.extend(new, state)
            seen += new.shape[1]
        else:
            known = known[:, -length:]
            scores = model(known)
        last = scores[:, -1].float()
        if never is not None:
            last = last.index_fill(1, never, -torch.inf)
        if sampling.temperature == 0:
            drawn = last.argmax(1)
        else:
            drawn = torch.multinomial(probabilities(last, sampling), 1, generator=generator).squeeze(1)
        yield drawn
        new = drawn.unsqueeze(1)
        known = torch.cat([known, new], 1)
        if most is not None:
            known = known[:, -most:]


def generate(
    run: Run,
    prompt: str = "",
    tokens: int = 200,
    sampling: Sampling | None = None,
    seed: int = 0,
    precision: Precision = "fp32",
) -> Iterator[Written]:
    """Yield what a run's model writes after a prompt, as it is written, to the end of the text or `tokens`.

    Args:
        run: of language modelling, with weights.
        prompt: what to go on from; "" begins a text.
        tokens: how many to write at most.
        sampling: how to draw; by default from the model's own probabilities.
        seed: the same seed writes the same text.
        precision: of a GPT's weights; fewer bits are read sooner, and move the scores a little.

    Raises:
        InputError: another task's run, a number out of range, or a precision that its model has not.
        CheckpointError: the run has no weights, or they are damaged.
    """
    spec = run.spec
    if not isinstance(spec, LanguageModellingSpec):
        task = spec.task.replace("_", " ")
        raise InputError(f"{run.run_id}: only a run of language modelling writes on, and this is one of {task}")
    sampling = sampling or Sampling()
    sampling.check()
    if tokens < 1:
        raise InputError(f"tokens: {tokens}; the nearest valid number is 1")
    check_seed(seed)
    if precision not in get_args(Precision):
        raise InputError(f"precision: '{precision}' is not a choice{did_you_mean(precision, get_args(Precision))}")
    return _written(_in_precision(run.model, precision), spec, prompt, tokens, sampling, seed)


def unseen(run: Run, prompt: str) -> int:
    """Return how many tokens of a prompt are before what the model sees at once."""
    context = run.model.context if isinstance(run.model, Continues) else None
    spec = run.spec
    if context is None or not isinstance(spec, LanguageModellingSpec):
        return 0
    return max(0, len(tokenizer_of(spec.tokenizer).encode([prompt])[0]) - context)


def unknown(run: Run, prompt: str) -> int:
    """Return how many tokens of a prompt stand for what the tokenizer does not know."""
    if not isinstance(run.spec, LanguageModellingSpec):
        return 0
    tokenizer = tokenizer_of(run.spec.tokenizer)
    return tokenizer.encode([prompt])[0].count(tokenizer.special.get(UNK, -1))


def _in_precision(model: nn.Module, precision: Precision) -> nn.Module:
    """Return the model, or a copy with weights of fewer bits."""
    if precision == "fp32":
        return model
    if not isinstance(model, TiedOutput):
        raise InputError(f"precision: {precision} is for a gpt, and this {type(model).__name__} writes in fp32")
    return to_int8_(deepcopy(model)) if precision == "int8" else deepcopy(model).bfloat16()


def _written(
    model: nn.Module, spec: LanguageModellingSpec, prompt: str, tokens: int, sampling: Sampling, seed: int
) -> Iterator[Written]:
    tokenizer = tokenizer_of(spec.tokenizer)
    end = tokenizer.end
    begun = tokenizer.encode([prompt])[0] or [end or 0]
    nothing = [number for number in tokenizer.special.values() if number != end]
    nothing += range(tokenizer.vocab_size, spec.num_outputs)  # a table of outputs may be rounded up
    generator = torch.Generator().manual_seed(stream_seed(seed, "generation"))
    drawn = write_on(
        model, torch.tensor([begun]), sampling, generator, spec.input.length, torch.tensor(nothing, dtype=torch.int64)
    )
    numbers: list[int] = []

    def kept() -> Iterator[int]:
        for _, number in zip(range(tokens), drawn, strict=False):
            if int(number) == end:
                return
            numbers.append(int(number))
            yield numbers[-1]

    for text in tokenizer.stream(kept()):
        yield Written(numbers[-1], text)
