"""The index is built anew when another version made it: beside the old one, from recordings where they were."""

from __future__ import annotations

import gc
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from appwitness.api.home import database
from appwitness.cli.verbs import main
from appwitness.fleet.objects import objects
from appwitness.recording import packing
from appwitness.store import Store
from appwitness.store.runs import Runs
from tests.fleet.buckets import running, server
from tests.fleet.rig import planned
from tests.recordings.written import RECORDINGS

__all__ = ["running", "server"]


@pytest.fixture(scope="module", autouse=True)
def _light():
    """What there is before need not be looked through by each collection below."""
    gc.freeze()


@pytest.fixture
def recordings(tmp_path) -> list[Path]:
    found = sorted(path.parent for path in RECORDINGS.glob("sent*/run.json"))[:3]
    return [Path(shutil.copytree(path, tmp_path / path.name)) for path in found]


@pytest.fixture(params=["file", "server"])
def place(request, tmp_path) -> str:
    return str(tmp_path / "i.sqlite") if request.param == "file" else request.getfixturevalue("empty_database")


def run(*args: object) -> Result:
    gc.collect()  # the process of the one before would have ended, and closed the database
    return CliRunner().invoke(main, [str(arg) for arg in args])


def execute(place: str, *statements: str) -> None:
    if "://" in place:
        with psycopg.connect(place, autocommit=True) as server:
            for statement in statements:
                server.execute(statement.encode())
    else:
        with closing(sqlite3.connect(place, isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)


def everything(place: str) -> list[object]:
    with Store(place) as store:
        return [(run, store.findings(run.id), store.flows(run.id)) for run in store.recordings()]


def test_an_index_of_another_version_is_built_anew(place, recordings):
    run("index", "correlate", *recordings, "--db", place)
    before = everything(place)
    assert len(before) == 3
    Runs(database(place)).close()
    execute(place, "INSERT INTO superseded VALUES ('a', 'b', 'c', 1)")
    execute(place, "UPDATE index_version SET version = 10", "DELETE FROM lines", "DROP INDEX ix_recordings_own_id")
    execute(place, *(f"ALTER TABLE recordings DROP COLUMN {name}" for name in ("own_id", "head", "plain")))
    assert "index upgrade" in run("index", "correlate", *recordings, "--db", place).stderr
    result = run("index", "upgrade", "--db", place, "-j", 2)
    assert (result.stderr.strip(), result.exit_code) == ("", 0)
    assert result.stdout == "the index has 3 recordings; 0 could not be read\n"
    assert everything(place) == before
    assert run("index", "correlate", *recordings, "--db", place).exit_code == 1
    execute(place, "SELECT source FROM accesses")
    with pytest.raises(Exception, match=r"(?i)unique"):  # a fleet's runs, which no recording has, are there
        execute(place, "INSERT INTO superseded VALUES ('a', 'b', 'c', 1)")


def test_recordings_that_are_gone_are_named_and_the_old_index_is_kept(place, recordings):
    run("index", "correlate", *recordings, "--db", place)
    execute(place, "UPDATE index_version SET version = 0")
    shutil.rmtree(recordings[1])
    result = run("index", "upgrade", "--db", place)
    assert (result.exit_code, result.stdout) == (2, "the index has 2 recordings; 1 could not be read\n")
    assert str(recordings[1]) in result.stderr
    assert len(everything(place)) == 2
    if "://" in place:
        assert "kept: appwitness_version_0" in result.stderr
        execute(place, "SELECT finding FROM appwitness_version_0.findings")
    else:
        assert f"kept: {place}.version-0.bak" in result.stderr


def test_an_upgrade_that_was_interrupted_goes_on(place, recordings, monkeypatch):
    run("index", "correlate", *recordings, "--db", place)
    before = everything(place)
    execute(place, "UPDATE index_version SET version = 0")
    with monkeypatch.context() as patch:
        patch.setattr("appwitness.store.upgrade.swap", lambda *_, **__: 1 / 0)
        assert run("index", "upgrade", "--db", place).exit_code == 70
    assert "made by another version" in run("index", "correlate", *recordings, "--db", place).stderr
    assert run("index", "upgrade", "--db", place).exit_code == 0
    assert everything(place) == before


def test_the_runs_of_a_fleet_stay(place, recordings):
    run("index", "correlate", recordings[0], "--db", place)
    with Runs(place) as runs:
        runs.plan(planned(2))
    execute(place, "UPDATE index_version SET version = 0")
    assert run("index", "upgrade", "--db", place).exit_code == 0
    with Runs(place) as runs:
        assert runs.progress()[0].planned == 2


def test_what_was_set_aside_before_is_read_in(tmp_path, recordings):
    run("index", "correlate", *recordings[:2])
    usual = tmp_path / "home" / "appwitness.sqlite"
    execute(str(usual), "UPDATE index_version SET version = 0")
    assert "index upgrade" in run("index", "correlate", recordings[2]).stderr
    assert len(everything(str(usual))) == 1
    assert run("index", "upgrade").stdout == "the index has 3 recordings; 0 could not be read\n"
    assert list(usual.parent.glob("*.bak")) == []


def test_a_file_without_an_index_is_said(tmp_path):
    result = run("index", "upgrade", "--db", tmp_path / "i.sqlite")
    assert (result.exit_code, "no index of appwitness in" in result.stderr) == (2, True)


def test_a_new_database_of_a_server_gets_its_tables(empty_database):
    result = run("index", "upgrade", "--db", empty_database)
    assert (result.exit_code, result.stdout) == (0, "the index has 0 recordings; 0 could not be read\n")
    execute(empty_database, "SELECT version FROM index_version")


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_was_in_a_bucket_is_read_from_there_and_each_keeps_what_was_kept_of_it(tmp_path, server, recordings, jobs):
    place = str(tmp_path / "i.sqlite")
    bucket = objects(server.place())
    for path in recordings[:2]:
        packing.write(path, tmp_path / f"{path.name}.zip")
        bucket.put(path.name, tmp_path / f"{path.name}.zip")
        bucket.complete(path.name)
        run("report", f"{bucket.place}/{path.name}", "--db", place, "--index", "conclusions")
    run("index", "correlate", recordings[2], "--db", place, "--index", "lines")
    before = everything(place)
    assert len(before) == 3
    execute(place, "UPDATE index_version SET version = 1")
    done = run("index", "upgrade", "--db", place, "-j", jobs)
    assert (done.exit_code, "3 recordings; 0 could not be read" in done.output) == (0, True), done.output
    assert everything(place) == before
    with Store(place) as store:
        held = [store.held(path.name) for path in recordings]
    assert [each.kept for each in held if each] == ["conclusions", "conclusions", "lines"]
    assert held[0] is not None
    assert held[0].path == f"{bucket.place}/{recordings[0].name}"
