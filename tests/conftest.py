"""For all tests: properties are tried on the same examples each time, and what one has recorded is dropped when it
ends."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from appwitness.recording import Recording
from tests.postgres import empty_database, postgres

__all__ = ["empty_database", "postgres"]

# `--hypothesis-profile=default` looks for new examples.
settings.register_profile("repeatable", derandomize=True, print_blob=True, deadline=None)  # machines are noisy
settings.load_profile("repeatable")

_made: weakref.WeakSet[Recording] = weakref.WeakSet()
_init = Recording.__init__


def _noted(recording: Recording, *arguments: Any, **named: Any) -> None:
    _init(recording, *arguments, **named)
    if threading.current_thread() is threading.main_thread():  # else somebody may be writing to it still
        _made.add(recording)


@pytest.fixture(scope="session", autouse=True)
def _note_recordings() -> Iterator[None]:
    """Frida keeps what it calls back, and with it each recording of a test: hundreds of tests in one process would open
    more files than select() can wait for, and WebSocket and MQTT clients would hang."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recording, "__init__", _noted)
        yield


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """After the fixtures; a recording that is still used opens its files again."""
    for recording in list(_made):
        recording.close()
