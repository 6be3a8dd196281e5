from monitor.findings import CONFIDENCES, LEVELS
from monitor.reports.verdict import verdict, worst_first
from monitor.reports.words import Words
from tests.reports import sample

EN = Words("en")


def test_findings_are_counted_by_level():
    said = verdict(sample.report(), EN)
    assert (said.line, said.tone) == ("7 findings: 4 high, 3 medium", "high")
    assert said.more.endswith("There are also gaps: 5 things could not be observed.")


def test_gaps_alone_are_not_clean():
    said = verdict(sample.clean(gaps=sample.report().gaps[:1]), EN)
    assert said.tone == "gaps"
    assert "not clean" in said.line
    assert said.more.startswith("1 gap was recorded.")


def test_a_run_without_hooks_says_so_first():
    seen = sample.report()
    said = verdict(seen.model_copy(update={"run": seen.run.model_copy(update={"unhooked": "Frida ended"})}), EN)
    assert said.line.startswith("Traffic only: no hooks were in the app. 7 findings")
    assert said.more.startswith("What the app read was not seen (Frida ended)")


def test_neither_findings_nor_gaps():
    assert verdict(sample.clean(), EN).tone == "none"


def test_worst_first_then_surest():
    order = [
        (LEVELS.index(finding.level), CONFIDENCES.index(finding.confidence)) for finding in worst_first(sample.report())
    ]
    assert order == sorted(order)
