"""Each network on pictures can be looked into: gradients reach its maps whatever it changes in place."""

import pytest
import torch

from fourfold.models.alexnet import AlexNet
from fourfold.models.densenet import DenseNet
from fourfold.models.googlenet import GoogLeNet
from fourfold.models.nin import NiN
from fourfold.models.resnet_cifar import ResNetCifar
from fourfold.models.vgg import VGG
from fourfold.run.views.effective_field import effective_fields
from fourfold.run.views.grad_cam import grad_cam
from fourfold.run.views.receptive_field import theoretical_fields

NETWORKS = {
    "alexnet": lambda: AlexNet(out_features=4, stem="small", full_width=8),
    "densenet": lambda: DenseNet((2, 2), 4, 8, 4, stem="small"),
    "googlenet": lambda: GoogLeNet(4, stem="small"),
    "nin": lambda: NiN(4),
    "resnet_cifar": lambda: ResNetCifar(8, 4),
    "vgg": lambda: VGG(11, 4, stem="small", full_width=8),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_it_can_be_looked_into(name) -> None:
    torch.manual_seed(0)
    model, pictures = NETWORKS[name](), torch.randn(2, 3, 32, 32)
    heat = grad_cam(model, pictures, torch.tensor([0, 3]))
    assert heat.isfinite().all()
    assert (heat >= 0).all()
    found = effective_fields(model, pictures)
    fields = theoretical_fields(model, pictures)
    assert len(found) == len(fields) >= 3
    assert heat.shape[1:] in [stage.values.shape[2:] for stage, _ in found]
    sizes = [field.rows.size for _, field in fields if field is not None]
    assert sizes == sorted(sizes)
    assert len(sizes) >= 3
    assert any(strength.any() for _, strength in found)
