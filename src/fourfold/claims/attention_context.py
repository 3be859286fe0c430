"""One token in many contexts, through a Transformer's encoder with and without its attention.

The token stands at the same place each time, so nothing but the other tokens differs. What remains of the encoder
without attention acts on each token alone: there the outputs must be equal, but for
rounding.
"""

from typing import TYPE_CHECKING

from fourfold.claims.base import ExactClaim, Name, Proof

if TYPE_CHECKING:
    from torch import Tensor

VOCAB, LENGTH, PLACE, WORD = 100, 12, 5, 42
LEAST = 1e-3  # root mean squared difference of normalised vectors, whose own is 1
ROUNDING = 1e-12


def prove(size: Name) -> Proof:
    """Compare the vectors of one token in all pairs of random contexts, for encoders of 1 to 4 layers."""
    contexts = 20 if size == "quick" else 500
    nearest, furthest = 1e9, 0.0
    deepest = 2 if size == "quick" else 4
    for layers in range(1, deepest + 1):
        seen, alone = (_vectors(layers, contexts, attends) for attends in (True, False))
        nearest = min(nearest, _distances(seen)[0])
        furthest = max(furthest, _distances(alone)[1])
    pairs = contexts * (contexts - 1) // 2
    return Proof(
        nearest > LEAST and furthest < ROUNDING,
        [
            f"one token at one place in {contexts} random contexts of {LENGTH} tokens, encoders of 1 to {deepest} "
            f"layers, weights ten times as drawn, float64: of {pairs:,} pairs of contexts the two nearest vectors are "
            f"{nearest:.2g} apart (root mean square, where each vector's is 1; asked: more than {LEAST:g})",
            f"with what attention gives taken out, the two furthest are {furthest:.2g} apart "
            f"(asked: less than {ROUNDING:g})",
        ],
    )


def _vectors(layers: int, contexts: int, attends: bool) -> "Tensor":
    """Return the token's vector in each context, `[contexts, width]`."""
    import torch

    from fourfold.models.bert import BERT, EncoderLayer

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(layers)
        network = BERT(VOCAB, layers, 32, 4, None, LENGTH, 0.0, "each token", 2).double().eval()
        for parameter in network.parameters():
            if parameter.dim() == 2:
                parameter.mul_(10)  # drawn so small, everything is nearly linear
        for layer in network.layers:
            assert isinstance(layer, EncoderLayer)
            if not attends:
                layer.attention.output.weight.zero_()
        tokens = torch.randint(1, VOCAB, (contexts, LENGTH))
        tokens[:, PLACE] = WORD
        return network.encode(tokens)[:, PLACE]


def _distances(vectors: "Tensor") -> tuple[float, float]:
    """Return the least and the greatest difference of two of `[contexts, width]`, root mean square."""
    import torch

    first, second = torch.triu_indices(len(vectors), len(vectors), 1)
    apart = (vectors[first] - vectors[second]).square().mean(1).sqrt()
    return float(apart.min()), float(apart.max())


CLAIM = ExactClaim(
    id="attention-context",
    says="Attention gives the same word another vector in another context; the rest of a Transformer does not.",
    source="Devlin, Chang, Lee and Toutanova, BERT, NAACL 2019, section 2.1 (contextual representations); Vaswani et "
    "al., Attention Is All You Need, NeurIPS 2017, section 3.3 (feed-forward layers act on each position separately)",
    rule=f"vectors of one token at one place differ by more than {LEAST:g} in any two contexts, and by less than "
    f"{ROUNDING:g} where attention gives nothing",
    prove=prove,
)
