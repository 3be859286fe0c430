"""Features of pictures for scoring: those of a small network that is trained here, once, to tell the pictures' classes.

    pictures -> 3 times a 3x3 convolution, ReLU, 2x2 pooling -> 4x4 areas -> 64 numbers -> ReLU -> classes

The 64 numbers are the features. The network learns from the training pictures of the default split, the same for every
run, and is kept in the data cache under a digest of all that it depends on. Distances in its features cannot be
compared with those in Inception's features, nor between two sets of pictures.

Checked by: a second use, which trains nothing; other pictures or labels, which do; a damaged file; classes it tells.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.records.atomic import write_atomically

FORM = "1"  # of the network and of how it learns: another one makes another digest
FEATURES = 64
WIDTHS = (16, 32, 64)
STEPS, EPOCHS, BATCH = 600, 20, 128  # as many steps, or as many passes where that is fewer
LR, MOMENTUM, DECAY = 0.05, 0.9, 5e-4
AT_ONCE = 500


class Judge(NamedTuple):
    """What turns pictures into features."""

    words: str  # what features these are, for the record
    features: Callable[[Tensor], Tensor]  # of pictures [pictures, channels, height, width] in [-1, 1]; [pictures, d]


def averages() -> Judge:
    """Return the judge of pictures that have no classes: the mean of each of 8x8 areas, channel by channel."""
    return Judge(
        "averages over 8x8 areas, for these pictures have no classes to learn better ones from; they see colours and "
        "coarse shapes",
        lambda pictures: F.adaptive_avg_pool2d(pictures, 8).flatten(1),
    )


class Classifier(nn.Module):
    """The network; called, it gives scores of the classes."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        sizes = (channels, *WIDTHS)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1) for before, after in zip(sizes, WIDTHS, strict=False)
        )
        self.full = nn.Linear(WIDTHS[-1] * 16, FEATURES)
        self.out = nn.Linear(FEATURES, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` to `[batch, 64]`."""
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
            if min(x.shape[2:]) >= 8:
                x = F.max_pool2d(x, 2)
        return self.full(F.adaptive_avg_pool2d(x, 4).flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` to `[batch, classes]`."""
        return self.out(F.relu(self.features(x)))


def classifier_of(
    name: str,
    pictures: Tensor,
    labels: Tensor,
    num_classes: int,
    to_input: Callable[[Tensor], Tensor],
    cache: Path,
) -> Judge:
    """Return the judge of a set of pictures, from the cache or trained now.

    Args:
        name: of the set.
        pictures: training pictures, `[pictures, channels, height, width]`, uint8.
        labels: int64 `[pictures]`.
        num_classes: two or more.
        to_input: pixels to numbers in [-1, 1].
        cache: folder for what is kept.

    Raises:
        InputError: it cannot be kept.
    """
    with torch.random.fork_rng(devices=[]):  # whose draws are not the run's, and are drawn anew by `train`
        network = Classifier(pictures.shape[1], num_classes)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    digest = hashlib.sha256(f"{FORM} {tuple(pictures.shape)} {num_classes}".encode())
    digest.update(pictures.permute(0, 2, 3, 1).contiguous().numpy().data)
    digest.update(labels.contiguous().numpy().data)
    key = digest.hexdigest()[:16]
    file = cache / "judges" / f"{key}.safetensors"
    if not _loaded(network, file):
        _make(network, pictures, labels, to_input, file)
    network.eval().requires_grad_(False)
    held = slice(None, None, max(1, len(pictures) // 2000))
    right = _in_parts(network, to_input(pictures[held])).argmax(1) == labels[held]
    words = (
        f"{FEATURES} numbers of a network trained here to tell the {num_classes} classes of {name} "
        f"({100 * float(right.float().mean()):.1f} % of its training pictures; {key}); not those of Inception"
    )
    return Judge(words, lambda x: _in_parts(network.features, x))


def _in_parts(function: Callable[[Tensor], Tensor], pictures: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([function(part) for part in pictures.split(AT_ONCE)])


def _loaded(network: nn.Module, file: Path) -> bool:
    """Return whether the network has its weights from the file; a damaged one counts as none."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        network.load_state_dict(load_file(file))
        return True
    except (OSError, SafetensorError, RuntimeError):
        return False


def _make(
    network: Classifier, pictures: Tensor, labels: Tensor, to_input: Callable[[Tensor], Tensor], file: Path
) -> None:
    """Train the network and keep it; of several processes one does."""
    from filelock import FileLock
    from safetensors.torch import save

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_name(f".{file.name}.lock")):
            if not _loaded(network, file):  # another process has made it while this one waited
                train(network, pictures, labels, to_input)
                write_atomically(file, save({name: value.contiguous() for name, value in network.state_dict().items()}))
    except OSError as error:
        raise InputError(f"{error.filename or file}: {(error.strerror or str(error)).lower()}") from None


def train(network: Classifier, pictures: Tensor, labels: Tensor, to_input: Callable[[Tensor], Tensor]) -> None:
    """Train a network by momentum, its learning rate falling to nothing; all draws are of one fixed seed."""
    generator = torch.Generator().manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    steps = min(STEPS, max(1, EPOCHS * len(pictures) // BATCH))
    params: list[Tensor] = list(network.parameters())
    velocities = [torch.zeros_like(param) for param in params]
    for step in range(steps):
        chosen = torch.randint(len(pictures), (BATCH,), generator=generator)
        with torch.enable_grad():
            loss = F.cross_entropy(network(to_input(pictures[chosen])), labels[chosen])
            grads = list(torch.autograd.grad(loss, params))
        with torch.no_grad():
            torch._foreach_add_(grads, params, alpha=DECAY)
            torch._foreach_mul_(velocities, MOMENTUM)
            torch._foreach_add_(velocities, grads)
            torch._foreach_add_(params, velocities, alpha=-LR * (1 - step / steps))
