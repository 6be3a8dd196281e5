import json

import jsonschema
import pytest
from lxml import html as lxml_html
from rich.cells import cell_len

from appwitness.findings import Candidate, Sighted, comparison_schema
from appwitness.judge.compare import compare
from appwitness.reports.comparison import FORMATS, masked, render, text
from appwitness.reports.words import Words
from appwitness.support.errors import UserError
from tests.reports import sample
from tests.reports.test_html import inert

SECRET = "9f31c0aa5577e1"


def reports():
    """The same app refused, and agreed to: in the second run it sends after a yes only."""
    refused = sample.report(recording="r1", run=sample.run(id="r1"))
    agreed = sample.report(
        recording="r2",
        run=sample.run(id="r2", plan="accept"),
        flows=tuple(flow.model_copy(update={"consent": "given"}) for flow in refused.flows[:1]),
    )
    return [refused, agreed]


def candidate(**changes):
    fields = {
        "host": "api.circle.test",
        "method": "POST",
        "path": "/v1/*/sync",
        "leaf": "$.sig",
        "steady": False,
        "seen": (
            Sighted(recording="r1", ref="uploads.jsonl:2", text=SECRET),
            Sighted(recording="r2", ref="uploads.jsonl:7", text=SECRET[::-1]),
        ),
    }
    return Candidate(**fields | changes)


@pytest.fixture
def comparison():
    return compare(reports(), [candidate()])


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_personal_shows_unless_revealed_and_the_bytes_are_the_same(format_, lang, comparison):
    shown = render(comparison, format_, of=reports(), lang=lang)
    assert shown == render(comparison, format_, of=reports(), lang=lang)
    for value in sample.secrets(reports()[0]) | {SECRET}:
        assert value not in shown, value
    revealed = render(comparison, format_, of=reports(), lang=lang, reveal=True)
    assert SECRET in revealed


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(width, lang, comparison):
    shown = text(masked(comparison, reports()), Words(lang), width=width, colour=False)
    assert max(cell_len(line) for line in shown.splitlines()) <= width
    assert "\x1b" not in shown


def test_the_terminal_says_what_it_comes_to_worst_first_and_names_lines(comparison):
    shown = text(masked(comparison, reports()), Words("en"), width=120, colour=False)
    order = [shown.index(part) for part in ("Still after a no:", "Before any answer:", "Fields that changed")]
    assert order == sorted(order)
    for part in (
        "com.example.circle: 2 runs compared", "sent: address book", "android.content.ContentResolver.query",
        "> api.circle.test (Circle, first party, CN)", "refused ×1", "uploads.jsonl:6", "not seen",
        "$.sig", "POST api.circle.test/v1/*/sync", "uploads.jsonl:7", "indicated", "gaps: 10",
    ):  # fmt: skip
        assert part in shown, part


def test_the_json_is_what_its_schema_says(comparison):
    tree = json.loads(render(comparison, "json", of=reports()))
    jsonschema.validate(tree, comparison_schema())
    assert tree["masked"] is True
    assert [each["answer"] for each in tree["runs"]] == ["no", "no"]
    assert {pattern for row in tree["rows"] for pattern in row["patterns"]} == {"after_refusal", "before_answer"}
    assert tree["candidates"][0]["seen"][0]["ref"] == "uploads.jsonl:2"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_inert_and_readable_without_seeing_it(lang, comparison):
    tree = lxml_html.document_fromstring(render(comparison, "html", of=reports(), lang=lang))
    inert(tree)
    assert tree.get("lang") == {"en": "en", "zh": "zh-CN"}[lang]
    assert len(list(tree.iter("h1"))) == 1
    assert all(table.find("caption") is not None for table in tree.iter("table"))
    assert all(cell.get("scope") for cell in tree.iter("th"))
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for table in tree.iter("table"):
        widths = {len(row.findall("th")) + len(row.findall("td")) for row in table.iter("tr")}
        assert len(widths) == 1


def test_hostile_text_is_inert():
    text_ = "<script>alert(1)</script>\u202e\x1b"
    hostile = candidate(leaf=text_, host=text_, path=text_)
    of = reports()
    first, *rest = of[0].accesses
    hostile_read = first._replace(event=first.event.model_copy(update={"source": text_}))
    of[0] = of[0].model_copy(update={"accesses": (hostile_read, *rest)})
    comparison = compare(of, [hostile])
    page = render(comparison, "html", reveal=True)
    inert(lxml_html.document_fromstring(page))
    shown = render(comparison, "text", reveal=True)
    assert not {"\x1b", "\u202e"} & set(shown + page)


def test_runs_without_anything_say_so():
    of = [
        sample.clean(recording=name, run=sample.run(id=name), accesses=(), uploads=(), consents=(), evidence={})
        for name in ("r1", "r2")
    ]
    for format_ in ("text", "html"):
        assert "No personal data was seen" in render(compare(of), format_)


def test_a_format_or_language_that_does_not_exist_is_the_users_error(comparison):
    with pytest.raises(UserError, match="Choose one of text"):
        render(comparison, "sarif")
    with pytest.raises(UserError, match="Choose one of en"):
        render(comparison, "text", lang="fr")
