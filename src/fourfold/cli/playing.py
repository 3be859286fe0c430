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
        Path | None, typer.Option("--gif", metavar="FILE", help="Write what was to be seen as a moving picture.")
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
      fourfold play cartpole-dqn-1 --gif pole.gif
      fourfold play breakout-minatar-dqn-1 --gif bricks.gif --epsilon 0 --seed 3 --json
    """
    if gif is not None:
        if gif.suffix.lower() != ".gif":
            raise InputError(f"--gif: {gif}: the name must end in .gif")
        check_folder_of(gif)
    opened = open_run(run, workspace, use)
    from fourfold.run.play import Film, play_run

    film = Film() if gif is not None else None
    played = play_run(opened, episodes, seed, epsilon, film)
    mean = sum(episode.score for episode in played) / len(played)
    from rich.table import Table

    table = Table("episode", "return", "moves", box=None, pad_edge=False, header_style="bold")
    for number, episode in enumerate(played, 1):
        table.add_row(str(number), f"{episode.score:g}", f"{episode.length:,}")
    console(stderr=json).print(table)
    if len(played) > 1:
        note(f"mean return {mean:.4g} over {counted(len(played), 'episode')}")
    if film is not None and gif is not None:
        film.write(gif)
        cut = f"; the last {film.left_out:,} are left out" if film.left_out else ""
        note(f"gif: {gif} ({counted(len(film.frames), 'frame')}{cut})")
    if json:
        facts = {"seed": seed, "mean_return": mean, "gif": str(gif.resolve()) if gif is not None else None}
        listed = [{"return": episode.score, "length": episode.length} for episode in played]
        print_json({"run_id": opened.run_id, "episodes": listed, **facts})
