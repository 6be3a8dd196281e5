"""What `appwitness demo` runs: each sample app once, what its user answers, and the rules that must fire, no other."""

from __future__ import annotations

from typing import Literal

DEMO: tuple[tuple[str, Literal["accept", "refuse"], tuple[str, ...]], ...] = (
    (
        "circle",
        "refuse",
        ("address-book-upload", "read-before-consent", "sent-after-refusal", "sent-before-consent"),
    ),
    (
        "skies",
        "accept",
        ("read-before-consent", "sent-before-consent", "sent-in-cleartext", "third-party-not-covered"),
    ),
    ("corner", "accept", ()),
    ("pages", "refuse", ("read-after-refusal", "sent-after-refusal")),
)
"""App, plan, ids of the expected rules."""
