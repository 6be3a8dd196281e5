"""Tests that every report says what recomputing the stamps came to, and where it comes from a real recording."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from appwitness.correlate import knowledge, report_on
from appwitness.correlate.verified import seal_of
from appwitness.events import AppIdentity, DeviceIdentity, Gap, Run
from appwitness.findings import OutsideTime, Seal, report_schema
from appwitness.judge.compare import compare
from appwitness.recording import Recording, verify
from appwitness.reports import FORMATS, LETTERS, render
from appwitness.reports import comparison as comparisons
from appwitness.store import Store
from tests.reports import sample

AT = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
FILES = {"accesses.jsonl": (17, sample.sha("a")), "uploads.jsonl": (4, sample.sha("u"))}
INTACT = Seal(outcome="intact", ok=True, stamps=7, digest=sample.sha("s"), at=AT, files=FILES)
SEALS = {
    "intact": INTACT,
    "intact_up_to": INTACT.model_copy(
        update={"outcome": "intact_up_to", "late": 3, "uncovered": {"accesses.jsonl": 3}}
    ),
    "altered": INTACT.model_copy(
        update={"outcome": "altered", "ok": False, "difference": "accesses.jsonl:5", "how": "differs"}
    ),
    "never_stamped": Seal(outcome="never_stamped", ok=False, stamps=0, files={}),
    "not_checked": None,
}
SAYS = {
    ("intact", "en"): "intact: recomputed, 21 lines match the stamps (7)",
    ("intact", "zh"): "21 行与 7 次封存一致",
    ("intact_up_to", "en"): "3 later lines are not covered (after accesses.jsonl:17)",
    ("intact_up_to", "zh"): "其后另有 3 行不在封存范围内（自 accesses.jsonl:17 之后）",
    ("altered", "en"): "ALTERED: this is not what was stamped. The first difference: accesses.jsonl:5 differs",
    ("altered", "zh"): "首处差异：accesses.jsonl:5",
    ("never_stamped", "en"): "never stamped",
    ("never_stamped", "zh"): "从未封存",
    ("not_checked", "en"): "were not checked for this report",
    ("not_checked", "zh"): "本报告未核验封存",
}


@pytest.mark.parametrize(("outcome", "lang"), SAYS)
@pytest.mark.parametrize("format_", ["text", "html", "sarif", "junit"])
def test_every_report_says_whether_the_recording_is_what_was_stamped(outcome, lang, format_):
    text = render(sample.report(verified=SEALS[outcome]), format_, lang=lang)
    if format_ == "sarif":
        properties = json.loads(text)["runs"][0]["properties"]
        assert properties["verified"] == outcome
        text = properties["verifiedDetail"]
    elif format_ == "junit":
        root = ET.fromstring(text)
        found = {one.get("name"): one.get("value") for one in root.iter("property")}
        assert found["verified"] == outcome
        text = found["verified.detail"] or ""
    assert SAYS[outcome, lang] in " ".join(text.split())


@pytest.mark.parametrize("format_", ["text", "html", "complaint"])
@pytest.mark.parametrize(("lang", "says"), [("en", "time-stamp tokens show the time"), ("zh", "时间戳令牌所示")])
def test_what_tokens_say_and_that_nobody_checked_who_signed_them(format_, lang, says):
    timed = INTACT.model_copy(update={"tokens": (OutsideTime(stamp="seal.jsonl:1", at=AT),)})
    text = render(sample.report(verified=timed), format_, lang=lang).replace("\n", "")
    assert says.replace(" ", "") in text.replace(" ", "")
    assert "seal.jsonl:12026-03-14T09:00:00.000000Z" in text.replace(" ", "")
    assert says.replace(" ", "") not in render(sample.report(verified=INTACT), format_, lang=lang).replace(" ", "")


@pytest.mark.parametrize("outcome", SEALS)
def test_it_is_in_the_json(outcome):
    tree = json.loads(render(sample.report(verified=SEALS[outcome]), "json"))
    jsonschema.validate(tree, report_schema())
    assert (tree["verified"]["outcome"] if tree["verified"] else "not_checked") == outcome


@pytest.mark.parametrize("format_", ["text", "html"])
def test_a_comparison_says_it_of_each_run(format_):
    reports = [
        sample.report(verified=SEALS[name], recording=name, run=sample.run(id=name)) for name in ("intact", "altered")
    ]
    text = " ".join(comparisons.render(compare(reports), format_, of=reports).split())
    assert f"Run 1: {SAYS['intact', 'en']}" in text
    assert f"Run 2: {SAYS['altered', 'en']}" in text


def recorded(folder) -> Recording:
    run = Run(id="r", app=AppIdentity(package="a.b"), device=DeviceIdentity(serial="lab", kind="lab"), started=AT)
    recording = Recording.create(folder, run)
    recording.append_all([gap(), gap()])
    recording.stamp()
    return recording


def gap() -> Gap:
    return Gap(at=AT, where="proxy", subject="x", why="detached")


def edited(recording: Recording) -> None:
    path = recording.path / "gaps.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"x"', b'"y"', 1))


def torn(recording: Recording) -> None:
    with (recording.path / "gaps.jsonl").open("ab") as file:
        file.write(b'{"v":1')


def unstamped(recording: Recording) -> None:
    (recording.path / "seal.jsonl").unlink()


def cut(recording: Recording) -> None:
    path = recording.path / "gaps.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])


HAPPENED = {
    "nothing": (lambda _: None, "intact_up_to", None, {}),
    "its end": (lambda one: one.stamp(final=True), "intact", None, {}),
    "a line later": (lambda one: one.append(gap()), "intact_up_to", None, {"gaps.jsonl": 1}),
    "an unfinished line": (torn, "intact_up_to", None, {"gaps.jsonl": 1}),
    "an edited line": (edited, "altered", "gaps.jsonl:1", {}),
    "a line cut": (cut, "altered", "gaps.jsonl:2", {}),
    "stamps removed": (unstamped, "never_stamped", None, {"gaps.jsonl": 2}),
}


@pytest.mark.parametrize("happened", HAPPENED)
def test_it_is_what_verifying_the_recording_gives(tmp_path, happened):
    change, outcome, difference, uncovered = HAPPENED[happened]
    recording = recorded(tmp_path / "r")
    change(recording)
    seal = seal_of(verify(recording.path))
    assert (seal.outcome, seal.difference, seal.uncovered) == (outcome, difference, uncovered)
    with Store(":memory:") as store:
        assert report_on(recording, store, knowledge()).verified == seal


def test_letters_are_among_the_formats_that_say_it():
    assert set(FORMATS) == {"text", "json", "html", "sarif", "junit", *LETTERS}  # letters: test_complaint.py
