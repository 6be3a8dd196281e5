"""The files of a gate: what they hold, what they refuse with the line, and what happens to them."""

import os
from datetime import date, timedelta

import pytest
import yaml

from appwitness.api.accepting import write_baseline
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.findings import Flow, Match, Recipient
from appwitness.gate import Accepted, GatePolicy, allowed, baseline, gate, release, waivers
from appwitness.gate.behaviours import side
from appwitness.gate.changes import changes
from appwitness.support.errors import FileError, UserError
from tests.gate.runs import START, finding, gap, report

PHONE = finding()
READ = finding(rule="read-before-consent", host=None, level="medium", consent="not_shown")
TODAY = date(2026, 11, 28)


@pytest.fixture(scope="module")
def known():
    return knowledge().recipients


def written(*findings, **fields):
    return baseline.of(side([report(*findings, **fields)], {}), "com.example.weather")


def updated(known, old, *runs, accept_new=None):
    now = side(runs, {})
    against = changes(now, old.made, {each.id: each for each in old.findings}, known)
    return baseline.updated(old, against, now.made, accept_new)


def test_a_baseline_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "b.yml"
    made = written(PHONE, READ)
    path.write_text(baseline.text(made))
    assert baseline.read(path) == made.model_copy(
        update={"findings": tuple(sorted(made.findings, key=lambda each: each.rule))}
    )


def test_a_baseline_is_the_same_bytes_whatever_the_order():
    assert baseline.text(written(PHONE, READ)) == baseline.text(written(READ, PHONE))


def test_a_finding_is_a_line_without_personal_data():
    lines = [line for line in baseline.text(written(PHONE, READ)).splitlines() if line.startswith("  - ")]
    assert [yaml.safe_load(line)[0]["rule"] for line in lines] == ["read-before-consent", "sent-before-consent"]


@pytest.mark.parametrize("word", ["yes", "no", "null", "on", "1", "2026-11-28", "a: b", "#x", "{", "é", "- x", "~"])
def test_any_text_survives_yaml(tmp_path, word):
    path = tmp_path / "b.yml"
    path.write_text(baseline.text(written(finding(actor=word, host="x.test"), plan="accept")))
    assert baseline.read(path).findings[0].actor == word


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("  - {id: v2:1}", "id"),
        ("findings: 7", "findings"),
        ("shade: 1", "shade"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, what):
    path = tmp_path / "b.yml"
    text = baseline.text(written(PHONE))
    path.write_text(
        text.replace("findings:\n", "findings:\n" + line + "\n") if line.startswith(" ") else text + line + "\n"
    )
    with pytest.raises(FileError, match=what) as error:
        baseline.read(path)
    assert error.value.line is not None


def test_update_takes_out_what_is_gone_and_never_what_was_not_observed(known):
    old = written(PHONE, READ)
    assert {each.rule for each in updated(known, old, report(READ)).findings} == {"read-before-consent"}
    partial = report(READ, gaps=[gap("ads.adnet.test")])
    assert {each.rule for each in updated(known, old, partial).findings} == {
        "read-before-consent",
        "sent-before-consent",
    }
    assert set(updated(known, old, report(plan="silent")).findings) == set(old.findings)


def test_update_takes_in_what_is_new_or_worse_only_with_a_reason(known):
    old = written(finding(level="medium"))
    now = report(PHONE, READ)
    assert set(updated(known, old, now).findings) == set(old.findings)
    accepted = updated(known, old, now, accept_new="Release 4.2, reviewed")
    assert {(each.rule, each.level) for each in accepted.findings} == {
        ("sent-before-consent", "high"),
        ("read-before-consent", "medium"),
    }
    assert accepted.accepted == "Release 4.2, reviewed"


def test_update_keeps_plans_that_were_not_run(known):
    both = [report(PHONE), report(PHONE, plan="refuse", name="r2")]
    old = baseline.of(side(both, {}), "com.example.weather")
    (kept,) = updated(known, old, report(PHONE)).findings
    assert kept.plans == ("accept", "refuse")


def test_a_merge_conflict_is_refused_and_merged(tmp_path):
    ours, theirs = baseline.text(written(PHONE)), baseline.text(written(READ))
    path = tmp_path / "b.yml"
    path.write_text(f"<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> theirs\n")
    with pytest.raises(FileError, match="merge conflict"):
        baseline.read(path)
    merged = baseline.merged(path)
    assert {each.rule for each in merged.findings} == {"sent-before-consent", "read-before-consent"}
    path.write_text(baseline.text(merged))
    assert baseline.read(path).findings


WAIVER = """
version: 1
waivers:
  - id: W-14
    match: {rule: sent-before-consent, data: phone_number, recipient: "*.test", actor: AdNet}
    owner: privacy@example.com
    reason: Crash reports before login, assessment of 2026-10
    expires: 2027-02-01
"""


def waived(tmp_path, text=WAIVER, today=TODAY):
    path = tmp_path / "w.yml"
    path.write_text(text)
    return waivers.read(path, today)


@pytest.mark.parametrize(
    "match",
    [
        "rule: r, recipient: '*'",
        "rule: r, recipient: '**'",
        "rule: r, recipient: '?*'",
        "rule: r, recipient: '*.*'",
        "rule: r, recipient: '[!x]*'",
        "rule: r, recipient: '*a*'",
        "rule: r, actor: '*'",
        "rule: r, data: phone_number, recipient: '*'",
        "rule: '*', data: phone_number",
        "rule: 'sent*', data: phone_number",
        "rule: r, plans: ['*']",
        "rule: r",
    ],
)
def test_a_waiver_of_nearly_all_is_refused_with_its_line(tmp_path, match):
    text = (
        "version: 1\nwaivers:\n  - id: W\n    match: {%s}\n    owner: a\n    reason: long enough\n"
        "    expires: 2027-01-01\n"
    )
    with pytest.raises(FileError) as raised:
        waived(tmp_path, text % match)
    assert raised.value.line == 4
    assert waived(tmp_path, text % "rule: r, recipient: '*.adnet.test', actor: 'AdN*'").entries


@pytest.mark.parametrize("finding", ["*", "v2:*", "v2:************"])
def test_a_waiver_names_one_fingerprint(finding):
    with pytest.raises(UserError, match="finding"):
        waivers.entry(
            {"id": "W", "finding": finding, "owner": "a", "reason": "long enough", "expires": "2026-12-01"}, TODAY
        )


ODD = "a\x7f\ufffe\uffff\x85\u2028\ufeff\U0001f600: 1:30 é"


def test_what_yaml_cannot_hold_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "w.yml"
    fields = {"id": ODD, "finding": f"v2:{'a' * 12}", "owner": ODD, "reason": ODD, "expires": "2026-12-01"}
    path.write_text(waivers.added(path, waivers.entry(fields, TODAY), TODAY), "utf-8", newline="")
    ((waiver, _),) = waivers.read(path, TODAY).entries
    assert (waiver.id, waiver.owner, waiver.reason) == (ODD, ODD, ODD)
    made = written(finding(actor=ODD)).model_copy(update={"accepted": ODD})
    path.write_text(baseline.text(made), "utf-8", newline="")
    assert baseline.read(path) == made


def test_half_a_character_is_refused_where_a_file_is_written():
    with pytest.raises(UserError, match="half of a surrogate pair"):
        baseline.text(written(PHONE).model_copy(update={"accepted": "\udcff"}))


def outcome(known, waiver_file, *findings):
    return gate([report(*findings)], None, Accepted(waivers=waiver_file), GatePolicy(), known)


def test_a_waiver_mutes_until_its_day_and_names_owner_and_line_afterwards(known, tmp_path):
    muted = outcome(known, waived(tmp_path), PHONE)
    assert muted.outcome == "passed"
    assert muted.changes[0].waiver.state == "active"
    last = outcome(known, waived(tmp_path, today=date(2027, 2, 1)), PHONE)
    assert last.outcome == "passed"
    ended = outcome(known, waived(tmp_path, today=date(2027, 2, 2)), PHONE)
    assert ended.outcome == "failed"
    assert ended.changes[0].waiver.owner == "privacy@example.com"
    assert ended.changes[0].waiver.place.endswith("w.yml:4")


def test_an_expired_waiver_fails_what_the_baseline_knows_too(known, tmp_path):
    against = release([report(PHONE)], {})
    accepted = Accepted(waivers=waived(tmp_path, today=date(2027, 2, 2)))
    assert gate([report(PHONE)], against, accepted, GatePolicy(), known).outcome == "failed"


def test_a_waiver_never_mutes_more_than_it_is_for(known, tmp_path):
    file = waived(tmp_path, WAIVER + "    up_to: low\n")
    broken = outcome(known, file, PHONE)
    assert broken.outcome == "failed"
    assert broken.changes[0].waiver.state == "exceeded"


def test_a_waiver_for_a_plan_is_for_no_other(known, tmp_path):
    file = waived(tmp_path, WAIVER.replace("actor: AdNet", "plans: [silent]"))
    assert outcome(known, file, PHONE).outcome == "failed"


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("owner: privacy@example.com", "", "owner"),
        ("reason: Crash reports before login, assessment of 2026-10", "reason: short", "reason"),
        ("expires: 2027-02-01", "expires: 2030-01-01", "180 days"),
        (', data: phone_number, recipient: "*.test", actor: AdNet', "", "alone"),
        ("id: W-14", "id: W-14\n    until: 2027-01-01", "until"),
    ],
)
def test_a_waiver_that_would_last_for_ever_is_refused(tmp_path, before, after, what):
    with pytest.raises(FileError, match=what) as error:
        waived(tmp_path, WAIVER.replace(before, after))
    assert error.value.line is not None


def test_remarks_on_waivers(tmp_path):
    file = waived(tmp_path, today=date(2027, 1, 25))
    assert [remark.what for remark in file.remarks([])] == ["waiver_expires_soon", "waiver_unused"]


def test_a_waiver_is_added_and_comments_stay(tmp_path):
    path = tmp_path / "w.yml"
    path.write_text("# ours\n" + WAIVER.strip() + "\n")
    fields = {
        "id": "W-15",
        "finding": "v2:0123456789ab",
        "owner": "me",
        "reason": "long enough: #1",
        "expires": "2027-01-01",
    }
    text = waivers.added(path, waivers.entry(fields, TODAY), TODAY)
    assert text.startswith("# ours\n")
    path.write_text(text)
    assert [entry.id for entry, _ in waivers.read(path, TODAY).entries] == ["W-14", "W-15"]
    with pytest.raises(UserError, match="W-15 already"):
        waivers.added(path, waivers.entry(fields, TODAY), TODAY)
    path.write_text("version: 1\nwaivers: []\n")
    with pytest.raises(UserError, match="end of"):
        waivers.added(path, waivers.entry(fields, TODAY), TODAY)


def flow(data="location", host="api.weather.test", consent="given", found="31.230,121.474", number=1):
    match = Match(type=data, value=found, variant="plain", path="$.p", start=0, end=9, confidence=1, found=found)
    return Flow(
        id=f"f{number}", upload=f"uploads.jsonl:{number}", data=data, consent=consent,
        recipient=Recipient(host=host), matches=(match,), at=START + timedelta(seconds=number),
    )  # fmt: skip


FLOWS = """
version: 1
allowed:
  - {data: location, recipient: api.weather.test, consent: given, precision_m: 100, plans: [accept], reason: weather}
forbidden:
  - {data: contacts_of_device}
"""


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        (flow(), None),
        (flow(found="31.230416,121.473701"), "not_allowed"),
        (flow(found="wtw3sjq6q"), "not_allowed"),
        (flow(consent="refused"), "not_allowed"),
        (flow(host="ads.adnet.test"), "not_allowed"),
        (flow(host="127.0.0.1"), None),
        (flow("device_contacts", found="x"), "forbidden"),
    ],
)
def test_flows(known, tmp_path, sent, what):
    path = tmp_path / "f.yml"
    path.write_text(FLOWS.replace("contacts_of_device", "device_contacts"))
    told = gate([report(flows=(sent,))], None, Accepted(flows=allowed.read(path)), GatePolicy(), known)
    assert [each.what for each in told.flows] == ([what] if what else [])
    assert told.outcome == ("failed" if what else "passed")
    if what == "forbidden":
        assert str(told.flows[0].place).endswith("f.yml:6")


@pytest.mark.parametrize("hostile", ["link", "nowhere", "pipe", "folder"])
def test_nothing_is_written_through_what_a_stranger_put_there(tmp_path, hostile):
    folder = tmp_path / "theirs"
    folder.mkdir()
    path, mine = folder / baseline.NAME, tmp_path / "mine"
    if hostile == "link":
        mine.write_text("mine")
    if hostile in ("link", "nowhere"):
        path.symlink_to(mine)
    elif hostile == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(UserError):
        write_baseline(path, written(PHONE))
    assert not mine.exists() or mine.read_text() == "mine"


def test_a_file_there_is_written_anew(tmp_path):
    (tmp_path / "real.yml").write_text("")
    (tmp_path / baseline.NAME).symlink_to("real.yml")
    write_baseline(tmp_path / baseline.NAME, written(PHONE))
    assert baseline.read(tmp_path / "real.yml").findings
