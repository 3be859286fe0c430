"""The option that writes docs/verification.md, from what the oracle tests measure; and a terminal of no known width."""

import os

import pytest

os.environ.pop(
    "COLUMNS", None
)  # processes that run tests side by side are told the width of a terminal they do not have


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
