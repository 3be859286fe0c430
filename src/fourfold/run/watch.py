"""Hearing what a run does: the loop tells a watcher, and the command line, a notebook or a test listens."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Setup:
    """What is known before the first step."""

    run_id: str
    steps: int
    start: int
    params: int
    sizes: Mapping[str, int]
    notes: list[str]
    device: str
    precision: str
    headline: str
    counts: str = "examples"  # what speed is of
    task: str = ""  # what the data are for: an environment's sizes are no examples
    counted_later: str = ""  # what the parameters are where training finds how many there are: support vectors


class Watcher:
    """Hears nothing; override what you want to hear. Never called on the step path, only when something is read."""

    def started(self, setup: Setup) -> None:
        """The parts are built; the first step comes next."""

    def progressed(self, step: int, metrics: Mapping[str, float], examples_per_second: float) -> None:
        """A point of the training curve was read, or a validation ended."""

    def said(self, notice: str) -> None:
        """Something a person should know."""

    def ended(self, status: str) -> None:
        """The run is over."""
