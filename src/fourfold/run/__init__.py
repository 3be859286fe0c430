"""Runs: the one loop, and everything that keeps it.

`fourfold.run` is a package, and `ff.run("digits-mlp")` is how a run starts in Python. Both are wanted under one name,
so the package can be called: it passes the call on to `fourfold.run.api.run`.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fourfold.core.recipe import Recipe
    from fourfold.run.run import Run
    from fourfold.run.watch import Watcher


class _CallablePackage(ModuleType):
    def __call__(
        self,
        recipe: "str | Path | Mapping[str, Any] | Recipe",
        overrides: Mapping[str, Any] | None = None,
        *,
        seed: int | None = None,
        workspace: str | Path | None = None,
        watcher: "Watcher | None" = None,
    ) -> "Run":
        """Train a recipe and return the finished run; see `fourfold.run.api.run`."""
        from fourfold.run.api import run  # torch is imported here, not by `import fourfold`

        return run(recipe, overrides, seed=seed, workspace=workspace, watcher=watcher)


sys.modules[__name__].__class__ = _CallablePackage
