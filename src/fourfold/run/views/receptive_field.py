"""Which part of the picture can reach a unit: its receptive field, from the network's geometry.

An operation with kernel k, stride s, padding p and dilation d, whose inputs see `size` pixels each, `jump` pixels
apart, gives units that see, from `start` on,

    size + (k - 1) d jump  pixels,   jump s  apart,   start - p jump

and where ways meet (a sum, maps side by side) a unit sees what any of them sees. The operations are heard while the
network runs on a picture, so that no layer has to be known. A size that depends on the picture's (averaging to a fixed
grid) or comes from a stretched map has no such numbers, nor has what an unknown operation gives. Normalisation over the
picture, such as group normalisation, lets every unit see all of it; that is not counted.

Source: Dumoulin and Visin, A Guide to Convolution Arithmetic for Deep Learning, 2016, arXiv:1603.07285, for sizes;
Luo, Li, Urtasun and Zemel, Understanding the Effective Receptive Field in Deep Convolutional Neural Networks, NeurIPS
2016, arXiv:1701.04128, section 1, for the word.
Checked by: LeNet-5, VGG and ResNet-18 by hand (435 pixels); every unit of dilated, strided, padded, joined and sliced
networks against the units that a NaN in each pixel reaches.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from fourfold.run.views.layers import Stage, record, stages

# beside those that torch knows to work number by number; none moves a unit to another place
STAY = (
    *("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"),
    *("native_group_norm", "native_layer_norm", "native_dropout", "cat", "split", "view", "_unsafe_view", "reshape"),
    *("alias", "detach", "_to_copy", "contiguous", "_prelu_kernel", "hardswish", "threshold"),
)
POOL = ("max_pool2d_with_indices", "max_pool2d", "mkldnn_max_pool2d", "avg_pool2d")


class Sees(NamedTuple):
    """Along one axis, what unit i sees: `size` pixels from `start + i jump` on; some may lie outside the picture."""

    start: int
    size: int
    jump: int

    def of(self, unit: int) -> tuple[int, int]:
        """Return the first pixel that `unit` sees, and the first behind them."""
        first = self.start + unit * self.jump
        return first, first + self.size


class Field(NamedTuple):
    """What a stage's units see."""

    rows: Sees
    columns: Sees


def theoretical_fields(model: nn.Module, inputs: Tensor) -> list[tuple[Stage, Field | None]]:
    """Return each stage and its field, None where it is no regular one; no stage where there is no convolution.

    Args:
        model: on the inputs' device, which may be `meta`.
        inputs: a batch that it can take; the numbers in it do not matter.
    """
    with _Fields(inputs) as fields, torch.no_grad():
        layers = record(model, inputs)[1]
    return [(stage, fields.of(stage.values)) for stage in stages(layers)]


class _Fields(TorchDispatchMode):
    """Hears each operation, and keeps what the units of its output see."""

    def __init__(self, inputs: Tensor) -> None:
        super().__init__()
        whole = Sees(0, 1, 1)
        self._known: dict[int, tuple[Tensor, Field | None]] = {}  # tensors are kept, so that no number is used twice
        self._keep(inputs, Field(whole, whole))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # if it did, torch would import its compiler, which takes seconds
        return False

    def of(self, values: Tensor) -> Field | None:
        known = self._known.get(id(values))
        return known[1] if known else None

    def _keep(self, values: Tensor, field: Field | None) -> None:
        self._known[id(values)] = (values, field)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        listed = [each for part in args for each in (part if isinstance(part, list | tuple) else [part])]
        known = [each for each in listed if isinstance(each, Tensor) and id(each) in self._known]
        if known:
            schema = func._schema.arguments
            given = {each.name: each.default_value for each in schema if each.has_default_value()}
            given |= dict(zip((each.name for each in schema), args, strict=False)) | (kwargs or {})
            name = func.overloadpacket.__name__
            stays = torch.Tag.pointwise in func.tags or name.removesuffix("_") in STAY
            for output in result if isinstance(result, list | tuple) else [result]:
                if isinstance(output, Tensor):  # what is no map, such as a mean, sees all that it was made of
                    self._keep(output, self._after(name, stays, given, known, output) if output.dim() == 4 else None)
        return result

    def _after(
        self, name: str, stays: bool, given: dict[str, Any], known: list[Tensor], output: Tensor
    ) -> Field | None:
        """Return what the units of `output` see, None where that is not regular."""
        fields = [self._known[id(each)][1] for each in known]
        field = _joined(fields)
        if field is None:
            return None
        if name == "convolution":
            sides = given["weight"].shape[2:], given["stride"], given["padding"], given["dilation"]
            return None if given["transposed"] else _slid(field, *sides)
        if name in POOL:
            kernel = given["kernel_size"]
            return _slid(field, kernel, given["stride"] or kernel, given["padding"], given.get("dilation", 1))
        if name == "constant_pad_nd":
            left, _, top, _ = [*given["pad"], 0, 0, 0, 0][:4]
            return Field(_cut(field.rows, -top, 1), _cut(field.columns, -left, 1))
        if name == "slice":
            axis, start = given["dim"] % 4, given["start"] or 0
            start = max(0, start + known[0].shape[axis]) if start < 0 else start
            sides = [
                _cut(sees, start, given["step"]) if axis == i else sees for i, sees in ((2, field[0]), (3, field[1]))
            ]
            return Field(*sides)
        return field if stays and all(each.shape[2:] == output.shape[2:] for each in known) else None


def _slid(field: Field, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Field:
    """Return what a window's units see as it slides over units that see `field`."""
    sides = zip(field, *(_pair(each) for each in (kernel, stride, padding, dilation)), strict=True)
    rows, columns = (
        Sees(sees.start - p * sees.jump, sees.size + (k - 1) * d * sees.jump, sees.jump * s)
        for sees, k, s, p, d in sides
    )
    return Field(rows, columns)


def _joined(fields: Sequence[Field | None]) -> Field | None:
    """Return what any of the fields sees; None where one is not known, or their units do not lie side by side."""
    axes = []
    regular = [field for field in fields if field is not None]
    if len(regular) < len(fields):
        return None
    for sees in zip(*regular, strict=True):
        if len({each.jump for each in sees}) > 1:
            return None
        first = min(each.start for each in sees)
        axes.append(Sees(first, max(each.start + each.size for each in sees) - first, sees[0].jump))
    return Field(*axes)


def _cut(sees: Sees, start: int, step: int) -> Sees:
    """Return what is seen by every `step`-th unit from `start` on."""
    return Sees(sees.start + start * sees.jump, sees.size, sees.jump * step)


def _pair(value: Any) -> tuple[int, int]:
    both = list(value) if isinstance(value, list | tuple | torch.Size) else [value]
    return (int(both[0]), int(both[-1]))
