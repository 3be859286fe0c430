"""The compiled gradient is the plain step's gradient. Compiling takes a while."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import torch

import fourfold as ff

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
@pytest.mark.parametrize("changes", [{}, {"model": "lenet5"}, {"loss": "focal"}, {"algorithm.regularizers": ["ema"]}])
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
