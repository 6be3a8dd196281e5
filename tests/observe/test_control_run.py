"""A run without hooks becomes lines of the main run, which is held against them when it is correlated."""

from datetime import UTC, datetime, timedelta

from appwitness.correlate import report_on
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.events import AppIdentity, DeviceIdentity, Observers, Run, Upload, Witness
from appwitness.observe.control_run import seen_without_hooks
from appwitness.recording import Recording
from appwitness.store import Store

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)


def at(second):
    return START + timedelta(seconds=second)


def run(name, begin, end):
    return Run(
        id=name,
        app=AppIdentity(package="com.example"),
        device=DeviceIdentity(serial="x", kind="phone"),
        observers=Observers(proxy=True),
        started=at(begin),
        ended=at(end),
    )


def upload(second, host, size):
    return Upload(at=at(second), via="http", url=f"https://{host}/", host=host, size=size)


def test_what_only_the_run_without_hooks_showed_is_a_gap_of_the_run_proper(tmp_path):
    with Recording.create(tmp_path / "control", run("control", 0, 60)) as control:
        control.append_all([upload(5, "api.a.test", 10), upload(6, "t.b.test", 20), upload(7, "t.b.test", 30)])
        control.append(Witness(at=at(61), by="exit_info", subject="USER_REQUESTED", count=1, until=at(58)))
        lines = seen_without_hooks(control)

    assert [(each.subject, each.count, each.size) for each in lines] == [
        ("run", None, None),
        ("api.a.test", 1, 10),
        ("t.b.test", 2, 50),
    ]
    assert (lines[0].since, lines[0].until, lines[0].by) == (at(0), at(58), "control")

    with Recording.create(tmp_path / "run", run("watched", 100, 160)) as watched:
        watched.append_all(lines)
        watched.append(upload(105, "api.a.test", 10))
        report = report_on(watched, Store(tmp_path / "i.sqlite"), knowledge())
    told = [(gap.subject, gap.counted.what, gap.counted.counted) for gap in report.gaps if gap.counted]
    assert told == [("t.b.test", "host", 50)]
