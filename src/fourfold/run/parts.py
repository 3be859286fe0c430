"""All part tables together, and the recipes that come with Fourfold."""

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

from fourfold.algorithms import ALGORITHMS
from fourfold.algorithms.optimizers import OPTIMIZERS
from fourfold.algorithms.regularizers import REGULARIZERS
from fourfold.algorithms.schedules import SCHEDULES
from fourfold.core.config import PartConfig
from fourfold.core.document import read_yaml
from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.overrides import apply_overrides
from fourfold.core.recipe import PARTS, WORDS, Recipe, parse_recipe
from fourfold.core.registry import Entry, Table
from fourfold.data import DATA
from fourfold.data.augment import AUGMENTS
from fourfold.losses import LOSSES
from fourfold.models import MODELS

TABLES: dict[str, Table] = {
    "data": DATA,
    "augment": AUGMENTS,
    "model": MODELS,
    "loss": LOSSES,
    "algorithm": ALGORITHMS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "regularizer": REGULARIZERS,
}
OF_TABLES = (".csv", ".tsv", ".tab", ".parquet", ".pq")  # files that some take for recipes
_USED: set[EntryPoint] = set()  # whose parts are in the tables
_USED_FILES: list[Path] = []


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with Fourfold, sorted."""
    return sorted(f.name.removesuffix(".yaml") for f in files("fourfold.recipes").iterdir() if f.name.endswith(".yaml"))


def recipe_fields(recipe: str | Path | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a recipe's name and its plain data, from a shipped name, a YAML file, or a mapping.

    Raises:
        InputError: no such recipe (the nearest name is offered), or a file that is not plain YAML.
    """
    if isinstance(recipe, Mapping):
        return "recipe", dict(recipe)
    path = Path(recipe)
    if path.suffix in (".yaml", ".yml"):
        return path.stem, read_yaml(path)
    if path.suffix.lower() in OF_TABLES:
        way = f"fourfold run table-mlp data.path={recipe} data.target=COLUMN learns from it"
        raise InputError(f"{recipe}: a table, not a recipe; {way}")
    if str(recipe) not in recipe_names():
        hint = did_you_mean(str(recipe), recipe_names())
        raise InputError(f"no recipe called '{recipe}'{hint} (a recipe file of your own ends in .yaml)")
    return str(recipe), read_yaml(Path(str(files("fourfold.recipes") / f"{recipe}.yaml")))


def load_recipe(
    recipe: str | Path | Mapping[str, Any] | Recipe, overrides: Mapping[str, Any] | None = None
) -> tuple[str, Recipe]:
    """Return a recipe's name and the recipe, with dotted overrides applied.

    Where they put another part in the place of one, what the recipe says about itself is no longer so, and is left out.

    Raises:
        InputError: one line with the key and the nearest valid name, and with the file where the mistake is in it.
    """
    use_entry_points()
    if isinstance(recipe, Recipe):
        name, fields = "recipe", recipe.to_mapping()
    else:
        name, fields = recipe_fields(recipe)
    try:
        changed = apply_overrides(fields, one_length(overrides or {}))
        if any(_part_name(changed, kind) != _part_name(fields, kind) for kind in PARTS):
            changed = {key: value for key, value in changed.items() if key not in WORDS}
        return name, parse_recipe(changed, TABLES)
    except InputError as error:
        if isinstance(recipe, str | Path) and _problem(fields) == str(error):  # no override's doing
            raise InputError(f"{recipe}: {error}") from None
        raise


def _part_name(fields: Mapping[str, Any], kind: str) -> Any:
    part = fields.get(kind)
    return part.get("name") if isinstance(part, Mapping) else part


def _problem(fields: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a recipe without overrides; it need not be complete without them."""
    try:
        parse_recipe(fields, TABLES)
    except InputError as error:
        return str(error)
    return None


def with_parts(fields: Mapping[str, Any]) -> Recipe:
    """Return a recipe from its plain data, its parts taken from every table and every installed package.

    Raises:
        InputError: one line with the dotted key and the nearest valid name; or a package's parts cannot be used.
    """
    use_entry_points()
    return parse_recipe(fields, TABLES)


def one_length(overrides: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let `budget.steps` replace a recipe's epochs, and the other way round: a run has one length."""
    pair = ("budget.steps", "budget.epochs")
    given = [key for key in pair if overrides.get(key) is not None]
    if len(given) != 1:
        return overrides
    other = pair[1 - pair.index(given[0])]
    return {**overrides, other: overrides.get(other)}


def use_entry_points() -> None:
    """Add the parts of installed packages, entry-point group `fourfold.parts`; those that are there already stay.

    Each entry point's value is a mapping `{kind: {name: Entry}}`.

    Raises:
        InputError: a package's parts cannot be used; names its entry point.
    """
    for point in installed_parts():
        if point in _USED:
            continue
        source = f"the installed parts '{point.value}'"
        try:
            parts = point.load()
        except Exception as error:  # someone else's code
            raise InputError(f"{source}: {_one_line(error)}; mend or uninstall their package") from error
        if not isinstance(parts, Mapping) or not all(isinstance(named, Mapping) for named in parts.values()):
            raise InputError(f"{source}: expected {{'model': {{'my_model': Entry(…)}}}}, got {parts!r:.60}")
        for kind, named in parts.items():
            for name, entry in named.items():
                if not isinstance(entry, Entry):
                    raise InputError(f"{source}: {kind} '{name}': expected an Entry, got {entry!r:.60}")
        _add(parts, source)
        _USED.add(point)


@cache
def installed_parts() -> tuple[EntryPoint, ...]:
    """Return what installed packages bring; looking through them all takes a hundredth of a second: it is done once."""
    return tuple(entry_points(group="fourfold.parts"))


def use_file(path: Path) -> None:
    """Add the parts of a user's own Python file, which defines `PARTS = {kind: {name: ConfigClass}}`.

    This runs the file: it is the user's own code, named on the command line, never by a recipe.

    Raises:
        InputError: the file is missing, fails, or has no usable `PARTS`.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]  # two files may have the same name
    module_name = f"fourfold_user_{path.stem}_{place}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise InputError(f"{path}: {_one_line(error)}") from error
    parts = getattr(module, "PARTS", None)
    if not isinstance(parts, Mapping):
        raise InputError(f"{path}: define PARTS = {{'model': {{'my_model': MyModelConfig}}}}")
    entries: dict[str, dict[str, Entry]] = {}
    for kind, named in parts.items():
        if not isinstance(named, Mapping):
            raise InputError(f"{path}: PARTS['{kind}']: expected a mapping from names to config classes")
        entries[kind] = {
            name: _entry(part, module, f"{path}: PARTS['{kind}']['{name}']") for name, part in named.items()
        }
    _add(entries, str(path))
    _USED_FILES.append(path.resolve())


def used_files() -> list[Path]:
    """Return the user's own files whose parts were added, in order; the other processes of a run need them too."""
    return list(_USED_FILES)


def has_foreign_parts() -> bool:
    """Return whether code that is not Fourfold's own was loaded for its parts: a user's file, or a package's."""
    return bool(_USED_FILES or _USED)


def _one_line(error: BaseException) -> str:
    first = str(error).strip().splitlines()[:1] or ["no further details"]
    return f"{type(error).__name__}: {first[0]}"


def _entry(part: object, module: ModuleType, at: str) -> Entry:
    """Return the table row of a class in a user's file."""
    if isinstance(part, Entry):
        return part
    if not (isinstance(part, type) and issubclass(part, PartConfig)):
        raise InputError(f"{at}: expected a config class, such as a subclass of ModelConfig, got {part!r}")
    name = next((name for name, value in vars(module).items() if value is part), None)
    if name is None:
        raise InputError(f"{at}: {part.__name__} has no name in the file itself")
    return Entry(f"{module.__name__}:{name}", (part.__doc__ or "").strip().split("\n")[0])


def _add(parts: Mapping[str, Mapping[str, Entry]], source: str) -> None:
    """Add all parts, or none."""
    for kind, named in parts.items():
        if kind not in TABLES:
            raise InputError(f"{source}: no part kind called '{kind}'{did_you_mean(str(kind), TABLES)}")
        for name in named:
            if not isinstance(name, str) or not name:
                raise InputError(f"{source}: {kind} {name!r}: a part's name is text")
            if name in TABLES[kind]:
                raise InputError(f"{source}: {kind} '{name}' exists already; choose another name")
    for kind, named in parts.items():
        for name, entry in named.items():
            TABLES[kind].add(name, entry)
