"""A claim's record in words, the same in the terminal and in the ledger. Nothing here loads torch.

Checked by: records of each kind; the ledger.
"""

import json
from collections.abc import Mapping
from typing import Any

from fourfold.report.numbers import number


def effect_words(record: Mapping[str, Any]) -> str:
    """Return the effect and interval of the first comparison that came out as the whole did, `+0.031 [0.02, 0.041]`.

    With how many there are where it is not the only one; an exact claim has none: "computed".
    """
    if record["kind"] == "exact":
        return "computed"
    comparisons = record["comparisons"]
    decisive = next((each for each in comparisons if each["outcome"] == record["verdict"]), comparisons[0])
    return interval_words(decisive) + (f", 1 of {len(comparisons)} comparisons" if len(comparisons) > 1 else "")


def interval_words(comparison: Mapping[str, Any]) -> str:
    """Return a comparison's effect and its 95 % interval; a dash where there is none."""
    effect, low, high = (comparison[name] for name in ("effect", "low", "high"))
    if effect is None:
        return "–"
    if comparison["unit"] == "share":
        return f"{round(effect * comparison['n'])} of {comparison['n']} seeds"
    sign = {"ratio": "×", "difference": "+" if effect > 0 else "", "level": ""}[comparison["unit"]]
    interval = f" [{number(low)}, {number(high)}]" if low is not None and high is not None else ""
    return f"{sign}{number(effect)}{interval}"


def seeds_words(record: Mapping[str, Any]) -> str:
    """Return how many seeds the verdict stands on; empty for an exact claim."""
    return str(max((len(arm["scores"]) for arm in record.get("arms", [])), default=0) or "")


def comparison_words(comparison: Mapping[str, Any]) -> str:
    """Return a comparison as one line: what was said, its outcome, and why."""
    return f"{comparison['words']}: {comparison['outcome']} ({comparison['because']})"


def setting_words(asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how a claim is tested at one size, as (word, text); who says what the arms are does so apart."""
    words = [("rule", asked["rule"]), ("measure", asked.get("measure", ""))]
    if "recipe" in asked:
        recipe = asked["recipe"] if isinstance(asked["recipe"], str) else "its own"
        words.append(("recipe", ", ".join([recipe, *asked["also"]])))
    words.append(("every arm", overrides_words({**asked.get("shared", {}), **asked.get("overrides", {})})))
    if asked.get("tune"):
        by = asked["tuned_by"] or "the headline"
        tuned = ", ".join(asked["tune"])
        words.append(("tuned", f"{tuned}, {asked['trials']} trials for each arm and seed, by {by} on validation"))
    return [(word, text) for word, text in words if text]


def arm_words(asked: Mapping[str, Any], name: str) -> str:
    """Return what an arm is: in words, or what it sets."""
    word = name.rpartition(": ")[2]
    if word in asked.get("beside", {}):
        return f"{asked['beside'][word]}, of the same runs"
    arm = asked["arms"].get(name) if name in asked["arms"] else asked["arms"][name.rpartition(" on ")[0]]
    return arm if isinstance(arm, str) else overrides_words(arm) or "nothing else"


def overrides_words(overrides: Mapping[str, Any]) -> str:
    """Return overrides as they are typed: `model.widths=[64] budget.epochs=3`."""
    return " ".join(f"{key}={_typed(value)}" for key, value in overrides.items())


def _typed(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
