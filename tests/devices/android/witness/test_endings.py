"""Ends of processes are told apart, and those that no hook can have caused are not taken for ours."""

from datetime import UTC, datetime, timedelta

import pytest

from appwitness.devices.android.witness import endings
from appwitness.devices.android.witness.endings import End, is_ours
from appwitness.devices.android.witness.process_dumps import events, exits

PACKAGE = "com.example"
UID = 10123
AT = 1790448214


def record(reason, *, sub="UNKNOWN", status=0, description="null"):
    return f"""\
        ApplicationExitInfo #0:
          timestamp=2026-09-26 18:03:34.000 pid=1979 realUid=10123 packageUid=10123 definingUid=10123 user=0
          process=com.example reason={reason} (X) subreason=0 ({sub}) status={status}
          importance=100 pss=0.00 rss=0.00 description={description} state=empty trace=null
"""


RECORDED = [
    ("exit of its own", record(1, status=3), "exited", False),
    ("a fault", record(2, status=11), "signalled", True),
    ("an abort", record(2, status=6), "signalled", True),
    ("killed by somebody", record(2, status=9), "signalled", False),
    ("low memory", record(3), "low_memory", False),
    ("crash", record(4), "crash", True),
    ("native crash", record(5), "native_crash", True),
    ("not responding", record(6), "anr", True),
    ("not attached in time", record(7), "start_failed", True),
    ("permission revoked", record(8, description="permissions revoked"), "permission_changed", False),
    ("too much power", record(9), "resources", False),
    (
        "force-stop",
        record(10, sub="FORCE STOP", description="stop com.example due to from pid 8396"),
        "force_stopped",
        False,
    ),
    ("update before 14", record(10, description="stop com.example due to installPackageLI"), "updated", False),
    ("user stopped", record(11), "user_stopped", False),
    ("provider died", record(12), "dependency_died", False),
    ("the system", record(13, sub="ISOLATED NOT NEEDED"), "system", False),
    ("the system, for memory", record(13, sub="TOO MANY EMPTY PROCS"), "low_memory", False),
    ("frozen", record(14), "frozen", False),
    ("disabled", record(15), "package_changed", False),
    ("updated", record(16), "updated", False),
    ("a reason of a later version", record(99), "unknown", True),
]


@pytest.mark.parametrize(("text", "reason", "ours"), [case[1:] for case in RECORDED], ids=[c[0] for c in RECORDED])
def test_what_the_system_wrote_down(text, reason, ours):
    (end,) = (endings.end_of(each) for each in exits(text, PACKAGE, UID, timedelta()).records)
    assert (end.reason, is_ours(end), end.pid) == (reason, ours, 1979)
    assert end.detail


DIED = (2.0, "am_proc_died", "[0,1979,com.example,700,16]")
LOGGED = [
    ("nothing said", [DIED], "unknown", True),
    ("crash", [(1, "am_crash", "[1979,0,com.example,8197,java.lang.Error,boom,A.java,17,0]"), DIED], "crash", True),
    (
        "native crash",
        [(1, "am_crash", "[1979,0,com.example,8197,Native crash,Segmentation fault,unknown,0]"), DIED],
        "native_crash",
        True,
    ),
    (
        "tombstone",
        [(1, "DEBUG", "pid: 1979, tid: 1981, name: worker  >>> com.example <<<"), DIED],
        "native_crash",
        True,
    ),
    (
        "not responding",
        [
            (0, "am_anr", "[0,1979,com.example,8197,Input dispatching timed out]"),
            (1, "am_kill", "[0,1979,com.example,0,user request after error,4]"),
            DIED,
        ],
        "anr",
        True,
    ),
    ("killed for memory", [(1, "am_kill", "[0,1979,com.example,905,empty #17,79208]"), DIED], "low_memory", False),
    (
        "force-stop",
        [(1, "am_kill", "[0,1979,com.example,0,stop com.example due to from pid 83]"), DIED],
        "force_stopped",
        False,
    ),
    ("update", [(1, "am_kill", "[0,1979,com.example,0,stop com.example due to installPackageLI]")], "updated", False),
    ("swiped away", [(1, "am_kill", "[0,1979,com.example,0,remove task]"), DIED], "force_stopped", False),
    (
        "permission revoked",
        [(1, "am_kill", "[0,1979,com.example,0,permissions revoked]"), DIED],
        "permission_changed",
        False,
    ),
    (
        "too much power",
        [(1, "am_kill", "[0,1979,com.example,9,excessive cpu 9100 during 300052]"), DIED],
        "resources",
        False,
    ),
    ("held too long", [(1, "am_kill", "[0,1979,com.example,0,start timeout]"), DIED], "start_failed", True),
    ("something new", [(1, "am_kill", "[0,1979,com.example,0,whatever]"), DIED], "system", False),
    ("long before", [(-60, "am_anr", "[0,1979,com.example,8197,Input dispatching]"), DIED], "unknown", True),
]


def log(*lines):
    return "".join(f"{AT + second:.3f}  1409  2589 I {tag}: {said}\n" for second, tag, said in lines)


@pytest.mark.parametrize(("lines", "reason", "ours"), [case[1:] for case in LOGGED], ids=[case[0] for case in LOGGED])
def test_what_the_event_log_says(lines, reason, ours):
    (end,) = endings.from_log(events(log(*lines), PACKAGE, UID).records)
    assert (end.reason, is_ours(end), end.pid) == (reason, ours, 1979)


def test_a_kill_by_lmkd_is_low_memory():
    lines = [
        (0, "am_proc_start", "[0,1979,10123,com.example,activity,{}]"),
        (1, "killinfo", "[1979,10123,905,905,79208]"),
        DIED,
    ]
    (end,) = endings.from_log(events(log(*lines), PACKAGE, UID).records)
    assert (end.reason, is_ours(end)) == ("low_memory", False)


def test_two_processes_and_one_number_given_again():
    lines = [
        (0, "am_proc_start", "[0,1979,10123,com.example,activity,{}]"),
        (1, "am_crash", "[1979,0,com.example,8197,java.lang.Error,boom,A.java,17,0]"),
        DIED,
        (3, "am_kill", "[0,1980,com.example:web,905,empty #17,79208]"),
        (60, "am_proc_start", "[0,1979,10123,com.example,activity,{}]"),
        (90, "am_kill", "[0,1979,com.example,0,stop com.example]"),
    ]
    found = endings.from_log(events(log(*lines), PACKAGE, UID).records)
    assert [(end.pid, end.reason) for end in found] == [(1979, "crash"), (1980, "low_memory"), (1979, "force_stopped")]


def test_the_systems_record_goes_before_the_log():
    at = datetime(2026, 9, 26, 18, 3, tzinfo=UTC)
    recorded = [End("low_memory", "x", at, 1979)]
    logged = [End("unknown", "y", at + timedelta(seconds=1), 1979), End("crash", "z", at, 1980)]
    assert [(end.pid, end.reason) for end in endings.merged(recorded, logged)] == [
        (1979, "low_memory"),
        (1980, "crash"),
    ]


def test_where_nobody_knows_it_may_be_ours():
    assert is_ours(None)
