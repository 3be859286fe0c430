"""What a claim is: what somebody said, how it is tested here, and the rule that decides, written before the run.

There are three kinds, and a claim's file in this package holds one of them under the name `CLAIM`:

    TrainedClaim     arms are overrides of a recipe; each arm is trained at each seed, and one number is read from
                     every run. Cells are shared with `fourfold compare`, run side by side, and never run twice.
    ComputedClaim    arms x seeds as well, but a function gives the score: a path on a surface, a decomposition.
    ExactClaim       proved by computation: a function returns whether it is so, and the evidence in lines.

A trained claim, whole:

    from fourfold.claims.base import Size, TrainedClaim
    from fourfold.claims.measures import metric
    from fourfold.claims.rules import greater

    CLAIM = TrainedClaim(
        id="wider-is-better",
        says="A wider hidden layer reads digits better than a narrow one.",
        source="A. Author, The Paper, VENUE 2016, section 3, Fig. 2",
        recipe="digits-mlp",
        arms={"wide": {"model.widths": [128]}, "narrow": {"model.widths": [4]}},
        measure=metric("test.accuracy"),
        rule=greater("wide", "narrow", by=0.01),
        quick=Size(seeds=6, overrides={"budget.epochs": 3}),
        full=Size(seeds=10),
        scaled_from="ImageNet, 90 epochs",
    )

`docs/add-a-claim.md` shows the other two. Then one line in the table of this package's `__init__`.

Nothing is imported here that loads torch; a claim's file imports torch inside its functions.

Checked by: each claim of the table; a claim of each kind made by hand.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from fourfold.claims.comparisons import Rule
from fourfold.claims.measures import Measure

Name = Literal["quick", "full"]


@dataclass(frozen=True)
class Size:
    """How much is run.

    Attributes:
        seeds: each arm runs at the seeds 0 to `seeds` - 1. Fewer than 6 can decide nothing, and a rule of several
            comparisons needs more (see `rules`).
        overrides: of the recipe, for every arm alike, such as a shorter budget.
        trials: settings tried for each arm and seed, where the claim tunes; 0 tunes nothing.
    """

    seeds: int
    overrides: Mapping[str, Any] = field(default_factory=dict)
    trials: int = 0


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What every claim has.

    Attributes:
        id: its name in the table.
        says: the claim in one sentence, in our words.
        source: who said it and where: paper, section, figure.
        scaled_from: what the source did that is made smaller here; empty if nothing. A claim at desk size can support
            a paper's direction, never its number.
        likely_reason: where the claim fails here, why that is thought to be; shown only then.
    """

    kind: ClassVar[str] = ""

    id: str
    says: str
    source: str
    scaled_from: str = ""
    likely_reason: str = ""

    def asked(self, size: Name) -> dict[str, Any]:
        """Return as plain data what was asked, the rule included: a record of something else is no record of this."""
        raise NotImplementedError


@dataclass(frozen=True)
class Proof:
    """What an exact claim's computation came to.

    Attributes:
        holds: whether the claim is so.
        evidence: what was computed and what came out, in lines.
    """

    holds: bool
    evidence: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class ExactClaim(Claim):
    """A claim that computation decides.

    Attributes:
        rule: what the computation must show, in words.
        prove: computes it; "quick" may look at fewer cases than "full".
    """

    kind: ClassVar[str] = "exact"

    rule: str
    prove: Callable[[Name], Proof]

    def asked(self, size: Name) -> dict[str, Any]:
        return {"id": self.id, "kind": self.kind, "size": size, "rule": self.rule}


@dataclass(frozen=True, kw_only=True)
class StatisticalClaim(Claim):
    """A claim that scores of arms at the same seeds decide.

    Attributes:
        rule: what the scores must show.
        quick: a size for an automatic check: seconds, at most a minute. Where a seed costs little, it has fewer seeds
            and nothing else that is smaller.
        full: the size whose verdict is published.
    """

    kind: ClassVar[str] = "statistical"

    rule: Rule
    quick: Size
    full: Size

    def size(self, name: Name) -> Size:
        """Return the quick or the full size."""
        return self.quick if name == "quick" else self.full

    def arm_names(self) -> list[str]:
        """Return what the rule calls the arms."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class TrainedClaim(StatisticalClaim):
    """A claim about training.

    Attributes:
        recipe: a shipped recipe's name, or a recipe as plain data.
        arms: overrides of the recipe, by the arm's name.
        measure: what is read from each run; the rule is about this.
        beside: what else is read, by a word for it. It is told, and the rule may name it: `adam: precision`.
        shared: overrides for every arm and size alike.
        also: names of further recipes that every arm runs on. Then the rule calls an arm `adam on digits-mlp`.
        tune: numbers that are tuned for each arm at each seed on the validation split, `KEY=low:high[:log][:int]`.
        tuned_by: the metric of the validation split that decides; the task's headline if None.
        unfair: the arms get unequal steps or searches, as the claim itself says; every output tells.
    """

    recipe: str | Mapping[str, Any]
    arms: Mapping[str, Mapping[str, Any]]
    measure: Measure
    beside: Mapping[str, Measure] = field(default_factory=dict)
    shared: Mapping[str, Any] = field(default_factory=dict)
    also: Sequence[str] = ()
    tune: Sequence[str] = ()
    tuned_by: str | None = None
    unfair: bool = False

    @property
    def recipe_name(self) -> str:
        """The recipe's name; one given as data is called as the claim."""
        return self.recipe if isinstance(self.recipe, str) else self.id

    def arm_names(self) -> list[str]:
        names = list(self.arms)
        if self.also:
            names = [f"{arm} on {recipe}" for recipe in (self.recipe_name, *self.also) for arm in self.arms]
        return [*names, *(f"{name}: {word}" for word in self.beside for name in names)]

    def asked(self, size: Name) -> dict[str, Any]:
        chosen = self.size(size)
        beside = {"beside": {word: measure.words for word, measure in self.beside.items()}} if self.beside else {}
        return {
            "id": self.id,
            "kind": "trained",
            "recipe": self.recipe if isinstance(self.recipe, str) else dict(self.recipe),
            "also": list(self.also),
            "arms": {name: dict(overrides) for name, overrides in self.arms.items()},
            "shared": dict(self.shared),
            "measure": self.measure.words,
            **beside,
            "tune": list(self.tune) if chosen.trials else [],
            "tuned_by": self.tuned_by,
            "unfair": self.unfair,
            "seeds": chosen.seeds,
            "overrides": dict(chosen.overrides),
            "trials": chosen.trials,
            "rule": self.rule.words,
        }


@dataclass(frozen=True, kw_only=True)
class ComputedClaim(StatisticalClaim):
    """A claim about what a function of an arm and a seed returns.

    Attributes:
        arms: what each arm is, in words, by its name.
        measured: what the score is, with its unit.
        score: returns the score of an arm at a seed, for the given size; NaN where there is none. Whatever is random
            in it is drawn from `core.seeds.stream_seed`, so that arms of one seed see the same draws.
    """

    arms: Mapping[str, str]
    measured: str
    score: Callable[[str, int, Name], float]

    def arm_names(self) -> list[str]:
        return list(self.arms)

    def asked(self, size: Name) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": "computed",
            "arms": dict(self.arms),
            "measure": self.measured,
            "seeds": self.size(size).seeds,
            "overrides": dict(self.size(size).overrides),
            "rule": self.rule.words,
        }
