"""`fleet run --local` on two lab devices finds what single runs find."""

import csv

import pytest
from click.testing import CliRunner

from appwitness.api import expected
from appwitness.cli.verbs import main
from appwitness.store import Store
from appwitness.store.campaigns import runs_of
from appwitness.store.runs import Runs


@pytest.mark.lab
@pytest.mark.slow
def test_two_lab_devices_find_what_single_runs_find(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    apps, db = tmp_path / "apps.csv", str(tmp_path / "index.sqlite")
    with apps.open("w", newline="") as file:
        csv.writer(file).writerows([["app"], ["lab:circle"], ["lab:skies"]])
    said = ["--plans", "refuse", "--campaign", "night", "--db", db]
    assert CliRunner().invoke(main, ["fleet", "plan", str(apps), *said]).exit_code == 0
    place = ["--recordings", str(tmp_path / "recordings"), "--devices", "lab,lab2", "--judges", "1", "--db", db]
    done = CliRunner().invoke(main, ["fleet", "run", "--local", *place])
    assert done.exit_code == 1, done.output
    assert "judged 2, unobservable 0" in done.output

    store = Store(db)
    found = {run.app.package.rpartition(".")[2]: expected.shown(store.findings(run.id)) for run in store.recordings()}
    assert found == {name: expected.load()[name]["refuse"] for name in ("circle", "skies")}
    assert store.campaigns() == {"night": 2}
    with Runs(db) as runs:
        assert {slot.serial for slot in runs.devices()} == {"lab", "lab2"}
        assert runs.superseded() == 0
        made = runs_of(runs, "night", {}).rows
    assert {run.indexed for run in made} == {run.id for run in store.recordings()}
