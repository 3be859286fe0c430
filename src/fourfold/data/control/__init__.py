"""Environments: what is learned from by acting."""
