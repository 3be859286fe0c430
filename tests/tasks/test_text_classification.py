import torch

from fourfold.losses.usual import UsualConfig
from fourfold.tasks.figure import BLUE, INK, ORANGE, display_width
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Batch
from fourfold.tasks.text_classification import TextClassificationSpec
from fourfold.tasks.text_drawing import wrapped

SPEC = TextClassificationSpec(Tokens(50, 9, 1), ("부정", "긍정"), (3, 5))


def test_it_is_classification_with_its_scores_loss_and_constant() -> None:
    scorer = SPEC.scorer()
    batch = Batch((torch.zeros(3, 2).long(), torch.ones(3).long()), torch.tensor([0, 1, 1]))
    scorer.update(torch.tensor([[2.0, 1.0], [0.0, 1.0], [1.0, 0.0]]), batch)
    assert scorer.compute()["accuracy"] == 2 / 3
    assert UsualConfig().build(SPEC)(torch.zeros(3, 2), batch).count == 3
    constant = SPEC.constant()
    assert constant is not None
    assert constant.output.tolist() == [[0.0, 1.0]]
    tokens, lengths = SPEC.example()
    assert (tokens.shape, lengths.tolist()) == ((1, 9), [9])


def test_drawn_texts_have_classes_and_mistakes_are_orange() -> None:
    texts = ["정말 좋은 영화였다 " * 30, "Dreadful.", ("a premise", "a hypothesis")]
    batch = Batch((torch.zeros(3, 2).long(),), torch.tensor([1, 0, 0]))
    output = torch.tensor([[0.0, 9.0], [0.0, 9.0], [0.1, 0.0]])
    figure = SPEC.draw(batch, output, texts)
    (axes,) = figure.axes
    drawn = [text.get_text() for text in axes.texts]
    assert [text for text in drawn if "%" in text] == ["긍정  100 %", "긍정  100 %", "부정  52 %"]
    truths = [text for text in axes.texts if text.get_text() in SPEC.class_names]
    assert [(text.get_text(), text.get_color()) for text in truths] == [("긍정", INK), ("부정", ORANGE), ("부정", INK)]
    assert {"Dreadful.", "a premise", "a hypothesis"} <= set(drawn)
    assert sum(text.startswith("정말") or "영화" in text for text in drawn) == 3
    bars = [bar.get_facecolor() for bar in axes.patches]
    assert len(bars) == 6
    assert bars[1] == bars[5] != bars[3]
    assert BLUE != ORANGE
    figure.canvas.draw()


def test_texts_are_wrapped_at_words_and_cut_where_they_are_too_long() -> None:
    assert wrapped("one two three four", 9, 9) == ["one two", "three", "four"]
    assert wrapped("one two three four", 9, 2) == ["one two", "three…"]
    assert wrapped("가나다 라마", 6, 9) == ["가나다", "라마"]
    assert wrapped("abcdefghij kl", 4, 9) == ["abcd", "efgh", "ij", "kl"]
    assert wrapped("", 5, 2) == [""]
    long = wrapped("낱말 " * 99, 20, 3)
    assert len(long) == 3
    assert long[-1].endswith("…")
    assert all(display_width(line) <= 20 for line in long)
