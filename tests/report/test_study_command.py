"""The command on a study's page, given to the command line: it must ask the same question."""

import shlex

import pytest

from fourfold.cli import comparing, main
from fourfold.core.overrides import apply_overrides
from fourfold.report.study_command import as_text, study_command, varied_values
from fourfold.run.parts import one_length, recipe_fields
from fourfold.study.design import Arm, arms_of, parse_space, parse_vary
from fourfold.study.question import Question


@pytest.fixture
def asks(monkeypatch):
    """Return a function that gives the question which a command line asks; nothing is run."""
    asked = []
    monkeypatch.setattr(comparing, "_read_or_run", lambda question, *_: asked.append(question))

    def ask(text: str) -> Question:
        words = shlex.split(text)
        assert words[0] == "fourfold"
        assert main(words[1:]) == 130, text
        return asked.pop()

    return ask


ASKED = [
    "digits-mlp iris-softmax --seeds 20 budget.epochs=5",
    "digits-mlp --tune algorithm.optimizer.lr=1e-4:1:log --trials 3",
    "digits-mlp --vary algorithm.optimizer=sgd,momentum,adam",
    "digits-mlp --vary algorithm.optimizer=sgd,adam --stack auto",
    "digits-mlp --vary algorithm.optimizer=sgd,adam --seeds 3 budget.epochs=5",
    "digits-mlp --vary algorithm.optimizer.name=sgd,adam budget.steps=100 budget.batch_size=full",
    "digits-mlp iris-softmax --vary algorithm.optimizer=sgd,adam budget.epochs=5 algorithm.schedule=cosine",
    "digits-mlp iris-softmax --vary model.init=auto,zeros algorithm.optimizer=sgd algorithm.optimizer.lr=0.25",
    "digits-mlp and-perceptron --vary budget.batch_size=1,2 budget.epochs=2 model=mlp data=digits --unfair",
    "digits-mlp --vary 'model.widths=[32],[128],[128, 128]' --seeds 20 --smallest 0.0025",
    "digits-mlp --vary 'algorithm.optimizer={name: adam, lr: 0.01},sgd' --against sgd",
    "digits-mlp --vary model.activation=relu,tanh --vary algorithm.optimizer.lr=1e-5,1.0,7 --metric validation.loss",
    "digits-mlp --vary algorithm.schedule=null,cosine --metric error data.split_seed=null",
    "digits-mlp --vary 'data.augment=[],[{name: \"x y\", pad: 2}]' 'title=\"yes: 고양이, [1] it'\"'\"'s\"'",
    "digits-mlp --vary algorithm.optimizer=adam --tune algorithm.optimizer.lr=1e-4:1:log --trials 3",
    "digits-mlp --vary algorithm.optimizer=adam,sgd --tune algorithm.optimizer.lr=0.00012345678:1:log "
    "--tune budget.batch_size=8:2000000:int --trials 12 --unfair",
    'digits-mlp --vary \'title="true","1","null",true,null,1,"-","a,b",""\'',
]


@pytest.mark.promise("R10")
@pytest.mark.parametrize("words", ASKED)
def test_the_command_asks_the_same_question(asks, words):
    question = asks(f"fourfold compare {words}")
    command = study_command(question.to_mapping())
    assert command.text is not None
    assert command.files == {}
    again = asks(command.text)
    assert again.to_mapping() == question.to_mapping()
    assert again.digest() == question.digest()
    assert again.spaces == question.spaces


def test_the_command_is_the_one_that_was_typed(asks):
    typed = "fourfold compare digits-mlp budget.epochs=5 --vary algorithm.optimizer=sgd,momentum --seeds 3"
    assert study_command(asks(typed).to_mapping()).text == typed


def test_a_recipe_of_ones_own_is_saved_first(asks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fields = {**recipe_fields("digits-mlp")[1], "title": "내 것"}
    question = Question({"own": fields}, arms_of(parse_vary(["algorithm.optimizer=sgd,adam"])), [0, 1])
    command = study_command(question.to_mapping())
    assert list(command.files) == ["own.yaml"]
    assert command.text is not None
    assert command.text.startswith("fourfold compare own.yaml --vary")
    for name, text in command.files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert asks(command.text).digest() == question.digest()


def test_a_shipped_recipe_that_has_changed_since_is_saved_first_too(asks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fields = dict(recipe_fields("digits-mlp")[1])
    del fields["expected"]  # no override takes a key away
    fields = apply_overrides(fields, one_length({"budget.epochs": 2}))
    question = Question({"digits-mlp": fields}, arms_of(parse_vary(["algorithm.optimizer=sgd,adam"])), [0])
    command = study_command(question.to_mapping())
    assert command.text is not None
    (tmp_path / "digits-mlp.yaml").write_text(command.files["digits-mlp.yaml"], encoding="utf-8")
    assert asks(command.text).digest() == question.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": [3, 4]},
        {"arms": [Arm("small", {"model.widths": [4]}), Arm("large", {"model.widths": [64]})]},
        {"arms": [Arm("[4]", {"model.widths": [4]}), Arm("tanh", {"model.activation": "tanh"})]},
    ],
    ids=["seeds", "names", "no product"],
)
def test_what_no_command_line_asks_has_none(change):
    fields = {"problems": {"digits-mlp": recipe_fields("digits-mlp")[1]}, "seeds": [0]}
    arms = arms_of(parse_vary(["algorithm.optimizer=sgd,adam"]))
    question = Question(**{**fields, "arms": arms, **change})
    assert study_command(question.to_mapping()).text is None


def test_values_are_written_as_one_types_them():
    assert (
        as_text({"name": "adam", "lr": 0.01, "betas": [0.9, True, None]})
        == "{name: adam, lr: 0.01, betas: [0.9, true, null]}"
    )
    assert [as_text(text) for text in ("relu", "고양이", "true", "12", "a b", "x,y", "")] == [
        "relu",
        "고양이",
        '"true"',
        '"12"',
        '"a b"',
        '"x,y"',
        '""',
    ]


def test_values_keep_the_order_of_the_arms():
    arms = [{"name": "", "overrides": {"a": v, "b": w}} for v in (2, 1) for w in ("y", "x")]
    assert varied_values(arms) == {"a": [2, 1], "b": ["y", "x"]}


def test_a_space_reads_back():
    for text in ("a.b=0.0001:1:log", "a=1:2000000:int", "a=0.12345678:0.5"):
        assert parse_space(str(parse_space(text))) == parse_space(text)
