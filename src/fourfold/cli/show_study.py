"""A study for a person: the tables that `fourfold compare` ended with."""

from pathlib import Path

from fourfold.cli.output import note, print_json
from fourfold.cli.study_table import print_study
from fourfold.study.content import read_study


def show_study(folder: Path, *, json: bool) -> None:
    """Print a recorded study; reads its files only."""
    study, _ = read_study(folder)
    if json:
        print_json({"folder": str(folder.resolve()), **study})
        return
    print_study(study, folder)
    if not (folder / "study.html").exists():
        note(f"next:   fourfold report {folder.name}, which writes that page")
