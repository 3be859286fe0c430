"""Fourfold: a deep-learning lab of four parts, data, model, loss and algorithm.

    import fourfold as ff

    run = ff.run("digits-mlp", overrides={"algorithm.optimizer.lr": 1e-2})
    run.metrics["test"]["accuracy"]
    run.curve("validation.accuracy")
    run.model  # a plain torch module

    study = ff.compare("digits-mlp", {"algorithm.optimizer": ["sgd", "adam"]}, seeds=10)
    study.comparison("adam")["verdict"]

Whatever goes wrong is a `ff.FourfoldError`: `ff.InputError` for a mistake in what was asked, `ff.DivergedError` for a
run that stopped being finite.

Models, losses and optimizers work alone in any PyTorch loop: `ff.models.MLP`, `ff.losses.CrossEntropy`,
`fourfold.algorithms.optimizers.Adam`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fourfold.core.registry import lazy_exports

if TYPE_CHECKING:
    from fourfold.core.errors import DivergedError as DivergedError
    from fourfold.core.errors import FourfoldError as FourfoldError
    from fourfold.core.errors import InputError as InputError
    from fourfold.core.recipe import Recipe as Recipe
    from fourfold.run.api import cross_validate as cross_validate
    from fourfold.run.api import open_run as open_run
    from fourfold.run.api import resume as resume
    from fourfold.run.api import run as run
    from fourfold.run.parts import load_recipe as load_recipe
    from fourfold.run.run import Run as Run
    from fourfold.study.api import Study as Study
    from fourfold.study.api import compare as compare

__version__ = "0.1.0"

_EXPORTS = {
    "DivergedError": "fourfold.core.errors",
    "FourfoldError": "fourfold.core.errors",
    "InputError": "fourfold.core.errors",
    "Recipe": "fourfold.core.recipe",
    "Run": "fourfold.run.run",
    "Study": "fourfold.study.api",
    "compare": "fourfold.study.api",
    "cross_validate": "fourfold.run.api",
    "load_recipe": "fourfold.run.parts",
    "open_run": "fourfold.run.api",
    "resume": "fourfold.run.api",
}
_PACKAGES = ("algorithms", "data", "losses", "models", "run")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"fourfold.{name}")
    return lazy_exports(__name__, _EXPORTS, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS, *_PACKAGES])
