"""Strict, frozen configs: the base of every part's fields.

A config is data: numbers, strings, lists and other configs. Unknown fields are refused, so a typo can never be
silently ignored, and the nearest field name is offered.
"""

import re
from typing import Annotated, Any, Mapping, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from fourfold.core.errors import InputError, did_you_mean


class Config(BaseModel):
    """Base of all configs: frozen, extra fields forbidden, defaults validated."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False)


class PartConfig(Config):
    """A config that names an entry of a part table."""

    name: str

    def to_mapping(self) -> dict[str, Any]:
        """Return every field, defaults filled in, as plain YAML-ready values."""
        return self.model_dump(mode="json")


C = TypeVar("C", bound=Config)
_UNION_MEMBER = re.compile(r"(constrained-)?(int|float|str|bool)|[a-z]+\[.*\]")
_NOT_FINITE = re.compile(r"[-+.]*(nan|inf|infinity)", re.IGNORECASE)


def validate(cls: type[C], fields: Mapping[str, Any], at: str) -> C:
    """Build `cls` from `fields`; `at` is the dotted key they came from, for messages.

    Raises:
        InputError: one line with the key, what is wrong, and the nearest valid name.
    """
    try:
        return cls.model_validate(dict(fields))
    except ValidationError as error:
        raise InputError(explain(cls, _most_telling(error.errors()), at)) from None


def _most_telling(errors: list[ErrorDetails]) -> ErrorDetails:
    """Return the first error; of a field that takes several kinds of value, that of the kind which was given."""
    first = errors[0]
    if isinstance(first["input"], list) and _UNION_MEMBER.fullmatch(str(first["loc"][-1])):
        field = first["loc"][:-1]
        alike = [e for e in errors if e["loc"][: len(field)] == field]
        return next((e for e in alike if str(e["loc"][len(field)]).startswith("list[")), first)
    words = [e for e in errors if e["type"] == "literal_error" and e["loc"][:-1] == first["loc"][:-1]]
    return words[0] if words and isinstance(first["input"], str) else first


def explain(cls: type[BaseModel], error: ErrorDetails, at: str) -> str:
    """Turn one pydantic error into one line."""
    location = [str(part) for part in error["loc"]]
    if error["type"] != "extra_forbidden":  # which of several types was tried is no part of the key
        location = [part for i, part in enumerate(location) if i == 0 or not _UNION_MEMBER.fullmatch(part)]
    key = ".".join([at, *location] if at else location)
    if error["type"] == "extra_forbidden":
        owner = _class_at(cls, error["loc"][:-1])
        fields = [name for name in owner.model_fields if name != "name"] if owner else []
        return f"{key}: no such field{did_you_mean(location[-1], fields)}"
    if error["type"] == "value_error":
        message = str(error["ctx"]["error"]) if "ctx" in error else error["msg"]
        return message if message.startswith(at + ".") or message.startswith(key) else f"{key}: {message}"
    shown = "nothing" if error["input"] is None else repr(error["input"])
    shown = shown if len(shown) <= 60 else shown[:57] + "…"
    if error["type"] == "missing":
        return f"{key}: this field is required"
    if error["type"] == "literal_error" and isinstance(error["input"], str) and "ctx" in error:
        choices = [choice.strip().strip("'") for choice in error["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return f"{key}: {shown} is not a choice{did_you_mean(error['input'], choices)}"
    message = error["msg"][0].lower() + error["msg"][1:]
    if error["type"] in ("float_type", "int_type") and _NOT_FINITE.fullmatch(str(error["input"])):
        message = "input should be a finite number"
    if error["type"] == "list_type" and len(shown) < 60 and _is_valid(cls, error["loc"], [error["input"]]):
        return f"{key}: {message} (got {shown}); did you mean [{error['input']}]?"
    return f"{key}: {message} (got {shown})"


def _is_valid(cls: type[BaseModel], location: tuple[int | str, ...], value: Any) -> bool:
    """Return whether a field could have this value."""
    owner = _class_at(cls, location[:-1])
    field = owner.model_fields.get(str(location[-1])) if owner else None
    if field is None:
        return False
    annotated: Any = Annotated  # of a type that is known when it runs
    try:
        TypeAdapter(annotated[field.annotation, field]).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def _class_at(cls: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel] | None:
    """Follow a pydantic error location to the config class that owns it."""
    owner: type[BaseModel] | None = cls
    for part in location:
        field = owner.model_fields.get(str(part)) if owner else None
        annotation = field.annotation if field else None
        if annotation is None:
            continue
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        owner = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
    return owner
