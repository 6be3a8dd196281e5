"""Programs write down what is accepted: baselines and waivers."""

from datetime import date, timedelta

import pytest

import appwitness
from appwitness.api import accepting
from appwitness.api.gating import GatedRuns, GateText, render, sentence
from appwitness.api.judging import judging
from appwitness.gate import baseline as files
from appwitness.support.errors import UserError
from tests.recordings.written import RECORDINGS

TODAY = date(2027, 1, 1)
SHOWS, CLEAN = RECORDINGS / "sent-after-refusal", RECORDINGS / "sent-after-refusal-nearly"


@pytest.fixture
def by(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return judging(db="sqlite://")


@pytest.fixture
def waiving(tmp_path):
    """The entry of a waiver, and the file."""
    fields = {"owner": "Ada", "reason": "It is fixed next week.", "expires": "2027-01-10", "ticket": None, "id": None}
    return fields, accepting.WaiverList(tmp_path / "waivers.yml", TODAY, 180)


def test_a_baseline_takes_in_what_is_new_only_with_a_reason(tmp_path, by):
    file = tmp_path / "appwitness-baseline.yml"
    accepting.write_baseline(file, accepting.baseline([CLEAN], GatedRuns(), by))
    found = accepting.against(file, [SHOWS], GatedRuns(), by)
    assert {each.change for each in found.worse} == {"new"}
    (new,) = (each for each in found.worse if each.behaviour.rule == "sent-after-refusal")
    assert new in found.differing
    assert new.behaviour not in found.updated().findings
    assert new.behaviour in found.updated("It is declared.").findings
    assert new.behaviour not in found.pruned().findings
    accepting.write_baseline(file, found.updated("It is declared."))
    assert accepting.against(file, [SHOWS], GatedRuns(), by).worse == []
    with pytest.raises(UserError, match="it has no merge conflict"):
        accepting.merged(file)
    with pytest.raises(UserError, match="There is no"):
        accepting.against(tmp_path / "none.yml", [SHOWS], GatedRuns(), by)
    assert files.read(file).accepted == "It is declared."


def test_a_waiver_of_a_finding_is_used_until_it_ends(by, waiving):
    fields, file = waiving
    with pytest.raises(UserError, match="There is no"):
        file.check([], GatedRuns(), by)
    file.add(f"{SHOWS}:1", fields, GatedRuns(), by)
    assert file.check([SHOWS], GatedRuns(), by) == (1, file.check([], GatedRuns(), by).remarks)
    (unused,) = (each for each in file.check([CLEAN], GatedRuns(), by).remarks if each.what == "waiver_unused")
    assert (unused.subject, sentence(unused)) == ("W-1", sentence(unused, "en"))
    later = accepting.WaiverList(file.path, TODAY + timedelta(days=30), 180)
    assert [each.what for each in later.check([], GatedRuns(), by).remarks] == ["waiver_expired"]


def test_findings_are_named_as_a_report_counts_them(by):
    made = accepting.fingerprint(f"{SHOWS}:1", GatedRuns(), by)
    assert made == accepting.fingerprint(made, GatedRuns(), by)
    for wrong, says in ((f"{SHOWS}:99", "has 2 findings"), ("nothing", "is not a finding")):
        with pytest.raises(UserError, match=says):
            accepting.fingerprint(wrong, GatedRuns(), by)


def test_a_decision_is_written_in_any_format_and_masked(by):
    decided = appwitness.gate(SHOWS, db="sqlite://")
    report = by.report(SHOWS)
    assert "sent-after-refusal" in render(decided, [report], "json")
    assert render(decided, [report], how=GateText("zh")) != render(decided, [report])
    with pytest.raises(UserError, match="no gate format 'yaml'"):
        render(decided, [report], "yaml")
