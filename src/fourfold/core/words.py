"""Numbers and the words behind them.

Checked by: none, one, many, and a plural that is not the singular and an s.
"""


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and what it counts: `1 step`, `1,234 steps`, `2 classes`.

    Args:
        number: how many.
        one: the noun's singular.
        many: its plural, where that is not the singular and an s.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
