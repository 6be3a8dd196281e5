"""A fleet as it is by default, with recordings in a bucket: the index has conclusions, the bucket has the lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appwitness.api.browsing import Browsing
from appwitness.cli.verbs import main
from appwitness.correlate import indexed_report, knowledge
from appwitness.events import Access
from appwitness.fleet import objects as places
from appwitness.fleet.objects import objects, recording_at
from appwitness.recording import packing
from appwitness.reports import render
from appwitness.store import Store
from appwitness.store.runs import Runs
from appwitness.support.errors import StoreError, UserError
from appwitness.web.query import Site
from appwitness.web.routes import app
from tests.fleet.rig import FINDINGS, host, phones, planned, serving, until
from tests.recordings.written import RECORDINGS
from tests.web.serving import TOKEN, visitor

KEY = b"k" * 64


class Stumbling(Runs):
    """Runs of which one method fails the first time that it is asked."""

    def __init__(self, place: Path, method: str, error: Exception) -> None:
        super().__init__(place)
        asked = getattr(self, method)
        errors = [error]

        def once(*given: Any) -> Any:
            if errors:
                raise errors.pop()
            return asked(*given)

        setattr(self, method, once)


@pytest.fixture
def fetched(monkeypatch):
    """The names of recordings that are fetched as a whole."""
    names: list[str] = []
    fetch = places.Bucket.fetched

    def noted(bucket: places.Bucket, name: str):
        names.append(name)
        return fetch(bucket, name)

    monkeypatch.setattr(places.Bucket, "fetched", noted)
    return names


def test_recordings_in_a_bucket_are_judged_and_read_where_the_index_has_conclusions_alone(tmp_path, server, fetched):
    place, db = server.place(), tmp_path / "index.sqlite"
    with Runs(tmp_path / "runs.sqlite") as runs:
        runs.plan(planned(2))
        here = host(tmp_path, runs, recordings=place, beat_s=0.1)
        with serving(here, phones(2), judges=1, db=db, keep="conclusions", key=KEY):
            until(lambda: runs.progress()[0].judged + runs.progress()[0].unobservable == 2)
        assert (runs.progress()[0].judged, runs.progress()[0].findings) == (2, 2 * FINDINGS)

    name, other = (f"{run.id}-a1" for run in planned(2))
    known = knowledge()
    with Store(db, opened=recording_at) as store:
        held = store.held(name)
        assert held
        assert (held.kept, held.path) == ("conclusions", f"{place}/{name}")
        report = indexed_report(store, name, known)
        assert report.path == f"{place}/{name}"
        assert len(report.findings) == FINDINGS
        assert fetched == [name]  # once for all kinds of lines

        said = CliRunner().invoke(main, ["report", f"{place}/{name}", "--db", str(db)])
        assert (said.exit_code, f"{place}/{name}" in said.stdout) == (1, True), said.output
        fetched.clear()

        values = [value.text for read in store.read(name, "access") for value in access(read.event).values]
        assert all(value not in render(report, "text") for value in values if len(value) > 6)
        pages = visitor(app(Site(Browsing(store, known), TOKEN)))
        for path in (f"/recordings/{name}", f"/recordings/{name}/uploads", f"/recordings/{name}/uploads/1"):
            assert pages.get(path).status_code == 200, path
        assert fetched == []

        server.stop()
        try:
            with pytest.raises(StoreError, match="cannot be reached"):
                list(store.read(name, "access"))
            with pytest.raises(StoreError, match="cannot be reached"):
                store.run(other)
        finally:
            server.start()
        assert len(list(store.read(other, "upload"))) > 0
        packing.write(RECORDINGS / "sent-before-consent", tmp_path / f"{name}.zip")
        objects(place).put(name, tmp_path / f"{name}.zip")  # what was fetched of the one before it is not shown
        with pytest.raises(UserError, match="lines are no longer there"):
            list(store.read(name, "access"))


def access(event: object) -> Access:
    assert isinstance(event, Access)
    return event


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("committed", StoreError("It is away.", "Start it.")),  # which was the end of the judge
        ("to_judge", ZeroDivisionError()),
        ("recorded", ZeroDivisionError()),
    ],
)
def test_a_host_goes_on_judging_after_an_error(tmp_path, method, error):
    with Stumbling(tmp_path / "runs.sqlite", method, error) as runs:
        runs.plan(planned(2))
        with serving(host(tmp_path, runs, beat_s=0.1), phones(1), judges=1, db=tmp_path / "index.sqlite"):
            until(lambda: runs.progress()[0].judged == 2, 120)
        assert runs.progress()[0].findings == 2 * FINDINGS
