"""Numbers as a person reads them."""

import math

SHARES = ("accuracy", "error", "coverage", "macro_f1", "macro_precision", "macro_recall")
UNITS = {
    **dict.fromkeys(SHARES, "%"),
    **dict.fromkeys(("rmse", "mae"), "in the target's unit"),
    **dict.fromkeys(("nll", "cross_entropy", "gaussian_nll"), "nats"),
    **dict.fromkeys(("mse", "huber"), "of standardised targets"),
}


def metric(name: str, value: float | None) -> str:
    """Return a metric for reading: shares in percent, others with four digits."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value)
    return f"{100 * value:.2f}\u00a0%" if name in SHARES else number(value)


def number(value: float) -> str:
    """Return four digits, and from a thousand on whole numbers with separators: `0.07287`, `1,250,000,000`."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"


def quantity(name: str) -> str:
    """Return a metric's or loss's name with its unit, where it has one: `accuracy (%)`, `cross entropy (nats)`."""
    return name.replace("_", " ") + (f" ({UNITS[name]})" if name in UNITS else "")


def duration(seconds: float) -> str:
    """Return seconds for reading: `4 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`."""
    if 0.001 <= seconds < 0.01:
        return f"{1000 * seconds:.2g} ms"
    if seconds < 60:
        return f"{round(seconds, 2):.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def count(number: float) -> str:
    """Return a whole number with separators: `101,770`."""
    return f"{round(number):,}"
