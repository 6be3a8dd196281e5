"""An index that an earlier layout of these tables made, with a recording of the first format: `index upgrade` opens it.

The files in `earlier` are what the programs of those days wrote: the tables, and the row of the one recording. Of
layouts that name recordings alike there is one; nothing was released before 0.1.0.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.store import Store
from appwitness.store.models import VERSION

EARLIER = sorted((Path(__file__).parent / "earlier").glob("index-*.sql"))
FIRST_FORMAT = Path(__file__).parents[1] / "recordings/first_format/sent-before-consent"


def run(*arguments: object) -> tuple[str, str, int]:
    done = CliRunner().invoke(main, [str(each) for each in arguments])
    return done.stdout, done.stderr.strip(), done.exit_code


def test_they_are_of_versions_before_this_one():
    versions = [int(re.findall(r"\d+", path.stem)[0]) for path in EARLIER]
    assert len(versions) >= 4
    assert max(versions) < VERSION


@pytest.mark.parametrize("earlier", EARLIER, ids=lambda path: path.stem)
def test_it_is_named_and_built_anew(tmp_path, monkeypatch, earlier):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    recording = Path(shutil.copytree(FIRST_FORMAT, tmp_path / "recording"))
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as old:
        old.executescript(earlier.read_text("utf-8").replace("RECORDING", str(recording)))
    place = ("--db", tmp_path / "index.sqlite")
    _, said, code = run("report", recording, *place)
    assert (code, "index upgrade" in said) == (2, True)

    assert run("index", "upgrade", *place) == ("the index has 1 recordings; 0 could not be read\n", "", 0)

    run("index", "correlate", recording, "--db", tmp_path / "new.sqlite")
    kept = []
    for name in ("index.sqlite", "new.sqlite"):
        with Store(tmp_path / name) as store:
            kept.append([(each.id, store.findings(each.id), store.flows(each.id)) for each in store.recordings()])
    assert kept[0] == kept[1]
    assert "sent-before-consent" in {finding.rule for finding in kept[0][0][1]}
