"""Playing by a trained run: returns, the same again, and a moving picture of it."""

import json
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from PIL import Image

from fourfold.cli.app import execute
from fourfold.core.errors import InputError
from fourfold.run import play as playing
from fourfold.run.parts import load_recipe
from fourfold.run.play import Film, play_run
from fourfold.run.run import Run, start

RECIPE: dict[str, Any] = {
    "data": {"name": "gym", "validation_episodes": 0, "test_episodes": 1},
    "model": {"name": "mlp", "widths": [4]},
    "loss": "td_error",
    "algorithm": {"name": "q_learning", "capacity": 20, "learning_starts": 5},
    "budget": {"steps": 6, "batch_size": 4},
    "runtime": {"device": "cpu", "threads": 1},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return start("pole", load_recipe(RECIPE)[1], tmp_path_factory.mktemp("runs"))


def test_returns_are_those_of_gymnasium_s_own_loop(run) -> None:
    played = play_run(run, episodes=3, seed=5, epsilon=0.0)
    source = run.parts.source
    for episode, (score, length) in enumerate(played):
        env = gymnasium.make("CartPole-v1")
        observation, moves, over = env.reset(seed=source.seed_of(3, 5, episode, 0))[0], 0, False
        while not over:
            with torch.inference_mode():
                action = int(run.model(torch.from_numpy(np.asarray(observation, np.float32))[None]).argmax())
            observation, _, terminated, truncated, _ = env.step(action)
            moves, over = moves + 1, terminated or truncated
        assert (score, length) == (moves, moves)
    assert play_run(run, episodes=3, seed=5, epsilon=0.0) == played
    assert play_run(run, episodes=3, seed=6, epsilon=0.0) != played


def test_a_gif_has_a_frame_for_each_move_and_one_before(run, tmp_path, capsys) -> None:
    file = tmp_path / "그림.gif"
    workspace = str(run.folder.path.parent)
    command = ["play", run.run_id, "-o", str(file), "--episodes", "2", "--json", "--workspace", workspace]
    assert execute(command) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["gif"] == str(file)
    assert said["mean_return"] == np.mean([episode["return"] for episode in said["episodes"]])
    picture: Any
    with Image.open(file) as picture:
        assert picture.size == (600, 400)
        shown = 0
        for i in range(picture.n_frames):
            picture.seek(i)
            shown += picture.info["duration"]  # frames that are alike are one, shown for longer
        assert shown == 40 * sum(episode["length"] + 1 for episode in said["episodes"])


@pytest.mark.parametrize(
    ("gif", "says"),
    [
        ("pole.xyz", "pole.xyz: the name of a moving picture must end in .gif"),
        ("absent/pole.gif", "absent: no such folder"),
    ],
)
def test_where_no_picture_can_be_written_is_said_before_any_work(gif, says, run, capsys, monkeypatch) -> None:
    monkeypatch.setattr("fourfold.cli.playing.open_run", lambda *_: pytest.fail("the run was opened"))
    assert execute(["play", run.run_id, "-o", gif, "--workspace", str(run.folder.path.parent)]) == 2
    assert capsys.readouterr() == ("", f"error: {says}\n")


def test_a_film_has_an_end(run, monkeypatch) -> None:
    monkeypatch.setattr(playing, "MOST_FRAMES", 4)
    film = Film()
    ((_, length),) = play_run(run, film=film)
    assert (len(film.frames), film.left_out) == (4, length + 1 - 4)


def test_what_cannot_be_played_is_said_in_a_line(run, tmp_path) -> None:
    with pytest.raises(InputError, match="--episodes: 0; the nearest valid number is 1"):
        play_run(run, episodes=0)
    with pytest.raises(InputError, match="--epsilon: 2"):
        play_run(run, epsilon=2.0)
    with pytest.raises(InputError, match="seed: input should be greater than or equal to 0"):
        play_run(run, seed=-1)
    other = start("xor", load_recipe("xor-mlp", {"budget.steps": 1, "budget.epochs": None})[1], tmp_path)
    with pytest.raises(InputError, match="learned classification, in which nobody acts"):
        play_run(other)


def test_an_action_is_predicted_for_a_row_and_frames_are_sent_to_play(run, capsys) -> None:
    workspace = str(run.folder.path.parent)
    assert execute(["predict", run.run_id, "--row", "[0, 0, 0.1, 0]", "--json", "--workspace", workspace]) == 0
    predicted = json.loads(capsys.readouterr().out.splitlines()[-1])["predictions"][0]
    assert predicted["action"] == max(predicted["values"], key=predicted["values"].get)
