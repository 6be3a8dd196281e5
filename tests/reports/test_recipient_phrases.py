"""Articles, finding types, declarations and countries in every report."""

import json

import pytest
from lxml import html as lxml_html

from appwitness.findings import Recipient
from appwitness.reports import render
from appwitness.reports.phrases import who
from appwitness.reports.text import render as text
from appwitness.reports.words import Words
from tests.reports import sample

CHECK = {"en": "(check before citing)", "zh": "（引用前请核对）"}


def page():
    return lxml_html.document_fromstring(render(sample.report(), "html"))


def rendered(report, format_, lang="en"):
    """In a terminal so wide that nothing is folded."""
    if format_ != "text":
        return render(report, format_, lang=lang)
    return text(report, lang=lang, verbose=True, width=600, colour=False)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("format_", ["text", "html", "sarif", "junit"])
def test_articles_stand_under_their_jurisdiction_with_a_warning_where_it_is_due(format_, lang):
    findings = tuple(finding for finding in sample.report().findings if finding.articles)[:1]
    shown = rendered(sample.report(findings=findings, laws=("cn", "eu")), format_, lang)
    for article in sample.ARTICLES:
        citation = article.citation[lang]
        assert (citation + (" " if lang == "en" else "") + CHECK[lang] if article.verify else citation) in shown
    assert shown.count(CHECK[lang]) == (4 if format_ == "text" else 2)
    assert "F02" in shown
    if format_ != "sarif":
        assert {"en": "China", "zh": "中国"}[lang] in shown


def test_a_terminal_only_counts_them_where_no_law_is_chosen():
    shown = rendered(sample.report(), "text")
    assert "4 relevant articles" in shown
    assert "PIPL, art. 13" not in shown


def test_the_screen_names_those_of_a_law_that_is_chosen():
    assert "China: PIPL, art. 13" in text(sample.report(laws=("cn",)), width=80, colour=False)
    assert "PIPL" not in text(sample.report(), width=80, colour=False)


def test_json_says_which_articles_are_to_be_checked():
    tree = json.loads(render(sample.report(), "json"))
    (finding,) = [one for one in tree["findings"] if one["rule"] == "sent-before-consent" and "f1" in one["flows"]]
    assert finding["kinds"] == ["F02"]
    assert [(each["law"], each["verify"]) for each in finding["articles"]] == [
        ("CN-PIPL", False), ("CN-CSL", True), ("EU-GDPR", False), ("EU-EPRIVACY", True),
    ]  # fmt: skip
    assert [each["declared"] for each in tree["declared"]] == [True, False, True]


def test_sarif_has_articles_as_data():
    log = json.loads(render(sample.report(), "sarif"))
    articles = [one["properties"]["articles"] for one in log["runs"][0]["results"] if "articles" in one["properties"]]
    assert [each["jurisdiction"] for each in articles[0]] == ["cn", "cn", "eu", "eu"]
    countries = {one["properties"].get("country") for one in log["runs"][0]["results"]}
    assert countries == {None, "CN", "US (where the block of the server's address is registered, 2026-11)"}


@pytest.mark.parametrize("format_", ["text", "html"])
def test_observed_against_declared_begins_with_what_is_not_declared(format_):
    shown = rendered(sample.report(), format_)
    table = shown[shown.index("Observed versus declared") :]
    order = [table.index(part) for part in ("not declared", "declared, not seen in this run")]
    assert order == sorted(order)
    assert "uploads.jsonl:3" in table
    assert "Observed versus declared" not in render(sample.report(declared=()), format_)


def test_a_finding_shows_its_consent_lines_and_what_state_the_app_was_in():
    shown = [" ".join(item.text_content().split()) for lines in page().find_class("lines") for item in lines]
    assert "consents.jsonl:2 01:20:14.500 tap: refused “Disagree” privacy policy, by the user" in shown
    assert "phases.jsonl:2 01:20:00.800 the app came to the foreground" in shown


@pytest.mark.parametrize(
    ("recipient", "told"),
    [
        (Recipient(host="h", name="N", party="third", country="US", country_basis="company", country_as_of="2026-11"),
         "N, third party, US (where the company is registered, 2026-11)"),
        (Recipient(host="h", party="first", country="CN", country_basis="declared"),
         "first party, CN (as its maker declares)"),
        (Recipient(host="h", party="third", country="IE", country_basis="address_block", country_as_of="2026-10-01"),
         "third party, IE (where the block of the server's address is registered, 2026-10-01)"),
        (Recipient(host="h", country="DE"), "party unknown, DE"),
        (Recipient(host="h"), "party unknown"),
    ],
)  # fmt: skip
def test_a_country_says_what_it_rests_on(recipient, told):
    assert who(recipient, Words("en")) == told
