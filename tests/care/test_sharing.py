"""A shared copy holds no personal value that our own matcher finds, and says what it is."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from appwitness.care import shared
from appwitness.catalog.withheld import is_placeholder
from appwitness.correlate import correlate, knowledge, report
from appwitness.events import (
    FILES,
    LATEST,
    Access,
    AppIdentity,
    Check,
    Consent,
    DeviceIdentity,
    Event,
    Gap,
    Run,
    Screen,
    Touch,
    Transform,
    Upload,
    Value,
    Window,
    blob,
    tree,
)
from appwitness.match.decode import Decoded, leaves, leaves_of
from appwitness.match.finding import Sought
from appwitness.recording import Recording, verify
from appwitness.reports import render
from appwitness.store import Store
from appwitness.support.errors import DamagedRecording, UserError
from tests.recordings.written import RECORDINGS

CASES = sorted(path.parent.name for path in RECORDINGS.glob("*/run.json"))
MATCHING = Path(__file__).parents[3] / "shared/cases/matching"
START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
PHONE, PLACE, NAME, OTHER = "+8613800138000", "31.230416,121.473701", "王秀英", "Anna-Maria Kowalska"
READ = (("phone_number", PHONE), ("location", PLACE), ("name", NAME), ("name", OTHER))
CODE = {"kind", "source", "data", "outcome", "stack", "owners", "type", "why", "signal", "scope", "app"}
"""Fields that name code or closed choices."""


class Judge:
    """The matcher, knowing every value of the original and what its app turned into what."""

    def __init__(self, original: Recording) -> None:
        self.sought = Sought(original.body)
        values = [*original.run.persona, *(value for access in original.events(Access) for value in access.values)]
        for value in values:
            if value.text.strip() and not is_placeholder(value):
                self.sought.add((value.type, value.text), alone=value.row is None)
        for seen in original.seen(Transform):
            self.sought.add_transform(seen)

    def finds(self, copy: Recording) -> Iterator[str]:
        """Where a value is found in a copy: uploads as they are, each other line, run.json, each body."""
        for upload in copy.seen(Upload):
            body = copy.body(upload.event.body) if upload.event.body else None
            if self._in(leaves(upload.event, body, narrow=self.sought.narrow)):
                yield upload.ref
        for kind in FILES:
            for read in copy.read(kind, finished=True):
                if read.event and self._in(leaves_of(_said(read.event), "application/json")):
                    yield f"{read.ref} as a line"
        run = copy.run.model_dump(mode="json", include={"persona", "device", "changes", "notes", "route", "operator"})
        if self._in(leaves_of(json.dumps(run, ensure_ascii=False).encode(), "application/json")):
            yield "run.json"
        for path in (copy.path / "bodies").iterdir():
            if self._in(leaves_of(path.read_bytes())):
                yield path.name

    def _in(self, decoded: Decoded) -> bool:
        return bool(self.sought.find(decoded, LATEST, (), frozenset()))


def _said(event: Event) -> bytes:
    fields = {name: value for name, value in tree(event).items() if name not in CODE}
    return json.dumps(fields, ensure_ascii=False).encode()


def share(original: Path, tmp_path: Path) -> Recording:
    return Recording.open(shared(original, tmp_path / "copy").path)


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_found_in_the_copy_of_a_recording(case, tmp_path):
    copy = share(RECORDINGS / case, tmp_path)
    assert list(Judge(Recording.open(RECORDINGS / case)).finds(copy)) == []
    assert verify(copy.path).ok
    for kind in FILES:
        before = [read.event and read.event.at for read in Recording.open(RECORDINGS / case).read(kind)]
        after = [read.event and read.event.at for read in copy.read(kind)]
        assert after[: len(before)] == before


@pytest.mark.slow
@pytest.mark.skipif(not MATCHING.is_dir(), reason="../shared/cases/matching is not here")
def test_nothing_is_found_in_the_copy_of_the_matching_cases(tmp_path):
    copy = share(MATCHING, tmp_path)
    assert list(Judge(Recording.open(MATCHING)).finds(copy)) == []


UPLOADS = {
    "JSON": json.dumps({"phone": PHONE, "lat": 31.230416, "lon": 121.473701}).encode(),
    "JSON escapes": json.dumps({"name": NAME, "tel": PHONE}).encode(),
    "JSON in escapes alone": b'{"tel": "%s"}' % "".join(f"\\u{ord(char):04x}" for char in PHONE).encode(),
    "JSON in gzip": gzip.compress(json.dumps({"phone": PHONE}).encode(), mtime=0),
    "a form": b"tel=%2B8613800138000&n=%E7%8E%8B%E7%A7%80%E8%8B%B1",
    "a form with spaces": b"tel=1&n=" + quote_plus("Anna-Maria Kowalska").encode(),
    "hex": json.dumps({"name": f"0x{NAME.encode().hex()}"}).encode(),
    "base64": json.dumps({"d": "eyJ0ZWwiOiIrODYxMzgwMDEzODAwMCJ9"}).encode(),
    "a digest": json.dumps({"h": hashlib.sha256(PHONE.encode()).hexdigest()}).encode(),
}


def made(path: Path, bodies: dict[str, bytes] = UPLOADS, *, end: bool = True) -> Recording:
    run = Run(
        id="original",
        app=AppIdentity(package="com.example.shop"),
        device=DeviceIdentity(serial="lab", kind="lab"),
        persona=(Value(type="phone_number", text=PHONE),),
        notes=(f"the number {PHONE} is the line's",),
        started=START,
        ended=START + timedelta(minutes=1),
    )
    recording = Recording.create(path, run)
    read: dict[str, Any] = {"app": "com.example.shop", "pid": 1, "source": "a.B.c", "outcome": "returned"}
    for seconds, (data, text) in enumerate(READ):
        values = (Value(type=data, text=text),)
        recording.append(Access(at=START + timedelta(seconds=seconds), data=data, values=values, **read))
    for seconds, body in enumerate(bodies.values(), 5):
        coded = (("content-encoding", "gzip"),) if body.startswith(b"\x1f\x8b") else ()
        kind = "application/x-www-form-urlencoded" if body.startswith(b"tel=") else "application/json"
        recording.append(
            Upload(
                at=START + timedelta(seconds=seconds),
                via="http",
                method="POST",
                url=f"https://api.shop.test/v1?tel={PHONE[1:]}",
                host="api.shop.test",
                headers=(
                    ("host", f"u{PHONE[1:]}.shop.test"),
                    ("content-type", kind),
                    ("content-length", str(len(body))),
                    *coded,
                ),
                body=recording.put_body(body),
                size=len(body),
                type=kind,
            )
        )
    if end:
        recording.stamp(final=True)
    return recording


def test_the_judge_finds_the_values_of_an_original(tmp_path):
    original = made(tmp_path / "original")
    found = list(Judge(original).finds(original))
    assert {f"uploads.jsonl:{number}" for number in range(1, len(UPLOADS) + 1)} <= set(found)
    assert {"accesses.jsonl:1 as a line", "run.json"} <= set(found)


@pytest.mark.parametrize("name", UPLOADS)
def test_a_body_keeps_its_form_and_the_flows_of_the_original(name, tmp_path):
    original = made(tmp_path / "original", {name: UPLOADS[name]})
    result = shared(original.path, tmp_path / "copy")
    copy = Recording.open(result.path)
    assert not result.left_out
    assert not list(Judge(original).finds(copy))
    (sent,) = copy.events(Upload)
    assert PHONE[1:] not in sent.headers[0][1]
    flows = [
        sorted((flow.access, flow.upload, match.type) for flow in outcome.flows for match in flow.matches)
        for outcome in (
            correlate(each, Store(tmp_path / f"{number}.sqlite"), knowledge())
            for number, each in enumerate((original, copy))
        )
    ]
    assert flows[0]
    assert flows[0] == flows[1]


def test_a_value_has_one_token_everywhere_and_another_in_the_next_copy(tmp_path):
    original = made(tmp_path / "original")
    tokens = []
    for number in (1, 2):
        copy = Recording.open(shared(original.path, tmp_path / f"copy{number}").path)
        (token,) = (value.text for value in copy.run.persona)
        assert len(token) == len(PHONE)
        assert token.startswith("+86138")
        assert next(copy.events(Access)).values[0].text == token
        uploads = list(copy.events(Upload))
        assert all(token[1:] in (upload.url or "") for upload in uploads)
        assert json.loads(copy.body(uploads[0].body or "") or b"")["phone"] == token
        assert token in copy.run.notes[0]
        tokens.append(token)
    assert len({PHONE, *tokens}) == 3


def test_a_body_in_which_a_value_cannot_be_replaced_is_left_out_and_a_gap_says_so(tmp_path):
    packed = gzip.compress(gzip.compress(json.dumps({"phone": PHONE}).encode(), mtime=0), mtime=0)
    original = made(tmp_path / "original", {"twice packed": packed})
    result = shared(original.path, tmp_path / "copy")
    copy = Recording.open(result.path)
    (upload,) = copy.events(Upload)
    assert result.left_out == ("uploads.jsonl:1",)
    assert (upload.body, upload.truncated, upload.size) == (None, True, len(packed))
    (gap,) = copy.events(Gap)
    assert (gap.subject, gap.why) == ("uploads.jsonl:1", "body_truncated")
    assert not list((copy.path / "bodies").iterdir())


def test_calls_lose_their_bytes_and_screens_their_pictures(tmp_path):
    original = made(tmp_path / "original", {}, end=False)
    original.append(
        Transform(
            at=START,
            op="encrypt",
            algorithm="AES/ECB/NoPadding",
            input=blob(PHONE.encode()),
            output=blob(b"\x01" * 16),
            key=blob(b"k" * 16),
        )
    )
    picture = original.put_body(b"\x89PNG picture")
    layout = original.put_body(f'<node text="{NAME}"/>'.encode())
    original.append(Screen(at=START, why="operator", by="host", image=picture, tree=layout, note=f"typed {PHONE}"))
    original.stamp(final=True)
    copy = share(original.path, tmp_path)
    (call,) = copy.events(Transform)
    assert [call.input.b64, call.output.b64, call.key and call.key.b64] == ["", "", ""]
    (screen,) = copy.events(Screen)
    assert screen.image is None
    assert PHONE not in (screen.note or "")
    kept = copy.body(screen.tree or "") or b""
    assert kept.startswith(b'<node text="')
    assert NAME.encode() not in kept
    assert [gap.subject for gap in copy.events(Gap)] == ["screens.jsonl:1"]


def test_windows_have_tokens_for_values_words_of_ours_and_else_their_shape(tmp_path):
    original = made(tmp_path / "original", {}, end=False)
    windows = (
        Window(texts=("Privacy policy", f"Your number is {PHONE}"), labels=("Agree", f"Go on as {OTHER}")),
        Window(checks=(Check(text=f"I am {NAME}", checked=True),), ids=("agree", f"row-{PHONE[1:]}"), package="a.b"),
    )
    touched = Touch(label=f"Go on as {OTHER}", id=f"row-{PHONE[1:]}", by="user")
    code: dict[str, Any] = {"app": "com.example.shop", "stack": ("a.B.c(B.java:1)",), "owners": ("app",)}
    original.append(
        Screen(at=START, what="touch", windows=windows, touched=touched, number=1, why="consent", by="agent", **code)
    )
    question = Consent(
        at=START,
        signal="dialog",
        status="requested",
        data=("phone_number", "name"),
        by="user",
        text=f"{NAME}, {PHONE}?",
    )
    original.append(question)
    original.stamp(final=True)
    copy = share(original.path, tmp_path)
    phone, _, name, other = (access.values[0].text for access in copy.events(Access))
    (screen,) = copy.events(Screen)
    am, row = screen.windows[1].checks[0].text.split()[1], screen.windows[1].ids[1].partition("-")[0]
    assert screen.windows == (
        Window(texts=("Privacy policy", f"Your number is {phone}"), labels=("Agree", f"Go on as {other}")),
        Window(
            checks=(Check(text=f"I {am} {name}", checked=True),), ids=("agree", f"{row}-{phone[1:]}"), package="a.b"
        ),
    )
    assert screen.touched == Touch(label=f"Go on as {other}", id=f"{row}-{phone[1:]}", by="user")
    assert (screen.stack, screen.owners) == (code["stack"], code["owners"])
    assert list(copy.events(Consent)) == [question.model_copy({"text": f"{name}, {phone}?"})]
    written = (copy.path / "screens.jsonl").read_text("utf-8")
    assert not [text for text in (PHONE, PHONE[1:], NAME, OTHER) if text in written]
    assert not list(Judge(original).finds(copy))


def test_a_value_that_two_texts_hold_together_is_replaced_in_both(tmp_path):
    original = made(tmp_path / "original", {}, end=False)
    parts = ("Anna-Maria K", "owalska", "+86 138", "0013 8000", "Dr. Weber: 阳性", "wlan-secret-7")
    original.append(Screen(at=START, what="look", windows=(Window(texts=parts),), why="change", by="host"))
    original.stamp(final=True)
    left = {"Anna", "owalska", "138", "0013", "8000", "Weber", "阳", "wlan"}
    for number in range(3):  # digits are replaced by random ones, which may be the same in one copy
        (tmp_path / str(number)).mkdir()
        (screen,) = share(original.path, tmp_path / str(number)).events(Screen)
        (texts,) = (window.texts for window in screen.windows)
        assert [len(text) for text in texts] == [len(text) for text in parts]
        left = {piece for piece in left if piece in " ".join(texts)}
    assert not left


def test_lines_keep_their_numbers_where_one_is_no_line(tmp_path):
    original = made(tmp_path / "original")
    path = original.path / "accesses.jsonl"
    path.write_bytes(b'{"kind": "access", "text": "' + PHONE.encode() + b'"}\n' + path.read_bytes())
    (original.path / "seal.jsonl").unlink()
    copy = share(original.path, tmp_path)
    lines = (copy.path / "accesses.jsonl").read_bytes().splitlines()
    assert PHONE.encode() not in lines[0]
    assert [read.event is None for read in copy.read("access")] == [True, *(False for _ in READ)]


def test_every_report_of_a_copy_names_the_seal_of_the_original(tmp_path):
    original = made(tmp_path / "original")
    copy = share(original.path, tmp_path)
    seal = verify(original.path).last
    assert seal
    assert copy.run.shared
    assert (copy.run.id, copy.run.shared.of, copy.run.shared.seal) == ("original-shared", "original", seal)
    store = Store(tmp_path / "i.sqlite")
    correlate(copy, store, knowledge())
    made_ = report(store, copy.run.id, knowledge())
    for format_ in ("text", "json", "html", "sarif", "junit", "complaint"):
        for lang in ("en", "zh"):
            assert seal in render(made_, format_, lang=lang, verbose=True)


def test_what_cannot_be_shared(tmp_path):
    original = made(tmp_path / "original")
    with pytest.raises(UserError, match="is not empty"):
        shared(original.path, original.path)
    with original.sealing(), pytest.raises(UserError, match="is being recorded"):
        shared(original.path, tmp_path / "copy")
    path = original.path / "accesses.jsonl"
    path.write_bytes(path.read_bytes().replace(PHONE.encode(), b"+8613800138001"))
    with pytest.raises(DamagedRecording):
        shared(original.path, tmp_path / "copy")
