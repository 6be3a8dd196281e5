"""Every reason has its sentence in both languages, filled with the fields that it is given wherever it is given."""

import ast
import base64
import gzip
import hashlib
import hmac
import json
import re
import string
from pathlib import Path

from appwitness.catalog import yaml_files
from appwitness.events import Upload, Value
from appwitness.events.seen import see
from appwitness.findings import Why
from appwitness.judge.recipients import Recipients, RecipientTable
from appwitness.match import decode
from appwitness.match.linking import Linker
from appwitness.reports.phrases import said
from appwitness.reports.words import Words
from tests.reports import sample

EN, ZH = Words("en"), Words("zh")
SOURCE = Path(__file__).parents[2] / "monitor/appwitness"
TABLE = yaml_files.tree(SOURCE / "reports/reasons.yml")

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


def of_matches():
    for body in BODIES:
        upload = Upload(at=sample.at(5), via="http", method="POST", url="https://a.circle.test/x", host="a.circle.test",
                        headers=(("content-encoding", "gzip"),), type="application/json")  # fmt: skip
        decoded = decode.leaves(upload, gzip.compress(json.dumps(body).encode()))
        for joined in Linker(PERSONA).link(see("uploads.jsonl:1", upload, 0), decoded):
            for match in joined.matches:
                yield from match.reasons


HOSTS = ["", "api.circle.test", "localhost", "192.168.1.7", "8.8.8.8", "printer.local", "github.io", "x.github.io",
         "own.example.org", "tracker.other.net", "umeng.com", "log.circle.com", "d1.cloudfront.net"]  # fmt: skip


def of_recipients():
    table = yaml_files.parse(next(yaml_files.files("recipients.yml")), RecipientTable)
    recipients = Recipients(table, "com.example.circle", ("own.example.org",))
    yield from (recipients.of(host).reason for host in HOSTS)
    yield Recipients(table, "com.circle.app").of("log.circle.com").reason
    yield from (recipients.of(known.hosts[0]).reason for known in table.recipients if known.hosts)


def blanks(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_code_has_a_sentence_in_both_languages_with_the_same_blanks():
    assert set(TABLE["sentences"]) == set(Why)
    for code, texts in TABLE["sentences"].items():
        assert set(texts) == {"en", "zh"}, code
        assert blanks(texts["en"]) == blanks(texts["zh"]), code
        assert re.search("[\u4e00-\u9fff]", texts["zh"]), code
    for texts in (texts for term in TABLE["terms"].values() for texts in term.values()):
        assert set(texts) == {"en", "zh"}


def given():
    """(code, fields) of each reason that some line of ours gives and of which all is said there."""
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text("utf-8")
        for call in ast.walk(ast.parse(text)) if "because(" in text else ():
            if not isinstance(call, ast.Call) or not call.args or None in [keyword.arg for keyword in call.keywords]:
                continue
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            attributes = (one.attr for one in ast.walk(call.args[0]) if isinstance(one, ast.Attribute))
            codes = [name for name in attributes if name in Why.__members__]
            if name == "because":
                yield from ((Why[code], {keyword.arg for keyword in call.keywords}) for code in codes)


def test_every_reason_is_given_the_blanks_of_its_sentence():
    reasons = list(given())
    assert not [(code, fields) for code, fields in reasons if fields != blanks(TABLE["sentences"][code]["en"])]
    assert len({code for code, _ in reasons}) > 50


def test_every_code_is_given_somewhere():
    named = "".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
    assert not [code.name for code in Why if f"Why.{code.name}" not in named]


def test_numbers_hosts_and_keys_stay_as_they_are():
    texts = {said(reason, EN): said(reason, ZH) for reason in (*of_matches(), *of_recipients())}
    assert len(texts) > 150
    for text, told in texts.items():
        assert re.search("[\u4e00-\u9fff]", told), text
        assert not re.search("latitude|decimals|known recipient|says so|{", told), text
        for kept in re.findall(r"\d+|`[^`]+`|[\w-]+\.[a-z]{2,}\b", text):
            assert kept in told or "亿" in told, text
