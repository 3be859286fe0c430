import numpy as np
import pytest
import scipy.stats
import torch
from verification import verified

from fourfold.core.errors import InputError
from fourfold.losses.usual import UsualConfig
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Batch
from fourfold.tasks.sentence_pairs import SentencePairsSpec, ranks

SPEC = SentencePairsSpec(Tokens(50, 9, 2), ("score",), (2.5,), (1.5,))


def batch(targets: torch.Tensor) -> Batch:
    return Batch((torch.zeros(len(targets), 2),), targets)


@pytest.mark.parametrize("ties", [False, True])
def test_correlations_are_scipys(ties) -> None:
    generator = torch.Generator().manual_seed(0)
    output = torch.randn(201, 1, generator=generator)
    targets = (output + torch.randn(201, 1, generator=generator)).round(decimals=0 if ties else 6)
    output = output.round(decimals=0) if ties else output
    scorer, other = SPEC.scorer(), SPEC.scorer()
    for part in (slice(0, 50), slice(50, 51)):
        scorer.update(output[part], batch(targets[part]))
    other.update(output[51:], batch(targets[51:]))
    scorer.merge(other)
    metrics = scorer.compute()
    a, b = output.flatten().double().numpy(), targets.flatten().double().numpy()
    correlations = {"pearson": scipy.stats.pearsonr, "spearman": scipy.stats.spearmanr}
    theirs = {name: float(correlate(a, b).statistic) for name, correlate in correlations.items()}
    ours = {name: metrics[name] for name in theirs}
    assert ours == pytest.approx(theirs, abs=1e-9)
    verified("score", "sentence_pairs", "scipy's pearsonr and spearmanr", "values", ours, theirs)
    assert metrics["rmse"] == pytest.approx(float(np.sqrt(np.mean((a - b) ** 2))) * 1.5)
    assert metrics["mae"] == pytest.approx(float(np.mean(np.abs(a - b))) * 1.5)
    assert set(metrics) == set(SPEC.metrics)


def test_ranks_are_scipys() -> None:
    values = torch.tensor([3.0, 1.0, 3.0, 3.0, -2.0, 1.0])
    assert ranks(values).tolist() == scipy.stats.rankdata(values.numpy()).tolist()


@pytest.mark.parametrize("count", [0, 1, 5])
def test_what_does_not_vary_correlates_with_nothing(count) -> None:
    scorer = SPEC.scorer()
    scorer.update(torch.ones(count, 1), batch(torch.arange(count).float().unsqueeze(1)))
    metrics = scorer.compute()
    assert (metrics["pearson"], metrics["spearman"]) == (0.0, 0.0)
    assert SPEC.constant() is None


def test_predictions_are_in_their_own_unit_and_the_usual_loss_is_squared_error() -> None:
    assert SPEC.predictions(torch.tensor([[0.0], [1.0]])) == [{"score": 2.5}, {"score": 4.0}]
    value = UsualConfig().build(SPEC)(torch.tensor([[1.0], [3.0]]), batch(torch.tensor([[0.0], [1.0]])))
    assert float(value.total) == 5.0


def test_a_pair_has_one_number() -> None:
    with pytest.raises(InputError, match="2 targets; a pair of texts has one number"):
        SentencePairsSpec(Tokens(50, 9, 2), ("a", "b"), (0.0, 0.0), (1.0, 1.0))
