"""Deep Q-learning without its replay, without its target network, and without both, on a pole to be balanced.

Without replay the network learns from a batch of the last moves alone, drawn from as many observations as a batch has;
without a target the worth of what follows is the network's own, as it changes. Every arm makes the same moves and
updates, from batches of one size, as the recipe `cartpole-dqn` makes them, in half its moves. What counts is how the
last weights play, and not the best on the way.

An earlier design, a smaller network whose target moved after every 50 updates, was run at 12 seeds and thrown away: its
values grew past any that can follow, and with replay and target it earned 129 of 500. This one was first run at 8
seeds, of which two of its three comparisons held; the third, whose arms differ most from seed to seed, was undecided.
"""

from typing import Any

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import all_of, greater

BATCH = 64
POLE: dict[str, Any] = {
    "data": {"name": "gym", "environment": "CartPole-v1"},
    "model": {"name": "mlp", "widths": [256, 256], "init": "glorot"},
    "loss": "td_error",
    "algorithm": {
        "name": "q_learning",
        "optimizer": {"name": "adam", "lr": 0.001},
        "regularizers": [{"name": "gradient_clipping", "max_norm": 10.0}],
        "capacity": 100_000,
        "learning_starts": 1000,
        "train_every": 128,
        "updates": 64,
        "target_every": 128,
        "epsilon_end": 0.04,
        "epsilon_moves": 8000,
        "double": True,
    },
    "budget": {"steps": 25_000, "batch_size": BATCH, "validate_every": 25_000, "log_every": 512},
}
REPLAY, TARGET = {"algorithm.capacity": BATCH}, {"algorithm.target_every": None}

CLAIM = TrainedClaim(
    id="replay-target",
    says="Deep Q-learning earns less without its replay, without its target network, and without both.",
    source="Mnih et al., Human-level control through deep reinforcement learning, Nature 518, 2015, Extended Data "
    "Table 3",
    scaled_from="five games of Atari, 10 million frames each, the best of several learning rates; here CartPole",
    recipe=POLE,
    arms={"both": {}, "no replay": REPLAY, "no target": TARGET, "neither": {**REPLAY, **TARGET}},
    measure=metric("test.return"),
    rule=all_of(*(greater("both", arm, by=20) for arm in ("no replay", "no target", "neither"))),
    quick=Size(
        seeds=7,
        overrides={
            "budget.steps": 600,
            "budget.validate_every": 600,
            "algorithm.learning_starts": 200,
            "algorithm.train_every": 8,
            "algorithm.updates": 4,
            "data.validation_episodes": 1,
            "data.test_episodes": 5,
        },
    ),
    full=Size(seeds=24, overrides={"data.validation_episodes": 5}),
)
