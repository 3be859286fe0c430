"""What is wrong with pictures once they were read: files, classes and copies.

Checked by: a folder with every fault planted; each fault alone.
"""

from collections import Counter

import numpy as np

from fourfold.core.errors import did_you_mean
from fourfold.data.pictures.facts import Facts
from fourfold.data.pictures.finding import Found
from fourfold.data.pictures.problems import Problem

STRICTNESS = ("train", "validation", "test")  # of two copies, the one in the later split stays


def usable(found: Found, facts: Facts, needed: int) -> list[int]:
    """Return the numbers of the pictures that can be used; of all others there is a problem in `found.problems`.

    Args:
        found: pictures, each with its class, and its split if that is given.
        facts: what is known of each.
        needed: pictures that a class must have, all of them different, to be in every split that is drawn here.
    """
    found.problems += [Problem(found.files[i].name, reason) for i, reason in facts.failures.items()]
    bad = set(facts.failures)
    bad |= _contradictions(found, facts, bad)
    if found.splits is not None:
        bad |= _twins(found, facts, bad)
        bad |= _mismatches(found, bad)
    bad |= _small_classes(found, facts, bad, needed)
    return [i for i in range(len(found.files)) if i not in bad]


def copies(facts: Facts, numbers: list[int]) -> np.ndarray:
    """Return a number for each picture's file content, int64, from 0: equal files have equal numbers."""
    digests = np.ascontiguousarray(facts.digests[numbers])
    begin = digests.view(">u8")[:, 0].astype(np.uint64)  # in the order of the digests, whatever this machine's is
    _, first, content = np.unique(begin, return_index=True, return_inverse=True)
    if (digests != digests[first[content]]).any():  # equal in 64 bits of 256: sorting by all takes seven times as long
        _, content = np.unique(digests, axis=0, return_inverse=True)
    return content.reshape(-1)


def _groups(facts: Facts, bad: set[int]) -> list[list[int]]:
    """Return the numbers of pictures whose files are equal, two or more a group."""
    numbers = [i for i in range(len(facts.grey)) if i not in bad]
    if not numbers:
        return []
    content = copies(facts, numbers)
    several = np.flatnonzero(np.bincount(content) > 1)
    return [[numbers[place] for place in np.flatnonzero(content == each)] for each in several]


def _contradictions(found: Found, facts: Facts, bad: set[int]) -> set[int]:
    """Add a problem for each picture that is in two classes."""
    wrong = set()
    for group in _groups(facts, bad):
        if len({found.labels[i] for i in group}) > 1:
            first = group[0]
            for i in group[1:]:
                if found.labels[i] != found.labels[first]:
                    same = f"the same picture as {found.files[first].name}, but in another class"
                    found.problems.append(Problem(found.files[i].name, same))
            wrong |= set(group)
    return wrong


def _twins(found: Found, facts: Facts, bad: set[int]) -> set[int]:
    """Add a problem for each picture of which a stricter split has a copy: a model would know it by heart."""
    assert found.splits is not None
    wrong = set()
    for group in _groups(facts, bad):
        ranks = {i: STRICTNESS.index(found.splits[i]) for i in group}
        strictest = max(group, key=lambda i: ranks[i])
        for i in group:
            if ranks[i] < ranks[strictest]:
                where = f"{found.files[strictest].name}, which is in the {found.splits[strictest]} split"
                found.problems.append(Problem(found.files[i].name, f"the same picture as {where}"))
                wrong.add(i)
    return wrong


def _mismatches(found: Found, bad: set[int]) -> set[int]:
    """Add a problem for each class that is in one split and not in the other."""
    assert found.splits is not None
    classes: dict[str, set[str]] = {split: set() for split in found.splits}
    for i, split in enumerate(found.splits):
        classes[split].add(str(found.labels[i]))
    trained = classes.get("train", set())
    for split in classes.keys() - {"train"}:
        folder = found.split_folders.get(split, split)
        for name in classes[split] - trained:
            if f"{found.split_folders.get('train', 'train')}/{name}" not in found.empty:
                text = f"train has no class '{name}'{did_you_mean(name, trained)}"
                found.problems.append(Problem(f"{folder}/{name}/", text))
        for name in trained - classes[split]:
            if f"{folder}/{name}" not in found.empty:
                found.problems.append(Problem(f"{folder}/{name}/", "missing: train has this class"))
    return {i for i, label in enumerate(found.labels) if label not in trained and i not in bad}


def _small_classes(found: Found, facts: Facts, bad: set[int], needed: int) -> set[int]:
    """Add a problem for each class that has too few different pictures to be divided."""
    pool = [i for i in range(len(found.files)) if i not in bad and (not found.splits or found.splits[i] == "train")]
    if not pool:
        return set()
    different = {(str(found.labels[i]), each) for i, each in zip(pool, copies(facts, pool).tolist(), strict=True)}
    counts = Counter(label for label, _ in different)
    small = {label for label, count in counts.items() if count < needed}
    for label in small:
        count = counts[label]
        text = f"{count} picture{'s' * (count > 1)} of this class; at least {needed} are needed, one for each split"
        found.problems.append(Problem(f"{found.split_folders.get('train', '')}/{label}/".lstrip("/"), text))
    return {i for i in range(len(found.files)) if i not in bad and found.labels[i] in small}
