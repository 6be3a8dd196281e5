"""What a headline says a rule objects to, against what the findings and uploads of made-up reports hold."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.catalog import yaml_files
from appwitness.events import Upload
from appwitness.findings import Finding, JudgedRule
from appwitness.reports import render
from appwitness.reports.verdict import facts, objection, sent
from appwitness.reports.words import Words
from tests.reports import sample

WORDS = {lang: Words(lang) for lang in ("en", "zh")}
ANSWER = ("sent-before-consent", "sent-after-refusal", "sent-after-withdrawal")
OTHER = ("sent-in-cleartext", "weakly-hashed", "fixed-identifier-sent", "undeclared-data", "of-my-own")
UNENCRYPTED = {"en": "unencrypted", "zh": "未加密"}
HASHED = {"en": "hashed", "zh": "哈希值"}
NOT_OBSERVED = {"en": "consent then", "zh": "当时的同意状态"}
START = sample.START


def made(rules, *, state="given", variants=("plain",), via="http", host="x.test", uploads=1):
    """A report of one kind of data that went to one recipient, to which these rules object."""
    base = sample.report()
    like, match = base.flows[0], base.flows[0].matches[0]
    flows = tuple(
        like.model_copy(
            update={
                "id": f"f{n}", "upload": f"uploads.jsonl:{n}", "consent": state, "data": "location", "rows": None,
                "rows_read": None, "via": via, "cleartext": via == "http",
                "recipient": like.recipient.model_copy(update={"host": host}),
                "matches": tuple(match.model_copy(update={"variant": each}) for each in variants),
            }
        )
        for n in range(1, uploads + 1)
    )  # fmt: skip
    findings = tuple(
        Finding(
            rule=rule, level="high", confidence="proven", title={"en": f"About {rule}", "zh": f"关于 {rule}"},
            data="location", consent=state, flows=tuple(flow.id for flow in flows), evidence=("uploads.jsonl:1",),
        )
        for rule in rules
    )  # fmt: skip
    judged = tuple(
        JudgedRule(
            id=rule, level="high", title={"en": rule}, needs=("proxy", "consent") if rule in ANSWER else ("proxy",)
        )
        for rule in rules
    )
    evidence = {
        f"uploads.jsonl:{n}": Upload(at=START, via=via, url=f"sms:+15550{n:03}" if via == "sms" else None)
        for n in range(1, uploads + 1)
    }
    return sample.report(flows=flows, findings=findings, rules=judged, evidence=evidence, answers=(), gaps=())


@given(
    st.lists(st.sampled_from(ANSWER + OTHER), unique=True, max_size=4),
    st.sampled_from(["given", "not_observed", "requested", "refused"]),
    st.lists(st.sampled_from(["plain", "base64", "sha256", "salted_md5", "hmac_sha1"]), min_size=1, max_size=3),
    st.sampled_from(["en", "zh"]),
)
def test_a_headline_says_what_was_objected_to_and_nothing_else(rules, state, variants, lang):
    report, words = made(rules, state=state, variants=variants), WORDS[lang]
    said = facts(report, words)
    assert (UNENCRYPTED[lang] in said) == ("sent-in-cleartext" in rules)
    hashed = all(re.search("md5|sha", each) for each in variants)
    assert (HASHED[lang] in said) == hashed or "weakly-hashed" in rules
    answered = not rules or any(rule in ANSWER for rule in rules)
    assert answered or NOT_OBSERVED[lang] not in said
    assert ("of-my-own" in said) == ("of-my-own" in rules and not answered and said.count("of-my-own") == 1)
    (group,) = sent(report)
    assert bool(objection(report, group, words)) == bool(rules)
    if not answered:
        assert words("consent_given") not in objection(report, group, words).split(words("comma"))


@given(st.integers(1, 5), st.booleans())
def test_a_message_without_a_host_reads_as_a_sentence(uploads, all_to_one):
    report = made(["of-my-own"], via="sms", host="", uploads=uploads)
    if all_to_one and uploads > 1:
        line = next(iter(report.evidence.values()))
        report = report.model_copy(update={"evidence": dict.fromkeys(report.evidence, line)})
    said = facts(report, WORDS["en"])
    assert " to ," not in said
    counted = re.search(r"went by text message to (\d+) numbers?,", said)
    # Masked numbers that look alike may be one or several: then none is counted.
    assert (counted and int(counted[1])) == (None if all_to_one and uploads > 1 else uploads)
    assert ("to 1 number," in said) == (uploads == 1)


@pytest.mark.parametrize(
    ("via", "said"), [("intent", "to another app"), ("bluetooth", "over Bluetooth"), ("nfc", "NFC")]
)
def test_other_ways_out_have_no_host_either(via, said):
    assert said in facts(made([], via=via, host=""), WORDS["en"])


def test_every_rule_about_what_was_sent_has_words_for_its_objection_or_is_about_the_answer():
    for path in yaml_files.files("rules"):
        if "\non: flow\n" in f"\n{path.read_text('utf-8')}":
            assert (path.stem in ANSWER) != WORDS["en"].has(f"objection_{path.stem}"), path.stem


def test_no_format_shows_a_yes_where_the_objection_is_another():
    report = made(["sent-in-cleartext"])
    page, text = render(report, "html"), render(report, "text")
    strip = page[page.index('<table class="strip">') : page.index("</table>", page.index('<table class="strip">'))]
    assert "unencrypted" in strip
    assert "consent-given" not in strip
    assert "unencrypted" in text
    told = json.loads(render(report, "json"))["headline"]
    assert told == {lang: facts(report, words) for lang, words in WORDS.items()}
    assert "unencrypted" in told["en"]
