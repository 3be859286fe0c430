"""Every claim of the table: it loads without torch, its arms can be built, and its rule can be decided."""

import math
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from fourfold.claims import CLAIMS
from fourfold.claims.base import ExactClaim, StatisticalClaim, TrainedClaim
from fourfold.claims.comparisons import ALPHA
from fourfold.claims.engine import question_of
from fourfold.claims.record import judged_again, read_records
from fourfold.claims.rules import judge
from fourfold.study.compare import resolve
from fourfold.study.fairness import refuse_unfair
from fourfold.study.power import smallest_p

RECORDS = Path(__file__).parents[2] / "docs" / "claims"
SIZES = ("quick", "full")


@pytest.mark.parametrize("name", CLAIMS)
def test_it_is_what_the_table_says(name: str):
    claim = CLAIMS.load(name)
    assert claim.id == name
    assert CLAIMS[name].target == f"fourfold.claims.{name.replace('-', '_')}:CLAIM"
    assert claim.says.endswith(".")
    assert claim.source
    assert import_module(CLAIMS[name].target.partition(":")[0]).__doc__


def test_none_of_them_needs_torch_to_be_listed_or_shown():
    code = "import sys\nfrom fourfold.claims import CLAIMS\nfor n in CLAIMS: CLAIMS.load(n).asked('full')\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "print('torch' in sys.modules)"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CLAIMS)
def test_its_rule_names_its_arms_and_enough_seeds_to_decide(name: str, size):
    claim = CLAIMS.load(name)
    if isinstance(claim, ExactClaim):
        return
    assert isinstance(claim, StatisticalClaim)
    seeds = claim.size(size).seeds
    scores = {arm: {seed: 1.0 + 0.01 * seed for seed in range(seeds)} for arm in claim.arm_names()}
    _, judged = judge(claim.rule, scores)  # an arm that there is not would be an error
    tests = sum(each.p_holm is not None for each in judged)
    assert not tests or smallest_p(seeds) <= ALPHA / tests


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CLAIMS)
def test_its_arms_can_be_built(name: str, size):
    claim = CLAIMS.load(name)
    if isinstance(claim, TrainedClaim):
        question = question_of(claim, size)
        question.check()
        plan = resolve(question)
        assert bool(refuse_unfair(question, plan)) == claim.unfair
        for recipes in plan.values():
            settings = [recipe.to_mapping() for recipe in recipes]
            assert all(settings.count(each) == 1 for each in settings)  # no arm is another under a second name


@pytest.mark.parametrize("record", read_records(RECORDS), ids=lambda record: record["id"])
def test_a_record_is_of_the_claim_as_it_stands_and_its_scores_give_its_verdict(record):
    """Change a rule, an arm or a size, and the record is stale: run `fourfold claim ID --full --record docs/claims`."""
    claim = CLAIMS.load(record["id"])
    assert record["asked"] == claim.asked(record["size"])
    assert (record["says"], record["source"]) == (claim.says, claim.source)
    if isinstance(claim, StatisticalClaim):
        verdict, judged = judged_again(claim.rule, record)
        assert verdict == record["verdict"]
        for ours, kept in zip(judged, record["comparisons"], strict=True):
            for name in ("words", "unit", "outcome", "n"):
                assert getattr(ours, name) == kept[name]
            for name in ("effect", "low", "high"):
                known = getattr(ours, name) if math.isfinite(getattr(ours, name)) else None
                assert known == (kept[name] if kept[name] is None else pytest.approx(kept[name], rel=1e-4, abs=1e-9))
    assert record["likely_reason"] == (claim.likely_reason if record["verdict"] == "fails" else "")
