"""What is said of a study on its way, and where it is stopped."""

import pytest

from fourfold.cli import study_progress
from fourfold.cli.study_progress import StudyProgress, watched
from fourfold.study.execute import StoppedError, Watcher


def test_work_is_watched_aloud_or_not_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    def work(watcher: Watcher) -> type[Watcher]:
        watcher.progressed(1, 1, 4, 0.0)
        return type(watcher)

    assert watched(work, quiet=True) is Watcher
    assert capsys.readouterr().err == ""
    assert watched(work, quiet=False) is StudyProgress
    assert capsys.readouterr().err == "4 cells, 1 of them done before\n"


@pytest.mark.parametrize("quiet", [True, False])
def test_who_stops_it_is_told_how_it_goes_on(quiet: bool, capsys: pytest.CaptureFixture[str]) -> None:
    def work(_: Watcher) -> str:
        raise StoppedError("SIGINT")

    assert watched(work, quiet=quiet) is None
    said = capsys.readouterr().err
    assert said == "interrupted: what is finished is kept, and the same command goes on from there\n"


def test_a_log_has_a_line_where_a_cell_has_ended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(study_progress.time, "monotonic", lambda: now)
    shown = StudyProgress()
    for second in range(1, 61):
        now = float(second)
        shown.progressed(int(second >= 30), 1, 4, now)  # the first cell ends after half a minute
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "4 cells"
    assert [line.split(" done")[0].strip() for line in lines[1:]] == ["0 of 4 cells", "1 of 4 cells"]
