"""What was seen and what was not, as bars: each says no more than the recording."""

import pytest

from appwitness.findings import Counted, ReportedGap
from appwitness.reports.page.sections import BAR_WIDTH as WIDTH
from appwitness.reports.page.sections import bars
from appwitness.reports.words import Words
from tests.reports import sample

EN = Words("en")


def said(report):
    return {bar.name: bar.said for bar in bars(report, EN)}


def watched(**changes):
    return sample.run().observers.model_copy(update={"hooks": True, "proxy": True, "consent": True, **changes})


def test_sources_stand_by_what_became_of_them():
    hooks = {"a": "installed", "b": "waiting", "c": "waiting", "d": "class_absent", "e": "install_failed"}
    (bar, *_) = bars(sample.report(run=sample.run(hooks=hooks), observers=watched()), EN)
    assert bar.said.startswith("1 of 5 hooked; 2 wait for a class")
    assert bar.said.endswith("1 are not on this device, 1 failed")
    assert [part.kind for part in bar.parts] == ["seen", "waiting", "unseen", "absent"]
    assert sum(part.width for part in bar.parts) == pytest.approx(WIDTH, abs=1)


def test_a_host_whose_traffic_could_not_be_read_is_not_counted_as_read():
    report = sample.report(observers=watched())
    assert said(report)["Hosts"] == "3 read, 2 with traffic that could not be read"


def test_bytes_that_the_system_counted_and_nobody_recorded():
    counted = Counted(by="netstats", what="bytes", subject="*", counted=1000, recorded=300, allowed=100)
    gap = ReportedGap(at=sample.at(1), where="proxy", subject="*", why="missed", counted=counted)
    report = sample.report(observers=watched(), gaps=(gap,))
    assert said(report)["Bytes sent"] == "at least 600 of 1,000 that the system counted were not recorded"


def test_what_nobody_watched_is_a_sentence_and_no_bar():
    report = sample.clean(observers=watched(hooks=False, consent=False))
    assert next(bar.said for bar in bars(report, EN) if not bar.parts) == "not observed: reads, what the user was asked"
    assert "Sources of personal data" not in said(report)
