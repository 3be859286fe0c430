"""Every test draws the same numbers each time; and the option that writes docs/verification.md, from the oracle tests.

Models that a parametrisation builds are drawn while tests are collected, in an order that a choice of tests changes.
"""

import os

import pytest
import torch

# processes that run tests side by side are told the width of a terminal they do not have
os.environ.pop("COLUMNS", None)

torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _the_same_draws() -> None:
    torch.manual_seed(0)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-verification", action="store_true", help="write what oracle tests measure into docs")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--write-verification"):
        import verification

        verification.begin_writing()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--write-verification"):
        import verification

        verification.write()
