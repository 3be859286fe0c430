"""What `--weights` of a run, and `weights` of a comparison, names: a file, a folder, or a run of the workspace.

Checked by: names of each kind; a run on texts that begins from another one's id alone, and an arm that does.
"""

from pathlib import Path
from typing import Any


def place_of(weights: Any, workspace: Path) -> Any:
    """Return the path that is meant: where nothing is called so from here, a run's id is that run's folder."""
    if not isinstance(weights, str) or Path(weights).exists() or not (workspace / weights / "run.json").is_file():
        return weights
    return str(workspace / weights)
