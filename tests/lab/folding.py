"""What calls that repeat come to: the program of tests/art/java/folding, in a JVM and in ART."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from appwitness.agent.sources import Source
from appwitness.events import Access

MANY = 300
FEW = MANY // 10
Call = tuple[str, str | None, str, str]
"""(method, target, outcome, value)"""


def api(method: str, **fields: Any) -> Source:
    """A method of the program that is a source."""
    fields.setdefault("values", [{"from": "return"}])
    return Source(name=f"folding.{method}", cls="folding.Main$Api", method=method, data="phone_number", **fields)


def counts(accesses: Iterable[Access]) -> Counter[Call]:
    """How often each call was made."""
    found = Counter[Call]()
    for access in accesses:
        value = access.values[0].text if access.values else ""
        found[access.source.removeprefix("folding."), access.target, access.outcome, value] += access.count
    return found


KINDS = {
    "text": ("tkey7", "tkey8"),
    "fixed": ("+861380007", "+861380008"),
    "flag": ("true", "false"),
    "small": ("-7", "-8"),
    "letter": ("\u4e07", "\u4e08"),
    "middle": ("-3007", "-3008"),
    "number": ("-100007", "-100008"),
    "big": ("-9223372036854775801", "-9223372036854775800"),
    "thin": ("3.5", "4"),
    "fine": ("0.7000000000000001", "0.8"),
    "mixed": ("-1|0.25|c7|0.875|-9|true|null|-3", "-1|0.25|c8|1.0|-9|true|null|-3"),
}
SOURCES = [*map(api, KINDS), api("nothing", values=[], target=0), api("refused", target=0)]


def of_kinds() -> dict[Call, int]:
    """What the step `kinds` calls."""
    expected: dict[Call, int] = {
        (method, None, "returned", value): MANY for method, values in KINDS.items() for value in values
    }
    for key in ("key7", "key8"):
        expected["nothing", key, "returned", ""] = MANY
        expected["refused", key, "denied", ""] = FEW
    return expected


ODD = (
    "plain",
    '"\\/',
    "\0\1\x1f\x7f\b\t\n\f\r",
    "\u00e9\u07ff\u0800\uffff",
    "\U0001f600\U0010ffff",
    "\ufffd",  # half a letter
    "\ufffd\ufffd!",
    "\u96fb" * 600,
)
"""What the step `values` reads, after the name of the thread and a number."""


def by_threads(accesses: Iterable[Access]) -> Counter[tuple[str | None, str]]:
    """How often each thread read each value."""
    found = Counter[tuple[str | None, str]]()
    for access in accesses:
        found[access.thread, access.values[0].text] += access.count
    return found


def of_values() -> dict[tuple[str | None, str], int]:
    """Thread and value of the calls of the step `values`."""
    names = [f"reader{n}{again}" for n in range(4) for again in ("", '"\u00e9')]
    return {(name, f"{name} {n} {ODD[n % len(ODD)]}"): 1 + n % 2 for name in names for n in range(MANY)}


THREADS = [api("fixed", target=0), api("changing"), api("refused", target=0)]


def of_threads(threads: int) -> dict[Call, int]:
    """What so many threads call."""
    expected: dict[Call, int] = {
        ("fixed", str(slot), "returned", f"+86138000{slot}"): len(range(slot, threads, 6)) * MANY for slot in range(6)
    }
    expected["changing", None, "returned", "even"] = expected["changing", None, "returned", "odd"] = threads * MANY // 2
    expected["refused", "many", "denied", ""] = threads * FEW
    return expected
