"""The IDX format: a header of sizes and then plain bytes.

    00 00 | element type | number of dimensions | each dimension, 4 bytes, big-endian | the elements

Source: the format's description beside the MNIST files (Y. LeCun, C. Cortes and C. Burges). Departures: only element
type 0x08, unsigned bytes, which is what all of these sets use.
Checked by: files written byte by byte; torchvision's own reader.
"""

import math
import struct

import numpy as np

from fourfold.core.errors import InputError

UNSIGNED_BYTE = 0x08


def parse_idx(data: bytes, dimensions: int, name: str) -> np.ndarray:
    """Return the array in an IDX file's bytes, uint8, with that many dimensions.

    Raises:
        InputError: not such a file; the message starts with `name`.
    """
    header = 4 + 4 * dimensions
    if len(data) < header:
        raise InputError(f"{name}: {len(data)} bytes, too short for the header of an IDX file")
    zero, element, found = struct.unpack(">HBB", data[:4])
    if zero != 0:
        raise InputError(f"{name}: starts with {data[:4].hex(' ')}, not an IDX file (is it still compressed?)")
    if element != UNSIGNED_BYTE:
        raise InputError(f"{name}: element type 0x{element:02x} where unsigned bytes (0x08) are expected")
    if found != dimensions:
        raise InputError(f"{name}: {found} dimensions where {dimensions} are expected")
    shape = struct.unpack(f">{dimensions}I", data[4:header])
    if len(data) - header != math.prod(shape):
        wanted = "x".join(map(str, shape))
        raise InputError(f"{name}: {len(data) - header:,} bytes of content where the header promises {wanted}")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape).copy()
