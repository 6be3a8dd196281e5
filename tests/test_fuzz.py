"""Tests of the fuzzer: a short run, bodies that come again by their number, failures that are seen from outside."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from appwitness.match import decode
from tests import fuzz, fuzz_recordings


def test_a_short_run_finds_nothing(tmp_path):
    told: list[str] = []
    assert fuzz.run(800, seed=11, jobs=1, failures=tmp_path, report=told.append) == 0, told
    assert told[-1].startswith("800 bodies")


@pytest.mark.slow
def test_bodies_come_again_by_their_number():
    samples = fuzz.corpus()
    assert len(samples) > 500
    made = [fuzz.mutated(samples, 5, number) for number in range(40)]
    assert made == [fuzz.mutated(fuzz.corpus(), 5, number) for number in range(40)]
    assert len({sample.body for sample in made}) > 30


def test_a_failure_is_written_and_tried_again(tmp_path, monkeypatch):
    sample = fuzz.Sample(b"\xff\x00abc", "text/plain", "https://x.test/\ud83d", (("A", "b"),), "dns")
    fuzz.write(tmp_path, "crash", "it broke", sample._replace(url="https://x.test/?a=1"))
    (path,) = tmp_path.iterdir()
    assert fuzz.read(path) == sample._replace(url="https://x.test/?a=1")
    assert fuzz.replayed(path) == ""

    def breaks(*_: Any, **__: Any) -> Any:
        raise RuntimeError("it broke")

    monkeypatch.setattr(decode, "leaves", breaks)
    assert fuzz.replayed(path) == "RuntimeError: it broke"


def stuck(
    samples: list[fuzz.Sample], seed: int, start: int, stop: int, step: int, watched: fuzz.Watched, failures: Path
) -> None:
    """A worker that never ends with its third body, and dies of its fifth."""
    for number in range(start, stop, step):
        watched.number.value = number
        watched.cpu.value = time.process_time()
        if number == 2:
            while True:
                pass
        if number == 4:
            raise SystemExit(3)
    watched.number.value = stop


@pytest.mark.slow
def test_a_hang_and_a_death_are_seen_from_outside(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, "work", stuck)
    assert fuzz.run(6, seed=1, jobs=1, failures=tmp_path, report=lambda _: None) == 2
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"hang", "crash"}


def test_a_short_run_over_recordings_finds_nothing():
    told: list[str] = []
    assert fuzz_recordings.run(300, seed=11, jobs=1, tell=told.append, sample=20) == 0, told
    assert told[-1].startswith("300 recordings")


def test_recordings_come_again_by_their_number(tmp_path):
    samples = fuzz_recordings.corpus(3)
    outside = fuzz_recordings.room(tmp_path)

    def made(name: str, number: int) -> list[tuple[str, bytes]]:
        place = tmp_path / name
        fuzz_recordings.mutant(samples, 5, number, place, outside)
        files = [path for path in sorted(place.rglob("*")) if path.is_file() and not path.is_symlink()]
        return [(path.name, path.read_bytes()) for path in files if path.name != "seal.jsonl"]  # stamps have a time

    for number in range(20):
        first = made("a", number)
        for name in ("a", "moved"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)
        assert made("b", number) == first
        for name in ("b", "moved"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)


def test_what_is_put_in_stays_as_it_is(tmp_path):
    """Else a mutant would depend on those before it."""
    before = repr(fuzz_recordings.NASTY)
    line = b'{"a": [1, {"b": null}], "c": {}}'
    for number in range(3000):
        fuzz_recordings._json(line, random.Random(number))
    assert repr(fuzz_recordings.NASTY) == before


class Broken(Exception):
    """Nobody expects it."""


def test_what_goes_wrong_with_a_recording_is_seen(tmp_path, monkeypatch):
    outside = fuzz_recordings.room(tmp_path)
    (sample,) = fuzz_recordings.corpus(1)
    folder = tmp_path / "r"
    folder.mkdir()
    for name, content in sample.items():
        if "/" not in name:
            (folder / name).write_bytes(content)
    assert fuzz_recordings.tried(folder) == ""
    (folder / "accesses.jsonl").write_bytes((outside / "secret.jsonl").read_bytes())
    assert fuzz_recordings.tried(folder) == "a line from outside was read"

    def breaks(*_: Any, **__: Any) -> Any:
        raise Broken("it broke")

    monkeypatch.setattr(fuzz_recordings, "verify", breaks)
    assert "Broken: it broke" in fuzz_recordings.tried(folder)
