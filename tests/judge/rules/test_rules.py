"""What the rules make of accesses and flows: the sample apps, levels, confidence, evidence, words, broken files."""

import re

import pytest

from appwitness.catalog import yaml_files
from appwitness.events import Observers
from appwitness.judge.rules import EVIDENCE, Rule, judge
from appwitness.judge.rules.sentences import filled
from appwitness.support.errors import FileError
from tests.judge.scenario import LAWS, LOCATE, NUMBER, RULES, Scenario


def circle(plan, offset_s=0.0):
    scenario = Scenario("com.example.circle", offset_s)
    book = scenario.reads(0.2, "device_contacts", rows=12)
    scenario.asked(0.4)
    scenario.sends(0.5, book, "api.circle.test", "device_contacts", rows=12)
    scenario.sends(0.6, book, "sync.friendgraph.test", "device_contacts", rows=12)
    if plan == "refuse":
        scenario.says(2, "refused")
        scenario.sends(3, book, "api.circle.test", "device_contacts", rows=12)
    if plan == "accept":
        scenario.says(2, "given")
    return scenario


def skies(plan, offset_s=0.0):
    scenario = Scenario("com.example.skies", offset_s)
    place = scenario.reads(0.1, "location")
    scenario.sends(0.3, place, "ads.adnet.test", "location", cleartext=True, confidence=0.97)
    scenario.asked(0.5)
    if plan == "refuse":
        scenario.says(2, "refused")
    if plan == "accept":
        scenario.says(2, "given")
        again = scenario.reads(2.5, "location")
        scenario.sends(3, again, "ads.adnet.test", "location")
        scenario.sends(3.1, again, "api.skies.test", "location")
    return scenario


def corner(plan, offset_s=0.0):
    scenario = Scenario("com.example.corner", offset_s)
    scenario.asked(0.5)
    if plan == "refuse":
        scenario.says(2, "refused")
    if plan == "accept":
        scenario.says(2, "given")
        scenario.says(2.001, "dismissed", by="app", signal="dialog")
        number = scenario.reads(2.5)
        scenario.sends(3, number, "api.corner.test")
    return scenario


def pages(plan, offset_s=0.0):
    scenario = Scenario("com.example.pages", offset_s)
    scenario.asked(0.5)
    if plan == "refuse":
        scenario.says(2, "refused")
        number = scenario.reads(2.5)
        scenario.sends(3, number, "log.pages.test")
    return scenario


Found = list[tuple[str, str, str, str | None]]
BEFORE_CIRCLE: Found = [
    ("address-book-upload", "high", "proven", "api.circle.test"),
    ("address-book-upload", "high", "proven", "sync.friendgraph.test"),
    ("read-before-consent", "high", "proven", None),
]
SENT_CIRCLE: Found = [
    ("sent-before-consent", "high", "proven", "api.circle.test"),
    ("sent-before-consent", "high", "proven", "sync.friendgraph.test"),
]
BEFORE_SKIES = [
    ("read-before-consent", "high", "proven", None),
    ("sent-before-consent", "high", "proven", "ads.adnet.test"),
    ("sent-in-cleartext", "high", "proven", "ads.adnet.test"),
]
APPS = [
    (circle, "silent", BEFORE_CIRCLE + SENT_CIRCLE),
    (circle, "accept", BEFORE_CIRCLE + SENT_CIRCLE),
    (
        circle,
        "refuse",
        [*BEFORE_CIRCLE, ("sent-after-refusal", "high", "proven", "api.circle.test"), *SENT_CIRCLE],
    ),
    (skies, "silent", BEFORE_SKIES),
    (skies, "refuse", BEFORE_SKIES),
    (skies, "accept", [*BEFORE_SKIES, ("third-party-not-covered", "medium", "corroborated", "ads.adnet.test")]),
    (corner, "silent", []),
    (corner, "refuse", []),
    (corner, "accept", []),
    (pages, "silent", []),
    (
        pages,
        "refuse",
        [
            ("read-after-refusal", "high", "proven", None),
            ("sent-after-refusal", "high", "proven", "log.pages.test"),
        ],
    ),
]


@pytest.mark.parametrize("offset_s", [-3600, 0, 0.25])
@pytest.mark.parametrize(
    ("app", "plan", "expected"), [pytest.param(*case, id=f"{case[0].__name__}-{case[1]}") for case in APPS]
)
def test_the_sample_apps(app, plan, expected, offset_s):
    assert app(plan, offset_s).found() == expected


def test_the_finding_names_the_lines_to_check():
    scenario = Scenario("com.example.pages")
    asked = scenario.asked(1)
    number = scenario.reads(2)
    upload = scenario.sends(3, number, "log.pages.test", connection="connections.jsonl:9")
    agreed = scenario.says(7.5, "given")
    read, sent = sorted(scenario.findings(), key=lambda each: each.rule)
    assert sent.evidence == (number, upload, asked, agreed, "connections.jsonl:9")
    assert read.evidence == (number, upload, asked, agreed)
    assert (sent.flows, sent.count, sent.consent, sent.data) == (("f1",), 1, "requested", "phone_number")
    assert read.flows == ("f1",)  # what became of it


def test_a_finding_lists_every_line_though_few_are_told_first():
    scenario = Scenario("com.example.pages")
    reads = [scenario.reads(second) for second in range(40)]
    scenario.sends(50, reads[7])
    (finding,) = scenario.of("read-before-consent")
    assert finding.count == 40
    assert len(finding.evidence) == EVIDENCE
    assert finding.evidence[0] == reads[7]  # the one that is also on the wire
    assert finding.all_evidence[:EVIDENCE] == finding.evidence
    assert set(reads) <= set(finding.all_evidence)
    assert finding.flows == ("f1",)


def test_many_sendings_are_one_finding_with_a_count_and_the_telling_lines_first():
    scenario = Scenario()
    number = scenario.reads(0)
    unsure = scenario.sends(1, number, confidence=0.85)
    sure = scenario.sends(2, number, confidence=0.999)
    for second in range(3, 60):
        scenario.sends(second, number)
    finding = next(each for each in scenario.findings() if each.rule == "sent-before-consent")
    assert finding.count == len(finding.flows) == 59
    assert finding.evidence[:2] == (number, sure)
    assert len(finding.evidence) == EVIDENCE
    assert unsure not in finding.evidence
    assert finding.flows[0] == "f1"


def test_findings_come_worst_first_then_by_rule_data_and_host():
    scenario = Scenario()
    for host in ("b.shop.test", "a.shop.test"):
        for data in ("phone_number", "location"):
            scenario.sends(5, scenario.reads(4, data), host, data, cleartext=True)
    order = [(each.level, each.rule, each.data, each.recipient and each.recipient.host) for each in scenario.findings()]
    levels = ["high", "medium", "low", "info"]
    assert order == sorted(order, key=lambda each: (levels.index(each[0]), each[1], each[2], each[3] or ""))
    assert {each[0] for each in order} == {"high", "medium"}


CONSENT = [
    ("nothing shown", [], {"read-before-consent", "sent-before-consent"}),
    ("the question is open", [("requested", "app", "dialog")], {"read-before-consent", "sent-before-consent"}),
    ("closed without a choice", [("dismissed", "user", "tap")], {"read-before-consent", "sent-before-consent"}),
    ("gone, and its answer was not seen", [("gone", "app", "dialog")], set()),
    (
        "refused, asked again, gone",
        [("refused", "user", "tap"), ("requested", "app", "dialog"), ("gone", "app", "dialog")],
        set(),
    ),
    ("claimed by the app", [("given", "app", "sdk_call")], {"read-before-consent", "sent-before-consent"}),
    ("given", [("given", "user", "tap")], set()),
    ("marked as given", [("given", "operator", "operator")], set()),
    ("refused", [("refused", "user", "tap")], {"read-after-refusal", "sent-after-refusal"}),
    (
        "refused, asked again",
        [("refused", "user", "tap"), ("requested", "app", "dialog")],
        {"read-after-refusal", "sent-after-refusal"},
    ),
    (
        "withdrawn",
        [("given", "user", "tap"), ("withdrawn", "user", "tap")],
        {"read-after-withdrawal", "sent-after-withdrawal"},
    ),
]


@pytest.mark.parametrize(("lines", "rules"), [pytest.param(*case[1:], id=case[0]) for case in CONSENT])
def test_one_fact_is_judged_once(lines, rules):
    scenario = Scenario()
    for second, (status, by, signal) in enumerate(lines):
        scenario.says(second, status, by=by, signal=signal)
    scenario.sends(12, scenario.reads(11))
    assert {each.rule for each in scenario.findings()} == rules


@pytest.mark.parametrize("outcome", ["requested", "empty", "denied", "threw"])
def test_a_call_that_gave_nothing_read_nothing(outcome):
    scenario = Scenario()
    scenario.reads(1, outcome=outcome)
    assert scenario.findings() == ()


def test_a_permission_does_not_help():
    scenario = Scenario()
    scenario.says(1, "given", signal="permission_result", scope="system_permission", data=["location"])
    scenario.sends(3, scenario.reads(2, "location"), data="location")
    assert {each.rule for each in scenario.findings()} == {"read-before-consent", "sent-before-consent"}


def test_a_specific_refusal_goes_before_a_general_yes():
    scenario = Scenario()
    scenario.says(1, "given")
    scenario.says(2, "refused", data=["location"])
    scenario.sends(4, scenario.reads(3, "location"), data="location")
    scenario.sends(6, scenario.reads(5))
    assert {(each.rule, each.data) for each in scenario.findings()} == {
        ("read-after-refusal", "location"),
        ("sent-after-refusal", "location"),
    }


GRADES = [
    ("read and on the wire", {"access": True, "confidence": 0.999}, "proven"),
    ("read, and a match that may be chance", {"access": True, "confidence": 0.9}, "corroborated"),
    ("a planted value alone", {"access": False, "confidence": 0.999}, "indicated"),
    ("a name that others bear too", {"access": True, "confidence": 0.9, "namesake": True}, "indicated"),
    ("the same, however sure its letters are", {"access": True, "confidence": 0.999, "namesake": True}, "indicated"),
    ("very likely chance", {"access": True, "confidence": 0.5}, None),
]


@pytest.mark.parametrize(("flow", "grade"), [pytest.param(*case[1:], id=case[0]) for case in GRADES])
def test_how_well_a_sending_is_supported(flow, grade):
    scenario = Scenario()
    more = {name: value for name, value in flow.items() if name != "access"}
    scenario.sends(2, scenario.reads(1) if flow["access"] else None, **more)
    assert [each.confidence for each in scenario.findings() if each.rule == "sent-before-consent"] == [grade][
        : bool(grade)
    ]


@pytest.mark.parametrize(
    ("sent", "confidence", "namesake", "grade"),
    [
        (None, 0, False, "indicated"),
        (2, 0.999, False, "proven"),
        (2, 0.9, False, "indicated"),
        (2, 0.999, True, "indicated"),
        (9, 0.999, False, "corroborated"),
    ],
)
def test_how_well_a_reading_is_supported(sent, confidence, namesake, grade):
    scenario = Scenario()
    number = scenario.reads(1)
    scenario.says(5, "given")
    if sent:
        scenario.sends(sent, number, confidence=confidence, namesake=namesake)
    (finding,) = [each for each in scenario.findings() if each.rule == "read-before-consent"]
    assert finding.confidence == grade


FOLDED = [
    ("before and after the refusal", 3, {"read-before-consent": 1, "read-after-refusal": 1}),
    ("all before it", 8, {"read-before-consent": 40}),
]


@pytest.mark.parametrize(("refused", "counts"), [pytest.param(*case[1:], id=case[0]) for case in FOLDED])
def test_a_folded_line_stands_for_calls_at_both_ends(refused, counts):
    scenario = Scenario()
    scenario.reads(1, until=5, count=40)
    scenario.says(refused, "refused")
    assert {each.rule: each.count for each in scenario.findings()} == counts


BOOK = [
    ("all of it", [12], None, ("high", "12 of 12 entries")),
    ("with consent", [12], "given", ("medium", "12 of 12 entries")),
    ("after a refusal", [12], "refused", ("high", "12 of 12 entries")),
    ("one by one", [[0], [1], [2], [3]], None, ("high", "4 of 12 entries")),
    ("two people", [2], None, None),
    ("one person again and again", [[7], [7], [7], [7]], None, None),
]


@pytest.mark.parametrize(("uploads", "consent", "expected"), [pytest.param(*case[1:], id=case[0]) for case in BOOK])
def test_other_peoples_data(uploads, consent, expected):
    scenario = Scenario()
    if consent:
        scenario.says(0, consent)
    book = scenario.reads(1, "device_contacts", rows=12)
    for second, rows in enumerate(uploads, 2):
        scenario.sends(second, book, data="device_contacts", rows=rows)
    found = [each for each in scenario.findings() if each.rule == "address-book-upload"]
    assert [each.level for each in found] == ([expected[0]] if expected else [])
    assert all(expected[1] in each.detail["en"] for each in found)


COVERED = [
    ("no separate consent", [], "ads.adnet.test", "medium"),
    ("asked, not answered", [("requested", "app", "dialog")], "ads.adnet.test", "medium"),
    ("separately refused", [("refused", "user", "tap")], "ads.adnet.test", "high"),
    ("separately given", [("given", "user", "tap")], "ads.adnet.test", None),
    ("the maker's own", [], "api.shop.test", None),
    ("a bare address", [], "203.0.113.9", None),
    ("a hosting platform", [], "d111.cloudfront.net", None),
]


@pytest.mark.parametrize(("lines", "host", "level"), [pytest.param(*case[1:], id=case[0]) for case in COVERED])
def test_third_parties(lines, host, level):
    scenario = Scenario()
    scenario.says(0, "given")
    for status, by, signal in lines:
        scenario.says(1, status, by=by, signal=signal, scope="third_party_separate")
    scenario.sends(3, scenario.reads(2), host)
    assert [(each.rule, each.level) for each in scenario.findings()] == (
        [("third-party-not-covered", level)] if level else []
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "[::1]:80"])
def test_what_is_sent_to_the_device_itself_did_not_leave_it(host):
    scenario = Scenario()
    scenario.sends(2, scenario.reads(1), host, cleartext=True)
    assert {each.rule for each in scenario.findings()} == {"read-before-consent"}


def test_cleartext_is_found_whatever_the_consent():
    scenario = Scenario()
    scenario.says(0, "given")
    scenario.sends(2, scenario.reads(1), cleartext=True)
    assert scenario.found() == [("sent-in-cleartext", "medium", "proven", "api.shop.test")]


def test_the_sentences():
    scenario = Scenario("com.example.skies")
    scenario.asked(1)
    stack = (f"{LOCATE}(LocationManager.java:7)", "com.adnet.sdk.Bidder.locate(Bidder.java:9)")
    place = scenario.reads(2, "location", stack=stack)
    scenario.sends(3, place, "ads.adnet.test", "location")
    scenario.says(7.5, "given")
    scenario.sends(8, place, "ads.adnet.test", "location")
    read, sent, third = scenario.findings()
    assert read.detail["en"] == (
        "The app read the location through android.location.LocationManager.getLastKnownLocation"
        " (called by com.adnet.sdk.Bidder.locate of AdNet) at 2026-03-14 09:00:02.000 UTC;"
        " the user had been asked at 2026-03-14 09:00:01.000 UTC (consents.jsonl:1)"
        " and no consent event was observed before that;"
        " consent was given 5.5 s later (consents.jsonl:2)."
    )
    assert sent.detail["en"] == (
        "The app sent the location (as plain) to ads.adnet.test (AdNet, third party) at 2026-03-14 09:00:03.000 UTC;"
        " the user had been asked at 2026-03-14 09:00:01.000 UTC (consents.jsonl:1)"
        " and no consent event was observed before that;"
        " consent was given 4.5 s later (consents.jsonl:2)."
    )
    assert third.detail["en"] == (
        "The app sent the location (as plain) to ads.adnet.test (AdNet, third party) at 2026-03-14 09:00:08.000 UTC;"
        " the user had agreed at 2026-03-14 09:00:07.500 UTC (consents.jsonl:2),"
        " but no consent event about giving data to third parties was observed before that."
    )
    assert sent.detail["zh"] == (
        "应用将精准位置（形式：plain）于 2026-03-14 09:00:03.000 UTC 发送至 ads.adnet.test（AdNet，第三方）；"
        "已于 2026-03-14 09:00:01.000 UTC 征求同意（consents.jsonl:1），此前未观察到同意事件；"
        "4.5 秒之后才同意（consents.jsonl:2）。"
    )


def test_an_operators_mark_is_called_one():
    scenario = Scenario()
    scenario.says(1, "refused", by="operator", signal="operator")
    scenario.sends(3, scenario.reads(2))
    assert all("as marked by the operator" in each.detail["en"] for each in scenario.findings())
    assert all("操作人员标记" in each.detail["zh"] for each in scenario.findings())


def test_no_sentence_shows_a_value_or_a_verdict():
    verdict = re.compile(r"illegal|unlawful|violat|违法|违规|非法|侵权", re.IGNORECASE)
    for app, plan, _ in APPS:
        for finding in app(plan).findings():
            for text in (*finding.detail.values(), *finding.title.values()):
                assert NUMBER not in text
                assert not re.search(r"Person \d", text)
                assert not verdict.search(text)
                assert "{" not in text
    for rule in RULES:
        for words in (rule.title, rule.why, rule.remedy, rule.detail):
            assert not any(verdict.search(text) for text in words.values())


def test_each_rule_lies_in_the_file_of_its_name_and_says_what_it_rests_on():
    for path in yaml_files.files("rules"):
        rule = yaml_files.parse(path, Rule)
        assert rule.id == path.stem
        assert LAWS.articles(rule.kinds)


def test_an_organisations_rule_of_the_same_name_replaces_ours():
    scenario = Scenario()
    scenario.sends(2, scenario.reads(1))
    ours = next(rule for rule in RULES if rule.id == "sent-before-consent")
    theirs = ours.model_copy(update={"level": "low"})
    levels = {each.rule: each.level for each in judge([*RULES, theirs], scenario.facts())}
    assert levels["sent-before-consent"] == "low"


RULE = """\
id: mine
on: flow
level: low
title: {en: T, zh: 题}
why: {en: W, zh: 因}
remedy: {en: R, zh: 法}
when:
  consent: [given]
detail:
  en: "The {data} went to {recipient} {when}."
  zh: "{data} {recipient} {when}"
"""

BROKEN = [
    ("level: low", "level: terrible", 3, "level"),
    ("on: flow", "on: upload", 2, "on"),
    ("id: mine", "id: My Rule", 1, "id"),
    ("consent: [given]", "consent: [agreed]", 8, "when.consent.0"),
    ("consent: [given]", "consents: [given]", 8, "consents"),
    ("consent: [given]", "party: third", 8, "party"),
    ("on: flow", "on: access", 9, r"unknown \{recipient\}; expected only \{data\}"),
    ("{en: T, zh: 题}", "{en: T}", 4, "a text for each of en and zh"),
    ("{en: T, zh: 题}", "{en: T, zh: ''}", 4, "a text for each of en and zh"),
    ("{when}.", "{whenever}.", 9, r"unknown \{whenever\}"),
    ("{when}.", "{when!r}.", 9, r"unknown \{when!r\}"),
    ("{when}.", "{when:>{data}}.", 9, "unknown"),
    ("{when}.", "{}.", 9, "unknown"),
    ("{when}.", "{when.", 9, "expected '}'"),
    ("{when}.", "{separate}.", 9, r"unknown \{separate\}"),
    ("level: low\n", "", 1, "level: Field required"),
    ("consent: [given]", "consent: [given]\n  rows: 0", 9, "rows"),
    ("consent: [given]", "consent: [given]\n separate: x", 9, "not YAML"),
]


def test_a_rule_of_ones_own_is_read(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text(RULE, "utf-8")
    rule = yaml_files.parse(path, Rule)
    scenario = Scenario()
    scenario.says(0, "given")
    scenario.sends(2, scenario.reads(1))
    (finding,) = judge([rule], scenario.facts())
    assert (
        finding.detail["en"] == "The phone number went to api.shop.test (first party) at 2026-03-14 09:00:02.000 UTC."
    )


@pytest.mark.parametrize(("old", "new", "line", "says"), BROKEN)
def test_a_broken_rule_file_is_an_error_with_file_line_and_what_was_expected(tmp_path, old, new, line, says):
    assert old in RULE
    path = tmp_path / "mine.yml"
    path.write_text(RULE.replace(old, new, 1), "utf-8")
    with pytest.raises(FileError, match=says) as error:
        yaml_files.parse(path, Rule)
    assert (error.value.path, error.value.line) == (path, line)


NOT_JUDGED = [
    (Observers(hooks=True, proxy=True), {"read-before-consent", "sent-before-consent", "no-first-run-notice"}),
    (Observers(proxy=True, consent=True), {"read-before-consent", "no-first-run-notice"}),
    (Observers(hooks=True, consent=True), {"sent-before-consent", "sent-in-cleartext"}),
]


@pytest.mark.parametrize(("observers", "silent"), NOT_JUDGED)
def test_a_rule_does_not_judge_without_the_observers_that_it_needs(observers, silent):
    scenario = Scenario()
    scenario.phase(0, "foreground")
    scenario.sends(3, scenario.reads(2), cleartext=True)
    judged = {each.rule for each in scenario.findings()}
    assert silent <= judged
    assert not silent & {each.rule for each in scenario.findings(observers=observers)}


def test_nothing_is_proven_by_one_observer():
    scenario = Scenario()
    scenario.sends(3, scenario.reads(2), cleartext=True)
    grades = {each.rule: each.confidence for each in scenario.findings()}
    assert grades["sent-in-cleartext"] == "proven"
    alone = scenario.findings(observers=Observers(proxy=True))
    assert {each.rule: each.confidence for each in alone} == {"sent-in-cleartext": "corroborated"}


def test_a_rule_of_ones_own_needs_what_its_conditions_rest_on():
    ours = next(rule for rule in RULES if rule.id == "read-never-sent")
    tree = {**ours.model_dump(by_alias=True, exclude={"needs"}, exclude_none=True), "id": "own"}
    assert set(Rule.model_validate(tree).needs) == {"hooks", "proxy", "consent"} == set(ours.needs)
    with pytest.raises(ValueError, match="needs"):
        Rule.model_validate({**tree, "needs": ["oracle"]})


@pytest.mark.parametrize(
    ("language", "template", "text"),
    [
        ("zh", "应用向{recipient}发送了{data}。", "应用向 AdNet 发送了手机号。"),
        ("zh", "有{data}条", "有手机号条"),
        ("zh", "共{recipient} 上传", "共 AdNet 上传"),
        ("en", "{recipient}看到了", "AdNet看到了"),
        ("en", "It sent the {data}\nto {recipient}.", "It sent the 手机号 to AdNet."),
    ],
)
def test_words_of_two_scripts_stand_apart_in_chinese(language, template, text):
    words = {"recipient": lambda: "AdNet", "data": lambda: "手机号"}
    assert filled(template, words, language) == text
