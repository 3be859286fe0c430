"""Weights from a file, put into a network by their names: torchvision's published ones, or one's own.

A file is torch's (`.pth`, `.pt`; read with `weights_only`, so it cannot run code) or safetensors; or a folder is given,
as Hugging Face publishes a model (see `huggingface`), or of a run, whose newest checkpoint is meant. Every name in it
has its place in the network, and every place its name, or all that do not fit are listed in one error. An output layer
of another size is left as it was drawn, for it is the data's own; so are layers that only this task has. Of a network
that holds an encoder, as those that learn without labels do, the encoder's weights are taken, and the output layer is
drawn.

Checked by: torchvision's state dicts, whole and damaged in each way; files of both kinds; runs fine-tuned from others.
"""

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.models.encoders import encoder_weights, output_layer
from fourfold.models.huggingface import WEIGHTS, check_sizes, files_of, weights_in

URL = "https://download.pytorch.org/models"
COUNTER = "num_batches_tracked"  # of a normalisation; files from before 2018 have none, and it changes nothing
SHOWN = 6  # names of one kind in an error


def locate(file: str, config: ModelConfig) -> Path:
    """Return the path of a weights file; "torchvision" is what torchvision publishes, in torch's hub cache.

    Raises:
        InputError: torchvision publishes none for this network, the file is not there, or it is of other sizes.
    """
    if file != "torchvision":
        if not Path(file).exists():
            raise InputError(f"weights: {file}: no such file")
        found = _file_in(Path(file)) if Path(file).is_dir() else Path(file)
        check_sizes(found, config)
        return found
    name = config.published()
    if name is None:
        raise InputError(f"weights: torchvision publishes none for this {config.name}; give a file instead")
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not path.is_file():
        raise InputError(f"weights: {path} is not there; fetch {URL}/{name} and put it there, for this asks no network")
    return path


def _file_in(folder: Path) -> Path:
    """Return the weights in a folder, a run's or one of Hugging Face's."""
    newest = folder / "checkpoints" / "last" / WEIGHTS
    return newest if newest.is_file() else weights_in(folder)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name; code that a file may hold is not run.

    Raises:
        InputError: it cannot be read, or holds something else.
    """
    if path.name.endswith(".index.json"):
        return {name: value for file in files_of(path) for name, value in read_weights(file).items()}
    if path.suffix not in (".pth", ".pt", ".safetensors"):
        raise InputError(f"weights: {path}: a file of weights ends in .pth, .pt or .safetensors")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of whatever kind: the bytes are anybody's
        raise InputError(f"weights: {path}: not a file of weights that can be read: {_why(error)}") from None
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]  # a checkpoint that holds more
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError(f"weights: {path}: expected tensors by name, a state dict; this holds something else")
    return {str(name): value for name, value in found.items()}


@torch.no_grad()
def put_weights(
    model: nn.Module,
    config: ModelConfig,
    weights: Mapping[str, Tensor],
    num_outputs: int,
    file: Path,
    tokens: int | None = None,
) -> list[str]:
    """Copy weights into a network, and return what was not taken as it is, a line each.

    Args:
        model: the network, its weights drawn.
        config: its config, which knows what published names are called here.
        weights: tensors by name.
        num_outputs: numbers the network returns for one example.
        file: where they come from, for messages.
        tokens: that the file's own tokenizer has, if it is known to be the data's too; rows beyond them are left out.

    Raises:
        InputError: sizes are others than the config's fields say, or else names are unknown or missing, or shapes are
            others; all are listed, and nothing was copied.
    """
    places = model.state_dict()
    weights, beside = encoder_weights(weights, set(places))
    named, notes = _without_padding(config.adopted(weights), places, config, tokens)
    unknown = [name for name in named if name not in places and not name.endswith(COUNTER)]
    missing = [name for name in places if name not in named and not name.endswith(COUNTER)]
    own = [output_layer(model)] if beside else []
    of_task = tuple(f"{layer}." for layer in (*config.task_layers, *filter(None, own)))
    others_only = [name for name in unknown if name.startswith(of_task)]
    ours_only = [name for name in missing if name.startswith(of_task)]
    unknown = [name for name in unknown if name not in others_only]
    missing = [name for name in missing if name not in ours_only]
    embeddings = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Embedding)}
    heads: list[str] = []
    wrong: list[str] = []
    for name, place in places.items():
        value = named.get(name)
        if value is None or value.shape == place.shape:
            continue
        row = value.dim() and value.shape[1:] == place.shape[1:]
        if row and place.shape[0] == num_outputs and name not in embeddings:  # which are tokens, and no output layer
            heads.append(name)
        else:
            wrong.append(f"{name} is {_shape(value)}, here {_shape(place)}")
    if unknown or missing or wrong:
        _require_sizes(config, named, places, file)
        found = [("unknown", unknown), ("missing", missing), ("of another shape", wrong)]
        listed = "; ".join(f"{what}: {_some(names)}" for what, names in found if names)
        stem = ", or try model.stem=imagenet" if wrong and getattr(config, "stem", None) == "auto" else ""
        raise InputError(f"weights: {file} does not fit this {config.name}{stem}: {listed}")
    for name, place in places.items():
        if name in named and name not in heads:
            place.copy_(named[name])
    if heads:
        others = named[heads[0]].shape[0]
        notes.append(f"weights: {_some(heads)} drawn anew: the file has {others} outputs, the data {num_outputs}")
    if ours_only:
        notes.append(f"weights: {_some(ours_only)} drawn anew: the file has none, it is of another task")
    if others_only := [*others_only, *beside]:
        notes.append(f"weights: {_some(others_only)} left out: they are another task's")
    return notes


def _without_padding(
    named: dict[str, Tensor], places: Mapping[str, Tensor], config: ModelConfig, tokens: int | None
) -> tuple[dict[str, Tensor], list[str]]:
    """Return weights without the rows that no token has, and what was left out.

    Published embeddings are often padded to a multiple of 64 or 128 rows, which is faster on a GPU.
    """
    cut: dict[str, Tensor] = {}
    for name in config.token_rows:
        if tokens is not None and name in named and name in places and len(places[name]) == tokens < len(named[name]):
            cut[name] = named[name][:tokens]
    notes = [
        f"weights: the last {len(named[name]) - len(kept):,} of {len(named[name]):,} rows of {name} left out: "
        "they are no token's"
        for name, kept in cut.items()
    ]
    return {**named, **cut}, notes


def _require_sizes(config: ModelConfig, named: Mapping[str, Tensor], places: Mapping[str, Tensor], file: Path) -> None:
    """Raise InputError that names the fields where weights show other sizes than the network's.

    One wrong field changes the shape of nearly every weight, and the name of the field says what to do about it.
    """
    theirs, ours = config.sizes_shown_by(named), config.sizes_shown_by(places)
    others = [
        f"model.{field}: {theirs[field]} there, {size} here"
        for field, size in ours.items()
        if theirs.get(field, size) != size
    ]
    if others:
        raise InputError(f"weights: {file} does not fit this {config.name}: {'; '.join(others)}")


def _why(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    if isinstance(error, pickle.UnpicklingError) and "weights_only" in str(error):
        return "it holds something else than tensors, which is not loaded, for it could run code"
    if isinstance(error, LookupError | EOFError | ValueError | TypeError | AttributeError | pickle.UnpicklingError):
        return "it is damaged, or was never saved by torch"  # whatever a reader of pickles stumbled over
    return ": ".join(filter(None, (type(error).__name__, first[:200])))


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
