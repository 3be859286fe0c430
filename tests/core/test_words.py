from fourfold.core.words import counted, drawn_at_once, sizes_in_words


def test_one_is_singular_and_anything_else_is_not() -> None:
    assert [counted(n, "step") for n in (0, 1, 2, 12345)] == ["0 steps", "1 step", "2 steps", "12,345 steps"]
    assert [counted(n, "class", "classes") for n in (1, 3)] == ["1 class", "3 classes"]


def test_an_environment_has_no_examples() -> None:
    sizes = {"train": 10_000, "validation": 0, "test": 30}
    assert sizes_in_words(sizes, "classification") == ("examples", "10,000 train / 30 test")
    assert sizes_in_words(sizes, "control") == ("episodes", "30 test, and 10,000 transitions count as an epoch")
    assert (drawn_at_once(1, "classification"), drawn_at_once(32, "control")) == ("1 example", "32 transitions")
