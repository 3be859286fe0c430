"""How many steps must wait for each other, and how many numbers are multiplied, by self-attention and by recurrence.

A step is one operation on whole tensors, such as a product of matrices, which can be computed all at once; the sums in
it are not taken apart, nor does the paper do so. Which steps wait for which is read from the graph that torch records
for the gradient: the longest way through it, from the first word to the output at the last one, is how many follow one
another. Layers are those of the models here, recurrent ones unrolled by their equations. Multiplications are counted by
torch, of one head; biases are no multiplications.

The first design looked at the table's third column, too, how far a signal must travel, as the shortest way through the
graph. After a quick run that was given up: an operation on whole tensors joins words that tell each other nothing, so
that the shortest way was as short in a recurrent layer. The rule on steps and multiplications is as it was.

Time is not measured. Steps that need not wait save time only where there are units to compute them side by side, as on
a GPU; on a few cores it is the multiplications that take the time. Nor is this about generating a text, which goes word
by word with either.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from fourfold.claims.base import ExactClaim, Name, Proof

if TYPE_CHECKING:
    from torch import Tensor, nn

    Layer = Callable[[Tensor], Tensor]  # of [1, n, d]

WIDTH, HEADS = 8, 2  # of the layers whose steps are counted; their number does not depend on it
LENGTHS = {"quick": (2, 4, 8), "full": (2, 4, 8, 16, 32, 64, 128)}
WIDTHS = {"quick": (4, 16), "full": (4, 16, 64, 256, 1024)}
SQUARES = {"rnn": 2, "lstm": 8, "gru": 6}  # matrices of d x d in a recurrent layer, each used at every word


def prove(size: Name) -> Proof:
    """Follow the graphs of attentive and recurrent layers at every length, and count their multiplications."""
    lengths, widths = LENGTHS[size], WIDTHS[size]
    attentive = {name: [chain(layer, n) for n in lengths] for name, layer in attentive_layers().items()}
    recurrent = {name: [chain(layer, n) for n in lengths] for name, layer in recurrent_layers(WIDTH).items()}
    growth = {name: each_word(lengths, found) for name, found in {**attentive, **recurrent}.items()}
    waits = all(growth[name] == 0 for name in attentive) and all((growth[name] or 0) >= 1 for name in recurrent)
    pairs = [(n, d) for n in lengths for d in widths]
    by_attention = all(attention_products(n, d) == 2 * n * n * d for n, d in pairs)
    by_recurrence = all(
        recurrent_products(name, n, d) == matrices * n * d * d for n, d in pairs for name, matrices in SQUARES.items()
    )
    fewer = all((attention_products(n, d) < recurrent_products("rnn", n, d)) == (n < d) for n, d in pairs)
    with_projections = all(projected_products(n, d) == 2 * n * n * d + 4 * n * d * d for n, d in pairs)
    return Proof(
        waits and by_attention and by_recurrence and fewer and with_projections,
        [
            f"operations that follow one another, for {', '.join(map(str, lengths))} words: "
            + "; ".join(f"{name} {', '.join(map(str, found))}" for name, found in {**attentive, **recurrent}.items()),
            "more of them with each word: "
            + ", ".join(f"{name} {more}" for name, more in growth.items())
            + " (asked: 0 in layers of attention, and in each other one whole number above 0, at every length)",
            f"multiplications at {len(pairs)} pairs of n words and width d, up to {lengths[-1]} and {widths[-1]}: "
            f"attention 2 n^2 d {_so(by_attention)}; recurrent layers "
            + ", ".join(f"{name} {matrices} n d^2" for name, matrices in SQUARES.items())
            + f" {_so(by_recurrence)}; attention's fewer than the rnn's where n < d and nowhere else {_so(fewer)}",
            "with the four projections around it, which the paper's table leaves out, attention has 2 n^2 d + 4 n d^2 "
            + _so(with_projections),
        ],
    )


def attentive_layers() -> "Mapping[str, Layer]":
    """Return a layer of the Transformer's encoder and one of a GPT."""
    import torch

    from fourfold.models.gpt import Block
    from fourfold.models.transformer import EncoderLayer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = EncoderLayer(WIDTH, HEADS, 4 * WIDTH, 0.0).double()
        block = Block(WIDTH, HEADS, 0.0, "pre").double()
    return {
        "encoder": lambda x: encoder(x, torch.ones(1, 1, 1, x.shape[1], dtype=torch.bool)),
        "gpt": block,
    }


def recurrent_layers(width: int) -> "Mapping[str, Layer]":
    """Return a layer of each kind, from `width` numbers to as many."""
    import torch
    from torch import nn

    from fourfold.nn.recurrent_cells import unroll

    def unrolled(layer: "nn.RNNBase", states: int) -> "Layer":
        return lambda x: unroll(layer, x, tuple(x.new_zeros(1, 1, width) for _ in range(states)))[0]

    kinds = {"rnn": (nn.RNN, 1), "lstm": (nn.LSTM, 2), "gru": (nn.GRU, 1)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return {
            name: unrolled(kind(width, width, batch_first=True, dtype=torch.float64), states)
            for name, (kind, states) in kinds.items()
        }


def chain(layer: "Layer", length: int) -> int:
    """Return how many operations follow one another from the first of `length` words to a layer's output at the last.

    The gradient must say, too, that this output depends on that word.
    """
    import torch

    draw = torch.Generator().manual_seed(0)
    words = torch.randn(1, length, WIDTH, generator=draw, dtype=torch.float64).requires_grad_()
    output = layer(words)[0, -1]
    (gradient,) = torch.autograd.grad(output.square().sum(), words, retain_graph=True)
    assert bool((gradient[0, 0] != 0).any()), "the output at the last word does not see the first"
    return longest_way(output, words)


def longest_way(output: "Tensor", leaf: "Tensor") -> int:
    """Return the longest way from a leaf to an output, in operations of torch's graph."""
    assert output.grad_fn is not None
    found: dict[object, int | None] = {}  # of each operation; None: the leaf is not before it
    waiting = [output.grad_fn]
    while waiting:
        node = waiting[-1]
        before = [each for each, _ in node.next_functions if each is not None]
        unknown = [each for each in before if each not in found]
        if unknown:
            waiting += unknown
            continue
        waiting.pop()
        reached = [known for each in before if (known := found[each]) is not None]
        is_leaf = getattr(node, "variable", None) is leaf
        found[node] = 0 if is_leaf else 1 + max(reached) if reached else None
    longest = found[output.grad_fn]
    assert longest is not None, "the output does not depend on the leaf"
    return longest


def each_word(lengths: Sequence[int], steps: Sequence[int]) -> int | None:
    """Return by how much `steps` grow with each word; None where that is not one whole number everywhere."""
    slopes = {
        Fraction(b - a, more - fewer) for (a, b), (fewer, more) in zip(pairwise(steps), pairwise(lengths), strict=True)
    }
    slope, *others = slopes
    return None if others or slope.denominator > 1 else int(slope)


def attention_products(n: int, d: int) -> int:
    """Return how many multiplications Eq. 1 takes for n queries, keys and values of d numbers."""
    import torch

    from fourfold.nn.attention import by_equation

    x = torch.empty(1, 1, n, d, device="meta")
    return products(lambda: by_equation(x, x, x))


def projected_products(n: int, d: int) -> int:
    """Return the same of the whole layer, from n words of d numbers to as many."""
    import torch

    from fourfold.nn.attention import MultiHeadAttention, weights_of

    with torch.device("meta"):
        layer, x = MultiHeadAttention(d, 1, bias=False), torch.empty(1, n, d)
    with weights_of(layer):  # by the equation: what is fused is not counted everywhere
        return products(lambda: layer(x))


def recurrent_products(name: str, n: int, d: int) -> int:
    """Return how many multiplications of matrices a recurrent layer takes for n words of d numbers."""
    import torch

    with torch.device("meta"):
        layer, x = recurrent_layers(d)[name], torch.empty(1, n, d, dtype=torch.float64)
        return products(lambda: layer(x))


def products(compute: "Callable[[], Tensor]") -> int:
    """Return the multiplications in all products of matrices; torch counts an addition with each."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        compute()
    return counter.get_total_flops() // 2


def _so(true: bool) -> str:
    return "(so)" if true else "(not so)"


CLAIM = ExactClaim(
    id="transformer-parallel",
    says="However long a text, a layer of self-attention takes as many operations one after another, where a recurrent "
    "layer takes more for every word; it multiplies n^2 d numbers for their n d^2.",
    source="A. Vaswani et al., Attention is all you need, NeurIPS 2017, arXiv:1706.03762, section 4 and Table 1",
    rule="as many operations follow one another at every n in layers of attention, and a whole number more with every "
    "word in an rnn, an lstm and a gru; attention takes 2 n^2 d multiplications, fewer than an rnn just where n < d; "
    "recurrent layers 2, 8 and 6 n d^2",
    prove=prove,
)
