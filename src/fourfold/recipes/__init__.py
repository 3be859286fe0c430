"""Recipes that come with Fourfold: one result a file."""
