"""The probabilities that tokens are drawn by, beside transformers' own."""

import pytest
import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from fourfold.run.generate import Sampling, probabilities

SCORES = torch.randn(50, 31, generator=torch.Generator().manual_seed(0)) * 3


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("top_k", [None, 1, 7])
@pytest.mark.parametrize("top_p", [None, 0.2, 0.9])
def test_temperature_top_k_and_top_p_are_theirs(temperature, top_k, top_p) -> None:
    theirs = TemperatureLogitsWarper(temperature)(None, SCORES)
    if top_k is not None:
        theirs = TopKLogitsWarper(top_k)(None, theirs)
    if top_p is not None:
        theirs = TopPLogitsWarper(top_p)(None, theirs)
    torch.testing.assert_close(probabilities(SCORES, Sampling(temperature, top_k, top_p)), theirs.softmax(1))
