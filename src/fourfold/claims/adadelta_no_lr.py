"""Adadelta needs no learning rate; RMSprop needs one, and with the right one it trains better.

Adadelta is run as its paper gives it, rho 0.95 and eps 1e-6. RMSprop is run at six step sizes, and the rule asks
whether any of them ends with a lower training loss. That is a tuning that is judged as one: all six comparisons are
corrected together, so that the best of six by chance does not count. Adadelta gets no search, for that is what was
said of it; the difference is in the arms' names.
"""

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import Measure
from fourfold.claims.rules import all_of, any_of, not_greater, ratio
from fourfold.study.cells import CellResult

LRS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
DIVERGED = 1e3  # what a run counts as that ended with no network: worse than any that is one


def training_loss(cell: CellResult) -> float:
    """Return the loss on the whole training split at the end."""
    loss = float(cell.metrics["train"]["loss"]) if cell.status == "done" else DIVERGED
    return min(loss, DIVERGED)


CLAIM = TrainedClaim(
    id="adadelta-no-lr",
    says="Adadelta trains with no learning rate to choose; RMSprop, once one is chosen well, trains better.",
    source="Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012, arXiv:1212.5701, abstract and section 4.1 (no "
    "tuning); that a tuned RMSprop is better is what is often taught: near it are the benchmarks of Schmidt, Schneider "
    "and Hennig, Descending through a Crowded Valley, ICML 2021, arXiv:2007.01547",
    recipe="digits-mlp",
    arms={"adadelta, as it is": {"algorithm.optimizer": {"name": "adadelta", "rho": 0.95, "eps": 1e-6}}}
    | {f"rmsprop, lr {lr:g}": {"algorithm.optimizer": {"name": "rmsprop", "lr": lr}} for lr in LRS},
    shared={"data.split_seed": None},
    measure=Measure("loss on the training split after the same number of steps", training_loss),
    rule=all_of(
        not_greater("adadelta, as it is", 0.5, by=0.0),  # it trains: ln 10 = 2.3 is the loss of knowing nothing
        any_of(*(ratio("adadelta, as it is", f"rmsprop, lr {lr:g}", above=1.0) for lr in LRS)),
    ),
    quick=Size(seeds=9, overrides={"budget.steps": 400}),
    full=Size(seeds=12, overrides={"budget.steps": 2000}),
    scaled_from="MNIST for 6 epochs of 500 units and 300, and a speech task; here digits of 8x8 and 128 units",
)
