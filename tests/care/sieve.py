"""A recording with a secret of its own in each field of each kind of line, made from the classes of the contract, so
that a field of tomorrow is in it by itself; and an oracle that reads an output in many ways."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
import quopri
import re
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from appwitness import events
from appwitness.recording import Recording

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
APP = "com.example.sieve"
PHONE, NAME, MAIL, ID = "+8613817425936", "Wilhelmina Zdrojewska", "w.zdroj77@mailbox.example", "9f4c1b72e08d63a5"
PLANTED = (("phone_number", PHONE), ("name", NAME), ("email", MAIL), ("android_id", ID))

type Say = Callable[[str], str]
"""Place in the recording -> the text that stands there."""


MARK = "k7x3v"
"""In each secret."""


class Secrets:
    """A secret for each place, and which place each is of."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def __call__(self, place: str) -> str:
        number = len(self.of)
        digest = hashlib.md5(place.encode()).hexdigest()[:6]
        secret = f"q{number % 10}z{number // 10 % 10}w{number // 100}{MARK}{digest}"
        self.of[secret] = place
        return secret


def every_byte(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def quoted(text: str) -> str:
    return "".join(f"={byte:02X}" for byte in text.encode())


def spaced(text: str) -> str:
    return " ".join(text[at : at + 3] for at in range(0, len(text), 3))


SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    every_byte,
    lambda text: quote(every_byte(text)),
    quoted,
    lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    lambda text: "".join(f"&#{ord(char)};" for char in text),
    lambda text: "".join(f"&#x{ord(char):x};" for char in text),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    lambda text: base64.b32encode(text.encode()).decode(),
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex().upper(),
    lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    lambda text: quote(base64.b64encode(text.encode()).decode()),
    str.upper,
    str.lower,
    lambda text: text[::-1],
    "-".join,
    spaced,
    lambda text: " ".join(str(byte) for byte in text.encode()),
    lambda text: text.translate({ord(char): ord(char) + 0xFEE0 for char in "0123456789"}),
    lambda text: json.dumps(json.dumps(text)),
)


class Spelt:
    """A planted value in each place, each time another and in another spelling."""

    def __init__(self) -> None:
        self._next = itertools.cycle(itertools.product(SPELLINGS, (text for _, text in PLANTED)))

    def __call__(self, place: str) -> str:
        spell, text = next(self._next)
        return spell(text)


def values(kind: Any, place: str, say: Say) -> Any:
    """A value of a type of the contract."""
    inspect = msgspec.inspect
    match kind:
        case inspect.Metadata():
            return values(kind.type, place, say)
        case inspect.UnionType():
            return values(next(each for each in kind.types if not isinstance(each, inspect.NoneType)), place, say)
        case inspect.StrType():
            return hashlib.sha256(b"").hexdigest() if kind.pattern else say(place)
        case inspect.LiteralType():
            return kind.values[0]
        case inspect.IntType():
            return 1
        case inspect.FloatType():
            return 1.0
        case inspect.BoolType():
            return True
        case inspect.DateTimeType():
            return START
        case inspect.VarTupleType():
            return tuple(values(kind.item_type, f"{place}[{n}]", say) for n in range(2))
        case inspect.TupleType():
            return tuple(values(each, f"{place}[{n}]", say) for n, each in enumerate(kind.item_types))
        case inspect.DictType():
            return {say(f"{place}.key"): [say(f"{place}.value"), {"n": say(f"{place}.deep")}]}
        case inspect.AnyType():
            return say(place)
        case inspect.StructType():
            return part(kind.cls, place, say)
    raise NotImplementedError(kind)


def part(cls: type[Any], place: str, say: Say, **given: Any) -> Any:
    """A line or a part of one, each field filled."""
    if cls is events.Blob:
        return events.Blob(b64=base64.b64encode(say(place).encode()).decode())
    info = msgspec.inspect.type_info(cls)
    assert isinstance(info, msgspec.inspect.StructType)
    made = {
        field.name: values(field.type, f"{place}.{field.name}", say) for field in info.fields if field.name not in given
    }
    return cls(**made, **given)


def fill(recording: Recording, say: Say) -> None:
    """A line of each kind, and flows, questions and answers among them."""
    own: dict[str, Any] = {"app": APP, "pid": 1, "arrived": None, "boot_ms": None, "until": None}
    at = iter(START + timedelta(seconds=second) for second in range(1, 10_000))
    planted = [events.Value(type=type_, text=text) for type_, text in PLANTED]
    source = "android.telephony.TelephonyManager.getLine1Number"
    for kind in events.KINDS:
        name = events.kind_of(kind)
        fields = {field.name for field in msgspec.structs.fields(kind)}
        fixed = {key: value for key, value in own.items() if key in fields} | {"v": 1}
        for choice in _choices(kind):
            given: dict[str, Any] = {**fixed, **choice, "at": next(at)}
            for field in ("corrects", "retracts", "since"):
                if field in fields:
                    given[field] = None
            if kind is events.Access:
                given |= {"source": source, "data": "phone_number", "outcome": "returned", "stack_cut": None}
                given["values"] = (*planted, events.Value(type="clipboard", text=say("access.values")))
            if kind in (events.Upload, events.Gap, events.Screen):
                body = json.dumps({"phone": PHONE, say("body.key"): say("body.value"), "lon": say("body.lon")}).encode()
                for field in {"body", "tree"} & fields:
                    given[field] = recording.put_body(body)
                given |= dict.fromkeys({"image", "film"} & fields)
                if "size" in fields:
                    given["size"] = len(body)
            if kind is events.Upload:
                given |= {
                    "via": "http", "truncated": False, "owners": (), "stack": (), "app": None, "pid": None,
                    "host": f"{say('upload.host')}.adnet.test", "announced": None,
                    "url": f"https://{say('upload.url.host')}.adnet.test/{say('upload.url.path')}"
                           f"?{say('upload.url.key')}={say('upload.url.value')}#{say('upload.url.fragment')}",
                    "tls": events.Tls(version=say("tls.version"), sni=say("tls.sni"), alpn=say("tls.alpn")),
                    "headers": (("content-type", say("header.content-type")), ("cookie", say("header.cookie")),
                                (say("header.name"), say("header.value")), ("user-agent", say("header.agent"))),
                }  # fmt: skip
            if kind is events.Phase and given.get("state") == "exited":
                continue
            recording.append(part(kind, name, say, **given))


def _choices(kind: type[Any]) -> Iterator[dict[str, Any]]:
    """Each choice of each field that has some, one at a time."""
    yield {}
    for field in msgspec.structs.fields(kind):
        found = typing.get_args(field.type)
        literals = [each for each in (field.type, *found) if typing.get_origin(each) is typing.Literal]
        if field.name not in ("v", "kind", "via", "outcome", "stack_cut") and literals:
            yield from ({field.name: choice} for choice in typing.get_args(literals[0]))


def run(say: Say, name: str = "sieve", plan: str = "refuse") -> dict[str, Any]:
    """A run.json with a text in each of its fields, in fields of tomorrow too."""
    return {
        "v": 1,
        "id": name,
        "app": {"package": APP, "version": "1.2", say("app.new"): say("app.new.value"),
                "facts": {"target_sdk": 34, say("app.fact"): say("app.fact.value"), "sdks": [say("app.sdk")]}},
        "device": {"serial": "emulator-5554", "model": "Pixel 7", "kind": "emulator", "release": "14",
                   "facts": {"fingerprint": say("device.fingerprint"), say("device.fact"): say("device.fact.value")},
                   "new": say("device.new")},
        "plan": plan,
        "observers": {"hooks": True, "proxy": True, "consent": True, "persona": "planted"},
        "source": [{"name": say("source.name"), "size": 1, "sha256": "0" * 64, "format": "har",
                    "tool": say("source.tool"), "comment": say("source.comment")}],
        "persona": [{"type": type_, "text": text} for type_, text in PLANTED],
        "hooks": {"android.telephony.TelephonyManager.getLine1Number": "installed"},
        "started": events.format_time(START),
        "ended": events.format_time(START + timedelta(minutes=30)),
        "changes": [{"at": events.format_time(START), "what": say("change.what"), "before": say("change.before")}],
        "requests": [{"what": "time_stamp", "to": say("request.to")}],
        "notes": [say("note")],
        "route": {"way": say("route.way"), say("route.key"): say("route.value")},
        "unhooked": say("unhooked"),
        "probe": {"hooked": 4, "called": 4, "seen": 3, "missed": [say("probe.missed")], "detail": say("probe.detail")},
        "versions": {"frida": say("version"), say("version.name"): "1"},
        "new": say("run.new"),
        say("run.field"): {"deep": [say("run.deep")]},
    }  # fmt: skip


def made(path: Path, say: Say, name: str = "sieve", plan: str = "refuse") -> Recording:
    """The recording at `path`."""
    with Recording.create(path, events.Run.model_validate(run(say, name, plan))) as recording:
        fill(recording, say)
        recording.stamp(final=True)
    return Recording.open(path)


# the oracle: knows nothing of how the product masks


def readings(text: str) -> set[str]:
    """The text, and what may be read in it: escapes undone, words of base64, base32 and hex decoded, twice."""
    found = new = {text}
    for _ in range(3):
        new = {read for each in new for read in _undone(each)} - found
        found = found | new
    words = {word for each in found for word in re.findall(r"[A-Za-z0-9+/_=-]{8,}", each)}
    for _ in range(2):
        words |= {read for word in list(words) for read in _decoded(word)}
    codes = (re.findall(r"\d+", run) for each in found for run in re.findall(r"\d{2,3}(?: \d{2,3}){5,}", each))
    words |= {"".join(chr(int(code)) for code in run) for run in codes}
    return found | words


def _undone(text: str) -> Iterator[str]:
    yield html.unescape(text)
    yield unquote(text)
    yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda hit: chr(int(hit[1], 16)), text)
    yield text.replace("\\\\", "\\")
    yield quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")


def _decoded(word: str) -> Iterator[str]:
    bare = word.rstrip("=")
    for decode in (
        lambda: base64.b64decode(bare.replace("-", "+").replace("_", "/") + "=" * (-len(bare) % 4)),
        lambda: base64.b32decode(bare.upper() + "=" * (-len(bare) % 8)),
        lambda: bytes.fromhex(bare),
    ):
        try:
            yield decode().decode()
        except ValueError:
            continue


def flat(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def told(output: str, secrets: typing.Iterable[str]) -> list[str]:
    """Which secrets can be read in an output."""
    shown = "\n".join({flat(read) for read in readings(output)})
    shown = shown.translate({0xFF10 + digit: ord("0") + digit for digit in range(10)})
    marked = MARK in shown or MARK[::-1] in shown  # else hundreds need not be looked for
    sought = (secret for secret in secrets if marked or MARK not in secret)
    return [secret for secret in sought if (word := flat(secret)) in shown or word[::-1] in shown]
