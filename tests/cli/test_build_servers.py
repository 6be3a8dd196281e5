"""What verbs print of a hostile recording orders nothing of a build server, and begins no line of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from appwitness.cli.front_page import VERBS
from appwitness.cli.verbs import main
from appwitness.correlate import correlate, knowledge
from appwitness.gate.reports import FORMATS as GATES
from appwitness.reports import FORMATS
from appwitness.store import Store
from appwitness.support import escape
from tests.care import sieve

ORDERS = (
    "::error file=x::owned",
    "::add-mask::e",
    "  ::set-output name=x::y",
    "##[error]owned",
    "##vso[task.setvariable variable=x]owned",
    "##teamcity[buildStatus status='SUCCESS']",
    "[[ATTACHMENT|/etc/passwd]]",
    "section_start:1:x[collapsed=true]\r\x1b[0Kowned",
    "\x1b]0;owned\x07",
    "\u202egnp.exe",
    "--- owned",
    "+++ owned",
)
ACTS = re.compile(
    r"^\s*::|##(?:vso|teamcity)?\[|^\s*\[\[ATTACHMENT\||section_(?:start|end):|^(?:---|\+\+\+|~~~) |^INTRUDER"
    "|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\x1b(?!\\[[0-9;]*m)",
    re.MULTILINE | re.IGNORECASE,
)
FILES = {
    "baseline": ("show", "BASELINE"), "bundle": ("FIRST", "--output", "NEW.zip"), "compare": ("FIRST", "SECOND"),
    "index": ("correlate", "FIRST"), "diff": ("FIRST", "SECOND"), "explain": ("FIRST", "f1"), "export": ("FIRST",),
    "forget": ("FIRST", "--dry-run"), "gate": ("FIRST",), "mark": ("list", "--recording", "FIRST"),
    "pack": ("FIRST", "--output", "NEW.zip"), "report": ("FIRST", "--verbose"), "share": ("FIRST", "--output", "NEW"),
    "timestamp": ("FIRST", "--tsa", "http://127.0.0.1:1"), "verify": ("FIRST",), "waive": ("--check", "FIRST"),
    "fleet": ("ranking", "--by", "finding", "--db", "DATABASE"),
}  # fmt: skip
"""Verbs that are given a recording, or what was concluded from some."""
OF_OURS = {
    "catalog", "checklist", "config", "demo", "devices", "doctor", "import", "key", "list", "mcp", "observe", "pair",
    "undo", "web",
}  # fmt: skip
"""Verbs that read none: what they print is ours, or of a device."""


class Hostile:
    """An order to a build server in each place."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, place: str) -> str:
        self.count += 1
        order = ORDERS[self.count % len(ORDERS)]
        return f"{order}{self.count}\n{order}{self.count}\nINTRUDER"


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("hostile")
    database = folder / "index.sqlite"
    with Store(database) as store:
        for name, plan in (("first", "refuse"), ("second", "accept")):
            correlate(sieve.made(folder / name, Hostile(), name, plan), store, knowledge())
    return {"FIRST": str(folder / "first"), "SECOND": str(folder / "second"), "DATABASE": str(database)}


@pytest.fixture(autouse=True)
def read_already(places, monkeypatch):
    """The index in which both recordings are."""
    monkeypatch.setenv("APPWITNESS_DB", places["DATABASE"])


def harmless(said: str) -> None:
    if said.startswith("<!doctype html>"):  # where a line ends says nothing there
        said = said.replace("\nINTRUDER", "")
    acts = [line for line in re.split(r"\r?\n", said) if ACTS.search(line)]
    assert acts == []


def run(places: dict[str, str], *arguments: str) -> None:
    result = CliRunner().invoke(main, [places.get(each, each) for each in arguments])
    assert result.exit_code != 70, (result.output, [f.read_text() for f in Path("home").glob("appwitness-error-*")])
    harmless(result.stdout)
    harmless(result.stderr)


def test_each_verb_is_tried_or_prints_nothing_foreign():
    assert set(VERBS) == FILES.keys() | OF_OURS
    assert not FILES.keys() & OF_OURS


@pytest.mark.parametrize("verb", FILES)
def test_verbs(places, verb):
    run(places, verb, *FILES[verb])


@pytest.mark.parametrize("reveal", [(), ("--reveal",)], ids=["masked", "revealed"])
@pytest.mark.parametrize("format_", FORMATS)
def test_formats_of_reports(places, format_, reveal):
    run(places, "report", "FIRST", "--format", format_, *reveal)


@pytest.mark.parametrize("format_", ["text", "json", "html"])
def test_formats_of_checklists(places, format_):
    run(places, "report", "FIRST", "--checklist", "eu-audit", "--format", format_)


@pytest.mark.parametrize("format_", GATES)
def test_formats_of_gates(places, format_):
    run(places, "gate", "FIRST", "--format", format_, "--reveal")


words = st.text(st.characters() | st.sampled_from("@#!~%$&/:[]-+|\n GH1a"), max_size=30)


@given(words | st.sampled_from(ORDERS), words)
def test_any_text(order, rest):
    said = f"{rest}\n{order}{rest}"
    assert not ACTS.search(escape.terminal(said).replace("\nINTRUDER", ""))
    assert "\n" not in escape.field(said)
    assert not ACTS.search(escape.field(said))
    assert ET.fromstring(f"<a>{escape.xml(said).replace('&', '&amp;').replace('<', '&lt;')}</a>") is not None


@given(words)
def test_nobody_is_mentioned_and_nothing_referred_to(said):
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(f"{escape.markdown(said)}\n\nx")
    tree: Any = lxml_html.fromstring(f"<div>{page}</div>")
    shown = tree.text_content()
    assert not re.search(r"[@#!~%$]\w|\bGH-\d", shown, re.IGNORECASE)
    assert not re.match(r"\s*/\w", shown)


@pytest.mark.parametrize(
    "cell", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＋1", "－1", "＠x", "\ufeff=1", "−1"]
)
def test_no_cell_is_a_formula(cell):
    assert escape.cell(cell) == f"'{cell}"
    assert escape.cell(f"x{cell}") == f"x{cell}"
