"""What a gate decided as a page: inert, masked, the same bytes each time, and with all that the decision has."""

import pytest
from lxml import html as lxml_html

from appwitness.correlate.prior_knowledge import knowledge
from appwitness.events import Value
from appwitness.gate import Accepted, GatePolicy, gate, release
from appwitness.gate.reports import GateStory, render
from appwitness.reports.words import Words
from tests.gate.runs import finding, gap, report
from tests.reports.test_html import inert

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=y>'
DETAIL = {"en": "It sent +8613800138000.", "zh": "发送了 +8613800138000。"}


def told(*, revealed=False, lang="en"):
    """One of each: new, worse, the same, gone, not observable."""
    was = [
        report(
            finding(level="low"), finding(rule="read-before-consent"), finding(host="gone.example"),
            finding(host="pinned.example"),
        )
    ]  # fmt: skip
    sent = finding(host=HOSTILE, actor=HOSTILE).model_copy(update={"detail": DETAIL})
    run = report().run.model_copy(update={"persona": (Value(type="phone_number", text="+8613800138000"),)})
    gaps = [gap("pinned.example")]
    new = report(finding(), finding(rule="read-before-consent"), sent, gaps=gaps, name="now")
    now = [new.model_copy(update={"run": run})]
    decided = gate(now, release(was, {}), Accepted(), GatePolicy(), knowledge().recipients)
    return GateStory(decided, now, Words(lang), revealed)


@pytest.fixture(scope="module")
def page():
    return lxml_html.document_fromstring(render(told(), "html"))


def test_each_change_has_its_table(page):
    heads = [head.text_content() for head in page.findall(".//h2")]
    assert heads == ["New (1)", "Worse (1)", "Not observable (1)", "Gone (1)", "Same (1)"]
    rows = page.xpath("//tbody/tr")
    assert sum("fails the build" in row.text_content() for row in rows) == 2
    assert all(row.xpath(".//code[starts-with(text(), 'v2:')]") for row in rows)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_in_it_acts_and_nothing_is_loaded(lang):
    text = render(told(lang=lang), "html")
    inert(lxml_html.document_fromstring(text))
    assert "<script" not in text
    assert text == render(told(lang=lang), "html")


def test_values_are_masked_unless_revealed():
    assert "13800138000" not in render(told(), "html")
    assert "13800138000" in render(told(revealed=True), "html")
