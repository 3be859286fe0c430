import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pictures import folder, picture

from fourfold.core.errors import InputError
from fourfold.data.pictures import decoded as decoding
from fourfold.data.pictures.choosing import Request
from fourfold.data.pictures.decoded import Decoded, decode
from fourfold.data.pictures.finding import find
from fourfold.data.pictures.pool import read_all
from fourfold.data.pictures.reading import Wanted

OPEN = Request(None, "auto", "crop")


def made(root: Path, cache: Path, request: Request = OPEN, most_bytes: int | None = None) -> Decoded:
    return decode(root, find(root).files, request, cache, most_bytes)


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    """The picture files that are opened from now on, by this process or by its readers."""
    paths: list[str] = []
    watching = [True]

    def hook(event: str, arguments: tuple) -> None:
        if watching[0] and event == "open" and str(arguments[0]).endswith(".png"):
            paths.append(str(arguments[0]))
        if watching[0] and event == "subprocess.Popen" and "fourfold.data.pictures.worker" in str(arguments[1]):
            paths.append("a reader")

    sys.addaudithook(hook)  # for the life of the process; only this switch ends it
    yield paths
    watching[0] = False


def test_pixels_are_those_of_the_files_in_order(tmp_path) -> None:
    root = folder(tmp_path / "사진", {"cat": 3, "dog": 2})
    found = made(root, tmp_path / "cache")
    assert found.made
    assert found.wanted == Wanted(12, 16, 3, "crop")
    expected = np.stack([np.asarray(picture(number)) for number in range(5)])
    np.testing.assert_array_equal(found.pixels, expected)
    np.testing.assert_array_equal(found.facts.sums[:, 0], expected.astype(np.int64).sum((1, 2)))
    np.testing.assert_array_equal(found.facts.sums[:, 1], (expected.astype(np.int64) ** 2).sum((1, 2)))


def test_the_second_use_opens_no_picture(tmp_path, opened) -> None:
    root = folder(tmp_path / "photos", {"cat": 3, "dog": 2})
    first = made(root, tmp_path / "cache")
    assert len(set(opened)) == 5  # the hook sees what there is to see
    opened.clear()
    second = made(root, tmp_path / "cache")
    assert opened == []
    assert not second.made
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert second.wanted == first.wanted


@pytest.mark.parametrize("change", ["content", "added", "removed", "renamed", "same size and time"])
def test_what_changes_is_decoded_anew_and_the_old_copy_goes(change, tmp_path) -> None:
    root, cache = folder(tmp_path / "photos", {"cat": 3, "dog": 2}), tmp_path / "cache"
    made(root, cache)
    path = root / "cat" / "000.png"
    if change == "content":
        picture(99).save(path)
    elif change == "added":
        picture(99).save(root / "cat" / "0.png")
    elif change == "removed":
        path.unlink()
    elif change == "renamed":
        path.rename(root / "dog" / "9.png")
    else:  # as a tool that hides its traces would
        before = path.stat()
        data = bytearray(path.read_bytes())
        picture(99).save(path)
        path.write_bytes(path.read_bytes()[: len(data)].ljust(len(data), b"\0"))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert path.stat().st_size == before.st_size
    found = made(root, cache)
    assert found.made
    assert len([each for each in (cache / "pictures").iterdir() if each.is_dir()]) == 1


def test_each_request_has_a_copy_of_its_own(tmp_path) -> None:
    root, cache = folder(tmp_path / "photos", {"cat": 3, "dog": 2}), tmp_path / "cache"
    small = OPEN._replace(size=(4, 4))
    assert made(root, cache).made
    assert made(root, cache, small).made
    assert made(root, cache, small._replace(proportions="pad")).made
    assert made(root, cache, small._replace(colour="grey")).made
    assert not made(root, cache).made
    assert not made(root, cache, small).made


@pytest.mark.parametrize("file", ["pixels.u8", "facts.npz", "index.json"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "remove", "folder"])
def test_a_damaged_copy_is_made_again(file, damage, tmp_path) -> None:
    root, cache = folder(tmp_path / "photos", {"cat": 3, "dog": 2}), tmp_path / "cache"
    whole = np.array(made(root, cache).pixels)
    (path,) = cache.glob(f"pictures/*/{file}")
    data = path.read_bytes()
    if damage == "flip":
        middle = len(data) // 2
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    elif damage == "truncate":
        path.write_bytes(data[:-1])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
        if damage == "folder":
            path.mkdir()
    found = made(root, cache)
    assert found.made
    np.testing.assert_array_equal(found.pixels, whole)
    assert not made(root, cache).made


def test_a_file_that_failed_is_tried_again_and_others_are_not(tmp_path, opened) -> None:
    root, cache = folder(tmp_path / "photos", {"cat": 3, "dog": 2}), tmp_path / "cache"
    (root / "dog" / "000.png").unlink()
    (root / "dog" / "000.png").symlink_to(tmp_path / "later.png")
    files = [
        file._replace(size=0, changed=(0, 0)) for file in find(folder(tmp_path / "like", {"cat": 3, "dog": 2})).files
    ]
    files = [file._replace(path=str(root / file.name)) for file in files]
    first = decode(root, files, OPEN, cache)
    assert first.facts.failures == {3: "a broken symbolic link"}
    opened.clear()
    assert not decode(root, files, OPEN, cache).made
    assert opened == [str(root / "dog" / "000.png")]
    picture(3).save(tmp_path / "later.png")  # of a disk, say, that is back; a listing shows nothing of it here
    second = decode(root, files, OPEN, cache)
    assert second.made
    assert second.facts.failures == {}


@pytest.mark.promise("R12")
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_the_number_of_processes_changes_nothing(processes, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("fourfold.data.pictures.pool.CHUNK", 4)
    root = folder(tmp_path / "photos", {"cat": 13, "dog": 12})
    (root / "cat" / "003.png").write_bytes(b"")
    (root / "dog" / "003.png").write_bytes(b"no picture")
    picture(7).convert("CMYK").save(root / "dog" / "004.png", "JPEG")
    paths = [file.path for file in find(root).files]
    results = []
    for count in (1, processes):
        pixels = tmp_path / f"pixels{count}"
        pixels.write_bytes(bytes(25 * 8 * 8 * 3))
        results.append((read_all(paths, Wanted(8, 8, 3, "crop"), pixels, count), pixels.read_bytes()))
    (alone, pixels), (shared, same_pixels) = results
    assert pixels == same_pixels
    assert alone.failures == shared.failures == {3: "an empty file", 16: "not a picture that can be read"}
    assert alone.remarks == shared.remarks == {"converted from CMYK to RGB": [17]}
    for column in ("digests", "sizes", "grey", "sums"):
        np.testing.assert_array_equal(getattr(alone, column), getattr(shared, column))


@pytest.mark.promise("R11")
def test_a_file_that_ends_its_reader_is_named_and_the_others_are_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("fourfold.data.pictures.pool.CHUNK", 5)
    root = folder(tmp_path / "photos", {"cat": 6, "dog": 6})
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import PIL.Image, os\nwhole = PIL.Image.open\n"
        "def open(file, *a, **k):\n    picture = whole(file, *a, **k)\n"
        "    if picture.size == (5, 5): os.kill(os.getpid(), 11)\n    return picture\nPIL.Image.open = open\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    picture(3, 5, 5).save(root / "cat" / "003.png")
    paths = [file.path for file in find(root).files]
    facts = read_all(paths, Wanted(12, 16, 3, "crop"), None, 2)
    assert facts.failures == {3: "reading it ends the reader (signal 11)"}
    assert (facts.sizes[[i for i in range(12) if i != 3]] == (16, 12)).all()


def test_a_kill_while_it_is_made_leaves_nothing_that_counts(tmp_path) -> None:
    root, cache = folder(tmp_path / "photos", {"cat": 3, "dog": 2}), tmp_path / "cache"
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom fourfold.data.pictures import decoded\n"
        "from fourfold.data.pictures.choosing import Request\nfrom fourfold.data.pictures.finding import find\n"
        "calls = [0]\ndef hook(event, arguments):\n"
        "    if event in ('open', 'os.rename', 'os.mkdir') and 'cache' in str(arguments[0]):\n"
        "        calls[0] += 1\n        if calls[0] == int(sys.argv[3]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "sys.addaudithook(hook)\nroot = Path(sys.argv[1])\n"
        "decoded.decode(root, find(root).files, Request(None, 'auto', 'crop'), Path(sys.argv[2]))\n"
    )
    whole = np.array(made(root, tmp_path / "other").pixels)
    killed = 0
    for call in (2, 4, 6, 8, 9, 10, 12):
        command = [sys.executable, "-c", code, str(root), str(cache), str(call)]
        killed += subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
        found = made(root, cache)
        np.testing.assert_array_equal(found.pixels, whole)
        assert [each.name[0] for each in (cache / "pictures").iterdir() if each.is_dir()] != ["."]
        for each in cache.glob("pictures/*/*"):
            each.unlink()
    assert killed >= 4
    made(root, cache)
    assert len([each for each in (cache / "pictures").iterdir() if each.is_dir()]) == 1  # no litter


def test_two_processes_at_once_decode_once(tmp_path) -> None:
    root, cache = folder(tmp_path / "photos", {"cat": 3, "dog": 2}), tmp_path / "cache"
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom fourfold.data.pictures import decoded\n"
        "from fourfold.data.pictures.choosing import Request\nfrom fourfold.data.pictures.finding import find\n"
        "slow = decoded._make\ndef make(*a):\n    time.sleep(1)\n    return slow(*a)\ndecoded._make = make\n"
        "root = Path(sys.argv[1])\n"
        "print(decoded.decode(root, find(root).files, Request(None, 'auto', 'crop'), Path(sys.argv[2])).made)\n"
    )
    command = [sys.executable, "-c", code, str(root), str(cache)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(each.communicate()[0].strip() for each in both) == ["False", "True"]


@pytest.mark.promise("R3")
def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch) -> None:
    root = folder(tmp_path / "photos", {"cat": 2})
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match=r"file/pictures: not a directory, while decoding pictures"):
        made(root, tmp_path / "file")

    def full(*_arguments) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(InputError, match="no space left on device, while decoding pictures into the cache"):
        made(root, tmp_path / "cache")
    assert not [each for each in (tmp_path / "cache" / "pictures").iterdir() if each.is_dir()]


def test_too_large_a_set_keeps_its_facts_and_no_pixels(tmp_path) -> None:
    root, cache = folder(tmp_path / "photos", {"cat": 3, "dog": 2}), tmp_path / "cache"
    found = made(root, cache, most_bytes=5 * 12 * 16 * 3 - 1)
    assert found.pixels is None
    assert not list(cache.glob("pictures/*/pixels.u8"))
    again = made(root, cache, most_bytes=5 * 12 * 16 * 3 - 1)
    assert not again.made
    np.testing.assert_array_equal(again.facts.sums, found.facts.sums)
    assert made(root, tmp_path / "b", most_bytes=5 * 12 * 16 * 3).pixels is not None


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(28, 28)] * 3, (28, 28)),
        ([(20, 30)] * 3, (20, 30)),
        ([(256, 100)] * 3, (256, 100)),
        ([(257, 257)] * 3, (224, 224)),
        ([(100, 300), (90, 100), (64, 70)], (64, 64)),
        ([(20, 20), (21, 21)], (32, 32)),
        ([(1000, 600), (500, 700), (127, 200)], (224, 224)),
    ],
)
def test_a_size_is_chosen_from_all_pictures(sizes, expected, tmp_path) -> None:
    for number, (height, width) in enumerate(sizes):
        (tmp_path / "photos" / "cat").mkdir(parents=True, exist_ok=True)
        picture(number, height, width).save(tmp_path / "photos" / "cat" / f"{number}.bmp")
    assert made(tmp_path / "photos", tmp_path / "cache").wanted[:2] == expected


def test_a_guess_that_a_later_picture_proves_wrong_is_mended(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("fourfold.data.pictures.choosing.SAMPLE", 1)
    root = folder(tmp_path / "photos", {"cat": 4}, channels=1)
    assert made(root, tmp_path / "cache").wanted == Wanted(12, 16, 1, "crop")
    picture(9).save(root / "cat" / "2.png")  # the only one in colour
    assert made(root, tmp_path / "cache").wanted == Wanted(12, 16, 3, "crop")
    picture(9, 20, 20).save(root / "cat" / "2.png")  # and the only one of another size
    found = made(root, tmp_path / "cache")
    assert found.wanted == Wanted(32, 32, 3, "crop")
    assert found.pixels is not None
    assert found.pixels.any((1, 2, 3)).all()


def test_another_pillow_decodes_anew(tmp_path, monkeypatch) -> None:
    root = folder(tmp_path / "photos", {"cat": 2})
    made(root, tmp_path / "cache")
    monkeypatch.setattr(decoding, "_decoders", lambda: ["99.0", "1.0"])
    assert made(root, tmp_path / "cache").made
