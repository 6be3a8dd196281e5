"""docs/recipes.sql: each query runs on SQLite and on PostgreSQL, and gives the same."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from appwitness.api.judging import judging
from tests.recordings.written import RECORDINGS

TEXT = (Path(__file__).parents[2] / "docs/recipes.sql").read_text("utf-8")
RECIPES = dict(re.findall(r"^-- (\d+\. [^\n]*)\n([^-].*?);$", TEXT, re.MULTILINE | re.DOTALL))
RUNS = (
    "sent-after-refusal", "sent-before-consent", "sent-in-cleartext", "third-party-not-covered", "clean-map",
    "read-never-sent", "past-the-proxy", "sent-abroad",
)  # fmt: skip


def taken_in(place):
    by = judging(db=place)
    for name in RUNS:
        by.correlate(RECORDINGS / name)
    by.store.close()


def rows(database, query):
    cursor = database.execute(query)
    return [each[0] for each in cursor.description], [tuple(row) for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory):
    place = tmp_path_factory.mktemp("index") / "index.sqlite"
    taken_in(str(place))
    with closing(sqlite3.connect(place)) as database:
        return {name: rows(database, query) for name, query in RECIPES.items()}


def test_there_are_ten_and_each_finds_something(on_sqlite):
    assert [int(name.partition(".")[0]) for name in RECIPES] == list(range(1, 11))
    empty = {name.partition(".")[0] for name, (_, found) in on_sqlite.items() if not found}
    assert not empty


def test_they_say_what_the_reports_say(on_sqlite):
    by_number = {name.partition(".")[0]: found for name, (_, found) in on_sqlite.items()}
    assert ("sent-after-refusal", "high", 1, 1) in by_number["2"]
    assert any(row[1] == "sent-after-refusal" and row[5] == "refused" for row in by_number["3"])
    assert any(row[:2] == ("phone_number", "sha256") for row in by_number["6"])
    assert all(run != "sent-before-consent" for run, *_ in by_number["10"])


def test_tables_and_columns_that_it_names_are_there(on_sqlite):
    assert all(len(set(head)) == len(head) for head, _ in on_sqlite.values())


def test_they_give_the_same_on_postgresql(on_sqlite, empty_database):
    taken_in(empty_database)
    with psycopg.connect(empty_database) as database:
        for name, query in RECIPES.items():
            head, found = rows(database, query)
            assert (head, [tuple(map(str, row)) for row in found]) == (
                on_sqlite[name][0], [tuple(map(str, row)) for row in on_sqlite[name][1]],
            ), name  # fmt: skip
