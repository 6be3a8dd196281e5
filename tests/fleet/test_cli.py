"""`appwitness fleet`: what is printed, exit codes, errors in words."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.fleet import host_devices
from appwitness.fleet.host_devices import chosen
from appwitness.fleet.status import status
from appwitness.store.fleet_tables import Slot, Waiting
from appwitness.store.runs import Runs
from appwitness.support.errors import UserError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("APPWITNESS_DB", raising=False)


@pytest.fixture
def db(tmp_path):
    (tmp_path / "apps.csv").write_text("app,needs\nlab:circle,\ncom.example.shop,rooted\n", "utf-8")
    place = str(tmp_path / "fleet.sqlite")
    done = fleet("plan", tmp_path / "apps.csv", "--campaign", "night", "--plans", "accept,refuse", "--db", place)
    assert "newly planned runs: 4." in done.output
    return place


@pytest.fixture
def runs(db):
    with Runs(db) as runs:
        yield runs


def judging(runs: Runs) -> str:
    """The lease of a recording to judge."""
    run = runs.to_judge(60)
    assert run
    return run.lease


def fleet(*said: object):
    return CliRunner().invoke(main, ["fleet", *map(str, said)])


def test_a_plan_of_the_usual_index_is_found_again(tmp_path):
    (tmp_path / "apps.csv").write_text("app\nlab:circle\n", "utf-8")
    assert fleet("plan", tmp_path / "apps.csv", "--campaign", "night").exit_code == 0
    assert "night, kind=lab: 2 runs" in fleet("status").output


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (("--campaign", "night", "--plans", "agree"), "There is no plan 'agree'"),
        (("--campaign", "a b"), "cannot be the name of a campaign"),
        (("--campaign", "night", "--needs", "api>=new"), "is not something that a device can have"),
    ],
)
def test_a_plan_that_does_not_fit(tmp_path, said, words):
    (tmp_path / "apps.csv").write_text("app\nlab:circle\n", "utf-8")
    done = fleet("plan", tmp_path / "apps.csv", *said)
    assert done.exit_code == 2
    assert words in done.output


def test_status_says_how_far_it_is_and_why_not(db, runs):
    waiting = Waiting("night", "kind!=lab and rooted")
    slots = [Slot("h", "phone", {"kind": "phone", "rooted": "yes"}, "ready", None, None, 0, paused=False)]
    slots += [Slot("h", "old", {"kind": "phone"}, "down", "It is not there.", None, 0, paused=False)]
    runs.tell("h", slots)
    run, bad = (runs.take(waiting, "h", "phone", 60) for _ in range(2))
    assert run
    assert bad
    runs.recorded(run.id, "r", "phone")
    runs.judged(judging(runs), 3)
    runs.failed(bad.lease, "usage", "There is no app.", last=True)
    plain = fleet("status", "--db", db)
    assert plain.exit_code == 0
    assert "night, kind=lab: 2 runs\n  waiting 2," in plain.output
    assert "0 devices; no device can make them now" in plain.output
    assert "judged 1, unobservable 1; 3 findings\n  1 device; all recorded" in plain.output
    assert "unobservable (usage): 1 run, such as: There is no app." in plain.output
    assert "h/old down: It is not there." in plain.output
    told = json.loads(fleet("status", "--db", db, "--json").output)
    assert told["going_on"] is True
    assert [(pool["pool"], pool["planned"], pool["devices"]) for pool in told["pools"]] == [
        ("kind!=lab and rooted", 0, 1),
        ("kind=lab", 2, 0),
    ]
    assert fleet("status", "--db", db, "--strict").exit_code == 3
    for verb in (["status"], ["retry"], ["run", "--devices", "none", "--judges", "0"]):
        done = fleet(*verb, "--campaign", "other", "--db", db)
        assert (done.exit_code, "There is no campaign other" in done.output) == (2, True)
        assert "night" in done.output
    idle = fleet("run", "--devices", "none", "--judges", "0", "--db", db, "--campaign", "night", "--strict")
    assert (idle.exit_code, "2 runs were not made" in idle.output) == (1, True)  # there are findings
    assert "Runs queued again: 1." in fleet("retry", "--campaign", "night", "--db", db).output
    assert fleet("status", "--db", db, "--strict").exit_code == 0


def test_when_it_will_be_recorded(runs):
    slots = [Slot("h", name, {"kind": "lab"}, "ready", None, None, 0, paused=False) for name in ("lab", "lab2")]
    runs.tell("h", slots)
    run = runs.take(Waiting("night", "kind=lab"), "h", "lab", 60)
    assert run
    runs.recorded(run.id, "r", "lab")
    told = status(runs)
    lab, _ = sorted(told.pools, key=lambda pool: pool.pool != "kind=lab")
    assert lab.took_s is not None
    assert told.eta_s(lab) == pytest.approx(lab.took_s / 2)
    assert "2 devices; about 0 s more" in told.words()


def test_watching_ends_when_nothing_is_left(tmp_path):
    with Runs(tmp_path / "fleet.sqlite"):
        pass
    done = fleet("status", "--watch", "--db", tmp_path / "fleet.sqlite")
    assert (done.exit_code, done.output) == (0, "No run is planned.\n")


def test_a_device_is_paused_by_its_name(db, runs):
    assert fleet("pause", "phone", "--db", db).exit_code == 2
    runs.tell("h", [Slot("h", "phone", {}, "ready", None, None, 0, paused=False)])
    assert fleet("pause", "h/phone", "--db", db).exit_code == 0
    assert runs.devices()[0].paused
    assert fleet("resume", "phone", "--db", db).exit_code == 0
    assert not runs.devices()[0].paused


@pytest.mark.parametrize(
    ("devices", "labels", "words"),
    [("", (), "names no device"), ("lab,lab", (), "one twice"), ("lab", ("region",), "is not a label")],
)
def test_devices_that_are_not_there(devices, labels, words):
    with pytest.raises(UserError, match=words):
        chosen(devices, labels)


def test_a_device_that_is_absent_does_not_stop_the_others(monkeypatch, caplog):
    def says(serial):
        if serial.startswith("gone"):
            raise UserError(f"There is no device {serial}.", "Attach it.")
        return {"kind": "phone", "api": "34"}

    monkeypatch.setattr(host_devices, "labels_of", says)
    here, away = chosen("phone-1,gone-1", ("gone-1/region=cn",))
    assert (here.absent, away.absent, away.labels) == (False, True, {"region": "cn"})
    assert "There is no device gone-1" in caplog.text
    with pytest.raises(UserError, match="gone-1"):
        chosen("gone-1,gone-2", ())


@pytest.mark.parametrize("name", ["", "..", "../..", "../../any", "{}/any", "a/b", "-x"])
def test_a_host_whose_name_could_lead_elsewhere_removes_nothing(tmp_path, db, monkeypatch, name):
    name = name.format(tmp_path)
    monkeypatch.chdir(tmp_path)
    for folder in ("home/fleet/other/recording", "home/devices", "any/photos"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("home/appwitness.log", "home/fleet/other/a.log", "any/photos/one.jpg"):
        (tmp_path / file).touch()
    before = {path for root in ("home", "any") for path in (tmp_path / root).rglob("*")}
    done = fleet("run", f"--name={name}", "--devices", "none", "--judges", "0", "--campaign", "no-such", "--db", db)
    assert {path for root in ("home", "any") for path in (tmp_path / root).rglob("*")} == before
    assert (done.exit_code, f"{name!r} cannot be the name of a host" in done.output) == (2, True)
    assert not (tmp_path / "recordings").exists()


def test_labels_are_for_all_or_for_one():
    one, two = chosen("lab, lab2", ["region=cn", "lab2/region=eu", "lab2/desk=3"])
    assert (one.labels, two.labels["region"], two.labels["desk"]) == (
        {"kind": "lab", "api": "34", "region": "cn"},
        "eu",
        "3",
    )
    assert chosen("none", ()) == []


def test_a_server_that_is_away_is_said_in_words():
    done = fleet("status", "--db", "postgresql://nobody@127.0.0.1:1/nothing")
    assert done.exit_code == 2
    assert "Traceback" not in done.output
