"""A recording in which every foreign text is an attack, in each medium: what shows acts on nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from appwitness.findings import Report
from appwitness.reports import render, text
from appwitness.support import escape
from tests.reports import sample

FOREIGN = {
    "package", "version", "serial", "model", "release", "operator", "subject", "detail", "text", "host", "name",
    "source", "target", "path", "method", "url", "type", "label", "note", "stack", "thread", "recording", "sni",
}  # fmt: skip
ATTACKS = {
    "escapes": "\x1b[2J\x1b]0;owned\x07\x9b31m\x08\x7f",
    "direction": "\u202egnp.exe\u2066\u2069\u200f\u061c",
    "html": '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "markdown": "[here](https://evil.test) ![x](https://evil.test/x.png) <https://evil.test> | a | b",
    "block": "\n# Heading\n\n- item\n\n```\ncode\n",
    "address": "https://evil.test/ www.evil.test a@evil.test",
    "numbers": "1. one",
    "template": "{{ 7 * 7 }}{% raw %}",
    "rich": "[bold red]x[/][link=https://evil.test]y[/link]",
    "null": "\x00",
}
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def attacked(tree: Any, attack: str, key: str = "") -> Any:
    if isinstance(tree, dict):
        return {name: attacked(value, attack, name) for name, value in tree.items()}
    if isinstance(tree, list):
        return [attacked(each, attack, key) for each in tree]
    return f"{attack}{tree}{attack}" if isinstance(tree, str) and key in FOREIGN else tree


def report(attack: str) -> Report:
    tree = json.loads(sample.report().model_dump_json())
    for name in ("run", "findings", "gaps", "flows", "evidence", "consents", "accesses", "uploads", "phases"):
        if name in tree:
            tree[name] = attacked(tree[name], attack)
    return Report.model_validate(tree)


@pytest.fixture(params=ATTACKS)
def hostile(request):
    return report(ATTACKS[request.param])


def texts(tree: Any) -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from ([(name, value)] if isinstance(value, str) else texts(value))
    elif isinstance(tree, list):
        for value in tree:
            yield from ([("", value)] if isinstance(value, str) else texts(value))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("reveal", [False, True])
def test_a_terminal(hostile, lang, reveal):
    assert not CONTROL.search(text.render(hostile, lang=lang, reveal=reveal, colour=False))
    coloured = text.render(hostile, lang=lang, reveal=reveal, colour=True)
    assert not CONTROL.search(COLOURS.sub("", coloured))


@pytest.mark.parametrize("format_", ["json", "sarif"])
def test_a_program(hostile, format_):
    document = render(hostile, format_, reveal=True)
    assert not CONTROL.search(document)
    tree = json.loads(document)
    if format_ == "json":
        assert tree["run"]["app"]["package"] == hostile.run.app.package
        return
    for name, said in texts(tree):
        assert not CONTROL.search(said), name
        if name == "markdown":
            inert(said)
        elif name != "uri":
            assert "](" not in said


def test_a_build_server(hostile):
    document = render(hostile, "junit", reveal=True)
    assert not CONTROL.search(document)
    root = ET.fromstring(document)
    assert {each.tag for each in root.iter()} <= {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "system-out",
    }  # fmt: skip


def inert(letter: str) -> None:
    assert not CONTROL.search(letter)
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(letter)
    tree: Any = lxml_html.fromstring(f"<div>{page}</div>")
    assert not tree.xpath("//a | //img | //script | //pre | //iframe")
    assert "Heading" not in [each.text_content().strip() for each in tree.xpath("//h1 | //h2 | //h3")]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_letter(hostile, lang):
    inert(render(hostile, "complaint", lang=lang, reveal=True))


@pytest.mark.parametrize("format_", ["html", "complaint-html"])
def test_a_browser(hostile, format_):
    document = render(hostile, format_, reveal=True)
    assert not CONTROL.search(document)
    tree: Any = lxml_html.fromstring(document)
    assert not tree.xpath("//script | //img | //iframe | //@onerror")
    assert all(not link.startswith(("http", "javascript")) for link in tree.xpath("//a/@href"))


anything = st.text(st.characters() | st.sampled_from("\\`*_[]<>|~&:/.@#-+=!(){}1\n\x1b\x9b\u202e\ud800"), max_size=40)


@given(anything)
def test_each_medium_for_any_text(said):
    assert not CONTROL.search(escape.terminal(said))
    assert "](" not in escape.sarif(said)
    assert ET.fromstring(f"<a>{escape.xml(said).replace('&', '&amp;').replace('<', '&lt;')}</a>") is not None
    document = json.dumps([said], ensure_ascii=False)
    assert json.loads(escape.json(document)) == json.loads(document)
    assert not CONTROL.search(escape.json(document))


@given(anything)
def test_markdown_shows_any_text_as_it_is(said):
    shown = (
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(f"x {escape.markdown(said)}")
    )
    tree: Any = lxml_html.fromstring(f"<div>{shown}</div>")
    assert {each.tag for each in tree.iter()} <= {"div", "p"}
    meant = " ".join(f"x {escape.terminal(said)}".replace(escape.ZERO_WIDTH, "").split())
    assert " ".join(tree.text_content().replace(escape.ZERO_WIDTH, "").split()) == meant
