"""The table of runs: who leases which run, who was first, what came of it; the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import product
from typing import Any

import pytest
import sqlalchemy

from appwitness.api.judging import judging
from appwitness.store import Store
from appwitness.store.database import open_engine
from appwitness.store.fleet_tables import HeldLease, LeasedRun, Planned, Slot, Waiting
from appwitness.store.leases import ATTEMPTS, JUDGINGS
from appwitness.store.run_counts import KEY
from appwitness.store.runs import Runs
from appwitness.support.errors import StoreError, UserError
from tests.fleet.rig import counts, planned

POOL = Waiting("night", "kind!=lab")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    return str(tmp_path / "runs.sqlite") if request.param == "sqlite" else request.getfixturevalue("empty_database")


@pytest.fixture
def runs(place):
    with Runs(place) as runs:
        yield runs


def state(runs: Runs) -> dict[str, int]:
    (pool,) = runs.progress()
    states = ("planned", "leased", "recorded", "judged", "unobservable")
    return {name: count for name in states if (count := getattr(pool, name))}


def held(run: LeasedRun) -> HeldLease:
    return HeldLease(run.id, run.lease)


def slot(serial: str = "phone", host: str = "host", note: str | None = None) -> Slot:
    return Slot(host, serial, {"api": "34"}, "ready", note, None, 0, paused=False)


def test_a_plan_is_made_once(runs):
    assert runs.plan(planned(3)) == 3
    assert runs.plan([*planned(4), *planned(4)]) == 1
    assert state(runs) == {"planned": 4}


def test_a_large_plan_of_several_at_once(runs):
    with ThreadPoolExecutor(2) as two:
        assert sum(two.map(lambda _: runs.plan(planned(1200)), range(2))) == 1200
    assert runs.take(POOL, "host", "phone", 60).id == planned(1)[0].id


def test_runs_are_leased_in_order_each_to_one(runs):
    runs.plan(planned(40))
    with ThreadPoolExecutor(4) as four:
        taken = list(four.map(lambda _: runs.take(POOL, "host", "phone", 60), range(44)))
    assert sorted(run.id for run in taken if run) == sorted(run.id for run in planned(40))
    assert taken.count(None) == 4
    assert len({run.lease for run in taken if run}) == 40
    assert runs.take(Waiting("night", "rooted"), "host", "phone", 60) is None


def test_the_first_recording_wins_and_the_other_is_kept_aside(runs):
    runs.plan(planned(1))
    run = runs.take(POOL, "host", "phone", 60)
    with ThreadPoolExecutor(4) as four:
        won = list(four.map(lambda number: runs.recorded(run.id, f"{run.id}-a{number}", "phone"), range(4)))
    assert sorted(won) == [False, False, False, True]
    assert runs.superseded() == 3
    assert runs.recorded(run.id, f"{run.id}-a{won.index(True)}", "phone")  # the answer was lost, and it asks again
    assert not runs.recorded(run.id, f"{run.id}-a{won.index(False)}", "phone")
    assert runs.superseded() == 3
    assert runs.to_judge(60).recording == f"{run.id}-a{won.index(True)}"


def test_a_lease_that_is_not_renewed_ends(runs):
    runs.plan(planned(2))
    dead, alive = (runs.take(POOL, "host", "phone", 0.05) for _ in range(2))
    runs.renew([held(alive)], 60)
    time.sleep(0.06)
    assert runs.expire() == 1
    assert runs.take(POOL, "other", "phone", 60).id == dead.id
    assert runs.recorded(dead.id, "late", "phone")  # whoever had it was cut off, not dead, and is the first
    assert state(runs) == {"leased": 1, "recorded": 1}


def test_a_lease_that_lapsed_is_taken_back_unless_somebody_else_has_the_run(runs):
    runs.plan(planned(2))
    first, second = (runs.take(POOL, "host", "phone", -1) for _ in range(2))
    assert runs.expire() == 2
    other = runs.take(POOL, "other", "phone", 60)
    assert other.id == first.id
    runs.renew([held(first), held(second)], 60)
    assert state(runs) == {"leased": 2}
    assert runs.expire() == 0
    runs.failed(first.lease, "fault", "it was not ours any more")
    assert state(runs) == {"leased": 2}
    runs.failed(second.lease, "fault", "it was ours again")
    assert state(runs) == {"leased": 1, "planned": 1}
    runs.renew([held(second)], 60)
    assert state(runs) == {"leased": 1, "planned": 1}


def test_nobody_loses_a_lease_for_a_server_that_was_away(empty_database):
    with Runs(empty_database) as runs:
        runs.plan(planned(1))
        runs.take(POOL, "host", "phone", -1)
        assert runs.expire(1e9) == 0
        assert runs.expire(0) == 1


@pytest.mark.parametrize("how", ["fails", "is lost"])
def test_a_run_that_always_fails_is_unobservable_and_can_be_tried_again(runs, how):
    runs.plan(planned(1))
    for attempt in range(1, ATTEMPTS + 1):
        run = runs.take(POOL, "host", "phone", -1)
        assert run.attempts == attempt
        if how == "fails":
            runs.failed(run.lease, "setup", "The device went away.")
        else:
            runs.expire()
    assert runs.take(POOL, "host", "phone", 60) is None
    ((reason, count, _),) = runs.reasons("night")
    assert (reason, count) == ("setup" if how == "fails" else "lost", 1)
    assert runs.retry("night", "usage") == runs.retry("day") == 0
    assert runs.retry("night", reason) == 1
    assert runs.take(POOL, "host", "phone", 60).attempts == 4  # no recording gets the name of an earlier one


def test_a_run_that_cannot_be_made_is_not_tried_again(runs):
    runs.plan(planned(1))
    runs.failed(runs.take(POOL, "host", "phone", 60).lease, "usage", "There is no app.", last=True)
    assert state(runs) == {"unobservable": 1}


def test_what_was_given_up_does_not_count(runs):
    runs.plan(planned(1))
    for _ in range(ATTEMPTS + 1):
        run = runs.take(POOL, "host", "phone", 60)
        assert run.attempts == 1
        runs.released(run.lease)


def test_who_lost_a_lease_ends_nothing(runs):
    runs.plan(planned(1))
    lost = runs.take(POOL, "host", "phone", -1)
    runs.expire()
    runs.take(POOL, "other", "phone", 60)
    runs.failed(lost.lease, "setup", "The device went away.")
    runs.released(lost.lease)
    assert state(runs) == {"leased": 1}


def test_recordings_are_judged_by_one_at_a_time_and_not_for_ever(runs):
    runs.plan(planned(3))
    for _ in range(3):
        run = runs.take(POOL, "host", "phone", 60)
        runs.recorded(run.id, f"{run.id}-a1", "phone")
    with ThreadPoolExecutor(4) as four:
        found = list(four.map(lambda _: runs.to_judge(60), range(4)))
    taken = [run for run in found if run]
    assert len({run.id for run in taken}) == len({run.lease for run in taken}) == 3
    runs.judged(taken[0].lease, 7)
    runs.unjudged(taken[1].lease, "It is damaged.")
    runs.put_back(taken[2].lease)
    assert runs.to_judge(60).id == taken[2].id  # which has not failed yet
    for _ in range(JUDGINGS - 1):
        again = runs.to_judge(60)
        assert again.id == taken[1].id
        runs.unjudged(again.lease, "It is damaged.")
    assert runs.to_judge(60) is None
    assert state(runs) == {"judged": 1, "recorded": 1, "unobservable": 1}
    assert runs.reasons() == [("judging", 1, "It is damaged.")]
    assert runs.progress()[0].findings == 7
    assert runs.retry("night") == 1
    assert runs.to_judge(60).id == taken[1].id


def test_a_judge_that_lost_its_lease_is_not_heard(runs):
    runs.plan(planned(1))
    run = runs.take(POOL, "host", "phone", 60)
    runs.recorded(run.id, "r", "phone")
    late = runs.to_judge(-1)
    assert runs.expire() == 1
    again = runs.to_judge(60)
    runs.judged(late.lease, 3)
    runs.unjudged(late.lease, "It is damaged.")
    runs.put_back(late.lease)
    assert state(runs) == {"recorded": 1}
    assert runs.to_judge(60) is None  # another judge has it
    runs.judged(again.lease, 2)
    assert (state(runs), runs.progress()[0].findings) == ({"judged": 1}, 2)
    assert runs.judge_again("night") == 1
    runs.judged(again.lease, 2)  # by the rules of before
    assert state(runs) == {"recorded": 1}


EARLIER = ("runs_to_do", "runs_to_judge")


def test_no_lease_is_looked_for_among_all_runs(tmp_path):
    """Also in a database that was made before there was an index for it."""
    place = tmp_path / "runs.sqlite"
    Runs(place).close()
    with closing(sqlite3.connect(place)) as database:
        for index in ("runs_planned", "runs_recorded", "runs_leased"):
            database.execute(f"DROP INDEX {index}")
        for index in EARLIER:
            database.execute(f"CREATE INDEX {index} ON runs (state)")
    said: list[tuple[str, Any]] = []
    listening = (sqlalchemy.Engine, "before_cursor_execute", lambda _c, _r, sql, given, *_: said.append((sql, given)))
    with Runs(place) as runs:
        runs.plan(planned(4))
        taken = [run for _ in range(3) if (run := runs.take(POOL, "host", "phone", 60))]
        sqlalchemy.event.listen(*listening)
        try:
            runs.renew([held(taken[0])], 60)
            runs.failed(taken[0].lease, "setup", "")
            runs.released(taken[1].lease)
            runs.recorded(taken[2].id, "r", "phone")
            for end in (runs.put_back, lambda lease: runs.judged(lease, 0)):
                waiting = runs.to_judge(60)
                assert waiting is not None
                end(waiting.lease)
            runs.expire()
        finally:
            sqlalchemy.event.remove(*listening)
    with closing(sqlite3.connect(place)) as database:
        assert not {name for (name,) in database.execute("SELECT name FROM sqlite_master")}.intersection(EARLIER)
        for sql, given in said:
            if "runs" in sql:
                plan = [row[-1] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", given)]
                assert not [step for step in plan if "SCAN runs" in step and "USING INDEX" not in step], sql
                assert not [step for step in plan if "runs_to_do" in step or "TEMP B-TREE" in step], sql


def test_devices_rest_when_a_person_wants_it(runs):
    assert runs.tell("host", [slot("one"), slot("two")]) == {"one": False, "two": False}
    runs.tell("other", [slot("one", "other")])
    assert runs.pause("two") == 1
    assert runs.pause("other/one") == 1
    assert runs.pause("three") == 0
    assert runs.tell("host", [slot("one"), slot("two", note="hot")]) == {"one": False, "two": True}
    assert runs.pause("two", rest=False) == 1
    told = {(each.host, each.serial): each for each in runs.devices()}
    assert told["other", "one"].paused
    assert not told["host", "two"].paused
    assert (told["host", "two"].note, told["host", "two"].labels) == ("hot", {"api": "34"})
    assert 0 <= told["host", "two"].silent_s < 60


def test_several_may_begin_a_database_at_once(place):
    begin = threading.Barrier(4)

    def opened(_: int) -> int:
        begin.wait()
        with Runs(place) as runs:
            return len(runs.progress())

    with ThreadPoolExecutor(4) as four:
        assert list(four.map(opened, range(4))) == [0, 0, 0, 0]


def test_runs_of_another_version_are_not_touched(place):
    with Runs(place) as runs:
        runs.plan(planned(1))

    def prepare(connection: sqlalchemy.Connection, _: str) -> None:
        connection.execute(sqlalchemy.text("UPDATE fleet_version SET version = 99"))

    open_engine(place, prepare).dispose()
    with pytest.raises(UserError, match="another version"):
        Runs(place)


def test_runs_and_index_share_a_database(place):
    with Store(place) as store, Runs(place) as runs:
        runs.plan([Planned("r", "night", "a", "a", "accept", "")])
        assert store.recordings() == []
    with Runs(place) as runs:
        assert state(runs) == {"planned": 1}


def test_a_campaign_is_judged_again(runs):
    runs.plan(planned(2))
    for run in (runs.take(POOL, "host", "phone", 60) for _ in range(2)):
        runs.recorded(run.id, f"{run.id}-a1", "phone")
    runs.judged(runs.to_judge(60).lease, 1)
    assert runs.judge_again("night") == 1
    assert state(runs) == {"recorded": 2}


def test_runs_survive_the_index_of_another_version(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path))
    place = tmp_path / "appwitness.sqlite"
    with Store(place), Runs(place) as runs:
        runs.plan(planned(3))
        run = runs.take(POOL, "host", "phone", 60)
        assert run is not None
        runs.recorded(run.id, "r", "phone")
        again = runs.to_judge(60)
        assert again is not None
        runs.judged(again.lease, 2)
        runs.tell("host", [slot()])

    def prepare(connection: sqlalchemy.Connection, _: str) -> None:
        connection.execute(sqlalchemy.text("UPDATE index_version SET version = 0"))

    open_engine(place, prepare).dispose()
    judging().store.close()
    with Runs(place) as runs:
        assert state(runs) == {"planned": 2, "recorded": 1}
        assert len(runs.devices()) == 1


def test_a_server_that_is_away_says_so():
    with pytest.raises(StoreError):
        Runs("postgresql://nobody@127.0.0.1:1/nothing")


def by_hand(place: str, *statements: str) -> None:
    """Statements of somebody else's, in one transaction."""

    def made(connection: sqlalchemy.Connection, _: str) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    open_engine(place, made).dispose()


def changed_in_every_way(runs: Runs) -> None:
    runs.plan(planned(30))
    runs.plan(planned(12, "day", "rooted"))
    taken = [run for _ in range(20) if (run := runs.take(POOL, "host", "phone", 60))]
    for number, run in enumerate(taken[:12]):
        runs.recorded(run.id, f"r{number}", "phone")
    assert not runs.recorded(taken[0].id, "late", "phone")
    runs.failed(taken[12].lease, "setup", "no device", last=True)
    runs.failed(taken[13].lease, "usage", "no app", last=True)
    runs.failed(taken[14].lease, "setup", "no proxy")
    runs.released(taken[15].lease)
    late = runs.take(Waiting("day", "rooted"), "host", "phone", -1)
    assert late is not None
    assert runs.expire() == 1
    runs.renew([held(late), held(taken[16])], 60)
    for findings in (0, 3, 5):
        judged = runs.to_judge(60)
        assert judged is not None
        runs.judged(judged.lease, findings)
    damaged = runs.to_judge(60)
    assert damaged is not None
    runs.unjudged(damaged.lease, "It is damaged.")
    assert runs.retry("night", "usage") == 1
    assert runs.judge_again("night") == 3


def test_counts_are_those_of_a_full_count(runs, place):
    changed_in_every_way(runs)
    kept, full = counts(runs)
    assert kept == full
    assert sum(row[len(KEY)] for row in kept) == 42 + runs.superseded() == 43
    by_hand(  # whoever changes a run, the counts follow
        place,
        "UPDATE runs SET campaign = 'noon', findings = 7 WHERE campaign = 'day'",
        "DELETE FROM runs WHERE state = 'recorded'",
    )
    kept, full = counts(runs)
    assert kept == full
    assert {row[0] for row in kept} == {"noon", "night", ""}


def test_counts_follow_a_rollback(runs, place):
    runs.plan(planned(3))
    before = counts(runs)
    with pytest.raises(StoreError):
        by_hand(place, "UPDATE runs SET state = 'judged'", "SELECT * FROM nothing")
    assert counts(runs) == before
    assert before[0] == before[1]


def test_a_campaign_of_before_there_were_counts_is_counted(place):
    with Runs(place) as runs:
        changed_in_every_way(runs)
        expected = counts(runs)[1]
        trigger = "DROP FUNCTION {}_counted_{} CASCADE" if runs.server else "DROP TRIGGER {}_counted_{}"
    indexes = (f"DROP INDEX {index}" for index in ("runs_begun", "runs_unobservable"))
    every = product(("runs", "superseded"), ("insert", "update", "delete"))
    by_hand(place, *(trigger.format(*each) for each in every), *indexes, "DROP TABLE run_counts")
    for _ in range(2):  # the second time it is all there
        with Runs(place) as runs:
            assert counts(runs) == (expected, expected)
    with Runs(place) as runs:
        assert runs.take(POOL, "host", "phone", 60)
        kept, full = counts(runs)
        assert kept == full != expected


def test_many_who_change_runs_at_once_keep_the_counts(runs):
    """Two that count in another order would wait for each other."""
    runs.plan(planned(60))

    def work(number: int) -> None:
        for _ in range(5):
            run = runs.take(POOL, "host", "phone", 60)
            assert run is not None
            if number % 2:
                runs.released(run.lease)
            else:
                runs.recorded(run.id, f"{run.id}-a1", "phone")
                if judging := runs.to_judge(60):
                    runs.judged(judging.lease, 2)

    with ThreadPoolExecutor(6) as six:
        list(six.map(work, range(12)))
    kept, full = counts(runs)
    assert kept == full
