"""Silence for what other packages tell of themselves, where it says nothing to who asked for something else.

Checked by: a figure in a font without bold, and an ONNX export, both without a word.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """Be a context in which the logger of this name says nothing below an error."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
