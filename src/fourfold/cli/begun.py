"""What `fourfold run --weights` names: a file, a folder, or a run of the workspace.

Checked by: names of each kind; a run on texts that begins from another one's id alone.
"""

from pathlib import Path


def place_of(weights: str, workspace: Path) -> str:
    """Return the path that is meant: where nothing is called so from here, a run's id is that run's folder."""
    run = workspace / weights
    return str(run) if not Path(weights).exists() and (run / "run.json").is_file() else weights
