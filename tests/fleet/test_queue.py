"""The queue on a real PostgreSQL: runs go to devices of their pool, and nothing of it need be kept."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from appwitness.fleet import queue as queues
from appwitness.fleet.queue import Queue
from appwitness.fleet.worker import FleetDevice
from appwitness.store.runs import Planned, Runs, Waiting
from appwitness.support.errors import StoreError
from tests.fleet.rig import host, phones, planned

PHONE, ROOTED = FleetDevice("phone", {"kind": "phone"}), FleetDevice("rooted", {"kind": "phone", "rooted": "yes"})


@pytest.fixture
def runs(empty_database):
    with Runs(empty_database) as runs:
        yield runs


@pytest.fixture
def url(empty_database):
    return empty_database


@contextmanager
def opened(tmp_path, runs, url, name="host", lease_s=60.0):
    with Queue(url, host(tmp_path, runs, name, lease_s=lease_s)) as queue:
        queue.refresh()
        yield queue


def test_a_run_goes_to_a_device_of_its_pool_once(tmp_path, runs, url):
    runs.plan([*planned(3), *planned(2, "root", "kind!=lab and rooted")])
    with opened(tmp_path, runs, url) as queue, opened(tmp_path, runs, url, "other") as other:
        assert queue.next(FleetDevice("lab", {"kind": "lab"})) is None
        assert queue.next(ROOTED).campaign == "root"  # which no other device can make
        with ThreadPoolExecutor(4) as four:
            found = list(four.map(lambda number: (queue, other)[number % 2].next(PHONE), range(6)))
        assert sorted(run.id for run in found if run) == sorted(run.id for run in planned(3))
        assert queue.next(ROOTED).campaign == "root"
        assert queue.next(ROOTED) is None


def test_only_a_window_of_the_plan_waits_in_the_queue(tmp_path, runs, url, monkeypatch, postgres):
    monkeypatch.setattr(queues, "WINDOW", 5)
    runs.plan(planned(12))
    database = url.rpartition("@/")[2].partition("?")[0]

    def waiting() -> int:
        return int(str(postgres.execute("SELECT count(*) FROM procrastinate_jobs", database=database)[0][0]))

    with opened(tmp_path, runs, url) as queue:
        queue.refresh()
        assert waiting() == 5
        assert [queue.next(PHONE).id for _ in range(5)] == [run.id for run in planned(5)]
        assert waiting() == 0
        assert queue.next(PHONE) is None
        queue.refresh()
        assert queue.next(PHONE).id == planned(6)[5].id


def test_a_run_has_one_job_whoever_fills_the_queue(tmp_path, runs, url, postgres):
    runs.plan(planned(30))
    database = url.rpartition("@/")[2].partition("?")[0]
    with opened(tmp_path, runs, url) as queue, opened(tmp_path, runs, url, "other") as other:
        with ThreadPoolExecutor(4) as four:
            list(four.map(lambda number: (queue, other)[number % 2].refresh(), range(8)))
        jobs = "SELECT count(*), count(DISTINCT queueing_lock), min(task_name) FROM procrastinate_jobs"
        assert postgres.execute(jobs, database=database) == [(30, 30, "record")]
        while queue.next(PHONE):
            pass
        left = "SELECT (SELECT count(*) FROM procrastinate_jobs) + (SELECT count(*) FROM procrastinate_events)"
        assert postgres.execute(left, database=database) == [(0,)]  # nothing grows with the runs that were made


def test_a_queue_that_was_lost_is_filled_again_from_the_runs(tmp_path, runs, url, postgres):
    runs.plan(planned(2))
    database = url.rpartition("@/")[2].partition("?")[0]
    with opened(tmp_path, runs, url) as queue:
        first = queue.next(PHONE)
        postgres.execute("TRUNCATE procrastinate_jobs CASCADE", database=database)
        assert queue.next(PHONE) is None
        queue.refresh()
        assert queue.next(PHONE).id != first.id
        assert queue.next(PHONE) is None


def test_a_job_of_a_run_that_no_longer_waits_is_dropped(tmp_path, runs, url):
    runs.plan(planned(2))
    with opened(tmp_path, runs, url) as queue:
        gone = runs.take(Waiting("night", planned(1)[0].pool), "other", "phone", 60)
        assert queue.next(PHONE).id == planned(2)[1].id != gone.id
        assert queue.next(PHONE) is None


def test_jobs_of_a_host_that_was_killed_are_deleted_and_their_runs_lent_again(tmp_path, runs, url, postgres):
    runs.plan(planned(1))
    database = url.rpartition("@/")[2].partition("?")[0]
    with opened(tmp_path, runs, url, lease_s=0.2) as queue:
        postgres.execute(  # between fetching the job and leasing its run
            "WITH dead AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id) "
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM dead)",
            database=database,
        )
        assert queue.next(PHONE) is None
        time.sleep(0.3)
        queue.refresh()
        assert queue.next(PHONE) is not None
        left = postgres.execute("SELECT count(*) FROM procrastinate_jobs", database=database)
        assert left == [(0,)]


def test_a_host_that_others_took_for_dead_goes_on(tmp_path, runs, url, postgres):
    runs.plan(planned(2))
    database = url.rpartition("@/")[2].partition("?")[0]
    with opened(tmp_path, runs, url) as queue:
        assert queue.next(PHONE)
        postgres.execute("DELETE FROM procrastinate_workers", database=database)
        with pytest.raises(StoreError):
            queue.next(PHONE)
        assert queue.next(PHONE)


def test_several_hosts_may_begin_a_queue_at_once(tmp_path, runs, url):
    def begun(number: int) -> bool:
        with opened(tmp_path, runs, url, f"h{number}"):
            return True

    with ThreadPoolExecutor(3) as three:
        assert list(three.map(begun, range(3))) == [True] * 3


def test_a_host_comes_back_after_a_restart_of_the_server(tmp_path, runs, url, postgres, monkeypatch):
    monkeypatch.setattr(queues, "CONNECT_S", 0.5)
    runs.plan(planned(2))
    with opened(tmp_path, runs, url) as queue:
        assert queue.next(PHONE)
        postgres.stop(signal.SIGQUIT)
        with pytest.raises(StoreError, match="does not answer"):
            queue.next(PHONE)
        with pytest.raises(StoreError):
            runs.waiting()
        postgres.start()
        here = host(tmp_path, runs)
        assert here.kept(lambda: queue.next(PHONE))


def test_the_plan_of_a_campaign_needs_no_queue(runs):
    runs.plan([Planned("r", "night", "a", "a", "accept", "")])
    assert not runs.has_queue()


def test_phones_of_the_rig_are_in_the_pool_of_its_plan():
    assert all(each.labels["kind"] != "lab" for each in phones(2))
