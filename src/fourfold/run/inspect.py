"""What a recipe or a part is, in facts: fields, sizes, parameters, FLOPs, and what happens in a step.

FLOPs are torch.utils.flop_counter's: 2 for each multiply-add of a matrix product or convolution, one example forward;
activations, normalisation and additions are not counted.

Checked by: parameters and multiply-adds of an MLP and LeNet-5 by hand; every part's fields against its config.
"""

import contextlib
import math
from typing import Any, NamedTuple, get_args, get_origin

import torch
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from torch import nn

from fourfold.core.config import PartConfig
from fourfold.core.errors import FourfoldError
from fourfold.core.recipe import Recipe
from fourfold.data.base import DataConfig
from fourfold.nn.normalisation import LocalResponseNorm
from fourfold.run import runtime
from fourfold.run.beginning import beginning_of
from fourfold.run.build import build_model, build_parts, build_training, data_cache
from fourfold.run.loop import Schedule
from fourfold.run.processes import SingleProcess
from fourfold.tasks.seam import Spec


class FieldFacts(NamedTuple):
    """One field of a config."""

    name: str
    type: str  # "float", "one of relu, tanh", "list of int"
    default: Any
    required: bool
    range: str  # "0 <= x < 1", or ""
    description: str


class ModelFacts(NamedTuple):
    """A network's size."""

    params: int
    flops: int | None  # one example forward, 2 x multiply-adds; None where they cannot be counted
    input: str
    outputs: int
    layers: list[tuple[str, str, int]]  # name, class, parameters of its own
    counted_later: str = ""  # what the parameters are where training finds how many there are: support vectors

    @property
    def size(self) -> str:
        """How many parameters there are, in words."""
        return f"{self.counted_later}, counted after training" if self.counted_later else f"{self.params:,} parameters"


class RecipeFacts(NamedTuple):
    """A recipe at work, before its first step."""

    sizes: dict[str, int]
    notes: list[str]
    task: str
    headline: str
    batch_size: int
    steps_per_epoch: int
    schedule: Schedule
    model: ModelFacts
    step: list[str]


def describe_fields(config: type[PartConfig]) -> list[FieldFacts]:
    """Return every field of a part but its name."""
    return [_field_facts(name, field) for name, field in config.model_fields.items() if name != "name"]


def measure_model(model: nn.Module, spec: Spec) -> ModelFacts:
    """Count a network's parameters and the FLOPs of one example."""
    modules = list(model.named_modules())
    layers = [
        (name, type(module).__name__, sum(p.numel() for p in module.parameters(recurse=False)))
        for name, module in modules
        if name and not any(module.children())
    ]
    params = sum(p.numel() for p in model.parameters())
    later = getattr(model, "counted_later", "")
    flops = None if later else _count_flops(model, spec)
    return ModelFacts(params, flops, str(spec.input), spec.num_outputs, layers, later)


def measure_part(config: PartConfig) -> ModelFacts | None:
    """Build a model at its paper's inputs and outputs, without data, and count; None if it states none.

    On the meta device, where a network has shapes and no numbers, so that 138 million parameters need not be drawn.

    Raises:
        InputError: the config cannot be built.
    """
    spec: Spec | None = config.paper_spec()  # type: ignore[attr-defined]
    if spec is None:
        return None
    with contextlib.suppress(Exception), torch.device("meta"):
        facts = measure_model(build_model(config, spec, seed=0), spec)
        if facts.flops is not None:
            return facts
    return measure_model(build_model(config, spec, seed=0), spec)  # one that looks at its numbers


def is_data_here(recipe: Recipe) -> bool:
    """Return whether the recipe's data can be read without fetching them: looking at a recipe never downloads."""
    data, cache = recipe.data, data_cache()
    while isinstance(data, DataConfig):
        if getattr(data, "path", None) == "" or not data.is_here(cache):
            return False
        data = getattr(data, "of", None)  # what they are made from
    return True


def is_data_to_be_named(recipe: Recipe) -> bool:
    """Return whether the recipe is for data of one's own, and does not say which."""
    others = getattr(recipe.data, "of", "files") != "files"  # such as masked_text of reviews
    return getattr(recipe.data, "path", None) == "" and not others


def inspect_recipe(recipe: Recipe) -> RecipeFacts:
    """Build everything a recipe needs before its first step, and describe it; reads the data.

    Raises:
        InputError: the recipe cannot be built.
    """
    recipe = recipe.model_copy(update={"runtime": runtime.resolve_machine(_single(recipe))})
    beginning = beginning_of(recipe)
    recipe = recipe if beginning is None else beginning.recorded(recipe)
    parts = build_parts(recipe, beginning)
    facts = measure_model(parts.model, parts.source.spec)
    with torch.random.fork_rng(devices=[]):
        training, schedule, plan = build_training(recipe, parts, torch.device("cpu"), SingleProcess())
    return RecipeFacts(
        sizes=dict(parts.source.sizes),
        notes=[*parts.source.notes, *(beginning.notes if beginning else [])],
        task=parts.source.spec.task,
        headline=parts.source.spec.headline,
        batch_size=plan.batch_size,
        steps_per_epoch=plan.steps_per_epoch,
        schedule=schedule,
        model=facts,
        step=training.explain(),
    )


def _single(recipe: Recipe) -> Any:
    """Return the recipe's runtime for looking only: this process, nothing compiled."""
    return recipe.runtime.model_copy(update={"processes": 1, "device": "cpu", "compile": "none"})


def _count_flops(model: nn.Module, spec: Spec) -> int | None:
    from torch.utils.flop_counter import FlopCounterMode

    training = model.training
    model.eval()
    try:
        fused = {torch.ops.aten.mkldnn_rnn_layer: _lstm_layer_flops}
        with FlopCounterMode(display=False, custom_mapping=fused) as counter, torch.no_grad():
            model(*spec.example())
        by_module = counter.get_flop_counts()
        # normalisation is not counted, and this one is computed by a convolution
        responses = [name for name, module in model.named_modules() if isinstance(module, LocalResponseNorm)]
        not_counted = sum(sum(by_module[f"{type(model).__name__}.{name}"].values()) for name in responses)
        return int(counter.get_total_flops()) - not_counted
    except (RuntimeError, FourfoldError):  # a model that takes something else
        return None
    finally:
        model.train(training)


def _lstm_layer_flops(x: Any, w_x: Any, w_h: Any, *_: Any, **__: Any) -> int:
    """Return the FLOPs of oneDNN's layer of an LSTM, one operation that torch does not count, from its shapes."""
    time, batch, _inputs = x
    return 2 * time * batch * (math.prod(w_x) + math.prod(w_h))


def _field_facts(name: str, field: FieldInfo) -> FieldFacts:
    required = field.is_required()
    default = None if required else field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        default = None
    return FieldFacts(name, type_in_words(field.annotation), default, required, _range(field), field.description or "")


def type_in_words(annotation: Any) -> str:
    """Return a type as people say it: `Literal["a", "b"] | None` is "one of a, b, or null"."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        return "null"
    if origin is None:
        if isinstance(annotation, type) and issubclass(annotation, PartConfig):
            return annotation.__name__.removesuffix("Config").lower()
        return {str: "text", int: "integer", float: "number", bool: "true or false"}.get(
            annotation, getattr(annotation, "__name__", str(annotation))
        )
    if origin is list:
        return f"list of {type_in_words(arguments[0])}"
    if getattr(origin, "__name__", "") == "Literal" or str(origin) == "typing.Literal":
        return ("one of " if len(arguments) > 1 else "") + ", ".join(map(str, arguments))
    if hasattr(annotation, "__metadata__"):
        return type_in_words(arguments[0])
    return " or ".join(type_in_words(argument) for argument in arguments)


def _range(field: FieldInfo) -> str:
    low, high = "", ""
    for bound in field.metadata:
        if isinstance(bound, Ge | Gt):
            value, sign = (bound.ge, "<=") if isinstance(bound, Ge) else (bound.gt, "<")
            low = f"{value} {sign} "
        elif isinstance(bound, Le | Lt):
            value, sign = (bound.le, "<=") if isinstance(bound, Le) else (bound.lt, "<")
            high = f" {sign} {value}"
    return f"{low}x{high}" if low or high else ""
