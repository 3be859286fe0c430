"""The launcher alone, with small programs in place of the command line: who is told, who is ended, what is left."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from living import lives

from fourfold.core.errors import INTERRUPTED, LOST, DivergedError, FourfoldError, InputError
from fourfold.run import launch as launching
from fourfold.run.launch import launch

SAY = "import os, signal, sys, time; rank = int(os.environ['RANK'])"


def program(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"{SAY}\n{code}")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(launching, "GRACE_SECONDS", 1.0)


def test_each_process_knows_its_place(tmp_path: Path) -> None:
    code = (
        "open(sys.argv[1] + '/' + os.environ['RANK'], 'w').write(os.environ['WORLD_SIZE'] + os.environ['LOCAL_RANK'])"
    )
    assert launch([str(tmp_path)], 3, program=program(code)) == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {
        "0": "30",
        "1": "31",
        "2": "32",
    }


def test_only_the_first_process_is_heard(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = "print('out', rank); print('err', rank, file=sys.stderr)"
    assert launch([], 2, program=program(code)) == 0
    assert capfd.readouterr() == ("out 0\n", "err 0\n")
    with open(tmp_path / "said", "wb") as output:
        assert launch([], 2, output, program=program(code)) == 0
    assert capfd.readouterr() == ("", "err 0\n")
    assert (tmp_path / "said").read_text(encoding="utf-8") == "out 0\n"


def test_with_an_output_all_is_passed_on_but_the_error(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Who asks for the output raises the error; a warning must be seen all the same, and in whole lines."""
    code = """
if rank: print('error: of another', file=sys.stderr); sys.exit(0)
for words in ('a warn', 'ing\\n', 'err', 'or: twice\\n', 'error: ', 'half a line\\n', '끝'):
    sys.stderr.buffer.write(words.encode()); sys.stderr.flush(); time.sleep(0.2)
sys.exit(1)"""
    with open(tmp_path / "said", "wb") as output:
        assert launch([], 2, output, program=program(code)) == 1
    assert capfd.readouterr() == ("", "a warning\n끝")


@pytest.mark.promise("R19")
def test_the_first_process_s_own_error_is_not_told_again(capfd: pytest.CaptureFixture[str]) -> None:
    code = "print('error: both say it', file=sys.stderr); time.sleep(0.3 * (rank == 0)); sys.exit(2)"
    assert launch([], 2, program=program(code)) == 2
    assert capfd.readouterr().err == "error: both say it\n"


@pytest.mark.promise("R19")
@pytest.mark.parametrize(("code", "kind"), [(1, FourfoldError), (2, InputError), (3, DivergedError)])
def test_another_s_error_is_told_and_the_consequence_is_not(code: int, kind: type[FourfoldError]) -> None:
    fails = (
        f"if rank == 1: time.sleep(0.3); print('a warning\\nerror: no such file', file=sys.stderr); sys.exit({code})"
    )
    with pytest.raises(kind, match=r"^process 1 \(of 0 to 1\): no such file$") as caught:
        launch([], 2, program=program(f"{fails}\nsys.exit({LOST})"))
    assert type(caught.value) is kind


@pytest.mark.promise("R19")
@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("killed", [0, 1, 2])
def test_a_killed_process_is_named_and_takes_the_others_with_it(killed: int, tmp_path: Path) -> None:
    """One of the others leaves when asked, and one has to be made to."""
    code = f"""
open(sys.argv[1] + f'/{{os.getpid()}}', 'w')
if rank == {killed}: os.kill(os.getpid(), signal.SIGKILL)
if rank == {(killed + 1) % 3}: signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(60)"""
    with pytest.raises(FourfoldError, match=rf"^process {killed} \(of 0 to 2\) was ended by SIGKILL; the others ended"):
        launch([str(tmp_path)], 3, program=program(code))
    pids = [int(path.name) for path in tmp_path.iterdir()]
    assert len(pids) == 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.promise("R19")
@pytest.mark.usefixtures("hasty")
def test_a_process_that_hangs_when_another_lost_it_is_the_cause() -> None:
    code = f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\nif rank: time.sleep(60)\nsys.exit({LOST})"
    with pytest.raises(
        FourfoldError, match=r"^process 1 \(of 0 to 1\) did not answer and was ended; so were the others$"
    ):
        launch([], 2, program=program(code))


@pytest.mark.promise("R19")
def test_what_ended_it_is_said_with_its_last_words() -> None:
    code = "if rank: print('terminate called', file=sys.stderr, flush=True); os.kill(os.getpid(), signal.SIGABRT)"
    with pytest.raises(FourfoldError, match=r"was ended by SIGABRT \(terminate called\)"):
        launch([], 2, program=program(code))


@pytest.mark.promise("R19")
def test_a_process_that_cannot_be_started_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    before = signal.getsignal(signal.SIGINT)  # where the tests run in the background, it is ignored

    class Scarce(subprocess.Popen[bytes]):
        def __init__(self, *args: object, **kwargs: object) -> None:
            if started:
                raise OSError(11, "Resource temporarily unavailable")
            super().__init__(*args, **kwargs)  # type: ignore[arg-type]
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Scarce)
    with pytest.raises(OSError, match="temporarily unavailable"):
        launch([], 2, program=program("time.sleep(60)"))
    assert started[0].returncode == -signal.SIGKILL
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_comes_while_processes_are_started_reaches_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Signalled(subprocess.Popen[bytes]):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[arg-type]
            started.append(self)
            if len(started) == 1:
                signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Signalled)
    code = "time.sleep(3); open(os.path.join(sys.argv[1], str(rank)), 'w')"
    assert launch([str(tmp_path)], 2, program=program(code)) == INTERRUPTED
    assert list(tmp_path.iterdir()) == []


PARENT = """
import sys
from fourfold.run.launch import launch
sys.exit(launch(sys.argv[2:], 2, program=(sys.executable, "-c", sys.argv[1])))
"""


def parent(code: str, tmp_path: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    """Start a launcher of two processes that each leave a file named after their number when they are ready."""
    ready = "pathlib.Path(sys.argv[1], str(os.getpid())).touch()"
    command = [sys.executable, "-c", PARENT, f"import pathlib\n{SAY}\n{code.format(ready=ready)}", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    return process, [int(path.name) for path in tmp_path.iterdir()]


@pytest.mark.promise("R4")
def test_a_signal_reaches_every_process_once(tmp_path: Path) -> None:
    code = """
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
{ready}
while not heard: time.sleep(0.01)
time.sleep(0.3)
assert heard == [1]
sys.exit(130 if rank == 0 else 0)"""
    process, _ = parent(code, tmp_path)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == INTERRUPTED


@pytest.mark.promise("R4")
def test_a_signal_before_there_is_anything_to_save_is_an_interruption(tmp_path: Path) -> None:
    process, _ = parent("signal.signal(signal.SIGINT, signal.SIG_DFL)\n{ready}\ntime.sleep(60)", tmp_path)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == INTERRUPTED


@pytest.mark.promise("R19")
def test_no_process_outlives_the_launcher(tmp_path: Path) -> None:
    """Killed, it cannot pass anything on; the processes find their stdin at its end."""
    process, pids = parent("{ready}\nos.read(0, 1)", tmp_path)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    while (left := [pid for pid in pids if lives(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
