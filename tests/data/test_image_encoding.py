import numpy as np
import pytest
import torch
from PIL import Image as Picture

from fourfold.core.errors import InputError
from fourfold.data.image_encoding import ImageEncoding


def grey(maximum: float = 255.0, mean: float = 0.0) -> ImageEncoding:
    return ImageEncoding(channels=1, height=4, width=6, maximum=maximum, mean=[mean], deviation=[1.0])


def colour() -> ImageEncoding:
    return ImageEncoding(channels=3, height=4, width=6, mean=[0.0, 0.0, 0.0], deviation=[1.0, 1.0, 1.0])


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def encoded(encoding: ImageEncoding, row) -> tuple[np.ndarray, list[str]]:
    inputs, notes, _ = encoding.encode_rows([row])
    assert inputs[0].shape == (1, encoding.channels, 4, 6)
    return inputs[0][0].numpy(), notes


def test_grey_pixels_nested_flat_or_by_name() -> None:
    values = pixels(4, 6)
    for row in (values.tolist(), values.flatten().tolist(), [values.tolist()], {"image": values.tolist()}, values):
        np.testing.assert_array_equal(encoded(grey(), row)[0], values[None])


def test_colour_pixels_with_channels_first_or_last() -> None:
    values = pixels(3, 4, 6)
    for row in (values.tolist(), values.transpose(1, 2, 0).tolist(), values.flatten().tolist()):
        np.testing.assert_array_equal(encoded(colour(), row)[0], values)


def test_pixels_are_standardised_as_in_training() -> None:
    raw = torch.randint(0, 17, (40, 3, 4, 6), dtype=torch.uint8)
    encoding = ImageEncoding.fit(raw, maximum=16)
    inputs = encoding.encode_rows([picture.tolist() for picture in raw]).inputs[0]
    torch.testing.assert_close(inputs, encoding.standardise().encode(raw))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([[1, 2], [3, 4]], "row 1: 2x2 pixels where 1x4x6 are needed"),
        ([[1, 2], [3]], "row 1: the pixels are not a regular grid"),
        ([["a"] * 6] * 4, "row 1: the pixels are not a regular grid"),
        (np.full((4, 6), 256.0), "row 1: pixels must lie between 0 and 255"),
        (np.full((4, 6), -1.0), "row 1: pixels must lie between 0 and 255"),
        (np.full((4, 6), np.nan), "row 1: pixels must lie between 0 and 255"),
        ({"picture": "x.png"}, "row 1: expected"),
        (3, "row 1: expected a picture's path or its pixels, got 3"),
    ],
)
def test_pixels_that_do_not_fit(row, message) -> None:
    with pytest.raises(InputError, match=message):
        grey().encode_rows([row])


def test_a_picture_file_of_the_right_kind_needs_no_note(tmp_path) -> None:
    path = tmp_path / "숫자 그림.png"
    Picture.fromarray(pixels(4, 6)).save(path)
    values, notes = encoded(grey(), str(path))
    np.testing.assert_array_equal(values[0], pixels(4, 6))
    assert notes == []
    values, notes = encoded(grey(maximum=16), {"image": str(path)})
    np.testing.assert_allclose(values[0], pixels(4, 6) * (16 / 255), rtol=1e-6)


def test_colour_to_grey_and_another_size_are_done_by_pillow_and_noted(tmp_path) -> None:
    path = tmp_path / "photo.png"
    picture = Picture.fromarray(pixels(20, 20, 3))
    picture.save(path)
    values, notes = encoded(grey(), str(path))
    expected = np.asarray(picture.convert("L").resize((6, 4), Picture.Resampling.BILINEAR))
    np.testing.assert_array_equal(values[0], expected)
    assert notes == [
        f"{path}: converted from RGB to grey",
        f"{path}: resized from 20x20 to 6x4 (width x height); its proportions changed",
    ]


def test_a_photograph_for_a_model_of_tiny_pictures_is_said_to_be_far_from_them(tmp_path) -> None:
    digits = ImageEncoding.fit(torch.randint(0, 17, (40, 1, 8, 8), dtype=torch.uint8), maximum=16)
    assert digits.largest == 8
    path = tmp_path / "holiday.jpg"
    Picture.fromarray(pixels(90, 128, 3)).save(path)
    first, *_ = digits.encode_rows([str(path)]).notes
    assert first == (
        f"{path}: 128x90 is far from the training pictures, of which none is larger than 8 pixels a side: "
        "detail and colours are gone, and the answer may mean nothing"
    )
    Picture.fromarray(pixels(128, 90)).save(path)
    assert "a side: detail is gone, and" in digits.encode_rows([str(path)]).notes[0]
    whole = "\n".join(digits.encode_rows([str(path)] * 4).notes)
    assert "4 pictures: far from the training pictures, of which none is larger than 8 pixels a side: " in whole
    Picture.fromarray(pixels(127, 90)).save(path)
    assert "far from" not in "\n".join(digits.encode_rows([str(path)]).notes)
    unknown = digits.model_copy(update={"largest": None})  # of a run that was made before this was kept
    Picture.fromarray(pixels(999, 999)).save(path)
    assert "far from" not in "\n".join(unknown.encode_rows([str(path)]).notes)


@pytest.mark.promise("R11")
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path) -> None:
    path = tmp_path / "deep.png"
    deep = np.linspace(0, 65535, 24).reshape(4, 6).astype(np.uint16)
    Picture.fromarray(deep).save(path)
    values, notes = encoded(grey(), str(path))
    np.testing.assert_allclose(values[0], deep / 257, atol=0.51)
    assert "16-bit grey scaled to 8 bits" in notes[0]


@pytest.mark.promise("R11")
def test_cmyk_palettes_and_transparency(tmp_path) -> None:
    cmyk = tmp_path / "print.jpg"
    Picture.new("CMYK", (6, 4), (0, 255, 255, 0)).save(cmyk, quality=100)
    values, notes = encoded(colour(), str(cmyk))
    assert values[0].min() > 200
    assert values[1:].max() < 60
    assert notes == [f"{cmyk}: converted from CMYK to RGB"]
    palette = tmp_path / "palette.png"
    Picture.fromarray(pixels(4, 6, 3)).quantize(8).save(palette)
    assert encoded(colour(), str(palette))[1] == []
    clear = tmp_path / "clear.png"
    Picture.new("RGBA", (6, 4), (0, 0, 0, 0)).save(clear)
    values, notes = encoded(colour(), str(clear))
    assert (values == 255).all()
    assert notes[0] == f"{clear}: transparent parts laid on white"


def test_a_photograph_is_turned_as_its_camera_says(tmp_path) -> None:
    path = tmp_path / "turned.png"
    exif = Picture.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to show
    Picture.fromarray(pixels(6, 4)).save(path, exif=exif)
    values, notes = encoded(grey(), str(path))
    np.testing.assert_array_equal(values[0], np.rot90(pixels(6, 4), -1))
    assert notes == []


def test_ink_on_paper_for_a_model_of_light_on_dark(tmp_path) -> None:
    path = tmp_path / "paper.png"
    Picture.new("L", (6, 4), 250).save(path)
    assert "light ground" in encoded(grey(mean=30.0), str(path))[1][0]
    assert encoded(grey(mean=200.0), str(path))[1] == []


@pytest.mark.promise("R11")
def test_a_file_that_is_no_picture_is_named(tmp_path) -> None:
    path = tmp_path / "그림.png"
    with pytest.raises(InputError, match=r"그림\.png: no such file"):
        grey().encode_rows([str(path)])
    path.write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"그림\.png: not a picture that can be read"):
        grey().encode_rows([str(path)])
    Picture.fromarray(pixels(40, 40)).save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"그림\.png: damaged: .*truncated"):
        grey().encode_rows([str(path)])


def test_a_giant_picture_is_refused_before_it_is_decoded(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("fourfold.data.pictures.reading.MAX_PIXELS", 100)
    path = tmp_path / "giant.png"
    Picture.new("L", (20, 20)).save(path)
    with pytest.raises(InputError, match=r"giant\.png: 20x20 pixels; at most 100 are read"):
        grey().encode_rows([str(path)])
