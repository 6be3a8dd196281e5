"""Tests of the fuzzer: a short run, bodies that come again by their number, failures that are seen from outside."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from appwitness.match import decode
from tests import fuzz, fuzz_recordings, watched


def test_a_short_run_finds_nothing():
    told: list[str] = []
    assert watched.run(partial(fuzz.trial, 11), 400, 1, fuzz.LIMITS, told.append) == 0, told
    assert told[-1].startswith("400 tried")


@pytest.mark.slow
def test_bodies_come_again_by_their_number():
    samples = fuzz.corpus()
    assert len(samples) > 500
    made = [fuzz.mutated(samples, 5, number) for number in range(40)]
    assert made == [fuzz.mutated(fuzz.corpus(), 5, number) for number in range(40)]
    assert len({sample.body for sample in made}) > 30


@contextmanager
def breaking() -> Iterator[Callable[[int], str]]:
    """What is wrong with the first, never ends with the third, and dies of the fifth."""

    def tried(number: int) -> str:
        while number == 2:
            pass
        if number == 4:
            raise SystemExit(3)
        return "" if number else "it broke"

    yield tried


@pytest.mark.slow
def test_a_hang_and_a_death_are_seen_from_outside():
    told: list[str] = []
    assert watched.run(breaking, 6, 1, watched.Limits(1.0, 1 << 30), told.append) == 3
    failures = [text for text in told if "tried" not in text]  # on a slow machine it says how far it is
    assert failures == ["0: it broke", "2: more than 1.0 s of CPU", "4: the process ended with 3"]


def test_what_goes_wrong_with_a_body_is_seen(monkeypatch):
    def breaks(*_: Any, **__: Any) -> Any:
        raise RuntimeError("it broke")

    monkeypatch.setattr(decode, "leaves", breaks)
    assert fuzz.tried(fuzz.Sample(b"abc"), fuzz.index()) == "RuntimeError: it broke"


def test_a_short_run_over_recordings_finds_nothing():
    told: list[str] = []
    assert fuzz_recordings.run(75, seed=11, jobs=1, tell=told.append, sample=20) == 0, told
    assert told[-1].startswith("75 tried")


def test_recordings_come_again_by_their_number(tmp_path):
    samples = fuzz_recordings.corpus(3)
    outside = fuzz_recordings.room(tmp_path)

    def made(name: str, number: int) -> list[tuple[str, bytes]]:
        place = tmp_path / name
        fuzz_recordings.mutant(samples, 5, number, place, outside)
        files = [path for path in sorted(place.rglob("*")) if path.is_file() and not path.is_symlink()]
        for path in files:
            path.chmod(0o600)  # one mutation takes the right to read, which binds all but root
        return [(path.name, path.read_bytes()) for path in files if path.name != "seal.jsonl"]  # stamps have a time

    for number in range(20):
        first = made("a", number)
        for name in ("a", "moved"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)
        assert made("b", number) == first
        for name in ("b", "moved"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)


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
