import pytest
import torch

from fourfold.algorithms import ALGORITHMS
from fourfold.core.errors import InputError
from fourfold.data.text.tokenizer import train_tokenizer
from fourfold.data.text.windows import RunningText, WindowsSource
from fourfold.losses.cross_entropy import CrossEntropyConfig
from fourfold.models.markov import Markov
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.processes import OneProcess
from fourfold.tasks.seam import Plan, Training

TEXT = "abcabdabcabcabd"
TOKENIZER = train_tokenizer("char", [TEXT])


def source() -> WindowsSource:
    tokens = torch.tensor(TOKENIZER.encode([TEXT])[0], dtype=torch.int32)
    spec = LanguageModellingSpec(Tokens(TOKENIZER.vocab_size, 5, 1), TOKENIZER.text)
    return WindowsSource(spec, {"train": RunningText(tokens)})


def training(model: torch.nn.Module | None = None, processes: int = 1) -> Training:
    found = source()
    plan = Plan(seed=0, steps=3, batch_size=2, processes=OneProcess())
    if processes > 1:
        object.__setattr__(plan.processes, "count", processes)
    loss = CrossEntropyConfig().build(found.spec)
    config = ALGORITHMS.parse("counting", "algorithm")
    return config.build(model or Markov(TOKENIZER.vocab_size, 1), loss, found, plan)


def test_the_first_step_counts_every_window_once() -> None:
    ours = training()
    ours.step()
    a, b, c, d = (TOKENIZER.number_of(letter) for letter in "abcd")
    size = TOKENIZER.vocab_size
    codes = dict(zip(ours.model.codes1.tolist(), ours.model.counts1.tolist(), strict=True))
    assert codes == {a * size + b: 5, b * size + c: 3, b * size + d: 2, c * size + a: 3, d * size + a: 1}
    assert torch.equal(ours.model.codes0, torch.tensor(sorted((a, b, c, d))))
    before = {name: value.clone() for name, value in ours.model.state_dict().items()}
    ours.step()
    assert all(torch.equal(value, before[name]) for name, value in ours.model.state_dict().items())


def test_a_model_without_counts_is_refused() -> None:
    with pytest.raises(InputError, match=r"counting is for models of counts, not Linear; use model=markov"):
        training(torch.nn.Linear(1, 1))
    with pytest.raises(InputError, match=r"counting is done in one process, not 2; use runtime\.processes=1"):
        training(processes=2)


@pytest.mark.promise("R1")
def test_stop_and_resume_equals_uninterrupted() -> None:
    whole, first = training(), training()
    losses = [whole.step().total for _ in range(5)]
    for _ in range(2):
        first.step()
    second = training()
    second.model.load_state_dict(first.model.state_dict())
    second.load_state_dict(first.state_dict())
    assert [second.step().total for _ in range(3)] == losses[2:]
