"""What the system counted is held against what was recorded, in one direction and never too far."""

import pytest

from appwitness.catalog import yaml_files
from appwitness.catalog.app_ops import AppOps
from appwitness.events import Access, Gap, Observers, Phase, Run, Upload, Witness, made
from appwitness.events.seen import see
from appwitness.judge.witnesses import Recorded, missed
from tests.judge.scenario import at

OPS = yaml_files.parse(next(yaml_files.files("devices/appops.yml")), AppOps)
BOTH = Observers(hooks=True, proxy=True)


def run_of(offset_s=0):
    return Run.model_validate(
        {
            "id": "x",
            "app": {"package": "com.example"},
            "device": {"serial": "x", "kind": "phone"},
            "started": at(0),
            "ended": at(100),
            "clock_offset_ms": offset_s * 1000,
        }
    )


def use(second, op="FINE_LOCATION", until=None, count=1, **fields):
    end = at(second if until is None else until)
    fields = {"by": "appops", "subject": op, **fields}
    return made(Witness, {"at": end, "from": at(second), "until": end, "count": count, **fields})


def read(second, data="location", count=1, until=None, outcome="returned"):
    end = None if until is None else at(until)
    return Access(at=at(second), source="x", data=data, outcome=outcome, count=count, until=end)


def gaps(witnesses, accesses=(), uploads=(), *, connections=0, observers=BOTH, offset_s=0):
    lines = [see(f"witnesses.jsonl:{number}", each, offset_s * 1000) for number, each in enumerate(witnesses, 1)]
    reads = [see(f"accesses.jsonl:{number}", each, offset_s * 1000) for number, each in enumerate(accesses, 1)]
    return list(missed(run_of(offset_s), observers, lines, Recorded(reads, uploads, connections), OPS))


READS = [
    ("nothing counted", [], [read(5)], []),
    ("one and one", [use(5.3)], [read(5)], []),
    ("one and none", [use(5.3)], [], [("location", 1, 0)]),
    (
        "fourteen and twelve",
        [use(n * 6) for n in range(1, 15)],
        [read(n * 6) for n in range(1, 13)],
        [("location", 14, 12)],
    ),
    ("too far away", [use(9)], [read(5)], [("location", 1, 0)]),
    ("of another kind", [use(5)], [read(5, "clipboard")], [("location", 1, 0)]),
    ("a coarse read explains it too", [use(5)], [read(5, "location_coarse")], []),
    ("denied is a read as well", [use(5)], [read(5, outcome="denied")], []),
    ("inside of a folded line", [use(20)], [read(5, count=30, until=40)], []),
    ("after a folded line", [use(50)], [read(5, count=30, until=40)], [("location", 1, 0)]),
    ("two ops of one read are one gap", [use(5, "COARSE_LOCATION"), use(5)], [], [("location", 1, 0)]),
    ("the op that shows most", [use(5, "COARSE_LOCATION"), use(5), use(30)], [], [("location", 2, 0)]),
    ("kinds are kept apart", [use(5), use(6, "READ_CONTACTS")], [read(5)], [("device_contacts", 1, 0)]),
    ("an op that harmless calls need too", [use(5, "READ_PHONE_STATE")], [], []),
    ("an op of no personal data", [use(5, "WAKE_LOCK")], [], []),
    ("an op that nobody knows", [use(5, "SOMETHING_NEW")], [], []),
    ("before the run", [use(-60)], [], []),
    ("another app on its behalf", [use(5, "RECORD_AUDIO", on_behalf="com.example.dictation")], [], []),
    (
        "the provider that it asked",
        [use(5, "READ_CONTACTS", on_behalf="com.android.providers.contacts")],
        [],
        [("device_contacts", 1, 0)],
    ),
    ("a minute of the history", [use(60, until=119, count=3)], [read(61), read(75), read(119)], []),
    ("a minute with more", [use(60, until=119, count=3)], [read(61), read(75)], [("location", 3, 2)]),
    ("more reads than uses", [use(60, until=119, count=1)], [read(61), read(75)], []),
    ("places delivered", [use(0, "gps", 90, 14, by="location")], [read(1, count=12, until=80)], [("location", 14, 12)]),
    ("an end of a process", [use(5, "LOW_MEMORY", by="exit_info")], [], []),
]


@pytest.mark.parametrize(("witnesses", "accesses", "expected"), [case[1:] for case in READS], ids=[c[0] for c in READS])
def test_uses_beyond_the_reads(witnesses, accesses, expected):
    found = gaps(witnesses, accesses)
    assert [(gap.subject, gap.counted.counted, gap.counted.recorded) for gap in found] == expected
    assert {(gap.where, gap.why) for gap in found} <= {("hook", "missed")}


def bytes_counted(sent, received=0):
    return use(0, "networks", 90, None, by="netstats", size=sent, received=received)


def upload(size):
    return Upload(at=at(5), via="http", url="https://a.test/", host="a.test", size=size)


SENT = [
    ("nothing sent", bytes_counted(0), [], 0, None),
    ("what a phone sends anyhow", bytes_counted(60_000), [], 0, None),
    ("unseen", bytes_counted(500_000), [], 0, 500_000),
    ("recorded", bytes_counted(500_000), [upload(480_000)], 1, None),
    ("recorded for the most part", bytes_counted(1_500_000), [upload(480_000)], 1, 939_283),
    ("many small ones", bytes_counted(900_000), [upload(100)] * 500, 70, None),
    ("acknowledgements of a download", bytes_counted(4_000_000, 100_000_000), [upload(10)], 1, None),
]


@pytest.mark.parametrize(
    ("witness", "uploads", "connections", "unseen"), [case[1:] for case in SENT], ids=[c[0] for c in SENT]
)
def test_bytes_beyond_the_uploads(witness, uploads, connections, unseen):
    found = gaps([witness], uploads=uploads, connections=connections)
    assert [gap.counted.unseen for gap in found] == ([] if unseen is None else [unseen])
    assert {(gap.where, gap.why) for gap in found} <= {("proxy", "missed")}


def test_bytes_with_loopback_among_them_say_nothing():
    assert gaps([use(0, "interfaces", 90, None, by="netstats", size=10**9)]) == []


@pytest.mark.parametrize(
    ("observers", "expected"),
    [
        (Observers(hooks=True), ["hook"]),
        (Observers(proxy=True), ["proxy"]),
        (Observers(), []),
    ],
)
def test_where_nobody_watched_nothing_was_missed(observers, expected):
    assert [gap.where for gap in gaps([use(5), bytes_counted(900_000)], observers=observers)] == expected


def process(pid, name="com.example:push"):
    return Witness(at=at(50), by="processes", subject=name, pid=pid, count=1)


def started(pid, second):
    detail = "com.example:push: service,{com.example/.Push}"
    return use(second, "am_proc_start", by="logcat", pid=pid, detail=detail)


@pytest.mark.parametrize(
    ("witnesses", "gap", "expected"),
    [
        ([process(7, "com.example")], None, []),
        ([process(8)], None, ["com.example:push"]),
        ([process(8), process(8), process(9, "x")], None, ["com.example:push", "x"]),
        ([started(8, 5), process(8)], None, ["com.example:push"]),
        ([started(7, 5)], None, []),
        ([started(8, 5)], {"subject": "agent", "why": "detached", "at": at(3), "until": at(9)}, []),
        ([started(8, 50)], {"subject": "agent", "why": "detached", "at": at(3), "until": at(9)}, ["com.example:push"]),
        ([use(5, "am_kill", by="logcat", pid=8)], None, []),
        ([process(8)], {"subject": "com.example:push"}, []),
        ([process(8)], {"subject": "child", "detail": "process 8 ran without hooks"}, []),
        ([process(8)], {"subject": "child", "pid": 8}, []),
        ([process(8)], {"subject": "com.example:push", "why": "detached"}, ["com.example:push"]),
    ],
)
def test_a_process_without_hooks_is_told_of_once(witnesses, gap, expected):
    lines = [see(f"witnesses.jsonl:{number}", each, 0) for number, each in enumerate(witnesses, 1)]
    told = {"at": at(50), "where": "hook", "why": "process_not_instrumented", **(gap or {})}
    known = [made(Gap, told)] if gap else []
    phases = [Phase(at=at(1), state="started", pid=7)]
    found = missed(run_of(), BOTH, lines, Recorded(phases=phases, gaps=known), OPS)
    assert [each.subject for each in found] == expected


def test_a_gap_is_on_the_hosts_clock():
    (gap,) = gaps([use(3605), use(3609)], offset_s=3600)
    assert (gap.at, gap.until) == (at(5), at(9))
    assert gaps([use(3605)], [read(3605)], offset_s=3600) == []
    assert gaps([use(90)], offset_s=3600) == [], "an hour before the run"


def test_every_op_is_told_of_by_a_kind_of_data_that_there_is():
    codes = {item["code"] for item in yaml_files.tree(next(yaml_files.files("data_types.yml")))["items"]}
    assert yaml_files.parse(next(yaml_files.files("devices/appops.yml")), AppOps, {"data": codes}).ops
