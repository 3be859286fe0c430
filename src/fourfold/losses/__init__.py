"""Losses: what "good" means. One loss a file."""

from typing import TYPE_CHECKING, Any

from fourfold.core.registry import Entry, Table, lazy_exports

if TYPE_CHECKING:
    from fourfold.losses.class_balanced import ClassBalanced as ClassBalanced
    from fourfold.losses.cross_entropy import CrossEntropy as CrossEntropy
    from fourfold.losses.focal import Focal as Focal
    from fourfold.losses.gaussian_nll import GaussianNLL as GaussianNLL
    from fourfold.losses.huber import Huber as Huber
    from fourfold.losses.mae import MAE as MAE
    from fourfold.losses.masked_and_next import MaskedAndNext as MaskedAndNext
    from fourfold.losses.minimax import Minimax as Minimax
    from fourfold.losses.mse import MSE as MSE
    from fourfold.losses.non_saturating import NonSaturating as NonSaturating
    from fourfold.losses.nt_xent import NTXent as NTXent
    from fourfold.losses.perceptron import PerceptronCriterion as PerceptronCriterion
    from fourfold.losses.soft_f1 import SoftF1 as SoftF1
    from fourfold.losses.td_error import TDError as TDError

LOSSES = Table(
    "loss",
    {
        "usual": Entry("fourfold.losses.usual:UsualConfig", "whatever the task is usually trained with"),
        "mse": Entry("fourfold.losses.mse:MSEConfig", "numbers; squared error"),
        "mae": Entry("fourfold.losses.mae:MAEConfig", "numbers; absolute error, calm about outliers"),
        "huber": Entry("fourfold.losses.huber:HuberConfig", "numbers; squared near zero, absolute far away (1964)"),
        "gaussian_nll": Entry(
            "fourfold.losses.gaussian_nll:GaussianNLLConfig", "numbers with a variance; maximum likelihood (1994)"
        ),
        "cross_entropy": Entry(
            "fourfold.losses.cross_entropy:CrossEntropyConfig", "classes; hard, soft or smoothed labels"
        ),
        "focal": Entry("fourfold.losses.focal:FocalConfig", "classes; easy examples fade (2017)"),
        "class_balanced": Entry(
            "fourfold.losses.class_balanced:ClassBalancedConfig", "classes; weighed by effective numbers (2019)"
        ),
        "soft_f1": Entry("fourfold.losses.soft_f1:SoftF1Config", "classes; the F1 metric made smooth (2022)"),
        "masked_and_next": Entry(
            "fourfold.losses.masked_and_next:MaskedAndNextConfig",
            "hidden words, and whether texts follow each other (2018)",
        ),
        "minimax": Entry("fourfold.losses.minimax:MinimaxConfig", "two players; what one wins the other loses (2014)"),
        "non_saturating": Entry(
            "fourfold.losses.non_saturating:NonSaturatingConfig",
            "two players; a generator that loses still learns (2014)",
        ),
        "td_error": Entry("fourfold.losses.td_error:TDErrorConfig", "what actions seemed worth, and led to (2015)"),
        "nt_xent": Entry(
            "fourfold.losses.nt_xent:NTXentConfig", "two views of a picture alike, unlike all others (2020)"
        ),
        "perceptron": Entry(
            "fourfold.losses.perceptron:PerceptronCriterionConfig", "classes; distance of wrong examples (1962)"
        ),
    },
)

_EXPORTS = {
    "ClassBalanced": "fourfold.losses.class_balanced",
    "CrossEntropy": "fourfold.losses.cross_entropy",
    "Focal": "fourfold.losses.focal",
    "GaussianNLL": "fourfold.losses.gaussian_nll",
    "Huber": "fourfold.losses.huber",
    "MAE": "fourfold.losses.mae",
    "MSE": "fourfold.losses.mse",
    "MaskedAndNext": "fourfold.losses.masked_and_next",
    "Minimax": "fourfold.losses.minimax",
    "NonSaturating": "fourfold.losses.non_saturating",
    "NTXent": "fourfold.losses.nt_xent",
    "PerceptronCriterion": "fourfold.losses.perceptron",
    "SoftF1": "fourfold.losses.soft_f1",
    "TDError": "fourfold.losses.td_error",
}


def __getattr__(name: str) -> Any:
    return lazy_exports(__name__, _EXPORTS, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
