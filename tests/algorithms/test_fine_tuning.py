"""Frozen parts and learning rates of their own, beside torch.optim's parameter groups."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fourfold.algorithms.bagging import BaggingConfig
from fourfold.algorithms.fine_tuning import FineTuning, LrFactor
from fourfold.algorithms.optimizers import OPTIMIZERS
from fourfold.algorithms.schedules import SCHEDULES
from fourfold.algorithms.supervised import Supervised, SupervisedConfig
from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.losses import CrossEntropy
from fourfold.models import MODELS
from fourfold.nn.normalisation import BatchNorm
from fourfold.tasks.seam import Batch, Plan, Source

STEPS = 12
THEIRS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "momentum": lambda groups, lr: torch.optim.SGD(groups, lr, momentum=0.9),
    "nesterov": lambda groups, lr: torch.optim.SGD(groups, lr, momentum=0.9, nesterov=True),
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
}


class Double:
    """The points of a source in float64."""

    def __init__(self, source: Source) -> None:
        self._source, self.spec, self.sizes = source, source.spec, source.sizes

    def train(self, order: Any) -> Any:
        stream = self._source.train(order)

        class Stream:
            def __iter__(self) -> Any:
                return self

            def __next__(self) -> Batch:
                batch = next(stream)
                return Batch(tuple(x.double() for x in batch.inputs), batch.targets)

        return Stream()


def source(tmp_path: Path) -> Any:
    data = DATA.parse({"name": "two_moons", "num_examples": 60, "validation": 0.15, "test": 0.15}, "data")
    return Double(data.build(0, tmp_path))  # type: ignore[attr-defined]


def network(kind: type[nn.Module] = nn.BatchNorm1d) -> nn.Module:
    """Two bodies of an affine map and a normalisation, and a head; the statistics are of something else."""
    torch.manual_seed(3)
    bodies = [nn.Sequential(nn.Linear(a, b), kind(b)) for a, b in ((2, 6), (6, 5))]  # type: ignore[call-arg]
    model = nn.Sequential(bodies[0], nn.Tanh(), bodies[1], nn.Tanh(), nn.Linear(5, 2)).double()
    model(5 + torch.randn(30, 2, dtype=torch.float64))
    return model


def build(tmp_path: Path, model: nn.Module, steps: int = STEPS, **fields: Any) -> Supervised:
    data = source(tmp_path)
    plan = Plan(seed=1, steps=steps, batch_size=12, steps_per_epoch=4)
    return SupervisedConfig(**fields).build(model, CrossEntropy(), data, plan)


def stepped(tmp_path: Path, model: nn.Module, optimizer: Any, still: list[nn.Module] | None = None) -> nn.Module:
    """Train as torch does, at a cosine of each group's learning rate."""
    batches = source(tmp_path).train(Plan(seed=1, steps=STEPS, batch_size=12).order)
    factor = SCHEDULES.parse("cosine", "schedule").build(STEPS)  # type: ignore[attr-defined]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    model.train()
    for layer in still or []:
        layer.eval()
    for _ in range(STEPS):
        batch = next(batches)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(*batch.inputs), batch.targets).backward()
        optimizer.step()
        schedule.step()
    return model


def assert_equal(ours: nn.Module, theirs: nn.Module) -> None:
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(
            ours.state_dict()[name], value, rtol=1e-6, atol=1e-7, msg=name
        )  # 1 / count is in float32


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("kind", [nn.BatchNorm1d, BatchNorm])
def test_equals_torch_with_parameter_groups_and_frozen_parts(name: str, kind: type[nn.Module], tmp_path: Path) -> None:
    model, lr = network(kind), 1.0 if name == "adadelta" else 0.01
    optimizer = {"name": name, "lr": lr}
    training = build(
        tmp_path,
        model,
        optimizer=optimizer,
        schedule="cosine",
        freeze=["0"],
        lr_factors={"2": 0.1, "2.0.bias": 3.0},
    )
    for _ in range(STEPS):
        model.train()  # as the loop does after it has looked at validation
        training.step()
    theirs = network()
    theirs[0].requires_grad_(False)
    groups = [
        {"params": theirs[4].parameters()},
        {"params": [theirs[2][0].weight, *theirs[2][1].parameters()], "lr": 0.1 * lr},
        {"params": [theirs[2][0].bias], "lr": 3 * lr},
    ]
    assert_equal(model, stepped(tmp_path, theirs, THEIRS[name](groups, lr=lr), [theirs[0][1]]))
    before = network()
    for part in ("0.0.weight", "0.1.weight", "0.1.running_mean"):
        assert torch.equal(model.state_dict()[part], before.state_dict()[part])
    assert not torch.equal(model[2][1].running_mean, before[2][1].running_mean)


def test_every_optimizer_is_among_them() -> None:
    assert {*THEIRS, "lars"} == set(OPTIMIZERS)  # torch has none: test_lars.py has groups of its own


def test_decoupled_decay_is_at_each_groups_learning_rate(tmp_path: Path) -> None:
    model = network()
    decay = {"name": "decoupled_weight_decay", "rate": 0.2, "biases": True}
    optimizer = {"name": "adam", "lr": 0.01}
    training = build(
        tmp_path,
        model,
        optimizer=optimizer,
        schedule="cosine",
        regularizers=[decay],
        lr_factors={"0": 0.1, "2": 0.5, "4": 2.0},  # the group at the optimizer's own is empty
    )
    for _ in range(STEPS):
        training.step()
    theirs = network()
    groups = [{"params": theirs[i].parameters(), "lr": 0.01 * each} for i, each in ((0, 0.1), (2, 0.5), (4, 2.0))]
    assert_equal(model, stepped(tmp_path, theirs, torch.optim.AdamW(groups, lr=0.01, weight_decay=0.2)))
    assert training.gauges()["lr"] == pytest.approx(0.01 * training.schedule(STEPS - 1))


@pytest.mark.parametrize("name", ["weight_decay", "l1", "decoupled_weight_decay", "gradient_clipping"])
def test_where_only_biases_move_nothing_else_does(name: str, tmp_path: Path) -> None:
    model, before = network(), network().state_dict()
    build(tmp_path, model, regularizers=[name], freeze=["*.weight"]).step()
    moved = {key for key, value in model.named_parameters() if not torch.equal(value, before[key])}
    assert moved == {key for key in before if key.endswith(".bias")}


def test_the_statistics_alone_can_be_frozen(tmp_path: Path) -> None:
    model, before = network(), network().state_dict()
    build(tmp_path, model, freeze=["*.running_mean"]).step()
    after = model.state_dict()
    assert {key for key in before if torch.equal(after[key], before[key])} == {
        f"{i}.1.{each}" for i in (0, 2) for each in ("running_mean", "running_var", "num_batches_tracked")
    }


def test_an_average_keeps_frozen_statistics(tmp_path: Path) -> None:
    model, before = network(), network().state_dict()
    training = build(tmp_path, model, regularizers=[{"name": "swa", "start": 2, "every": 2}], freeze=["0"])
    for _ in range(STEPS):
        training.step()
    assert "networks were averaged" in training.finish()[0]
    average = training.model.state_dict()
    assert training.model is not model
    assert torch.equal(average["0.1.running_mean"], before["0.1.running_mean"])
    assert not torch.equal(average["2.1.running_mean"], model.state_dict()["2.1.running_mean"])


def test_each_member_of_an_ensemble_is_frozen(tmp_path: Path) -> None:
    data = DATA.parse("two_moons", "data").build(0, tmp_path)  # type: ignore[attr-defined]
    config = BaggingConfig(members=2, freeze=["layers.1"])
    draw = MODELS.parse("mlp", "model").build  # type: ignore[attr-defined]
    model = config.network(lambda seed: draw(data.spec), data.spec, 0)
    before = [{key: value.clone() for key, value in member.state_dict().items()} for member in model.members]
    training = config.build(model, CrossEntropy(), data, Plan(seed=1, steps=4, batch_size=12))
    for _ in range(4):
        training.step()
    for member, was in zip(model.members, before, strict=True):
        now = member.state_dict()
        assert [key for key in was if torch.equal(now[key], was[key])] == ["layers.1.weight", "layers.1.bias"]


class Tied(nn.Module):
    """One weight under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)
        self.second.weight = self.first.weight


def test_a_tied_weight_is_frozen_and_scaled_under_either_name() -> None:
    model = Tied()
    tuning = FineTuning(model, [], [LrFactor(of="second.weight", factor=0.5)])
    assert [len(group) for group in tuning.groups] == [2, 1]
    assert tuning.groups[1][0] is model.first.weight
    FineTuning(model, ["second"], [])
    assert [name for name, p in model.named_parameters() if p.requires_grad] == ["first.bias"]


@pytest.mark.parametrize(
    ("name", "fields", "line"),
    [
        ("vgg11", {"freeze": ["feature"]}, "freeze.0: 'feature' names no parameter of VGG; did you mean 'features'?"),
        (
            "resnet18",
            {"freeze": ["fc", "layer5"]},
            "freeze.1: 'layer5' names no parameter of ResNet; did you mean 'lay",
        ),
        (
            "resnet18",
            {"freeze": ["layer1.2"]},
            "freeze.0: 'layer1.2' names no parameter of ResNet; did you mean 'layer",
        ),
        ("resnet18", {"freeze": ["layer"]}, "freeze.0: 'layer' names no parameter"),  # whole words only
        ("vgg11", {"freeze": ["features", "classifier"]}, "freeze: no parameter is left to move"),
        ("vgg11", {"freeze": [""]}, "freeze.0: '' names no parameter of VGG; one of classifier, features"),
        (
            "vgg11",
            {"lr_factors": {"head": 2.0}},
            "lr_factors: 'head' names no parameter of VGG; one of classifier",
        ),
        (
            "vgg11",
            {"freeze": ["features"], "lr_factors": {"classifier": 2.0, "features.0": 0.1}},
            "lr_factors: all of 'features.0' is frozen, and has no learning rate",
        ),
    ],
)
def test_a_mistake_is_one_line_with_the_nearest_name(name: str, fields: dict[str, Any], line: str) -> None:
    config = MODELS.parse(name, "model")
    with torch.device("meta"):
        model = config.build(config.paper_spec())  # type: ignore[attr-defined]
    asked = SupervisedConfig(**fields)
    with pytest.raises(InputError) as told:
        FineTuning(model, asked.freeze, asked.lr_factors)
    assert str(told.value).startswith(f"algorithm.{line}")


def test_a_step_is_explained(tmp_path: Path) -> None:
    lines = build(tmp_path, network(), freeze=["0"], lr_factors={"2": 0.1, "*.bias": 2.0}).explain()
    at = lines.index("set the learning rate, x 0.1 for 2, x 2 for *.bias")
    numbers = 2 * 6 + 3 * 6, 2 * 6 + 3 * 6 + 6 * 5 + 3 * 5 + 5 * 2 + 2
    kept = f"keep 0 still: {numbers[0]} of {numbers[1]} parameters, and running statistics (in evaluation mode: 1)"
    assert lines[at + 1] == kept
