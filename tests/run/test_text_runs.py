"""Runs of running text from their recipe to their report."""

import json
import math
from pathlib import Path

import pytest
import torch

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.models import MODELS
from fourfold.report.page import write_report
from fourfold.report.tokens import draw_texts
from fourfold.run.generate import Sampling, generate, write_on
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.language_modelling import Continues, LanguageModellingSpec
from fourfold.tasks.seam import Batch, Order
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.tokens import IGNORED

TEXT = "나는 학교에 갔다. To be, or not to be.\n" * 30


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ff.Run:
    place = tmp_path_factory.mktemp("글")
    (place / "a.txt").write_text(TEXT, encoding="utf-8")
    data = {"data": "text", "data.path": str(place / "a.txt"), "data.length": 20, "data.tokenizer": "bpe"}
    return ff.run("shakespeare-markov", {**data, "data.vocab_size": 270, "model.order": 2}, workspace=place)


def test_the_score_is_the_surprise_of_each_token_over_the_characters(run: ff.Run) -> None:
    tokenizer, bits, characters = tokenizer_of(run.spec.tokenizer), 0.0, 0
    for batch in run.parts.source.split("test", 3):
        p = run.model(batch.inputs[0]).softmax(2)
        for row, targets in zip(p, batch.targets.tolist(), strict=True):
            numbers = [number for number in targets if number != IGNORED]
            bits -= sum(math.log2(row[t, number]) for t, number in enumerate(numbers))
            characters += sum(len(text) for text in tokenizer.stream(numbers))
    assert run.metrics["test"]["bits_per_character"] == pytest.approx(bits / characters, rel=1e-5)
    assert run.metrics["test"]["loss"] == pytest.approx(math.log(run.metrics["test"]["perplexity"]), rel=1e-5)
    assert run.headline == "bits_per_character"


def test_the_folder_alone_writes_on(run: ff.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise AssertionError("the data were read")

    monkeypatch.setattr("fourfold.data.text.own_text.read_bytes", refuse)
    again = ff.open_run(run.folder.path)
    text = "".join(piece.text for piece in generate(again, "나는 학교", 30, Sampling(0)))
    assert ("나는 학교" + text) in TEXT


def test_a_run_repeated_from_its_record_is_the_same(run: ff.Run, tmp_path: Path) -> None:
    facts = json.loads((run.folder.path / "inputs.json").read_text(encoding="utf-8"))
    assert facts["spec"]["task"] == "language_modelling"
    assert facts["encoding"] is None
    assert list(facts["files"]) == [run.recipe.to_mapping()["data"]["path"]]
    other = ff.run(run.recipe, workspace=tmp_path)
    weights, again = run.model.state_dict(), other.model.state_dict()
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert other.metrics == run.metrics


def test_the_report_shows_the_first_texts_of_the_test_split(run: ff.Run, tmp_path: Path) -> None:
    (drawn,) = draw_texts(run)
    (axes,) = drawn.figure.axes
    shown = "".join(text.get_text() for text in axes.texts[:-1])
    first = run.parts.source.raw("test", [0])[0].replace("\n", "↵").replace(" ", "")
    assert shown.startswith(first)
    assert drawn.caption == "The first 4 texts of the test split."
    page = write_report(run, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "bits per character" in page
    assert "texts of the test split" in page


SMALL: dict[str, dict[str, object]] = {
    "gpt": {"layers": 2, "width": 16, "heads": 2},
    **{name: {"layers": 2, "width": 8} for name in ("rnn", "lstm", "gru")},
    "markov": {"order": 3},
}


@pytest.mark.parametrize("name", SMALL)
def test_a_network_writes_with_its_state_what_it_writes_without(name: str) -> None:
    spec = LanguageModellingSpec(Tokens(13, 32, 1), tokenizer="")
    torch.manual_seed(0)
    model = MODELS.parse({"name": name, **SMALL[name]}, "model").build(spec).double().eval()
    rows = torch.randint(13, (2, 40))
    if name == "markov":
        model.count([Batch((rows[:, :-1],), rows[:, 1:])])

    class Forgets(torch.nn.Module):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return model(tokens)

    def written(network: torch.nn.Module) -> torch.Tensor:
        drawn = write_on(network, rows[:, :5], Sampling(1.5), torch.Generator().manual_seed(0), 32)
        return torch.stack([next(drawn) for _ in range(20)], 1)

    assert isinstance(model, Continues)
    assert not isinstance(Forgets(), Continues)
    assert torch.equal(written(model), written(Forgets()))


def test_packed_texts_are_read_as_if_each_stood_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n---\n".join(f"text {i} {'abc'[i % 3] * (i % 4)}" for i in range(60)), encoding="utf-8")
    fields = {"name": "text", "path": str(path), "divider": "---", "length": 24}
    packed = DATA.parse({**fields, "apart": True}, "data").build(0, tmp_path)
    torch.manual_seed(0)
    for name, more in (("gpt", {"layers": 2, "width": 16, "heads": 2, "dropout": 0.0}), ("markov", {"order": 3})):
        model = MODELS.parse({"name": name, **more}, "model").build(packed.spec).eval()
        if name == "markov":
            model.count(packed.split("train", 8))
        batch = next(packed.train(Order(0, 8)))
        rows, _, _, documents = batch.inputs
        together = model(*batch.inputs)
        assert int(documents.max()) > 2
        for row, numbers, scores in zip(rows, documents, together, strict=True):
            for number in numbers.unique():
                alone = model(row[numbers == number].unsqueeze(0))
                torch.testing.assert_close(scores[numbers == number], alone[0], rtol=1e-4, atol=1e-5)
        if name == "gpt":  # nothing that Markov counted begins in one text and ends in another
            assert not torch.allclose(together, model(rows), rtol=1e-4, atol=1e-5)
    recurrent = MODELS.parse({"name": "lstm", "width": 8}, "model").build(packed.spec)
    with pytest.raises(InputError, match="use data without packing"):
        recurrent(*batch.inputs)


def test_a_constant_guess_is_told_from_learning(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ab" * 600, encoding="utf-8")
    fields = {"data": "text", "data.path": str(tmp_path / "a.txt"), "data.length": 8}
    learned = ff.run("shakespeare-markov", {**fields, "model.order": 1}, workspace=tmp_path)
    assert learned.findings == []
    guessed = ff.run("shakespeare-markov", {**fields, "model.order": 0}, workspace=tmp_path)
    assert "each token's share of the training text" in guessed.findings[0]
