"""Boosting of straight lines on two moons, which no straight line can separate: a base that cannot bend by itself.

As `boosting-bias`, which has networks of three units for a base; this was its first design.
"""

from fourfold.claims.base import ComputedClaim, Size
from fourfold.claims.boosting_bias import MEMBERS, score_of
from fourfold.claims.rules import all_of, greater

CLAIM = ComputedClaim(
    id="boosting-lines",
    says="Boosting lowers the bias also of straight lines: ten of them, weighted, bend around two moons.",
    source="Freund and Schapire, Experiments with a New Boosting Algorithm, ICML 1996; Schapire, Freund, Bartlett and "
    "Lee, Boosting the Margin: A New Explanation for the Effectiveness of Voting Methods, Annals of Statistics 26(5), "
    "1998, on the relation to bias and variance",
    arms={
        f"{method}: {part}": f"{words}; {part}"
        for method, words in (("single", "a straight line"), ("boosted", f"{MEMBERS} straight lines by AdaBoost"))
        for part in ("bias", "variance", "error")
    },
    measured="share of the test points",
    score=score_of("line"),
    rule=all_of(
        greater("single: bias", "boosted: bias", by=0.02),
        greater("single: error", "boosted: error", by=0.02),
    ),
    quick=Size(seeds=7),
    full=Size(seeds=20),
    likely_reason="a line that is trained by cross-entropy on what the first one got wrong is hardly better than "
    "chance there, so its vote is small, and the first one goes on deciding almost alone; a base that is chosen for "
    "the fewest mistakes of all, as a test of one attribute can be, may do otherwise",
    scaled_from="decision trees and tests of one attribute, on many tables; here ten straight lines, on points in the "
    "plane",
)
