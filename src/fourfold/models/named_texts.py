"""Networks of texts by the names of their sizes, for use outside a recipe: `ff.models.gpt2.from_huggingface(folder)`.

Checked by: the same network from its config; folders that transformers writes.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.models.base import ModelConfig
from fourfold.models.huggingface import sizes_in, tokenizer_in
from fourfold.models.weights import locate, put_weights, read_weights
from fourfold.tasks.seam import Spec
from fourfold.tasks.tokenizer import Tokenizer


class Pretrained(NamedTuple):
    """A network and what turns text into its token numbers."""

    model: nn.Module  # in evaluation mode
    tokenizer: Tokenizer


class TextBuilder:
    """What `ff.models.gpt2` is: a function that builds the network, at its paper's sizes where nothing else is said.

    Args:
        name: of a size in the table of models.
    """

    def __init__(self, name: str) -> None:
        self.__name__ = self.__qualname__ = name
        self._config: Any = MODELS.parse(name, "model")
        self.__doc__ = f"{name}: {MODELS[name].summary}. Call it, or read a folder with `from_huggingface`."

    def __repr__(self) -> str:
        return f"<{self.__name__}: {MODELS[self.__name__].summary}>"

    def __call__(self, vocab_size: int | None = None, weights: str | Path | None = None) -> nn.Module:
        """Return the network, its weights drawn from torch's generator, or read.

        Args:
            vocab_size: tokens there are; the paper's by default.
            weights: a .pth or .safetensors file, or a folder of Hugging Face's.

        Raises:
            InputError: the network cannot be built for so many tokens, or the weights do not fit it.
        """
        file = None if weights is None else locate(str(weights), self._config)
        spec = _sized(self._config, vocab_size)
        model = self._config.build(spec)
        if file is not None:
            put_weights(model, self._config, read_weights(file), spec.num_outputs, file)
        return model

    def from_huggingface(self, folder: str | Path) -> Pretrained:
        """Return the network with the weights of a folder as Hugging Face publishes it, and its tokenizer.

        Args:
            folder: with config.json, model.safetensors (or several, and their index) and tokenizer.json (or vocab.json
                and merges.txt).

        Raises:
            InputError: something is missing, cannot be read, or is of another network.
        """
        tokenizer = tokenizer_in(Path(folder))
        model = self(sizes_in(Path(folder)).get("vocab_size"), folder)
        return Pretrained(model.eval(), tokenizer)


def _sized(config: ModelConfig, vocab_size: int | None) -> Spec:
    """Return the paper's spec with other numbers of tokens."""
    paper: Any = config.paper_spec()
    if vocab_size is None:
        return paper
    if type(vocab_size) is not int or vocab_size < 1:  # it may come from a config.json
        raise InputError(f"vocab_size: must be at least 1 (got {vocab_size!r})")
    texts = {name: getattr(paper, name) for name in ("input", "target") if hasattr(paper, name)}
    return replace(paper, **{name: tokens._replace(vocab_size=vocab_size) for name, tokens in texts.items()})
