"""The compiled step is the plain step. Compiling takes a while."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import torch

import fourfold as ff
from fourfold.algorithms.supervised import SupervisedConfig
from fourfold.core.errors import DivergedError
from fourfold.data import DATA
from fourfold.losses import CrossEntropy
from fourfold.models import MODELS
from fourfold.tasks.seam import Batch, Plan

pytestmark = pytest.mark.slow

RECIPE: dict[str, Any] = {
    "data": "digits",
    "model": {"name": "mlp", "widths": [16, 12]},
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "optimizer": {"name": "momentum", "lr": 0.05}},
    "budget": {"steps": 6, "batch_size": 500, "log_every": 1},  # 1,257 training examples: a third batch of 257
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}


@pytest.fixture(autouse=True)
def _compiler() -> None:
    """Skip where torch.compile cannot work: for a CPU it writes C++, which includes Python's header."""
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not on this machine, and torch.compile needs a C++ compiler")
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    if not header.is_file():
        pytest.skip(f"{header} is not on this machine, and torch.compile needs it")


@pytest.mark.filterwarnings("ignore")  # torch.compile's own
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": "lenet5"},
        {"model": {"name": "resnet_cifar", "depth": 8}, "algorithm.optimizer.lr": 0.001},  # running statistics
        {"loss": "focal"},
        {"algorithm.regularizers": ["ema"]},
        {"algorithm.regularizers": ["weight_decay", "input_noise"]},  # decay comes between gradient and update
        {"algorithm.regularizers": ["mixup", {"name": "cutmix", "probability": 0.5}, {"name": "swa", "start": 2}]},
        {"algorithm.schedule": "cosine"},
        *[{"algorithm.optimizer": name} for name in ("sgd", "nesterov", "adagrad", "adadelta", "rmsprop", "adam")],
    ],
    ids=str,
)
def test_the_same_run_as_step_by_step(changes: dict[str, Any], tmp_path: Path) -> None:
    plain = ff.run(RECIPE, changes, workspace=tmp_path)
    graph = ff.run(RECIPE, {**changes, "runtime.compile": "step"}, workspace=tmp_path)
    assert graph.recipe.runtime.compile == "step"
    for (step, a), (_, b) in zip(plain.curve("train.loss"), graph.curve("train.loss"), strict=True):
        assert b == pytest.approx(a, rel=1e-4), step
    for name, weight in plain.model.state_dict().items():
        torch.testing.assert_close(graph.model.state_dict()[name], weight, rtol=1e-3, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_a_graph_of_another_precision_compiled_before_is_not_taken(tmp_path: Path) -> None:
    small = {"model.widths": [5], "budget.batch_size": 32, "budget.steps": 3}
    curves: dict[tuple[str, str], list[float]] = {}
    for compile in ("none", "step"):
        for precision in ("fp32", "bf16"):
            changes = {**small, "runtime.compile": compile, "runtime.precision": precision}
            run = ff.run(RECIPE, changes, workspace=tmp_path)
            assert {p.dtype for p in run.model.parameters()} == {torch.float32}
            curves[compile, precision] = [value for _, value in run.curve("train.loss")]
    assert curves["step", "fp32"] == pytest.approx(curves["none", "fp32"], rel=1e-5)
    assert curves["step", "bf16"] == pytest.approx(curves["none", "bf16"], rel=1e-5)
    assert curves["step", "bf16"] != pytest.approx(curves["none", "fp32"], rel=1e-4)


class Poisoned:
    """A stream whose next batch has a value that is not finite."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __next__(self) -> Batch:
        batch = next(self.stream)
        inputs = batch.inputs[0].clone()
        inputs[7] = torch.inf
        return Batch((inputs,), batch.targets)


def build(tmp_path: Path, compile: str, schedule: str = "constant", smoothing: float = 0.0) -> Any:
    source = DATA.parse("digits", "data").build(0, tmp_path)  # type: ignore[attr-defined]
    torch.manual_seed(3)
    model = MODELS.parse({"name": "mlp", "widths": [6]}, "model").build(source.spec)  # type: ignore[attr-defined]
    plan = Plan(seed=0, steps=100, batch_size=500, steps_per_epoch=3, compile=compile)  # type: ignore[arg-type]
    config = SupervisedConfig(optimizer={"name": "adam", "lr": 0.01}, schedule=schedule)  # type: ignore[arg-type]
    return config.build(model, CrossEntropy(smoothing), source, plan)


def moments(algorithm: Any) -> list[dict[str, Any]]:
    states = algorithm.optimizer.state_dict()["state"]
    return [{name: torch.as_tensor(value).tolist() for name, value in state.items()} for state in states]


@pytest.mark.filterwarnings("ignore")
def test_a_step_that_is_not_finite_moves_nothing_and_is_diagnosed(tmp_path: Path) -> None:
    algorithm = build(tmp_path, "step")
    for _ in range(3):
        algorithm.step()
    weights, before = [p.detach().clone() for p in algorithm.params], moments(algorithm)
    algorithm._stream = Poisoned(algorithm._stream)
    with pytest.raises(DivergedError, match=r"^step 3: input 0 of the batch is not finite in example 7"):
        algorithm.step()
    assert all(torch.equal(param, weight) for param, weight in zip(algorithm.params, weights, strict=True))
    assert moments(algorithm) == before
    assert {state["step"] for state in before} == {3}


@pytest.mark.filterwarnings("ignore")
def test_a_new_learning_rate_at_every_step_compiles_nothing_anew(tmp_path: Path) -> None:
    algorithm = build(tmp_path, "step", schedule="cosine")
    for _ in range(3):  # both sizes of batch
        algorithm.step()
    with torch.compiler.set_stance("fail_on_recompile"):
        for _ in range(6):
            algorithm.step()


@pytest.mark.filterwarnings("ignore")
def test_two_graphs_in_one_process_keep_apart(tmp_path: Path) -> None:
    smoothings = 0.0, 0.5  # the same shapes, other arithmetic
    plain = [build(tmp_path, "none", smoothing=each) for each in smoothings]
    graphs = [build(tmp_path, "step", smoothing=each) for each in smoothings]
    for _ in range(3):
        for a, b in zip(plain, graphs, strict=True):
            torch.testing.assert_close(b.step().total, a.step().total, rtol=1e-4, atol=1e-5)
