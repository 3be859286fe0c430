"""What the oracle tests have measured, as docs/verification.md.

An oracle test calls `verified` with what it compares. As a rule that only looks whether the table has the row; with
`pytest --write-verification` the rows of the tests that ran are written into it, beside those that are there.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

from fourfold.algorithms.optimizers import OPTIMIZERS
from fourfold.algorithms.regularizers import REGULARIZERS
from fourfold.algorithms.schedules import SCHEDULES
from fourfold.losses import LOSSES
from fourfold.models import MODELS
from fourfold.nn.activations import SCALAR

DOCUMENT = Path(__file__).parents[3] / "docs" / "verification.md"
Both = tuple[Any, Any]  # what is ours and what is the oracle's: tensors, numbers, or lists or mappings of them


class Kind(NamedTuple):
    """One section of the document."""

    title: str
    names: Sequence[str]  # what must have a row
    quantities: tuple[str, ...]


def _networks() -> list[str]:
    """Every size that has a name, and every family that is not one of its sizes by default."""
    sizes = [MODELS.parse(name, "model") for name, entry in MODELS.items() if entry.preset]
    return [name for name, entry in MODELS.items() if entry.preset or MODELS.parse(name, "model") not in sizes]


KINDS = {
    "network": Kind("Networks", _networks(), ("outputs", "gradients", "statistics")),
    "optimizer": Kind("Optimizers", list(OPTIMIZERS), ("weights",)),
    "schedule": Kind("Learning rates", [name for name in SCHEDULES if name != "constant"], ("factors",)),
    "loss": Kind("Losses", [name for name in LOSSES if name != "usual"], ("values", "gradients")),
    "layer": Kind(
        "Layers",
        [
            *SCALAR,
            "softmax",
            "batch_norm",
            "layer_norm",
            "instance_norm",
            "group_norm",
            "response_norm",
            "average_of_four",
            "average_of_places",
            "grid_average",
            "rnn_by_hand",
            "gru_by_hand",
            "attention",
            "heads_of_attention",
        ],
        ("outputs", "gradients", "statistics"),
    ),
    "score": Kind("Scores of texts", ["translation", "tagging", "sentence_pairs"], ("values",)),
    "regularizer": Kind(
        "Regularizers",
        [name for name in REGULARIZERS if name in ("weight_decay", "l1", "decoupled_weight_decay", "ema", "swa")]
        + ["gradient_clipping", "gradient_value_clipping"],
        ("values",),
    ),
}
# what the paper says of its size, where it says it; all of these digits are ours too
PAPERS = {
    "lenet5": ("60,000", "II.B"),
    "alexnet": ("60 M", "1"),
    "vgg11": ("133 M", "Table 2"),
    "vgg13": ("133 M", "Table 2"),
    "vgg16": ("138 M", "Table 2"),
    "vgg19": ("144 M", "Table 2"),
    "resnet20": ("0.27 M", "Table 6"),
    "resnet32": ("0.46 M", "Table 6"),
    "resnet44": ("0.66 M", "Table 6"),
    "resnet56": ("0.85 M", "Table 6"),
    "resnet110": ("1.7 M", "Table 6"),
    "densenet40_k12": ("1.0 M", "Table 2"),
    "densenet_bc100_k12": ("0.8 M", "Table 2"),
    "gpt3-small": ("125 M", "Table 2.1"),
    "gpt3-large": ("760 M", "Table 2.1"),
    "gpt3-xl": ("1.3 B", "Table 2.1"),
    "gpt3-2b7": ("2.7 B", "Table 2.1"),
    "gpt3-6b7": ("6.7 B", "Table 2.1"),
    "gpt3-175b": ("175 B", "abstract"),
}
UNITS = {"M": 1e6, "B": 1e9}
THEIRS = {"alexnet_one_tower": "alexnet", "googlenet_bn": "googlenet"}  # torchvision's names that are not ours

HEAD = """# What was compared with what

Every row is written by the tests that compare Fourfold with something that is not ours, or with the equation by hand:

    pytest -m "not gpu" --write-verification tests/models tests/nn tests/losses tests/algorithms \\
      tests/tasks

A difference is the largest one of any number, divided by the largest number there is; 0 is equal bit for bit. Outputs
of networks beside torchvision's, and of kernel machines, are in float32. Everything else is in float64, where 1e-9
would be a mistake. Gradients and statistics are those of a training step: of every parameter, and of every weight and
running mean and variance after it. So that the tests stay short, pictures have 16 to 100 pixels a side where the
network lets them, and the full layers of AlexNet and VGG 16 units for 4096. Parameters are counted of the whole
network, at its paper's inputs and outputs, GoogLeNet's with the two heads that it has in training.
"""


class Row(NamedTuple):
    """One line of a section: `differences` by quantity, largest of all that was measured; None where it was not."""

    system: str
    oracle: str
    differences: dict[str, str]


_measured: dict[tuple[str, str, str], dict[str, float]] = {}
_writing = False


def begin_writing() -> None:
    """Keep from now on what is measured."""
    global _writing
    _writing = True


def verified(kind: str, system: str, oracle: str, quantity: str, ours: Any, theirs: Any) -> None:
    """Put on record how far something is from its oracle.

    Args:
        kind: of `KINDS`.
        system: a name of that kind.
        oracle: what it was compared with, in words.
        quantity: of the kind's.
        ours: tensors, numbers, or lists or mappings of them.
        theirs: the same of the oracle.
    """
    record(kind, system, oracle, {quantity: difference(ours, theirs)})


def record(kind: str, system: str, oracle: str, differences: Mapping[str, float]) -> None:
    """Put differences on record that were measured already."""
    assert system in KINDS[kind].names, (kind, system)
    assert set(differences) <= set(KINDS[kind].quantities)
    if _writing:
        largest = _measured.setdefault((kind, system, oracle), {})
        for quantity, each in differences.items():
            largest[quantity] = max(each, largest.get(quantity, 0.0))
        return
    rows = [row for row in committed()[kind] if (row.system, row.oracle) == (system, oracle)]
    found = rows[0].differences if rows else {}
    missing = [quantity for quantity in differences if not found.get(quantity)]
    assert not missing, f"{DOCUMENT.name} has no {missing} of {system} beside {oracle}: pytest --write-verification"


def difference(ours: Any, theirs: Any) -> float:
    """Return the largest difference of any two numbers over the largest number."""
    if isinstance(ours, Mapping):
        assert list(ours) == list(theirs)
        return difference(list(ours.values()), list(theirs.values()))
    if isinstance(ours, list | tuple) and not all(isinstance(each, float) for each in ours):
        return max(difference(a, b) for a, b in zip(ours, theirs, strict=True))
    ours, theirs = (torch.as_tensor(each, dtype=torch.float64).detach() for each in (ours, theirs))
    assert ours.shape == theirs.shape
    largest = theirs.abs().max().clamp(min=1e-4)  # the gradient of a bias before batch normalisation is mere rounding
    return float((ours - theirs).abs().max() / largest)


def count_ours(name: str) -> int | None:
    """Return how many parameters a network has at its paper's inputs and outputs; None: as many as its data need."""
    config: Any = MODELS.parse(name, "model")
    spec = config.paper_spec()
    if spec is None or name in ("kernel_svm", "markov"):
        return None
    with torch.device("meta"):
        return sum(p.numel() for p in config.build(spec).parameters())


def count_torchvisions(name: str) -> int | None:
    """Return how many parameters torchvision's network has; None: it has none of that kind."""
    import torchvision  # which takes a second, and few tests need it

    make = getattr(torchvision.models, THEIRS.get(name, name), None)
    if make is None or name in ("alexnet", "googlenet"):  # which are other networks there
        return None
    with torch.device("meta"):
        return sum(p.numel() for p in make(**({"init_weights": False} if name == "googlenet_bn" else {})).parameters())


@cache
def committed() -> dict[str, list[Row]]:
    """Return the rows of the document, by kind."""
    found: dict[str, list[Row]] = {kind: [] for kind in KINDS}
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    for section in text.split("\n## ")[1:]:
        kind = next(kind for kind, each in KINDS.items() if section.startswith(each.title))
        quantities = KINDS[kind].quantities
        for line in re.findall(r"^\| `.*$", section, re.MULTILINE):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            oracle, *measured = cells[-1 - len(quantities) :]
            found[kind].append(Row(cells[0].strip("`"), oracle, dict(zip(quantities, measured, strict=True))))
    return found


def counts_of(system: str) -> list[str]:
    """Return the cells of a network's parameters: what its paper says, torchvision's, ours."""
    paper = " (".join(PAPERS[system]) + ")" if system in PAPERS else ""
    numbers = (count_torchvisions(system), count_ours(system))
    return [paper, *("" if number is None else f"{number:,}" for number in numbers)]


def write() -> None:
    """Write what was measured into the document, other rows as they were."""
    rows = {(kind, row.system, row.oracle): row for kind, each in committed().items() for row in each}
    for (kind, system, oracle), largest in _measured.items():
        known = rows[kind, system, oracle].differences if (kind, system, oracle) in rows else {}
        new = {quantity: "0" if each == 0 else f"{each:.0e}" for quantity, each in largest.items()}
        rows[kind, system, oracle] = Row(system, oracle, {**known, **new})
    parts = [HEAD]
    for kind, (title, names, quantities) in KINDS.items():
        sizes = ["parameters: paper", "torchvision", "here"] if kind == "network" else []
        table = [[kind, *sizes, "compared with", *quantities]]
        table += [["---"] * 1 + ["---:"] * len(sizes) + ["---"] + ["---:"] * len(quantities)]
        for name in names:
            for row in sorted(row for (k, system, _), row in rows.items() if (k, system) == (kind, name)):
                measured = [row.differences.get(quantity, "") for quantity in quantities]
                table.append([f"`{name}`", *(counts_of(name) if sizes else []), row.oracle, *measured])
        parts.append(f"## {title}\n\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in table) + "\n")
    DOCUMENT.write_text("\n".join(parts), encoding="utf-8")
