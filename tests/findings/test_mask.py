import base64
import html
import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appwitness.events import Consent, Upload, Value
from appwitness.findings import Flow, Match, Recipient, ReportedGap
from appwitness.findings.mask import EXCERPT_CHARACTERS, HIDDEN, Mask, known_values, mask_value, masked
from appwitness.reports import FORMATS, render
from tests.reports import sample
from tests.strategies import examples


@pytest.mark.parametrize(
    ("type_", "text", "shown"),
    [
        ("phone_number", "+8613800138000", "+86138****8000"),
        ("phone_number", "13800138000", "138****8000"),
        ("phone_number", "+1 650-555-0142", "+165****0142"),
        ("phone_number", "10086", "1***"),
        ("email", "anna@example.org", "a***@example.org"),
        ("email", "a@example.org", "a***@example.org"),
        ("name", "诸葛强浩", "诸*"),
        ("name", "Anna-Maria Kowalska", "A*"),
        ("location", "31.230416,121.473701", "31.2**,121.4**"),
        ("location", "-33.8688,151.2093", "-33.8**,151.2**"),
        ("location", "nowhere", HIDDEN),
        ("android_id", "64f051c20ca1dc00", "64****00"),
        ("account_id", "somebody@example.org", "s***@example.org"),
        ("sms_content", "您的验证码是 052494", "您的***"),
        ("name", "李", HIDDEN),
        ("name", "", HIDDEN),
        ("device_id_imei", "ab", HIDDEN),
    ],
)
def test_a_value_keeps_what_tells_it_from_others(type_, text, shown):
    assert mask_value(type_, text) == shown


NUMBER = Value(type="phone_number", text="+8613800138000")
NAME = Value(type="name", text="程华")
PLACE = Value(type="location", text="31.230416,121.473701")
MAIL = Value(type="email", text="Anna.K@Example.org")
SHORT = Value(type="name", text="Anna")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call +8613800138000 now", "call +86138****8000 now"),
        ("n=13800138000&x", "n=138****8000&x"),
        ("008613800138000", "0086138****8000"),
        ("tel:%2B8613800138000", "tel:+86138****8000"),
        ('{"name":"程华"}', '{"name":"程*"}'),
        ("%E7%A8%8B%E5%8D%8E", "程*"),
        ("\\u7a0b\\u534e", "程*"),
        ("anna.k@example.org", "A***@Example.org"),
        ("lat 31.2304 lon 121.47", "lat 31.2** lon 121.4**"),
        ("31.230416,121.473701", "31.2**,121.4**"),
        ("from Anna:", "from A*:"),
        ("Annapurna and Hannah", "Annapurna and Hannah"),
        ("nothing here", "nothing here"),
        ("KzEzODAwMTM4MDAw is something else", "KzEzODAwMTM4MDAw is something else"),
    ],
)
def test_known_values_are_masked_in_their_plain_forms(text, shown):
    mask = Mask([NUMBER, NAME, PLACE, MAIL, SHORT])
    assert mask.known(text) == shown


def test_base64_and_hex_of_a_known_value_are_masked():
    mask = Mask([NUMBER, NAME])
    for encoded in (base64.b64encode(NUMBER.text.encode()).decode(), NUMBER.text.encode().hex()):
        assert encoded.rstrip("=") not in mask.known(f"v={encoded};")


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("mail other.person@example.net too", "other.person"),
        ("number 13999887766 too", "13999887766"),
        ("number 139-9988-7766 too", "9988-7766"),
        ("at 48.858222,2.294500", "48.858222"),
        ("h=5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8", "da28047151d0e56f8dc6292773603d0d"),
        ("token=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "JIUzI1NiIsInR5cCI6"),
    ],
)
def test_what_looks_like_a_value_is_masked_in_an_excerpt_though_it_is_not_known(text, absent):
    assert absent not in Mask([]).excerpt(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("I do not agree", "I do not agree"),
        ("不同意", "不同意"),
        ("我已阅读并同意欧阳诸葛的条款", f"我已阅读并同意{HIDDEN}"),
        ("the code is 052494", f"the code is {HIDDEN}"),
        ('{"session": "summer rain", "n": 12}', f'{{"session": "{HIDDEN} {HIDDEN}", "n": {HIDDEN}}}'),
        ("userName=Zdrojewska&x=1", f"userName={HIDDEN}&x={HIDDEN}"),
        ("s e c r e t", f"{HIDDEN} {HIDDEN} {HIDDEN} {HIDDEN} {HIDDEN} {HIDDEN}"),
    ],
)
def test_of_an_excerpt_our_own_words_and_names_of_fields_are_left(text, shown):
    assert Mask([NUMBER]).excerpt(text) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://ads.test/collect/bid?lat=31.230&lon=1", "http://ads.test/collect/***?lat=***&lon=***"),
        ("https://u:secret@ads.test/a", "https://ads.test/a"),
        ("https://ads.test/u/13800138000/x#frag", "https://ads.test/***/138****8000/***#***"),
        ("https://ads.test/?13800138000", "https://ads.test/?***"),
        ("https://[broken/", HIDDEN),
    ],
)
def test_a_url_keeps_the_names_of_its_query_and_nothing_of_the_values(url, shown):
    assert Mask([NUMBER]).url(url) == shown


def test_cookies_and_credentials_are_hidden_whole():
    mask = Mask([])
    assert mask.header("Cookie", "sid=abc") == ("Cookie", HIDDEN)
    assert mask.header("authorization", "Bearer x") == ("authorization", HIDDEN)
    assert mask.header("user-agent", "okhttp/4.9.3 (Anna)") == ("user-agent", "okhttp/***.***.*** (***)")
    assert mask.header("Zdrojewska", "x-7") == (HIDDEN, f"{HIDDEN}-{HIDDEN}")
    assert mask.header("Content-Type", "application/json; charset=utf-8") == (
        "Content-Type", "application/json; charset=utf-8",
    )  # fmt: skip
    assert mask.header("referer", "https://a.test/?q=1") == ("referer", "https://a.test/?q=***")


def test_a_digest_is_too_short_to_try_numbers_against():
    match = sample.report().flows[0].matches[1]
    shown = Mask([]).match(match)
    assert match.found not in shown.model_dump_json()
    assert len(shown.found) == 7


@pytest.mark.parametrize("left", [True, False])
def test_a_value_that_is_torn_where_the_excerpt_was_cut_does_not_show(left):
    torn = "800138000" if left else "+8613800"
    filler = '","n":"' + "x" * EXCERPT_CHARACTERS
    text = (torn + filler)[:EXCERPT_CHARACTERS] if left else (filler + torn)[-EXCERPT_CHARACTERS:]
    match = sample.report().flows[0].matches[0].model_copy(update={"before" if left else "after": text})
    shown = Mask([NUMBER]).match(match)
    assert torn not in (shown.before if left else shown.after)


def test_a_stack_is_left_alone_by_contacts_that_are_called_like_code():
    mask = Mask([Value(type="name", text="Looper"), NUMBER])
    access = sample.Sample().accesses["accesses.jsonl:2"]
    assert mask.event(access).stack == access.stack
    assert (
        "13800138000" not in mask.event(access.model_copy(update={"stack": ("a.b.c13800138000(X.java:1)",)})).stack[0]
    )


def test_references_times_and_structure_stay_as_they_are():
    report = sample.report()
    hidden = masked(report)
    assert [flow.upload for flow in hidden.flows] == [flow.upload for flow in report.flows]
    assert [finding.evidence for finding in hidden.findings] == [finding.evidence for finding in report.findings]
    assert set(hidden.evidence) == set(report.evidence)
    before, after = report.evidence["uploads.jsonl:2"], hidden.evidence["uploads.jsonl:2"]
    assert isinstance(before, Upload)
    assert isinstance(after, Upload)
    assert (after.body, after.client) == (before.body, before.client)
    assert hidden.run.versions == report.run.versions


def test_a_date_of_birth_does_not_eat_into_the_date_of_a_country():
    recipient = Recipient(host="a.test", country="DE", country_basis="address_block", country_as_of="2026-10-27")
    mask = Mask([Value(type="birthday", text="2026-10-27"), Value(type="name", text="address_block")])
    assert mask.event(recipient) == recipient


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("format_", FORMATS)
def test_no_value_of_the_sample_shows_in_any_format(format_, lang):
    report = sample.report()
    text = render(report, format_, lang=lang)
    for shown in (text, html.unescape(text)):
        assert [secret for secret in sample.secrets(report) if secret in shown] == []


@pytest.mark.parametrize("format_", ["json", "html", "sarif"])
def test_reveal_shows_the_values(format_):
    assert sample.PLACE.text in render(sample.report(), format_, reveal=True)


digits = st.text("0123456789", min_size=8, max_size=9)
values = st.one_of(
    digits.map(lambda tail: Value(type="phone_number", text=f"+86139{tail}")),
    digits.map(lambda tail: Value(type="phone_number", text=f"139{tail}")),
    digits.map(lambda tail: Value(type="device_id_imei", text=f"8675{tail}")),
    st.text("欧阳诸葛程李王赵钱孙周吴郑冯陈褚卫蒋沈韩杨", min_size=2, max_size=4).map(
        lambda text: Value(type="name", text=text)
    ),
    st.tuples(st.text("bcdfghjklmnpqrstvwxz", min_size=4, max_size=9), st.text("BCDFGHJKLMNPQRSTVWXZ", min_size=5)).map(
        lambda parts: Value(type="name", text=" ".join(parts))
    ),
    st.text("bcdfghjklmnpqrstvwxz._", min_size=5, max_size=30).map(
        lambda name: Value(type="email", text=f"q{name}q@example.org")
    ),
    st.tuples(st.integers(-8999999, 8999999), st.integers(-17999999, 17999999)).map(
        lambda parts: Value(type="location", text=f"{parts[0] / 100000:.6f},{parts[1] / 100000:.6f}")
    ),
    st.text("欧阳诸葛程李王赵 ,;\"'0123456789", min_size=12, max_size=120)
    .filter(lambda text: len(text.strip()) >= 12)
    .map(lambda text: Value(type="sms_content", text=text.strip())),
)
wrap = st.sampled_from(
    [
        '{{"a":"{}","b":2}}',
        "a={}&b=2",
        "https://h.test/p/{}/q?x={}",
        "text with {} inside",
        "{}",
        "<{}>",
    ]
)


@settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(values, min_size=1, max_size=4), wrap, st.booleans(), st.sampled_from(sorted(FORMATS)))
def test_no_value_shows_wherever_it_stands_and_in_whichever_format(values, wrap, encode, format_):
    """The law of masking: whatever is known to be a value is in no rendering."""
    report = carrying(values, wrap, encode)
    secrets = {value.text for value in values}
    secrets |= {quote(value.text) for value in values}
    for name in {"json", format_}:  # JSON has every field
        text = render(report, name)
        shown = [text, html.unescape(text)]
        if name in ("json", "sarif"):
            shown.append(json.dumps(json.loads(text)))
        for page in shown:
            assert [secret for secret in secrets if secret in page] == []


def carrying(values, wrap, encode):
    """A report in which the values stand in every field of foreign origin."""

    def put(value):
        return wrap.replace("{}", quote(value.text) if encode else value.text).replace("{{", "{").replace("}}", "}")

    all_of_them = " ".join(put(value) for value in values)
    parts = sample.Sample()
    old = parts.accesses["accesses.jsonl:2"]
    args = {put(values[0]): [all_of_them, {"deep": put(values[-1])}]}
    access = old.model_copy({"values": tuple(values), "target": all_of_them, "args": args})
    up = parts.uploads["uploads.jsonl:2"]
    upload = up.model_copy(
        update={
            "url": "https://h.test/" + put(values[0]) + "?q=" + quote(values[0].text) + "#" + put(values[-1]),
            "headers": (("x-a", all_of_them), ("cookie", put(values[0]))),
        }
    )
    consent = Consent(
        at=sample.at(5), signal="dialog", status="requested", by="app", text=put(values[0]), note=all_of_them
    )
    matches = []
    for value in values:
        text = all_of_them
        start = text.find(value.text)
        found = value.text if start >= 0 else quote(value.text)
        start = max(text.find(found), 0)
        matches.append(
            Match(
                type=value.type,
                value=value.text,
                variant="plain",
                path=f"$.{put(value)}",
                start=start,
                end=start + len(found),
                confidence=0.99,
                before=text[max(0, start - 60) : start],
                found=found,
                after=text[start + len(found) : start + len(found) + 60],
                note=put(value),
            )
        )
    base = sample.report()
    flow = Flow(**base.flows[0].model_dump(exclude={"matches"}), matches=tuple(matches))
    finding = base.findings[0].model_copy(update={"detail": {"en": all_of_them, "zh": all_of_them}})
    return sample.report(
        run=sample.run(persona=tuple(values)),
        flows=(flow, *base.flows[1:]),
        findings=(finding, *base.findings[1:]),
        accesses=(("accesses.jsonl:2", access),),
        uploads=(("uploads.jsonl:2", upload),),
        consents=(("consents.jsonl:1", consent),),
        evidence={**base.evidence, "accesses.jsonl:2": access, "uploads.jsonl:2": upload, "consents.jsonl:1": consent},
        gaps=(ReportedGap(at=sample.at(1), where="proxy", subject="h.test", why="tls_refused", detail=all_of_them),),
        coverage={"hosts": {"h.test": 1}, "said": all_of_them},
    )


def test_every_value_that_a_report_could_show_is_known():
    report = sample.report()
    assert {value.text for value in known_values(report)} >= sample.secrets(report)


@pytest.mark.parametrize("text", ["31.9999996", "32.000000", "31999999", "0.0000001", "121.473701"])
def test_coordinates_are_masked_as_they_may_be_cut_and_rounded(text):
    values = [Value(type="location", text=each) for each in ("31.9999996,121.4737013", "0.0000001,-0.0000002")]
    assert Mask(values).known(f"at {text} now") != f"at {text} now"


@pytest.mark.parametrize("many", [2, 2000])
def test_a_value_that_is_spelt_otherwise_is_found_among_many_that_begin_like_it(many):
    texts = [f"4901542032{number:05}" for number in range(many)]
    mask = Mask(Value(type="imei", text=text) for text in texts)
    for text in (texts[0], texts[-1]):
        assert mask.sentence(f"a_{'_'.join(text)}_b") == HIDDEN
    assert mask.sentence("a_4_9_0_1_b") == "a_4_9_0_1_b"


def test_what_is_known_already_is_not_learned_again():
    mask = Mask([NUMBER])
    forms = dict(mask.forms)
    mask.learn([NUMBER])
    assert mask.forms == forms
    mask.learn([MAIL])
    assert mask.known(MAIL.text) != MAIL.text
