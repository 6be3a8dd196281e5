"""Programs plan campaigns, see how far they are, and take out what came of them."""

import contextlib
import io
import sqlite3

import pytest

from appwitness.api import fleets
from appwitness.api.judging import judging
from appwitness.store.fleet_tables import Slot, Waiting
from appwitness.store.runs import Runs
from appwitness.support.errors import UserError
from tests.recordings.written import RECORDINGS


@pytest.fixture
def fleet(tmp_path):
    (tmp_path / "apps.csv").write_text("app\nlab:circle\n", "utf-8")
    with fleets.Fleet(str(tmp_path / "fleet.sqlite")) as fleet:
        assert fleet.plan("night", tmp_path / "apps.csv", ["accept", "refuse"], seconds=5) == 2
        assert fleet.plan("night", tmp_path / "apps.csv", ["accept", "refuse"], seconds=5) == 0
        yield fleet


@pytest.fixture
def runs(tmp_path, fleet):
    """As hosts see them."""
    with Runs(tmp_path / "fleet.sqlite") as runs:
        yield runs


def test_runs_that_failed_wait_again(fleet, runs):
    run = runs.take(Waiting("night", "kind=lab"), "host", "lab", 60)
    assert run
    runs.failed(run.lease, "usage", "There is no app.", last=True)
    assert fleet.status("night").unobservable == 1
    assert "unobservable (usage): 1 run" in fleet.status().words()
    assert fleet.retry("night", "setup") == 0
    assert fleet.retry("night") == 1
    assert fleet.judge_again("night") == 0
    assert fleet.status("night").unobservable == 0


def test_devices_rest_when_they_are_told_to(fleet, runs):
    with pytest.raises(UserError, match="No host has reported a device lab"):
        fleet.pause("lab")
    assert not fleet.has_devices_of("host")
    slots = [Slot("host", "lab", {"kind": "lab"}, "ready", None, None, 0, paused=False)]
    runs.tell("host", slots)
    fleet.pause("host/lab")
    assert fleet.has_devices_of("host")
    assert not fleet.has_devices_of("another")
    assert runs.tell("host", slots) == {"lab": True}
    fleet.pause("lab", rest=False)
    assert runs.tell("host", slots) == {"lab": False}


def test_a_host_that_only_judges_ends_when_it_is_told_to(fleet, tmp_path):
    choices = fleets.HostChoices("host", devices="none", judges=1, recordings=str(tmp_path / "kept"))
    host = fleet.host(choices, "night")
    assert (host.devices, host.judges) == (0, 1)
    host.serve(ends=True)  # no device of it can make what waits
    with pytest.raises(UserError, match="There are no laws of xx"):
        fleet.host(fleets.HostChoices("host", devices="none", judging={"laws": ("xx",)}))


def test_what_came_out_is_ranked_and_written_for_others(tmp_path):
    db = str(tmp_path / "index.sqlite")
    by = judging(db=db, laws=("cn",))
    by.correlate(RECORDINGS / "sent-after-refusal")
    ranking = fleets.ranking("recipient", {}, db=db)
    assert [(row.of, row.apps) for row in ranking.page.rows] == [({"recipient": "shop.test"}, 1)]
    assert ranking.moments == ("after_refusal",)
    assert fleets.ranking("rule", {}, db=db).moments == ()
    text = io.StringIO(newline="")
    assert fleets.write_csv("findings", text, db=db) == 2
    assert fleets.write_csv("findings", tmp_path / "findings.csv", db=db) == 2
    assert (tmp_path / "findings.csv").read_bytes().decode() == text.getvalue()
    assert "sent-after-refusal" in text.getvalue()
    assert fleets.write_csv("findings", text, "night", db=db) == 0
    assert fleets.write_letters(by, tmp_path / "letters.zip") == 1
    with pytest.raises(UserError, match="cannot be made"):
        fleets.write_letters(by, tmp_path / "letters.zip")


def test_letters_leave_the_digests_in_an_index_of_conclusions(tmp_path, monkeypatch):
    """They take the place of values that are not kept: without the key of the index they would be empty."""
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    index = tmp_path / "index.sqlite"

    def digests():
        with contextlib.closing(sqlite3.connect(index)) as connection:
            return sorted(connection.execute("SELECT value FROM matches"))

    judging(db=str(index), index="conclusions").report(RECORDINGS / "sent-after-refusal")
    before = digests()
    assert before
    assert all(len(digest) == 32 for (digest,) in before)
    stranger = judging(db=str(index), laws=["eu"])  # judged anew, since other articles are named
    assert fleets.write_letters(stranger, tmp_path / "letters.zip") == 1
    assert digests() == before
