"""The memory against a list of transitions kept beside it."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from fourfold.algorithms.replay.memory import Memory


class Diary:
    """Every transition in full, by the slot where it begins, and those that a ring of that length still holds."""

    def __init__(self, stack: int, frame: tuple[int, ...]) -> None:
        self.stack, self.frame = stack, frame
        self.episode: list[np.ndarray] = []
        self.observations = 0  # pushed so far
        self.transitions: list[tuple[int, int, np.ndarray, int, float, bool, np.ndarray]] = []

    def seen(self) -> np.ndarray:
        black = [np.zeros(self.frame, self.episode[0].dtype)] * self.stack
        frames = [*black, *self.episode][-self.stack :]
        return frames[0] if self.stack == 1 else np.concatenate(frames)

    def begin(self, observation: np.ndarray) -> None:
        self.episode = [observation]
        self.observations += 1

    def add(self, action: int, reward: float, terminated: bool, observation: np.ndarray) -> None:
        before, oldest = self.seen(), self.observations - min(len(self.episode), self.stack)
        self.episode.append(observation)
        place = self.observations - 1
        self.transitions.append((place, oldest, before, action, reward, terminated, self.seen()))
        self.observations += 1

    def held(self, length: int) -> dict[int, list]:
        newest = self.observations - length
        return {place % length: rest for place, oldest, *rest in self.transitions if oldest >= newest}


def fill(memory: Memory, diaries: list[Diary], moves: int, seed: int = 0) -> None:
    draws = np.random.default_rng(seed)

    def frame() -> np.ndarray:
        if memory.observations.dtype == np.uint8:
            return draws.integers(1, 256, memory.frame, dtype=np.uint8)
        return draws.standard_normal(memory.frame).astype(np.float32)

    def begin(i: int) -> None:
        first = frame()
        memory.begin(i, first)
        diaries[i].begin(first)

    for i, diary in enumerate(diaries):
        if not diary.observations:
            begin(i)
    for _ in range(moves):
        for i, diary in enumerate(diaries):
            action, reward, after = int(draws.integers(3)), float(draws.integers(9)), frame()
            terminated, truncated = draws.random() < 0.15, draws.random() < 0.05
            memory.add(i, action, reward, terminated, after)
            diary.add(action, reward, terminated, after)
            if terminated or truncated:
                begin(i)


@pytest.mark.parametrize(("frame", "stack"), [((3,), 1), ((2, 4, 5), 1), ((1, 4, 5), 4)])
@pytest.mark.parametrize("environments", [1, 3])
def test_what_is_read_is_what_happened_and_nothing_reaches_over_a_reset(frame, stack, environments) -> None:
    length = 17
    memory = Memory(length * environments, environments, frame, stack, 1.0)
    diaries = [Diary(stack, frame) for _ in range(environments)]
    for round_ in range(12):  # the ring goes round more than once
        fill(memory, diaries, 7, round_)
        slots = np.flatnonzero(memory.ready)
        held = {
            i * length + place: rest for i, diary in enumerate(diaries) for place, rest in diary.held(length).items()
        }
        assert slots.tolist() == sorted(held)
        assert memory.num_ready == len(held)
        read = memory.read(slots)
        for row, slot in enumerate(slots):
            before, action, reward, terminated, after = held[int(slot)]
            assert torch.equal(read.before[row], torch.from_numpy(before).float())
            assert torch.equal(read.after[row], torch.from_numpy(after).float())
            assert (int(read.actions[row]), float(read.rewards[row])) == (action, reward)
            assert float(read.goes_on[row]) == (0.0 if terminated else 1.0)


@pytest.mark.parametrize("environments", [1, 2])
def test_each_transition_is_drawn_equally_often(environments) -> None:
    memory = Memory(40 * environments, environments, (3,), 1, 1.0)
    fill(memory, [Diary(1, (3,)) for _ in range(environments)], 100)
    drawn = memory.draw(50_000, np.random.default_rng(1))
    counts = np.bincount(drawn, minlength=40 * environments)
    assert set(np.flatnonzero(counts)) == set(np.flatnonzero(memory.ready))
    assert chisquare(counts[memory.ready]).pvalue > 1e-3


def test_pixels_are_scaled() -> None:
    memory = Memory(10, 1, (1, 2, 2), 1, 1 / 255)
    memory.begin(0, np.full((1, 2, 2), 255, np.uint8))
    memory.add(0, 1, 1.0, False, np.full((1, 2, 2), 51, np.uint8))
    read = memory.read(np.array([0]))
    torch.testing.assert_close(read.before, torch.ones(1, 1, 2, 2))
    torch.testing.assert_close(read.after, torch.full((1, 1, 2, 2), 0.2))


@pytest.mark.parametrize(("frame", "stack"), [((3,), 1), ((1, 4, 5), 4)])
def test_a_saved_memory_reads_and_goes_on_as_before(frame, stack) -> None:
    memory, again = (Memory(34, 2, frame, stack, 1.0) for _ in range(2))
    diaries = [Diary(stack, frame) for _ in range(2)]
    fill(memory, diaries, 40)
    again.load_state_dict(memory.state_dict())
    slots = np.flatnonzero(memory.ready)
    for part, other in zip(memory.read(slots), again.read(slots), strict=True):
        assert torch.equal(part, other)
    assert (again.num_ready, again.heads.tolist()) == (memory.num_ready, memory.heads.tolist())


def test_a_million_atari_frames_take_less_than_eight_gigabytes() -> None:
    memory = Memory(1_000_000, 1, (1, 84, 84), 4, 1 / 255)  # given by the system only when it is written to
    parts = ("observations", "actions", "rewards", "terminated", "age", "ready")
    assert sum(getattr(memory, part).nbytes for part in parts) < 7.1e9


def test_compressed_frames_that_would_swell_or_are_damaged_are_refused() -> None:
    import zlib

    from fourfold.core.errors import CheckpointError

    memory = Memory(20, 1, (1, 4, 5), 1, 1.0)
    fill(memory, [Diary(1, (1, 4, 5))], 5)
    for bad in (zlib.compress(bytes(10_000_000)), b"no zlib", zlib.compress(b"short")):
        state = {**memory.state_dict(), "observations": [torch.frombuffer(bytearray(bad), dtype=torch.uint8)]}
        with pytest.raises(CheckpointError, match="frames cannot be unpacked"):
            Memory(20, 1, (1, 4, 5), 1, 1.0).load_state_dict(state)
