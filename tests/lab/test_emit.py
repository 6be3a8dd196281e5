"""Identical accesses are counted exactly, also those that are made while the line of earlier ones is made."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import frida
import pytest

from tests.lab.staged import bundled, copied

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the agent's modules need a C library of Linux"),
]


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    text = bundled(copied(tmp_path_factory.mktemp("emit")), (HERE / "native/emit.ts").read_text("utf-8"))
    process = subprocess.Popen(["sleep", "60"])
    yield lambda: frida.attach(process.pid).create_script(text)
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("rounds", "counts"),
    [
        ([[4, 0]], [1, 3]),
        ([[4, 5]], [1, 3, 5]),
        ([[4, 5], [2, 7], [0, 0]], [1, 3, 7, 7]),
        ([[2, 1], [0, 1], [0, 1]], [1, 1, 1, 1, 1]),
    ],
)
def test_accesses_made_while_a_line_is_made_are_counted(script, rounds, counts):
    lines: list[dict[str, Any]] = []
    problems: list[Any] = []

    def hear(message: Any, data: bytes | None) -> None:
        if message.get("payload", {}).get("type") == "lines" and data:
            lines.extend(json.loads(line) for line in data.splitlines())
        else:
            problems.append(message)

    loaded = script()
    loaded.on("message", hear)
    loaded.load()
    loaded.exports_sync.play(rounds)
    loaded.unload()
    assert problems == []
    assert [line.get("count", 1) for line in lines] == counts
    times = [time for line in lines for time in (line["at"], line.get("until", line["at"]))]
    assert times == sorted(times)


def told_before_the_end(script, seconds: float) -> list[dict[str, Any]]:
    """Lines that came before the process was said to end, while for some seconds another thread made the line of 4."""
    told: list[dict[str, Any]] = []
    ended = threading.Event()
    loaded = script()

    def hear(message: Any, data: bytes | None) -> None:
        kind = message["payload"].get("type")
        if kind == "lines" and data and not ended.is_set():
            told.extend(json.loads(line) for line in data.splitlines())
        elif kind == "exit":
            loaded.post({"type": "flushed"})
            ended.set()

    loaded.on("message", hear)
    loaded.load()
    loaded.exports_sync.end(5, seconds)
    assert ended.wait(20)
    loaded.unload()
    return told


def test_a_line_that_is_made_while_another_thread_ends_the_process_comes_before_the_end(script):
    *accesses, phase = told_before_the_end(script, 0.2)
    assert [(line["kind"], line.get("count", 1)) for line in accesses] == [("access", 1), ("access", 4)]
    assert phase["state"] == "exited"


def test_a_line_that_is_not_ready_at_the_end_is_a_gap(script):
    access, gap, phase = told_before_the_end(script, 1.5)
    assert (access["kind"], access.get("count", 1)) == ("access", 1)
    assert (gap["subject"], gap["why"], gap["detail"].partition(" ")[0]) == ("agent", "missed", "1")
    assert phase["state"] == "exited"
