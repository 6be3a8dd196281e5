"""Store: what was recorded comes back as it was, once, whoever reads, writes or is killed meanwhile."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import tempfile
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from appwitness import events
from appwitness.events import FILES
from appwitness.findings import Finding, Flow, Match, Recipient, ReportedGap
from appwitness.recording import Recording
from appwitness.store import Store, set_aside
from appwitness.store.database import BUSY_MS
from appwitness.store.models import SharedText
from appwitness.store.rows import run_columns, run_of
from appwitness.support.errors import UserError
from tests import strategies

AT = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
CASES = Path(__file__).parents[3] / "shared" / "cases" / "matching"


def pairs(lines):
    """The events of lines with their names."""
    return [(line.ref, line.event) for line in lines]


def run(name: str = "run-1", **options: Any) -> events.Run:
    return events.Run(
        **{
            "id": name,
            "app": events.AppIdentity(package="com.example.circle"),
            "device": events.DeviceIdentity(serial="lab", kind="lab"),
            "started": AT,
            **options,
        }
    )


def access(text: str = "+8613800138000", at: datetime = AT, **options: Any) -> events.Access:
    values = (events.Value(type="phone_number", text=text),)
    return events.Access(at=at, source="s", data="phone_number", values=values, outcome="returned", **options)


def match(value: str = "+8613800138000", **options: Any) -> Match:
    return Match(
        **{
            "type": "phone_number",
            "value": value,
            "variant": "plain",
            "path": "$.a",
            "start": 1,
            "end": 9,
            "confidence": 0.99,
            **options,
        }
    )


def flow(number: int = 1, *matches: Match, **options: Any) -> Flow:
    return Flow(
        **{
            "id": f"f{number}",
            "access": "accesses.jsonl:1",
            "upload": f"uploads.jsonl:{number}",
            "data": "phone_number",
            "consent": "requested",
            "recipient": Recipient(host="api.circle.test", party="first"),
            "matches": matches or (match(),),
            "at": AT,
            **options,
        }
    )


def finding(number: int = 1) -> Finding:
    return Finding(
        rule="sent-before-consent",
        level="high",
        confidence="proven",
        title={"en": f"Title {number}", "zh": "标题"},
        flows=(f"f{number}",),
        evidence=("accesses.jsonl:1", f"uploads.jsonl:{number}"),
    )


def take_in(store: Store, recording: Recording) -> int:
    positions = store.positions(recording.run.id)
    return sum(
        store.ingest(recording.run.id, recording.run, str(recording.path), recording.read(kind, positions.get(kind)))
        for kind in FILES
    )


def everything(store: Store, recording_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {kind: list(store.read(recording_id, kind)) for kind in FILES}
    found["positions"] = store.positions(recording_id)
    found["run"] = store.run(recording_id)
    return found


@pytest.fixture
def recording(tmp_path):
    with Recording.create(tmp_path / "r", run()) as recording:
        yield recording


@pytest.fixture(params=["file", "memory", "server"])
def store(request, tmp_path):
    place: str | Path = tmp_path / "index.sqlite"
    if request.param == "memory":
        place = "sqlite://"
    elif request.param == "server":
        place = request.getfixturevalue("empty_database")
    with Store(place) as store:
        yield store


# lines


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(strategies.any_event, max_size=20), st.data())
def test_events_come_back_as_they_were_whatever_the_batches(appended, data):
    with (
        tempfile.TemporaryDirectory() as folder,
        Recording.create(Path(folder) / "r", run()) as recording,
        Store("sqlite://") as store,
    ):
        recording.append_all(appended)
        for kind in FILES:
            found = list(recording.read(kind))
            for part in (*data.draw(st.lists(st.integers(0, len(found)), max_size=3)), len(found)):
                store.ingest("run-1", recording.run, str(recording.path), found[:part])
            assert pairs(store.read("run-1", kind)) == pairs(found)


def test_taking_in_twice_changes_nothing(store, recording):
    recording.append_all([access(), access("x"), events.Phase(at=AT, state="started")])
    reads = list(recording.read("access"))
    assert take_in(store, recording) == 3
    before = everything(store, "run-1")
    assert take_in(store, recording) == 0
    assert store.ingest("run-1", recording.run, str(recording.path), reads) == 0
    assert everything(store, "run-1") == before
    recording.append(access("y"))
    assert take_in(store, recording) == 1
    assert [read.ref for read in store.read("run-1", "access")] == [f"accesses.jsonl:{n}" for n in (1, 2, 3)]


def test_lines_of_the_case_of_matching_come_back(store):
    if not CASES.exists():
        pytest.skip(f"{CASES} is not here")
    recording = Recording.open(CASES)
    name = recording.run.id
    assert take_in(store, recording) > 2000
    for kind in FILES:
        assert pairs(store.read(name, kind)) == pairs(recording.read(kind))


def test_more_lines_than_a_page_and_a_batch(store, recording):
    recording.append_all(access(str(number)) for number in range(6001))
    assert take_in(store, recording) == 6001
    assert [read.ref for read in store.read("run-1", "access")] == [f"accesses.jsonl:{n + 1}" for n in range(6001)]


def test_an_unreadable_line_keeps_its_number_and_reason(store, recording):
    recording.append(access())
    with (recording.path / "accesses.jsonl").open("ab") as file:
        file.write(b"\xff\x00 not a line\n")
    with (recording.path / "gaps.jsonl").open("ab") as file:
        file.write(b"{}\n")
    recording.append(access("x"))
    assert take_in(store, recording) == 4
    one, two, three = store.read("run-1", "access")
    assert (one.event, two.event, three.event) == (access(), None, access("x"))
    assert (two.ref, two.raw) == ("accesses.jsonl:2", b"\xff\x00 not a line")
    assert "JSON" in two.error
    assert [(read.ref, read.event) for read in store.read("run-1", "gap")] == [("gaps.jsonl:1", None)]


def test_lines_can_be_asked_for_by_their_fields_in_sql(tmp_path, recording):
    place = tmp_path / "index.sqlite"
    recording.append(access("+8613800138000"))
    recording.path.joinpath("accesses.jsonl").open("ab").write(b"not a line\n")
    recording.append(access("+8613800138001"))
    with closing(Store(place)) as store:
        take_in(store, recording)
    with closing(sqlite3.connect(place)) as database:
        rows = database.execute(
            "SELECT line, source, data, \"values\" ->> '$[0].text' FROM accesses ORDER BY line"
        ).fetchall()
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'")}
    assert rows == [(1, "s", "phone_number", "+8613800138000"), (3, "s", "phone_number", "+8613800138001")]
    assert names == {file.removesuffix(".jsonl") for file in FILES.values()}


def test_a_line_that_was_unfinished_is_taken_in_anew_when_it_is_whole(store, recording):
    text = events.dump(access("whole")) + "\n"
    path = recording.path / "accesses.jsonl"
    recording.update_run(ended=AT)
    path.write_text(text[:50])
    assert take_in(store, recording) == 1
    (torn,) = store.read("run-1", "access")
    assert "unfinished" in torn.error
    assert take_in(store, recording) == 0
    path.write_text(text)
    assert take_in(store, recording) == 0
    assert [read.event for read in store.read("run-1", "access")] == [access("whole")]
    path.write_text(text + text[:-1])
    assert take_in(store, recording) == 1
    recording.append(access("next"))
    assert take_in(store, recording) == 1
    assert len(list(store.read("run-1", "access"))) == 3


def test_lines_that_do_not_follow_are_refused(store, recording):
    recording.append_all([access(), access("x")])
    with pytest.raises(ValueError, match="does not follow"):
        store.ingest("run-1", recording.run, "", list(recording.read("access"))[1:])
    assert list(store.read("run-1", "access")) == []


def test_numbers_and_texts_of_any_size_are_kept(store, recording):
    odd = access("a\0b" + "长" * 5000, pid=10**30, count=10**25)
    recording.append(odd)
    assert take_in(store, recording) == 1
    assert [read.event for read in store.read("run-1", "access")] == [odd]


# recordings


def test_one_database_holds_many_recordings(store, tmp_path):
    for number in (2, 1):
        with Recording.create(tmp_path / f"{number}", run(f"run-{number}", started=AT + timedelta(number))) as made:
            made.append_all([access(str(number))] * number)
            assert take_in(store, made) == number
    assert [each.id for each in store.recordings()] == ["run-1", "run-2"]
    assert store.path("run-2") == tmp_path / "2"
    store.save("run-1", [flow(1)], [finding(1)])
    assert (store.flows("run-2"), store.findings("run-2")) == ([], [])
    assert len(list(store.read("run-2", "access"))) == 2


@given(st.none() | st.dictionaries(st.text(), st.sampled_from(["installed", "waiting"]) | st.text()))
def test_a_run_comes_back_from_its_columns_as_it_was(hooks):
    was = run() if hooks is None else run(hooks=hooks)
    row, texts = run_columns(was)
    found = run_of(row["run"], row["hooks"], texts[0] if texts else None)
    assert (found, found.model_fields_set) == (was, was.model_fields_set)


def test_what_findings_and_runs_have_in_common_is_kept_once_while_any_has_it(store, tmp_path):
    def texts() -> list[str]:
        with store.reading() as connection:
            return sorted(connection.scalars(select(SharedText.text)))

    states = ("installed", "waiting", "installed")
    for number, state in enumerate(states):
        hooks = {"a.b": "installed", "a.c": state, "d": "class_absent"}
        with Recording.create(tmp_path / str(number), run(f"run-{number}", campaign="spring", hooks=hooks)) as made:
            take_in(store, made)
            store.save(f"run-{number}", [], [finding(1), finding(2)], judged_by="rules")
    of_rule = [f'{{"title":{{"en":"Title {n}","zh":"标题"}},"kinds":[],"articles":[],"references":[]}}' for n in (1, 2)]
    assert texts() == sorted(['["a.b","a.c","d"]', *of_rule])
    for number, state in enumerate(states):
        assert store.run(f"run-{number}").hooks == {"a.b": "installed", "a.c": state, "d": "class_absent"}
        assert store.findings(f"run-{number}") == [finding(1), finding(2)]
    store.save("run-0", [], [finding(1)], judged_by="rules")
    store.forget(["run-1", "run-2"])
    assert texts() == sorted(['["a.b","a.c","d"]', of_rule[0]])
    store.forget_campaign("spring")
    assert texts() == []


def test_a_recording_and_a_campaign_can_be_forgotten(store, tmp_path):
    for number, campaign in enumerate(["spring", "spring", "autumn", None, None]):
        with Recording.create(tmp_path / str(number), run(f"run-{number}", campaign=campaign)) as made:
            made.append(access())
            take_in(store, made)
            store.save(f"run-{number}", [flow(1)], [finding(1)], judged_by="rules")
    assert store.campaigns() == {"": 2, "autumn": 1, "spring": 2}
    assert store.forget(["run-4"]) == 1
    assert store.forget(["run-4"]) == 0
    assert store.forget_campaign("spring") == 2
    for unknown in ("spring", ""):
        with pytest.raises(UserError, match="has no campaign"):
            store.forget_campaign(unknown)
    assert [each.id for each in store.recordings()] == ["run-2", "run-3"]
    for gone in ("run-0", "run-1", "run-4"):
        assert (store.held(gone), store.flows(gone), list(store.read(gone, "access"))) == (None, [], [])
    for left in ("run-2", "run-3"):
        assert (store.flows(left), len(list(store.read(left, "access")))) == ([flow(1)], 1)


def test_the_run_is_brought_up_to_date(store, recording):
    take_in(store, recording)
    changed = recording.update_run(ended=AT + timedelta(hours=1), hooks={"a": "installed"})
    take_in(store, recording)
    assert store.run("run-1") == changed
    assert [each.ended for each in store.recordings()] == [changed.ended]


def test_another_recording_of_the_same_id_is_refused(store, recording, tmp_path):
    take_in(store, recording)
    other = Recording.create(tmp_path / "other", run(started=AT + timedelta(days=1)))
    with pytest.raises(UserError, match="another recording with the id run-1"):
        take_in(store, other)


def test_a_recording_that_is_not_there_is_an_error_of_the_user(store):
    for ask in (
        store.run,
        store.path,
        lambda name: store.save(name, [], []),
    ):
        with pytest.raises(UserError, match="no recording absent"):
            ask("absent")
    assert store.judged_by("absent") is None
    assert store.positions("absent") == {}
    assert list(store.read("absent", "access")) == []


# conclusions


def test_what_is_saved_comes_back_in_order(store, recording):
    take_in(store, recording)
    flows = [flow(2, match("b"), match("a", note="x")), flow(10, access=None, access_at=AT, rows=3), flow(1)]
    findings = [finding(2), finding(1)]
    gap = ReportedGap(at=AT, where="correlate", subject="uploads.jsonl:1", why="decode_limit", detail="x")
    store.save("run-1", flows, findings, gaps=[gap], judged_by="rules")
    assert store.flows("run-1") == flows
    assert store.findings("run-1") == findings
    assert store.found_gaps("run-1") == [gap]
    assert store.judged_by("run-1") == "rules"
    store.save("run-1", flows[1:], findings[:1])
    assert store.flows("run-1") == flows[1:]
    assert store.findings("run-1") == findings[:1]
    assert store.found_gaps("run-1") == []
    assert store.judged_by("run-1") is None


@settings(max_examples=strategies.examples(60), deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 5), st.lists(st.sampled_from("abc"), max_size=3), st.integers(0, 2)),
            max_size=5,
            unique_by=lambda each: each[0],
        ),
        max_size=4,
    )
)
def test_saving_is_the_same_as_saving_anew(turns):
    """Only what changed is written; what comes back must not show it."""
    with Store("sqlite://") as store:
        store.ingest("run-1", run(), "", [])
        saved = None
        for number, turn in enumerate(turns):
            flows = [
                flow(number, *(match(value) for value in values), earlier=earlier) for number, values, earlier in turn
            ]
            findings = [finding(each) for each, *_ in turn]
            saved = store.save("run-1", flows, findings, before=saved)
            assert store.flows("run-1") == flows
            assert store.findings("run-1") == findings
            if number % 3 == 1:  # somebody else saves in between
                store.save("run-1", flows[1:], findings[1:])


def test_saving_is_all_or_nothing(store, recording):
    take_in(store, recording)
    store.save("run-1", [flow(1)], [finding(1)], judged_by="rules")
    with pytest.raises(UserError):
        store.save("run-1", [flow(2), flow(3), flow(3)], [finding(2)])
    assert store.flows("run-1") == [flow(1)]
    assert store.findings("run-1") == [finding(1)]
    assert store.judged_by("run-1") == "rules"


def test_a_database_built_anew_is_the_same(tmp_path, recording):
    recording.append_all([access(str(number)) for number in range(20)])
    with (recording.path / "gaps.jsonl").open("ab") as file:
        file.write(b"{}\n")
    dumps = []
    for name in ("one", "two"):
        with Store(tmp_path / name) as store:
            take_in(store, recording)
            if name == "one":  # got there by another way
                store.save("run-1", [flow(3), flow(1)], [finding(3)])
                take_in(store, recording)
            store.save("run-1", [flow(1), flow(2)], [finding(1)], judged_by="rules")
        with closing(sqlite3.connect(tmp_path / name)) as database:
            tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            dumps.append({table: sorted(database.execute(f"SELECT * FROM {table}")) for table in tables})
    shared = [dict(dump.pop("shared_texts")) for dump in dumps]
    assert dumps[0] == dumps[1]
    assert shared[1].items() <= shared[0].items()  # what earlier saves left there goes when something is forgotten
    assert len(dumps[0]["lines"]) == 21


# several at once, and killed


def test_a_reader_sees_whole_saves_while_a_writer_goes_on(tmp_path, recording):
    place = tmp_path / "i.sqlite"
    done = threading.Event()
    failures: list[BaseException] = []
    with Store(place) as writer, Store(place) as reader:
        take_in(writer, recording)

        def write() -> None:
            try:
                for number in range(30):
                    recording.append(access(str(number)))
                    take_in(writer, recording)
                    writer.save("run-1", [flow(n) for n in range(number)], [finding(n) for n in range(number)])
            except BaseException as error:
                failures.append(error)
            finally:
                done.set()

        thread = threading.Thread(target=write)
        thread.start()
        looks = 0
        while not done.is_set() or looks == 0:
            with reader.snapshot():
                flows, findings = reader.flows("run-1"), reader.findings("run-1")
                lines = list(reader.read("run-1", "access"))
            assert len(flows) == len(findings)
            assert len(lines) in (len(flows), len(flows) + 1, len(flows) + 2)
            looks += 1
        thread.join()
        assert failures == []
        assert len(reader.flows("run-1")) == 29


@pytest.mark.parametrize("shared", [True, False])
def test_two_may_take_in_the_same_at_once(tmp_path, recording, shared):
    recording.append_all(access(str(number)) for number in range(3000))
    place = tmp_path / "i.sqlite"
    first = Store(place)
    stores = [first, first if shared else Store(place), first if shared else Store(place)]
    counts: list[int] = []
    reads = list(recording.read("access"))

    def work(store: Store) -> None:
        for chunk in range(0, 3000, 100):
            counts.append(store.ingest("run-1", recording.run, str(recording.path), reads[chunk : chunk + 100]))

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 3000
    assert len(counts) == 90
    assert len(list(first.read("run-1", "access"))) == 3000


def test_a_killed_reader_goes_on_where_it_was(tmp_path, recording):
    total = 0
    chance = random.Random(3)
    place = tmp_path / "i.sqlite"
    Store(place).close()
    for _ in range(8):
        recording.append_all(access(str(total + number)) for number in range(1500))
        total += 1500
        child = os.fork()
        if child == 0:
            try:
                own, read = Store(place), Recording.open(recording.path)
                positions = own.positions("run-1")
                for each in read.read("access", positions.get("access")):
                    own.ingest("run-1", read.run, str(recording.path), [each])
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0.05, 0.2))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with Store(place) as store:
            so_far = len(list(store.read("run-1", "access")))
            position = store.positions("run-1").get("access")
            assert so_far == (position.line if position else 0)
    with Store(place) as store:
        assert take_in(store, recording) == total - so_far
        assert pairs(store.read("run-1", "access")) == pairs(recording.read("access"))
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT count(*) FROM lines").fetchone() == (total,)


def test_many_threads_in_memory(recording):
    with Store("sqlite://") as store:
        recording.append_all(access(str(number)) for number in range(200))
        take_in(store, recording)
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for _ in range(10):
                    store.save("run-1", [flow(number)], [])
                    assert len(list(store.read("run-1", "access"))) == 200
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert [each.id for each in store.flows("run-1")] in [["f0"], ["f1"], ["f2"], ["f3"]]


# the database itself


def test_the_files_are_private_whatever_the_umask(tmp_path, recording):
    before = os.umask(0)
    try:
        with Store(f"sqlite:///{tmp_path}/new/folder/index.sqlite") as store:
            take_in(store, recording)
            paths = list((tmp_path / "new" / "folder").iterdir())
            assert {path.name for path in paths} == {"index.sqlite", "index.sqlite-wal", "index.sqlite-shm"}
            assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    finally:
        os.umask(before)
    for folder in ("new", "new/folder"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


def test_it_is_in_wal_mode(tmp_path):
    Store(tmp_path / "i.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "i.sqlite")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def not_a_database(path: Path) -> None:
    path.write_text("a letter, and not a short one\n" * 100)


def other_version(path: Path) -> None:
    Store(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE index_version SET version = 0")
        database.commit()


def other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE recordings (title)")


@pytest.mark.parametrize(
    ("make", "what", "step"),
    [
        (not_a_database, "file is not a database", "some other file"),
        (other_version, "made by another version", "index upgrade"),
        (other_program, "already has tables with the same names as ours: recordings", "Name another"),
        (lambda path: path.mkdir(), "unable to open", "may write"),
    ],
)
def test_a_database_that_cannot_be_used_is_said_with_what_to_do(tmp_path, make, what, step):
    make(tmp_path / "x")
    with pytest.raises(UserError) as caught:
        Store(tmp_path / "x")
    assert what in caught.value.what
    assert str(tmp_path / "x") in caught.value.what
    assert step in caught.value.next_step


def test_an_index_of_another_version_is_set_aside(tmp_path, recording):
    place = tmp_path / "x.sqlite"
    assert set_aside(place) is None
    other_version(place)
    moved = set_aside(place)
    assert moved is not None
    assert moved == tmp_path / "x.sqlite.version-0.bak"
    with Store(place):
        assert set_aside(place) is None
    assert sorted(each.name for each in tmp_path.glob("x.sqlite*")) == ["x.sqlite", moved.name]
    with closing(sqlite3.connect(moved)) as database:
        assert database.execute("SELECT version FROM index_version").fetchone() == (0,)


@pytest.mark.parametrize("make", [not_a_database, other_program])
def test_what_is_no_index_of_ours_stays(tmp_path, make):
    make(tmp_path / "x")
    with suppress(UserError):
        assert set_aside(tmp_path / "x") is None
    assert (tmp_path / "x").exists()


def test_one_that_another_program_has_open_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("appwitness.store.database.BUSY_MS", 50)
    other_version(tmp_path / "x")
    with closing(sqlite3.connect(tmp_path / "x")) as database:
        database.execute("SELECT version FROM index_version").fetchone()
        with pytest.raises(UserError, match="locked") as caught:
            set_aside(tmp_path / "x")
    assert "wait until it is done" in caught.value.next_step
    assert (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ("://", "not a database URL"),
        ("nosuch://host/name", "No driver"),
        ("/proc/none/index.sqlite", "cannot be made"),
    ],
)
def test_a_place_that_is_none_is_said(place, what):
    with pytest.raises(UserError, match=what):
        Store(place)


def test_a_locked_database_is_said_and_not_waited_for_ever(tmp_path, recording, monkeypatch):
    assert BUSY_MS >= 10_000
    monkeypatch.setattr("appwitness.store.database.BUSY_MS", 50)
    with Store(tmp_path / "i.sqlite") as store, closing(sqlite3.connect(tmp_path / "i.sqlite")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UserError, match=r"i\.sqlite: database is locked.*wait"):
            take_in(store, recording)
        assert store.recordings() == []
        other.execute("ROLLBACK")
        assert take_in(store, recording) == 0
        assert [each.id for each in store.recordings()] == ["run-1"]


def test_a_database_deleted_under_it_is_said(tmp_path, recording):
    with Store(tmp_path / "i.sqlite") as store:
        take_in(store, recording)
        with closing(sqlite3.connect(tmp_path / "i.sqlite")) as other:
            other.execute("DROP TABLE flows")
            other.commit()
        with pytest.raises(UserError, match=r"no such table.*Delete it"):
            store.flows("run-1")
