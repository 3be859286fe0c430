"""What every contender trains: the same network on the same made-up pictures.

The pictures have the shape of MNIST (28x28 grey, ten classes) and stay in memory, so that nothing but the engine and
its arithmetic is timed. Nothing here imports torch: TensorFlow cannot share a process with it.
"""

from typing import Literal, NamedTuple

import numpy as np

BATCH_SIZE = 64
VALIDATION_BATCH_SIZE = 1024
LOG_EVERY = 50
LEARNING_RATE = 0.01
CLASSES = 10
SEED = 0


class Workload(NamedTuple):
    """A network and how much data it sees in an epoch."""

    network: Literal["mlp", "lenet5", "tiny", "resnet18", "alexnet"]
    examples: int
    validation_examples: int
    threads: int

    @property
    def steps(self) -> int:
        """Parameter updates in one epoch; the last batch is smaller."""
        return -(-self.examples // BATCH_SIZE)

    @property
    def widths(self) -> list[int]:
        """Hidden units of the fully connected networks."""
        return {"mlp": [256, 128], "tiny": [16]}.get(self.network, [])

    @property
    def side(self) -> int:
        """Pixels on a side of the colour pictures that the large networks train on."""
        return {"resnet18": 32, "alexnet": 224}[self.network]


TITLES = {
    "mlp": "MLP 784-256-128-10, batch 64",
    "lenet5": "LeNet-5 on 28x28, batch 64",
    "tiny": "MLP 784-16-10, batch 64: almost no arithmetic, so that what remains is the engine",
}
VISION_TITLES = {
    "resnet18": "ResNet-18 on 32x32 in colour, padded by 4, cropped and flipped, batch 64",
    "alexnet": "AlexNet (2014) on 224x224 in colour, random resized crops and flips, batch 64",
}


class Pictures(NamedTuple):
    """uint8 pictures `[examples, 28, 28]`, or in colour `[examples, side, side, 3]`, and int64 labels `[examples]`."""

    train: np.ndarray
    train_labels: np.ndarray
    validation: np.ndarray
    validation_labels: np.ndarray


def pictures(workload: Workload) -> Pictures:
    """Draw noisy copies of one blotch a class; a network learns them within an epoch."""
    random = np.random.default_rng(SEED)
    blotches = random.integers(0, 128, (CLASSES, 28, 28), dtype=np.uint8)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = random.integers(0, CLASSES, count)
        return blotches[labels] + random.integers(0, 128, (count, 28, 28), dtype=np.uint8), labels

    return Pictures(*draw(workload.examples), *draw(workload.validation_examples))


def coloured(workload: Workload) -> Pictures:
    """Draw noisy copies of one coarse pattern a class, `[examples, side, side, 3]`."""
    random = np.random.default_rng(SEED)
    coarse = random.integers(0, 192, (CLASSES, 8, 8, 3), dtype=np.uint8)
    patterns = coarse.repeat(workload.side // 8, 1).repeat(workload.side // 8, 2)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = random.integers(0, CLASSES, count)
        return patterns[labels] + random.integers(0, 64, (count, workload.side, workload.side, 3), np.uint8), labels

    return Pictures(*draw(workload.examples), *draw(workload.validation_examples))


def standardised(workload: Workload) -> Pictures:
    """Return the same with float32 pictures of mean 0 and deviation 1, as every peer gets them."""
    raw = pictures(workload)
    mean, deviation = raw.train.mean(), raw.train.std()
    train, validation = ((part.astype(np.float32) - mean) / deviation for part in (raw.train, raw.validation))
    return Pictures(train.astype(np.float32), raw.train_labels, validation.astype(np.float32), raw.validation_labels)
