"""Values that say nothing about anybody: what Android and services return where they withhold the real one."""

from __future__ import annotations

import re

from monitor.events import Value

CONSTANT = frozenset(
    (
        *("02:00:00:00:00:00", "unknown", "<unknown ssid>", "null", "none", "n/a", "undefined"),
        *("localhost", "127.0.0.1", "::1", "0.0.0.0", "255.255.255.255", "nan,nan"),  # noqa: S104 an address, not bound
    )
)
"""The MAC that Android gives every app since 6, an SSID without permission, and what empty fields hold. Not the Android
ID 9774d56d682e549c, which a maker once gave a whole series: today it is nobody's, and examples use it."""
ALIKE = re.compile(r"([0-9a-f])\1{3,}")
"""One digit again and again: the IMEI of an emulator, the advertising id of who opted out."""
NUMBERS = re.compile(r"[-+]?0+(?:\.0+)?,\s*[-+]?0+(?:\.0+)?")
"""A place of 0, 0: no fix."""
PREINSTALLED = re.compile(r"(?:android|com\.android|com\.google\.android)(?:\.|$)")
"""Packages that every phone has, and that many messages name for other reasons: the browser, the store, a process."""


def is_placeholder(value: Value) -> bool:
    """Whether a value is what stands where there is none, so that finding it proves nothing."""
    text = value.text.strip().strip('"').lower()
    if text in CONSTANT:
        return True
    if value.type.startswith("location"):
        return bool(NUMBERS.fullmatch(text))
    return bool(ALIKE.fullmatch(re.sub(r"[\s:.-]", "", text)))


def is_everywhere(value: Value) -> bool:
    """Whether a value says something only beside others: a package of the system."""
    return value.type == "installed_apps" and PREINSTALLED.match(value.text) is not None
