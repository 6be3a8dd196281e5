"""A recording in which every foreign text is an attack, in each medium: what shows acts on nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from appwitness.events import Part, Record
from appwitness.events.seen import Seen
from appwitness.findings import Report
from appwitness.reports import render, text
from appwitness.support import escape
from tests.reports import sample
from tests.reports import test_html as html_page

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
    "attribute": "' onmouseover='alert(1)",
    "page": "</title></style><svg onload=alert(1)> javascript:alert(1)",
}
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def attacked(tree: Any, attack: str, key: str = "") -> Any:
    if isinstance(tree, dict):
        return {name: attacked(value, attack, name) for name, value in tree.items()}
    if isinstance(tree, list):
        return [attacked(each, attack, key) for each in tree]
    return f"{attack}{tree}{attack}" if isinstance(tree, str) and key in FOREIGN else tree


KEEP = {"kind", "outcome", "via", "signal", "status", "scope", "by", "where", "why", "state", "op", "transport", "plan",
        "consent", "party", "level", "confidence", "of_kind", "jurisdiction", "country_basis", "persona",
        "stamped", "code", "precision", "role"}  # fmt: skip


def poisoned(node, text, key=""):
    """A record with `text` appended to every string that is not a closed choice."""
    if isinstance(node, Record | Part):
        fields = msgspec.structs.asdict(node) if isinstance(node, Part) else node.__dict__
        extra = getattr(node, "model_extra", None) or {}
        changes = {name: poisoned(value, text, name) for name, value in (*fields.items(), *extra.items())}
        return node.model_copy(update=changes)
    if isinstance(node, str):
        return node if key in KEEP or (key == "kind") else node + text
    if isinstance(node, dict):
        return {name if key == "title" else name + text: poisoned(value, text, key) for name, value in node.items()}
    if isinstance(node, Seen):
        return node._replace(ref=poisoned(node.ref, text), event=poisoned(node.event, text))
    if isinstance(node, tuple | list):
        return type(node)(poisoned(value, text, key) for value in node)
    return node


def report(attack: str) -> Report:
    """Foreign texts within the attack, and each other text that is not a closed choice before it."""
    tree = json.loads(sample.report().model_dump_json())
    for name in ("run", "findings", "gaps", "flows", "evidence", "consents", "accesses", "uploads", "phases"):
        if name in tree:
            tree[name] = attacked(tree[name], attack)
    made = poisoned(Report.model_validate(tree), attack)
    assert isinstance(made, Report)
    return made.model_copy(update={"laws": ("eu",)})


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
    shown = text.render(hostile, lang=lang, reveal=reveal, colour=False)
    assert not CONTROL.search(shown)
    assert ("[bold red]" in shown) == ("[bold red]" in hostile.run.app.package)
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


@pytest.mark.parametrize("reveal", [False, True])
def test_a_browser(hostile, reveal):
    document = render(hostile, "html", reveal=reveal)
    assert not CONTROL.search(document)
    tree: Any = lxml_html.document_fromstring(document)
    html_page.inert(tree)
    assert "49" not in tree.xpath("string(//title)")
    assert ("<script>alert(1)</script>" in tree.text_content()) == ("<script>" in hostile.run.app.package)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_browser_that_shows_a_letter(hostile, lang):
    document = render(hostile, "complaint-html", lang=lang, reveal=True)
    assert not CONTROL.search(document)
    tree: Any = lxml_html.document_fromstring(document)
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    allowed = {*html_page.ELEMENTS.split(), "blockquote", "strong"} - {"a", "svg", "pre"}
    assert {element.tag for element in elements} <= allowed
    assert {name.lower() for element in elements for name in element.attrib} <= set(html_page.ATTRIBUTES.split())
    plain: Any = lxml_html.document_fromstring(render(sample.report(laws=("eu",)), "complaint-html", lang=lang))
    assert len(tree.xpath("//h1 | //h2 | //h3")) == len(plain.xpath("//h1 | //h2 | //h3"))


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
