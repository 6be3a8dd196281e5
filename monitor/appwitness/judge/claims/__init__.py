"""Finds an app's claims about the user's consent: in its uploads, its store and its calls to SDKs.

A claim is data to compare with what the user really did; it never gives consent (see `appwitness.judge.consent`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache, partial
from typing import Literal

from pydantic import Field

from appwitness.catalog.entries import CatalogEntry
from appwitness.events import Consent, Record, Ref, Scope, Time, Upload
from appwitness.events.seen import Seen
from appwitness.judge.claims.formats import READERS, ClaimedDecision, ClaimWords, Section, Verdict, section
from appwitness.judge.consent.machine import clock_of, was_there
from appwitness.judge.sent_text import SentText

__all__ = ["Claim", "ClaimKind", "ClaimTable"]

ClaimKind = Literal["tcf", "gpp", "gcs", "gcd", "npa", "lmt", "gdpr_consent", "us_privacy", "sdk", "preference"]
_Read = Callable[[str], list[ClaimedDecision]]
SHOWN = 80
"""Maximum number of characters of a claim's text."""
_PART = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[\d+\]|([^.\[\]]+)')
_STORED = {"preference": "preference", "iab_tcf": "tcf", "iab_gpp": "gpp", "sdk_call": "sdk"}
_STATUS: dict[str, Verdict] = {"given": "given", "refused": "refused", "withdrawn": "refused"}


class Claim(Record):
    """One statement of the app about the user's consent."""

    at: Time = Field(description="on the host's clock")
    ref: Ref = Field(description="the upload or the consent line")
    kind: ClaimKind
    path: str = Field(description="where in the upload: `url.query.gcs`; of a consent line the key or the call")
    text: str = Field(description="as it stands there, at most 80 characters")
    says: Verdict = Field(description="unknown: cannot be read, or speaks of no decision of the user")
    scope: Scope
    purposes: tuple[str, ...] = Field(
        default=(), description="what was agreed to, or opted out of: numbers of TCF purposes, ad_storage, sale"
    )
    host: str | None = Field(default=None, description="host of the upload")
    clock: Literal["host", "device"] = Field(default="device", description="whose clock its time was of")
    record: bool = Field(default=False, description="it records an answer of the user, not how something is set")
    at_start: bool = Field(default=False, description="it was in the app's store before this run")
    detail: str | None = Field(default=None, description="what the text says besides: CMP, date, section")
    means: dict[str, str] = Field(default_factory=dict, description="what such a text stands for, by language")


class ClaimEntry(CatalogEntry):
    """One entry of catalog/claims.yml."""

    kind: ClaimKind
    scope: Scope
    read: Literal["tcf", "gpp", "us_privacy", "gcs", "gcd", "vendors", "bits", "flag"]
    keys: tuple[str, ...] = Field(min_length=1)
    means: dict[str, str]
    given: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    sure: bool = False
    record: bool = False
    hosts: tuple[str, ...] = ()
    verify: bool = False

    def sent_to(self, host: str | None) -> bool:
        """Whether the entry applies to what is sent to this host; for a claim that is not sent, `host` is None."""
        name = f".{host or ''}".lower()
        return not self.hosts or any(name.endswith(f".{suffix}") for suffix in self.hosts)


class Void(CatalogEntry):
    """The keys and texts in an upload that say that a law does not apply, and the kinds of claim that then say
    nothing."""

    kinds: tuple[ClaimKind, ...] = ()
    keys: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def said_by(self, leaf: SentText) -> bool:
        """Whether this leaf says so."""
        return leaf.text in self.texts and _parts(leaf.path)[-1:] in self._names

    @cached_property
    def _names(self) -> frozenset[tuple[str, ...]]:
        return frozenset(map(_parts, self.keys))


class ClaimTable(CatalogEntry):
    """catalog/claims.yml: which names are claims of consent, and how their texts are read."""

    claims: tuple[ClaimEntry, ...] = ()
    gpp_sections: dict[int, Section] = Field(default_factory=dict)
    void: Void = Void()
    asking: tuple[str, ...] = ()

    def of_upload(self, seen: Seen[Upload], leaves: Iterable[SentText]) -> tuple[Claim, ...]:
        """The claims in an upload, in the order of its leaves."""
        upload = seen.event
        found: list[Claim] = []
        void = False
        for leaf in leaves:
            if leaf.text is None:
                continue
            void = void or self.void.said_by(leaf)
            for entry, said in self._read(leaf.path, leaf.text, upload.host):
                found.append(
                    Claim(
                        at=seen.at,
                        ref=seen.ref,
                        kind=entry.kind,
                        path=leaf.path,
                        text=leaf.text[:SHOWN],
                        says=said.says,
                        scope=said.scope or entry.scope,
                        purposes=said.purposes,
                        host=upload.host,
                        clock="device" if upload.by_agent else "host",
                        record=entry.record and said.scope is None,
                        detail=said.detail,
                        means=entry.means,
                    )
                )
        if void:
            found = [
                each.model_copy(update={"says": "unknown"}) if each.kind in self.void.kinds else each for each in found
            ]
        return tuple(found)

    def of_line(self, seen: Seen[Consent]) -> Claim | None:
        """The claim in a consent line (`preference`, `iab_tcf`, `iab_gpp`, `sdk_call`); None if it is no claim."""
        consent = seen.event
        kind = _STORED.get(consent.signal)
        if kind is None or consent.by != "app":
            return None
        key, _, value = (consent.text or "").partition("=")
        read = [] if consent.signal == "sdk_call" else self._read(key, value, None)
        by_status = (None, ClaimedDecision(_STATUS.get(consent.status, "unknown")))
        telling = (each for each in read if each[1].says != "unknown")
        entry, said = next(telling, read[0] if read else by_status)
        return Claim(
            at=seen.at,
            ref=seen.ref,
            kind=entry.kind if entry and consent.signal != "preference" else kind,
            path=key,
            text=value[:SHOWN],
            says=said.says,
            scope=consent.scope,
            purposes=said.purposes,
            clock=clock_of(consent),
            record=entry.record if entry else self._records(consent, key),
            at_start=was_there(consent),
            detail=said.detail,
            means=entry.means if entry else {},
        )

    def _records(self, consent: Consent, key: str) -> bool:
        """Whether a line without a catalog entry records an answer. A general setting passed to an SDK does not, since
        it may be a default set at start; nor does a key whose name is about asking."""
        if consent.signal == "sdk_call":
            return consent.scope == "ads_tracking"
        name = "".join(_parts(key))
        return not any(word in name for word in self.asking)

    def _read(self, path: str, text: str, host: str | None) -> list[tuple[ClaimEntry, ClaimedDecision]]:
        end = _parts(_last(path))
        if end and end[-1] not in self._by_last:
            return []
        parts = _parts(path)
        for key, entry, read in self._by_last.get(parts[-1] if parts else "", ()):
            if parts[-len(key) :] != key or not entry.sent_to(host):
                continue
            try:
                return [(entry, said) for said in read(text.strip())]
            except ValueError:
                if entry.sure:
                    return [(entry, ClaimedDecision("unknown"))]
        return []

    @cached_property
    def _by_last(self) -> dict[str, list[tuple[tuple[str, ...], ClaimEntry, _Read]]]:
        """Entries by the last part of their keys: most leaves have no such name and cost one lookup."""
        found: dict[str, list[tuple[tuple[str, ...], ClaimEntry, _Read]]] = {}
        for entry in self.claims:
            words = ClaimWords(frozenset(entry.given), frozenset(entry.refused), self.gpp_sections)
            reader: _Read = partial(_with, READERS[entry.read], words)
            reads = dict.fromkeys(map(_parts, entry.keys), reader)
            if entry.read == "gpp":
                # Stores keep each section under its number, too.
                for number, known in self.gpp_sections.items():
                    reads[_parts(f"IABGPP_{number}_String")] = partial(_alone, known, words)
            for key, read in reads.items():
                found.setdefault(key[-1], []).append((key, entry, read))
        return found


def _last(path: str) -> str:
    """The last name on a path, as written: large bodies have many paths but few different last names."""
    while path.endswith("]") and path[(opened := path.rfind("[")) + 1 : -1].isdecimal():
        path = path[:opened]
    return path[path.rfind('["') :] if path.endswith('"]') else path[path.rfind(".") + 1 :]


def _with(
    reader: Callable[[str, ClaimWords], list[ClaimedDecision]], words: ClaimWords, text: str
) -> list[ClaimedDecision]:
    return reader(text, words)


def _alone(known: Section, words: ClaimWords, text: str) -> list[ClaimedDecision]:
    return [section(text, known, words)]


@lru_cache(4096)
def _parts(path: str) -> tuple[str, ...]:
    """The names on a path, without case and punctuation; list indices are left out."""
    return tuple(
        squeezed
        for quoted, plain in _PART.findall(path)
        if (squeezed := "".join(char for char in (quoted or plain).lower() if char.isalnum()))
    )
