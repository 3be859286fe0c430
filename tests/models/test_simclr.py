"""SimCLR's encoder and head by hand; encoders of other networks, and their weights on the way to a classifier."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from verification import verified

from fourfold import models
from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.models.encoders import build_encoder, output_layer
from fourfold.models.weights import put_weights
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.contrastive import ContrastiveSpec
from fourfold.tasks.seam import Features, Image

COLOUR = Image(3, 16, 16)
SPEC = ContrastiveSpec(COLOUR, ("x", "y"))
SMALL = {"name": "resnet_cifar", "depth": 8}


def build(**fields: object) -> models.SimCLR:
    torch.manual_seed(0)
    return MODELS.parse({"name": "simclr", "encoder": SMALL, **fields}, "model").build(SPEC)  # type: ignore[attr-defined]


@pytest.mark.promise("R14")
@pytest.mark.parametrize(
    ("encoder", "params"),
    [
        # torchvision's counts without the output layer, and a hidden layer and 128 numbers, all with biases
        ("resnet18", 11_689_512 - 512 * 1000 - 1000 + 512 * 513 + 128 * 513),
        ("resnet50", 25_557_032 - 2048 * 1000 - 1000 + 2048 * 2049 + 128 * 2049),
    ],
)
def test_paper_sizes(encoder, params) -> None:
    config = MODELS.parse({"name": "simclr", "encoder": encoder}, "model")
    with torch.device("meta"):
        model = config.build(config.paper_spec())  # type: ignore[attr-defined]
    assert sum(p.numel() for p in model.parameters()) == params


def test_projections_by_hand_and_both_views_in_one_pass() -> None:
    model = build(projected=5).eval()
    first, second = torch.randn(2, 4, *COLOUR)
    output = model(first, second)
    first_layer, _, last_layer = model.projection
    features = model.encoder(second)
    hidden = (features @ first_layer.weight.T + first_layer.bias).clamp(min=0)
    torch.testing.assert_close(output.second, hidden @ last_layer.weight.T + last_layer.bias)
    torch.testing.assert_close(output.features, model.encoder(first))
    alone = model(second)
    assert alone.second is None
    torch.testing.assert_close(alone.first, output.second)
    torch.testing.assert_close(alone.features, features)
    norm = model.encoder.bn1
    seen = torch.cat([first, second])
    norm.reset_running_stats()
    norm.momentum = 1.0
    model.train()(first, second)  # statistics are of both views together
    expected = F.conv2d(seen, model.encoder.conv1.weight, padding=1).mean((0, 2, 3))
    torch.testing.assert_close(norm.running_mean, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.promise("R14")
def test_the_head_by_hand_with_its_gradients() -> None:
    model = build(projected=5).double().eval()
    pictures = torch.randn(4, *COLOUR, dtype=torch.float64)
    ours = model(pictures).first
    first, _, last = model.projection
    hidden = (model.encoder(pictures) @ first.weight.T + first.bias).clamp(min=0)
    theirs = hidden @ last.weight.T + last.bias
    gradients = [torch.autograd.grad(each.square().sum(), list(model.parameters())) for each in (ours, theirs)]
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-10)
    verified("network", "simclr", "the head by hand, after its encoder", "outputs", ours, theirs)
    verified("network", "simclr", "the head by hand, after its encoder", "gradients", *gradients)


def test_other_heads_and_every_parameter_learns() -> None:
    assert build(head="none").projection(torch.eye(64)).equal(torch.eye(64))
    assert [tuple(p.shape) for p in build(head="linear", projected=7).projection.parameters()] == [(7, 64), (7,)]
    for head in ("mlp", "linear", "none"):
        model = build(head=head)
        output = model(*torch.randn(2, 4, *COLOUR))
        (output.first * output.second).sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize(
    "name", ["resnet_cifar", "resnet", "densenet_cifar", "vgg11", "alexnet", "lenet5", "mlp", "googlenet"]
)
def test_a_network_is_its_output_layer_of_its_encoder_s_features(name) -> None:
    fields = {"auxiliary_weight": None} if name == "googlenet" else {}
    fields |= {"full_width": 16} if name in ("vgg11", "alexnet") else {}
    config, image = MODELS.parse({"name": name, **fields}, "model"), Image(3, 32, 32)
    torch.manual_seed(0)
    encoder, width = build_encoder(config, image)  # type: ignore[arg-type]
    torch.manual_seed(0)
    whole = config.build(ClassificationSpec(image, ("a", "b"))).eval()  # type: ignore[attr-defined]
    layer = whole.get_submodule(output_layer(whole) or "")
    features = encoder.eval()(x := torch.randn(2, *image))
    assert features.shape == (2, width)
    torch.testing.assert_close(layer(features), whole(x))


def test_networks_without_features_of_their_own_are_refused() -> None:
    for encoder, words in (("nin", "nin has no affine output layer"), ("googlenet", "more than its features")):
        with pytest.raises(InputError, match=words):
            MODELS.parse({"name": "simclr", "encoder": encoder}, "model").build(ContrastiveSpec(Image(3, 64, 64)))  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="simclr is for contrastive, but this data poses classification"):
        MODELS.parse("simclr", "model").build(ClassificationSpec(COLOUR, ("a", "b")))  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="needs pictures"):
        MODELS.parse(SMALL, "model").build(ClassificationSpec(Features(("a",)), ("a", "b")))  # type: ignore[attr-defined]


def test_an_encoder_s_weights_begin_a_classifier_whose_output_layer_is_its_own() -> None:
    trained = build()
    config = MODELS.parse(SMALL, "model")
    torch.manual_seed(1)
    classifier: nn.Module = config.build(ClassificationSpec(COLOUR, ("a", "b", "c")))  # type: ignore[attr-defined]
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    notes = put_weights(classifier, config, trained.state_dict(), 3, Path("simclr"))  # type: ignore[arg-type]
    after = classifier.state_dict()
    for name, value in trained.encoder.state_dict().items():
        assert torch.equal(after[name], value), name
    assert torch.equal(after["fc.weight"], before["fc.weight"])
    assert not torch.equal(after["conv1.weight"], before["conv1.weight"])
    assert any("fc.weight" in note and "drawn anew" in note for note in notes)
    assert any("projection.0.weight" in note and "left out" in note for note in notes)


def test_an_encoder_of_another_size_does_not_fit() -> None:
    config = MODELS.parse({**SMALL, "depth": 14}, "model")
    classifier = config.build(ClassificationSpec(COLOUR, ("a", "b", "c")))  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"missing: layer1\.1\.conv1\.weight"):
        put_weights(classifier, config, build().state_dict(), 3, Path("simclr"))  # type: ignore[arg-type]
