"""The long runs of tests/bench in small: everything killed at random, and input that is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import malformed, soak

pytestmark = [pytest.mark.lab, pytest.mark.slow]


def test_everything_is_killed_and_what_was_answered_is_recorded(tmp_path: Path) -> None:
    assert soak.soak(tmp_path, requests=1500, kills=6, seed=3).wrong() == []


# The server that it is sent to is made with websockets 13, whose thread may run before its connection has all fields.
@pytest.mark.filterwarnings("default::pytest.PytestUnhandledThreadExceptionWarning")
def test_broken_input_is_survived(tmp_path: Path) -> None:
    assert malformed.attack(tmp_path, count=300, seed=3).wrong() == []
