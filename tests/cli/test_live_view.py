import io
import json
import re
from pathlib import Path

import click
import jsonschema
import pytest
from click.testing import CliRunner
from rich.console import Console

from appwitness.cli import live_events, live_view, terminal
from appwitness.cli.verbs import main
from appwitness.correlate import follow
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.recording import Recording
from appwitness.store import Store
from tests.recordings.written import RECORDINGS
from tests.reports import sample

RECORDING = RECORDINGS / "address-book-upload"


def followed(tmp_path, shown):
    """Show a whole recording as if it were being made; what it held."""
    recording = Recording.open(RECORDING)
    follow(
        recording,
        Store(tmp_path / "index.sqlite"),
        knowledge(),
        lambda: True,
        lambda outcome: shown.findings(outcome.findings),
        shown.lines,
    )
    return recording


def drawn(board, width=80):
    console = Console(width=width, record=True, file=io.StringIO(), force_terminal=True)
    console.print(board.drawn())
    return console.export_text()


@pytest.fixture
def told(tmp_path, capsys):
    """What `observe --json` writes of a recording."""
    shown = live_view.Json(RECORDING, "lab:circle", "refuse")
    shown.say("observing")
    shown.say("observing")
    shown.warn("something")
    followed(tmp_path, shown)
    shown.verdict(sample.report(), 1)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_line_is_as_the_schema_says_and_the_verdict_is_last(told):
    schema = json.loads(CliRunner().invoke(main, ["list", "schema", "--of", "observe"]).output)
    for each in told:
        jsonschema.validate(each, schema)
        assert each["v"] == 1
    kinds = [each["event"] for each in told]
    assert kinds[:3] == ["started", "stage", "warning"]
    assert kinds[-1] == "verdict"
    assert {"read", "upload", "finding"} <= set(kinds)
    assert {"started", *kinds} <= {kind.__struct_config__.tag for kind in live_events.EVENTS}


def test_each_line_of_the_recording_is_told_once(told):
    for name, kind in (("accesses", "read"), ("uploads", "upload"), ("consents", "consent"), ("gaps", "gap")):
        path = RECORDING / f"{name}.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        assert [each["ref"] for each in told if each["event"] == kind] == [
            f"{name}.jsonl:{number}" for number in range(1, len(lines) + 1)
        ]


def test_no_value_is_told(told):
    text = json.dumps(told, ensure_ascii=False)
    for line in (RECORDING / "accesses.jsonl").read_text("utf-8").splitlines():
        for value in json.loads(line)["values"]:
            assert value["text"] not in text
    assert not any(secret in text for secret in sample.secrets(sample.report()))


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("api.circle.test", "api.circle.test"),
        ("8613912345678.dns.evil.test", "*.evil.test"),
        ("mfrggzdfmztwq2lknnwg23tpoa.a.evil.test", "*.evil.test"),
        (None, None),
    ],
)
def test_a_host_is_told_without_what_may_be_a_value(host, shown):
    assert live_events.shown(host) == shown


def test_a_run_ends_when_nobody_reads_on(monkeypatch):
    shown = live_view.Json(Path("r"), "lab:circle", "refuse")
    assert not shown.closed

    def broken(_text):
        raise BrokenPipeError

    monkeypatch.setattr(click, "echo", broken)
    shown.say("observing")
    assert shown.closed
    shown.say("nothing more is written")


def test_the_table_counts_and_fits_the_terminal(tmp_path):
    board = live_view.Board("lab:circle (refuse)")
    board.say("observing: " + "many sources " * 20)
    recording = followed(tmp_path, board)
    reads = len((recording.path / "accesses.jsonl").read_text("utf-8").splitlines())
    text = drawn(board)
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(rf"\b{reads}\s+reads\s+address book, by ", text)
    assert re.search(r"\b[1-9]\d*\s+findings\b", text)
    assert "MEDIUM  Other people's data" in text
    assert len(text.splitlines()) <= 11


def test_nothing_foreign_acts_on_the_terminal(tmp_path):
    board = live_view.Board("a\x1b[2Jb")
    board.say("c\x1b]0;owned\x07[bold]")
    text = drawn(board)
    assert not {"\x1b", "\x07"} & set(text)
    assert "[bold]" in text


def test_lines_say_each_thing_once(capfd):
    shown = live_view.PlainLines()
    for what in ("installing", "installing", "observing"):
        shown.say(what)
    report = sample.report()
    assert shown.findings(report.findings)
    assert not shown.findings(report.findings)
    said = capfd.readouterr().err
    assert said.count("installing") == said.count("observing") == 1
    assert said.count("high ") == len(
        {(each.rule, each.data, each.recipient) for each in report.findings if each.level == "high"}
    )


def test_the_table_makes_room_for_a_question_and_comes_back(monkeypatch):
    file = io.StringIO()
    monkeypatch.setattr(terminal.err, "console", Console(file=file, width=80, force_terminal=True))
    with live_view.Board("lab:circle (refuse)") as board:
        board.stop()
        before = file.tell()
        file.write("Touch which?")
        board.start()
    assert "lab:circle (refuse)" in file.getvalue()[:before]
    assert "lab:circle (refuse)" in file.getvalue().partition("Touch which?")[2]
