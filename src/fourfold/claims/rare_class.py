"""Moons of which one is twenty times as frequent as the other: the data of three claims, anew at each seed.

The moons overlap, so what to say of a point between them depends on how many points there are of each.
"""

MOONS = {
    "data.num_examples": 4200,
    "data.imbalance": 20,
    "data.noise": 0.35,
    "data.data_seed": None,
    "data.split_seed": None,
}
