"""Servers, and proxies in front of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab import upstream as servers
from tests.lab.proxy.observed import Observed, make
from tests.lab.upstream import Upstream


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def upstream(room: Path) -> Iterator[Upstream]:
    with servers.running(room) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def shared(room: Path, upstream: Upstream) -> Iterator[Observed]:
    """One proxy for the tests that only look at lines of their own."""
    observed = make(room, upstream)
    with observed.proxy:
        yield observed
        assert observed.proxy.words() == ""


@pytest.fixture
def start(room: Path, upstream: Upstream) -> Iterator[Callable[..., Observed]]:
    """Starts a proxy with options of its own."""
    started: list[Observed] = []

    def start(**options: str) -> Observed:
        observed = make(room, upstream, **options)
        started.append(observed)
        observed.proxy.start()
        return observed

    yield start
    for observed in started:
        observed.proxy.stop()
