"""What `fourfold run --weights` names: a file, a folder, or a run of the workspace; a tokenizer goes with its weights.

Checked by: names of each kind; a run on texts that begins from another one's id alone.
"""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fourfold.core.errors import InputError

if TYPE_CHECKING:
    from fourfold.core.recipe import Recipe


def place_of(weights: str, workspace: Path) -> str:
    """Return the path that is meant: where nothing is called so from here, a run's id is that run's folder."""
    run = workspace / weights
    return str(run) if not Path(weights).exists() and (run / "run.json").is_file() else weights


def with_tokenizer(recipe: "Recipe", folder: Path) -> "Recipe":
    """Return the recipe with the tokenizer of the weights' folder, if it has one and the recipe's texts name none."""
    if not folder.is_dir() or getattr(recipe.data, "tokenizer_from", "") is not None:
        return recipe
    from fourfold.data.text.learning import TextFields, tokenizer_of_folder

    if not isinstance(recipe.data, TextFields) and not (folder / "tokenizer.json").is_file():
        return recipe  # running text takes no tokenizer of a run
    with suppress(InputError):  # there is none
        tokenizer_of_folder(folder)
        data = recipe.data.model_copy(update={"tokenizer_from": str(folder)})
        return recipe.model_copy(update={"data": data})
    return recipe
