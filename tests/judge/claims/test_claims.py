"""What uploads and consent lines claim: published strings, what we encode is what we read, nothing makes it fall."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.catalog import yaml_files
from appwitness.events import Consent, Upload
from appwitness.events.seen import see
from appwitness.judge.claims import ClaimTable
from appwitness.judge.claims.formats import READERS, ClaimWords
from appwitness.judge.iab import gpp, tcf
from appwitness.match.decode import leaves

AT = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
TABLE = yaml_files.parse(yaml_files.HERE / "claims.yml", ClaimTable)
WORDS = ClaimWords(frozenset(), frozenset(), TABLE.gpp_sections)

# Examples of the formats' own documents.
TCF = (
    "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA.IFoEUQQgAIQwgIwQABAEAAAAOIAACAIA"
    "AAAQAIAgEAACEAAAAAgAQBAAAAAAAGBAAgAAAAAAAFAAECAAAgAAQARAEQAAAAAJAAIAAgAAAYQEAAAQmAgBC3ZAYzUw"
)
TCF_NONE = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
TCF_V1 = "BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA"
GPP = "DBACNYA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN"
GPP_USNAT = "DBABLA~BVVqAAAAAgA.QA"


class Writer:
    """Writes bits as the formats have them: the mirror of Bits."""

    def __init__(self):
        self.bits = ""

    def number(self, value, width):
        self.bits += f"{value:0{width}b}"
        return self

    def set(self, numbers, width):
        self.bits += "".join("1" if n in numbers else "0" for n in range(1, width + 1))
        return self

    def letters(self, text):
        for letter in text:
            self.number(ord(letter) - ord("A"), 6)
        return self

    def ranges(self, ranges):
        self.number(len(ranges), 12)
        for run in ranges:
            self.number(int(len(run) > 1), 1).number(run.start, 16)
            if len(run) > 1:
                self.number(run.stop - 1, 16)
        return self

    def fibonacci(self, value):
        row = [1, 2]
        while row[-1] <= value:
            row.append(row[-1] + row[-2])
        bits = ""
        for number in reversed([each for each in row if each <= value]):
            taken = number <= value
            value -= number if taken else 0
            bits = ("1" if taken else "0") + bits
        self.bits += bits + "1"
        return self

    def text(self, cut=None):
        padded = self.bits + "0" * (-len(self.bits) % 24)
        data = int(padded, 2).to_bytes(len(padded) // 8, "big")
        return base64.urlsafe_b64encode(data).decode()[: -(-len(self.bits) // 6)][:cut]


def write_tcf(string: tcf.Tcf, vendors: list[range], *, ranges=True):
    def deciseconds(at):
        return round((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=100))

    out = Writer().number(2, 6).number(deciseconds(string.updated), 36).number(deciseconds(string.updated), 36)
    out.number(string.cmp_id, 12).number(1, 12).number(3, 6).letters("EN").number(15, 12)
    out.number(2, 6).number(0, 2).set(string.special_features, 12)
    out.set(string.purposes, 24).set((2, 7), 24).number(0, 1).letters("FR")
    most = max((run.stop - 1 for run in vendors), default=0)
    out.number(most, 16).number(int(ranges), 1)
    if ranges:
        out.ranges(vendors)
    else:
        out.set({n for run in vendors for n in run}, most)
    return out.number(0, 16 + 1 + 12).text()


def test_published_strings_of_the_framework():
    read = tcf.read(TCF)
    assert (read.version, read.cmp_id, read.purposes, read.vendors) == (2, 27, (1, 2, 3), 3)
    assert read.updated == datetime(2020, 2, 20, 23, 57, 39, 300000, UTC)
    assert tcf.read(TCF_NONE).purposes == ()
    old = tcf.read(TCF_V1)
    assert (old.version, old.cmp_id, old.purposes, old.vendors) == (1, 7, (1, 2, 3), 2010)


def test_published_strings_of_the_platform():
    assert gpp.sections(GPP) == {2: TCF_NONE, 6: "1YNN"}
    assert list(gpp.sections(GPP_USNAT)) == [7]
    assert gpp.sections("DBAA") == {}
    fields = gpp.opt_outs(gpp.sections(GPP_USNAT)[7], TABLE.gpp_sections[7].fields)
    assert (fields["notice_sale"], fields["opt_out_sale"], fields["opt_out_ads"], fields["gpc"]) == (1, 2, 2, 2)


RUNS = st.lists(st.integers(1, 900), unique=True, max_size=12).map(
    lambda found: [range(n, n + 1) for n in sorted(found)]
)
PURPOSES = st.sets(st.integers(1, 24)).map(lambda found: tuple(sorted(found)))
MOMENTS = st.integers(0, 10**9).map(
    lambda deciseconds: datetime(2018, 5, 25, tzinfo=UTC) + timedelta(milliseconds=100 * deciseconds)
)
STRINGS = st.builds(
    tcf.Tcf,
    version=st.just(2),
    updated=MOMENTS,
    cmp_id=st.integers(0, 4095),
    purposes=PURPOSES,
    special_features=st.sampled_from([(), (1,), (1, 2)]),
)


@given(STRINGS, RUNS, st.booleans())
def test_what_we_encode_is_what_we_read(string, vendors, ranges):
    assert tcf.read(write_tcf(string, vendors, ranges=ranges)) == replace(string, vendors=len(vendors))


@given(STRINGS, RUNS, st.integers(40, 60))
def test_a_string_cut_short_still_has_its_purposes(string, vendors, length):
    read = tcf.read(write_tcf(string, vendors)[:length])
    assert read.purposes == string.purposes
    assert read.vendors in (None, len(vendors))


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3)), min_size=1, max_size=6))
def test_the_sections_we_name_are_those_we_read(steps):
    last, out = 0, Writer().number(3, 6).number(1, 6).number(len(steps), 12)
    numbers: list[int] = []
    for step, more in steps:
        out.number(int(more > 0), 1).fibonacci(step)
        numbers += range(last + step, last + step + more + 1)
        if more:
            out.fibonacci(more)
        last = numbers[-1]
    bodies = [f"section{number}" for number in numbers]
    assert gpp.sections("~".join([out.text(), *bodies])) == dict(zip(numbers, bodies, strict=True))


@given(st.sampled_from(sorted(n for n, each in TABLE.gpp_sections.items() if each.fields)), st.data())
def test_the_opt_outs_we_write_are_those_we_read(number, data):
    section = TABLE.gpp_sections[number]
    out, values = Writer().number(1, 6), {}
    for name in section.fields:
        values[name] = data.draw(st.integers(0, 2))
        out.number(values[name], 2)
    header = Writer().number(3, 6).number(1, 6).number(1, 12).number(0, 1).fibonacci(number).text()
    (said,) = READERS["gpp"](f"{header}~{out.text()}", WORDS)
    chosen = tuple(n.removeprefix("opt_out_") for n, v in values.items() if n.startswith("opt_out_") and v == 1)
    assert (said.says, said.purposes, said.detail) == ("refused" if chosen else "unknown", chosen, section.name)


TEXTS = [
    ("tcf", TCF, "given", ("1", "2", "3")),
    ("tcf", TCF_NONE, "refused", ()),
    ("tcf", TCF_V1, "given", ("1", "2", "3")),
    ("us_privacy", "1YNN", "unknown", ()),
    ("us_privacy", "1YYN", "refused", ("sale",)),
    ("us_privacy", "1---", "unknown", ()),
    ("us_privacy", "1yyn", "refused", ("sale",)),
    ("gcs", "G111", "given", ("ad_storage",)),
    ("gcs", "G100", "refused", ("ad_storage",)),
    ("gcs", "G1--", "unknown", ()),
    ("gcd", "13l3l3l3l1", "unknown", ()),
    ("gcd", "11p1p1p1p5", "refused", ("ad_storage", "ad_user_data", "ad_personalization")),
    ("gcd", "11t1t1t1t5", "given", ("ad_storage", "ad_user_data", "ad_personalization")),
    ("gcd", "13q3r3u3v5", "given", ("ad_personalization",)),
    ("gcd", "13p3p3p2p7l1", "refused", ("ad_storage", "ad_user_data", "ad_personalization")),
    ("vendors", "1~7.12.35", "given", ()),
    ("vendors", "2~89.318~dv.5.7", "given", ()),
    ("vendors", "1~", "unknown", ()),
    ("bits", "0110", "given", ("2", "3")),
    ("bits", "0000", "refused", ()),
    ("gpp", GPP, "refused", ()),
    ("gpp", GPP_USNAT, "unknown", ()),
    ("gpp", "DBAA", "unknown", ()),
]


@pytest.mark.parametrize(("reader", "text", "says", "purposes"), TEXTS)
def test_what_a_text_says(reader, text, says, purposes):
    said = READERS[reader](text, WORDS)[0]
    assert (said.says, said.purposes) == (says, purposes)


def test_consent_mode_speaks_of_ads_and_of_analytics():
    assert [(said.says, said.scope) for said in READERS["gcs"]("G101", WORDS)] == [
        ("refused", None),
        ("given", "general_policy"),
    ]
    assert [said.says for said in READERS["gcd"]("11r1p1q1q5", WORDS)] == ["given", "refused"]


MALFORMED = [
    (
        "tcf",
        ["", "C", "COvFyGB", "not a string", "C" * 40, "Z" + TCF, TCF.replace("CO", "C_", 1), "ÿ" * 60, "C" * 50_000],
    ),
    ("us_privacy", ["", "1", "2YNN", "1YN", "1YNNN", "undefined"]),
    ("gcs", ["", "G1", "G2", "G112", "g111"]),
    ("gcd", ["", "11", "1l1l", "xxpxpxpxp5"]),
    ("vendors", ["", "1", "~1", "1~a"]),
    ("bits", ["", "2", "true"]),
    ("flag", ["", "maybe"]),
    ("gpp", ["", "DB", "CBABLA~x", "DBABLA", "DBACNYA~a", "DBABLA~a~b", "D" * 3000]),
]


@pytest.mark.parametrize(("reader", "texts"), MALFORMED)
def test_what_cannot_be_read_is_told(reader, texts):
    for text in texts:
        with pytest.raises(ValueError):  # noqa: PT011  (any reason will do)
            READERS[reader](text, WORDS)


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.~"


@given(
    st.sampled_from(sorted(READERS)),
    st.one_of(
        st.text(max_size=60),
        st.text(ALPHABET, max_size=300),
        st.tuples(
            st.sampled_from(["C", "COvFyGBOvFyGB", "B", "DBAB", "DBACNYA~", "G1", "1"]), st.text(ALPHABET, max_size=200)
        ).map("".join),
        st.tuples(st.sampled_from([TCF, GPP]), st.integers(0, 150), st.text(ALPHABET, max_size=2)).map(
            lambda each: each[0][: each[1]] + each[2] + each[0][each[1] + 1 :]
        ),
    ),
)
def test_no_text_makes_a_reader_fall_over(reader, text):
    try:
        said = READERS[reader](text, WORDS)
    except ValueError:
        return
    assert said
    assert {each.says for each in said} <= {"given", "refused", "unknown"}


def test_a_short_string_that_names_every_vendor_many_times_is_read_at_once():
    hostile = Writer()
    hostile.bits = Writer().number(2, 6).number(16_000_000_000, 36).number(16_000_000_000, 36).bits
    hostile.number(1, 30).letters("EN").number(1, 18).number(0, 2 + 12 + 24 + 24 + 1).letters("AA")
    hostile.number(65535, 16).number(1, 1).ranges([range(1, 65536)] * 4000)
    assert tcf.read(hostile.text()).vendors == 4000 * 65535


# In uploads.


def claims(url="https://ads.test/v1", *, host="ads.test", body=None, headers=()):
    data = json.dumps(body).encode() if body is not None else None
    upload = Upload(
        at=AT, via="http", method="POST", url=url, host=host, headers=headers, type="application/json" if data else None
    )
    return TABLE.of_upload(see("uploads.jsonl:1", upload, 0), leaves(upload, data).leaves)


IN_UPLOADS = [
    ("a query", {"url": f"https://ads.test/?gdpr=1&gdpr_consent={TCF}"}, [("tcf", "url.query.gdpr_consent", "given")]),
    (
        "a flag of the same name",
        {"url": "https://ads.test/?gdpr_consent=1"},
        [("gdpr_consent", "url.query.gdpr_consent", "given")],
    ),
    (
        "a macro nobody filled in",
        {"url": "https://ads.test/?gdpr_consent=[GDPR]"},
        [("gdpr_consent", "url.query.gdpr_consent", "unknown")],
    ),
    (
        "OpenRTB",
        {"body": {"user": {"ext": {"consent": TCF}}, "device": {"lmt": 1}}},
        [("tcf", "$.user.ext.consent", "given"), ("lmt", "$.device.lmt", "refused")],
    ),
    (
        "OpenRTB 2.6",
        {"body": {"regs": {"gpp": GPP}}},
        [("gpp", "$.regs.gpp", "refused"), ("gpp", "$.regs.gpp", "unknown")],
    ),
    ("some other consent", {"body": {"consent": "I think so"}}, []),
    (
        "a cookie",
        {"headers": (("cookie", f"a=b; euconsent-v2={TCF_NONE}"),)},
        [("tcf", "headers.cookie.euconsent-v2", "refused")],
    ),
    (
        "headers",
        {"headers": (("DNT", "1"), ("Sec-GPC", "1"))},
        [("lmt", "headers.dnt", "refused"), ("lmt", "headers.sec-gpc", "refused")],
    ),
    ("a boolean", {"body": {"limitAdTracking": True}}, [("lmt", "$.limitAdTracking", "refused")]),
    ("not limited is no consent", {"body": {"limitAdTracking": False, "lmt": 0, "npa": "0"}}, []),
    ("turned round", {"body": {"tracking_enabled": False}}, [("lmt", "$.tracking_enabled", "refused")]),
    (
        "consent mode",
        {"url": "https://www.google-analytics.com/g/collect?gcs=G101&npa=1", "host": "www.google-analytics.com"},
        [("gcs", "url.query.gcs", "refused"), ("gcs", "url.query.gcs", "given"), ("npa", "url.query.npa", "refused")],
    ),
    (
        "consent mode garbled",
        {"url": "https://www.google-analytics.com/?gcs=X", "host": "www.google-analytics.com"},
        [("gcs", "url.query.gcs", "unknown")],
    ),
    ("another gcs", {"url": "https://maps.test/?gcs=wgs84"}, []),
    (
        "limited data use",
        {"body": {"data_processing_options": ["LDU"]}},
        [("sdk", "$.data_processing_options[0]", "refused")],
    ),
    (
        "limited data use in a form",
        {"url": "https://graph.facebook.com/x?data_processing_options=%5B%22LDU%22%5D"},
        [("sdk", "url.query.data_processing_options[0]", "refused")],
    ),
    (
        "AppsFlyer",
        {"body": {"consent_data": {"manual": {"gdpr_applies": True, "ad_user_data_enabled": True}}}},
        [("sdk", "$.consent_data.manual.ad_user_data_enabled", "given")],
    ),
    (
        "AppsFlyer with a string",
        {"body": {"consent_data": {"tcf": {"tcstring": TCF}}}},
        [("tcf", "$.consent_data.tcf.tcstring", "given")],
    ),
    (
        "Adjust",
        {"url": "https://app.adjust.com/measurement_consent?measurement=enable", "host": "app.adjust.com"},
        [("sdk", "url.query.measurement", "given")],
    ),
    ("not Adjust", {"url": "https://ads.test/?measurement=enable"}, []),
    (
        "in-house",
        {"body": {"isPrivacyAgreed": "true", "agree_privacy": 0}},
        [("sdk", "$.isPrivacyAgreed", "given"), ("sdk", "$.agree_privacy", "refused")],
    ),
    (
        "Firebase by name",
        {"body": {"ad_storage": "DENIED", "analytics_storage": "GRANTED"}},
        [("sdk", "$.ad_storage", "refused"), ("sdk", "$.analytics_storage", "given")],
    ),
    (
        "MoPub",
        {"url": "https://ads.test/?current_consent_status=explicit_no"},
        [("sdk", "url.query.current_consent_status", "refused")],
    ),
    (
        "US Privacy",
        {"body": {"us_privacy": "1YYN", "uspString": "?"}},
        [("us_privacy", "$.us_privacy", "refused"), ("us_privacy", "$.uspString", "unknown")],
    ),
    ("nothing", {"body": {"name": "x", "n": [1, 2, {"y": None}]}}, []),
]


@pytest.mark.parametrize(("sent", "found"), [pytest.param(*case[1:], id=case[0]) for case in IN_UPLOADS])
def test_what_an_upload_claims(sent, found):
    assert [(claim.kind, claim.path, claim.says) for claim in claims(**sent)] == found


def test_a_claim_tells_where_and_when_and_shows_no_more_than_a_beginning():
    (claim,) = claims(f"https://ads.test/?gdpr_consent={TCF}")
    assert (claim.at, claim.ref, claim.host, claim.scope) == (AT, "uploads.jsonl:1", "ads.test", "ads_tracking")
    assert claim.purposes == ("1", "2", "3")
    assert claim.detail == "TCF 2, CMP 27, of 2020-02-20, 3 vendors"
    assert claim.text == TCF[:80]
    assert set(claim.means) == {"en", "zh"}


# In consent lines.

IN_LINES = [
    ("preference", "privacy_agreed=true", "given", ("preference", "privacy_agreed", "given")),
    ("preference", "first_run=7", "requested", ("preference", "first_run", "unknown")),
    ("preference", "agree=?", "given", ("preference", "agree", "given")),
    ("preference", "gad_rdp=1", "given", ("preference", "gad_rdp", "refused")),
    ("iab_tcf", f"IABTCF_TCString={TCF_NONE}", "given", ("tcf", "IABTCF_TCString", "refused")),
    ("iab_tcf", "IABTCF_PurposeConsents=1100", "given", ("tcf", "IABTCF_PurposeConsents", "given")),
    ("iab_tcf", "IABTCF_CmpSdkID=300", "requested", ("tcf", "IABTCF_CmpSdkID", "unknown")),
    ("iab_gpp", f"IABGPP_HDR_GppString={GPP}", "requested", ("gpp", "IABGPP_HDR_GppString", "refused")),
    ("iab_gpp", f"IABGPP_2_String={TCF}", "requested", ("gpp", "IABGPP_2_String", "given")),
    ("iab_gpp", "IABGPP_6_String=1YYN", "requested", ("gpp", "IABGPP_6_String", "refused")),
    ("iab_gpp", "IABGPP_7_String=?", "requested", ("gpp", "IABGPP_7_String", "unknown")),
    ("iab_gpp", "IABGPP_GppSID=2_6", "requested", ("gpp", "IABGPP_GppSID", "unknown")),
    ("iab_gpp", "IABUSPrivacy_String=1YNN", "requested", ("us_privacy", "IABUSPrivacy_String", "unknown")),
    (
        "sdk_call",
        "com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult",
        "given",
        ("sdk", "com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult", "given"),
    ),
    ("sdk_call", None, "refused", ("sdk", "", "refused")),
    ("tap", "Agree", "given", None),
    ("dialog", "Privacy policy", "requested", None),
    ("permission_result", "android.permission.CAMERA", "given", None),
]


@pytest.mark.parametrize(("signal", "text", "status", "found"), IN_LINES)
def test_what_a_consent_line_claims(signal, text, status, found):
    line = Consent(at=AT, signal=signal, status=status, by="app", text=text)
    claim = TABLE.of_line(see("consents.jsonl:3", line, 2000))
    if claim is None:
        assert found is None
        return
    assert (claim.kind, claim.path, claim.says) == found
    assert (claim.at, claim.ref, claim.host) == (AT - timedelta(seconds=2), "consents.jsonl:3", None)


RECORDS = [
    ("preference", "privacy_accepted=false", "refused", "general_policy", True),
    ("preference", "com.shop.PrivacyAccepted=0", "refused", "general_policy", True),
    ("preference", "is_agree_shop_protocol=false", "refused", "general_policy", True),
    ("preference", "need_show_user_agreement=false", "refused", "general_policy", False),
    ("preference", "privacy_dialog_first=false", "refused", "general_policy", False),
    ("sdk_call", "com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult", "refused", "general_policy", False),
    ("sdk_call", "com.google.firebase.analytics.FirebaseAnalytics.setConsent", "refused", "ads_tracking", True),
    ("iab_tcf", f"IABTCF_TCString={TCF_NONE}", "refused", "ads_tracking", True),
    ("iab_gpp", "IABGPP_HDR_GppString=DBABTA~1YYN", "requested", "ads_tracking", True),
    ("preference", "gad_rdp=1", "refused", "ads_tracking", True),
]


@pytest.mark.parametrize(("signal", "text", "status", "scope", "record"), RECORDS)
def test_what_the_app_writes_of_an_answer_is_its_record_and_how_things_are_set_is_not(
    signal, text, status, scope, record
):
    line = Consent(at=AT, signal=signal, status=status, by="app", text=text, scope=scope)
    claim = TABLE.of_line(see("consents.jsonl:1", line, 0))
    assert claim is not None
    assert (claim.says, claim.record, claim.scope) == ("refused", record, scope)


def test_of_consent_mode_what_it_says_of_ads_is_a_record_and_of_analytics_is_not():
    said = claims("https://ads.test/?gcs=G100", host="www.google-analytics.com")
    assert [(each.scope, each.says, each.record) for each in said] == [
        ("ads_tracking", "refused", True),
        ("general_policy", "refused", False),
    ]


def test_a_line_of_the_user_is_no_claim_of_the_app():
    assert (
        TABLE.of_line(see("consents.jsonl:1", Consent(at=AT, signal="preference", status="given", by="operator"), 0))
        is None
    )


# The catalog.


@pytest.mark.parametrize("entry", TABLE.claims, ids=lambda entry: f"{entry.kind} {entry.keys[0]}")
def test_an_entry_can_be_reached_and_says_something(entry):
    assert set(entry.means) == {"en", "zh"}
    assert (entry.read == "flag") == bool(entry.given or entry.refused)
    assert not set(entry.given) & set(entry.refused)
    assert {word.casefold() for word in (*entry.given, *entry.refused)} == {*entry.given, *entry.refused}
    earlier = TABLE.claims[: TABLE.claims.index(entry)]
    for key in entry.keys:
        assert not [each for each in earlier if each.sure and not each.hosts and key in each.keys], key
