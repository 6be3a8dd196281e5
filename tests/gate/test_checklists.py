"""Each item of each checklist that recordings can answer: one that fails it, one that nearly does, and not observed."""

import json
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

from appwitness.api import checklists
from appwitness.api.judging import judging
from appwitness.gate.checklist_filling import fill
from tests.recordings.builder.case import write
from tests.recordings.builder.listed import NUMBER_UNDECLARED, VARIANTS, whole, whole_runs
from tests.recordings.written import RECORDINGS

FAILS = {
    "cn-164": {
        "1.1.1": ("own-early-unasked", "own-early-asked"),
        "1.1.2": ("own-early-asked", "sdk-early-asked"),
        "1.1.3": ("own-sent-to-maker", "sdk-sent-to-network"),
        "1.1.4": ("sdk-early-unasked", "own-early-unasked"),
        "1.1.5": ("sdk-early-asked", "sdk-early-unasked"),
        "1.1.6": ("sdk-sent-to-network", "own-sent-to-maker"),
        "1.1.7": ("invalid-consent-button", "invalid-consent-button-nearly"),
        "1.1.8": ("pre-ticked-consent", "pre-ticked-consent-nearly"),
        "1.2.2": ("read-too-often", "read-too-often-nearly"),
        "1.2.4": ("read-too-often", "read-too-often-nearly"),
        "1.2.5": ("own-late", "sdk-late"),
        "1.2.6": ("own-late-often", "own-late"),
        "1.2.7": ("sdk-late", "own-late"),
        "1.2.8": ("sdk-late-often", "sdk-late"),
        "1.3.1": ("sdk-sent-to-network-early", "sdk-sent-to-network"),
        "1.3.2": ("sdk-sent-to-network", "own-sent-to-maker"),
        "2.1.1": ("forced-permission", "forced-permission-nearly"),
        "2.1.5": ("repeated-prompts", "repeated-prompts-nearly"),
        "2.1.7": ("permission-before-purpose", "permission-before-purpose-nearly"),
        "2.2.1": ("read-at-self-start", "read-at-self-start-nearly"),
        "2.2.2": ("self-start-unanswered", "read-at-self-start"),
    },
    "cn-191": {
        "1.2": ("no-first-run-notice", "no-first-run-notice-nearly"),
        "2.1": ("undeclared-data", "undeclared-data-nearly"),
        "2.3": ("permission-before-purpose", "permission-before-purpose-nearly"),
        "3.1": ("sent-before-consent", "read-before-consent-nearly"),
        "3.2": ("sent-after-refusal", "sent-after-refusal-nearly"),
        "3.3": ("undeclared-data", "undeclared-data-nearly"),
        "3.4": ("pre-ticked-consent", "pre-ticked-consent-nearly"),
        "3.5": ("permission-changed", "permission-changed-nearly"),
        "3.6": ("ads-after-opt-out", "ads-after-opt-out-nearly"),
        "3.9": ("undeclared-recipient", "undeclared-recipient-nearly"),
        "4.1": ("read-outside-scope", "read-outside-scope-nearly"),
        "4.2": ("forced-permission", "forced-permission-nearly"),
        "4.4": ("read-too-often", "read-too-often-nearly"),
        "4.6": ("bundled-and-forced", "bundled-permissions"),
        "5.1": ("third-party-not-covered", "third-party-not-covered-nearly"),
    },
    "eu-audit": {
        "6": ("own-sent-to-maker-early", "own-sent-to-maker"),
        "7": ("read-before-consent", "read-before-consent-nearly"),
        "8": ("sent-after-refusal", "sent-after-refusal-nearly"),
        "9": ("sent-after-withdrawal", "sent-after-withdrawal-nearly"),
        "14": ("undeclared-recipient", "undeclared-recipient-nearly"),
        "17": ("sdk-early-asked", "own-early-asked"),
        "18": ("forced-consent", "forced-consent-nearly"),
    },
    "masvs-privacy": {
        "MASTG-TEST-0206": ("undeclared-data", "undeclared-data-nearly"),
        "MASTG-TEST-0236": ("sent-in-cleartext", "sent-in-cleartext-nearly"),
        "MASTG-TEST-0256": ("permission-before-purpose", "permission-before-purpose-nearly"),
        "1.8.1.1": ("read-outside-scope", "read-outside-scope-nearly"),
        "1.8.2.1": ("undeclared-data", "undeclared-data-nearly"),
    },
}
"""List -> item -> a recording that fails it, and one that nearly does."""
ROWS = [(name, item, *both) for name, items in FAILS.items() for item, both in items.items()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@cache
def judge(policy: Path | None, app_type: str | int | None):
    return judging(db="sqlite://", policy=policy, app_type=app_type, territory="CN")


def recording(name: str, folder: Path) -> Path:
    """One of the variants, written now, or one of the recordings of rules."""
    if name not in VARIANTS:
        return RECORDINGS / name
    if not (folder / name).exists():
        case = VARIANTS[name]()
        case.name = case.run["id"] = name
        write([case], folder)
    return folder / name


def clean(like: Path, folder: Path) -> list[Path]:
    """Whole runs of that app, one of each plan."""
    app = json.loads((like / "run.json").read_text("utf-8"))["app"]["package"]
    if not (folder / app).exists():
        write(whole_runs(app), folder / app)
    return sorted((folder / app).iterdir())


def by(like: Path, folder: Path):
    """As the recording's own table says that it is judged; else by a policy that names the location only."""
    said = json.loads((like / "expected.json").read_text("utf-8"))
    policy = like / said["policy"] if "policy" in said else folder / "policy.yml"
    (folder / "policy.yml").write_text(NUMBER_UNDECLARED, "utf-8")
    type_ = said.get("app_type") or json.loads((like / "run.json").read_text("utf-8"))["app_type"] or 9
    return policy, type_


@cache
def listed(name: str):
    return checklists.checklist(name, judge(None, None).known)


@cache
def report(path: Path, how):
    return judge(*how).report(path)


def state(name: str, item: str, paths: list[Path], how):
    judged = judge(*how)
    options: tuple[Literal["policy", "app_type"], ...] = ("policy", "app_type")
    given = [name for name in options if getattr(judged.known, name) is not None]
    filled = fill(listed(name), [report(path, how) for path in paths], given)
    return next(each for each in filled.items if each.item == item)


def test_each_item_that_recordings_answer_has_its_row():
    known = judge(None, None).known
    listed = {each.id: {item.item for item in each.items if item.fails} for each in checklists.checklists(known)}
    assert {name: set(items) for name, items in FAILS.items()} == listed


@pytest.mark.parametrize(("name", "item", "fails", "nearly"), ROWS, ids=str)
def test_item(name, item, fails, nearly, folder):
    bad, near = recording(fails, folder), recording(nearly, folder)
    judged = by(bad, folder)
    found = state(name, item, [bad], judged)
    assert found.state == "fail"
    assert all(each.evidence and each.recording == bad.name for each in found.failing)
    judged = by(near, folder)
    others = clean(near, folder)
    found = state(name, item, [near, *others], judged)
    assert found.state == ("by_hand" if found.by_hand else "nothing_seen"), found.reasons
    assert not found.reasons
    assert found.watched
    # One run, or all but the runs of one plan, show too little; so do runs that ended soon.
    for left in ([near], *([path for path in others if plan not in path.name] for plan in found.plans)):
        alone = state(name, item, left, judged)
        assert alone.state == ("by_hand" if alone.by_hand else "not_observed")
        assert alone.reasons


HOLES = {
    "hook": ("hooks", ("hook", "android.telephony.TelephonyManager.getLine1Number", "install_failed")),
    "proxy": ("proxy", ("proxy", "api.example.test", "tls_refused")),
    "device": ("consent", ("device", "consent", "not_observed")),
}


@pytest.mark.parametrize("where", HOLES)
def test_what_was_not_watched_is_never_nothing_seen(where, tmp_path):
    need, gap = HOLES[where]
    cases = list(whole_runs())
    for case in cases:
        case.gap(50, *gap)
    write(cases, tmp_path)
    for name, item, *_ in ROWS:
        found = state(name, item, sorted(tmp_path.iterdir()), (None, 9))
        assert found.state != "nothing_seen" or need not in found.needs
        if need in found.needs:
            assert "gap" in {reason.why for reason in found.reasons}


def test_a_short_run_never_shows_that_nothing_was_seen(tmp_path):
    write(whole_runs(ends=50), tmp_path)
    judged = judge(None, 9)
    for each in checklists.checklists(judged.known):
        filled = checklists.filled(each, sorted(tmp_path.iterdir()), judged)
        assert not [item.item for item in filled.items if item.state == "nothing_seen"]
        assert all(item.reasons for item in filled.items if item.plans)


def test_an_answer_that_the_plan_has_and_nobody_saw_leaves_it_open(tmp_path):
    cases = [case for case in whole_runs() if case.run["plan"] != "refuse"]
    unanswered = whole("silent", name="whole-refuse")
    unanswered.run["plan"] = "refuse"
    write([*cases, unanswered], tmp_path)
    found = state("cn-191", "3.2", sorted(tmp_path.iterdir()), (None, 9))
    assert (found.state, {each.why for each in found.reasons}) == ("not_observed", {"answer", "gap"})


def test_what_rests_on_an_assumption_fails_nothing(tmp_path):
    case = whole("accept")
    for kind in ("consent", "screen"):
        case.lines.pop(kind, None)
    case.run["observers"] = {"hooks": True, "proxy": True, "consent": False}
    case.read(10, *_number())
    write([case], tmp_path)
    judged = judging(db="sqlite://", assume_consent="none")
    filled = fill(listed("cn-191"), [judged.report(tmp_path / "whole-accept")])
    (found,) = (each for each in filled.items if each.item == "3.1")
    assert found.state == "not_observed"
    assert found.doubtful
    assert "doubtful" in {each.why for each in found.reasons}


def _number():
    from tests.recordings.builder.listed import OWN
    from tests.recordings.builder.reads import NUMBER

    return NUMBER, OWN
