"""TensorBoard's own reader reads what was written."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorboard", reason="needs the extra tensorboard")

from fourfold.records.folder import RunFolder
from fourfold.records.metrics import MetricWriter
from fourfold.records.trackers.tensorboard import TensorBoard


def events(folder: Path) -> list:
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    return [event for file in sorted(folder.iterdir()) for event in LegacyEventFileLoader(str(file)).Load()]


def scalars(folder: Path) -> list[tuple[int, str, float]]:
    return [
        (event.step, value.tag, value.simple_value)
        for event in events(folder)
        for value in event.summary.value
        if value.tag != "recipe"
    ]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(
        tmp_path / "내 실험", "손글씨", {"model": {"name": "mlp"}, "title": "손글씨", "seed": 0}, {}
    )


def test_its_reader_finds_every_point(run: RunFolder):
    writer = MetricWriter(run, ["tensorboard"])
    writer.add(1, {"train.loss": 0.5, "train.accuracy": 0.25})
    writer.add(2, {"train.loss": math.nan, "검증.정확도": math.inf})
    writer.finish("done", {})
    found = scalars(run.path / "tensorboard")
    assert found[:2] == [(1, "train/loss", 0.5), (1, "train/accuracy", 0.25)]
    assert found[2][:2] == (2, "train/loss")
    assert math.isnan(found[2][2])
    assert found[3] == (2, "검증/정확도", math.inf)


def test_the_recipe_is_a_text_of_the_text_plugin(run: RunFolder):
    tracker = TensorBoard(run.path)
    tracker.start("손글씨-1", run.recipe())
    tracker.finish("done")
    first, second = events(run.path / "tensorboard")
    assert first.file_version == "brain.Event:2"
    (value,) = second.summary.value
    assert value.metadata.plugin_data.plugin_name == "text"
    words = value.tensor.string_val[0].decode("utf-8")
    assert "손글씨-1" in words
    assert "name: mlp" in words


def test_a_resumed_run_gets_a_file_of_its_own(run: RunFolder):
    for step in (1, 2):
        tracker = TensorBoard(run.path)
        tracker.start("손글씨-1", {})
        tracker.log(step, {"train.loss": 0.5})
        tracker.finish("done")
    assert scalars(run.path / "tensorboard") == [(1, "train/loss", 0.5), (2, "train/loss", 0.5)]


def test_it_imports_neither_torch_nor_tensorflow(run: RunFolder):
    script = (
        "import sys, pathlib; from fourfold.records.trackers.tensorboard import TensorBoard\n"
        "sys.modules['tensorflow'] = None  # as good as not there; asking for it would raise\n"
        "tracker = TensorBoard(pathlib.Path(sys.argv[1])); tracker.start('a', {})\n"
        "tracker.log(1, {'a': 1.0}); tracker.finish('done')\n"
        "print('torch' in sys.modules, [name for name in sys.modules if name.startswith('tensorflow.')])"
    )
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", script, str(run.path)], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("False []", "")
