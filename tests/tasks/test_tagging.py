import random

import pytest
import torch
from seqeval.metrics import f1_score, precision_score, recall_score
from sklearn.metrics import accuracy_score
from verification import verified

from fourfold.core.errors import InputError
from fourfold.losses.usual import UsualConfig
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Batch
from fourfold.tasks.tagging import TaggingSpec, entities, tags_of_words, words_of
from fourfold.tasks.tokens import IGNORED

TAGS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
SPEC = TaggingSpec(Tokens(100, 12, 1), TAGS)


def made_up(seed: int, texts: int) -> tuple[torch.Tensor, Batch, list[list[str]], list[list[str]]]:
    """Scores and targets with words of several tokens and padding, and the same tags in words."""
    draw = random.Random(seed)
    targets = torch.full((texts, 12), IGNORED)
    output = torch.randn(texts, 12, len(TAGS), generator=torch.Generator().manual_seed(seed))
    said: list[list[str]] = []
    true: list[list[str]] = []
    for text in range(texts):
        places = sorted(draw.sample(range(1, draw.randrange(3, 12)), 2))
        tags = [draw.randrange(5) for _ in places]
        for place, tag in zip(places, tags, strict=True):
            targets[text, place] = tag
            if draw.random() < 0.7:
                output[text, place, tag] += 10
        true.append([TAGS[tag] for tag in tags])
        said.append([TAGS[int(output[text, place].argmax())] for place in places])
    return output, Batch((torch.zeros(texts, 12),), targets), said, true


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_entities_are_scored_as_by_seqeval_and_tags_as_by_scikit_learn() -> None:
    scorer, other = SPEC.scorer(), SPEC.scorer()
    all_said: list[list[str]] = []
    all_true: list[list[str]] = []
    for seed, (texts, each) in enumerate([(30, scorer), (1, scorer), (12, other)]):
        output, batch, said, true = made_up(seed, texts)
        each.update(output, batch)
        all_said, all_true = all_said + said, all_true + true
    scorer.merge(other)
    metrics = scorer.compute()
    scores = {"f1": f1_score, "precision": precision_score, "recall": recall_score}
    theirs = {name: float(score(all_true, all_said)) for name, score in scores.items()}
    ours = {name: metrics[name] for name in theirs}
    assert ours == pytest.approx(theirs)
    verified("score", "tagging", "seqeval's F1, precision and recall of entities", "values", ours, theirs)
    flat = [tag for tags in all_true for tag in tags], [tag for tags in all_said for tag in tags]
    assert metrics["accuracy"] == pytest.approx(accuracy_score(*flat))
    assert 0.3 < metrics["f1"] < 0.95
    assert set(metrics) == set(SPEC.metrics)
    assert SPEC.headline == "f1"


def test_entities_by_hand() -> None:
    def score(true: list[int], said: list[int]) -> dict[str, float]:
        scorer = SPEC.scorer()
        output = torch.nn.functional.one_hot(torch.tensor([said]), 5).float()
        scorer.update(output, Batch((torch.zeros(1, len(true)),), torch.tensor([true])))
        return scorer.compute()

    right = score([1, 2, 0, 3], [1, 2, 0, 3])
    assert (right["f1"], right["accuracy"]) == (1.0, 1.0)
    half = score([1, 2, 0, 3], [1, 0, 0, 3])  # one entity too short
    assert (half["f1"], half["precision"], half["recall"], half["accuracy"]) == (0.5, 0.5, 0.5, 0.75)
    begun = score([1, 2, 0, 3], [2, 2, 0, 3])  # an I- that begins counts, as in conlleval
    assert (begun["f1"], begun["accuracy"]) == (1.0, 0.75)
    none = score([1, 2, 0, 3], [0, 0, 0, 0])
    assert (none["f1"], none["precision"], none["recall"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (["O", "B-A", "I-A", "B-A", "I-B", "O", "I-B", "I-B"], [("A", 1, 2), ("A", 3, 3), ("B", 4, 4), ("B", 6, 7)]),
        (["B-A-x", "I-A-x"], [("A-x", 0, 1)]),
        (["O", "O"], []),
        ([], []),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_entities_are_seqevals(tags, found) -> None:
    from seqeval.metrics.sequence_labeling import get_entities

    assert entities(tags) == found
    assert entities(tags) == [tuple(each) for each in get_entities(tags)]


def test_parts_of_speech_have_accuracy_alone() -> None:
    spec = TaggingSpec(Tokens(100, 4, 1), ("NN", "VB"))
    scorer = spec.scorer()
    output = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]])
    scorer.update(output, Batch((torch.zeros(1, 3),), torch.tensor([[0, 0, IGNORED]])))
    assert scorer.compute() == {"accuracy": 0.5}
    assert (spec.headline, set(spec.metrics)) == ("accuracy", {"accuracy"})


def test_tags_of_words_leave_out_what_has_no_tag() -> None:
    targets = torch.tensor([[IGNORED, 0, IGNORED, 3], [IGNORED] * 4, [1, IGNORED, IGNORED, IGNORED]])
    values = torch.arange(12).view(3, 4)
    assert words_of(values, targets) == [[1, 3], [], [8]]
    scores = torch.nn.functional.one_hot(values % 5, 5).float()
    assert tags_of_words(scores, targets) == [[1, 3], [], [3]]


def test_predictions_and_the_usual_loss() -> None:
    output = torch.zeros(1, 2, 5)
    output[0, 0, 3] = 50.0
    (prediction,) = SPEC.predictions(output)
    assert prediction["tags"] == ["B-PER", "O"]
    assert prediction["probabilities"] == pytest.approx([1.0, 0.2])
    value = UsualConfig().build(SPEC)(output, Batch((torch.zeros(1, 2),), torch.tensor([[3, IGNORED]])))
    assert (float(value.total), int(value.count)) == (pytest.approx(0.0, abs=1e-6), 1)


def test_drawn_words_labels_and_colours() -> None:
    from fourfold.tasks.figure import BLUE, MUTED, ORANGE

    words = ["Kim", "visited", "서울", "today"]
    targets = torch.tensor([[IGNORED, 3, 0, 1, IGNORED, 0]])
    output = torch.zeros(1, 6, 5)
    for place, tag in ((1, 3), (2, 1), (3, 0), (5, 0)):  # a person, a place that is none, a place missed
        output[0, place, tag] = 9.0
    figure = SPEC.draw(Batch((torch.zeros(1, 6),), targets), output, [words])
    (axes,) = figure.axes
    texts = [(text.get_text(), text.get_color()) for text in axes.texts]
    assert [text for text, _ in texts[:4]] == words
    assert sorted(texts[4:]) == sorted([("PER", BLUE), ("LOC", ORANGE), ("LOC", MUTED)])
    assert len({text.get_position() for text in axes.texts[:4]}) == 4
    assert [line.get_linestyle() for line in axes.lines].count(":") == 1
    figure.canvas.draw()


def test_a_wrong_label_of_the_right_words_is_one_mark_that_tells_the_true_one() -> None:
    from fourfold.tasks.figure import ORANGE

    targets, output = torch.tensor([[IGNORED, 1]]), torch.zeros(1, 2, 5)
    output[0, 1, 3] = 9.0
    (axes,) = SPEC.draw(Batch((torch.zeros(1, 2),), targets), output, [["서울"]]).axes
    assert [(text.get_text(), text.get_color()) for text in axes.texts[1:]] == [("PER (is LOC)", ORANGE)]
    assert len(axes.lines) == 1


def test_one_tag_is_no_tagging() -> None:
    with pytest.raises(InputError, match="1 tags; tagging needs two or more"):
        TaggingSpec(Tokens(100, 4, 1), ("O",))
