"""Learning rates with which a race is worth looking at.

Chosen by hand so that all seven can be seen to move, none leaves the picture, and each does what it is known for: the
rate that is down first would hide the zigzag of plain descent, and throws several over the ridge of the two wells. So a
race shows how each moves, and not which is best; for that, tune each (`fourfold compare --tune`).
Where they can, sgd, momentum and nesterov share one rate, so that only the momentum differs. Adadelta's rate is above
the paper's 1, for its first steps are of about 1e-3 whatever the gradient: at 1 it would stand still in most pictures.

Checked by: with it every racer of every surface goes down by half or more and ends inside the picture.
"""

from collections.abc import Mapping

RATES: Mapping[str, Mapping[str, float]] = {
    # sgd just below 2 / 50, beyond which it grows: it zigzags
    "ravine": {
        "sgd": 0.036, "momentum": 0.01, "nesterov": 0.01,
        "adagrad": 0.3, "adadelta": 5.0, "rmsprop": 0.05, "adam": 0.2,
    },
    # one small rate for the first three: descent is still on the pass when momentum is down
    "saddle": {
        "sgd": 0.05, "momentum": 0.05, "nesterov": 0.05,
        "adagrad": 0.2, "adadelta": 5.0, "rmsprop": 0.03, "adam": 0.1,
    },
    # the start is on a wall: a rate that suits the plain throws momentum out
    "beale": {
        "sgd": 0.01, "momentum": 0.001, "nesterov": 0.001,
        "adagrad": 0.5, "adadelta": 5.0, "rmsprop": 0.03, "adam": 0.1,
    },
    "rosenbrock": {
        "sgd": 0.001, "momentum": 0.001, "nesterov": 0.001,
        "adagrad": 0.5, "adadelta": 3.0, "rmsprop": 0.03, "adam": 0.1,
    },
    # different ends from one start: momentum rolls past the nearest
    "himmelblau": {
        "sgd": 0.01, "momentum": 0.01, "nesterov": 0.01,
        "adagrad": 0.5, "adadelta": 5.0, "rmsprop": 0.1, "adam": 0.3,
    },
    # one rate for the first three: only those with momentum come over the ridge
    "wells": {
        "sgd": 0.03, "momentum": 0.03, "nesterov": 0.03,
        "adagrad": 0.2, "adadelta": 5.0, "rmsprop": 0.03, "adam": 0.1,
    },
}  # fmt: skip
