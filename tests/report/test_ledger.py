"""The ledger: made from the records, whatever they hold; the one in the repository is what they make today."""

import re
from pathlib import Path
from typing import Any

import pytest

from fourfold.claims import CLAIMS
from fourfold.claims.record import read_records, write_record
from fourfold.report.claim_words import effect_words
from fourfold.report.ledger import ordered, to_markdown, to_page, write_ledger
from fourfold.report.strips import LEFT, RIGHT, WIDTH, draw_strips

DOCS = Path(__file__).parents[2] / "docs"


def record(**changes: Any) -> dict[str, Any]:
    comparison = {
        "words": "a exceeds b", "unit": "difference", "outcome": "fails", "effect": -0.25, "low": -0.3, "high": -0.2,
        "n": 2, "p_holm": 0.01, "because": "-0.25 over 2 seeds",
    }  # fmt: skip
    asked = {
        "arms": {"a": {"model.widths": [4]}, "b": {}}, "measure": "test.error", "rule": "a exceeds b", "recipe": "r",
        "also": [], "shared": {}, "overrides": {"budget.steps": 7}, "seeds": 2,
        "tune": ["algorithm.optimizer.lr=1e-4:1:log"], "tuned_by": None, "trials": 3,
    }  # fmt: skip
    return {
        "format": 1, "id": "xor-needs-depth", "kind": "statistical", "size": "full", "asked": asked,
        "says": "a <script>alert(1)</script> | b.", "source": "A, 1999", "scaled_from": "a planet", "verdict": "fails",
        "comparisons": [comparison], "unfair": ["unequal steps"],
        "arms": [
            {"name": "a", "mean": 1.5, "scores": {"0": 1.0, "1": 2.0}},
            {"name": "b", "mean": 1.25, "scores": {"0": 1.25, "1": None}, "not_done": {"1": "diverged"}},
        ],
        "likely_reason": "too little data", "seconds": 3.5, "date": "2026-01-02",
        "environment": {"python": "3.11", "cpu": "a chip", "threads": 1, "packages": {"torch": "2", "fourfold": "0"}},
        **changes,
    }  # fmt: skip


EXACT = record(id="zz", kind="exact", verdict="holds", evidence=["1 = 1"], asked={"rule": "1 = 1"}, likely_reason="")
for _name in ("comparisons", "arms", "unfair"):
    del EXACT[_name]


def test_the_ledger_in_the_repository_is_what_its_records_make():
    records = ordered(read_records(DOCS / "claims"))
    assert records
    assert (DOCS / "claims.md").read_text(encoding="utf-8") == to_markdown(records)
    page = (DOCS / "claims.html").read_text(encoding="utf-8")
    assert content(page) == content(to_page(records))  # the house style may have moved on since


def content(page: str) -> str:
    return page[page.index("<main>") : page.index("</main>")]


@pytest.mark.parametrize("make", [to_markdown, to_page])
def test_everything_a_reader_needs_is_there(make):
    text = make([record(), EXACT])
    needed = (
        "fails", "holds", "-0.25", "[-0.3, -0.2]", "A, 1999", "a planet", "too little data", "unequal steps", "1 = 1",
        "b: diverged at seed 1", "model.widths=[4]", "budget.steps=7", "1 of 2", "2026-01-02", "a chip", "torch 2",
        "3 trials for each arm and seed",
    )  # fmt: skip
    for words in needed:
        assert words in text, words


def test_the_effect_shown_is_one_that_decided():
    """Of a rule that fails for one of its comparisons, that one."""
    holds = {**record()["comparisons"][0], "outcome": "holds", "effect": 3.0, "low": 2.5, "high": 3.5}
    fails = {**holds, "outcome": "fails", "unit": "ratio", "effect": 0.5, "low": 0.4, "high": 0.6}
    assert effect_words(record(comparisons=[holds, fails])) == "×0.5 [0.4, 0.6], 1 of 2 comparisons"
    assert effect_words(record(comparisons=[holds, fails], verdict="holds")) == "+3 [2.5, 3.5], 1 of 2 comparisons"
    assert effect_words(record(comparisons=[holds], verdict="undecided")) == "+3 [2.5, 3.5]"
    assert effect_words(EXACT) == "computed"


def test_markdown_tables_are_whole():
    lines = to_markdown([record(), EXACT]).splitlines()
    assert "Of 2 claims 1 hold, 1 fail, 0 are undecided." in "\n".join(lines)
    for line in lines:
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (6, 7)


def test_the_page_escapes_what_it_is_told_and_loads_nothing():
    page = to_page([record()])
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)


def test_claims_stand_in_the_table_s_order_and_strangers_last():
    names = ["no-such-claim", *reversed(list(CLAIMS))]
    assert [r["id"] for r in ordered([record(id=name) for name in names])] == [*CLAIMS, "no-such-claim"]


def test_it_is_written_beside_its_records(tmp_path):
    write_record(record(), tmp_path / "kept" / "xor-needs-depth.json")
    assert write_ledger(tmp_path / "kept") == [tmp_path / "kept.md", tmp_path / "kept.html"]
    assert (tmp_path / "kept.md").read_text(encoding="utf-8") == to_markdown([record()])


def places(figure: str) -> list[float]:
    return [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', figure)]


def test_a_strip_has_a_dot_a_score_where_the_score_is():
    figure = draw_strips({"a": [0.0, 1.0, None], "b": [0.25]}, "error")
    left, right, between = places(figure)
    assert (left, right) == (LEFT, WIDTH - RIGHT)
    assert between == pytest.approx(LEFT + 0.25 * (right - left), abs=0.06)
    assert "log scale" not in figure
    assert draw_strips({"a": [None]}, "error") == ""
    assert len(set(places(draw_strips({"a": [3.0], "b": [3.0]}, "error")))) == 1


def test_what_is_read_beside_the_scores_has_a_figure_of_its_own():
    arms = [*record()["arms"], {"name": "a: weights", "mean": 7.0, "scores": {"0": 7.0, "1": 9.0}}]
    page = to_page([record(arms=arms, asked={**record()["asked"], "beside": {"weights": "how many weights"}})])
    figures = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    assert [len(places(figure)) for figure in figures] == [3, 2]
    assert "test.error" in figures[0]
    assert "how many weights" in figures[1]


def test_scores_of_different_size_are_on_a_log_scale():
    figure = draw_strips({"a": [1.0, 10.0, 100.0]}, "steps")
    low, middle, high = places(figure)
    assert middle == pytest.approx((low + high) / 2, abs=0.06)
    assert "log scale" in figure
