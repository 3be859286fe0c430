"""TensorBoard event files, in `<run folder>/tensorboard`; `tensorboard --logdir runs` shows every run.

Source: tensorboard's event.proto and record format.
Departures: tensorboard's own EventFileWriter is not used, for it imports TensorFlow where that is installed, and
TensorFlow and torch cannot share a process; its record writer and messages are.
Checked by: tensorboard's own reader.
"""

import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourfold.core.document import to_yaml


class TensorBoard:
    """Writes one event file a process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "tensorboard"

    def start(self, run_id: str, recipe: Mapping[str, Any]) -> None:
        """Open the file and put the recipe in it, as a text."""
        from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboard.compat.proto.tensor_pb2 import TensorProto  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._folder.mkdir(exist_ok=True)
        now = time.time()
        # the form of name that tensorboard looks for; the nanoseconds keep a resumed run's file apart
        name = f"events.out.tfevents.{int(now):010d}.{platform.node()}.{time.time_ns()}"
        self._file = open(self._folder / name, "xb")  # noqa: SIM115 - closed by finish
        self._records, self._event, self._summary = RecordWriter(self._file), Event, Summary
        self._write(file_version="brain.Event:2")
        text = TensorProto(
            dtype="DT_STRING",
            tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
            string_val=[f"**{run_id}**\n```\n{to_yaml(dict(recipe))}```".encode()],
        )
        kind = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
        self._write(step=0, summary=Summary(value=[Summary.Value(tag="recipe", tensor=text, metadata=kind)]))
        self._file.flush()

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Write the metrics of one step; `train.loss` becomes `train/loss`, which tensorboard groups."""
        scalars = [self._summary.Value(tag=n.replace(".", "/"), simple_value=v) for n, v in values.items()]
        self._write(step=step, summary=self._summary(value=scalars))
        self._file.flush()

    def finish(self, status: str) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, **fields: Any) -> None:
        self._records.write(self._event(wall_time=time.time(), **fields).SerializeToString())
