"""An index of conclusions alone: no line and no value of a recording is in it, and reports are the same."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from appwitness.correlate import correlate, indexed_report, knowledge, report_on
from appwitness.correlate.currency import place_of
from appwitness.recording import Recording
from appwitness.reports import render
from appwitness.store import Store
from appwitness.store.lists import Lists
from appwitness.support.errors import UserError
from tests.recordings.written import RECORDINGS

KNOWN = knowledge()
ALL = sorted(path.parent for path in RECORDINGS.glob("*/run.json"))
KEY = b"k" * 64


def values(recording: Recording) -> set[str]:
    from appwitness.events import Access

    found = {value.text for value in recording.run.persona}
    for seen in recording.seen(Access):
        found |= {value.text for value in seen.event.values}
    return {text for text in found if len(text) > 6}


def shape(report: Any) -> list[object]:
    return [(finding.rule, finding.evidence) for finding in report.findings]


def test_reports_are_the_same_and_no_line_or_value_is_in_it(tmp_path):
    texts: set[str] = set()
    with Store(tmp_path / "lines") as whole, Store(tmp_path / "few", "conclusions", KEY) as few:
        for path in ALL[::6]:
            recording = Recording.open(path)
            texts |= values(recording)
            expected = render(report_on(recording, whole, KNOWN), "json", reveal=True)
            for _ in range(2):
                assert render(report_on(recording, few, KNOWN), "json", reveal=True) == expected
            name = recording.run.id
            assert shape(indexed_report(few, name, KNOWN)) == shape(indexed_report(whole, name, KNOWN))
            held = (whole.held(name), few.held(name))
            assert held[0] is not None
            assert held[1] is not None
            assert held[0].gaps == held[1].gaps
            assert correlate(recording, few, KNOWN).new_lines == 0
        assert Lists(few).rules() == Lists(whole).rules()
        assert [entry.gaps for entry in Lists(few).recordings({}).rows] == [
            entry.gaps for entry in Lists(whole).recordings({}).rows
        ]
    assert len(texts) > 5
    assert kept(tmp_path / "lines", texts) != set()
    assert kept(tmp_path / "few", texts) == set()
    with closing(sqlite3.connect(tmp_path / "few")) as database:
        assert database.execute("SELECT count(*) FROM lines").fetchone() == (0,)
        digests = database.execute("SELECT count(*), count(DISTINCT value), min(length(value)) FROM matches").fetchone()
    assert digests[0] > digests[1] > 1
    assert digests[2] == 32


def kept(file: Path, texts: set[str]) -> set[str]:
    """Those of the texts that are in the tables of an index."""
    with closing(sqlite3.connect(file)) as database:
        whole = "\n".join(
            str(cell)
            for table in ("recordings", "flows", "matches", "findings", "found_gaps", "lines")
            for row in database.execute(f"SELECT * FROM {table}")
            for cell in (each.decode(errors="replace") if isinstance(each, bytes) else each for each in row)
        )
    return {text for text in texts if text in whole}


def test_without_the_recording_it_is_said_that_lines_are_gone(tmp_path):
    path = Path(shutil.copytree(ALL[0].parent / "sent-before-consent", tmp_path / "r"))
    recording = Recording.open(path)
    with Store(tmp_path / "i", "conclusions", KEY) as store:
        correlate(recording, store, KNOWN)
        name = recording.run.id
        assert len(list(store.read(name, "upload"))) > 0
        with (path / "uploads.jsonl").open("ab") as file:
            file.write(b"{}\n")
        assert len(list(store.read(name, "upload"))) == store.positions(name)["upload"].line
        (path / "uploads.jsonl").write_bytes(b"{}\n")
        with pytest.raises(UserError, match="no longer there"):
            list(store.read(name, "upload"))
        shutil.rmtree(path)
        with pytest.raises(UserError, match="no longer there"):
            indexed_report(store, name, KNOWN)
        assert Lists(store).rules() != {}
        assert "****" in store.run(name).model_dump_json() or store.run(name).persona == ()


def test_what_is_kept_changes_only_when_that_is_wanted(tmp_path):
    recording = Recording.open(ALL[0].parent / "sent-before-consent")
    name = recording.run.id

    def kept_by(keep: Any) -> tuple[str, int]:
        with Store(tmp_path / "i", keep, KEY) as store:
            correlate(recording, store, KNOWN)
            held = store.held(name)
            assert held is not None
            with closing(sqlite3.connect(tmp_path / "i")) as database:
                return held.kept, database.execute("SELECT count(*) FROM lines").fetchone()[0]

    lines = sum(1 for kind in ("access", "upload", "consent", "connection") for _ in recording.read(kind))
    assert kept_by(None)[0] == "lines"
    assert kept_by("conclusions") == ("conclusions", 0)
    assert kept_by(None) == ("conclusions", 0)
    assert kept_by("lines")[1] >= lines


def test_another_recording_of_the_same_id_is_kept_as_the_first_was(tmp_path):
    for name in ("a", "b"):
        shutil.copytree(ALL[0].parent / "sent-before-consent", tmp_path / name)
    first, second = Recording.open(tmp_path / "a"), Recording.open(tmp_path / "b")
    with Store(tmp_path / "i", "conclusions", KEY) as store:
        correlate(first, store, KNOWN)
    with Store(tmp_path / "i", None, KEY) as store:
        correlate(second, store, KNOWN)
        held = store.held(second.run.id)
        assert held is not None
        assert (held.kept, Path(held.path)) == ("conclusions", tmp_path / "b")
    texts = values(second)
    assert len(texts) > 0
    assert kept(tmp_path / "i", texts) == set()


def test_values_are_masked_by_what_the_index_keeps_when_they_are_saved(tmp_path):
    path = ALL[0].parent / "sent-before-consent"
    recording = Recording.open(path)
    name, place = recording.run.id, place_of(recording)
    with Store(":memory:") as whole:
        found = correlate(recording, whole, KNOWN)
    carried = {match.value for flow in found.flows for match in flow.matches}
    assert len(carried) > 0
    with Store(tmp_path / "i", "conclusions", KEY) as few, Store(tmp_path / "i", "lines") as whole:
        few.ingest(name, recording.run, place, ())
        saved = few.save(name, found.flows, found.findings)
        assert kept(tmp_path / "i", carried) == set()
        held = few.held(name)
        assert held is not None
        assert whole.restart(name, recording.run, place, held)
        few.save(name, found.flows, found.findings, before=saved)  # it took the index for one of conclusions
        assert tuple(few.flows(name)) == found.flows
        saved = whole.save(name, found.flows, found.findings)
        held = whole.held(name)
        assert held is not None
        assert few.restart(name, recording.run, place, held)
        whole.save(name, found.flows, found.findings, before=saved)  # it took it for one of lines
        assert kept(tmp_path / "i", carried) == set()
        assert len(few.flows(name)) == len(found.flows)
