"""Layers and pieces that several models share."""
