"""The seam: what passes between data, model, loss and algorithm, which never import each other.

source.train(order) -> Batch -> model(*batch.inputs) -> Output -> loss(output, batch) -> LossValue
algorithm.build(model, loss, source, plan) -> Training, whose step() moves the parameters once
"""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Iterator, Mapping, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.tasks.inputs import Features, Image, Series, Tokens
from fourfold.tasks.processes import OneProcess, Processes


class Batch(NamedTuple):
    """Examples on their way to the model: the loop calls `model(*batch.inputs)`."""

    inputs: tuple[Tensor, ...]  # each [batch, …]
    targets: Any  # a tensor [batch, …] or a named tuple of tensors


class LossValue(NamedTuple):
    """A loss as a sum and the number of examples summed, so that any split of a batch adds up exactly."""

    total: Tensor  # [], the sum over examples
    count: int | Tensor  # pyright: ignore[reportIncompatibleMethodOverride]  # tuple.count is of no use here
    parts: Mapping[str, Tensor] = {}  # named terms of the total, for curves

    @property
    def mean(self) -> Tensor:
        """The mean loss, `total / count`; call `.backward()` on it."""
        return self.total / self.count


class Scorer(ABC):
    """Adds up how well a model does on a split, batch by batch."""

    def ask(self, model: nn.Module, batch: Batch) -> None:
        """Have the model do what its output for a batch does not tell, such as translate; by default nothing."""

    @abstractmethod
    def update(self, output: Any, batch: Batch) -> None:
        """Add one batch."""

    @abstractmethod
    def merge(self, other: Any) -> None:
        """Add what another process's scorer has seen."""

    @abstractmethod
    def compute(self) -> dict[str, float]:
        """Return each metric over everything added so far."""


class Constant(NamedTuple):
    """The best answer that ignores the inputs: who does no better has learned nothing from them."""

    output: Tensor  # [1, outputs], what a model would return; [1, 1, classes] of tokens
    says: str  # such as "always answering 'cat', the most frequent class in training"


class Spec(ABC):
    """What a data source promises; each task subclasses it with its own promises.

    Attributes:
        task: the problem's name, such as `classification`.
        headline: the metric that decides between two models.
        higher_is_better: which way the headline improves.
        metrics: everything the scorer computes, and whether more of it is better; `loss` is always there beside it.
        counts: what a loss counts, and so what a run's speed is of: examples, or tokens.
        own_models: whether only models that were made for this task take its batches.
    """

    task: str
    headline: str
    higher_is_better: bool
    metrics: Mapping[str, bool] = {}
    counts: str = "examples"
    own_models: bool = False
    input: Any

    @property
    @abstractmethod
    def num_outputs(self) -> int:
        """Numbers the model must return for one example."""

    def example(self) -> tuple[Tensor, ...]:
        """Return inputs of one example as a model takes them, their numbers of no meaning, to try it with."""
        return self.input.example()

    @abstractmethod
    def scorer(self) -> Scorer:
        """Return an empty scorer."""

    @abstractmethod
    def predictions(self, output: Any) -> list[dict[str, Any]]:
        """Put each prediction of a batch in words and numbers, ready for JSON."""

    @abstractmethod
    def draw(self, batch: Batch, output: Any, raw: Any) -> Any:
        """Return a matplotlib figure that shows a few predictions to a person.

        `raw` holds the examples as the source had them before standardisation (pixels, units).
        """

    def constant(self) -> Constant | None:
        """Return the best answer that ignores the inputs, or None where the training split does not tell."""
        return None


S = TypeVar("S", bound=Spec)
I = TypeVar("I", Features, Image, Tokens, Series)


def require_task(spec: Spec, kind: type[S], who: str) -> S:
    """Return `spec` as `kind`, or raise InputError that says what `who` needs and what the data gives."""
    if not isinstance(spec, kind):
        raise InputError(f"{who} is for {kind.task}, but this data poses {spec.task}")
    return spec


_NEEDS: Mapping[type, str] = {Features: "rows of numbers", Image: "pictures", Tokens: "texts", Series: "series"}


def require_input(spec: Spec, kind: type[I], who: str) -> I:
    """Return `spec.input` as `kind`, or raise InputError that says what `who` needs and what the data gives."""
    if not isinstance(spec.input, kind):
        raise InputError(f"{who} needs {_NEEDS[kind]}, but this data gives {spec.input}")
    return spec.input


class Stream(Protocol):
    """Endless training batches that can be sought to any step without replaying the steps before it."""

    def __next__(self) -> Batch: ...

    def __iter__(self) -> Iterator[Batch]: ...

    def seek(self, step: int) -> None:
        """Make the next batch the one of `step` (0-based)."""
        ...


@dataclass(frozen=True)
class Order:
    """Which batches a process draws: the same order for every process, each taking its own share of a batch."""

    seed: int
    batch_size: int
    rank: int = 0
    processes: int = 1


class Source(ABC):
    """A data source: endless training batches and two ordered, complete evaluation splits.

    Attributes:
        spec: what every batch promises.
        sizes: examples in each split, by name ("train", "validation", "test"); of an environment, how many transitions
            count as an epoch and how many episodes are played to evaluate.
        notes: every decision made on the way, for the run's record.
        files: SHA-256 in hexadecimal of each file of the user's own that was read, by its path in the recipe; a run is
            resumed only while they hold the same.
    """

    spec: Spec
    sizes: Mapping[str, int]
    notes: list[str]
    files: Mapping[str, str] = {}

    @abstractmethod
    def train(self, order: Order) -> Stream:
        """Return the endless training stream, at step 0."""

    @abstractmethod
    def split(self, name: str, batch_size: int) -> Iterable[Batch]:
        """Return "train", "validation" or "test" in order, unaugmented, last batch kept."""

    def scored(self, name: str, batch_size: int) -> Iterable[Batch]:
        """Return what a split is scored on; by default all of it, as `split` gives it.

        A source of running text scores a part of its training split, which is no end in itself and would take as long
        as training does.
        """
        return self.split(name, batch_size)

    def resampled(self, examples: Tensor) -> "Source":
        """Return a source that trains on `examples` of this one's training split, and is evaluated as this one is.

        Args:
            examples: numbers in the order of `split("train")`, int64 `[count]`; one that stands twice counts twice.

        Raises:
            InputError: what this source trains on is no fixed set of examples.
        """
        raise InputError("data: samples can be drawn from a fixed set of training examples, and this data has none")

    @abstractmethod
    def raw(self, name: str, indices: list[int]) -> Any:
        """Return examples of a split as they were before standardisation, for drawing."""

    def environment(self, number: int = 0) -> Any:
        """Return training's environment `number`, a `tasks.control.Environment`, where the data are one to act in.

        Raises:
            InputError: they are examples.
        """
        raise InputError("data: these are examples, and nobody can act in them")

    def evaluate(self, model: nn.Module, split: str) -> dict[str, float] | None:
        """Return `model`'s metrics where a split is no set of labelled examples, such as episodes to play, or None.

        None, the default, has the task's scorer and the loss go over the batches of `split`.
        """
        return None

    def snapshot(self, model: nn.Module) -> Tensor | None:
        """Return a small picture of what `model` does, uint8 `[height, width, channels]`, or None, the default.

        It is kept in the run's folder at each validation, and draws on none of training's random streams.
        """
        return None

    @abstractmethod
    def to(self, device: torch.device) -> "Source":
        """Move in-memory data to `device` and return self."""


class Loss(Protocol):
    """What "good" means: a sum over examples of how bad an output is.

    A loss in which an example's share depends on the others of its batch has an attribute `couples_examples`, true.
    """

    def __call__(self, output: Any, batch: Batch) -> LossValue: ...


@dataclass(frozen=True)
class Plan:
    """What the run tells an algorithm: how long, how large, and where the arithmetic happens.

    Attributes:
        steps: parameter updates in the whole run, for schedules.
        batch_size: examples an update, over all processes.
        steps_per_epoch: updates in one pass over the training split, rounded up.
        compile: "none", "model" or "step" (see `core.recipe.Runtime`).
    """

    seed: int
    steps: int
    batch_size: int
    steps_per_epoch: int = 1
    accumulate: int = 1
    compile: str = "none"
    device: torch.device = torch.device("cpu")
    autocast: Callable[[], AbstractContextManager[Any]] = nullcontext
    processes: Processes = field(default_factory=OneProcess)

    @property
    def order(self) -> Order:
        """The order in which this process draws training batches."""
        return Order(self.seed, self.batch_size, self.processes.rank, self.processes.count)


class Training(ABC):
    """An algorithm at work. The loop calls `step` and nothing else to move parameters.

    Attributes:
        model: the network that is evaluated and saved (averaged weights, if the algorithm averages).
    """

    model: nn.Module

    @abstractmethod
    def step(self) -> LossValue:
        """Move the parameters once and return the loss, without waiting for the device.

        Raises:
            DivergedError: loss or gradient is not finite; the parameters were not moved.
        """

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Return everything but `model`'s own weights that the next step depends on, the step's number included.

        Values are tensors, numbers, strings, None, and lists and dicts of these; no pickled objects.
        """

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state as if never interrupted; `model`'s weights are loaded already."""

    def check(self) -> None:
        """Raise DivergedError if a step since the last check was refused; may wait for the device."""

    def gauges(self) -> dict[str, float]:
        """Return readings for the training curve beside the loss, such as the learning rate."""
        return {}

    def validated(self, step: int, metrics: Mapping[str, float]) -> str | None:
        """Hear the validation metrics; return a reason to stop early, or None."""
        return None

    def finish(self) -> list[str]:
        """End the run (restore the best weights, say) and return findings that a person should read."""
        return []

    def kept_step(self) -> int | None:
        """Return after how many steps the weights were reached that `finish` went back to, or None: the last ones."""
        return None

    def explain(self) -> list[str]:
        """Return what one step does, in order, a line each, for `fourfold show --steps`."""
        return []
