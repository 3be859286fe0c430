"""Learning-rate schedules."""

from fourfold.core.registry import Table

SCHEDULES = Table("schedule", {})
