"""Device, precision, threads and determinism: what is chosen here, and what is refused."""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fourfold.core.errors import InputError
from fourfold.core.recipe import Runtime
from fourfold.run import runtime
from fourfold.run.api import run
from fourfold.run.launch import launch
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Features, Image, Spec, Tokens

RECIPE: dict[str, Any] = {
    "data": "digits",
    "model": {"name": "mlp", "widths": [8]},
    "loss": "cross_entropy",
    "algorithm": "supervised",
    "budget": {"steps": 20, "batch_size": 64, "log_every": 5},
    "runtime": {"device": "cpu"},
}


@pytest.fixture(autouse=True)
def _switches_as_before() -> Iterator[None]:
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("error" if deterministic else "default")


def small() -> nn.Module:
    return nn.Linear(10, 10)  # 110 parameters


def large() -> nn.Module:
    return nn.Linear(1000, 1000)  # over a million


def convolutional() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())


def test_one_thread_for_a_small_step_and_its_share_of_the_cores_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def threads(model: nn.Module, batch_size: int, **fields: Any) -> int | None:
        return runtime.resolve_model(Runtime(device="cpu", **fields), model, batch_size).threads

    assert threads(small(), 64) == 1
    assert threads(large(), 64) == 8
    # 6 operations a parameter and example: 110 x 6 x 45,454 is just below the limit, x 45,455 just above it
    assert runtime.SMALL_STEP == 30e6
    assert (threads(small(), 45_454), threads(small(), 45_455)) == (1, 8)
    assert threads(convolutional(), 1) == 8  # parameters are used at every place: their number says nothing
    assert threads(large(), 64, processes=2) == 4
    assert threads(large(), 64, processes=3) == 2
    assert threads(large(), 64, processes=100) == 1
    assert threads(small(), 64, threads=5) == 5
    assert threads(large(), 64, threads=5, processes=8) == 5
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert (threads(large(), 64), threads(large(), 64, processes=4), threads(large(), 64, threads=5)) == (3, 2, 5)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")  # torchrun sets the other variable to 1, whoever started it
    assert threads(large(), 64) == 8


def test_cores_are_those_this_process_may_use() -> None:
    expected = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert runtime.cores() == expected


@pytest.mark.parametrize("native", [True, False])
def test_auto_precision(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "has_native_bf16", lambda device: native)

    def precision(model: nn.Module, asked: str = "auto") -> str:
        return runtime.resolve_model(Runtime(device="cpu", precision=asked), model, 64).precision  # type: ignore[arg-type]

    assert precision(small()) == "fp32"
    assert precision(large()) == ("bf16" if native else "fp32")
    assert precision(convolutional()) == ("bf16" if native else "fp32")
    assert precision(small(), "bf16") == "bf16"
    assert precision(large(), "fp32") == "fp32"


def test_weights_count_as_often_as_a_step_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "has_native_bf16", lambda device: True)
    monkeypatch.setattr(runtime, "cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def chosen(spec: Spec | None, batch_size: int) -> tuple[str, int | None]:
        resolved = runtime.resolve_model(Runtime(device="cpu"), small(), batch_size, spec)
        return resolved.precision, resolved.threads

    texts = ClassificationSpec(Tokens(11, 100, 1), ("a", "b"))
    assert [chosen(texts, 727), chosen(texts, 728)] == [("fp32", 8), ("bf16", 8)]  # 110 x 72,728 is over 8 million
    assert [chosen(texts, 454), chosen(texts, 455)] == [("fp32", 1), ("fp32", 8)]
    pictures = ClassificationSpec(Image(1, 7, 7), ("a", "b"))
    assert [chosen(spec, 72_728)[0] for spec in (pictures, None)] == ["bf16", "bf16"]
    assert [chosen(spec, 72_727)[0] for spec in (pictures, None)] == ["fp32", "fp32"]


def test_numbers_made_of_numbers_keep_their_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "has_native_bf16", lambda device: True)

    def precision(spec: Spec, asked: str = "auto") -> str:
        return runtime.resolve_model(Runtime(device="cpu", precision=asked), large(), 64, spec).precision  # type: ignore[arg-type]

    row = Features(("x",))
    assert precision(ClassificationSpec(row, ("a", "b"))) == "bf16"
    assert precision(RegressionSpec(row, ("price",), (0.0,), (1.0,))) == "fp32"
    assert precision(RegressionSpec(row, ("price",), (0.0,), (1.0,)), "bf16") == "bf16"
    assert precision(RegressionSpec(Image(1, 7, 7), ("age",), (0.0,), (1.0,))) == "bf16"


def test_channels_last_for_convolutions_unless_told_otherwise() -> None:
    def layout(model: nn.Module, asked: bool | None) -> bool | None:
        return runtime.resolve_model(Runtime(device="cpu", channels_last=asked), model, 64).channels_last

    assert [layout(convolutional(), asked) for asked in (None, True, False)] == [True, True, False]
    assert [layout(small(), asked) for asked in (None, True, False)] == [False, True, False]
    chosen = runtime.resolve_model(Runtime(device="cpu"), convolutional(), 64)
    placed = runtime.place(nn.Conv2d(3, 4, 3), chosen, torch.device("cpu"))
    assert placed.weight.is_contiguous(memory_format=torch.channels_last)  # type: ignore[union-attr]
    plain = runtime.place(nn.Conv2d(3, 4, 3), chosen.model_copy(update={"channels_last": False}), torch.device("cpu"))
    assert plain.weight.is_contiguous()  # type: ignore[union-attr]


@pytest.mark.promise("R9")
@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_one_line_and_nothing_is_created(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^runtime.device: this machine has no cuda; it has .*cpu$"):
        run(RECIPE, {"runtime.device": "cuda"}, workspace=tmp_path / "runs")
    assert list(tmp_path.iterdir()) == []


def test_auto_device_is_the_best_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for devices in (["cuda", "cpu"], ["mps", "cpu"], ["cpu"]):
        monkeypatch.setattr(runtime, "available_devices", lambda devices=devices: devices)
        assert runtime.resolve_machine(Runtime()).device == devices[0]
        assert runtime.resolve_machine(Runtime(device="cpu")).device == "cpu"


@pytest.mark.promise("R10")
def test_the_record_names_what_auto_became(tmp_path: Path) -> None:
    recorded = run(RECIPE, workspace=tmp_path).folder.recipe()["runtime"]
    assert recorded["device"] == "cpu"
    assert recorded["precision"] == "fp32"
    assert recorded["threads"] == 1
    assert recorded["channels_last"] is False
    assert "auto" not in recorded.values()


def test_bf16_multiplies_in_bf16_and_keeps_weights_and_loss_in_fp32(tmp_path: Path) -> None:
    assert torch.get_autocast_dtype("cpu") is not None
    with runtime.autocast(Runtime(device="cpu", precision="bf16"))():
        assert small()(torch.ones(2, 10)).dtype is torch.bfloat16
    with runtime.autocast(Runtime(device="cpu", precision="fp32"))():
        assert small()(torch.ones(2, 10)).dtype is torch.float32
    whole = run(RECIPE, {"runtime.precision": "fp32"}, workspace=tmp_path)
    half = run(RECIPE, {"runtime.precision": "bf16"}, workspace=tmp_path)
    assert half.folder.recipe()["runtime"]["precision"] == "bf16"
    assert {p.dtype for p in half.model.parameters()} == {torch.float32}
    losses = [dict(each.curve("train.loss")) for each in (whole, half)]
    assert losses[0] != losses[1]  # eight bits of mantissa leave a trace
    for step, loss in losses[0].items():
        assert losses[1][step] == pytest.approx(loss, rel=0.03)


def test_deterministic_is_switched_on_and_off_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    torch.set_deterministic_debug_mode("default")
    runtime.apply(Runtime(device="cpu", threads=1))
    assert torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    runtime.apply(Runtime(device="cpu", threads=1, deterministic=False))
    assert not torch.are_deterministic_algorithms_enabled()
    run(RECIPE, {"runtime.deterministic": True}, workspace=tmp_path)
    assert torch.are_deterministic_algorithms_enabled()


def test_a_run_does_not_import_the_compiler(tmp_path: Path) -> None:
    """It takes longer to import than everything else together; deterministic algorithms are on."""
    code = f"""
import json, sys
from fourfold.run.api import run
import torch
run(json.loads({json.dumps(json.dumps(RECIPE))}), workspace={str(tmp_path)!r})
assert torch.are_deterministic_algorithms_enabled()
print([name for name in ("torch._dynamo", "torch._inductor", "torchvision") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_threads_are_set(tmp_path: Path) -> None:
    run(RECIPE, {"runtime.threads": 2}, workspace=tmp_path)
    assert torch.get_num_threads() == 2
    run(RECIPE, {"runtime.threads": 1}, workspace=tmp_path)
    assert torch.get_num_threads() == 1


def test_launch_returns_the_first_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert launch(["list", "parts", "--json"], 2) == 0
    assert launch(["show", "no-such-thing"], 2) == 2


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_freed_memory_is_kept_for_the_next_step() -> None:
    code = """
import resource, torch
from fourfold.run.runtime import keep_freed_memory

def fetched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        a = torch.ones(12_000_000)  # 48 MB, which glibc gives back to the system when it is freed
        del a
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = fetched()
keep_freed_memory()
fetched()
print(given_back, fetched())
"""
    given_back, kept = map(int, subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert given_back > 5 * 5_000
    assert kept < given_back / 100
