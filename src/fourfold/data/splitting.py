"""Dividing examples into train, validation and test: disjoint, complete, in proportion to the classes.

The classes are spread evenly over one random order, and the splits are stretches of it, so every split holds every
class in proportion (to within one example) at any size, and k-fold validation parts do too.
"""

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed

Splits = dict[str, Tensor]  # "train", "validation", "test" -> example numbers, int64, ascending, disjoint


def divide(
    num_examples: int,
    seed: int,
    *,
    num_validation: int,
    num_test: int = 0,
    folds: int | None = None,
    fold: int = 0,
    labels: Tensor | None = None,
    groups: Tensor | None = None,
) -> Splits:
    """Return example numbers of each split.

    Args:
        num_examples: how many there are.
        seed: the same seed gives the same splits.
        num_validation: examples of the validation split, unless `folds` is given.
        num_test: examples of the test split.
        folds: cut everything but the test split into this many parts; part number `fold` validates.
        fold: which part validates, counted from 0.
        labels: class numbers, int64 `[examples]`, to stratify by.
        groups: group numbers, int64 `[examples]`; examples of one group stay in one split, and a split's size is then
            met only as nearly as whole groups allow.

    Raises:
        InputError: a split that must not be empty is.
    """
    order, position = _order(num_examples, seed, labels, groups)
    is_test = position < num_test
    if folds is not None:
        num_rest = num_examples - int(is_test.sum())
        if folds > num_rest:
            raise InputError(f"data.folds: {folds} folds of {num_rest} examples leave some empty")
        # A fold is a stretch: every folds-th place would hit one class again and again where it stands as regularly.
        rank, num_ranks = _group_rank(order, groups, is_test)
        is_validation = ~is_test & (rank * folds // num_ranks == fold)
    else:
        is_validation = ~is_test & (position < num_test + num_validation)
    is_train = ~is_test & ~is_validation
    if not is_train.any():
        raise InputError(f"data: {num_examples} examples leave none for training")
    if folds is not None and not is_validation.any():
        raise InputError(f"data.folds: with copies kept together there are fewer than {folds} parts")
    return {
        "train": order[is_train].sort().values,
        "validation": order[is_validation].sort().values,
        "test": order[is_test].sort().values,
    }


def subset(members: Tensor, count: int | None, seed: int) -> Tensor:
    """Return the first `count` of a seeded permutation of `members`, ascending; all of them where `count` is None.

    A smaller subset of the same seed is contained in a larger one.
    """
    if count is None or count >= len(members):
        return members
    chosen = torch.randperm(len(members), generator=_generator(seed, 1))[:count]
    return members[chosen].sort().values


def _order(num_examples: int, seed: int, labels: Tensor | None, groups: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return examples in an order whose stretches are stratified, and where each stands in it, float64.

    Members of a group stand together, all at the place of the group's middle, so that no cut can part them.
    """
    if groups is None:
        return _shuffled(num_examples, labels, seed), torch.arange(num_examples) + 0.5
    num_groups = int(groups.max()) + 1 if len(groups) else 0
    first = torch.full((num_groups,), num_examples).scatter_reduce_(0, groups, torch.arange(num_examples), "amin")
    ranked = _shuffled(num_groups, None if labels is None else labels[first], seed)
    sizes = torch.bincount(groups, minlength=num_groups)[ranked]
    middles = sizes.cumsum(0) - sizes / 2
    rank = torch.empty_like(ranked)
    rank[ranked] = torch.arange(num_groups)
    order = rank[groups].sort(stable=True).indices
    return order, middles[rank[groups[order]]]


def _group_rank(order: Tensor, groups: Tensor | None, is_test: Tensor) -> tuple[Tensor, int]:
    """Return how many groups (or examples) outside the test split begin before each place of `order`, and in all."""
    starts = torch.ones_like(is_test)
    if groups is not None:
        starts[1:] = groups[order][1:] != groups[order][:-1]
    count = (starts & ~is_test).cumsum(0)
    return count - 1, int(count[-1])


def _shuffled(num_examples: int, labels: Tensor | None, seed: int) -> Tensor:
    """Return example numbers in a random order whose every stretch holds the classes in proportion."""
    order = torch.randperm(num_examples, generator=_generator(seed))
    if labels is None:
        return order
    position = torch.empty(num_examples, dtype=torch.float64)
    for label in labels.unique():
        members = order[labels[order] == label]
        # The j-th of a class's m members stands at (j + 0.5) / m of the whole order.
        position[members] = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
    return order[position[order].sort(stable=True).indices]


def _generator(seed: int, *key: int) -> torch.Generator:
    return torch.Generator().manual_seed(stream_seed(seed, "split", *key))
