"""Specs as plain data, so that a run folder says what its model was built for without the data it came from.

Checked by: every spec reads back equal; junk is refused in one line.
"""

from dataclasses import MISSING, fields
from importlib import import_module
from typing import Any, Mapping, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from fourfold.core.errors import InputError, did_you_mean
from fourfold.tasks.inputs import AnyInput, Features, Image, Series, Tokens
from fourfold.tasks.seam import Spec

# The table of tasks: the only names a stored spec can choose from.
TASKS: Mapping[str, str] = {
    "classification": "fourfold.tasks.classification:ClassificationSpec",
    "regression": "fourfold.tasks.regression:RegressionSpec",
    "probabilistic_regression": "fourfold.tasks.probabilistic_regression:ProbabilisticRegressionSpec",
    "masked_language_modelling": "fourfold.tasks.masked_language_modelling:MaskedLanguageModellingSpec",
    "language_modelling": "fourfold.tasks.language_modelling:LanguageModellingSpec",
    "text_classification": "fourfold.tasks.text_classification:TextClassificationSpec",
    "sentence_pairs": "fourfold.tasks.sentence_pairs:SentencePairsSpec",
    "tagging": "fourfold.tasks.tagging:TaggingSpec",
    "translation": "fourfold.tasks.translation:TranslationSpec",
    "forecasting": "fourfold.tasks.forecasting:ForecastingSpec",
    "contrastive": "fourfold.tasks.contrastive:ContrastiveSpec",
    "control": "fourfold.tasks.control:ControlSpec",
    "image_synthesis": "fourfold.tasks.synthesis:ImageSynthesisSpec",
    "point_synthesis": "fourfold.tasks.synthesis:PointSynthesisSpec",
}

INPUTS: Mapping[str, type[AnyInput]] = {"features": Features, "image": Image, "tokens": Tokens, "series": Series}

_STRICT = ConfigDict(strict=True, allow_inf_nan=False)


def spec_to_mapping(spec: Spec) -> dict[str, Any]:
    """Return `spec` as JSON-ready data: its task, its input by kind, and its other fields."""
    kind = next(name for name, cls in INPUTS.items() if isinstance(spec.input, cls))
    others = {field.name: getattr(spec, field.name) for field in fields(spec) if field.name != "input"}  # pyright: ignore[reportArgumentType]
    return from_json(to_json({"task": spec.task, "input": {"kind": kind, **spec.input._asdict()}, **others}))


def spec_from_mapping(mapping: Mapping[str, Any]) -> Spec:
    """Rebuild a spec from `spec_to_mapping`'s data.

    Raises:
        InputError: an unknown task or kind of input, or a field that is missing, unknown or of the wrong type.
    """
    data = dict(mapping) if isinstance(mapping, Mapping) else {}
    task = data.pop("task", None)
    if not isinstance(task, str) or task not in TASKS:
        raise InputError(f"spec.task: no task called {task!r}{did_you_mean(str(task), TASKS)}")
    cls = _load(TASKS[task])
    types = get_type_hints(cls)
    known = fields(cls)  # pyright: ignore[reportArgumentType]
    _refuse_unknown(data, [field.name for field in known], "spec")
    values: dict[str, Any] = {"input": _input(data.pop("input", None))}
    for field in known:
        if field.name in data:
            values[field.name] = _read(data[field.name], types[field.name], f"spec.{field.name}")
        elif field.name != "input" and field.default is MISSING:
            raise InputError(f"spec.{field.name}: this field is required")
    return cls(**values)


def _load(target: str) -> type[Spec]:
    module, _, cls = target.partition(":")
    return getattr(import_module(module), cls)


def _input(value: Any) -> AnyInput:
    data = dict(value) if isinstance(value, Mapping) else {}
    kind = data.pop("kind", None)
    if not isinstance(kind, str) or kind not in INPUTS:
        raise InputError(f"spec.input.kind: no kind of input called {kind!r}{did_you_mean(str(kind), INPUTS)}")
    cls = INPUTS[kind]
    _refuse_unknown(data, cls._fields, "spec.input")
    types = get_type_hints(cls)
    for name in cls._fields:
        if name not in data:
            raise InputError(f"spec.input.{name}: this field is required")
        data[name] = _read(data[name], types[name], f"spec.input.{name}")
    for name, number in data.items():
        if isinstance(number, int) and number < 1:
            raise InputError(f"spec.input.{name}: {number}; {kind} needs one or more")
    return cls(**data)


def _read(value: Any, kind: Any, at: str) -> Any:
    """Return `value` as `kind`; JSON arrays become tuples, and nothing is converted otherwise."""
    try:
        return TypeAdapter(kind, config=_STRICT).validate_json(to_json(value))
    except (ValidationError, ValueError, TypeError) as error:
        problem = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise InputError(f"{at}: {problem[:1].lower()}{problem[1:]}") from None


def _refuse_unknown(data: Mapping[str, Any], known: Any, at: str) -> None:
    for name in data:
        if name not in known:
            raise InputError(f"{at}.{name}: no such field{did_you_mean(str(name), known)}")
