"""What a network that answers for each token says about a few texts, drawn.

Checked by: the figure has the letters of the split's own first texts.
"""

import torch

from fourfold.report.drawing import Drawn
from fourfold.run.run import Run

TEXTS = 4


def draw_texts(run: Run) -> list[Drawn]:
    """Draw the first texts of the test split (validation where there is none), each token with what is said of it.

    Raises:
        InputError: the data cannot be read any more.
        CheckpointError: the run has no weights, or they are damaged.
    """
    source, model = run.parts.source, run.model
    split = "test" if source.sizes.get("test") else "validation"
    batch = next(iter(source.split(split, TEXTS)))
    with torch.inference_mode(), run.autocast():
        output = model(*batch.inputs)
    if isinstance(output, torch.Tensor):
        output = output.float()
    count = len(batch.inputs[0])
    figure = source.spec.draw(batch, output, source.raw(split, list(range(count))))
    texts = "text" if count == 1 else f"{count} texts"
    return [Drawn("texts", figure, f"The first {texts} of the {split} split.")]
