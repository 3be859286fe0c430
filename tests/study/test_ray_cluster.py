"""Cells on a real Ray cluster of this machine; it takes some seconds to start."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from slow_part import write_slow_part

from fourfold.core.errors import InputError
from fourfold.records.folder import RunFolder
from fourfold.run.parts import recipe_fields, use_file
from fourfold.study.compare import compare, on_a_cluster
from fourfold.study.design import arms_of
from fourfold.study.question import Question

ray = pytest.importorskip("ray", reason="the `ray` extra is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # the warnings are Ray's own


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def question(algorithm: str = "supervised") -> Question:
    name, fields = recipe_fields("iris-softmax")
    budget = {"epochs": 4, "batch_size": 8, "checkpoint_every": 5}
    fields = {**fields, "budget": budget, "algorithm": algorithm}
    return Question({name: fields}, arms_of({"algorithm.optimizer": ["sgd", "adam"]}), [0, 1])


def test_a_cluster_says_what_this_machine_says(cluster: None, tmp_path: Path) -> None:
    there = compare(question(), tmp_path / "ray", place=on_a_cluster)
    assert there == compare(question(), tmp_path / "here")


def test_a_worker_that_is_killed_costs_its_cell_some_steps_and_nothing_else(cluster: None, tmp_path: Path) -> None:
    use_file(write_slow_part(tmp_path, "slow_on_ray", 0.02))
    killed: list[int] = []

    def kill_the_first() -> None:
        cells, deadline = tmp_path / "ray" / "cells", time.monotonic() + 120
        while not killed and time.monotonic() < deadline:
            for path in cells.glob("*/checkpoints/last"):
                folder = RunFolder.open(path.parent.parent)
                if folder.status == "running":
                    os.kill(int(folder.identity.process["pid"]), signal.SIGKILL)
                    killed.append(int(folder.identity.process["pid"]))
                    break
            time.sleep(0.02)

    killer = threading.Thread(target=kill_the_first)
    killer.start()
    there = compare(question("slow_on_ray"), tmp_path / "ray", place=on_a_cluster)
    killer.join()
    assert killed, "nothing was killed, so nothing was shown"
    assert there == compare(question("slow_on_ray"), tmp_path / "here")
    assert there["complete"]


def test_a_mistake_comes_back_in_one_line(cluster: None, tmp_path: Path) -> None:
    name, fields = recipe_fields("iris-softmax")
    asked = Question({name: {**fields, "model": "softmax_regression"}}, arms_of({"model": ["mlp", "lenet5"]}), [0])
    with pytest.raises(InputError, match="lenet5 needs pictures"):
        compare(asked, tmp_path, place=on_a_cluster)
