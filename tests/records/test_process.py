"""Is the process of a run alive?"""

import os
import signal
import subprocess
import sys

import pytest

from fourfold.records import process
from fourfold.records.process import LOST_SECONDS, is_alive, this_process

CHILD = (
    "import json, fourfold.records.process as p, time; print(json.dumps(p.this_process()), flush=True); time.sleep(60)"
)


def test_this_process_lives_however_long_it_was_silent():
    assert is_alive(this_process(), silence=1e9)


@pytest.mark.promise("R17")
def test_a_killed_process_is_dead_at_once_even_as_a_zombie():
    import json

    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, encoding="utf-8")
    assert child.stdout is not None
    described = json.loads(child.stdout.readline())
    assert is_alive(described, silence=0)
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, not yet reaped
    assert not is_alive(described, silence=0)
    child.communicate()
    assert not is_alive(described, silence=0)


@pytest.mark.skipif(process._start_time(os.getpid()) is None, reason="no /proc here")
def test_a_reused_number_is_another_process():
    assert not is_alive({**this_process(), "started": "1"}, silence=0)


def test_on_another_machine_the_heartbeat_decides():
    elsewhere = {**this_process(), "host": "another-machine"}
    assert is_alive(elsewhere, silence=LOST_SECONDS - 1)
    assert not is_alive(elsewhere, silence=LOST_SECONDS + 1)


@pytest.mark.parametrize("pid", [None, "12", -1, 0, 2**70, True])
def test_nonsense_is_dead(pid):
    assert not is_alive({**this_process(), "pid": pid}, silence=0)
