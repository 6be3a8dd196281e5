"""The commands of docker/compose.yml over a real PostgreSQL: health checks tell when it goes and when it is back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from appwitness.cli.verbs import listen
from tests.docker.compose import SERVICES
from tests.postgres import Postgres

pytestmark = pytest.mark.slow
APPWITNESS = [sys.executable, "-m", "appwitness"]
WITHIN_S = 60.0


@pytest.fixture
def server() -> Iterator[Postgres]:
    """One that may be stopped."""
    with TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder, Postgres(Path(folder)) as made:
        yield made


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_pages_and_judge_come_back_with_the_database(server: Postgres, tmp_path: Path) -> None:
    (tmp_path / "db").write_text(f"{server.create()}\n")
    environment = os.environ | {
        "APPWITNESS_DB_FILE": str(tmp_path / "db"),
        "APPWITNESS_HOME": str(tmp_path / "home"),
    }
    with closing(listen("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def asks(service: str, **instead: str) -> list[str]:
        instead["${FLEET_RECORDINGS:-/recordings}"] = str(tmp_path / "recordings")
        return [*APPWITNESS, *(instead.get(word, word) for word in SERVICES[service]["command"])]

    def health() -> int:
        with suppress(URLError, ConnectionError):
            try:
                return int(urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10).status)
            except HTTPError as error:
                return error.code
        return 0

    def own() -> int:
        words = SERVICES["host"]["healthcheck"]["test"][2:]
        return subprocess.run([*APPWITNESS, *words], env=environment, check=False).returncode

    subprocess.run(asks("migrate"), env=environment, check=True, stdout=subprocess.DEVNULL)
    assert own() == 4, "no host has been there"
    commands = (
        asks("web-store", **{"8080": str(port), "0.0.0.0": "127.0.0.1"}),
        asks("host", **{"${FLEET_DEVICES:-all}": "lab"}),
        [*asks("judge"), "--name", "judge"],  # each container has a name of its own
    )
    started = [subprocess.Popen(each, env=environment, stdout=subprocess.DEVNULL) for each in commands]
    try:
        until(lambda: health() == 200)
        until(lambda: own() == 0)
        server.stop(signal.SIGQUIT)
        until(lambda: health() == 503)
        assert own() == 2
        server.start()
        until(lambda: health() == 200)
        assert started[0].poll() is None
    finally:
        for process in started:
            process.terminate()
        codes = [process.wait(WITHIN_S) for process in started]
    assert codes[0] == 0
