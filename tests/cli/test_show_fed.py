"""`fourfold show rotation --png`."""

import pytest

from fourfold.cli import main


@pytest.mark.parametrize("arguments", [["rotation", "degrees=90"], ["regularizer.mixup", "regularizer.alpha=0.3"]])
def test_the_sheet_is_written_beside_what_is_printed(arguments, tmp_path, capsys) -> None:
    assert main(["show", *arguments, "--png", str(tmp_path / "시트.png")]) == 0
    assert (tmp_path / "시트.png").read_bytes().startswith(b"\x89PNG")
    told = capsys.readouterr()
    assert "Paper:" in told.out
    assert "figure:" in told.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["adam"], "'adam' is neither"),
        (["ema"], "ema changes no pictures"),
        (["rotation", "degree=9"], "did you mean 'degrees'"),
        (["cutout", "side=64"], "side of 64 can leave nothing"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(arguments, says, tmp_path, capsys) -> None:
    assert main(["show", *arguments, "--png", str(tmp_path / "x.png")]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert not told.out
    assert not list(tmp_path.iterdir())
