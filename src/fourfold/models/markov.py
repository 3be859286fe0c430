"""A Markov model of text: what comes next depends on the last n tokens alone, and its probability is counted.

    p_0(w)             = (N(w) + T p_uniform) / (N + T)
    p_j(w | c)         = (N(c w) + T(c) p_(j-1)(w | c')) / (N(c) + T(c)),       j = 1 … n

N(c w) is how often w came after the last j tokens c, N(c) how often anything did, T(c) how many different tokens did,
and c' is c without its oldest token. So what was never seen after c is judged by what comes after c'. Found by
`algorithm=counting`.

Papers: Markov, An Example of Statistical Investigation of the Text Eugene Onegin, 1913 (English in Science in Context
19, 2006); Shannon, A Mathematical Theory of Communication, 1948, section 3; the mixture is Witten and Bell, The
Zero-Frequency Problem, IEEE Transactions on Information Theory 37, 1991 (method C), as Chen and Goodman, An Empirical
Study of Smoothing Techniques for Language Modeling, 1999, section 2.5, write it.
Departures: the first tokens of a window have shorter contexts, in counting too; where texts are kept apart, none is a
context of another.
Checked by: counts and probabilities by hand; the equations over dictionaries on random text.
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.seam import Batch, Spec, require_input, require_task
from fourfold.tasks.tokens import IGNORED

AT_ONCE = 1 << 22  # scores worked out together, to bound the memory it takes


class MarkovConfig(ModelConfig):
    """Fields of `model: markov`."""

    name: Literal["markov"] = "markov"
    order: int = Field(default=2, ge=0, le=32, description="tokens that the next one depends on, n")

    def build(self, spec: Spec) -> "Markov":
        """Return the model, which has counted nothing; the task must be language modelling."""
        tokens = require_input(require_task(spec, LanguageModellingSpec, "markov"), Tokens, "markov")
        return Markov(tokens.vocab_size, self.order)

    def paper_spec(self) -> Spec:
        """Shannon's 26 letters and a space."""
        return LanguageModellingSpec(Tokens(27, 128, 1), tokenizer="")


class Table(NamedTuple):
    """What was counted after contexts of one length, in order of the contexts' codes."""

    contexts: Tensor  # int64 [contexts], ascending
    totals: Tensor  # float32 [contexts], N(c)
    kinds: Tensor  # int64 [contexts], T(c)
    starts: Tensor  # int64 [contexts], where the tokens that came after it begin
    following: Tensor  # int64 [entries]
    counts: Tensor  # float32 [entries], N(c w)


class Markov(nn.Module):
    """Counts of what came after each context; there are none before the algorithm has counted.

    A context and the token after it have one code, the digits of a number to the base of the vocabulary.

    Args:
        vocab_size: different tokens.
        order: tokens of the longest context.

    Attributes:
        counted_later: what its parameters are, which only counting can count.
        codes0, codes1, …: of each context of that length and what came after it, int64, ascending.
        counts0, counts1, …: how often, int64, parameters without gradient.

    Raises:
        InputError: contexts are too many to be numbered.
    """

    context = None  # any number of tokens can be read on
    counted_later = "counts"

    def __init__(self, vocab_size: int, order: int) -> None:
        super().__init__()
        if vocab_size ** (order + 1) >= 2**63:
            most = next(n for n in range(order, -1, -1) if vocab_size ** (n + 1) < 2**63)
            raise InputError(
                f"model.order: {order} tokens out of {vocab_size:,} have too many contexts to be numbered; the nearest "
                f"valid number is {most}"
            )
        self.vocab_size, self.order = vocab_size, order
        for length in range(order + 1):
            empty = torch.zeros(0, dtype=torch.int64)
            self._store(length, empty, empty)

    def _store(self, length: int, codes: Tensor, counts: Tensor) -> None:
        self.register_buffer(f"codes{length}", codes)
        setattr(self, f"counts{length}", nn.Parameter(counts, requires_grad=False))
        self._tables: dict[int, Table] = {}

    @torch.no_grad()
    def count(self, batches: Iterable[Batch]) -> None:
        """Count what comes after each context, in place of what was counted before."""
        found: list[list[Tensor]] = [[] for _ in range(self.order + 1)]
        for batch in batches:
            tokens, *others = batch.inputs
            documents = others[2] if len(others) == 3 else None
            for length, (codes, known) in enumerate(self._contexts(tokens, documents)):
                real = known & (batch.targets != IGNORED)
                found[length].append(codes[real] * self.vocab_size + batch.targets[real])
        for length, parts in enumerate(found):
            self._store(length, *torch.cat(parts).unique(return_counts=True))

    def forward(
        self,
        tokens: Tensor,
        lengths: Tensor | None = None,
        segments: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> Tensor:
        """Return the log-probability of each token to come next, `[batch, length, vocab]`.

        Args:
            tokens: int64 `[batch, length]`.
            lengths: of no effect: padding comes after.
            segments: of no effect: there is one text, or as many as `documents` tell apart.
            documents: the text that each token is of, int64 `[batch, length]`; no other is its context.
        """
        contexts = [(c.flatten(), k.flatten()) for c, k in self._contexts(tokens, documents)]
        size = max(1, AT_ONCE // self.vocab_size)
        parts = [
            self._log_probabilities([(c[start : start + size], k[start : start + size]) for c, k in contexts])
            for start in range(0, tokens.numel(), size)
        ]
        return torch.cat(parts).view(*tokens.shape, self.vocab_size)

    def begin(self, batch: int) -> Tensor:
        """Return the state before the first token: no context, int64 `[batch, 0]`."""
        return torch.zeros(batch, 0, dtype=torch.int64, device=self.codes0.device)  # type: ignore[arg-type]

    def extend(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return the log-probabilities after each new token `[batch, new]`, and the context from there."""
        known = torch.cat([state, tokens], 1)
        return self(known)[:, state.shape[1] :], known[:, max(0, known.shape[1] - self.order) :]

    def _contexts(self, tokens: Tensor, documents: Tensor | None) -> Iterable[tuple[Tensor, Tensor]]:
        """Yield, by length, the code of the context at each place and whether there is one, `[batch, length]`."""
        codes, known, places = torch.zeros_like(tokens), torch.ones_like(tokens, dtype=torch.bool), tokens.shape[1]
        yield codes, known
        for length in range(1, self.order + 1):
            back = min(length - 1, places)
            older = torch.zeros_like(tokens)
            older[:, back:] = tokens[:, : places - back]
            codes = codes + older * self.vocab_size ** (length - 1)
            known = known.clone()
            known[:, :back] = False
            if documents is not None and back:
                known[:, back:] &= documents[:, back:] == documents[:, : places - back]
            yield codes, known

    def _log_probabilities(self, contexts: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Return log-probabilities `[places, vocab]` from the codes of each place's contexts, by length."""
        places = len(contexts[0][0])
        p = torch.full((places, self.vocab_size), 1 / self.vocab_size, device=contexts[0][0].device)
        for length, (codes, known) in enumerate(contexts):
            table = self._table(length)
            if not len(table.contexts):
                continue
            rows = torch.searchsorted(table.contexts, codes).clamp(max=len(table.contexts) - 1)
            place = (known & (table.contexts[rows] == codes)).nonzero().squeeze(1)
            rows = rows[place]
            kinds = table.kinds[rows]
            weight = 1 / (table.totals[rows] + kinds)
            p[place] *= (kinds * weight).unsqueeze(1)
            at = place.repeat_interleave(kinds)
            within = torch.arange(len(at), device=at.device) - (kinds.cumsum(0) - kinds).repeat_interleave(kinds)
            entries = table.starts[rows].repeat_interleave(kinds) + within
            p[at, table.following[entries]] += table.counts[entries] * weight.repeat_interleave(kinds)
        return p.log()

    def _table(self, length: int) -> Table:
        """Return the counts after contexts of a length, laid out to be looked up."""
        codes: Tensor = getattr(self, f"codes{length}")
        if length not in self._tables or self._tables[length].contexts.device != codes.device:
            counts = getattr(self, f"counts{length}").detach()
            contexts, kinds = (codes // self.vocab_size).unique_consecutive(return_counts=True)
            starts = kinds.cumsum(0) - kinds
            sums = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
            totals = (sums[starts + kinds] - sums[starts]).float()
            self._tables[length] = Table(contexts, totals, kinds, starts, codes % self.vocab_size, counts.float())
        return self._tables[length]

    def extra_repr(self) -> str:
        return f"{self.vocab_size}, {self.order}"

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Make room for as many counts as were saved, if they fit together."""
        for length in range(self.order + 1):
            codes, counts = (state_dict.get(f"{prefix}{name}{length}") for name in ("codes", "counts"))
            if codes is None or counts is None:
                continue
            rises = codes.dim() == 1 and codes.dtype == torch.int64 and bool((codes.diff() > 0).all())
            most = self.vocab_size ** (length + 1)
            inside = rises and (not len(codes) or (int(codes[0]) >= 0 and int(codes[-1]) < most))
            if not inside or counts.dtype != torch.int64 or counts.shape != codes.shape or bool((counts < 1).any()):
                error_msgs.append(f"{prefix}codes{length} and counts{length} do not fit each other or this model")
                continue
            own: Tensor = getattr(self, f"codes{length}")
            self._store(length, own.new_empty(codes.shape), own.new_empty(codes.shape))
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
