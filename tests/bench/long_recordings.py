"""Recordings of any length in the project's format, seeded: ten accesses an upload, of values that vary.

The app is the same however long it runs: it reads a phone number, ids and an address book, is told of positions, and
sends telemetry to forty hosts; three uploads of a hundred carry something that was read. What a run has more of when it
is longer is lines and positions, as with a real one. In a `dense` one half of the uploads carry values, each eighth to
a host of its own: what a report has to bound.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any, NamedTuple

from appwitness.events import FILES, format_time
from appwitness.recording import Recording
from tests.recordings.builder.reads import AD, APPS, CONTACTS, DEVICE, NUMBER, PEOPLE, POSITION, Read

PACKAGE = "com.example.shop"
STARTED = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
UPLOADS_A_SECOND = 20
ACCESSES = 10
"""For each upload."""
HOSTS = 40
CARRYING = 3
"""Of a hundred uploads."""
POSITIONS = 50
"""Accesses from one position to the next: a listener that is told of one every quarter of a second."""
ENCODER = json.JSONEncoder(ensure_ascii=False)
SDKS = ("com.umeng.analytics", "com.adnet.sdk", "com.friendgraph.sdk", PACKAGE)
OWN_IDS = (NUMBER, DEVICE, AD)
BATCH = 10_000
"""Lines that are written at once."""


class Mix(NamedTuple):
    """What of the uploads carries something."""

    carrying: int
    """Of a hundred."""
    own_hosts: bool
    """Whether each eighth upload goes to a host that no other goes to."""


USUAL = Mix(CARRYING, own_hosts=False)
DENSE = Mix(50, own_hosts=True)


def write(folder: Path, uploads: int, mix: Mix = USUAL, seed: int = 7) -> Path:
    """The folder of a new recording with so many uploads, below `folder`; the same seed, the same bytes."""
    place = folder / f"long-{uploads}-{mix.carrying}"
    (place / "bodies").mkdir(parents=True)
    seconds = 2 + uploads / UPLOADS_A_SECOND + 1
    run = {
        "v": 1,
        "id": place.name,
        "app": {"package": PACKAGE, "version": "1.0"},
        "device": {"serial": "made", "kind": "lab"},
        "plan": "refuse",
        "persona": [],
        "started": _at(0),
        "ended": _at(seconds),
        "clock_offset_ms": 0,
        "versions": {},
        "operator": "by a builder",
    }
    (place / "run.json").write_text(json.dumps(run), "utf-8")
    _append(place, "access", _accesses(uploads, random.Random(seed)))
    _append(place, "upload", _uploads(uploads, mix, random.Random(seed), place / "bodies"))
    _append(place, "consent", _consents(seconds))
    _append(place, "phase", _phases(uploads))
    Recording.open(place).stamp(final=True)
    return place


def _append(place: Path, kind: str, lines: Iterator[dict[str, Any]]) -> None:
    with (place / FILES[kind]).open("w", encoding="utf-8") as file:
        for batch in batched(lines, BATCH):
            file.writelines(ENCODER.encode({"v": 1, "kind": kind, **line}) + "\n" for line in batch)


def _at(seconds: float) -> str:
    return format_time(STARTED + timedelta(seconds=seconds))


def _position(number: int) -> str:
    """Where the device is: it moves a few metres at a time, and is at no place twice."""
    return f"{31.23 + number * 31 / 1_000_000:.6f},{121.47 + number * 17 / 1_000_000:.6f}"


def _stack(source: str, sdk: str, place: int) -> list[str]:
    """Seven frames, of one of some ten places in the code of an SDK or of the app."""
    return [
        f"{source}({source.split('.')[-2]}.java:1647)",
        f"{sdk}.Reader.read(Reader.java:{31 + place})",
        f"{sdk}.Collector.collect(Collector.java:{104 + place})",
        f"{sdk}.Worker.run(Worker.java:58)",
        "java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1137)",
        "java.util.concurrent.ThreadPoolExecutor$Worker.run(ThreadPoolExecutor.java:637)",
        "java.lang.Thread.run(Thread.java:1012)",
    ]


def _accesses(uploads: int, random_: random.Random) -> Iterator[dict[str, Any]]:
    """Ids again and again, a position now and then, a person of the address book, the apps, and reads that gave
    nothing."""
    for number in range(uploads * ACCESSES):
        sdk = SDKS[random_.randrange(len(SDKS))]
        if number == 0 or number % 997 == 0:
            read, values = (
                CONTACTS,
                [dict(zip(("type", "text", "row"), value, strict=True)) for value in CONTACTS.values],
            )
        elif number % POSITIONS == 1:
            read, values = POSITION, [{"type": "location", "text": _position(number // POSITIONS)}]
        elif number % 1009 == 5:
            read, values = APPS, _in_rows(APPS)
        else:
            read = OWN_IDS[random_.randrange(len(OWN_IDS))]
            values = [{"type": kind, "text": text} for kind, text, *_ in read.values]
        if denied := number % 13 == 12:
            values = []
        yield {
            "at": _at(1.9 + number / (UPLOADS_A_SECOND * ACCESSES)),
            "app": PACKAGE,
            "pid": 4711,
            "source": read.source,
            "target": read.target,
            "data": read.data,
            "values": values,
            "outcome": "denied" if denied else "returned",
            "stack": _stack(read.source, sdk, random_.randrange(10)),
            "thread": "worker-1",
        }


def _in_rows(read: Read) -> list[dict[str, Any]]:
    return [dict(zip(("type", "text", "row"), value, strict=True)) for value in read.values]


def _uploads(uploads: int, mix: Mix, random_: random.Random, bodies: Path) -> Iterator[dict[str, Any]]:
    for number in range(uploads):
        told: dict[str, Any] = {
            "n": number,
            "event": f"view_{random_.randrange(60)}",
            "session": f"{random_.getrandbits(64):016x}",
            "duration_ms": random_.randrange(100_000),
            "screen": {"name": f"Screen{random_.randrange(30)}", "items": [random_.randrange(1000) for _ in range(6)]},
            "sdk": "4.12.0",
        }
        if random_.randrange(100) < mix.carrying:
            told |= _carried(number, random_)
        host = f"h{number % HOSTS}.test"
        if mix.own_hosts and number % 8 == 0:
            host = f"own{number}.test"
            told |= {"phone": NUMBER.values[0][1]}
        body = json.dumps(told).encode()
        digest = hashlib.sha256(body).hexdigest()
        (bodies / digest).write_bytes(body)
        yield {
            "at": _at(2 + number / UPLOADS_A_SECOND),
            "app": None,
            "pid": 4711,
            "via": "http",
            "method": "POST",
            "url": f"https://{host}/v1/events",
            "host": host,
            "headers": [["host", host], ["user-agent", "okhttp/4.12.0"], ["content-type", "application/json"]],
            "body": digest,
            "size": len(body),
            "type": "application/json",
            "client": {"ip": "10.0.2.15", "port": 40_000 + number % 20_000},
            "server": {"ip": "203.0.113.20", "port": 443},
            "tls": {"version": "TLSv1.3", "sni": host},
            "status": 200,
        }


def _carried(number: int, random_: random.Random) -> dict[str, Any]:
    """Something that was read before: an id as it is or its digest, the newest position, people of the book."""
    match random_.randrange(5):
        case 0:
            return {"user": NUMBER.values[0][1]}
        case 1:
            return {"imei": hashlib.sha256(DEVICE.values[0][1].encode()).hexdigest()}
        case 2:
            return {"adid": AD.values[0][1]}
        case 3:
            latitude, longitude = _position(max(0, number * ACCESSES // POSITIONS - 1)).split(",")
            return {"lat": latitude, "lon": longitude}
        case _:
            return {"friends": [value[1] for value in PEOPLE if value[0] == "phone_number"]}


def _consents(seconds: float) -> Iterator[dict[str, Any]]:
    """The user is asked, and refuses in the middle of the run."""
    fields: dict[str, Any] = {"app": PACKAGE, "pid": 4711, "scope": "general_policy", "data": None}
    yield {**fields, "at": _at(0.5), "signal": "dialog", "status": "requested", "by": "app", "text": "Privacy policy"}
    yield {**fields, "at": _at(seconds / 2), "signal": "tap", "status": "refused", "by": "user", "text": "Disagree"}


def _phases(uploads: int) -> Iterator[dict[str, Any]]:
    """The app comes and goes every minute."""
    yield {"at": _at(0.1), "app": PACKAGE, "pid": 4711, "state": "started"}
    for minute in range(uploads // UPLOADS_A_SECOND // 60 + 1):
        state = "background" if minute % 2 else "foreground"
        yield {"at": _at(0.4 + minute * 60), "app": PACKAGE, "pid": 4711, "state": state}
