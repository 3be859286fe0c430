"""Text classification: one of several classes for each text, or pair of texts.

It is classification, with the same scores, that draws texts. Inputs are `Tokens`.

Checked by: classification's own oracles; reading the drawn texts back from the figure.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Batch


@dataclass(frozen=True)
class TextClassificationSpec(ClassificationSpec):
    """What a source of labelled texts promises."""

    task = "text_classification"

    def draw(self, batch: Batch, output: Tensor, raw: Any) -> Any:
        """Return a figure of texts with their predicted and true classes.

        `raw` holds the texts, or pairs of texts.
        """
        from fourfold.tasks.text_drawing import draw_classified_texts  # matplotlib only when something is drawn

        return draw_classified_texts(self, batch, output, raw)
