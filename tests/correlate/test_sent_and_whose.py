"""Which uploads may be told as sent, as arrived and as the app's: an oracle that looks at the lines alone decides."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appwitness.correlate import correlate, knowledge, report
from appwitness.findings import Report
from appwitness.recording import Recording
from appwitness.reports import render
from appwitness.reports.verdict import facts
from appwitness.reports.words import Words
from appwitness.store import Store
from tests.recordings.builder.case import Case
from tests.recordings.builder.reads import NUMBER, PHONE
from tests.strategies import examples

APP = "com.example.shop"
SHOP = "https://api.shop.test/v1/device"
known = cache(knowledge)


def judged(case: Case, folder: Path) -> Report:
    for name, data in case.files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    store, recording = Store(folder / "i.sqlite"), Recording.open(folder)
    correlate(recording, store, known())
    return report(store, recording.run.id, known())


class MadeUpload(NamedTuple):
    """What the lines say of one upload."""

    status: int | None
    socket: bool
    """The app opened the connection that it came by."""
    named: str
    """Of whom its line says that it is: "", its process, the app."""


UPLOADS = st.lists(
    st.builds(MadeUpload, st.sampled_from([None, 200, 500]), st.booleans(), st.sampled_from(["", "process", "app"])),
    min_size=1,
    max_size=4,
)


def case_of(uploads: list[MadeUpload]) -> Case:
    case = Case("made-up", "made up", plan="silent").asked(0.5).read(1, NUMBER)
    for number, one in enumerate(uploads, 2):
        by = f"{APP}.Net.open(Net.java:1)" if one.socket else None
        case.sent(number, SHOP, {"n": PHONE}, by=by, port=51_000 + number)
        line = case.lines["upload"][-1]
        line |= {"status": one.status, "pid": None}
        line |= {"app": APP} if one.named == "app" else {"pid": 4711} if one.named == "process" else {}
    return case


def said_of(uploads: list[MadeUpload], folder: Path) -> tuple[Report, dict[str, str], dict[str, str], str]:
    found = judged(case_of(uploads), folder)
    (finding,) = (each for each in found.findings if each.rule == "sent-before-consent")
    words = {language: facts(found, Words(language)) for language in ("en", "zh")}
    return found, words, dict(finding.detail), finding.confidence


@settings(max_examples=examples(40))
@given(UPLOADS)
def test_sentences_say_no_more_than_the_lines(
    tmp_path_factory: pytest.TempPathFactory, uploads: list[MadeUpload]
) -> None:
    found, headline, detail, confidence = said_of(uploads, tmp_path_factory.mktemp("made"))
    arrived = [one for one in uploads if one.status is not None]
    of_app = [one for one in uploads if one.socket or one.named]
    assert (" went to api.shop.test" in headline["en"]) == bool(arrived)
    assert ("：发送至 api.shop.test" in headline["zh"]) == bool(arrived)
    assert ("sent to api.shop.test" in headline["en"]) == (not arrived)
    missing = len(uploads) - len(arrived)
    listed = render(found, "text")
    assert ("an attempt, no response recorded" in " ".join(listed.split())) == (not arrived)
    assert ("more attempt" in headline["en"]) == bool(arrived and missing)
    assert ("No response was recorded, so" in detail["en"]) == (missing == len(uploads))
    assert ("No response was recorded for" in detail["en"]) == (0 < missing < len(uploads))
    assert detail["en"].startswith("The app ") == detail["zh"].startswith("应用") == bool(of_app)
    assert ("socket ties" in detail["en"]) == (len(of_app) < len(uploads))
    leads = of_app or uploads
    attempted = all(one.status is None for one in leads)
    assert ("attempted to send" in detail["en"]) == ("尝试将" in detail["zh"]) == attempted
    assert confidence == ("proven" if of_app else "corroborated")
    flows = json.loads(found.model_dump_json())["flows"]
    assert [flow["unanswered"] for flow in flows] == [one.status is None for one in uploads]
    assert [flow["untied"] for flow in flows] == [not (one.socket or one.named) for one in uploads]


def test_what_the_app_itself_made_is_its_own(tmp_path: Path) -> None:
    secret = bytes(range(16))
    case = Case("made", "made", plan="silent").asked(0.5).read(1, NUMBER)
    case.turned(1.5, "encrypt", "AES/ECB/PKCS5Padding", PHONE.encode(), secret).sent(2, SHOP, secret, how="raw", port=5)
    case.lines["upload"][-1]["pid"] = None
    found = judged(case, tmp_path)
    (flow,) = found.flows
    assert not flow.untied
    assert {each.confidence for each in found.findings if each.rule == "sent-before-consent"} == {"proven"}


def test_what_goes_to_the_device_itself_went_to_nobody(tmp_path: Path) -> None:
    case = Case("local", "local", plan="silent").asked(0.5).read(1, NUMBER)
    case.sent(2, "http://127.0.0.1:8080/x", {"n": PHONE}).sent(3, SHOP, {"n": PHONE})
    assert "127.0.0.1" not in facts(judged(case, tmp_path), Words("en"))


@pytest.mark.parametrize(
    ("fields", "clear"),
    [
        ({"url": "http://api.shop.test/"}, True),
        ({"url": "//api.shop.test/", "tls_unknown": True}, False),
        ({"url": "https://api.shop.test/"}, False),
        ({"url": None, "via": "tcp"}, True),
        ({"url": None, "via": "tcp", "tls_unknown": True}, False),
    ],
)
def test_cleartext_is_what_is_known_to_have_been(tmp_path: Path, fields: dict[str, Any], clear: bool) -> None:
    case = Case("clear", "clear", plan="silent").asked(0.5).read(1, NUMBER).sent(2, SHOP, {"n": PHONE})
    case.lines["upload"][-1] |= {"tls": None, **fields}
    found = judged(case, tmp_path)
    assert [flow.cleartext for flow in found.flows] == [clear]
    assert ("sent-in-cleartext" in {each.rule for each in found.findings}) == clear


@pytest.mark.parametrize("tied", [True, False])
def test_a_claim_in_an_upload_of_nobody_is_not_the_app_s(tmp_path: Path, tied: bool) -> None:
    case = (
        Case("claim", "claim", plan="silent")
        .asked(0.5)
        .sent(2, "https://ads.test/x?gdpr=1&gdpr_consent=1&npa=0", port=5)
    )
    if not tied:
        case.lines["upload"][-1]["pid"] = None
    case.read(1, NUMBER)
    found = [each for each in judged(case, tmp_path).findings if each.rule == "consent-claimed-on-wire"]
    assert found
    for each in found:
        assert each.detail["en"].startswith("The app said") == each.detail["zh"].startswith("应用") == tied
        assert (each.confidence == "proven") == tied


CALLERS = ("com.example.shop.Start.load", "com.example.shop.Net.id", "com.umeng.analytics.Agent.go", "org.a.B.c")
READS = st.lists(st.tuples(st.sampled_from(CALLERS), st.booleans()), min_size=1, max_size=4)


@settings(max_examples=30)
@given(READS)
def test_callers_are_named_for_what_they_called(tmp_path_factory: pytest.TempPathFactory, reads: Any) -> None:
    """Reads of the number that was sent, and of another one that was not, each by one of four pieces of code."""
    case = Case("callers", "callers", plan="silent").asked(0.5)
    for number, (caller, is_sent) in enumerate(reads):
        value = PHONE if is_sent else "+8613911112222"
        case.read(1 + number / 10, NUMBER, f"{caller}(X.java:{number})", values=[("phone_number", value)])
    case.sent(3, SHOP, {"n": PHONE})
    found = judged(case, tmp_path_factory.mktemp("callers"))
    of_sent = {caller for caller, is_sent in reads if is_sent}
    sent = [each for each in found.findings if each.rule == "sent-before-consent"]
    assert bool(sent) == bool(of_sent)
    for each in sent:
        assert (each.read_by and each.read_by.code) == (next(iter(of_sent)) if len(of_sent) == 1 else None)
    read = [each for each in found.findings if each.rule == "read-before-consent"]
    called = {caller for caller, _ in reads}
    assert read
    for each in read:
        named = {caller for caller in CALLERS if caller in each.detail["en"]}
        assert named == {caller for caller in CALLERS if caller in each.detail["zh"]}
        assert named <= called
        assert len(named) == min(3, len(called))
        if each.read_by:
            assert all(caller.startswith(each.read_by.code) for caller in called)
