"""Marks made, corrected and taken back by the command line, and what reports then say; nothing sealed is changed."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appwitness import events
from appwitness.cli.verbs import main
from appwitness.recording import Recording
from tests.recordings.builder.case import START, Case, recorded
from tests.recordings.builder.reads import NUMBER, PHONE

AHEAD_MS = 2500.0
"""The device's clock."""


def device(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds, milliseconds=AHEAD_MS)


@pytest.fixture
def path(tmp_path):
    """A copy of a sealed recording: asked, agreed by a tap, then a number read and sent."""
    of_device = AHEAD_MS / 1000
    case = Case("run-marks", "By hand.", plan="free", app="com.example.pages", offset_ms=AHEAD_MS)
    case.asked(1 + of_device, "Privacy").tapped(2 + of_device, "given", "Agree").read(3 + of_device, NUMBER)
    case.sent(4, "https://api.pages.test/login", {"phone": PHONE})
    with recorded(case, tmp_path / "original") as recording:
        recording.stamp(final=True)
    return Path(shutil.copytree(tmp_path / "original", tmp_path / "recordings/copy"))


def run(*args: object, code: int = 0):
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result


def mark(*args: object):
    return run("mark", *args)


def lines(path: Path) -> list[Any]:
    return [events.parse(raw) for raw in (path / "consents.jsonl").read_bytes().splitlines()]


def found(path: Path, code: int) -> dict[str, tuple[str, ...]]:
    """Rule -> evidence."""
    report = json.loads(run("report", path, "--format", "json", code=code).stdout)
    return {each["rule"]: tuple(each["evidence"]) for each in report["findings"]}


def sent(path: Path, code: int) -> dict[str, tuple[str, ...]]:
    """The same of what was sent."""
    return {rule: evidence for rule, evidence in found(path, code).items() if rule.startswith("sent-")}


def verified(path: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(run("verify", path, "--format", "json").stdout)
    return result


def test_a_corrected_mark_changes_the_findings_and_is_in_the_evidence(path):
    before = {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}
    assert sent(path, 0) == {}
    said = mark(
        "consent", "refused", "--corrects", "consents.jsonl:2", "--text", "Disagree", "--note", "see video 0:02"
    )
    assert "consents.jsonl:3: refused, in place of consents.jsonl:2 (given, tap by user 'Agree')" in said.stdout
    findings = sent(path, 1)
    assert "sent-after-refusal" in findings
    assert {"consents.jsonl:3", "consents.jsonl:2", "uploads.jsonl:1"} <= set(findings["sent-after-refusal"])
    for name, content in before.items():
        assert (path / name).read_bytes().startswith(content), f"{name} was changed, not appended to"
    assert verified(path)["ok"] is True
    assert verified(path)["unsealed"] == {}


def test_what_a_screen_said_is_put_right_by_its_name(path):
    on = events.Window(texts=("Privacy policy",), labels=("Agree", "Disagree"))
    touch = events.Screen(
        at=device(2.5), app="com.example.pages", pid=1, what="touch", windows=(on,), by="agent", why="change",
        touched=events.Touch(label="Disagree", by="user"),
    )  # fmt: skip
    (path / "screens.jsonl").write_text(events.dump(touch) + "\n", "utf-8")
    assert "screens.jsonl:1" in sent(path, 1)["sent-after-refusal"]
    assert "screens.jsonl:1 (refused, tap by user 'Disagree')" in mark("list").stdout
    mark("retract", "screens.jsonl:1")
    assert sent(path, 0) == {}
    mark("consent", "refused", "--corrects", "consents.jsonl:2")
    assert "sent-after-refusal" in sent(path, 1)
    assert "screens.jsonl:9 says nothing about consent" in run("mark", "retract", "screens.jsonl:9", code=2).stderr


def test_a_line_taken_back_never_was_until_that_is_taken_back(path):
    said = mark("retract", "consents.jsonl:2", "--note", "an ad was tapped")
    assert "consents.jsonl:3: retracted consents.jsonl:2 (given, tap by user 'Agree')" in said.stdout
    findings = sent(path, 1)
    assert {"consents.jsonl:1", "consents.jsonl:2", "consents.jsonl:3"} <= set(findings["sent-before-consent"])
    mark("retract", 3)
    assert sent(path, 0) == {}
    assert verified(path)["ok"] is True


def test_a_correction_of_a_correction(path):
    mark("consent", "refused", "--corrects", "consents.jsonl:2")
    mark("consent", "given", "--corrects", "consents.jsonl:3")
    assert sent(path, 0) == {}
    mark("consent", "withdrawn", "--corrects", 4)
    assert set(sent(path, 1)) == {"sent-after-withdrawal"}


def test_a_correction_takes_time_scope_and_data_from_the_line_it_replaces(path):
    mark("consent", "refused", "--scope", "third_party_separate", "--data", "location", "--at", "2026-03-14T09:00:05Z")
    mark("consent", "given", "--corrects", 3)
    mark(
        "consent", "given", "--corrects", 4, "--scope", "ads_tracking", "--data", "all", "--at", "2026-03-14T09:00:06Z"
    )
    mark("consent", "refused", "--corrects", 2)
    _, _, first, second, third, of_tap = lines(path)
    assert (second.at, second.scope, second.data) == (first.at, "third_party_separate", ("location",))
    assert (third.at, third.scope, third.data) == (first.at + timedelta(seconds=1), "ads_tracking", None)
    assert of_tap.at == START + timedelta(seconds=2), "the line of the device is on the device's clock"
    assert {line.by for line in (first, second, third, of_tap)} == {"operator"}
    assert [line.corrects for line in (first, second, third, of_tap)] == [
        None,
        *(f"consents.jsonl:{n}" for n in (3, 4, 2)),
    ]


def test_a_label_that_is_no_yes_is_told(path):
    said = mark("consent", "given", "--text", "Got it")
    assert "'Got it' is not a clear yes: this counts as requested" in said.stderr
    at = events.format_time(START + timedelta(seconds=2))
    assert mark("consent", "given", "--text", "Agree", "--at", at).stderr == ""


def test_a_claim_taken_back_is_no_finding(path):
    mark("retract", 2)
    line = events.Consent(at=device(1.5), signal="sdk_call", status="given", by="app", text="UMConfigure.submit")
    Recording.open(path).append(line)
    rule = "consent-claimed-without-action"
    assert rule in found(path, 1)
    mark("retract", 4)
    assert rule not in found(path, 1)


def test_the_list_shows_what_each_line_says_and_which_count(path):
    Recording.open(path).append(
        events.Consent(at=device(9), signal="preference", status="given", by="app", text="agreed=true")
    )
    mark("consent", "given", "--text", "OK", "--data", "location")
    mark("consent", "refused", "--corrects", 2)
    mark("retract", 4)
    shown = mark("list").stdout.splitlines()
    assert [line.split(": ", 1)[1] for line in shown] == [
        "general_policy",
        "general_policy, no longer counts: consents.jsonl:5",
        "general_policy, in place of consents.jsonl:2",
        "general_policy, a claim",
        "general_policy, location, no longer counts: consents.jsonl:6",
        "general_policy, location, retracts consents.jsonl:4",
    ]
    assert shown[1].startswith("2026-03-14T09:00:02.000000Z  consents.jsonl:2 (given, tap by user 'Agree')")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["consent", "given", "--corrects", "consents.jsonl:9"], "There is no consents.jsonl:9"),
        (["consent", "given", "--corrects", "consents.jsonl:0"], "is not a line of consents.jsonl"),
        (["consent", "given", "--corrects", "uploads.jsonl:1"], "is not a line of consents.jsonl"),
        (["consent", "given", "--corrects", "the first"], "is not a line of consents.jsonl"),
        (["consent", "given", "--corrects", "consents.jsonl:3"], "cannot be read"),
        (["consent", "given", "--data", "lcoation"], "There is no data type lcoation"),
        (["retract", "consents.jsonl:12"], "its last line is consents.jsonl:3"),
        (["retract", "accesses.jsonl:1"], "is not a line of consents.jsonl"),
    ],
)
def test_a_reference_that_does_not_exist_is_refused_and_nothing_is_written(path, args, says):
    with (path / "consents.jsonl").open("ab") as file:
        file.write(b'{"kind": "consent"}\n')
    before = (path / "consents.jsonl").read_bytes()
    result = run("mark", *args, code=2)
    assert says in result.stderr.replace("\n", " ")
    assert (path / "consents.jsonl").read_bytes() == before


def test_marks_in_a_run_that_goes_on_are_left_to_its_recorder_to_seal(path, tmp_path):
    live = events.Run.model_validate_json((path / "run.json").read_bytes()).model_copy(
        update={"id": "live", "ended": None}
    )
    recording = Recording.create(tmp_path / "live", live)
    stamps = (recording.path / "seal.jsonl").read_bytes()
    mark("consent", "given", "--recording", recording.path)
    assert (recording.path / "seal.jsonl").read_bytes() == stamps
    assert verified(recording.path)["unsealed"] == {"consents.jsonl": 1}


def test_a_folder_without_stamps_gets_none_by_a_mark(path):
    (path / "seal.jsonl").unlink()
    mark("note", "rebooted")
    assert not (path / "seal.jsonl").exists()


def test_a_recording_that_was_changed_does_not_verify_after_a_mark_either(path):
    changed = (path / "consents.jsonl").read_bytes().replace(b"Agree", b"agree")
    (path / "consents.jsonl").write_bytes(changed)
    mark("consent", "given", "--corrects", 2)
    assert "consents.jsonl:2" in run("verify", path, code=5).stdout


def test_a_correction_written_by_hand_that_names_no_line_is_told(path):
    line = events.Consent(at=START, signal="operator", status="refused", by="operator", corrects="consents.jsonl:9")
    Recording.open(path).append(line)
    report = json.loads(run("report", path, "--format", "json").stdout)
    (gap,) = (gap for gap in report["gaps"] if "names consents.jsonl:9" in gap["detail"])
    assert (gap["subject"], gap["where"]) == ("consents.jsonl:3", "correlate")
    assert "refers to consents.jsonl:9, but no such line precedes it" in mark("list").stdout


# Which recording is meant.


def another(path: Path, name: str) -> Path:
    """A run that has not ended."""
    run_ = Recording.open(path).run.model_copy(update={"id": name, "ended": None})
    Recording.create(path.parent / name, run_).close()
    return path.parent / name


def noted(path: Path) -> int:
    return len((path / "phases.jsonl").read_bytes().splitlines())


def test_who_names_none_means_the_run_that_is_going_on_else_the_newest(path):
    live, newest = another(path, "live"), another(path, "newest")
    os.utime(newest / "run.json", ns=(1, 2**62))
    mark("note", "to the newest")
    with Recording.open(live).sealing(every_s=60):
        mark("note", "to the one that is going on")
        assert json.loads(run("report", "--format", "json", code=0).stdout)["recording"] == "live"
    assert [noted(one) for one in (path, live, newest)] == [0, 1, 1]
    assert json.loads(run("report", "--format", "json", code=0).stdout)["recording"] == "newest"
    run("pack", newest, code=0)
    mark("note", "to the folder, not to its archive")
    run("pack", newest, "--output", newest.with_name("again.zip"), "--remove", code=0)
    newest.with_name("newest.zip").unlink()
    assert json.loads(run("report", "--format", "json", code=0).stdout)["recording"] == "newest"
    assert "is an archive" in run("mark", "note", "x", code=2).stderr


def test_of_two_that_are_going_on_neither_is_taken(path):
    one, two = another(path, "one"), another(path, "two")
    with Recording.open(one).sealing(every_s=60), Recording.open(two).sealing(every_s=60):
        for verb in (("mark", "note", "x"), ("mark", "list"), ("report",)):
            said = run(*verb, code=2).stderr
            assert str(one) in said
            assert str(two) in said
        assert run("mark", "note", "x", "--recording", one).exit_code == 0
    assert (noted(one), noted(two)) == (1, 0)


def test_a_run_whose_recorder_was_killed_is_not_going_on(path):
    killed = another(path, "killed")
    code = "import sys, os; from pathlib import Path; from appwitness.recording import Recording as R\n"
    code += "with R.open(Path(sys.argv[1])).sealing(every_s=60): print(R(Path(sys.argv[1])).going_on); os._exit(9)"
    done = subprocess.run([sys.executable, "-u", "-c", code, str(killed)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("True\n", 9)
    assert not Recording.open(killed).going_on


def test_two_that_are_equally_new_are_named(path):
    other = another(path, "other")
    for one in (path, other):
        os.utime(one / "run.json", ns=(1, 2**62))
    said = run("mark", "note", "x", code=2).stderr
    assert "the newest" in said
    assert str(other) in said


def test_verify_says_how_many_marks_came_after_the_end_and_when(path):
    assert "after the run had ended" not in run("verify", path).stdout
    mark("note", "one")
    mark("consent", "refused")
    said = run("verify", path).stdout
    assert "2 of the lines were added after the run had ended, and stamped then: " in said
    result = verified(path)
    assert (result["outcome"], result["late"]["lines"]) == ("intact", {"consents.jsonl": 1, "phases.jsonl": 1})
    assert result["late"]["first_at"] < result["late"]["last_at"]


def test_a_run_that_goes_on_is_intact_up_to_its_last_stamp(path):
    live = another(path, "live")
    mark("note", "x", "--recording", live)
    said = run("verify", live).stdout
    assert "intact up to the last stamp" in said
    assert "1 lines after the last stamp are not covered" in said


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-14T10:00:07+01:00", "2026-03-14T09:00:07.000000Z"),
        ("2026-03-14T09:00:07Z", "2026-03-14T09:00:07.000000Z"),
        ("2026-03-14T14:45:07.250+05:45", "2026-03-14T09:00:07.250000Z"),
        ("2026-03-14 17:00:07", "2026-03-14T09:00:07.000000Z"),
        ("2026-03-14T17:00", "2026-03-14T09:00:00.000000Z"),
    ],
)
def test_times_are_taken_with_an_offset_or_as_local(path, monkeypatch, written, meant):
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        said = mark("consent", "given", "--at", written)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert events.format_time(lines(path)[-1].at) == meant
    assert "the run" not in said.stderr or lines(path)[-1].at < START


@pytest.mark.parametrize("written", ["yesterday", "25:00", "2026-13-01T00:00:00Z", "", "2026-03-14T09:00:07+99:00"])
def test_what_is_no_time_is_said_with_examples(path, written):
    before = (path / "consents.jsonl").read_bytes()
    said = " ".join(run("mark", "consent", "given", "--at", written, code=2).stderr.split())
    assert "+01:00" in said
    assert "local time" in said
    assert (path / "consents.jsonl").read_bytes() == before


def test_a_time_outside_the_run_is_remarked(path):
    assert "after the run ended" in " ".join(mark("consent", "given").stderr.split())
    assert "before the run began" in " ".join(mark("consent", "given", "--at", "1999-01-01T00:00:00Z").stderr.split())
