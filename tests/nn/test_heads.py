import pytest
import torch

from fourfold.nn.heads import SequenceHead, last_state, mean_state, read_states, reads_for
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.tokens import TokenSpec

STATES = torch.arange(24.0).view(2, 3, 4)  # two texts of three states of four numbers
LENGTHS = torch.tensor([2, 3])


def test_the_last_real_state_is_read() -> None:
    assert last_state(STATES, None).tolist() == [[8, 9, 10, 11], [20, 21, 22, 23]]
    assert last_state(STATES, LENGTHS).tolist() == [[4, 5, 6, 7], [20, 21, 22, 23]]


def test_of_two_directions_each_ones_last_state_is_read() -> None:
    assert last_state(STATES, LENGTHS, bidirectional=True).tolist() == [[4, 5, 2, 3], [20, 21, 14, 15]]


def test_the_mean_is_over_real_states() -> None:
    assert mean_state(STATES, None).tolist() == [[4, 5, 6, 7], [16, 17, 18, 19]]
    assert mean_state(STATES, LENGTHS).tolist() == [[2, 3, 4, 5], [16, 17, 18, 19]]


def test_the_first_state_and_each_state() -> None:
    assert read_states(STATES, LENGTHS, "first").tolist() == [[0, 1, 2, 3], [12, 13, 14, 15]]
    assert read_states(STATES, LENGTHS, "each") is STATES


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("reads", ["last", "mean", "first"])
def test_padding_changes_nothing(reads, bidirectional) -> None:
    torch.manual_seed(0)
    head = SequenceHead(4, 3, reads, bidirectional)
    padded = STATES.clone()
    padded[0, 2] = 1e6
    assert torch.equal(head(padded, LENGTHS), head(STATES, LENGTHS))
    torch.testing.assert_close(head(padded[:1, :2], LENGTHS[:1]), head(padded, LENGTHS)[:1])


@pytest.mark.parametrize(
    ("reads", "shape"), [("each", (2, 3, 5)), ("last", (2, 5)), ("mean", (2, 5)), ("first", (2, 5))]
)
def test_a_head_is_an_affine_map_of_what_is_read(reads, shape) -> None:
    head = SequenceHead(4, 5, reads)
    expected = read_states(STATES, LENGTHS, reads) @ head.out.weight.T + head.out.bias
    assert head(STATES, LENGTHS).shape == shape
    torch.testing.assert_close(head(STATES, LENGTHS), expected)


def test_the_task_says_how_states_are_read() -> None:
    class Tagged(TokenSpec):
        num_outputs = scorer = predictions = draw = None  # pyright: ignore

    assert reads_for(Tagged(), "mean") == "each"  # pyright: ignore
    assert reads_for(ClassificationSpec(Tokens(9, 5, 1), ("a", "b")), "mean") == "mean"
