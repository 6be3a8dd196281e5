"""Whatever shows values as they are is noted first; nothing else shows them."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.recording import Recording
from tests.recordings.written import RECORDINGS

CASE = RECORDINGS / "weakly-hashed"
NUMBER = "13800138000"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        shutil.copytree(CASE, tmp_path / name)
        (tmp_path / name / "expected.json").unlink()
    run = tmp_path / "b/run.json"
    run.write_text(re.sub(r'"id": "([^"]+)"', r'"id": "\1-b"', run.read_text()))
    return tmp_path


def appwitness(*arguments: object) -> str:
    ended = CliRunner().invoke(main, list(map(str, arguments)))
    assert ended.exit_code in (0, 1, 3), ended.output
    return ended.output


def noted(place: Path) -> list[dict[str, Any]]:
    path = place / "home/reveals.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


WAYS = {
    "report": ("report", "a", "--format", "json"),
    "compare": ("compare", "a", "b", "--format", "json"),
    "gate": ("gate", "a", "--no-verify", "--format", "html"),
    "diff": ("diff", "a", "b", "--no-verify", "--format", "html"),
    "explain": ("explain", "a", "f1", "--json"),
    "export": ("export", "a"),
}


@pytest.mark.parametrize("verb", WAYS)
def test_what_shows_values_is_noted(place, verb):
    masked = appwitness(*WAYS[verb])
    assert NUMBER not in masked
    assert noted(place) == []
    appwitness(*WAYS[verb], "--reveal")
    (line,) = noted(place)
    assert (line["verb"], len(line["recordings"])) == (verb, 2 if verb == "compare" else 1)
    assert "standard output" in line["what"]
    assert line["user"]
    assert (place / "home/reveals.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("verb", ["report", "export"])
def test_nothing_is_shown_that_cannot_be_noted(place, verb):
    (place / "home/reveals.jsonl").mkdir(parents=True)
    ended = CliRunner().invoke(main, [*WAYS[verb], "--reveal"])
    assert ended.exit_code == 2
    assert NUMBER not in ended.output
    assert "reveals.jsonl" in ended.output


def test_a_report_with_values_has_them_and_an_export_is_what_was_sent(place):
    assert NUMBER in appwitness("report", "a", "--format", "json", "--reveal")
    digest = "1aaa9b8c1b2e52f2bd3e8a327c4267a6840368c8d62bf9c794852f8770d452fa"
    body = (CASE / "bodies" / digest).read_text()
    assert body in json.loads(appwitness("export", "a", "--reveal"))["log"]["entries"][0]["request"]["postData"]["text"]
    assert body not in appwitness("export", "a")


def test_what_is_of_a_whole_campaign_is_noted_as_that(place):
    appwitness("index", "correlate", "a")
    appwitness("fleet", "letters", "--output", "masked.zip")
    assert noted(place) == []
    appwitness("fleet", "letters", "--output", "letters.zip", "--reveal")
    appwitness("fleet", "export", "recipients", "--campaign", "spring", "--reveal")
    appwitness("fleet", "checklists", "eu-audit", "--output", "lists.zip", "--reveal")
    one, two, three = noted(place)
    assert (one["verb"], one["recordings"]) == ("fleet letters", ["all in the index"])
    assert one["what"] == f"letters to {place / 'letters.zip'}"
    assert (two["verb"], two["recordings"]) == ("fleet export", ["campaign spring"])
    assert (three["verb"], three["recordings"]) == ("fleet checklists", ["all in the index"])


def verbs(group: click.Group, *above: str) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from verbs(command, *above, name)
        elif command:
            yield " ".join((*above, name)), command


def test_a_list_with_values_is_noted(place):
    masked = appwitness("report", "a", "--checklist", "cn-164", "--format", "json")
    assert json.loads(masked)["masked"]
    assert noted(place) == []
    shown = appwitness("report", "a", "--checklist", "cn-164", "--format", "json", "--reveal")
    assert not json.loads(shown)["masked"]
    assert [(line["verb"], len(line["recordings"])) for line in noted(place)] == [("report", 1)]


def test_every_verb_that_can_reveal_is_tried_here():
    """`web` has its own test, `bundle` too: it gives the recording away in any case. `checklist run` writes its list as
    `report --checklist` does."""
    can = {name for name, command in verbs(main) if any("--reveal" in param.opts for param in command.params)}
    assert can - {"web", "bundle", "checklist run", "fleet letters", "fleet checklists", "fleet export"} == set(WAYS)


def test_a_bundle_is_noted_whether_or_not_its_report_is_masked(place):
    with Recording.open(place / "a") as recording:
        recording.stamp(final=True)
    appwitness("bundle", "a", "--output", "a.zip")
    assert [line["verb"] for line in noted(place)] == ["bundle"]
