"""What a task of making examples says, and what it refuses."""

import pytest

from fourfold.core.errors import InputError
from fourfold.tasks.inputs import Features, Image
from fourfold.tasks.synthesis import ImageSynthesisSpec, PointSynthesisSpec


@pytest.mark.parametrize("spec", [ImageSynthesisSpec(Image(3, 8, 8)), PointSynthesisSpec(Features(("x", "y")))])
def test_predictions_are_refused_in_one_line(spec) -> None:
    with pytest.raises(InputError, match="predicts nothing of an example: it makes new ones; use fourfold sample RUN"):
        spec.predictions(None)
    assert spec.headline in spec.metrics
    assert not spec.higher_is_better
    assert spec.num_outputs == spec.input.size
