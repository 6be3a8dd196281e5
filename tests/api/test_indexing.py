"""Programs build an index anew that another version made."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from appwitness.api.judging import judging, upgrade
from appwitness.support.errors import UserError
from tests.api.given import ended


def test_what_is_gone_is_lost_and_the_old_index_is_kept(tmp_path):
    db = str(tmp_path / "index.sqlite")
    here, gone = ended(tmp_path / "here"), ended(tmp_path / "gone", "clean-untouched")
    with pytest.raises(UserError, match="There is no index"):
        upgrade(judging(db=db))
    by = judging(db=db)
    assert [one.error for one in by.many([here, gone])] == [None, None]
    by.store.close()
    with closing(sqlite3.connect(db, isolation_level=None)) as database:
        database.execute("UPDATE index_version SET version = 0")
    shutil.rmtree(gone)
    kept: list[str] = []
    watched: list[tuple[Path, ...]] = []

    def watch(paths, judged):
        watched.append(paths)
        return judged

    made = upgrade(judging(db=db), watch=watch, kept=kept.append)
    assert (made.recordings, made.lost) == (1, frozenset({gone}))
    assert {path for paths in watched for path in paths} == {here, gone}
    assert kept
    assert ".bak" in kept[0]
    assert upgrade(judging(db=db)).recordings == 1
