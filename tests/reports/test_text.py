import shutil

import pytest
from rich.cells import cell_len

from appwitness.correlate import report_on
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.findings import Recipient
from appwitness.findings.mask import masked
from appwitness.recording import Recording
from appwitness.reports import render
from appwitness.reports.text import render as text
from appwitness.store import Store
from tests.recordings.written import RECORDINGS
from tests.reports import sample


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_reference_is_broken(width, verbose, lang):
    shown = text(masked(sample.report()), width=width, verbose=verbose, colour=False, lang=lang)
    commands = "  appwitness "  # which are to be copied, so that they are on one line however long
    assert max(cell_len(line) for line in shown.splitlines() if not line.startswith(commands)) <= width
    if width >= 80 and verbose:
        for finding in sample.report().findings:
            assert all(ref in shown for ref in finding.evidence[:3])
    assert "\x1b" not in shown


BOOK = "data of 12 of 12 people in the address book (names of 12, one number each)"


def test_colour_only_when_asked_for():
    assert "\x1b[" in text(sample.report(), width=80, colour=True)
    assert "\x1b" not in render(sample.report(), "text")


def test_the_worst_comes_first():
    shown = text(sample.report(), width=80, colour=False)
    assert shown.index("7 findings: 4 high, 3 medium") < shown.index("HIGH") < shown.index("MEDIUM")
    assert shown.rindex("HIGH") < shown.index("MEDIUM")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ["address-book-upload", "sent-after-refusal", "third-party-not-covered"])
def test_a_report_is_one_screen(tmp_path, name, lang):
    path = shutil.copytree(RECORDINGS / name, tmp_path / name)
    report = report_on(Recording.open(path), Store(tmp_path / "index.sqlite"), knowledge())
    shown = text(report, width=80, colour=False, lang=lang)
    assert 10 < len(shown.splitlines()) <= 40


def test_a_recipient_is_told_with_what_when_how_sure_and_where_to_look():
    shown = text(sample.report(), width=160, colour=False)
    entry = shown[shown.index("HIGH  data of 12") :]
    entry = entry[: entry.index("\n\n")]
    assert entry.splitlines() == [
        f"HIGH  {BOOK} -> api.circle.test (Circle, first party)",
        "  2.4 s before the user was asked   accesses.jsonl:2 -> uploads.jsonl:2  f1",
        "  2.3 s after “Disagree” (refused)  accesses.jsonl:2 -> uploads.jsonl:6  f5",
        "  proven; as plain, sha256",
        "  address-book-upload  sent-before-consent  sent-after-refusal",
    ]


def test_what_no_rule_objects_to_is_one_line():
    shown = text(sample.report(findings=()), width=200, colour=False)
    assert f"Sent, and no rule objects: {BOOK} -> api.circle.test (Circle, first party)" in shown


def test_a_finding_on_reads_alone_is_told_by_itself():
    findings = tuple(finding.model_copy(update={"flows": ()}) for finding in sample.report().findings[:1])
    shown = text(sample.report(findings=findings), width=80, colour=False)
    assert "HIGH  Other people's contact data was" in shown
    assert "accesses.jsonl:2, uploads.jsonl:2" in shown


def test_a_finding_in_full_says_what_to_whom_when_how_sure_and_where_to_look():
    shown = text(sample.report(findings=sample.report().findings[:1]), verbose=True, width=100, colour=False)
    for part in (
        "Other people's contact data was", "address book", "api.circle.test (first party)", "seen 2 times",
        "no question", "proven", "address-book-upload", "accesses.jsonl:2", "uploads.jsonl:6",
    ):  # fmt: skip
        assert part in shown


def test_gaps_are_counted_by_kind():
    shown = text(sample.report(), width=80, colour=False)
    assert "What could not be observed (5): on the network, the TLS handshake with the proxy\n" in shown
    assert "failed, usually because of certificate pinning (2);" in shown
    shown = text(sample.report(), verbose=True, width=80, colour=False)
    assert "What could not be observed (5)\n" in shown
    assert "2  on the network: the TLS handshake with the proxy failed" in shown


@pytest.mark.parametrize("width", [100, 30])
def test_it_ends_with_commands_that_can_be_copied(width):
    shown = text(sample.report(path="my recordings/r 1"), width=width, colour=False)
    assert "appwitness report 'my recordings/r 1' --format html --output report.html" in shown
    assert "appwitness verify 'my recordings/r 1'" in shown


def test_many_findings_of_a_rule_are_told_together():
    base = sample.report().findings[4]
    findings = tuple(
        base.model_copy(
            update={"recipient": Recipient(host=f"h{number}.test"), "evidence": (f"uploads.jsonl:{number}",)}
        )
        for number in range(1, 101)
    )
    shown = text(sample.report(findings=findings), verbose=True, width=80, colour=False)
    assert "100 findings: 100 high" in shown
    assert "seen 100 times" in shown
    assert shown.count("sent-before-consent") == 2
    assert "> h1.test" in shown
    assert "> +97 more" in shown
