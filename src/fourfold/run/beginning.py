"""The weights that a run begins from: found, checked by SHA-256, and put into its network before the first step.

A checkpoint holds the weights of its own step, so a run that has one goes on without this file.

Checked by: runs from a file, resumed with it, without it and with another in its place.
"""

import contextlib
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.core.recipe import Recipe, Weights
from fourfold.data.text.learning import INPUTS, tokenizer_of_folder
from fourfold.data.text.tokenizer import FILE, MERGES, kind_of
from fourfold.models.base import ModelConfig
from fourfold.models.huggingface import digest_of
from fourfold.models.weights import locate, put_weights, read_weights
from fourfold.tasks.seam import Source, Spec
from fourfold.tasks.tokenizer import Tokenizer, tokenizer_of


class Beginning:
    """A file of weights for a recipe's model.

    Args:
        config: the model's.
        weights: what the recipe says.

    Attributes:
        sha256: of the file, in hexadecimal; of several, of their SHA-256.
        notes: what was done, for the record; complete once a network was begun.

    Raises:
        InputError: there is no such file, or it is not the one that the recipe's SHA-256 is of.
    """

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        self._config, self._weights = config, weights
        self.path = locate(weights.file, config)
        self.sha256 = _digest(self.path)
        if weights.sha256 not in (None, self.sha256):
            raise InputError(
                f"weights: {self.path}: the file has changed (SHA-256 {str(weights.sha256)[:12]}, now "
                f"{self.sha256[:12]}); put the old one back, or start a new run"
            )
        published = self.path.stem.rpartition("-")[2] if weights.file == "torchvision" else ""
        if not self.sha256.startswith(published):
            raise InputError(f"weights: {self.path}: damaged, its SHA-256 begins {self.sha256[:8]}; fetch it again")
        self.notes = [f"weights: begun from {self.path} (SHA-256 {self.sha256[:12]})"]

    @cached_property
    def _tensors(self) -> dict[str, Tensor]:
        return read_weights(self.path)

    def begin(self, model: nn.Module, spec: Spec) -> nn.Module:
        """Put the weights into a network and return it.

        Raises:
            InputError: the file cannot be read, or does not fit; every name that does not is listed.
        """
        tokens = self._tokenizer.vocab_size if self._tokenizer else None  # the data's too, or check_tokens has refused
        left = put_weights(model, self._config, self._tensors, spec.num_outputs, self.path, tokens)
        self.notes += [note for note in left if note not in self.notes]
        return model

    def check_tokens(self, source: Source) -> None:
        """Raise InputError where the weights came with a tokenizer, and the data's gives other numbers."""
        ours = getattr(source.spec, "tokenizer", None) or getattr(getattr(source, "encoding", None), "tokenizer", None)
        theirs = self._tokenizer if isinstance(ours, str) else None
        if isinstance(ours, str) and theirs is not None and not theirs.numbers_as(tokenizer_of(ours)):
            folder = self._weights.file
            raise InputError(
                f"weights: {folder}: its tokens are others than those of this data; give data.tokenizer_from={folder}"
            )

    @cached_property
    def _tokenizer(self) -> Tokenizer | None:
        """Return the tokenizer of the weights: of the run that they are a checkpoint of, or in their folder."""
        folders = [self.path.parent, *self.path.parents[2:3]]
        for folder in folders:
            if any((folder / name).is_file() for name in (FILE, *MERGES, INPUTS)):
                with contextlib.suppress(InputError):  # a run whose data are no texts
                    return tokenizer_of_folder(folder)
        return None

    def recorded(self, recipe: Recipe) -> Recipe:
        """Return the recipe with the file's SHA-256, and with the tokenizer of a folder.

        Not where the recipe names another's, or asks for tokens of another kind.
        """
        changes: dict[str, Any] = {"weights": self._weights.model_copy(update={"sha256": self.sha256})}
        if getattr(recipe.data, "tokenizer_from", "") is None and Path(self._weights.file).is_dir():
            theirs, asked = self._tokenizer, getattr(recipe.data, "tokenizer", None)
            usual = type(recipe.data).model_fields["tokenizer"].default  # a recipe that says no more asks for nothing
            if theirs is not None and asked in (usual, kind_of(theirs)):
                changes["data"] = recipe.data.model_copy(update={"tokenizer_from": self._weights.file})
        return recipe.model_copy(update=changes)


def beginning_of(recipe: Recipe) -> Beginning | None:
    """Return what a recipe's network begins from, or None where its weights are drawn.

    Raises:
        InputError: there is no such file, or it is not the one that the recipe's SHA-256 is of.
    """
    if recipe.weights is None:
        return None
    if not isinstance(recipe.model, ModelConfig):  # a user's own
        raise InputError(f"weights: the config of model {recipe.model.name} is no ModelConfig, and begins from none")
    return Beginning(recipe.model, recipe.weights)


def weights_read(recipe: Recipe) -> dict[str, str]:
    """Return SHA-256 of the file of weights that a recipe's result depends on, by its path; empty if there is none.

    Raises:
        InputError: as for `beginning_of`.
    """
    beginning = beginning_of(recipe)
    return {} if beginning is None else {str(beginning.path): beginning.sha256}


def _digest(path: Path) -> str:
    try:
        return digest_of(path)
    except OSError as error:
        raise InputError(f"weights: {path}: {(error.strerror or str(error)).lower()}") from None
