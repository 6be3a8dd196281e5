"""What the judge says is said in Chinese too: whatever it says of these uploads and hosts."""

import base64
import gzip
import hashlib
import hmac
import json
import re
import string

import pytest

from monitor import catalog
from monitor.events import Upload, Value
from monitor.judge.recipients import Recipients, RecipientTable
from monitor.match import decode
from monitor.match.linking import Linker
from monitor.reports.sentences import _part, _table, said
from monitor.seen import see
from tests.reports import sample

NUMBER = Value(type="phone_number", text="+8613800138000")
PLACE = Value(type="location", text="31.230416,121.473701")
IMEI = Value(type="device_id_imei", text="490154203237518")
MAIL = Value(type="email", text="chenghua@example.cn")
PERSONA = [
    NUMBER,
    PLACE,
    IMEI,
    MAIL,
    Value(type="name", text="诸葛强浩"),
    Value(type="android_id", text="64f051c20ca1dc00"),
]

BODIES = [
    {"phone": NUMBER.text, "x": "13800138000", "email": MAIL.text, "name": "诸葛强浩"},
    {"h": hashlib.sha256(NUMBER.text.encode()).hexdigest(), "phone": hashlib.md5(b"13800138000").hexdigest()},
    {"lat": 31.230416, "lon": 121.473701},
    {"lat": "31.23", "lng": "121.47"},
    {"lat": 121.473701, "lon": 31.230416},
    {"p": [31.2304, 121.4737]},
    {"where": "31.230416,121.473701"},
    {"a": {"q": 31.230416}, "b": {"r": 121.473701}},
    {"geohash": "wtw3sjq6q", "imei": "4901542032375180"},
    {"cc": "86", "phone": "13800138000"},
    {"a": "13800", "b": "138000", "c": "chenghua", "d": "@example.cn"},
    {"d": base64.b64encode(json.dumps({"id": "64f051c20ca1dc00"}).encode()).decode()},
    {"e": "".join(reversed(NUMBER.text))},
    {"salt": "pepper", "h": hashlib.md5(f"{IMEI.text}pepper".encode()).hexdigest()},
    {"key": "pepper", "h": hmac.digest(b"pepper", IMEI.text.encode(), "sha256").hex()},
    {"did": hashlib.sha256(f"{IMEI.text}64f051c20ca1dc00".encode()).hexdigest()},
    {"plus": "8Q336FJF+59", "geo": "wtw3sjq"},
]


def notes():
    for body in BODIES:
        upload = Upload(at=sample.at(5), via="http", method="POST", url="https://a.circle.test/x", host="a.circle.test",
                        headers=(("content-encoding", "gzip"),), type="application/json")  # fmt: skip
        decoded = decode.leaves(upload, gzip.compress(json.dumps(body).encode()))
        for joined in Linker(PERSONA).link(see("uploads.jsonl:1", upload, 0), decoded):
            yield from (match.note for match in joined.matches if match.note)


HOSTS = ["", "api.circle.test", "localhost", "192.168.1.7", "8.8.8.8", "printer.local", "github.io", "x.github.io",
         "own.example.org", "tracker.other.net", "umeng.com", "log.circle.com", "d1.cloudfront.net"]  # fmt: skip


def reasons():
    table = catalog.parse(next(catalog.files("recipients.yml")), RecipientTable)
    recipients = Recipients(table, "com.example.circle", ("own.example.org",))
    yield from (recipients.of(host).reason for host in HOSTS)
    yield Recipients(table, "com.circle.app").of("log.circle.com").reason
    yield from (recipients.of(known.hosts[0]).reason for known in table.recipients if known.hosts)


def test_every_sentence_is_known_part_by_part():
    sentences = {*notes(), *reasons()}
    assert len(sentences) > 60
    unknown = {part for sentence in sentences for part in sentence.split("; ") if _part(part, "zh") is None}
    assert not unknown


@pytest.mark.parametrize("text", sorted({*notes(), *reasons()})[::7])
def test_numbers_hosts_and_keys_stay_as_they_are(text):
    told = said(text, "zh")
    assert re.search("[\u4e00-\u9fff]", told)
    assert not re.search("latitude|decimals|known recipient|says so", told)
    for kept in re.findall(r"\d+|`[^`]+`|[\w-]+\.[a-z]{2,}\b", text):
        if kept not in ("10", "100", "1"):
            assert kept in told
    assert said(text, "en") == text


def test_what_is_not_known_stays_english():
    assert said("a reason of the future; side by side", "zh") == "a reason of the future；并列"


def test_blanks_are_the_same_in_both_languages():
    for _, texts in _table():
        blanks = [sorted(name for _, name, _, _ in string.Formatter().parse(text) if name) for text in texts.values()]
        assert blanks[0] == blanks[1], texts
