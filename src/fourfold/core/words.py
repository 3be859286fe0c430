"""Numbers and the words behind them.

Checked by: none, one, many, and a plural that is not the singular and an s; sizes of examples and of an environment.
"""

from collections.abc import Mapping


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and what it counts: `1 step`, `1,234 steps`, `2 classes`.

    Args:
        number: how many.
        one: the noun's singular.
        many: its plural, where that is not the singular and an s.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def sizes_in_words(sizes: Mapping[str, int], task: str, between: str = " / ") -> tuple[str, str]:
    """Return what a data source's splits are made of, and how much of it: `("examples", "42 train / 9 validation")`.

    An environment has no examples: episodes are played to score, and training learns from transitions that it makes.

    Args:
        sizes: `Source.sizes`; splits of none are left out.
        task: what the data are for.
        between: what stands between two splits.
    """
    known = {split: f"{size:,} {split}" for split, size in sizes.items() if size}
    if task != "control":
        return "examples", between.join(known.values())
    played = between.join(words for split, words in known.items() if split != "train")
    return "episodes", f"{played}, and {counted(sizes['train'], 'transition')} count as an epoch"


def drawn_at_once(batch_size: int, task: str) -> str:
    """Return what a step learns from: `32 examples`, of an environment `32 transitions`."""
    return counted(batch_size, "transition" if task == "control" else "example")
