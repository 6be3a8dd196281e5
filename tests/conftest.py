"""For all tests: properties are tried on the same examples each time, files open for nothing are closed, and the
translations are those of this checkout; what is only for the night is left out in the day."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

import hatch_build
from appwitness.recording import Recording
from tests.nightly import AT_NIGHT
from tests.observed import circle
from tests.postgres import empty_database, postgres

__all__ = ["circle", "empty_database", "postgres"]

# `make test` tries a quarter of the examples of `make test-slow`. `--hypothesis-profile=default` looks for new ones.
settings.register_profile("thorough", derandomize=True, print_blob=True, deadline=None)  # machines are noisy
settings.register_profile("repeatable", settings.get_profile("thorough"), max_examples=25)
settings.load_profile("repeatable")

hatch_build.build_catalogues(hatch_build.ROOT)

os.fsync = os.fstat  # type: ignore[assignment]  # no test plays a loss of power; a file that is closed is still an error

OPEN_FILES = Path("/dev/fd")
MANY = 300


@pytest.fixture(scope="session")
def known():
    """What judging knows without anybody's choices."""
    from appwitness.correlate import knowledge  # takes half a second, for which pure tests need not wait

    return knowledge()


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("nightly"):
            item.add_marker(pytest.mark.slow)
            if not AT_NIGHT:
                item.add_marker(pytest.mark.skip(reason="only with NIGHTLY=true"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays: the garbage collector need not look through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Frida keeps what it calls back, and with it each recording of a test: hundreds of tests in one process would open
    more files than select() can wait for, and WebSocket and MQTT clients would hang. A recording that is still used
    opens its files again."""
    if OPEN_FILES.is_dir() and len(list(OPEN_FILES.iterdir())) > MANY:
        for each in gc.get_objects():
            if type(each) is Recording:
                each.close()
