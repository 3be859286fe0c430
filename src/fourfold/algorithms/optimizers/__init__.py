"""Optimizers: each its paper's equations, its own state, held equal to torch.optim."""

from typing import TYPE_CHECKING, Any

from fourfold.core.registry import Entry, Table, lazy_exports

if TYPE_CHECKING:
    from fourfold.algorithms.optimizers.adadelta import Adadelta as Adadelta
    from fourfold.algorithms.optimizers.adagrad import Adagrad as Adagrad
    from fourfold.algorithms.optimizers.adam import Adam as Adam
    from fourfold.algorithms.optimizers.lars import LARS as LARS
    from fourfold.algorithms.optimizers.momentum import Momentum as Momentum
    from fourfold.algorithms.optimizers.nesterov import Nesterov as Nesterov
    from fourfold.algorithms.optimizers.rmsprop import RMSprop as RMSprop
    from fourfold.algorithms.optimizers.sgd import SGD as SGD

OPTIMIZERS = Table(
    "optimizer",
    {
        "sgd": Entry("fourfold.algorithms.optimizers.sgd:SGDConfig", "straight down the gradient (1951)"),
        "momentum": Entry("fourfold.algorithms.optimizers.momentum:MomentumConfig", "the heavy ball (1964)"),
        "nesterov": Entry("fourfold.algorithms.optimizers.nesterov:NesterovConfig", "momentum that looks ahead (1983)"),
        "adagrad": Entry(
            "fourfold.algorithms.optimizers.adagrad:AdagradConfig", "divided by all past gradients (2011)"
        ),
        "adadelta": Entry(
            "fourfold.algorithms.optimizers.adadelta:AdadeltaConfig", "no learning rate to choose (2012)"
        ),
        "rmsprop": Entry("fourfold.algorithms.optimizers.rmsprop:RMSpropConfig", "divided by recent gradients (2012)"),
        "adam": Entry("fourfold.algorithms.optimizers.adam:AdamConfig", "momentum and rmsprop, bias-corrected (2014)"),
        "lars": Entry("fourfold.algorithms.optimizers.lars:LARSConfig", "steps by each layer's own length (2017)"),
    },
)

_EXPORTS = {
    "SGD": "fourfold.algorithms.optimizers.sgd",
    "Momentum": "fourfold.algorithms.optimizers.momentum",
    "Nesterov": "fourfold.algorithms.optimizers.nesterov",
    "Adagrad": "fourfold.algorithms.optimizers.adagrad",
    "Adadelta": "fourfold.algorithms.optimizers.adadelta",
    "RMSprop": "fourfold.algorithms.optimizers.rmsprop",
    "Adam": "fourfold.algorithms.optimizers.adam",
    "LARS": "fourfold.algorithms.optimizers.lars",
}


def __getattr__(name: str) -> Any:
    return lazy_exports(__name__, _EXPORTS, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
