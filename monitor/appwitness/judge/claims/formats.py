"""Parses the text of a claim, one function for each format; all errors are ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from appwitness.catalog.entries import CatalogEntry
from appwitness.events import Scope
from appwitness.judge.iab import gpp, tcf

Verdict = Literal["given", "refused", "unknown"]


class ClaimedDecision(NamedTuple):
    """What a text says about a decision of the user."""

    says: Verdict
    purposes: tuple[str, ...] = ()
    """The purposes agreed to, or opted out of, by the names that the format uses."""
    detail: str | None = None
    scope: Scope | None = None
    """Set if it differs from the entry's scope."""


class Section(CatalogEntry):
    """One kind of section of a GPP string."""

    name: str
    read: Literal["tcf", "tcfca", "us_privacy", "opt_outs"]
    fields: tuple[str, ...] = ()


class ClaimWords(NamedTuple):
    """What a catalog entry knows about the texts of its claims."""

    given: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    sections: Mapping[int, Section] = {}


_US_PRIVACY = re.compile(r"1[YN-]([YN-])[YN-]\Z", re.IGNORECASE)
_GCS = re.compile(r"G1([01-])([01-])\Z")
_GCD = re.compile(r"1\d([a-z])\d([a-z])\d([a-z])\d([a-z])(?:\d[a-z]?)*\d?\Z")
_GCD_LETTERS: dict[str, Verdict] = {
    **dict.fromkeys("tvrn", "given"),
    **dict.fromkeys("pqmu", "refused"),
    "l": "unknown",
}
"""Granted: by default (t), by default and again by the user (v), after a denial (r), without a default (n); denied:
p, q, u, m; l: not set."""
_VENDORS = re.compile(r"[12]~((?:\d+(?:\.\d+)*)?)(?:~dv\.[\d.]*)?\Z")


def _tcf(text: str, _: ClaimWords) -> list[ClaimedDecision]:
    string = tcf.read(text)
    purposes = (*map(str, string.purposes), *(f"special-{number}" for number in string.special_features))
    vendors = "" if string.vendors is None else f", {string.vendors} vendors"
    detail = f"TCF {string.version}, CMP {string.cmp_id}, of {string.updated:%Y-%m-%d}{vendors}"
    return [ClaimedDecision("given" if string.purposes else "refused", purposes, detail)]


def _tcfca(text: str, _: ClaimWords) -> list[ClaimedDecision]:
    purposes = tcf.express(text)
    return [ClaimedDecision("given" if purposes else "unknown", tuple(map(str, purposes)))]


def _us_privacy(text: str, _: ClaimWords) -> list[ClaimedDecision]:
    found = _US_PRIVACY.match(text)
    if not found:
        raise ValueError("not a US Privacy string")
    return [ClaimedDecision("refused", ("sale",)) if found[1].upper() == "Y" else ClaimedDecision("unknown")]


def _opt_outs(text: str, known: Section) -> ClaimedDecision:
    fields = gpp.opt_outs(text, known.fields)
    chosen = tuple(name.removeprefix("opt_out_") for name, value in fields.items() if value == gpp.OPTED_OUT)
    chosen = tuple(name for name in chosen if name == "gpc" or f"opt_out_{name}" in known.fields)
    return ClaimedDecision("refused" if chosen else "unknown", chosen)


def section(text: str, known: Section, words: ClaimWords) -> ClaimedDecision:
    """What one section of a GPP string says."""
    found = _opt_outs(text, known) if known.read == "opt_outs" else READERS[known.read](text, words)[0]
    return found._replace(detail=f"{known.name}: {found.detail}" if found.detail else known.name)


def _gpp(text: str, words: ClaimWords) -> list[ClaimedDecision]:
    said: list[ClaimedDecision] = []
    for number, body in gpp.sections(text).items():
        known = words.sections.get(number)
        if known is None:
            continue
        try:
            said.append(section(body, known, words))
        except ValueError:
            said.append(ClaimedDecision("unknown", detail=known.name))
    return said or [ClaimedDecision("unknown")]


def _gcs(text: str, _: ClaimWords) -> list[ClaimedDecision]:
    found = _GCS.match(text)
    if not found:
        raise ValueError("not G1 and two states")
    verdicts: dict[str, Verdict] = {"1": "given", "0": "refused", "-": "unknown"}
    return _consent_mode([("ad_storage", verdicts[found[1]])], ("analytics_storage", verdicts[found[2]]))


def _gcd(text: str, _: ClaimWords) -> list[ClaimedDecision]:
    found = _GCD.match(text)
    if not found:
        raise ValueError("not four states")
    ads, analytics, user_data, personal = (_GCD_LETTERS.get(letter, "unknown") for letter in found.groups())
    return _consent_mode(
        [("ad_storage", ads), ("ad_user_data", user_data), ("ad_personalization", personal)],
        ("analytics_storage", analytics),
    )


def _consent_mode(ads: Sequence[tuple[str, Verdict]], analytics: tuple[str, Verdict]) -> list[ClaimedDecision]:
    """Two claims: one on ads, where one yes is enough for a yes, and one on analytics."""
    said = [verdict for _, verdict in ads]
    of_ads: Verdict = "given" if "given" in said else "refused" if "refused" in said else "unknown"
    return [
        ClaimedDecision(of_ads, tuple(name for name, verdict in ads if verdict == of_ads != "unknown")),
        ClaimedDecision(analytics[1], (analytics[0],) if analytics[1] != "unknown" else (), scope="general_policy"),
    ]


def _vendors(text: str, _: ClaimWords) -> list[ClaimedDecision]:
    found = _VENDORS.match(text)
    if not found:
        raise ValueError("not a version and numbers")
    number = len(found[1].split(".")) if found[1] else 0
    return [ClaimedDecision("given" if number else "unknown", detail=f"{number} providers")]


def _bits(text: str, _: ClaimWords) -> list[ClaimedDecision]:
    if not text or text.strip("01"):
        raise ValueError("not a row of 0 and 1")
    chosen = tuple(str(number) for number, bit in enumerate(text, 1) if bit == "1")
    return [ClaimedDecision("given" if chosen else "refused", chosen)]


def _flag(text: str, words: ClaimWords) -> list[ClaimedDecision]:
    word = text.strip().strip('"').casefold()
    if word in words.given:
        return [ClaimedDecision("given")]
    if word in words.refused:
        return [ClaimedDecision("refused")]
    raise ValueError("no word for yes or no")


READERS: dict[str, Callable[[str, ClaimWords], list[ClaimedDecision]]] = {
    "tcf": _tcf,
    "tcfca": _tcfca,
    "gpp": _gpp,
    "us_privacy": _us_privacy,
    "gcs": _gcs,
    "gcd": _gcd,
    "vendors": _vendors,
    "bits": _bits,
    "flag": _flag,
}
"""By the name used in catalog/claims.yml. A reader returns what a text says, one decision for each scope it covers."""
