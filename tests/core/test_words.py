from fourfold.core.words import counted


def test_one_is_singular_and_anything_else_is_not() -> None:
    assert [counted(n, "step") for n in (0, 1, 2, 12345)] == ["0 steps", "1 step", "2 steps", "12,345 steps"]
    assert [counted(n, "class", "classes") for n in (1, 3)] == ["1 class", "3 classes"]
