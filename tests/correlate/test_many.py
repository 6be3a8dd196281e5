"""Many recordings at once: the same as one after the other, whatever happens to one of them or to its process."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from appwitness.correlate import correlate as really
from appwitness.correlate import knowledge, many
from appwitness.correlate.many import JudgedRecording, correlate_many
from appwitness.store import Store
from appwitness.support.errors import StoreError, UserError
from tests.recordings.written import RECORDINGS

SOME = [*sorted(path.parent for path in RECORDINGS.glob("*/run.json"))[::12], RECORDINGS / "control-run-agrees"]
KNOWN = knowledge()


def judged(store: Store, paths: list[Path], jobs: int) -> dict[Path | str, JudgedRecording]:
    found = list(correlate_many(paths, store, KNOWN, jobs))
    assert len(found) == len(paths)
    return {each.path: each for each in found}


@pytest.mark.parametrize("server", [False, True])
def test_two_processes_find_what_one_finds(tmp_path, request, server):
    with Store(tmp_path / "one") as one:
        expected = judged(one, SOME, 1)
        place = request.getfixturevalue("empty_database") if server else tmp_path / "two"
        with Store(place) as two:
            assert judged(two, SOME, 2) == expected
            assert judged(two, SOME, 2) == expected  # nothing new
            assert two.recordings() == one.recordings()
            for run in one.recordings():
                assert two.flows(run.id) == one.flows(run.id)
                assert two.findings(run.id) == one.findings(run.id)
                assert two.found_gaps(run.id) == one.found_gaps(run.id)
    assert any(each.levels for each in expected.values())
    assert any(each.gaps for each in expected.values())


def test_what_goes_wrong_with_one_stops_no_other(tmp_path, monkeypatch):
    killing, faulty, *others = SOME

    def correlate(recording, store, known):
        if recording.path == killing:
            os.kill(os.getpid(), signal.SIGKILL)
        if recording.path == faulty:
            raise KeyError("ours")
        return really(recording, store, known)

    monkeypatch.setattr(many, "correlate", correlate)
    with Store(tmp_path / "i") as store:
        found = judged(store, [killing, faulty, tmp_path / "absent", *others], 2)
        assert [run.id for run in store.recordings()] == sorted(path.name for path in others)
    killed = found[killing].error
    assert isinstance(killed, UserError)
    assert "SIGKILL" in killed.what
    assert "absent" in str(found[tmp_path / "absent"].error)
    fault = found[faulty].error
    assert isinstance(fault, RuntimeError)
    assert "test_many.py" in fault.__notes__[0]
    assert {each.error for path, each in found.items() if path in others} == {None}


def test_who_leaves_off_leaves_no_process(tmp_path):
    with Store(tmp_path / "i") as store:
        going = correlate_many(SOME, store, KNOWN, 2)
        assert next(going).error is None
        assert len(multiprocessing.active_children()) == 2
        going.close()  # type: ignore[attr-defined]
        assert multiprocessing.active_children() == []


def test_a_database_that_is_away_stops_it(tmp_path, monkeypatch):
    def correlate(recording, store, known):
        raise StoreError("It is away.", "Try again.")

    monkeypatch.setattr(many, "correlate", correlate)
    for jobs in (1, 2):
        with Store(tmp_path / "i") as store, pytest.raises(StoreError, match="It is away"):
            list(correlate_many(SOME, store, KNOWN, jobs))
    assert multiprocessing.active_children() == []
