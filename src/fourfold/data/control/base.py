"""What all environments have in common: which episodes train, validate and test, and how they are played.

Each episode of each split begins from a seed of its own, from the run's `environment` stream, so evaluation meets
other episodes than training, the same ones each time, and takes nothing from training's streams.

Source: Mnih et al., Human-level control through deep reinforcement learning, Nature 518, 2015, Methods ("Evaluation
procedure"): 30 episodes, a random action with probability 0.05.
Checked by: the same scores twice, other seeds for each split; returns added up by hand.
"""

from abc import abstractmethod

from pydantic import Field
from torch import nn

from fourfold.core.seeds import stream_seed
from fourfold.data.base import DataConfig
from fourfold.tasks.control import ControlSource, ControlSpec, Environment
from fourfold.tasks.playing import overestimation, play

SPLITS = ("train", "validation", "test")
MOST_AT_ONCE = 100  # episodes played side by side
TRAIN_EPISODES = 5  # whose returns are told of training beside its curve


class ControlDataConfig(DataConfig):
    """The fields of an environment."""

    discount: float = Field(default=0.99, ge=0, lt=1, description="what a reward is worth one move later, gamma")
    validation_episodes: int = Field(default=20, ge=0, le=10_000, description="played at each validation")
    test_episodes: int = Field(default=100, ge=1, le=10_000, description="played at the end")
    evaluation_epsilon: float = Field(
        default=0.05, ge=0, le=1, description="share of random actions in validation and test, 2015's Methods"
    )
    epoch: int = Field(default=10_000, ge=1, description="transitions that count as an epoch")

    @property
    def sizes(self) -> dict[str, int]:
        """Transitions of an epoch, and episodes that are played to evaluate."""
        return {"train": self.epoch, "validation": self.validation_episodes, "test": self.test_episodes}


class PlayedSource(ControlSource):
    """An environment at work.

    Args:
        config: which episodes.
        spec: what the environment promises.
        seed: the run's.
        notes: decisions made on the way.
    """

    def __init__(self, config: ControlDataConfig, spec: ControlSpec, seed: int, notes: list[str]) -> None:
        self.config, self.spec, self.seed = config, spec, seed
        self.sizes = config.sizes
        self.notes = notes

    @abstractmethod
    def make(self, key: tuple[int, ...], learning: bool, drawn: bool = False) -> Environment:
        """Return an environment whose episode number e begins from `seed_of(*key, e)`.

        Args:
            key: of the environment.
            learning: whether it is to learn from: rewards may be clipped, and lost lives end something.
            drawn: whether pictures of it are wanted.
        """

    def seed_of(self, *key: int) -> int:
        """Return a seed below 2**31 of the run's `environment` stream."""
        return stream_seed(self.seed, "environment", *key) & 0x7FFF_FFFF

    def environment(self, number: int = 0) -> Environment:
        """Return training's environment `number`."""
        return self.make((0, number), learning=True)

    def evaluated(self, split: str, episode: int) -> Environment:
        """Return an environment whose first episode is number `episode` of a split."""
        return self.make((SPLITS.index(split), episode), learning=False)

    def shown(self, seed: int, episode: int, drawn: bool) -> Environment:
        """Return an environment to show somebody."""
        return self.make((len(SPLITS), seed, episode), learning=False, drawn=drawn)

    def evaluate(self, model: nn.Module, split: str) -> dict[str, float]:
        """Play a split's episodes; of training those with which its first environments begin.

        `return` is the mean sum of rewards, `value` what the best action seemed worth, `discounted_return` what
        followed, and `overestimation` the difference of the two, each a mean over moves.
        """
        number = SPLITS.index(split)
        count = TRAIN_EPISODES if split == "train" else self.sizes[split]
        episodes = []
        for start in range(0, count, MOST_AT_ONCE):
            which = range(start, min(start + MOST_AT_ONCE, count))
            environments = [self.evaluated(split, each) for each in which]
            seeds = [self.seed_of(number, each, 0, 1) for each in which]
            episodes += play(model, self.spec, environments, self.config.evaluation_epsilon, seeds)
        scores = [each.score for each in episodes]
        metrics = {
            "return": sum(scores) / len(scores),
            "lowest_return": min(scores),
            "highest_return": max(scores),
            "length": sum(each.length for each in episodes) / len(episodes),
        }
        if (means := overestimation(episodes, self.spec.discount)) is not None:
            seemed, real = means
            metrics |= {"value": seemed, "discounted_return": real, "overestimation": seemed - real}
        return metrics
