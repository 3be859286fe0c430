"""What a study was asked, as plain data: enough to know without torch whether it has been answered already.

Checked by: every change to a question changes its digest; the words of a question read back.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import fourfold
from fourfold.core.errors import InputError, did_you_mean
from fourfold.records.naming import slug
from fourfold.study.design import Arm, Space

MAX_TRIALS = 10_000
SPLITS = ("train", "validation", "test")
STACK = ("never", "auto", "always")


@dataclass(frozen=True)
class Question:
    """A comparison, or the spread of one recipe, before anything is built.

    Attributes:
        problems: recipes by name, as plain data without the arms' overrides; each arm runs on each.
        arms: what is compared; the first is what the others are compared with, unless `against` names another.
        seeds: each arm runs at each.
        metric: `split.name`, such as `test.accuracy`; None is the task's headline on the test split.
        spaces: what is tuned, for every arm alike; empty for nothing.
        trials: settings tried for each arm and seed.
        against: the name of the arm that the others are compared with.
        smallest: the smallest difference that matters, in the metric's unit; None is 1 % of the larger mean.
        unfair: whether arms may get unequal steps or spaces; every output then says so.
        stack: whether cells may be trained as one stack: "never", "auto" (where it is faster), "always".
        use: SHA-256 of the user's own files whose parts are named.
    """

    problems: Mapping[str, Mapping[str, Any]]
    arms: Sequence[Arm]
    seeds: Sequence[int]
    metric: str | None = None
    spaces: Sequence[Space] = ()
    trials: int = 0
    against: str | None = None
    smallest: float | None = None
    unfair: bool = False
    stack: Literal["never", "auto", "always"] = "never"
    use: Sequence[str] = ()

    def check(self) -> None:
        """Refuse what cannot be asked.

        Raises:
            InputError: one line that names the option.
        """
        names = [arm.name for arm in self.arms]
        if self.against is not None and self.against not in names:
            raise InputError(f"--against: no arm called '{self.against}'{did_you_mean(self.against, names)}")
        if len(names) < 2 and not self.spaces:
            if self.arms[0].overrides:
                raise InputError("--vary: one arm alone is no comparison; give it another value")
            if len(self.seeds) < 2:
                raise InputError("--seeds: one run has no spread; fourfold run does one, and --vary compares")
            if self.smallest is not None:
                raise InputError("--smallest: of which difference? --vary says what is compared")
        if bool(self.spaces) != bool(self.trials):
            raise InputError("--tune and --trials: one needs the other")
        if self.spaces and self.trials < 2:
            raise InputError(f"--trials: at least 2, and not {self.trials}")
        if self.trials > MAX_TRIALS:
            raise InputError(f"--trials: at most {MAX_TRIALS:,}, and not {self.trials:,}")
        varied = {key for arm in self.arms for key in arm.overrides}
        for space in self.spaces:
            if space.key in varied:
                raise InputError(f"--tune {space.key}: it is varied too; do one of the two")
        if any(space.key == "seed" for space in self.spaces):
            raise InputError("--tune seed: a seed is no setting; --seeds says how many there are")
        if "seed" in varied:
            raise InputError("--vary seed: every arm runs at every seed already; --seeds says how many")
        if self.metric is not None and self.metric.partition(".")[0] not in SPLITS:
            split = self.metric.partition(".")[0]
            raise InputError(f"--metric: no split called '{split}'{did_you_mean(split, SPLITS)}")
        if self.spaces and self.metric is not None and self.metric.startswith("validation.") and not self.unfair:
            raise InputError(
                f"--metric {self.metric}: what is tuned on validation looks better there than it is; score it on test, "
                "or --unfair goes on"
            )
        if self.stack not in STACK:
            raise InputError(f"--stack: no choice called '{self.stack}'{did_you_mean(self.stack, STACK)}")
        if self.smallest is not None and not 0 < self.smallest < math.inf:  # not a number is neither
            raise InputError(f"--smallest: a number above 0, and not {self.smallest:g}")

    @property
    def reference(self) -> str:
        """The arm that the others are compared with."""
        return self.against or self.arms[0].name

    def to_mapping(self) -> dict[str, Any]:
        """Return the question as JSON-ready data."""
        return {
            "problems": {name: dict(fields) for name, fields in self.problems.items()},
            "arms": [{"name": arm.name, "overrides": dict(arm.overrides)} for arm in self.arms],
            "seeds": list(self.seeds),
            "metric": self.metric,
            "tune": [str(space) for space in self.spaces],
            "trials": self.trials,
            "against": self.reference,
            "smallest": self.smallest,
            "unfair": self.unfair,
            "stack": self.stack,
            "use": list(self.use),
            "fourfold": fourfold.__version__,
        }

    def digest(self) -> str:
        """Return 16 hex digits that name the question."""
        return hashlib.sha256(json.dumps(self.to_mapping(), sort_keys=True).encode()).hexdigest()[:16]

    def folder(self, workspace: Path) -> Path:
        """Return where the study of this question is."""
        varied = dict.fromkeys(
            key.removesuffix(".name").rsplit(".", 1)[-1] for arm in self.arms for key in arm.overrides
        )
        name = "-".join(["-".join(self.problems), *varied])[:80]
        return workspace / "studies" / f"{slug(name)}-{self.digest()[:8]}"
