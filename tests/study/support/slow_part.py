"""A file of a user's own parts: an algorithm that waits before each step, so that there is time to kill it."""

from pathlib import Path

PART = """
import time
from typing import Literal
from fourfold.algorithms.supervised import SupervisedConfig

class SlowConfig(SupervisedConfig):
    name: Literal["NAME"] = "NAME"

    def build(self, model, loss, source, plan):
        training = super().build(model, loss, source, plan)
        step = training.step
        def slowly():
            time.sleep(SECONDS)
            return step()
        training.step = slowly
        return training

PARTS = {"algorithm": {"NAME": SlowConfig}}
"""


def write_slow_part(folder: Path, name: str, seconds: float) -> Path:
    """Write the file, whose algorithm is called `name` and waits so long before each step."""
    file = folder / f"{name}.py"
    file.write_text(PART.replace("NAME", name).replace("SECONDS", str(seconds)), encoding="utf-8")
    return file
