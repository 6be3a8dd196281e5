"""Tests of linking: which access explains an upload, what counts as earlier, rows, persona values, clocks."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import itertools
import json
from datetime import UTC, datetime, timedelta

import cbor2
import msgpack
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appwitness.events import Access, Transform, Upload, Value, blob
from appwitness.events.seen import see
from appwitness.findings import Match, Why, because
from appwitness.match import decode
from appwitness.match.linking import Linker
from tests.match.wording import words

START = datetime(2026, 3, 14, 1, 20, tzinfo=UTC)
NUMBER = "13800138000"


def at(seconds):
    return START + timedelta(seconds=seconds)


def access(seconds, *values, data="phone_number", **more):
    made = tuple(Value(type=type_, text=text, row=row) for type_, text, row in values)
    return Access(at=at(seconds), source="s", data=data, values=made, outcome="returned", **more)


def read(seconds, text=NUMBER, **more):
    return access(seconds, ("phone_number", text, None), **more)


def link(linker, seconds, document, *, narrow=False, **by):
    """The flows of an upload of JSON; `narrow`: only what may matter is decoded, as in a run."""
    body = json.dumps(document, ensure_ascii=False).encode()
    sent = Upload(at=at(seconds), via="http", **by)
    decoded = decode.leaves(sent, body, narrow=linker.narrow if narrow else None)
    return linker.link(see("uploads.jsonl:1", sent, 0), decoded)


def matches(*linked, **by) -> list[Match]:
    """All matches in the flows of an upload, as of `link`."""
    return [match for joined in link(*linked, **by) for match in joined.matches]


def linker(*accesses, persona=(), offset_ms=0.0, uncertainty_ms=0.0):
    values = [Value(type=type_, text=text) for type_, text in persona]
    made = Linker(values, clock_uncertainty_ms=uncertainty_ms)
    for number, one in enumerate(accesses, 1):
        made.add_access(see(f"accesses.jsonl:{number}", one, offset_ms))
    return made


@pytest.mark.parametrize(
    ("reads", "sent", "access_", "earlier"),
    [
        ([10], 20, 1, 0),
        ([10, 15], 20, 2, 1),
        ([15, 10], 20, 1, 1),
        ([10, 15, 25], 20, 2, 1),
        ([25], 20, None, None),
        ([20], 20, 1, 0),
    ],
)
def test_the_nearest_earlier_access_is_joined(reads, sent, access_, earlier):
    joins = link(linker(*(read(seconds) for seconds in reads)), sent, {"q": NUMBER})
    if access_ is None:
        assert joins == []
    else:
        (joined,) = joins
        assert (joined.access, joined.earlier) == (f"accesses.jsonl:{access_}", earlier)
        assert joined.access_at == at(reads[access_ - 1])


def test_device_times_are_put_on_the_clock_of_the_host():
    """The device is 10 s ahead: what it calls 12 was 2 on the host."""
    known = linker(read(12), offset_ms=10_000)
    assert link(known, 1.5, {"q": NUMBER}) == []
    (joined,) = link(known, 2.5, {"q": NUMBER})
    assert joined.access_at == at(2)


@pytest.mark.parametrize(
    ("reads", "joined", "simultaneous"),
    [
        ([19.0], 1, False),
        ([19.97], 1, True),
        ([20.03], 1, True),
        ([20.07], None, None),
        ([19.0, 19.97], 1, False),  # one that was surely before explains it
        ([19.0, 20.03], 1, False),
        ([19.97, 20.03], 1, True),
        ([18.0, 19.0, 20.07], 2, False),
    ],
)
def test_within_the_uncertainty_of_the_clocks_nothing_is_before_or_after(reads, joined, simultaneous):
    known = linker(*(read(seconds) for seconds in reads), uncertainty_ms=50)
    joins = link(known, 20, {"q": NUMBER})
    assert [(one.access, one.simultaneous) for one in joins] == (
        [(f"accesses.jsonl:{joined}", simultaneous)] if joined else []
    )


def test_what_the_agent_wrote_is_in_order_with_what_it_saw_read():
    known = linker(read(19.99), read(20.01, "+8613911762045"), uncertainty_ms=50)
    by = {"app": "com.example.shop", "pid": 4711}
    assert [one.simultaneous for one in link(known, 20, {"q": NUMBER}, **by)] == [False]
    assert link(known, 20, {"q": "+8613911762045"}, **by) == []
    assert [one.simultaneous for one in link(known, 20, {"q": "+8613911762045"})] == [True]


def test_a_folded_line_counts_from_its_first_call_and_with_all_of_them():
    known = linker(read(5), read(10, count=4, until=at(18)))
    (joined,) = link(known, 12, {"q": NUMBER})
    assert (joined.access, joined.earlier) == ("accesses.jsonl:2", 1)
    (joined,) = link(known, 20, {"q": NUMBER})
    assert (joined.access, joined.earlier) == ("accesses.jsonl:2", 4)


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        ([], [(None, "phone_number")]),
        ([25], [(None, "phone_number")]),
        ([10], [("accesses.jsonl:1", "own_number")]),
    ],
)
def test_a_persona_value_stands_alone_only_when_nothing_read_it_before(reads, expected):
    known = linker(*(read(seconds, data="own_number") for seconds in reads), persona=[("phone_number", NUMBER)])
    joins = link(known, 20, {"q": NUMBER})
    assert [(joined.access, joined.data) for joined in joins] == expected
    assert all(match.value == NUMBER for joined in joins for match in joined.matches)


def test_a_persona_value_in_other_notation_is_explained_by_the_access():
    known = linker(read(10, "13800138000"), persona=[("phone_number", "+8613800138000"), ("line1", "+8613800138000")])
    assert [joined.access for joined in link(known, 20, {"q": "+86 138 0013 8000"})] == ["accesses.jsonl:1"]
    digest = hashlib.sha256(b"+8613800138000").hexdigest()
    assert [joined.access for joined in link(known, 20, {"q": digest})] == ["accesses.jsonl:1"]


CONTACTS = access(
    10,
    ("name", "李华霞", 0),
    ("phone_number", "15656300309", 0),
    ("name", "程华", 1),
    ("phone_number", "13788693191", 1),
    ("name", "Anna Kowalska", 2),
    ("email", "anna@uczelnia.example", 2),
    ("name", "王伟", 3),
    data="device_contacts",
)


@pytest.mark.parametrize(
    ("document", "rows", "found"),
    [
        ({"people": [{"q": "程华", "t": "13788693191"}]}, 1, {"程华", "13788693191"}),
        ({"q": ["程华"]}, None, set()),  # two characters under a key that says nothing
        ({"q": ["程华", "15656300309"]}, 1, {"15656300309"}),  # the number is of another row
        ({"contact": "程华"}, 1, {"程华"}),
        ({"姓名": "王伟"}, 1, {"王伟"}),
        ({"q": ["李华霞", "15656300309", "Anna Kowalska", "anna@uczelnia.example"]}, 2, None),
        ({"h": [hashlib.sha256(t.encode()).hexdigest() for t in ("15656300309", "13788693191")]}, 2, None),
    ],
)
def test_rows_are_counted_and_short_names_need_support(document, rows, found):
    joins = link(linker(CONTACTS), 20, document)
    if rows is None:
        assert joins == []
        return
    (joined,) = joins
    assert (joined.rows, joined.rows_read, joined.data) == (rows, 4, "device_contacts")
    if found is not None:
        assert {match.value for match in joined.matches} == found
    assert all(match.row is not None for match in joined.matches)


def test_two_accesses_in_one_upload_are_two_flows_in_order_of_lines():
    known = linker(
        access(12, ("location", "31.238361,121.435598", None), data="location"), read(11), read(10, "+447700900079")
    )
    joins = link(known, 20, {"n": "+447700900079", "m": NUMBER, "lat": 31.2384, "lon": 121.4356})
    assert [(joined.access, joined.data) for joined in joins] == [
        ("accesses.jsonl:1", "location"),
        ("accesses.jsonl:2", "phone_number"),
        ("accesses.jsonl:3", "phone_number"),
    ]


def test_of_two_near_places_the_one_that_fits_is_joined():
    known = linker(
        access(10, ("location", "31.238361,121.435598", None), data="location"),
        access(12, ("location", "31.238391,121.435628", None), data="location"),
    )
    (joined,) = link(known, 20, {"lat": 31.238361, "lon": 121.435598})
    assert joined.access == "accesses.jsonl:1"
    coarse = link(known, 20, {"lat": 31.238, "lon": 121.436})
    assert [one.access for one in coarse][-1] == "accesses.jsonl:2"


def test_the_order_in_which_events_become_known_changes_nothing():
    events = {
        "accesses.jsonl:1": read(10),
        "accesses.jsonl:2": read(12, "+8613800138000"),
        "accesses.jsonl:3": CONTACTS,
        "accesses.jsonl:4": read(12),
    }
    document = {"n": NUMBER, "who": ["李华霞", "15656300309"], "e": "anna@uczelnia.example"}
    answers = set()
    for order in itertools.permutations(events):
        known = Linker([Value(type="email", text="anna@uczelnia.example"), Value(type="name", text="王伟")])
        for ref in order:
            known.add_access(see(ref, events[ref], 0))
            known.add_access(see(ref, events[ref], 0))
        answers.add(repr(link(known, 20, document)))
    assert len(answers) == 1


def test_a_match_says_where_and_how_sure():
    (joined,) = link(linker(read(5)), 20, {"u": {"phone": "call " + NUMBER}})
    (match,) = joined.matches
    assert (match.path, match.variant, match.of, match.decoding) == ("$.u.phone", "plain", "as_given", ("json",))
    assert (match.before, match.found, match.after) == ("call ", NUMBER, "")
    assert match.confidence >= 0.99
    assert match.reasons[:2] == (because(Why.DIGITS, count=11), because(Why.KEY, key="phone"))


def turned(seconds, op, algorithm, source, outcome):
    return Transform(at=at(seconds), op=op, algorithm=algorithm, input=blob(source), output=blob(outcome))


KEY = bytes(range(16))
IV = bytes(range(100, 112))


def aes(data):
    """AES in GCM, as Android's Cipher gives it: ciphertext and tag."""
    return AESGCM(KEY).encrypt(IV, data, None)


def cbc(data):
    """AES in CBC with padding."""
    size = 16 - len(data) % 16
    made = Cipher(algorithms.AES(KEY), modes.CBC(KEY)).encryptor()
    return made.update(data + bytes((size,)) * size) + made.finalize()


LONG = json.dumps({"phone": NUMBER, "more": "x" * 400}).encode()
LONG_CIPHERTEXT = hashlib.shake_256(b"a long one").digest(len(LONG))


def sha256(data):
    return hashlib.sha256(data).digest()


def keyed(data):
    return hmac.new(b"secret of the app", data, "sha256").digest()


PLAIN = json.dumps({"u": {"phone": NUMBER}, "n": 7}).encode()
SALTY = NUMBER.encode() + b":salt"
INNER = sha256(SALTY).hex().encode()
WRAPPED = json.dumps({"h": keyed(NUMBER.encode()).hex(), "t": 1_773_450_000}).encode()
PACKED = gzip.compress(PLAIN, mtime=0)

PROVEN = {
    "salt behind, hex": ([("digest", "SHA-256", SALTY, sha256(SALTY))], sha256(SALTY).hex(), "1"),
    "salt before, upper": ([("digest", "MD5", b"s" + SALTY, sha256(b"s"))], sha256(b"s").hex().upper(), "1"),
    "digest, base64url": (
        [("digest", "SHA-256", SALTY, sha256(SALTY))],
        base64.urlsafe_b64encode(sha256(SALTY)).decode().rstrip("="),
        "1",
    ),
    "digest, first half": ([("digest", "SHA-256", SALTY, sha256(SALTY))], sha256(SALTY).hex()[:32], "1"),
    "digest inside a text": ([("digest", "SHA-256", SALTY, sha256(SALTY))], f"v1.{sha256(SALTY).hex()}.77", "1"),
    "hmac, hex": ([("mac", "HmacSHA256", NUMBER.encode(), keyed(NUMBER.encode()))], keyed(NUMBER.encode()).hex(), "1"),
    "hmac of a document": ([("mac", "HmacSHA256", PLAIN, keyed(PLAIN))], base64.b64encode(keyed(PLAIN)).decode(), "1"),
    "aes gcm, base64": (
        [("encrypt", "AES/GCM/NoPadding", PLAIN, aes(PLAIN))],
        base64.b64encode(aes(PLAIN)).decode(),
        "1",
    ),
    "aes gcm, iv before": (
        [("encrypt", "AES/GCM/NoPadding", PLAIN, aes(PLAIN))],
        base64.b64encode(IV + aes(PLAIN)).decode(),
        "1",
    ),
    "aes cbc, hex": ([("encrypt", "AES/CBC/PKCS5Padding", PLAIN, cbc(PLAIN))], cbc(PLAIN).hex(), "1"),
    "decrypted before it was sent": (
        [("decrypt", "AES/CBC/PKCS5Padding", cbc(PLAIN), PLAIN)],
        base64.b64encode(cbc(PLAIN)).decode(),
        "1",
    ),
    "aes, then the app's own base64": (
        [
            ("encrypt", "AES/GCM/NoPadding", PLAIN, aes(PLAIN)),
            ("encode", "base64", aes(PLAIN), base64.b64encode(aes(PLAIN))),
        ],
        base64.b64encode(aes(PLAIN)).decode(),
        "1",
    ),
    "gzip, aes, base64": (
        [("compress", "gzip", PLAIN, PACKED), ("encrypt", "AES/GCM/NoPadding", PACKED, aes(PACKED))],
        base64.b64encode(aes(PACKED)).decode(),
        "2",
    ),
    "digest of a digest": (
        [("digest", "SHA-256", SALTY, sha256(SALTY)), ("digest", "SHA-256", INNER, sha256(INNER))],
        sha256(INNER).hex(),
        "21",
    ),
    "hmac in json in aes": (
        [
            ("mac", "HmacSHA256", NUMBER.encode(), keyed(NUMBER.encode())),
            ("encrypt", "AES/CBC/PKCS5Padding", WRAPPED, cbc(WRAPPED)),
        ],
        cbc(WRAPPED).hex(),
        "21",
    ),
    "digest, hmac, aes": (
        [
            ("digest", "SHA-256", SALTY, sha256(SALTY)),
            ("mac", "HmacSHA256", sha256(SALTY), keyed(sha256(SALTY))),
            ("encrypt", "AES/GCM/NoPadding", keyed(sha256(SALTY)), aes(keyed(sha256(SALTY)))),
        ],
        aes(keyed(sha256(SALTY))).hex(),
        "321",
    ),
    "hmac, its first ten bytes": (
        [("mac", "HmacSHA256", NUMBER.encode(), keyed(NUMBER.encode()))],
        keyed(NUMBER.encode()).hex()[:20],
        "1",
    ),
    "long ones, which are stored": (
        [("encrypt", "AES/CTR/NoPadding", LONG, LONG_CIPHERTEXT)],
        LONG_CIPHERTEXT.hex(),
        "1",
    ),
    "the same call twice: the last": (
        [("mac", "HmacSHA256", NUMBER.encode(), keyed(NUMBER.encode()))] * 2,
        keyed(NUMBER.encode()).hex(),
        "2",
    ),
}


def told(calls):
    """What was read, and the app's calls after it."""
    stored = {hashlib.sha256(data).hexdigest(): data for call in calls for data in call[2:]}
    known = Linker([], stored.get)
    known.add_access(see("accesses.jsonl:1", read(5), 0))
    for number, call in enumerate(calls, 1):
        known.add_transform(see(f"transforms.jsonl:{number}", turned(10, *call), 0))
    return known


@pytest.mark.parametrize("name", PROVEN)
def test_matches_name_the_transforms_that_prove_them(name):
    calls, sent, lines = PROVEN[name]
    assert link(told([]), 20, {"more": {"q": sent}}) == []
    known = told(calls)
    (joined,) = link(known, 20, {"more": {"q": sent}})
    (match,) = joined.matches
    assert match.evidence == tuple(f"transforms.jsonl:{line}" for line in lines)
    assert ", ".join(match.evidence) in words(match)
    assert calls[int(lines[0]) - 1][1] in match.decoding
    assert match.path.startswith("$.more.q")
    assert match.value == NUMBER
    assert link(known, 9, {"more": {"q": sent}}) == []  # before the call


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        (
            ("encrypt", "AES/CBC/PKCS5Padding", PLAIN, cbc(PLAIN)),
            cbc(PLAIN)[:16].hex(),
        ),  # a block may be of another text
        (("encode", "base64", PLAIN, base64.b64encode(PLAIN)), base64.b64encode(PLAIN)[:12].decode()),
        (("digest", "SHA-256", b"138001380001", sha256(b"138001380001")), sha256(b"138001380001").hex()),
        (("digest", "SHA-256", SALTY, sha256(SALTY)), sha256(SALTY).hex()[:10]),  # too little of it
        (
            ("digest", "SHA-256", SALTY, sha256(SALTY)),
            sha256(SALTY)[9:25].hex(),
        ),  # neither its beginning nor its end, nor its half
    ],
)
def test_what_only_resembles_an_output_proves_nothing(call, sent):
    known = linker(read(5))
    known.add_transform(see("transforms.jsonl:1", turned(10, *call), 0))
    assert link(known, 20, {"q": sent}) == []


def test_what_is_found_without_transforms_names_none():
    known = linker(read(5))
    known.add_transform(
        see("transforms.jsonl:1", turned(10, "digest", "SHA-256", NUMBER.encode(), sha256(NUMBER.encode())), 0)
    )
    for sent in (NUMBER, sha256(NUMBER.encode()).hex()):
        (joined,) = link(known, 20, {"q": sent})
        assert [match.evidence for match in joined.matches] == [()]


def test_what_a_guessed_mask_brought_out_is_only_a_candidate():
    masked = bytes(byte ^ 0x37 for byte in json.dumps({"phone": NUMBER}).encode())
    decoded = decode.leaves_of(masked)
    (joined,) = linker(read(0)).link(see("uploads.jsonl:1", Upload(at=at(1), via="http"), 0), decoded)
    assert {match.confidence for match in joined.matches} == {0.5}
    assert all(match.reasons[-1].code == Why.GUESSED for match in joined.matches)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"phone": NUMBER}, ("11 digits", "`phone`", "by chance in")),
        ({"h": hashlib.sha256(NUMBER.encode()).hexdigest()}, ("sha256", "all of it", "by chance in")),
        ({"q": NUMBER[::-1]}, ("guessed", "candidate")),
        ({"p": [NUMBER[:5], NUMBER[5:]]}, ("in 2 parts", "proves nothing")),
        ({"lat": 31.2384, "lon": 121.4356}, ("4 decimals", "m from the known place", "by chance")),
    ],
)
def test_a_match_says_why(document, told):
    known = linker(read(5), access(5, ("location", "31.238361,121.435598", None), data="location"))
    notes = {words(match) for joined in link(known, 20, document) for match in joined.matches}
    assert notes
    for note in notes:
        assert all(word in note for word in told), note
        assert "\n" not in note


def test_a_list_of_digests_says_how_many_are_known():
    texts = ("15656300309", "13788693191", "13900000001", "13900000002", "13900000003")
    (joined,) = link(linker(CONTACTS), 20, {"h": sorted(hashlib.sha256(text.encode()).hexdigest() for text in texts)})
    assert (joined.rows, joined.rows_read) == (2, 4)
    assert all("2 of the 5 entries of $.h are of known values" in words(match) for match in joined.matches)


GRACE = access(10, ("name", "Violet", 0), ("phone_number", NUMBER, 0), data="device_contacts")
BUILD = access(
    10, ("device_model_os", "13", None), ("device_model_os", "TQ3A.230805.001", None), data="device_model_os"
)
WIFI = access(10, ("nearby_wifi", "Telekom", None), ("nearby_wifi", "JBL Flip 5 Kitchen", None), data="nearby_wifi")
HOTLINE = access(10, ("phone_number", "10086", 0), data="call_log")
MEETING = access(10, ("calendar_events", "Meeting", 0), data="calendar_events")
SHORT_NAME = access(10, ("name", "张伟", 0), ("phone_number", NUMBER, 0), data="device_contacts")
PACKAGES = access(
    10,
    ("installed_apps", "com.android.chrome", None),
    ("installed_apps", "org.example.diary", None),
    data="installed_apps",
)


@pytest.mark.parametrize(
    ("read_", "document", "found"),
    [
        (GRACE, {"contact": "Violet"}, ["Violet"]),
        (GRACE, {"contacts": "Anna, Violet; Bo"}, ["Violet"]),
        (GRACE, {"friends": [{"name": "Violet"}]}, ["Violet"]),
        (GRACE, {"products": [{"name": "Violet"}]}, []),
        (GRACE, {"publisher": {"name": "Violet"}}, []),
        (GRACE, {"eventName": "violet", "event_name": "violet", "user_type": "Violet"}, []),
        (GRACE, {"author": "Violet is the colour of the day"}, []),
        (GRACE, {"title": "Violet"}, []),
        (GRACE, {"text": "the violet", "tel": NUMBER}, [NUMBER, "Violet"]),
        (BUILD, {"a": "TQ3A.230805.001", "blob": "ab13cd"}, ["TQ3A.230805.001"]),
        (BUILD, {"a": "TQ3A.230805.001", "age": "13"}, ["TQ3A.230805.001"]),
        (WIFI, {"scan": [{"ssid": "Telekom"}, {"ssid": "JBL Flip 5 Kitchen"}]}, ["JBL Flip 5 Kitchen", "Telekom"]),
        (WIFI, {"ad": {"by": "Telekom"}, "scan": {"ssid": "JBL Flip 5 Kitchen"}}, ["JBL Flip 5 Kitchen"]),
        (WIFI, {"ssid": "Telekom_FON"}, []),
        (WIFI, {"ssid": "Telekom"}, ["Telekom"]),
        (HOTLINE, {"lineNumber": "10086", "build_number": "10086", "telemetry": "10086"}, []),
        (HOTLINE, {"phoneNumber": "10086"}, ["10086"]),
        (MEETING, {"message": "I am late for the meeting, sorry"}, []),
        (MEETING, {"message": "Meeting"}, ["Meeting"]),
        (SHORT_NAME, {"nickname": "伟大的国王伟业，张伟大"}, []),
        (SHORT_NAME, {"nickname": "李明、张伟"}, ["张伟"]),
        (PACKAGES, {"browser": "com.android.chrome"}, []),
        (PACKAGES, {"apps": ["org.example.diary", "com.android.chrome"]}, ["com.android.chrome", "org.example.diary"]),
    ],
)
def test_what_is_short_needs_a_field_of_its_own_or_the_rest_of_its_row_beside_it(read_, document, found):
    joins = link(linker(read_), 20, document)
    assert sorted({match.value for one in joins for match in one.matches}) == sorted(found)


def test_what_http_says_of_every_client_is_no_key_for_a_name():
    agent = "Mozilla/5.0 (Linux; Android 13; Violet) Chrome/116.0.0.0 Mobile Safari/537.36"
    known = linker(*(access(10, ("name", name, 0), data="device_contacts") for name in ("Violet", "Chrome", "Mozilla")))
    sent = {name: Upload(at=at(20), via="http", headers=((name, agent),)) for name in ("user-agent", "content-type")}
    sent["x-user-name"] = Upload(at=at(20), via="http", headers=(("x-user-name", "Violet"),))
    found = {
        name: [
            match.value
            for one in known.link(see(name, upload, 0), decode.leaves(upload, None))
            for match in one.matches
        ]
        for name, upload in sent.items()
    }
    assert found == {"user-agent": [], "content-type": [], "x-user-name": ["Violet"]}


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("mac_address", "02:00:00:00:00:00"),
        ("mac_address", "00:00:00:00:00:00"),
        ("advertising_id", "00000000-0000-0000-0000-000000000000"),
        ("device_id_imei", "000000000000000"),
        ("wifi_ssid_bssid", "<unknown ssid>"),
        ("android_id", "unknown"),
        ("ip_address", "127.0.0.1"),
        ("location", "0.0,0.0"),
    ],
)
def test_what_stands_for_no_value_is_not_looked_for(type_, text):
    known = linker(access(10, (type_, text, None)), persona=[(type_, text)])
    document = {
        "id": text,
        "bare": text.replace(":", "").replace("-", ""),
        "backwards": "000000000002",
        "lat": 0,
        "lon": 0,
    }
    assert link(known, 20, document) == []


@pytest.mark.parametrize("dumps", [msgpack.packb, cbor2.dumps], ids=["msgpack", "cbor"])
def test_a_part_of_a_word_in_a_binary_document_is_not_the_value(dumps):
    mail, card = "wang.wei@mail.example", "89860012345678901234"
    values = [("email", mail), ("name", "Maria Müller"), ("name", "Anna Schmidt"), ("device_id_iccid", card)]
    known = linker(access(10, *((type_, text, None) for type_, text in values)), read(11, "41555501993"))
    parts = ("x" + mail, mail + ".cn", "Maria Müllerschön", "李Anna Schmidtbauer", card[:-1] + "8")

    def found(document):
        body = dumps(document)
        sent = Upload(at=at(20), via="http")
        joins = known.link(see("uploads.jsonl:1", sent, 0), decode.leaves(sent, body))
        return sorted({match.value for one in joins for match in one.matches})

    assert [found({"a": part}) for part in parts] == [[]] * len(parts)
    assert found({"order": "415555019931628"}) == []
    assert found({"a": [text for _, text in values]}) == sorted(text for _, text in values)


@pytest.mark.slow
def test_of_thousands_of_names_one_alone_may_be_somebody_elses():
    names = [f"{first}{last}" for first in ("Anna ", "Maria ", "Johannes ", "Ludwig ") for last in range(2500)]
    rows = [("name", f"{name} Schmidt", row) for row, name in enumerate(names)]
    numbers = [("phone_number", f"+49151{row:08d}", row) for row in range(len(names))]
    known = linker(access(10, *rows, *numbers, data="device_contacts"))

    def least(document):
        (joined,) = link(known, 20, document)
        return min(match.confidence for match in joined.matches)

    assert least({"author": rows[5][1]}) < 0.8
    assert "10000 names are known" in words(link(known, 20, {"author": rows[5][1]})[0].matches[0])
    assert least({"author": rows[5][1], "tel": numbers[5][1]}) > 0.99
    assert least({"list": [text for _, text, _ in rows[:9]]}) > 0.99
    few = linker(access(10, *rows[:50], data="device_contacts"))
    assert link(few, 20, {"author": rows[5][1]})[0].matches[0].confidence > 0.99


@pytest.mark.parametrize("text", ["Hans Müller-Huber", "Hans Mueller-Huber", "Karl-Hans Müller", "Hans Müller-Ägidi"])
def test_a_double_name_is_somebody_elses(text):
    known = linker(access(10, ("name", "Müller, Hans", None)))
    assert link(known, 20, {"people": [text]}) == []
    assert link(known, 20, {"people": ["Hans Müller - Berlin"]}) != []
