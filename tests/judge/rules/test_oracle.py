"""What rules and headlines may say of made-up runs: an oracle that looks at the lines alone decides."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appwitness.correlate import correlate, knowledge, report
from appwitness.events import FILES
from appwitness.findings import Finding, Flow, Report
from appwitness.recording import Recording
from appwitness.reports.verdict import sent, went
from appwitness.reports.words import Words
from appwitness.store import Store
from tests.recordings.builder.case import START, Case
from tests.recordings.builder.reads import AD, CLIPBOARD, CONTACTS, DEVICE, NUMBER, PEOPLE, POSITION, Read

known = cache(knowledge)
READS = {read.data: read for read in (NUMBER, CONTACTS, DEVICE, AD, POSITION, CLIPBOARD)}
LABELS = {"given": "Agree", "refused": "Disagree", "withdrawn": "Withdraw my consent", "dismissed": "Close"}
HOSTS = ("https://api.shop.test/v1", "http://api.shop.test/v1", "https://graph.facebook.com/x")
HASHES = ("md5", "sha1", "sha256")

Move = tuple[Any, ...]
"""What happens, and what it needs; each is some seconds after the one before."""
KINDS, FORMS = st.sampled_from(sorted(READS)), st.sampled_from(["plain", "plain", "no value", *HASHES])
SENT = (KINDS, FORMS, st.sampled_from(HOSTS), st.integers(1, 5))
FIRST: list[list[tuple[int, Move]]] = [
    [],
    [(1, ("ask",)), (1, ("tap", "given"))],
    [(1, ("ask",)), (1, ("tap", "refused"))],
    [(1, ("ask",)), (1, ("tap", "given")), (1, ("tap", "withdrawn"))],
]
MOVES = st.builds(
    lambda first, then: [*first, *then],
    st.sampled_from(FIRST),
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.one_of(
                st.just(("ask",)),
                st.tuples(st.just("tap"), st.sampled_from(sorted(LABELS))),
                st.tuples(st.just("read"), KINDS, st.sampled_from(["returned", "denied", "empty"])),
                st.tuples(st.just("phase"), st.sampled_from(["foreground", "background", "screen_off", "screen_on"])),
                st.tuples(st.just("sent"), *SENT),
                st.tuples(st.just("read and sent"), *SENT),
                st.tuples(st.just("read and sent"), *SENT),
            ),
        ),
        min_size=2,
        max_size=8,
    ),
)


def texts(data: str, people: int = 5) -> list[str]:
    """The values of a kind of data; of the address book those of its first people."""
    return [text for _, text, *row in READS[data].values if not row or row[0] < people]


def formed(form: str, text: str) -> str:
    """A text in the form in which it is sent."""
    return hashlib.new(form, text.encode()).hexdigest() if form in HASHES else text


def case_of(moves: list[tuple[int, Move]]) -> Case:
    """A run in which these things happen."""
    case, at = Case("made-up", "made up", plan="free").clocks_agree_to(1).launched(), 1
    for pause, (what, *how) in moves:
        at += pause
        if what == "ask":
            case.asked(at)
        elif what == "tap":
            case.tapped(at, how[0], LABELS[how[0]])
        elif what == "read":
            read: Read = READS[how[0]]
            case.read(at, read, outcome=how[1], values=None if how[1] == "returned" else ())
        elif what == "phase":
            case.phase(at, how[0])
        else:
            data, form, url, people = how
            if what == "read and sent":
                case.read(at, READS[data])
                at += 1
            said = ["nothing"] if form == "no value" else texts(data, people)
            said = [formed(form, text) for text in said]
            case.sent(at, url, {"v": said}, by="com.example.shop.Net.post(Net.java:7)")
    return case


class Lines:
    """The lines of a case, and what can be seen from them."""

    def __init__(self, case: Case) -> None:
        self.of = {
            f"{FILES[kind]}:{number}": line
            for kind, of_kind in case.lines.items()
            for number, line in enumerate(of_kind, start=1)
        }
        self._bodies = case.bodies
        self.uploads = [line for line in self.of.values() if line["kind"] == "upload"]
        self._consents = [line for line in self.of.values() if line["kind"] == "consent"]
        self.asks = [seconds(line) for line in self._consents if line["status"] == "requested"]
        self.taps = [(seconds(line), line["status"]) for line in self._consents if line["status"] != "requested"]

    def may_be(self, state: str, at: float) -> bool:
        """Whether consent may be told as that at a moment."""
        answers = [status for when, status in self.taps if when < at]
        asked = any(when < at for when in self.asks)
        since_yes = answers[len(answers) - answers[::-1].index("given") :] if "given" in answers else answers
        match state:
            case "not_shown":
                return not asked and not answers
            case "requested":
                return asked and "given" not in answers[-1:]
            case "given":
                return "given" in answers and not {"refused", "withdrawn"} & set(since_yes)
            case "refused" | "withdrawn" | "dismissed":
                return state in since_yes
        return False

    def refused(self, at: float) -> bool:
        """Whether the user had said no before."""
        return any(status in ("refused", "withdrawn") for when, status in self.taps if when < at)

    def carried(self, upload: dict[str, Any], data: str) -> set[tuple[str, str]]:
        """The values of a kind of data in a body: in which form, and which."""
        said = set(json.loads(self._bodies[upload["body"]])["v"])
        return {(form, text) for form in ("plain", *HASHES) for text in texts(data) if formed(form, text) in said}

    def returned(self, data: str, before: float) -> bool:
        """Whether the app had read values of that kind."""
        return any(
            line["kind"] == "access" and line["data"] == data and line["outcome"] == "returned"
            for line in self.of.values() if line["kind"] == "access" and seconds(line) < before
        )  # fmt: skip

    def hidden(self, at: float) -> bool:
        """Whether the app was in the background, or the screen was off."""
        front, dark = True, False
        for line in self.of.values():
            if line["kind"] == "phase" and seconds(line) <= at:
                front = {"foreground": True, "background": False}.get(line["state"], front)
                dark = {"screen_off": True, "screen_on": False}.get(line["state"], dark)
        return dark or not front

    def people(self, refs: list[str]) -> int:
        """How many people of the address book have their number in these uploads."""
        numbers = {text for kind, text, *_ in PEOPLE if kind == "phone_number"}
        return len({text for ref in refs for _, text in self.carried(self.of[ref], "device_contacts")} & numbers)


def seconds(line: dict[str, Any]) -> float:
    return (datetime.fromisoformat(line["at"]) - START).total_seconds()


def late(lines: Lines, line: dict[str, Any], *states: str) -> bool:
    return any(lines.may_be(state, seconds(line)) for state in states)


UNASKED = ("not_shown", "requested", "dismissed")
Said = Callable[[Lines, dict[str, Any], Finding], bool]
"""Whether a rule may object to a line of a read or an upload."""
MAY: dict[str, Said] = {
    "read-before-consent": lambda lines, line, _: late(lines, line, *UNASKED),
    "read-after-refusal": lambda lines, line, _: late(lines, line, "refused"),
    "read-after-withdrawal": lambda lines, line, _: late(lines, line, "withdrawn"),
    "read-in-background": lambda lines, line, _: lines.hidden(seconds(line)) and late(lines, line, "given"),
    "read-never-sent": lambda lines, line, _: not any(lines.carried(one, line["data"]) for one in lines.uploads),
    "others-data-read": lambda lines, line, _: line["data"] == "device_contacts" and late(lines, line, "given"),
    "clipboard-read": lambda lines, line, of: of.data == "clipboard",
    "sent-before-consent": lambda lines, line, _: late(lines, line, *UNASKED),
    "sent-after-refusal": lambda lines, line, _: late(lines, line, "refused"),
    "sent-after-withdrawal": lambda lines, line, _: late(lines, line, "withdrawn"),
    "sent-in-background": lambda lines, line, _: lines.hidden(seconds(line)) and late(lines, line, "given"),
    "sent-in-cleartext": lambda lines, line, _: line["url"].startswith("http:") and line["tls"] is None,
    "weakly-hashed": lambda lines, line, of: {form for form, _ in lines.carried(line, of.data or "")} <= set(HASHES),
    "fixed-identifier-sent": lambda lines, line, of: of.data == DEVICE.data and late(lines, line, "given"),
    "identifiers-bridged": lambda lines, line, of: of.data == DEVICE.data and late(lines, line, "given"),
    "third-party-not-covered": lambda lines, line, _: line["host"] == "graph.facebook.com",
    "sent-abroad": lambda lines, line, _: line["host"] == "graph.facebook.com",
    "address-book-upload": lambda lines, line, of: of.data == "device_contacts",
}
OF_READS = frozenset(rule.id for rule in known().rules if rule.on == "access")
OF_QUESTIONS = frozenset(("no-first-run-notice", "repeated-prompts", "invalid-consent-button", "forced-consent"))
"""What these object to is a question, or that there was none."""


def judged(case: Case, folder: Path) -> Report:
    for name, data in case.files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    with Store("sqlite://") as store:
        recording = Recording.open(folder)
        correlate(recording, store, known())
        return report(store, recording.run.id, known())


def check_flow(lines: Lines, flow: Flow) -> None:
    """A flow: its value is in the upload, and a read of it that returned something came before."""
    upload = lines.of[flow.upload]
    found = lines.carried(upload, flow.data)
    for match in flow.matches:
        form = "plain" if match.variant == "plain" else match.variant.replace("-", "")
        assert any(form in (each, "plain") or each in form for each, _ in found), (match, found)
    assert found, flow
    assert flow.recipient.host == upload["host"]
    assert flow.access is None or lines.returned(flow.data, seconds(upload))
    assert lines.may_be(flow.consent, seconds(upload)), (flow.consent, lines.asks, lines.taps, seconds(upload))


def check_finding(lines: Lines, finding: Finding, flows: dict[str, Flow]) -> None:
    """A finding: each line that it rests on is there, and is what the rule objects to."""
    for ref in finding.evidence:
        assert ref in lines.of, ref
    if finding.rule in OF_QUESTIONS:
        if finding.rule == "no-first-run-notice":
            assert not lines.asks
        if finding.rule == "repeated-prompts":
            assert sum(lines.refused(ask) for ask in lines.asks) >= 3
        return
    may = MAY[finding.rule]  # a rule that is not there was never thought about
    uploads = [flows[name].upload for name in finding.flows]
    read = finding.rule in OF_READS
    accused = [ref for ref in finding.evidence if ref.startswith("accesses.")] if read else uploads
    assert accused
    for ref in accused:
        line = lines.of[ref]
        assert may(lines, line, finding), (finding.rule, ref, line["at"], lines.asks, lines.taps)
        if line["kind"] == "access":
            assert (line["outcome"], line["data"]) == ("returned", finding.data)
    if finding.rule == "address-book-upload":
        assert lines.people(uploads) >= 3
    if finding.people is not None:
        assert finding.people.sent <= lines.people(uploads)
        assert finding.people.read <= len(PEOPLE) // 2
    assert finding.recipient is None or {lines.of[ref]["host"] for ref in uploads} == {finding.recipient.host}


SPAN = r"([\d.]+) (ms|s)"


def in_seconds(number: str, unit: str) -> float:
    return float(number) / (1000 if unit == "ms" else 1)


def check_headline(lines: Lines, found: Report) -> None:
    """Each sentence of the headline: how, what, to whom, and when against what the user was asked and answered."""
    for group in sent(found):
        english, chinese = (went(found, group, Words(language)) for language in ("en", "zh"))
        uploads = [lines.of[ref] for ref in {flow.upload for flow in group.flows}]
        moments = [seconds(upload) for upload in uploads]
        assert f" to {group.recipient.host}" in english
        clear = any(upload["url"].startswith("http:") for upload in uploads)
        assert ("unencrypted" in english) == ("未加密" in chinese)
        assert clear or "unencrypted" not in english
        hashed = all({form for form, _ in lines.carried(upload, group.data)} <= set(HASHES) for upload in uploads)
        assert ("(hashed" in english) == ("（哈希值" in chinese) == hashed
        people = re.search(r"data of (one|\d+) of (\d+) people", english)
        if people:
            assert int(people[1].replace("one", "1")) <= lines.people([flow.upload for flow in group.flows])
            assert int(people[2]) <= len(PEOPLE) // 2
        for number, unit in re.findall(f"{SPAN} before the user was asked", english):
            assert {ask - at for ask in lines.asks for at in moments} & {float(number) / (1000 if unit == "ms" else 1)}
        for number, unit in re.findall(f"{SPAN} before an answer", english):
            assert {tap - at for tap, _ in lines.taps for at in moments} & {
                float(number) / (1000 if unit == "ms" else 1)
            }
        for number, unit, label in re.findall(f"{SPAN} after “([^”]*)”", english):
            since = {at - tap for tap, status in lines.taps if LABELS[status] == label for at in moments}
            assert float(number) / (1000 if unit == "ms" else 1) in since
        if "no question to the user was seen" in english:
            assert any(not any(ask < at for ask in lines.asks) for at in moments)
            assert "未见向用户的询问" in chinese
        if "while the question was not answered" in english:
            assert any(lines.may_be("requested", at) for at in moments)
        if "in the background or with the screen off" in english:
            assert any(map(lines.hidden, moments))


@settings(max_examples=120)
@given(MOVES)
def test_nothing_is_said_that_the_lines_do_not_say(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[int, Move]]
) -> None:
    case = case_of(moves)
    found, lines = judged(case, tmp_path_factory.mktemp("made")), Lines(case)
    flows = {flow.id: flow for flow in found.flows}
    for flow in found.flows:
        check_flow(lines, flow)
    for finding in found.findings:
        check_finding(lines, finding, flows)
    check_headline(lines, found)
