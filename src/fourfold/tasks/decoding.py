"""Which translation, of all that a model could write: the likeliest token after token, or the best of several beams.

    s(Y, X) = log P(Y | X) / lp(Y),   lp(Y) = (5 + |Y|)^alpha / 6^alpha        Wu et al., Eq. 14; |Y| with its end token

`greedy` takes the likeliest token each time. `beam_search` keeps the `beams` likeliest beginnings, and of all that have
ended the one with the highest s: without lp short translations would win, for every token costs probability.

Any model works that has `encode(source, lengths)` and `decode(translation so far, memory)`; one that also has
`begin(memory, room)` and `extend(tokens, state)` does not start over at each token.

Papers: Wu et al., Google's Neural Machine Translation System, 2016, section 7, arXiv:1609.08144; Vaswani et al.,
Attention Is All You Need, 2017, section 6.1, arXiv:1706.03762: 4 beams, alpha 0.6.
Departures: the coverage penalty of Wu et al. is left out, as in Vaswani et al. The search goes on until no beginning
can overtake what has ended; theirs prunes by a margin.
Checked by: every translation of a small vocabulary one by one; greedy search at one beam; with and without a cache.
"""

from typing import Any, Protocol

import torch
from torch import Tensor


class Translator(Protocol):
    """What a model of translation offers."""

    def encode(self, source: Tensor, lengths: Tensor) -> Any:
        """Return what the decoder looks at: a tensor or tuple that `rows_of` can take rows of."""
        ...

    def decode(self, target: Tensor, memory: Any) -> Tensor:
        """Return scores of the token after each of a translation so far, `[batch, t, vocab]`."""
        ...


class _StartsOver:
    """`begin` and `extend` for a model that has none: its state is the memory, and all tokens so far."""

    def __init__(self, model: Translator) -> None:
        self._model = model

    def begin(self, memory: Any, room: int) -> tuple[Any, tuple[Tensor, ...]]:
        return memory, ()

    def extend(self, tokens: Tensor, state: tuple[Any, tuple[Tensor, ...]]) -> tuple[Tensor, Any]:
        memory, so_far = state
        so_far = (*so_far, tokens)
        return self._model.decode(torch.cat(so_far, 1), memory)[:, -1:], (memory, so_far)


@torch.no_grad()
def greedy(
    model: Translator, source: Tensor, lengths: Tensor, begin: int, end: int, max_length: int
) -> list[list[int]]:
    """Return each text's translation, of which each token is the likeliest after those before it.

    Args:
        model: see above; in evaluation mode.
        source: int64 `[batch, s]`.
        lengths: int64 `[batch]`, how many tokens of each row are real.
        begin: token that every translation begins with; it is not returned.
        end: token that ends one; it is not returned.
        max_length: most tokens of a translation.
    """
    writer: Any = model if hasattr(model, "extend") else _StartsOver(model)
    state = writer.begin(model.encode(source, lengths), max_length)
    last = source.new_full((len(source), 1), begin)
    written: list[Tensor] = []
    ended = torch.zeros(len(source), dtype=torch.bool, device=source.device)
    for _ in range(max_length):
        scores, state = writer.extend(last, state)
        last = scores[:, -1].argmax(1).masked_fill(ended, end).unsqueeze(1)
        written.append(last)
        ended |= last[:, 0] == end
        if bool(ended.all()):
            break
    rows = torch.cat(written, 1).tolist() if written else [[] for _ in range(len(source))]
    return [row[: row.index(end)] if end in row else row for row in rows]


@torch.no_grad()
def beam_search(
    model: Translator,
    source: Tensor,
    lengths: Tensor,
    begin: int,
    end: int,
    max_length: int,
    beams: int = 4,
    alpha: float = 0.6,
) -> list[list[int]]:
    """Return each text's translation with the highest s found; arguments as of `greedy`, and:

    Args:
        model: as of `greedy`.
        source: as of `greedy`.
        lengths: as of `greedy`.
        begin: as of `greedy`.
        end: as of `greedy`.
        max_length: most tokens of a translation; one that has not ended by then counts as it is.
        beams: beginnings kept of each text; 1 is greedy search.
        alpha: of the length penalty; 0 is none.
    """
    writer: Any = model if hasattr(model, "extend") else _StartsOver(model)
    batch, device = len(source), source.device
    first = torch.arange(batch, device=device).unsqueeze(1) * beams  # each text's first row of `batch * beams`
    memory = rows_of(model.encode(source, lengths), torch.arange(batch, device=device).repeat_interleave(beams))
    state = writer.begin(memory, max_length)
    last = source.new_full((batch * beams, 1), begin)
    written = source.new_empty(batch, beams, 0)
    log_p = torch.full((batch, beams), -torch.inf, device=device)  # of each beginning
    log_p[:, 0] = 0  # all are the same at first, and one is enough
    best: list[list[int]] = [[] for _ in range(batch)]
    best_s = torch.full((batch,), -torch.inf, device=device)
    for length in range(1, max_length + 1):
        scores, state = writer.extend(last, state)
        nexts = log_p.unsqueeze(2) + scores[:, -1].float().log_softmax(1).view(batch, beams, -1)
        log_p, which = nexts.flatten(1).topk(beams, 1)
        parents, tokens = which // nexts.shape[2], which % nexts.shape[2]
        written = torch.cat([written.gather(1, parents.unsqueeze(2).expand_as(written)), tokens.unsqueeze(2)], 2)
        ended = (tokens == end) | (length == max_length)
        s, place = (log_p / length_penalty(length, alpha)).masked_fill(~ended, -torch.inf).max(1)  # Eq. 14
        for i in (s > best_s).nonzero()[:, 0].tolist():
            best[i] = written[i, place[i]].tolist()
        best_s = torch.maximum(best_s, s)
        log_p = log_p.masked_fill(ended, -torch.inf)
        if bool((log_p.amax(1) / length_penalty(max_length, alpha) <= best_s).all()):  # none can overtake any more
            break
        state = rows_of(state, (first + parents).flatten())
        last = tokens.view(-1, 1)
    return [row[: row.index(end)] if end in row else row for row in best]


def length_penalty(length: int, alpha: float) -> float:
    """Return lp of a translation of `length` tokens, its end token among them (Wu et al., Eq. 14)."""
    return ((5 + length) / 6) ** alpha


def rows_of(state: Any, rows: Tensor) -> Any:
    """Return what belongs to some rows of a batch, of a state of tensors `[batch, …]` in tuples; numbers stay.

    A tuple with tensors of another form has a method of its own for it, `rows`.
    """
    if isinstance(state, Tensor):
        return state.index_select(0, rows)
    if hasattr(state, "rows"):
        return state.rows(rows)
    if isinstance(state, tuple):
        parts = [rows_of(each, rows) for each in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state
