"""What `appwitness demo` runs: sample apps, and what the user of each does; what must come out is in expected.yml."""

from __future__ import annotations

from typing import Literal

from appwitness.devices.lab.apps import APPS

Plan = Literal["accept", "refuse", "silent", "withdraw"]
PLANS: tuple[Plan, ...] = ("accept", "refuse", "silent", "withdraw")

DEMO: tuple[tuple[str, Plan], ...] = (
    ("circle", "refuse"),
    ("skies", "accept"),
    ("corner", "accept"),
    ("pages", "refuse"),
    ("coupon", "withdraw"),
)
"""App and plan: one of each kind, in half a minute."""

EVERYTHING: tuple[tuple[str, Plan], ...] = tuple((app, plan) for app in APPS for plan in PLANS)
"""Each app under each plan."""
