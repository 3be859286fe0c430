"""Features of pictures for scoring: the last ones of Inception v3, from weights of torchvision's that the user has.

    pictures -> 299x299, colour -> Inception v3 -> 2,048 numbers

Paper: Heusel et al., GANs Trained by a Two Time-Scale Update Rule, NeurIPS 2017, arXiv:1706.08500, whose weights are
others: of TensorFlow, of 2015. So distances are near to published ones, but not the same.
Checked by: torchvision's network, its last layer left out.
"""

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.data.synthesis.classifier import Judge

SIDE, AT_ONCE = 299, 50
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as torchvision standardises


def inception_of(path: Path) -> Judge:
    """Return the judge from a file of weights, torchvision's `inception_v3_google-….pth`.

    Raises:
        InputError: the file cannot be read, or holds something else.
    """
    if not path.is_file():
        raise InputError(
            f"data.inception: {path}: no such file; torchvision publishes inception_v3_google-0cc3c7bd.pth"
        )
    from torchvision.models import inception_v3

    network: Any = inception_v3(weights=None, init_weights=False, transform_input=False)
    try:
        content = path.read_bytes()
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # of whatever kind: the bytes are anybody's
        raise InputError(
            f"data.inception: {path}: not weights of torchvision's inception_v3: {_first(error)}"
        ) from None
    network.fc = torch.nn.Identity()
    network.eval().requires_grad_(False)
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, DEVIATION))

    @torch.no_grad()
    def features(pictures: Tensor) -> Tensor:
        parts = []
        for part in pictures.split(AT_ONCE):
            sized = F.interpolate(part.expand(-1, 3, -1, -1), size=(SIDE, SIDE), mode="bilinear", antialias=True)
            parts.append(network(((sized + 1) / 2 - mean) / deviation))
        return torch.cat(parts)

    return Judge(f"2,048 numbers of Inception v3 by {path.name} ({hashlib.sha256(content).hexdigest()[:16]})", features)


def _first(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
