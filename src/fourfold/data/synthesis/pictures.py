"""Pictures without labels for whom makes more of them: held as bytes, given as numbers in [-1, 1], scored by features.

Every batch is full: the stream is one permutation of the pictures after another, cut into batches, so that one may hold
the end of a permutation and the beginning of the next. What is made is rounded to whole pixels before it is scored, as
it would be in a file.

Checked by: every picture once in each permutation; seek against replay; shares of processes; scores by hand.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from fourfold.data.augment.base import Augment
from fourfold.data.encoding import Standardise
from fourfold.data.epochs import Epochs, SteppedStream
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.sampled import evenly_spaced
from fourfold.data.synthesis.classifier import Judge
from fourfold.data.synthesis.frechet import frechet_distance, moments
from fourfold.data.synthesis.made import a_few, make
from fourfold.data.synthesis.manifolds import precision_and_recall
from fourfold.tasks.seam import Batch, Order, Source
from fourfold.tasks.synthesis import ImageSynthesisSpec
from fourfold.tasks.synthesis_drawing import sheet

SHOWN = 36  # pictures of a snapshot


class PicturesToMake(Source):
    """A source of pictures.

    Args:
        pixels: of each split, uint8 or float32 `[pictures, channels, height, width]`, in channels-last memory.
        encoding: pixels to numbers in [-1, 1].
        augment: changes to training pictures, in order.
        judge: what turns pictures into features.
        scored: most pictures of a split that scores are of.
        seed: the run's.
        notes: decisions made so far.

    Attributes:
        encoding: the same, for the run's record.
    """

    def __init__(
        self,
        pixels: Mapping[str, Tensor],
        encoding: ImageEncoding,
        augment: Sequence[Augment],
        judge: Judge,
        scored: int,
        seed: int,
        notes: Sequence[str],
    ) -> None:
        self.spec = ImageSynthesisSpec(encoding.image)
        self.encoding, self.judge, self.notes = encoding, judge, list(notes)
        self.sizes = {name: len(part) for name, part in pixels.items()}
        self._pixels, self._augment, self._scored, self._seed = dict(pixels), tuple(augment), scored, seed
        self._standardise = encoding.standardise()
        self._device = torch.device("cpu")
        self._features: dict[str, Tensor] = {}

    def train(self, order: Order) -> "PicturesStream":
        """Return the endless training stream, at step 0."""
        pixels, standardise = self._pixels["train"].to(self._device), self._standardise.to(self._device)
        return PicturesStream(pixels, standardise, self._augment, order)

    def split(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split in order."""
        for part in self._pixels[name].split(batch_size):
            yield Batch((self._encoded(part),), torch.zeros(len(part), device=self._device))

    def raw(self, name: str, indices: list[int]) -> Tensor:
        """Return pictures of a split as pixels."""
        return self._pixels[name][indices]

    def evaluate(self, model: nn.Module, split: str) -> dict[str, float]:
        """Return how near pictures that are made now are to those of a split, in the judge's features."""
        chosen = self._pixels[split][evenly_spaced(self.sizes[split], self._scored)]
        made, accuracy = make(model, self._encoded(chosen), self._seed, split)
        if split not in self._features:
            self._features[split] = self.judge.features(self._standardise.encode(chosen))
        given = self._features[split]
        features = self.judge.features(self._standardise.encode(self.to_pixels(made.cpu())))
        precision, recall = precision_and_recall(given, features)
        return {
            "frechet_distance": frechet_distance(moments(given), moments(features)),
            "precision": precision,
            "recall": recall,
            "discriminator_accuracy": accuracy,
        }

    def snapshot(self, model: nn.Module) -> Tensor | None:
        """Return a sheet of pictures that are made now, of the same latents each time."""
        made = a_few(model, SHOWN, self._device)
        return None if made is None else sheet(self.to_pixels(made), self.encoding.maximum)

    def to_pixels(self, made: Tensor) -> Tensor:
        """Return pictures that were made, as whole pixels in float32."""
        return self._standardise.decode(made).round_().clamp_(0, self.encoding.maximum)

    def to(self, device: torch.device) -> "PicturesToMake":
        """Deliver batches on `device`; features are computed on the CPU."""
        self._device = device
        return self

    def _encoded(self, pixels: Tensor) -> Tensor:
        return self._standardise.encode(pixels).to(self._device)


class PicturesStream(SteppedStream):
    """Endless full batches of pictures.

    Args:
        pixels: of the training split, where they are to be delivered.
        standardise: pixels to numbers.
        augment: changes, in order.
        order: which batches, and this process's share of them.
    """

    def __init__(self, pixels: Tensor, standardise: Standardise, augment: Sequence[Augment], order: Order) -> None:
        self._rows = pixels.permute(0, 2, 3, 1)  # [pictures, height, width, channels]
        self._standardise, self._augment, self._order = standardise, augment, order
        self._epochs = Epochs(len(pixels), order)

    def batch(self, step: int) -> Batch:
        """Return this process's share of a step's batch."""
        members = self._epochs.share(self.members(step)).to(self._rows.device)
        pixels = self._rows.index_select(0, members).permute(0, 3, 1, 2)
        if self._augment:
            pixels = self._epochs.augmented(pixels, self._augment, step, self._order.batch_size)
        return Batch((self._standardise.encode(pixels),), torch.zeros(len(pixels), device=pixels.device))

    def members(self, step: int) -> Tensor:
        """Return the pictures of a step's batch, over all processes, int64 `[batch]`."""
        size, count = self._order.batch_size, len(self._rows)
        epoch, offset = divmod(step * size, count)
        parts = [self._epochs.permutation(epoch)[offset : offset + size]]
        while (missing := size - sum(map(len, parts))) > 0:
            epoch += 1
            parts.append(self._epochs.permutation(epoch)[:missing])
        return torch.cat(parts)
