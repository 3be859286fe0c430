"""What Q-learning holds its best actions worth, against what follows, with and without double Q-learning.

A maximum over noisy estimates is on average above the maximum of what they estimate. Double Q-learning chooses by one
network and asks the other what that choice is worth. Measured on the test episodes: the mean over moves of what the
best action seems worth, less the discounted rewards that follow; where an episode is cut off, over those moves whose
rewards are known (see `tasks/playing.py`). Nothing is worth more than 100 there, for a move earns 1 and the discount is
0.99, so an error beyond 100 counts as 100: some runs diverge, and a mean of theirs would be of those alone. The arms
differ in nothing else.

An earlier design, whose errors were not bounded, was run at 16 seeds and thrown away: two seeds had errors of thousands
with either arm. This one was first run at 8 seeds, and was undecided: the difference was 46, plausibly 6 to 87; eight
more made it 15, plausibly -12 to 42.
"""

import math

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure, metric
from fourfold.claims.replay_target import POLE
from fourfold.claims.rules import greater
from fourfold.study.cells import CellResult

MOST = 100.0  # that anything is worth


def overestimation(cell: CellResult) -> float:
    """Return how much more the best actions seemed worth than followed, at most `MOST`; NaN where it is not known."""
    found = metric("test.overestimation").of(cell)
    return found if math.isnan(found) else max(-MOST, min(MOST, found))


CLAIM = TrainedClaim(
    id="double-overestimates",
    says="Q-learning holds its best actions worth more than follows; double Q-learning lowers that.",
    source="van Hasselt, Guez and Silver, Deep Reinforcement Learning with Double Q-learning, AAAI 2016, "
    "arXiv:1509.06461, Fig. 3",
    scaled_from="six games of Atari, 200 million frames each; here CartPole and 25,000 moves",
    recipe=POLE,
    arms={"q-learning": {"algorithm.double": False}, "double": {}},
    measure=Measure("how much more the best action seems worth than follows, at most 100", overestimation),
    beside={"return": metric("test.return")},
    rule=greater("q-learning", "double", by=0.5),
    quick=Size(
        seeds=6,
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
    full=Size(seeds=16, overrides={"data.validation_episodes": 5}),
)
