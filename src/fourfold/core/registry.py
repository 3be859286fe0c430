"""Part tables: the only way a name in a recipe becomes code.

A table maps a name to where its config class lives, as `"module:Class"`, so that listing the parts imports none of
them. Tables are written out by hand in each part package's `__init__`; a recipe or checkpoint can only *choose* an
entry, never name an import path.
"""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Iterator, Mapping

from pydantic import BeforeValidator

from fourfold.core.config import PartConfig, validate
from fourfold.core.errors import InputError, UnknownPartError, did_you_mean


@dataclass(frozen=True)
class Entry:
    """One row of a table.

    Attributes:
        target: `"package.module:ConfigClass"`.
        summary: one line for `fourfold list`.
        preset: fields that the name stands for, such as `depth: 50` for `resnet50`.
    """

    target: str
    summary: str
    preset: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> type[PartConfig]:
        """Import the module and return its config class."""
        module, _, cls = self.target.partition(":")
        return getattr(import_module(module), cls)


class Table(Mapping[str, Entry]):
    """The names of one kind of part, in the order they should be listed."""

    def __init__(self, kind: str, entries: Mapping[str, Entry]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, name: str, entry: Entry) -> None:
        """Add a part from outside (an installed package or a user's `--use` file); a name is never replaced.

        Raises:
            InputError: the name is already taken.
        """
        if name in self._entries:
            raise InputError(f"{self.kind} '{name}' exists already; choose another name")
        self._entries[name] = entry

    def families(self) -> dict[str, list[str]]:
        """Return each part that has a config of its own, and the presets of that config, in order."""
        own = {entry.target: name for name, entry in self.items() if not entry.preset}
        found: dict[str, list[str]] = {}
        for name, entry in self.items():
            if entry.preset and entry.target in own:
                found.setdefault(own[entry.target], []).append(name)
            else:
                found.setdefault(name, [])
        return found

    def config_class(self, name: str) -> type[PartConfig]:
        """Return the config class of `name`.

        Raises:
            InputError: no such entry; the nearest name is offered.
        """
        if name not in self._entries:
            raise InputError(f"no {self.kind} called '{name}'{did_you_mean(name, self)}")
        return self._entries[name].load()

    def parse(self, value: object, at: str) -> PartConfig:
        """Turn `"adam"`, `{"name": "adam", "lr": 0.1}` or a config into a validated config.

        Raises:
            InputError: wrong type, unknown name or field; one line that starts with the dotted key.
        """
        if isinstance(value, PartConfig):
            return value
        fields = {"name": value} if isinstance(value, str) else value
        if not isinstance(fields, Mapping):
            raise InputError(f"{at}: expected a {self.kind} name or a mapping with 'name', got {value!r}")
        if not isinstance(name := fields.get("name"), str):
            raise InputError(f"{at}.name: which {self.kind}? one of {', '.join(self)}")
        if name not in self._entries:
            raise UnknownPartError(f"{at}: no {self.kind} called '{name}'{did_you_mean(name, self)}")
        entry = self._entries[name]
        cls = entry.load()
        own_name = cls.model_fields["name"].default if entry.preset else name
        return validate(cls, {**entry.preset, **fields, "name": own_name}, at)


def choice_of(table: Table, at: str) -> BeforeValidator:
    """Return the pydantic metadata that lets a config field hold any entry of `table`.

    Use it as `optimizer: Annotated[SerializeAsAny[OptimizerConfig], choice_of(OPTIMIZERS, "algorithm.optimizer")]`.
    """
    return BeforeValidator(lambda value: None if value is None else table.parse(value, at))


def lazy_exports(package: str, exports: Mapping[str, str], name: str) -> Any:
    """Serve a package's `__getattr__`: import the module that holds `name` when it is first asked for.

    This is what keeps `fourfold list` from importing torch while `from fourfold.losses import CrossEntropy` works.

    Raises:
        AttributeError: `name` is not exported.
    """
    if name not in exports:
        raise AttributeError(f"module '{package}' has no attribute '{name}'{did_you_mean(name, exports)}")
    return getattr(import_module(exports[name]), name)
