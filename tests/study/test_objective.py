import pytest
import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.losses.cross_entropy import CrossEntropy
from fourfold.losses.mse import MSE
from fourfold.run.api import run
from fourfold.run.run import Run
from fourfold.study.objective import Objective, split_batches
from fourfold.tasks.seam import Batch

RECIPE = {
    "data": "digits",
    "model": {"name": "mlp", "widths": [12], "dropout": 0.5},
    "loss": "cross_entropy",
    "algorithm": "supervised",
    "budget": {"steps": 20, "batch_size": 32},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(RECIPE, workspace=tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_at_the_trained_weights_it_is_the_loss_that_was_recorded(trained: Run, split: str) -> None:
    batches = split_batches(trained.parts.source, split, batch_size=97)
    assert sum(len(batch.inputs[0]) for batch in batches) == trained.parts.source.sizes[split]
    objective = Objective(trained.model, trained.parts.loss, batches)
    assert float(objective(objective.start)) == pytest.approx(trained.metrics[split]["loss"], rel=1e-5)


def test_value_and_gradient_are_the_network_s_own(trained: Run) -> None:
    batches = split_batches(trained.parts.source, "validation")
    objective = Objective(trained.model, trained.parts.loss, batches)
    moved = objective.start + 0.1
    loss, gradient = objective.gradient(moved)
    model = trained.model
    model.load_state_dict(objective.named(moved))
    value = trained.parts.loss(model(*batches[0].inputs), batches[0])
    value.mean.backward()
    expected = objective.flat({name: each.grad for name, each in model.named_parameters() if each.grad is not None})
    assert loss == pytest.approx(float(value.mean.detach()), rel=1e-6)
    torch.testing.assert_close(gradient, expected)


def test_a_ragged_split_weighs_every_example_once() -> None:
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(10, 3, generator=draw), torch.randn(10, 2, generator=draw)
    model = nn.Linear(3, 2)
    whole = Objective(model, MSE(), [Batch((x,), y)])
    ragged = Objective(model, MSE(), [Batch((x[:7],), y[:7]), Batch((x[7:],), y[7:])])
    torch.testing.assert_close(whole(whole.start), ragged(ragged.start))


def test_the_vector_is_taken_apart_and_put_together_again() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    objective = Objective(model, MSE(), [Batch((torch.zeros(1, 3),), torch.zeros(1, 1))])
    assert objective.size == 11
    named = objective.named(objective.start)
    assert {name: list(each.shape) for name, each in named.items()} == {
        "0.weight": [2, 3], "0.bias": [2], "1.weight": [1, 2], "1.bias": [1]
    }  # fmt: skip
    assert all(torch.equal(each, model.state_dict()[name]) for name, each in named.items())
    torch.testing.assert_close(objective.flat(named), objective.start)


def test_it_keeps_a_copy_and_leaves_the_model_alone() -> None:
    model = nn.Linear(2, 1)
    dropping = nn.Sequential(model, nn.Dropout(0.5)).train()
    example = Batch((torch.ones(64, 2),), torch.zeros(64, 1))
    assert float(Objective(dropping, MSE(), [example])(Objective(dropping, MSE(), [example]).start)) == pytest.approx(
        float(nn.functional.mse_loss(model(*example.inputs), example.targets).detach()), rel=1e-5
    )
    assert dropping.training
    objective = Objective(model, MSE(), [Batch((torch.ones(1, 2),), torch.zeros(1, 1))], dtype=torch.float64)
    before = float(objective(objective.start))
    with torch.no_grad():
        model.weight.add_(1)
    assert float(objective(objective.start)) == before
    assert model.weight.dtype == torch.float32
    assert objective.start.dtype == torch.float64
    assert model.training


def test_the_curvature_is_the_hessian_times_the_direction() -> None:
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(9, 2, generator=draw), torch.randint(3, (9,), generator=draw)
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 3))
    objective = Objective(model, CrossEntropy(), [Batch((x[:5],), y[:5]), Batch((x[5:],), y[5:])], torch.float64)
    direction = torch.randn(objective.size, generator=draw, dtype=torch.float64)
    exact: Tensor = torch.autograd.functional.hessian(objective, objective.start)
    torch.testing.assert_close(objective.curvature(objective.start, direction), exact @ direction)


def test_a_loss_that_is_linear_in_the_weights_has_no_curvature() -> None:
    class Total(MSE):
        def evaluate(self, output: Tensor, targets: Tensor) -> object:
            return super().evaluate(output, targets)._replace(total=output.sum())

    objective = Objective(nn.Linear(2, 1), Total(), [Batch((torch.ones(1, 2),), torch.zeros(1, 1))])
    assert objective.curvature(objective.start, torch.ones(3)).tolist() == [0, 0, 0]


def test_a_limit_cuts_inside_a_batch(trained: Run) -> None:
    source = trained.parts.source
    batches = split_batches(source, "train", limit=130, batch_size=50)
    whole = split_batches(source, "train")
    assert [len(batch.inputs[0]) for batch in batches] == [50, 50, 30]
    assert torch.equal(torch.cat([batch.inputs[0] for batch in batches]), whole[0].inputs[0][:130])
    assert torch.equal(torch.cat([batch.targets for batch in batches]), whole[0].targets[:130])


def test_what_cannot_be_an_objective_is_refused(trained: Run) -> None:
    with pytest.raises(InputError, match="no examples"):
        Objective(nn.Linear(2, 1), MSE(), [])
    with pytest.raises(InputError, match="no weights"):
        Objective(nn.Flatten(), MSE(), [Batch((torch.ones(1, 2),), torch.zeros(1, 2))])
    with pytest.raises(InputError, match="no other split"):
        split_batches(trained.parts.source, "other")
