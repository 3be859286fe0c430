import struct

import numpy as np
import pytest
from torchvision.datasets.mnist import read_image_file, read_label_file

from fourfold.core.errors import InputError
from fourfold.data.idx import parse_idx


def idx(values: np.ndarray, element: int = 0x08, zero: int = 0) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", zero, element, values.ndim, *values.shape) + values.tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
LABELS = np.arange(7, dtype=np.uint8)


def test_what_torchvision_reads_too(tmp_path) -> None:
    (tmp_path / "images").write_bytes(idx(IMAGES))
    (tmp_path / "labels").write_bytes(idx(LABELS))
    ours = parse_idx((tmp_path / "images").read_bytes(), 3, "images")
    np.testing.assert_array_equal(ours, read_image_file(str(tmp_path / "images")).numpy())
    np.testing.assert_array_equal(ours, IMAGES)
    ours = parse_idx((tmp_path / "labels").read_bytes(), 1, "labels")
    np.testing.assert_array_equal(ours, read_label_file(str(tmp_path / "labels")).numpy())
    ours[0] = 9  # the array is its own, so torch may write to it


@pytest.mark.promise("R21")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "x: 0 bytes, too short"),
        (idx(IMAGES)[:15], "x: 15 bytes, too short"),
        (idx(IMAGES)[:-1], r"x: 104 bytes of content where the header promises 7x5x3"),
        (idx(IMAGES) + b"\0", "x: 106 bytes of content"),
        (idx(IMAGES, zero=0x1F8B), r"x: starts with 1f 8b 08 03, not an IDX file \(is it still compressed\?\)"),
        (idx(IMAGES, element=0x0D), r"x: element type 0x0d where unsigned bytes \(0x08\)"),
        (idx(IMAGES[0]) + b"\0" * 4, "x: 2 dimensions where 3 are expected"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "x: 0 bytes of content"),
    ],
)
def test_anything_else_is_refused(data, message) -> None:
    with pytest.raises(InputError, match=message):
        parse_idx(data, 3, "x")
