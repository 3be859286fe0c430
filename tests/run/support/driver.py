"""Runs a recipe in a process of its own: `python driver.py WORKSPACE 'JSON RECIPE' [RUN ID TO RESUME]`.

Prints a line a second look: `step N`. Exit codes are the command line's.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from fourfold.core.errors import INTERRUPTED, FourfoldError
from fourfold.records.folder import RunFolder
from fourfold.run.parts import load_recipe
from fourfold.run.run import resume, start
from fourfold.run.watch import Watcher


class Announce(Watcher):
    def progressed(self, step: int, metrics: Mapping[str, float], examples_per_second: float) -> None:
        print("step", step, flush=True)


def main(workspace: str, recipe: str, *rest: str) -> int:
    try:
        if rest:
            run = resume(RunFolder.find(Path(workspace), rest[0]), Announce())
        else:
            run = start("run", load_recipe(json.loads(recipe))[1], Path(workspace), Announce())
    except FourfoldError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return INTERRUPTED if run.status == "interrupted" else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
