"""The recipe: four parts and a budget, as one frozen value that reads from and writes to YAML."""

import hashlib
import json
from typing import Any, Literal, Mapping

from pydantic import ConfigDict, Field, SerializeAsAny, field_validator, model_validator

from fourfold.core.config import Config, PartConfig, validate
from fourfold.core.document import to_yaml
from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.registry import Table
from fourfold.core.seeds import Seed

PARTS = ("data", "model", "loss", "algorithm")
WORDS = ("title", "paper", "expected")  # what a recipe says about itself; these change no bit of the result
Tables = Mapping[str, Table]


class Paper(Config):
    """Where the recipe comes from."""

    title: str
    authors: str | None = None
    year: int = Field(ge=1800, le=2100)
    section: str | None = Field(default=None, description="the section or table the settings are taken from")
    url: str | None = None


class Budget(Config):
    """How long to train, and how often to look."""

    steps: int | None = Field(default=None, ge=1, le=10**12, description="parameter updates; give this or epochs")
    epochs: float | None = Field(
        default=None, gt=0, le=10**9, description="passes over the training split; turned into steps"
    )
    batch_size: int | Literal["full"] = Field(
        default=64, description='examples an update; 1 is online, "full" is the whole split'
    )
    validate_every: int | None = Field(
        default=None, ge=1, description="steps between validations; null is once an epoch, at most 50 times"
    )
    checkpoint_every: int | None = Field(
        default=None,
        ge=1,
        description="steps between checkpoints; null is after 5 seconds, then ever more rarely, to once a minute",
    )
    log_every: int = Field(default=50, ge=1, description="steps between points of the training curve")

    @model_validator(mode="after")
    def _one_length(self) -> "Budget":
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give either budget.steps or budget.epochs")
        if isinstance(self.batch_size, int) and self.batch_size < 1:
            raise ValueError(f'budget.batch_size: must be at least 1, or "full" (got {self.batch_size})')
        return self


class Runtime(Config):
    """Where and how the arithmetic happens; without dropout, noise, mixing or soft_f1 only rounding depends on it."""

    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description="auto is cuda, else mps, else cpu"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="auto: bf16 autocast where it is native and pays, else fp32"
    )
    compile: Literal["none", "model", "step"] = Field(
        default="none", description="model: torch.compile the network; step: the whole step as one graph"
    )
    channels_last: bool | None = Field(
        default=None, description="memory layout of image batches; null is yes for convolutional models"
    )
    accumulate: int = Field(default=1, ge=1, description="micro-batches that one batch is cut into, to save memory")
    processes: int = Field(default=1, ge=1, description="data-parallel processes; each batch is shared between them")
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="CPU threads a process; null: one for small steps, else its share of the cores",
    )
    deterministic: bool = Field(default=True, description="refuse algorithms whose result depends on timing")


class Weights(Config):
    """What a network begins from in place of weights drawn at random."""

    file: str = Field(
        min_length=1,
        description="a .pth or .safetensors file, or the folder of a run or of a model of Hugging Face's; "
        '"torchvision": what it publishes, in torch\'s hub cache',
    )
    sha256: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="of the file; a run's record has it, and a resume checks it"
    )


class Expected(Config):
    """What the paper reports and what we measured; null until measured."""

    metric: str
    paper: float | None = None
    ours: float | None = Field(default=None, description="mean over seeds")
    spread: float | None = Field(default=None, description="standard deviation over seeds")
    seeds: int | None = Field(default=None, ge=1)
    minutes: float | None = Field(default=None, ge=0)
    device: str | None = None


class Recipe(Config):
    """Data, model, loss, algorithm, and a budget: all that a result depends on besides the code."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    title: str | None = Field(default=None, description="one line: what this recipe shows")
    paper: Paper | None = None
    data: SerializeAsAny[PartConfig]
    model: SerializeAsAny[PartConfig]
    loss: SerializeAsAny[PartConfig]
    algorithm: SerializeAsAny[PartConfig]
    budget: Budget = Budget(epochs=10)
    weights: Weights | None = Field(default=None, description="what the network begins from; null: drawn by the seed")
    runtime: Runtime = Runtime()
    seed: Seed = Field(default=0, description="every random stream is derived from it")
    expected: Expected | None = None

    @model_validator(mode="after")
    def _something_to_share(self) -> "Recipe":
        batch_size, processes = self.budget.batch_size, self.runtime.processes
        if isinstance(batch_size, int) and processes > batch_size:
            raise ValueError(
                f"runtime.processes: {processes} processes cannot share batches of {batch_size}; "
                f"the nearest valid number is {batch_size}"
            )
        return self

    @field_validator("weights", mode="before")
    @classmethod
    def _a_file_alone(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value

    def to_mapping(self) -> dict[str, Any]:
        """Return the recipe as plain data with every default filled in."""
        return {key: value for key, value in self.model_dump(mode="json").items() if value is not None or key in PARTS}

    def to_yaml(self) -> str:
        """Return the YAML that `parse_recipe` reads back to an equal recipe."""
        return to_yaml(self.to_mapping())

    def digest(self) -> str:
        """Return 16 hex digits that name everything the result depends on (not title, paper or expectation)."""
        settings = {k: v for k, v in self.to_mapping().items() if k not in WORDS}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def parse_recipe(fields: Mapping[str, Any], tables: Tables) -> Recipe:
    """Build a recipe from plain data, its four parts looked up in `tables`.

    Raises:
        InputError: one line with the dotted key, what is wrong, and the nearest valid name.
    """
    for key in fields:
        if key not in Recipe.model_fields:
            raise InputError(f"{key}: no such field{did_you_mean(key, Recipe.model_fields)}")
    for part in PARTS:
        if fields.get(part) is None:
            raise InputError(f"{part}: a recipe needs all four parts, data, model, loss and algorithm")
    parsed: dict[str, Any] = dict(fields)
    for part in PARTS:
        parsed[part] = tables[part].parse(fields[part], part)
    return validate(Recipe, parsed, "")
