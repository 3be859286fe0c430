"""Comparisons: arms, seeds, tuning, statistics and a verdict."""
