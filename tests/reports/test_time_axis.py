from datetime import timedelta

import pytest

from appwitness.events import Consent, Phase, Upload
from appwitness.reports.time_axis import clock, consent_steps, span, step_for
from tests.reports import sample


def test_lines_of_the_device_are_put_on_the_hosts_clock():
    report = sample.report()
    assert report.host_time(report.accesses[1].event) == sample.at(2.1)
    assert report.host_time(report.uploads[0].event) == sample.at(1.1)
    mark = Consent(at=sample.at(9), signal="operator", status="given", by="operator")
    assert report.host_time(mark) == sample.at(9)
    assert report.host_time(Phase(at=sample.at(9), state="mark", text="lunch")) == sample.at(9)
    assert report.run.clock_offset_ms is not None
    of_the_device = sample.at(9) - timedelta(milliseconds=report.run.clock_offset_ms)
    for event in (
        Phase(at=sample.at(9), state="mark", text="started by a broadcast: X", pid=7),
        Phase(at=sample.at(9), state="foreground"),
        Upload(at=sample.at(9), via="sms"),
    ):
        assert report.host_time(event) == of_the_device


def line(seconds, signal, status, by, **more):
    return Consent(at=sample.at(seconds), signal=signal, status=status, by=by, **more)


def states(*lines):
    report = sample.report(
        run=sample.run(clock_offset_ms=0),
        consents=tuple((f"consents.jsonl:{number}", one) for number, one in enumerate(lines, start=1)),
    )
    return [step.state for step in consent_steps(report)]


def test_only_acts_change_the_answer():
    asked = line(1, "dialog", "requested", "app")
    agreed = line(3, "tap", "given", "user")
    assert states(asked, line(2, "preference", "given", "app"), line(2, "sdk_call", "refused", "app")) == ["requested"]
    assert states(asked, agreed, line(4, "dialog", "requested", "app")) == ["requested", "given"]
    assert states(asked, line(2, "tap", "given", "app")) == ["requested"]
    assert states(agreed, line(5, "operator", "withdrawn", "operator")) == ["given", "withdrawn"]
    assert states(asked, line(2, "tap", "given", "user", scope="ads_tracking")) == ["requested"]
    assert states(agreed, asked) == ["requested", "given"]


def test_the_line_that_made_it_so():
    steps = consent_steps(sample.report())
    found = [step_for(steps, sample.at(16.8), "refused"), step_for(steps, sample.at(6), "requested")]
    assert [step and step.ref for step in found] == ["consents.jsonl:2", "consents.jsonl:1"]
    assert step_for(steps, sample.at(2), "not_shown") is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.34, "340 ms"), (0, "0 ms"), (2.44, "2.4 s"), (-2.44, "2.4 s"), (185, "3 min 5 s"), (7260, "2 h 1 min")],
)
def test_a_span_as_a_person_says_it(seconds, said):
    assert span(seconds) == said


def test_a_time_of_day_has_milliseconds():
    assert clock(sample.at(1.0456)) == "01:20:01.045"
