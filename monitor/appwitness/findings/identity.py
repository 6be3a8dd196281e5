"""The identity of a finding across runs: rule, app, data, recipient and whose code it is.

It never includes times, line numbers, values, counts, run ids, the device or the app's version, since all of these
differ in another run.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from appwitness.findings import Finding

VERSION = "v2"
APP, UNKNOWN = "app", "unknown"
"""Actors without a name: code in the app whose maker is unknown; no code was seen."""


class Identity(NamedTuple):
    """The parts of a fingerprint."""

    rule: str
    package: str
    data: str
    """Empty: the finding is about no data type."""
    recipient: str
    """Key of the recipient; empty: the finding names none."""
    actor: str
    """Name of an SDK's maker, `app` or `unknown`. Not the class: its name differs in each release of an obfuscated
    app."""

    @property
    def digest(self) -> str:
        """sha256 over the parts, in hex."""
        return hashlib.sha256("\x1f".join(self).encode()).hexdigest()

    @property
    def id(self) -> str:
        """The short form that files and messages use: `v2:3f9c01ab52de`."""
        return f"{VERSION}:{self.digest[:12]}"


def identified(finding: Finding, package: str) -> Finding:
    """A finding on an app with its id, which is made of unmasked names; an existing id is kept."""
    return finding if finding.id else finding.model_copy(update={"id": identity(finding, package).id})


def identity(finding: Finding, package: str) -> Identity:
    """The identity of one finding on an app."""
    codes = [code for code in (finding.sent_by, finding.read_by) if code]
    actor = next((code.owner for code in codes if code.owner), APP if codes else UNKNOWN)
    recipient = finding.recipient.key or finding.recipient.host if finding.recipient else ""
    return Identity(finding.rule, package, finding.data or "", recipient, actor)
