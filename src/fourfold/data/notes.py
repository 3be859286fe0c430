"""What was decided about the data, in words, for the run's record.

Checked by: each source's notes against its sizes, seeds, classes and the statistics of its encoding.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor

from fourfold.data.image_encoding import ImageEncoding

MOST_NAMES = 20  # classes or targets in one line


def split_note(splits: Mapping[str, Tensor], drawn: str) -> str:
    """Say how large the splits are, and how they were `drawn` (see `DividedDataConfig.drawn`)."""
    sizes = ", ".join(f"{name} {len(members):,}" for name, members in splits.items())
    return f"split: {sizes} examples, {drawn}"


def classes_note(names: Sequence[str], counts: Sequence[int]) -> str:
    """Say which classes there are, and how many training examples of each."""
    named = [f"{name}: {count:,}" for name, count in zip(names, counts, strict=True)]
    return f"{len(names):,} classes; training examples of each: {_listed(named)}"


def inputs_note(names: Sequence[str]) -> str:
    """Say how rows of named numbers were scaled."""
    return f"inputs: {len(names):,} numbers, each standardised by its mean and deviation over the training split"


def targets_note(names: Sequence[str], mean: Sequence[float], deviation: Sequence[float]) -> str:
    """Say how targets were scaled."""
    each = [f"'{n}' by mean {m:.6g} and deviation {d:.6g}" for n, m, d in zip(names, mean, deviation, strict=True)]
    return f"targets standardised over the training split: {_listed(each)}; predictions are in their own units"


def pictures_note(encoding: ImageEncoding) -> str:
    """Say how pictures were scaled, and that their shape was kept."""
    by = [f"mean {m:.6g} and deviation {d:.6g}" for m, d in zip(encoding.mean, encoding.deviation, strict=True)]
    each = "a channel each, " if encoding.channels > 1 else ""
    return (
        f"pictures: {encoding.channels}x{encoding.height}x{encoding.width}, pixels 0 to {encoding.maximum:g}, "
        f"standardised over the training split ({each}{'; '.join(by)}); kept as pictures: models of rows flatten them"
    )


def augment_note(names: Sequence[str]) -> list[str]:
    """Say how training pictures are changed; nothing where they are not."""
    if not names:
        return []
    return [f"training pictures are changed anew each time ({', '.join(names)}); validation and test pictures never"]


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - MOST_NAMES:,} more" if len(texts) > MOST_NAMES else ""
    lines = [" ".join(text.split()) for text in texts[:MOST_NAMES]]  # a class of a table may be two lines of text
    return ", ".join(lines) + more
