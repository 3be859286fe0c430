"""Runs: the one loop, and everything that keeps it."""
