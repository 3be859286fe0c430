"""What Q-learning holds its best actions worth, against what follows, with and without double Q-learning.

A maximum over noisy estimates is on average above the maximum of what they estimate. Double Q-learning chooses by one
network and asks the other what that choice is worth. Measured on the test episodes: the mean over moves of what the
best action seems worth, less the discounted rewards that follow; where an episode is cut off, over those moves whose
rewards are known (see `tasks/playing.py`). The arms differ in nothing else.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.replay_target import POLE
from fourfold.claims.rules import greater

CLAIM = TrainedClaim(
    id="double-overestimates",
    says="Q-learning holds its best actions worth more than follows; double Q-learning lowers that.",
    source="van Hasselt, Guez and Silver, Deep Reinforcement Learning with Double Q-learning, AAAI 2016, "
    "arXiv:1509.06461, Fig. 3",
    scaled_from="six games of Atari, 200 million frames each; here CartPole and 30,000 moves",
    recipe=POLE,
    arms={"q-learning": {}, "double": {"algorithm.double": True}},
    measure=metric("test.overestimation"),
    beside={"return": metric("test.return")},
    rule=greater("q-learning", "double", by=0.5),
    quick=Size(
        seeds=6,
        overrides={
            "budget.steps": 600,
            "budget.validate_every": 600,
            "algorithm.learning_starts": 200,
            "data.validation_episodes": 1,
            "data.test_episodes": 5,
        },
    ),
    full=Size(seeds=16, overrides={"data.validation_episodes": 5}),
)
