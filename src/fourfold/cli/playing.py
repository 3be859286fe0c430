"""`fourfold play`."""

from pathlib import Path
from typing import Annotated

import typer

from fourfold.cli.opening import open_run
from fourfold.cli.options import JsonOption, RunArgument, UseOption, WorkspaceOption
from fourfold.cli.output import console, note, print_json
from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.records.location import check_folder_of


def play(
    run: RunArgument,
    gif: Annotated[
        bool,
        typer.Option("--gif", help="Write what was to be seen as a moving picture, play.gif in the run's figures."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.gif", help="Write it there; stands for --gif, too.")
    ] = None,
    episodes: Annotated[int, typer.Option("--episodes", metavar="N", help="Play this many.")] = 1,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed plays the same episodes.")] = 0,
    epsilon: Annotated[
        float | None, typer.Option("--epsilon", metavar="E", help="Share of random moves. Default: the evaluation's.")
    ] = None,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Have a run that learned to act play new episodes, neither of its training nor of its evaluation.

    \b
    Examples:
      fourfold play cartpole-dqn-1 --episodes 5
      fourfold play cartpole-dqn-1 --gif
      fourfold play breakout-minatar-dqn-1 -o bricks.gif --epsilon 0 --seed 3 --json
    """
    if out is not None:
        if out.suffix.lower() != ".gif":
            raise InputError(f"{out}: the name of a moving picture must end in .gif")
        check_folder_of(out)
    opened = open_run(run, workspace, use)
    from fourfold.run.play import Film, play_run

    file = out or (opened.folder.figures / "play.gif" if gif else None)
    film = Film() if file is not None else None
    played = play_run(opened, episodes, seed, epsilon, film)
    mean = sum(episode.score for episode in played) / len(played)
    from rich.table import Table

    table = Table("episode", "return", "moves", box=None, pad_edge=False, header_style="bold")
    for number, episode in enumerate(played, 1):
        table.add_row(str(number), f"{episode.score:g}", f"{episode.length:,}")
    console(stderr=json).print(table)
    if len(played) > 1:
        note(f"mean return {mean:.4g} over {counted(len(played), 'episode')}")
    if film is not None and file is not None:
        film.write(file)
        cut = f"; the last {film.left_out:,} are left out" if film.left_out else ""
        note(f"gif: {file} ({counted(len(film.frames), 'frame')}{cut})")
    if json:
        facts = {"seed": seed, "mean_return": mean, "gif": str(file.resolve()) if file is not None else None}
        listed = [{"return": episode.score, "length": episode.length} for episode in played]
        print_json({"run_id": opened.run_id, "episodes": listed, **facts})
