"""The index on a PostgreSQL: what differs there from a file, and what only a server can do to it."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from appwitness.recording import Recording
from appwitness.store import Store
from appwitness.store.models import TABLES, RankedRow
from appwitness.support.errors import UserError
from tests.postgres import Postgres
from tests.store.test_store import access, finding, flow, match, recording, run, take_in

__all__ = ["recording"]


def at_once(*works: Callable[[], Any]) -> list[BaseException]:
    """Do all at once; what went wrong."""
    failures: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def one(work: Callable[[], Any]) -> None:
        gate.wait()
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def partitions(postgres, url: str) -> set[str]:
    query = "SELECT relname FROM pg_class JOIN pg_inherits ON inhrelid = oid WHERE relkind = 'r'"
    return {str(name) for (name,) in postgres.execute(query, database=name_of(url))}


def name_of(url: str) -> str:
    return url.split("/")[3].split("?", maxsplit=1)[0]


def test_the_first_of_several_at_once_makes_the_tables(empty_database):
    stores: list[Store] = []
    assert at_once(*[lambda: stores.append(Store(empty_database))] * 4) == []
    assert len(stores) == 4
    for store in stores:
        store.close()


def test_several_may_read_in_the_same_new_recording_at_once(empty_database, recording):
    recording.append_all(access(str(number)) for number in range(50))
    with Store(empty_database) as store:
        assert at_once(*[lambda: take_in(store, recording)] * 4) == []
        assert len(list(store.read("run-1", "access"))) == 50


def test_a_snapshot_is_of_one_moment(empty_database, recording):
    with Store(empty_database) as store, Store(empty_database) as other:
        take_in(store, recording)
        with store.snapshot():
            assert store.flows("run-1") == []
            other.save("run-1", [flow(1)], [finding(1)])
            assert (store.flows("run-1"), store.findings("run-1")) == ([], [])
        assert store.flows("run-1") == [flow(1)]


def test_texts_are_compared_by_their_bytes_whatever_the_locale(empty_database):
    Store(empty_database).close()
    engine = sqlalchemy.create_engine(empty_database.replace("postgresql:", "postgresql+psycopg:"))
    names = tuple(table.name for table in TABLES)
    query = sqlalchemy.text(
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE data_type IN "
        "('text', 'character varying') AND table_name = ANY(:names) AND collation_name IS DISTINCT FROM 'C'"
    )
    with engine.connect() as connection:
        assert connection.scalars(query, {"names": list(names)}).all() == []
    engine.dispose()


def test_nul_and_what_is_no_text_come_back(empty_database, recording):
    odd = flow(1, match("a\0b", path="$.\0"), data="phone\0number")
    recording.append(access("a\0b"))
    with (recording.path / "accesses.jsonl").open("ab") as file:
        file.write(b"\xff\x00 not a line\n")
    with Store(empty_database) as store:
        assert take_in(store, recording) == 2
        store.save("run-1", [odd], [])
        assert store.flows("run-1") == [odd]
        one, two = store.read("run-1", "access")
        assert (one.event, two.raw) == (access("a\0b"), b"\xff\x00 not a line")


def test_lines_can_be_asked_for_by_their_fields_in_sql(postgres, empty_database, recording):
    recording.append(access("+8613800138000"))
    with (recording.path / "accesses.jsonl").open("ab") as file:
        file.write(b"not a line\n\xff\n")
    recording.append(access("a\0\\u0000"))
    with Store(empty_database) as store:
        take_in(store, recording)
    query = "SELECT recording, line, source, \"values\"::jsonb -> 0 ->> 'text' FROM accesses ORDER BY line"
    assert postgres.execute(query, database=name_of(empty_database)) == [
        ("run-1", 1, "s", "+8613800138000"),
        ("run-1", 4, "s", "a\N{REPLACEMENT CHARACTER}\\u0000"),
    ]


@pytest.mark.slow
def test_many_flows_of_one_upload(empty_database, recording):
    """More of them than a statement may have parameters."""
    flows = [flow(number, upload="uploads.jsonl:1") for number in range(1, 66_000)]
    with Store(empty_database) as store:
        store.ingest("run-1", recording.run, str(recording.path), ())
        store.save("run-1", flows, [])
        assert len(store.flows("run-1", upload="uploads.jsonl:1")) == len(flows)


def test_a_campaign_has_partitions_of_its_own_which_are_dropped_with_it(postgres, empty_database, tmp_path):
    with Store(empty_database) as store:
        before = partitions(postgres, empty_database)
        for number, campaign in enumerate(["spring", "spring", "autumn", None]):
            with Recording.create(tmp_path / str(number), run(f"run-{number}", campaign=campaign)) as made:
                made.append(access())
                take_in(store, made)
                store.save(f"run-{number}", [flow(1)], [finding(1)])
        assert store.campaigns() == {"": 1, "autumn": 1, "spring": 2}
        there = partitions(postgres, empty_database)
        assert {name for name in there if name.startswith("lines")} == {"lines_of_0", "lines_of_1", "lines_of_2"}
        assert store.forget_campaign("spring") == 2
        assert there - partitions(postgres, empty_database) == {name for name in there if name.endswith("_of_1")}
        assert [each.id for each in store.recordings()] == ["run-2", "run-3"]
        assert store.flows("run-2") == [flow(1)]
        assert store.forget_campaign("autumn") == 1
        assert partitions(postgres, empty_database) == before


def test_a_campaign_may_come_and_go_while_another_is_read_in(empty_database, tmp_path):
    def of(campaign: str) -> Recording:
        made = Recording.create(tmp_path / campaign, run(campaign, campaign=campaign))
        made.append_all(access(str(number)) for number in range(200))
        return made

    with Store(empty_database) as store, of("one") as one, of("two") as two, of("three") as three:
        take_in(store, one)
        works = [lambda: store.forget_campaign("one"), lambda: take_in(store, two), lambda: take_in(store, three)]
        assert at_once(*works) == []
        assert store.campaigns() == {"three": 1, "two": 1}
        assert len(list(store.read("two", "access"))) == 200


def test_what_findings_share_stays_while_one_has_it_whoever_forgets_others_meanwhile(empty_database, tmp_path):
    def taken_in(store: Store, name: str) -> None:
        with Recording.create(tmp_path / name, run(name, hooks={"a": "installed"})) as made:
            take_in(store, made)
        store.save(name, [], [finding(1)], judged_by="rules")

    def one_after_another(who: int) -> None:
        for number in range(20):
            taken_in(store, f"{who}-{number}")
            assert store.findings(f"{who}-{number}") == [finding(1)]
            assert store.run(f"{who}-{number}").hooks == {"a": "installed"}
            store.forget([f"{who}-{number}"])

    with Store(empty_database) as store:
        assert at_once(*[partial(one_after_another, who) for who in range(3)]) == []
        with store.reading() as connection:  # nor is any of what they counted together left
            assert connection.execute(sqlalchemy.select(RankedRow)).all() == []


def test_what_was_taken_in_survives_a_crash_of_the_server(recording):
    """The same store goes on when it is back."""
    folder = tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True)
    with folder, Postgres(Path(folder.name)) as server, Store(server.create()) as store:
        recording.append_all(access(str(number)) for number in range(100))
        take_in(store, recording)
        server.stop(signal.SIGQUIT)
        with pytest.raises(UserError) as caught:
            store.flows("run-1")
        assert "Start the server" in caught.value.next_step
        server.start()
        recording.append(access("after"))
        assert take_in(store, recording) == 1
        assert len(list(store.read("run-1", "access"))) == 101


def test_a_connection_that_the_server_ends_is_said_and_the_next_question_is_answered(postgres, empty_database):
    def interrupted(store: Store) -> None:
        with store.snapshot():
            assert store.flows("run-1") == []
            postgres.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
            )
            store.flows("run-1")

    with Store(empty_database) as store:
        with pytest.raises(UserError) as caught:
            interrupted(store)
        assert "Try again" in caught.value.next_step
        assert store.flows("run-1") == []


@pytest.mark.parametrize(
    ("change", "what", "step"),
    [
        (lambda url: url.replace("/test", "/none"), "does not exist", "createdb"),
        (lambda url: url.replace("postgres@", "nobody_of_us@"), "role", "Name an existing user"),
        (lambda url: url.split("?")[0] + "?host=/nowhere", "No such file", "Start the server"),
        (lambda _: "postgresql://postgres:secret@127.0.0.1:1/x?password=secret", "refused", "Start the server"),
        (lambda url: url.replace("postgres@", "reader@"), "permission denied", "rights"),
    ],
)
def test_a_server_that_cannot_be_used_is_said_with_what_to_do(postgres, empty_database, change, what, step):
    postgres.execute("DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    with pytest.raises(UserError) as caught:
        Store(change(empty_database))
    assert what in caught.value.what
    assert step in caught.value.next_step
    assert "Delete" not in caught.value.next_step
    assert "secret" not in str(caught.value)


def test_a_table_dropped_under_it_is_said(postgres, empty_database, recording):
    with Store(empty_database) as store:
        take_in(store, recording)
        postgres.execute("DROP TABLE flows", database=name_of(empty_database))
        with pytest.raises(UserError, match=r'relation "flows" does not exist') as caught:
            store.flows("run-1")
    assert "Delete" not in caught.value.next_step
