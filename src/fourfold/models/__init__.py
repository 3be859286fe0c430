"""Models: how inputs become outputs. One paper a file, each a plain `nn.Module`."""

from typing import TYPE_CHECKING, Any

from fourfold.core.registry import Entry, Table, lazy_exports

if TYPE_CHECKING:
    from fourfold.models.alexnet import AlexNet as AlexNet
    from fourfold.models.ar import AR as AR
    from fourfold.models.bert import BERT as BERT
    from fourfold.models.dcgan import DCGAN as DCGAN
    from fourfold.models.densenet import DenseNet as DenseNet
    from fourfold.models.dqn_2013 import DQN2013 as DQN2013
    from fourfold.models.dqn_2015 import DQN2015 as DQN2015
    from fourfold.models.dqn_minatar import DQNMinAtar as DQNMinAtar
    from fourfold.models.dueling_mlp import DuelingMLP as DuelingMLP
    from fourfold.models.gan import GAN as GAN
    from fourfold.models.googlenet import GoogLeNet as GoogLeNet
    from fourfold.models.gpt import GPT as GPT
    from fourfold.models.gru import GRU as GRU
    from fourfold.models.kernel_svm import KernelSVM as KernelSVM
    from fourfold.models.latent_ar import LatentAR as LatentAR
    from fourfold.models.lenet5 import LeNet5 as LeNet5
    from fourfold.models.linear_regression import LinearRegression as LinearRegression
    from fourfold.models.lstm import LSTM as LSTM
    from fourfold.models.markov import Markov as Markov
    from fourfold.models.mlp import MLP as MLP
    from fourfold.models.naive_sequence import NaiveSequence as NaiveSequence
    from fourfold.models.nin import NiN as NiN
    from fourfold.models.perceptron import Perceptron as Perceptron
    from fourfold.models.resnet import ResNet as ResNet
    from fourfold.models.resnet_cifar import ResNetCifar as ResNetCifar
    from fourfold.models.rnn import RNN as RNN
    from fourfold.models.seq2seq import Seq2Seq as Seq2Seq
    from fourfold.models.simclr import SimCLR as SimCLR
    from fourfold.models.softmax_regression import SoftmaxRegression as SoftmaxRegression
    from fourfold.models.transformer import Transformer as Transformer
    from fourfold.models.vgg import VGG as VGG

_ALEXNET = "fourfold.models.alexnet:AlexNetConfig"
_BERT = "fourfold.models.bert:BERTConfig"
_DENSENET = "fourfold.models.densenet:DenseNetConfig"
_DENSENET_CIFAR = "fourfold.models.densenet_cifar:DenseNetCifarConfig"
_GOOGLENET = "fourfold.models.googlenet:GoogLeNetConfig"
_GPT = "fourfold.models.gpt:GPTConfig"
_RESNET = "fourfold.models.resnet:ResNetConfig"
_RESNET_CIFAR = "fourfold.models.resnet_cifar:ResNetCifarConfig"
_TRANSFORMER = "fourfold.models.transformer:TransformerConfig"
_VGG = "fourfold.models.vgg:VGGConfig"

MODELS = Table(
    "model",
    {
        "linear_regression": Entry(
            "fourfold.models.linear_regression:LinearRegressionConfig", "numbers as weighted sums (1805)"
        ),
        "perceptron": Entry("fourfold.models.perceptron:PerceptronConfig", "threshold units on the inputs (1958)"),
        "softmax_regression": Entry(
            "fourfold.models.softmax_regression:SoftmaxRegressionConfig", "classes by weighted sums (1958)"
        ),
        "mlp": Entry("fourfold.models.mlp:MLPConfig", "affine maps and a nonlinearity, any widths (1986)"),
        "dqn_2013": Entry("fourfold.models.dqn_2013:DQN2013Config", "what actions are worth, of four frames (2013)"),
        "dqn_2015": Entry(
            "fourfold.models.dqn_2015:DQN2015Config", "what actions are worth, of four frames, deeper (2015)"
        ),
        "dqn_minatar": Entry(
            "fourfold.models.dqn_minatar:DQNMinAtarConfig", "what actions are worth, of a board of 10x10 (2019)"
        ),
        "dueling_mlp": Entry(
            "fourfold.models.dueling_mlp:DuelingMLPConfig", "what actions are worth, of rows of numbers (2016)"
        ),
        "naive_sequence": Entry(
            "fourfold.models.naive_sequence:NaiveSequenceConfig", "the last value again, a season's, or the mean"
        ),
        "ar": Entry("fourfold.models.ar:ARConfig", "series by weighted sums of their last steps (1927)"),
        "latent_ar": Entry("fourfold.models.latent_ar:LatentARConfig", "series by a linear summary of the past (1960)"),
        "rnn": Entry("fourfold.models.rnn:RNNConfig", "a state that sees itself one step before; texts, series (1990)"),
        "lstm": Entry("fourfold.models.lstm:LSTMConfig", "a memory behind gates; texts, series (1997)"),
        "gru": Entry("fourfold.models.gru:GRUConfig", "a state behind gates, without a memory; texts, series (2014)"),
        "seq2seq": Entry(
            "fourfold.models.seq2seq:Seq2SeqConfig", "one recurrent network reads, one translates, looking back (2014)"
        ),
        "markov": Entry(
            "fourfold.models.markov:MarkovConfig", "text by counts of what followed the last tokens (1913)"
        ),
        "kernel_svm": Entry(
            "fourfold.models.kernel_svm:KernelSVMConfig", "support vectors and a Gaussian kernel; pixels or HOG (1995)"
        ),
        "lenet5": Entry("fourfold.models.lenet5:LeNet5Config", "convolution and subsampling, for handwriting (1998)"),
        "alexnet": Entry(_ALEXNET, "five convolutions and three full layers, in two groups (2012)"),
        "alexnet_one_tower": Entry(
            _ALEXNET, "AlexNet without groups, torchvision's form (2014)", {"form": "one_tower"}
        ),
        "nin": Entry("fourfold.models.nin:NiNConfig", "a small network at every pixel, and no full layers (2013)"),
        "vgg": Entry(_VGG, "stacks of 3x3 convolutions, for photographs (2014)"),
        "vgg11": Entry(_VGG, "VGG of 11 layers (2014)", {"depth": 11}),
        "vgg11_bn": Entry(_VGG, "VGG of 11 layers, batch-normalised (2015)", {"depth": 11, "norm": "batch"}),
        "vgg13": Entry(_VGG, "VGG of 13 layers (2014)", {"depth": 13}),
        "vgg13_bn": Entry(_VGG, "VGG of 13 layers, batch-normalised (2015)", {"depth": 13, "norm": "batch"}),
        "vgg16": Entry(_VGG, "VGG of 16 layers (2014)", {"depth": 16}),
        "vgg16_bn": Entry(_VGG, "VGG of 16 layers, batch-normalised (2015)", {"depth": 16, "norm": "batch"}),
        "vgg19": Entry(_VGG, "VGG of 19 layers (2014)", {"depth": 19}),
        "vgg19_bn": Entry(_VGG, "VGG of 19 layers, batch-normalised (2015)", {"depth": 19, "norm": "batch"}),
        "googlenet": Entry(_GOOGLENET, "kernels of several sizes side by side, and classifiers on the way (2014)"),
        "googlenet_bn": Entry(
            _GOOGLENET, "GoogLeNet as torchvision has it, batch-normalised (2015)", {"variant": "torchvision"}
        ),
        "resnet": Entry(_RESNET, "blocks that learn what to add to their input, for photographs (2015)"),
        "resnet18": Entry(_RESNET, "residual network of 18 layers (2015)", {"depth": 18}),
        "resnet34": Entry(_RESNET, "residual network of 34 layers (2015)", {"depth": 34}),
        "resnet50": Entry(_RESNET, "residual network of 50 layers (2015)", {"depth": 50}),
        "resnet101": Entry(_RESNET, "residual network of 101 layers (2015)", {"depth": 101}),
        "resnet152": Entry(_RESNET, "residual network of 152 layers (2015)", {"depth": 152}),
        "plain18": Entry(_RESNET, "resnet18 without its shortcuts (2015)", {"depth": 18, "shortcut": "none"}),
        "plain34": Entry(_RESNET, "resnet34 without its shortcuts (2015)", {"depth": 34, "shortcut": "none"}),
        "resnet_cifar": Entry(_RESNET_CIFAR, "a residual network for pictures of 32x32 (2015)"),
        "resnet20": Entry(_RESNET_CIFAR, "residual network of 20 layers for 32x32 (2015)", {"depth": 20}),
        "resnet32": Entry(_RESNET_CIFAR, "residual network of 32 layers for 32x32 (2015)", {"depth": 32}),
        "resnet44": Entry(_RESNET_CIFAR, "residual network of 44 layers for 32x32 (2015)", {"depth": 44}),
        "resnet56": Entry(_RESNET_CIFAR, "residual network of 56 layers for 32x32 (2015)", {"depth": 56}),
        "resnet110": Entry(_RESNET_CIFAR, "residual network of 110 layers for 32x32 (2015)", {"depth": 110}),
        "plain20": Entry(_RESNET_CIFAR, "resnet20 without its shortcuts (2015)", {"depth": 20, "shortcut": "none"}),
        "plain56": Entry(_RESNET_CIFAR, "resnet56 without its shortcuts (2015)", {"depth": 56, "shortcut": "none"}),
        "densenet": Entry(_DENSENET, "each layer sees the maps of all before it in its block (2016)"),
        "densenet121": Entry(_DENSENET, "dense network of 121 layers (2016)", {"blocks": [6, 12, 24, 16]}),
        "densenet161": Entry(
            _DENSENET, "dense network of 161 layers, growth 48 (2016)", {"blocks": [6, 12, 36, 24], "growth": 48}
        ),
        "densenet169": Entry(_DENSENET, "dense network of 169 layers (2016)", {"blocks": [6, 12, 32, 32]}),
        "densenet201": Entry(_DENSENET, "dense network of 201 layers (2016)", {"blocks": [6, 12, 48, 32]}),
        "densenet_cifar": Entry(_DENSENET_CIFAR, "a dense network for pictures of 32x32 (2016)"),
        "densenet40_k12": Entry(
            _DENSENET_CIFAR, "dense network of 40 layers, growth 12, for 32x32 (2016)", {"depth": 40, "growth": 12}
        ),
        "densenet_bc100_k12": Entry(
            _DENSENET_CIFAR,
            "dense network of 100 layers with bottlenecks, growth 12, for 32x32 (2016)",
            {"depth": 100, "growth": 12, "bottleneck": True},
        ),
        "simclr": Entry(
            "fourfold.models.simclr:SimCLRConfig", "an encoder that tells pictures apart without labels (2020)"
        ),
        "transformer": Entry(_TRANSFORMER, "an encoder and a decoder of attention alone, for translation (2017)"),
        "transformer-base": Entry(
            _TRANSFORMER, "the paper's base model (2017)", {"layers": 6, "width": 512, "heads": 8, "hidden": 2048}
        ),
        "transformer-big": Entry(
            _TRANSFORMER,
            "the paper's big model (2017)",
            {"layers": 6, "width": 1024, "heads": 16, "hidden": 4096, "dropout": 0.3},
        ),
        "gpt": Entry(_GPT, "causal attention that predicts the next token (2018)"),
        "gpt1": Entry(_GPT, "GPT of 12 layers, normalised after each (2018)", {"norm": "post", "context": 512}),
        "gpt2": Entry(_GPT, "GPT-2 of 12 layers (2019)", {"layers": 12, "width": 768, "heads": 12, "context": 1024}),
        "gpt2-medium": Entry(
            _GPT, "GPT-2 of 24 layers (2019)", {"layers": 24, "width": 1024, "heads": 16, "context": 1024}
        ),
        "gpt2-large": Entry(
            _GPT, "GPT-2 of 36 layers (2019)", {"layers": 36, "width": 1280, "heads": 20, "context": 1024}
        ),
        "gpt2-xl": Entry(
            _GPT, "GPT-2 of 48 layers (2019)", {"layers": 48, "width": 1600, "heads": 25, "context": 1024}
        ),
        "gpt3-small": Entry(
            _GPT, "GPT-3 of 125 million parameters (2020)", {"layers": 12, "width": 768, "heads": 12, "context": 2048}
        ),
        "gpt3-medium": Entry(
            _GPT, "GPT-3 of 350 million parameters (2020)", {"layers": 24, "width": 1024, "heads": 16, "context": 2048}
        ),
        "gpt3-large": Entry(
            _GPT, "GPT-3 of 760 million parameters (2020)", {"layers": 24, "width": 1536, "heads": 16, "context": 2048}
        ),
        "gpt3-xl": Entry(
            _GPT, "GPT-3 of 1.3 billion parameters (2020)", {"layers": 24, "width": 2048, "heads": 16, "context": 2048}
        ),
        "gpt3-2b7": Entry(
            _GPT, "GPT-3 of 2.7 billion parameters (2020)", {"layers": 32, "width": 2560, "heads": 32, "context": 2048}
        ),
        "gpt3-6b7": Entry(
            _GPT, "GPT-3 of 6.7 billion parameters (2020)", {"layers": 32, "width": 4096, "heads": 32, "context": 2048}
        ),
        "gpt3-13b": Entry(
            _GPT, "GPT-3 of 13 billion parameters (2020)", {"layers": 40, "width": 5120, "heads": 40, "context": 2048}
        ),
        "gpt3-175b": Entry(
            _GPT,
            "GPT-3 of 175 billion parameters (2020)",
            {"layers": 96, "width": 12_288, "heads": 96, "context": 2048},
        ),
        "bert": Entry(_BERT, "an encoder that reads in both directions, trained on hidden words (2018)"),
        "bert-small": Entry(
            _BERT, "BERT of 4 layers and 512 numbers a token (2019)", {"layers": 4, "width": 512, "heads": 8}
        ),
        "bert-base": Entry(_BERT, "BERT of 12 layers (2018)", {"layers": 12, "width": 768, "heads": 12}),
        "bert-large": Entry(_BERT, "BERT of 24 layers (2018)", {"layers": 24, "width": 1024, "heads": 16}),
        "gan": Entry("fourfold.models.gan:GANConfig", "two perceptrons: one makes examples, one finds them out (2014)"),
        "dcgan": Entry("fourfold.models.dcgan:DCGANConfig", "a GAN of strided convolutions, for pictures (2015)"),
    },
)

_EXPORTS = {
    "AlexNet": "fourfold.models.alexnet",
    "AR": "fourfold.models.ar",
    "BERT": "fourfold.models.bert",
    "DCGAN": "fourfold.models.dcgan",
    "DenseNet": "fourfold.models.densenet",
    "GAN": "fourfold.models.gan",
    "DQN2013": "fourfold.models.dqn_2013",
    "DQN2015": "fourfold.models.dqn_2015",
    "DQNMinAtar": "fourfold.models.dqn_minatar",
    "DuelingMLP": "fourfold.models.dueling_mlp",
    "GoogLeNet": "fourfold.models.googlenet",
    "GPT": "fourfold.models.gpt",
    "GRU": "fourfold.models.gru",
    "KernelSVM": "fourfold.models.kernel_svm",
    "LatentAR": "fourfold.models.latent_ar",
    "LeNet5": "fourfold.models.lenet5",
    "LinearRegression": "fourfold.models.linear_regression",
    "LSTM": "fourfold.models.lstm",
    "Markov": "fourfold.models.markov",
    "MLP": "fourfold.models.mlp",
    "NaiveSequence": "fourfold.models.naive_sequence",
    "NiN": "fourfold.models.nin",
    "Perceptron": "fourfold.models.perceptron",
    "ResNet": "fourfold.models.resnet",
    "ResNetCifar": "fourfold.models.resnet_cifar",
    "RNN": "fourfold.models.rnn",
    "Seq2Seq": "fourfold.models.seq2seq",
    "SimCLR": "fourfold.models.simclr",
    "SoftmaxRegression": "fourfold.models.softmax_regression",
    "Transformer": "fourfold.models.transformer",
    "VGG": "fourfold.models.vgg",
}


# sizes, as Python can spell them: `ff.models.resnet50(num_classes=10)`, `ff.models.gpt2_medium()`
_NAMED = {name.replace("-", "_"): name for name, entry in MODELS.items() if entry.preset}


def __getattr__(name: str) -> Any:
    if name in _NAMED:
        from fourfold.models.named import builder

        return builder(_NAMED[name])
    return lazy_exports(__name__, {**_EXPORTS, **dict.fromkeys(_NAMED, "")}, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS, *_NAMED])
