"""Stand-ins: for each source a class of its name and signature, a call of it, and what the agent must say of it."""

from __future__ import annotations


class Unfit(Exception):
    """The catalog says what no class of Android bears out; the message says what and what to write instead."""
