import pytest

from fourfold.claims.tagged_words import OTHER, PADDING, plain, source_of


def test_every_word_is_a_token_with_its_tag_and_words_that_train_none_share_one():
    train = [[("The", "at"), ("dog", "nn"), ("barks", "vbz")], [("the", "at"), ("end", "nn-hl")]]
    source = source_of({"train": train, "test": [[("THE", "at-tl"), ("cat", "nn"), ("you'd", "ppss+md")]]})
    (batch,) = source.split("test", 10)
    assert source.spec.tag_names == ("at", "nn", "ppss", "vbz")  # type: ignore[attr-defined]
    assert batch.inputs[0].tolist() == [[2, OTHER, OTHER]]  # "the" is the most frequent
    assert batch.targets.tolist() == [[0, 1, 2]]
    (batch,) = source.split("train", 10)
    assert sorted(batch.inputs[0].flatten().tolist()) == [PADDING, 2, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("tag", "said"), [("nn-tl", "nn"), ("ppss+md", "ppss"), ("bez*", "bez"), ("*", "*"), ("--", "-"), ("fw-nn", "fw")]
)
def test_a_tag_is_without_its_additions(tag: str, said: str):
    assert plain(tag) == said
