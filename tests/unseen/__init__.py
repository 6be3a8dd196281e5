"""Recordings that nobody tuned for: values of every type, sent in well over a hundred ways, and traffic without any.

Encoders are the standard library's and other people's, not the product's: what they write is what real apps write.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args

from appwitness.events import Access, Transform, Upload, Value, blob
from appwitness.events.seen import see
from appwitness.match import decode
from appwitness.match.linking import Joined, Linker

Grade = Literal["ordinary", "provable", "hard"]
GRADES: tuple[Grade, ...] = get_args(Grade)
START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)


class Call(NamedTuple):
    """One transform that the app called."""

    op: Any
    algorithm: str
    source: bytes
    outcome: bytes
    key: bytes | None = None


class Sent(NamedTuple):
    """One upload as an app would make it."""

    body: bytes = b""
    type: str | None = None
    url: str = "https://in.metrics.test/v1/batch"
    headers: tuple[tuple[str, str], ...] = ()
    via: Any = "http"
    calls: tuple[Call, ...] = ()


Make = Callable[[Value, random.Random], Sent | None]
"""A value into an upload that carries it; None where this way does not fit the value."""


class Way(NamedTuple):
    """One way to send a value."""

    name: str
    grade: Grade
    make: Make


WAYS: dict[str, Way] = {}


def way(name: str, make: Make, grade: Grade = "ordinary") -> None:
    """Register a way; names are unique."""
    if name in WAYS:
        raise ValueError(f"two ways are called {name}")
    WAYS[name] = Way(name, grade, make)


class Case(NamedTuple):
    """One labelled upload."""

    way: Way
    value: Value
    sent: Sent


class Outcome(NamedTuple):
    """What matching came to."""

    found: Counter[str]
    wanted: Counter[str]
    missed: list[Case]
    wrong: list[tuple[Case, Joined]]
    """Flows of another access, or with values that were not sent."""

    def recall(self, grade: Grade) -> float:
        """Share of the cases of one grade that were found."""
        names = [name for name in self.wanted if WAYS[name].grade == grade]
        return sum(self.found[name] for name in names) / sum(self.wanted[name] for name in names)


def cases(seed: int, each: int) -> Iterator[Case]:
    """Every way with `each` values, or with all that it fits when there are fewer."""
    from tests.unseen import (  # noqa: F401
        chains,
        containers,
        hard,
        language_dumps,
        letters,
        locales,
        notations,
        product_formats,
        proven,
        rarer,
        sdks,
        steps,
        world,
    )

    for name, one in WAYS.items():
        chance = random.Random(f"{seed} {name}")
        values = list(world.VALUES)
        chance.shuffle(values)
        made = 0
        for value in values:
            sent = one.make(value, chance)
            if sent is not None:
                yield Case(one, value, sent)
                made += 1
                if made == each:
                    break


def linker(accesses: tuple[Access, ...], persona: tuple[Value, ...] = ()) -> Linker:
    """A linker that knows some accesses, as `accesses.jsonl:1` and so on."""
    made = Linker(persona)
    for number, access in enumerate(accesses, 1):
        made.add_access(see(f"accesses.jsonl:{number}", access, 0))
    return made


def joined(
    sent: Sent, accesses: tuple[Access, ...], bodies: dict[str, bytes], known: Linker | None = None
) -> list[Joined]:
    """What linking says of one upload."""
    if known is None or sent.calls:
        known = Linker((), bodies.get)
        for number, access in enumerate(accesses, 1):
            known.add_access(see(f"accesses.jsonl:{number}", access, 0))
        for number, call in enumerate(sent.calls, 1):
            for data in (call.source, call.outcome):
                bodies[hashlib.sha256(data).hexdigest()] = data
            at = START + timedelta(seconds=60, milliseconds=number)
            line = Transform(
                at=at,
                op=call.op,
                algorithm=call.algorithm,
                input=blob(call.source),
                output=blob(call.outcome),
                key=blob(call.key) if call.key else None,
            )
            known.add_transform(see(f"transforms.jsonl:{number}", line, 0))
    upload = upload_of(sent)
    return known.link(see("uploads.jsonl:1", upload, 0), decode.leaves(upload, sent.body or None))


def upload_of(sent: Sent) -> Upload:
    """The line for it, two minutes after the start."""
    return Upload(
        at=START + timedelta(seconds=120),
        via=sent.via,
        method="POST",
        url=sent.url,
        headers=sent.headers,
        type=sent.type,
        size=len(sent.body),
    )


def measure(seed: int, each: int) -> Outcome:
    """Send, decode and link every case, each on its own."""
    from tests.unseen import world

    outcome = Outcome(Counter(), Counter(), [], [])
    known = linker(world.ACCESSES)
    for case in cases(seed, each):
        name = case.way.name
        outcome.wanted[name] += 1
        flows = joined(case.sent, world.ACCESSES, {}, known)
        right = world.access_of(case.value)
        texts = {value.text for value in world.row_of(case.value)}
        good = False
        for one in flows:
            values = {match.value for match in one.matches}
            good |= one.access == right and case.value.text in values
            if one.access != right or values - texts:
                outcome.wrong.append((case, one))
        if good:
            outcome.found[name] += 1
        else:
            outcome.missed.append(case)
    return outcome
