"""Learning-rate schedules."""

from fourfold.core.registry import Entry, Table

SCHEDULES = Table(
    "schedule",
    {
        "constant": Entry("fourfold.algorithms.schedules.constant:ConstantConfig", "the learning rate as it is"),
        "step": Entry("fourfold.algorithms.schedules.step:StepConfig", "drops by a factor at chosen moments"),
        "cosine": Entry("fourfold.algorithms.schedules.cosine:CosineConfig", "half a cosine, down to a minimum (2016)"),
        "warmup": Entry("fourfold.algorithms.schedules.warmup:WarmupConfig", "a straight rise, then another schedule"),
        "one_cycle": Entry("fourfold.algorithms.schedules.one_cycle:OneCycleConfig", "up, then far down (2017)"),
        "swa": Entry(
            "fourfold.algorithms.schedules.swa:SWAScheduleConfig",
            "a fall, then constant or in cycles, to average (2018)",
        ),
        "noam": Entry("fourfold.algorithms.schedules.noam:NoamConfig", "a rise, then the inverse root (2017)"),
    },
)
