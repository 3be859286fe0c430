"""What holds for each model: counted without data, learning with every parameter, refusing what does not fit."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fourfold import models
from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.nn.hog import num_features
from fourfold.tasks.auxiliary import WithAuxiliary
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.control import ControlSpec
from fourfold.tasks.forecasting import forecasting_spec
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Features, Image, Series, Tokens
from fourfold.tasks.synthesis import ImageSynthesisSpec, Judged
from fourfold.tasks.tokens import TokenSpec
from fourfold.tasks.translation import TranslationSpec

PICTURES = ClassificationSpec(Image(1, 28, 28), tuple("0123456789"))
ROWS = ClassificationSpec(Features(("a", "b", "c")), ("x", "y", "z"))
COLOUR = ClassificationSpec(Image(3, 16, 16), tuple("0123456789"))
PHOTOGRAPHS = ClassificationSpec(Image(3, 64, 64), tuple("0123456789"))
NUMBERS = RegressionSpec(Features(("a", "b", "c")), ("u", "v"), (0.0, 0.0), (1.0, 1.0))
TEXTS = ClassificationSpec(Tokens(11, 7, 1), ("x", "y", "z"))
SERIES = forecasting_spec(("a", "b"), 4, 3, 2, (0.0, 0.0), (1.0, 1.0), (1.0, 1.0))
RUNNING = LanguageModellingSpec(Tokens(11, 7, 1), tokenizer="")
MADE = ImageSynthesisSpec(Image(1, 16, 16))
TRANSLATED = TranslationSpec(Tokens(11, 7, 1), Tokens(11, 7, 1), tokenizer="", languages=("en", "ko"))

FRAMES = ControlSpec(Image(4, 36, 36), ("none", "left", "right"), stack=4)
ACTIONS = ControlSpec(Features(("a", "b", "c", "d")), ("left", "right"))

# by hand: inputs x outputs + outputs, layer after layer
COUNTS = {
    "linear_regression": 10 + 1,
    "perceptron": 2 + 1,
    "softmax_regression": 784 * 10 + 10,
    "mlp": 784 * 128 + 128 + 128 * 10 + 10,
    "naive_sequence": 12,
    "ar": 2 + 1,
    "latent_ar": 16 * 16 + 16 + 16 + 1,
    "rnn": 128 * (2 + 128 + 2) + 128 + 1,  # of two numbers a step
    "lstm": 4 * 128 * (2 + 128 + 2) + 128 + 1,
    "gru": 3 * 128 * (2 + 128 + 2) + 128 + 1,
    "seq2seq": 2 * 30_001 * 256  # two tables; reader; s, W, U, v; writer; maxout; scores
    + 2 * 3 * 256 * (256 + 256 + 2)
    + (2 * 257 + 512 + 1) * 256
    + 3 * 256 * (256 + 512 + 256 + 2)
    + 256 * (256 + 256 + 512 + 1)
    + 30_001 * (128 + 1),
    "dqn_2013": 16 * (8 * 8 * 4 + 1) + 32 * (4 * 4 * 16 + 1) + 256 * (9 * 9 * 32 + 1) + 4 * 257,
    "dqn_2015": 1_686_180,
    "dqn_minatar": 16 * (3 * 3 * 4 + 1) + 128 * (8 * 8 * 16 + 1) + 6 * 129,
    "dueling_mlp": (4 + 1) * 128 + 2 * (128 + 1) * 128 + (128 + 1) + (128 + 1) * 2,
    "lenet5": (25 * 6 + 6) + (150 * 16 + 16) + (400 * 120 + 120) + (120 * 84 + 84) + (84 * 10 + 10),
    "alexnet": 96 * 364 + 256 * 1201 + 384 * 2305 + (384 + 256) * 1729 + 4096 * (9217 + 4097) + 1000 * 4097,
    "nin": 192 * 76 + 160 * 193 + 96 * 161 + 192 * 2401 + 2 * 192 * 193 + 192 * 1729 + 192 * 193 + 10 * 193,
    "vgg": 138_357_544,
    "resnet": 11_689_512,
    "googlenet": 6_998_552 + 3_188_840 + 3_190_888,  # the main path and two heads
    "markov": 0,  # counts come with counting
    "kernel_svm": 10 * 10,  # a bias a pair of classes; support vectors come with the solution
    "densenet": 7_978_856,
    "densenet_cifar": 1_019_722,
    "transformer": 6 * 3_150_336 + 6 * 4_199_936 + 37_000 * 512,  # test_transformer.py has a layer's
    "bert": 109_482_240 + (768**2 + 3 * 768 + 30_522) + 2 * 769,  # the encoder, and two heads
    "gpt": 12 * (12 * 768**2 + 13 * 768) + (50_257 + 1024 + 2) * 768,
    "gan": (101 * 1200 + 1201 * 1200 + 1201 * 784)  # generator; maxout of 5 pieces
    + (785 * 240 * 5 + 241 * 240 * 5 + 241),
    "dcgan": 16 * (100 * 1024 + 1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3)  # filters of both players, then gammas
    + 16 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024 + 1024)
    + 2 * (1024 + 512 + 256 + 128)
    + 2 * (256 + 512 + 1024),
    "resnet_cifar": 269_722,  # 27·16, 9·(6·16² + 16·32 + 5·32² + 32·64 + 5·64²), gammas and betas, 64·10 + 10
}
FITS = {
    "linear_regression": NUMBERS,
    "perceptron": ROWS,
    "softmax_regression": ROWS,
    "mlp": ROWS,
    **dict.fromkeys(["naive_sequence", "ar", "latent_ar"], SERIES),
    **dict.fromkeys(["rnn", "lstm", "gru"], TEXTS),
    "seq2seq": TRANSLATED,
    "dueling_mlp": ACTIONS,
    **dict.fromkeys(["dqn_2013", "dqn_2015", "dqn_minatar"], FRAMES),
    "lenet5": PICTURES,
    "markov": RUNNING,
    "kernel_svm": COLOUR,
    "alexnet": COLOUR,
    "nin": COLOUR,
    "vgg": COLOUR,
    "resnet": COLOUR,
    "resnet_cifar": COLOUR,
    "googlenet": COLOUR,
    "densenet": COLOUR,
    "densenet_cifar": COLOUR,
    "transformer": TRANSLATED,
    "gpt": RUNNING,
    "bert": TEXTS,
    **dict.fromkeys(["gan", "dcgan"], MADE),
}
SMALL = {  # fields of networks whose own sizes would only take time
    "bert": {"layers": 1, "width": 8, "heads": 2, "max_length": 7},
    "transformer": {"layers": 1, "width": 24, "heads": 2, "hidden": 8},
    "gpt": {"layers": 1, "width": 24, "heads": 2},
    "gan": {"generator_widths": [16], "discriminator_widths": [8]},
    "dcgan": {"width": 4},
}
FAMILIES = {name for name, entry in MODELS.items() if not entry.preset}  # test_named_sizes.py has the others


OWN = {"simclr"}  # which take and return several tensors: test_simclr.py


def build(name: str, **fields: object) -> nn.Module:
    torch.manual_seed(0)
    spec = PHOTOGRAPHS if fields.get("stem") == "imagenet" else FITS[name]
    return MODELS.parse({"name": name, **SMALL.get(name, {}), **fields}, "model").build(spec)


def batch(name: str, count: int = 12) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    spec = FITS[name]
    if isinstance(spec.input, Tokens):
        tokens = torch.arange(7 * count).view(count, 7) % 11
        if isinstance(spec, TranslationSpec):
            return (tokens, torch.full((count,), 7), tokens.roll(3, 1)), tokens.roll(2, 1)
        return (tokens,), tokens.roll(-1, 1) if isinstance(spec, TokenSpec) else torch.arange(count) % spec.num_classes
    shape = tuple(spec.input) if isinstance(spec.input, Image) else (spec.input.size,)
    if isinstance(spec.input, Series):
        shape = (spec.input.length, len(spec.input.names))
    x = torch.randn(count, *shape, generator=generator)
    if spec is MADE:
        return (x,), torch.zeros(count)
    if isinstance(spec, ControlSpec):
        return (x,), torch.arange(count) % spec.num_outputs
    if isinstance(spec, RegressionSpec):
        return (x,), torch.randn(count, spec.num_outputs, generator=generator)
    return (x,), torch.arange(count) % spec.num_classes


def loss(name: str, output: torch.Tensor | WithAuxiliary, targets: torch.Tensor) -> torch.Tensor:
    if isinstance(output, WithAuxiliary):
        return sum((loss(name, each, targets) for each in output.auxiliary), loss(name, output.main, targets))
    if isinstance(output, Judged):
        return F.softplus(-output.given).sum() + F.softplus(output.made).sum()
    if isinstance(FITS[name], TokenSpec):
        return F.cross_entropy(output.flatten(0, 1), targets.flatten())
    return F.mse_loss(output, targets) if isinstance(FITS[name], RegressionSpec) else F.cross_entropy(output, targets)


def test_every_model_of_the_table_is_tested_here() -> None:
    assert set(COUNTS) == set(FITS) == FAMILIES - OWN


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", COUNTS)
def test_each_network_has_the_number_of_parameters_counted_by_hand(name) -> None:
    config = MODELS.parse(name, "model")
    with torch.device("meta"):
        model = config.build(config.paper_spec())
    assert sum(p.numel() for p in model.parameters()) == COUNTS[name]


@pytest.mark.parametrize("name", COUNTS)
def test_output_is_one_row_an_example_or_one_a_token(name) -> None:
    inputs, targets = batch(name, 5)
    rows = targets.shape if isinstance(FITS[name], TokenSpec) else (5,)
    output = build(name).eval()(*inputs)
    if isinstance(output, Judged):  # a score each, of given and of made examples
        assert [part.shape for part in output] == [(5,), (5,)]
        return
    assert output.shape == (*rows, FITS[name].num_outputs)


@pytest.mark.parametrize("name", [name for name in COUNTS if name not in ("kernel_svm", "markov")])  # which are solved
def test_every_parameter_gets_a_gradient(name) -> None:
    model = build(name)
    loss(name, model(*batch(name)[0]), batch(name)[1]).backward()
    for key, param in model.named_parameters():
        assert param.grad is not None, key
        assert param.grad.abs().sum() > 0, key


@pytest.mark.parametrize("name", ["mlp", "lenet5"])
def test_one_batch_can_be_learnt_by_heart(name) -> None:
    model = build(name)
    inputs, targets = batch(name)
    for _ in range(200):
        model.zero_grad()
        loss(name, model(*inputs), targets).backward()
        with torch.no_grad():
            for param in model.parameters():
                param -= 0.2 * param.grad
    assert (model(*inputs).argmax(1) == targets).all()


@pytest.mark.promise("R12")
@pytest.mark.parametrize("name", COUNTS)
def test_the_same_seed_draws_the_same_weights(name) -> None:
    first, second = build(name).state_dict(), build(name).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("name", ["perceptron", "softmax_regression"])
def test_classifiers_refuse_numbers(name) -> None:
    with pytest.raises(InputError, match=f"{name} is for classification, but this data poses regression"):
        MODELS.parse(name, "model").build(NUMBERS)


def test_linear_regression_refuses_classes() -> None:
    with pytest.raises(InputError, match="linear_regression is for regression, but this data poses classification"):
        MODELS.parse("linear_regression", "model").build(ROWS)


@pytest.mark.parametrize("name", COUNTS)
def test_every_class_is_exported(name) -> None:
    cls = type(build(name))
    assert getattr(models, cls.__name__) is cls


SET = [
    ({"name": "markov", "order": 3}, lambda: models.Markov(11, 3)),
    (
        {"name": "kernel_svm", "features": "hog", "gamma": 0.5, "cell": 8},
        lambda: models.KernelSVM(num_features(16, 16, 8), 10, 8, 0.5),
    ),
    (
        {"name": "mlp", "widths": [5, 4], "activation": "tanh", "dropout": 0.3, "init": "lecun"},
        lambda: models.MLP(3, [5, 4], 3, "tanh", 0.3, "lecun"),
    ),
    ({"name": "naive_sequence", "repeats": "season"}, lambda: models.NaiveSequence(2, 3, "season", 2)),
    ({"name": "ar", "tau": 3}, lambda: models.AR(2, 6, 3)),
    ({"name": "latent_ar", "width": 5}, lambda: models.LatentAR(2, 6, 5)),
    (
        {
            "name": "seq2seq",
            "attention": "none",
            "cell": "lstm",
            "width": 6,
            "embedding": 4,
            "layers": 2,
            "reverse": True,
            "dropout": 0.1,
        },
        lambda: models.Seq2Seq(11, 11, "none", "lstm", 6, 4, 2, True, 0.1),
    ),
    (
        {
            "name": "rnn",
            "width": 5,
            "layers": 2,
            "bidirectional": True,
            "embedding": 4,
            "dropout": 0.1,
            "reads": "mean",
        },
        lambda: models.RNN(TEXTS.input, 3, "mean", 5, 2, True, 4, 0.1),
    ),
    (
        {
            "name": "lstm",
            "width": 5,
            "layers": 2,
            "bidirectional": True,
            "embedding": 4,
            "dropout": 0.1,
            "reads": "mean",
            "forget_bias": 2.0,
        },
        lambda: models.LSTM(TEXTS.input, 3, "mean", 5, 2, True, 4, 0.1, 2.0),
    ),
    (
        {
            "name": "gru",
            "width": 5,
            "layers": 2,
            "bidirectional": True,
            "embedding": 4,
            "dropout": 0.1,
            "reads": "mean",
        },
        lambda: models.GRU(TEXTS.input, 3, "mean", 5, 2, True, 4, 0.1),
    ),
    (
        {"name": "lenet5", "activation": "gelu", "pooling": "max", "init": "glorot"},
        lambda: models.LeNet5(1, 10, (2, 2), "gelu", "max", "glorot"),
    ),
    (
        {
            "name": "alexnet",
            "form": "one_tower",
            "stem": "imagenet",
            "full_width": 8,
            "dropout": 0.3,
            "init": "he",
        },
        lambda: models.AlexNet(10, 3, "one_tower", "imagenet", 8, 0.3, "he"),
    ),
    (
        {
            "name": "vgg",
            "depth": 11,
            "stem": "imagenet",
            "norm": "group",
            "full_width": 8,
            "dropout": 0.3,
            "init": "normal",
        },
        lambda: models.VGG(11, 10, 3, "imagenet", "group", 8, 0.3, "normal"),
    ),
    (
        {"name": "nin", "stem": "imagenet", "dropout": 0.3, "init": "lecun"},
        lambda: models.NiN(10, 3, "imagenet", 0.3, "lecun"),
    ),
    (
        {
            "name": "resnet",
            "depth": 50,
            "stem": "imagenet",
            "shortcut": "identity",
            "stride_in": "1x1",
            "zero_init_last": True,
        },
        lambda: models.ResNet(50, 10, 3, "imagenet", "identity", "1x1", True),
    ),
    (
        {"name": "resnet_cifar", "depth": 14, "shortcut": "projection", "zero_init_last": True},
        lambda: models.ResNetCifar(14, 10, 3, "projection", True),
    ),
    (
        {
            "name": "googlenet",
            "variant": "torchvision",
            "stem": "imagenet",
            "auxiliary_weight": 0.5,
            "dropout": 0.1,
        },
        lambda: models.GoogLeNet(10, 3, "torchvision", "imagenet", 0.5, 0.1),
    ),
    (
        {"name": "densenet", "blocks": [2, 1], "growth": 8, "compression": 0.25, "dropout": 0.1, "stem": "imagenet"},
        lambda: models.DenseNet((2, 1), 8, 16, 10, 3, "imagenet", True, 0.25, 0.1),
    ),
    (
        {"name": "transformer", "layers": 2, "width": 12, "heads": 3, "hidden": 5, "dropout": 0.3},
        lambda: models.Transformer(11, 11, 2, 12, 3, 5, 0.3, True, 7),
    ),
    (
        {"name": "gpt", "layers": 2, "width": 12, "heads": 3, "context": 9, "dropout": 0.3, "norm": "post"},
        lambda: models.GPT(11, 9, 2, 12, 3, 0.3, "post"),
    ),
    (
        {
            "name": "bert",
            "layers": 2,
            "width": 12,
            "heads": 4,
            "hidden": 5,
            "max_length": 9,
            "dropout": 0.3,
            "deviation": 1.0,
        },
        lambda: models.BERT(11, 2, 12, 4, 5, 9, 0.3, "a text", 3, 1.0),
    ),
    (
        {
            "name": "gan",
            "latent": 5,
            "prior": "normal",
            "generator_widths": [6, 7],
            "discriminator_widths": [9],
            "pieces": 3,
            "dropout": 0.1,
            "dropout_input": 0.3,
        },
        lambda: models.GAN((1, 16, 16), 5, "normal", [6, 7], [9], 3, 0.1, 0.3),
    ),
    (
        {"name": "dueling_mlp", "widths": [6], "stream": 5},
        lambda: models.DuelingMLP(4, [6], 5, 2),
    ),
    ({"name": "dqn_2015", "dueling": True}, lambda: models.DQN2015(4, 36, 36, 3, True)),
    ({"name": "dqn_minatar", "dueling": True}, lambda: models.DQNMinAtar(4, 36, 36, 3, True)),
    ({"name": "dcgan", "latent": 5, "prior": "normal", "width": 3}, lambda: models.DCGAN(1, 16, 4, 5, "normal", 3)),
    (
        {"name": "densenet_cifar", "depth": 10, "growth": 6, "bottleneck": True, "dropout": 0.1},
        lambda: models.DenseNet((1, 1, 1), 6, 12, 10, 3, "small", True, 0.5, 0.1),
    ),
]


@pytest.mark.parametrize(("fields", "make"), SET, ids=[fields["name"] for fields, _ in SET])
def test_every_field_of_a_recipe_reaches_the_model(fields, make) -> None:
    def same(a: nn.Module, b: nn.Module) -> bool:
        pairs = zip(a.parameters(), b.parameters(), strict=True)
        return repr(a) == repr(b) and all(torch.equal(p, q) for p, q in pairs)

    assert set(fields) == set(type(MODELS.parse(fields, "model")).model_fields)
    ours = build(**fields)
    torch.manual_seed(0)
    assert same(ours, make())
    for left_out in set(fields) - {"name"}:
        others = {k: v for k, v in fields.items() if k != left_out}
        if (fields["name"], left_out) == ("seq2seq", "attention"):  # with it, layers and reverse are refused
            others = {k: v for k, v in others.items() if k not in ("layers", "reverse")}
        assert not same(build(**others), build(**fields)), left_out


def test_every_model_with_fields_is_among_them() -> None:
    with_fields = {name for name in FAMILIES - OWN if set(type(MODELS.parse(name, "model")).model_fields) != {"name"}}
    assert with_fields == {fields["name"] for fields, _ in SET}


@pytest.mark.parametrize("name", ["resnet", "resnet20", "plain20", "densenet", "densenet_cifar", "googlenet", "nin"])
def test_gradients_lie_in_memory_as_the_maps_do(name) -> None:
    """With channels last, all the way back: torch goes number by number where a map and its gradient lie otherwise."""
    network = MODELS.parse(name, "model").build(PHOTOGRAPHS).to(memory_format=torch.channels_last)
    strides: dict[str, int] = {}

    def watch(path: str, out: object) -> None:
        if torch.is_tensor(out) and out.dim() == 4 and out.shape[2] > 1:
            out.register_hook(lambda gradient: strides.__setitem__(path, gradient.stride(1)))

    for path, module in network.named_modules():
        if not isinstance(module, nn.Sequential):
            module.register_forward_hook(lambda _, __, out, path=path: watch(path, out))
    out = network(torch.randn(2, 3, 64, 64).contiguous(memory_format=torch.channels_last))
    (out.main if isinstance(out, WithAuxiliary) else out).sum().backward()
    assert len(strides) > 5
    assert {path: stride for path, stride in strides.items() if stride != 1} == {}
