"""Every verb that says something says it as one JSON document, too: `--json`."""

import json
import shutil

import click
import pytest
from click.testing import CliRunner

from appwitness.cli.front_page import VERBS
from appwitness.cli.verbs import main
from tests.captures import har
from tests.recordings.written import RECORDINGS

WITHOUT = {
    "web": "serves pages, until it is ended",
    "mcp": "its stdout is the protocol",
    "export": "what it writes is JSON: HAR",
    "fleet host": "makes runs until it is ended; `fleet status` says how far they are",
    "fleet pause": "says nothing",
    "fleet resume": "says nothing",
    "fleet export": "what it writes is a table, CSV or Parquet",
    "list policy example": "what it prints is a file to edit",
    "checklist show": "what it prints is a file to edit",
    "list schema": "what it prints is JSON",
}
"""Verbs that have no --json, and why."""


def leaves(command, name=""):
    """Every verb that does something, by its whole name."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            yield from leaves(command.get_command(context, each), f"{name} {each}".strip())
    else:
        yield name, command


ALL = dict(leaves(main))


def test_every_verb_has_it_or_a_reason():
    assert {name.split()[0] for name in ALL} == set(VERBS)
    without = {name for name, verb in ALL.items() if not any("--json" in param.opts for param in verb.params)}
    assert without == set(WITHOUT)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.delenv("APPWITNESS_DB", raising=False)
    shutil.copytree(RECORDINGS / "sent-before-consent", tmp_path / "recordings/run")
    return tmp_path


def told(*words, code=0, **given):
    """The document that a verb writes to stdout: exactly one, with nothing beside it."""
    result = CliRunner().invoke(main, words, **given)
    assert result.exit_code == code, result.output
    assert result.stdout.count("\n}") == 1 or result.stdout.startswith("["), result.stdout
    return json.loads(result.stdout)


def test_a_recording_is_made_marked_judged_checked_and_given_away(place):
    run = "recordings/run"
    assert told("report", run, "--json", code=1)["findings"]
    assert told("index", "correlate", run, "--json", code=1)["recordings"][0]["findings"] == {"high": 1, "medium": 1}
    assert told("verify", run, "--json", code=5)["outcome"] == "never_stamped"
    assert told("explain", run, "f1", "--json")["flow"] == "f1"
    marked = told("mark", "consent", "refused", "--recording", run, "--at", "2026-03-14T09:00:00.700Z", "--json")
    assert (marked["line"], marked["by"], marked["counts_as"]) == ("consents.jsonl:3", "operator", "refused")
    listed = told("mark", "list", "--recording", run, "--json")["consents"]
    assert [each["line"] for each in listed] == ["consents.jsonl:1", "consents.jsonl:3", "consents.jsonl:2"]
    assert told("mark", "retract", "3", "--recording", run, "--json")["instead_of"] == "consents.jsonl:3"
    assert told("mark", "note", "Hello", "--recording", run, "--json")["line"].startswith("phases.jsonl:")
    assert told("mark", "consent", "given", "--recording", run, "--json")["outside_of_the_run"]


def test_a_build_is_gated_and_accepted(place):
    run = "recordings/run"
    failed = told("gate", run, "--json", code=1)
    ids = {each["now"]["id"] for each in failed["changes"]}
    written = told("baseline", "write", run, "--json")
    assert set(written["findings"]) == ids
    assert told("baseline", "check", run, "--json") == {
        "v": 1, "file": "appwitness-baseline.yml", "current": True, "differing": [],
    }  # fmt: skip
    assert told("baseline", "update", run, "--json")["not_taken_in"] == []
    assert told("baseline", "prune", run, "--json")["app"] == "com.example.shop"
    assert told("gate", run, "--json")["outcome"] == "passed"
    assert told("diff", run, run, "--json")["outcome"] == "passed"
    words = ("--owner", "me", "--reason", "known for a year", "--expires", "2027-01-02")
    waived = told("waive", min(ids), *words, "--json")
    assert waived == {"v": 1, "file": "appwitness-waivers.yml", "id": "W-1", "finding": min(ids)}
    assert told("waive", "--check", "--json")["waivers"] == 1


def test_evidence_is_packed_shared_and_forgotten(place):
    assert told("key", "new", "--json")["fingerprint"].startswith("SHA256:")
    assert told("key", "show", "--json")["file"].endswith("key")
    assert told("key", "export", "--json")["public_key"].startswith("ssh-ed25519 ")
    (place / "a.har").write_text(har(), "utf-8")
    words = ("a.har", "--app", "com.example.shop", "--value", "phone_number=+8613800138000")
    made = told("import", *words, "--json")
    assert (made["upload"], made["looked_for_values"]) == (0, True)
    run = made["recording"]
    assert told("verify", run, "--json")["ok"]
    assert told("pack", run, "--output", "run.zip", "--json")["bytes"] > 0
    assert told("bundle", run, "--output", "bundle.zip", "--json")["file"] == "bundle.zip"
    assert told("share", run, "--output", "copy", "--json")["values"] == 1
    tried = told("forget", run, "--dry-run", "--json")
    assert (tried["dry_run"], tried["forgotten_lines"]) == (True, 0)
    result = CliRunner().invoke(main, ["forget", run, "--json"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--dry-run" in result.stderr
    assert told("forget", run, "--yes", "--json")["recordings"][0]["recording"]


def test_what_there_is_is_listed(place):
    assert told("config", "--json")["file"] is None
    assert told("config", "report", "--json")["options"]
    assert told("list", "rules", "--json")
    assert told("list", "data-types", "--json")
    (place / "policy.yml").write_text(CliRunner().invoke(main, ["list", "policy"]).stdout, "utf-8")
    assert told("list", "policy", "check", "policy.yml", "--json")["data"]
    (place / "apps.csv").write_text("app\nlab:circle\n", "utf-8")
    assert told("fleet", "plan", "apps.csv", "--campaign", "c", "--json") == {"v": 1, "campaign": "c", "planned": 2}
    assert told("fleet", "retry", "--campaign", "c", "--json")["waiting_again"] == 0
    assert told("fleet", "ranking", "--json")["total"] == 0
    assert told("index", "upgrade", "--json")["lost"] == []


def test_an_error_leaves_stdout_empty(place):
    for words in (("report", "nothing"), ("verify", "nothing"), ("baseline", "check", "recordings/run")):
        result = CliRunner().invoke(main, [*words, "--json"])
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        assert result.stderr


def test_json_and_another_format_do_not_go_together(place):
    result = CliRunner().invoke(main, ["report", "recordings/run", "--json", "--format", "text"])
    assert result.exit_code == 2
    assert "Two formats" in result.stderr
    both = ["report", "recordings/run", "--json", "--format", "html", "--output", "a.html"]
    result = CliRunner().invoke(main, both)
    assert json.loads(result.stdout)["findings"]
    assert "<html" in (place / "a.html").read_text("utf-8")
