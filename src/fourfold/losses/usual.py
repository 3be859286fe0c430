"""The loss that a task is usually trained with, for data whose task is inferred.

    classification             cross_entropy
    regression                 mse
    probabilistic_regression   gaussian_nll
    masked_language_modelling  masked_and_next
    language_modelling         cross_entropy
    text_classification        cross_entropy
    sentence_pairs             mse
    tagging                    cross_entropy
    translation                cross_entropy
    forecasting                mse
    contrastive                nt_xent
    control                    td_error
    image_synthesis            non_saturating
    point_synthesis            non_saturating

Checked by: each task gets its loss, with the same values.
"""

from collections.abc import Mapping
from typing import Literal

from fourfold.core.errors import InputError
from fourfold.losses.base import Loss, LossConfig
from fourfold.losses.cross_entropy import CrossEntropyConfig
from fourfold.losses.gaussian_nll import GaussianNLLConfig
from fourfold.losses.masked_and_next import MaskedAndNextConfig
from fourfold.losses.mse import MSEConfig
from fourfold.losses.non_saturating import NonSaturatingConfig
from fourfold.losses.nt_xent import NTXentConfig
from fourfold.losses.td_error import TDErrorConfig
from fourfold.tasks.seam import Spec

USUAL: Mapping[str, LossConfig] = {
    "classification": CrossEntropyConfig(),
    "regression": MSEConfig(),
    "probabilistic_regression": GaussianNLLConfig(),
    "masked_language_modelling": MaskedAndNextConfig(),
    "language_modelling": CrossEntropyConfig(),
    "text_classification": CrossEntropyConfig(),
    "sentence_pairs": MSEConfig(),
    "tagging": CrossEntropyConfig(),
    "translation": CrossEntropyConfig(),
    "forecasting": MSEConfig(),
    "contrastive": NTXentConfig(),
    "control": TDErrorConfig(),
    "image_synthesis": NonSaturatingConfig(),
    "point_synthesis": NonSaturatingConfig(),
}


class UsualConfig(LossConfig):
    """Fields of `loss: usual`."""

    name: Literal["usual"] = "usual"

    def build(self, spec: Spec) -> Loss:
        """Return the task's usual loss.

        Raises:
            InputError: the task has none; name a loss.
        """
        if spec.task not in USUAL:
            raise InputError(f"loss: {spec.task} has no usual loss; name one")
        return USUAL[spec.task].build(spec)
