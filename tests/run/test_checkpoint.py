"""Checkpoints: what is saved comes back exactly."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from fourfold.run.checkpoint import (
    KEEP,
    has_checkpoint,
    load_checkpoint,
    load_newest,
    load_weights,
    random_state,
    save_checkpoint,
    set_random_state,
)

CPU = torch.device("cpu")


def bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous().flatten().view(torch.uint8)


def equal(a: Any, b: Any) -> bool:
    """Same structure, same types, same bits."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        same_kind = a.dtype == b.dtype and a.shape == b.shape
        return same_kind and torch.equal(bits(a), bits(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and a == b


def test_everything_comes_back_bit_for_bit(tmp_path: Path) -> None:
    model = {
        "weight": torch.randn(3, 4),
        "half": torch.randn(3).half(),
        "brain": torch.tensor([1e30, 1e-30, math.pi]).bfloat16(),  # the first two are none of half's numbers
        "double": torch.tensor([math.pi, 1e300], dtype=torch.float64),
        "bytes": torch.arange(3, dtype=torch.uint8),
        "count": torch.tensor(7),
        "none": torch.ones(0),
    }
    state = {
        "step": 3,
        "lr": 0.1 + 0.2,
        "best": math.inf,
        "last": math.nan,
        "why": None,
        "on": True,
        "name": "한글 name",
        "empty": {"list": [], "dict": {}},
        "odd": torch.tensor([math.nan, math.inf, -0.0, 1e-45]),
        "nested": [{"exp_avg": torch.randn(2, 2), "step": 2}, torch.arange(5), [torch.tensor(True)]],
        "random": random_state(CPU),
    }
    path = save_checkpoint(tmp_path / "체크 points", 3, model, state)
    loaded = load_checkpoint(path)
    assert loaded.step == 3
    assert equal(loaded.model, model)
    assert equal(loaded.state, state)
    assert equal(load_weights(path.parent / "last" / "model.safetensors"), model)


def test_keys_with_dots_do_not_meet(tmp_path: Path) -> None:
    state = {
        "a.b": torch.zeros(1),
        "a": {"b": torch.ones(1)},
        "c": [torch.full((1,), 2.0)],
        "c.0": torch.full((1,), 3.0),
    }
    assert equal(load_checkpoint(save_checkpoint(tmp_path, 1, {}, state)).state, state)


def test_tied_weights_and_odd_layouts_are_saved(tmp_path: Path) -> None:
    weight = torch.randn(4, 4)
    images = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    model = {"a": weight, "tied": weight, "transposed": weight.T, "images": images, "slice": weight[:, 1]}
    assert equal(load_checkpoint(save_checkpoint(tmp_path, 1, model, {})).model, model)


def test_what_is_saved_is_what_was_there_at_that_moment(tmp_path: Path) -> None:
    weight = torch.ones(2)
    path = save_checkpoint(tmp_path, 1, {"w": weight}, {})
    weight.zero_()
    assert load_checkpoint(path).model["w"].tolist() == [1, 1]


@pytest.mark.promise("R7")
@pytest.mark.parametrize("value", [object(), {1: 2}, {"$tensor": "x"}, b"bytes", {1, 2}, 1j])
def test_what_is_no_data_is_not_saved(tmp_path: Path, value: object) -> None:
    with pytest.raises(TypeError, match="state 'a"):
        save_checkpoint(tmp_path, 1, {}, {"a": value})
    assert not has_checkpoint(tmp_path)


def test_the_newest_few_are_kept_and_last_points_at_the_newest(tmp_path: Path) -> None:
    for step in (1, 9, 10, 11):
        save_checkpoint(tmp_path, step, {"w": torch.tensor(float(step))}, {})
        assert load_newest(tmp_path)[0].step == step
        assert (tmp_path / "last").resolve().name == f"step-{step:09d}"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last", "step-000000010", "step-000000011"]
    assert KEEP == 2


def test_a_step_saved_again_is_the_newest(tmp_path: Path) -> None:
    for value in range(12):
        save_checkpoint(tmp_path, 5, {"w": torch.tensor(value)}, {})
        assert int(load_newest(tmp_path)[0].model["w"]) == value
    names = sorted(path.name for path in tmp_path.glob("step-*"))
    assert names == ["step-000000005-011", "step-000000005-012"]  # never one of these names again


@pytest.mark.promise("R2")
def test_a_damaged_later_checkpoint_does_not_push_out_a_good_one(tmp_path: Path) -> None:
    for step in (8, 12):
        save_checkpoint(tmp_path, step, {}, {})
        (tmp_path / f"step-{step:09d}" / "state.json").write_bytes(b"")
    for step in (3, 4, 6):  # the run went on from before both
        save_checkpoint(tmp_path, step, {}, {})
        assert load_newest(tmp_path)[0].step == step


def test_random_streams_continue() -> None:
    torch.manual_seed(5)
    torch.rand(3)
    state = random_state(CPU)
    expected = torch.randn(7)
    torch.manual_seed(1)
    set_random_state(state, CPU)
    assert torch.equal(torch.randn(7), expected)


def test_the_state_is_readable_by_anyone(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 2, {}, {"step": 2, "average": torch.ones(1)})
    body = json.loads((path / "state.json").read_text(encoding="utf-8"))
    assert body == {"step": 2, "state": {"step": 2, "average": {"$tensor": "average"}}}
