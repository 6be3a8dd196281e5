"""The command line on a recording made by hand: results, errors and exit codes."""

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from appwitness.cli import read_verbs
from appwitness.cli.verbs import main
from appwitness.findings import report_schema
from appwitness.recording import Recording
from appwitness.reports import FORMATS
from appwitness.store import Store
from tests.recordings.builder.case import Case, recorded
from tests.recordings.builder.reads import NUMBER, PHONE


def make_recording(path: Path, *, consent: str = "", gap: bool = False, send: bool = True) -> Recording:
    """A stamped run that reads the number and sends it, after this answer."""
    case = Case(f"run-{path.name}", "By hand.", plan="free", app="com.example.pages")
    if consent:
        case.tapped(1, consent, "x")
    if send:
        case.read(2, NUMBER).sent(3, "https://api.pages.test/login", {"phone": PHONE})
    if gap:
        case.gap(0, "proxy", "bank.test", "tls_refused")
    recording = recorded(case, path)
    recording.stamp(final=True)
    return recording


def run(*args: object):
    return CliRunner().invoke(main, [str(arg) for arg in args])


def test_a_number_sent_before_consent_is_found(tmp_path):
    make_recording(tmp_path / "r")
    result = run("report", tmp_path / "r", "--format", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    jsonschema.validate(report, report_schema())
    assert {finding["rule"] for finding in report["findings"]} == {"read-before-consent", "sent-before-consent"}
    (flow,) = report["flows"]
    assert (flow["access"], flow["upload"]) == ("accesses.jsonl:1", "uploads.jsonl:1")
    assert PHONE not in result.stdout
    revealed = run("report", tmp_path / "r", "--format", "json", "--reveal")
    assert json.loads(revealed.stdout)["flows"][0]["matches"][0]["value"] == PHONE


def test_the_same_recording_gives_the_same_bytes_also_after_deleting_the_index(tmp_path):
    make_recording(tmp_path / "r")
    first = run("report", tmp_path / "r", "--format", "json").stdout
    run("index", "correlate", tmp_path / "r")
    assert run("report", tmp_path / "r", "--format", "json").stdout == first
    for path in (tmp_path / "home").glob("appwitness.sqlite*"):
        path.unlink()
    assert run("report", tmp_path / "r", "--format", "json").stdout == first


@pytest.mark.parametrize(
    ("kind", "strict", "code"),
    [
        ({"send": False}, [], 0),
        ({"send": False, "gap": True}, [], 0),
        ({"send": False, "gap": True}, ["--strict"], 3),
        ({"consent": "given"}, [], 0),
        ({"consent": "refused"}, [], 1),
        ({"gap": True}, ["--strict"], 1),
    ],
)
def test_exit_codes(tmp_path, kind, strict, code):
    make_recording(tmp_path / "r", **kind)
    assert run("index", "correlate", tmp_path / "r", *strict).exit_code == code
    assert run("report", tmp_path / "r", *strict).exit_code == code


@pytest.mark.parametrize("jobs", [1, 2])
def test_of_several_recordings_there_is_a_line_for_each_in_order(tmp_path, jobs):
    make_recording(tmp_path / "b", gap=True)
    make_recording(tmp_path / "a", send=False)
    paths = [tmp_path / name for name in ("b", "none", "a")]
    result = run("index", "correlate", *paths, "-j", jobs)
    assert result.stdout.splitlines() == [
        f"{tmp_path}/b: 2 findings (1 high, 1 medium), 1 gap",
        f"{tmp_path}/a: no findings, 1 gap",  # no line tells anything of the app
    ]
    assert f"There is no folder {tmp_path}/none" in result.stderr
    assert result.exit_code == 2
    assert run("index", "correlate", tmp_path / "b", tmp_path / "a", "-j", jobs).exit_code == 1
    report = json.loads(run("report", tmp_path / "b", "--format", "json").stdout)
    assert (len(report["findings"]), len(report["gaps"])) == (2, 1)


def test_the_formats_offered_are_those_that_there_are():
    assert set(read_verbs.FORMATS) == set(FORMATS)


def test_a_line_that_does_not_parse_is_a_gap_with_its_number(tmp_path):
    recording = make_recording(tmp_path / "r")
    with (recording.path / "accesses.jsonl").open("ab") as file:
        file.write(b'{"kind": "access", "at": "2026-03\n')
    result = run("report", tmp_path / "r", "--format", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    (gap,) = [gap for gap in report["gaps"] if gap["subject"] == "accesses.jsonl:2"]
    assert (gap["where"], gap["why"]) == ("correlate", "protocol_unsupported")
    assert report["coverage"]["unreadable_lines"] == 1


def test_the_usual_index_is_begun_anew_where_another_version_made_it(tmp_path):
    make_recording(tmp_path / "r")
    home = tmp_path / "home"
    Store(home / "appwitness.sqlite").close()
    with closing(sqlite3.connect(home / "appwitness.sqlite")) as index:
        index.execute("UPDATE index_version SET version = 4")
        index.commit()

    named = run("report", tmp_path / "r", "--db", home / "appwitness.sqlite")
    assert named.exit_code == 2
    assert "(4, not " in named.stderr
    again = run("report", tmp_path / "r")
    assert again.exit_code == 1
    (line,) = [line for line in again.stderr.splitlines() if "another version" in line]
    assert "it is appwitness.sqlite.version-4.bak now" in line
    assert (home / "appwitness.sqlite.version-4.bak").exists()
    assert "another version" not in run("report", tmp_path / "r").stderr


def test_the_index_is_private(tmp_path):
    make_recording(tmp_path / "r")
    run("report", tmp_path / "r")
    assert stat.S_IMODE((tmp_path / "home/appwitness.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["report", "absent"], "absent"),
        (["verify", "absent"], "absent"),
        (["index", "correlate", "absent"], "absent"),
        (["mark", "consent", "given"], "no recording"),
        (["observe", "--device", "toaster:1"], "toaster"),
        (["observe", "--device", "lab:toaster"], "circle"),
        (["list", "rules", "no-such-rule"], "no-such-rule"),
        (["waive", "v2:0123456789ab", "--owner", "me"], "--expires"),
        (["waive", "--owner", "me", "--reason", "well, because", "--expires", "2027-01-01"], "Name one FINDING"),
        (["waive", "--check", "--owner", "me"], "--owner"),
        (["waive", "--check", "--ticket", "T-1"], "--ticket"),
    ],
)
def test_a_mistake_gets_a_clear_error(args, says):
    result = run(*args)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_a_broken_rule_of_the_users_own_is_an_error_with_its_line(tmp_path):
    make_recording(tmp_path / "r")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/mine.yml").write_text("id: mine\nlevel: terrible\n")
    result = run("report", tmp_path / "r", "--rules", tmp_path / "own")
    assert result.exit_code == 2
    assert "mine.yml:2" in result.stderr
