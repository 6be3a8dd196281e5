"""Phrases shared by several formats: a recipient, both ends of a finding, a gap, an article of law, a reason."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from appwitness.catalog import yaml_files
from appwitness.catalog.picked import was_picked
from appwitness.events import FILES, Access
from appwitness.findings import Article, Code, Finding, Flow, Inference, Reason, Recipient, Report, ReportedGap
from appwitness.findings.people import label, picked
from appwitness.reports.time_axis import span
from appwitness.reports.words import Words, plain
from appwitness.support.spoken import heard


def country(recipient: Recipient, words: Words) -> str:
    """The country with its basis; empty if it is not known."""
    if not recipient.country:
        return ""
    if not recipient.country_basis:
        return plain(recipient.country)
    basis = words(f"basis_{recipient.country_basis}")
    date = f"{words('comma')}{recipient.country_as_of}" if recipient.country_as_of else ""
    return plain(f"{recipient.country}{words('open')}{basis}{date}{words('close')}")


def edition(report: Report, words: Words) -> str:
    """The edition of the catalog with which the recording was judged, and its source."""
    known = report.catalog
    if known is None:
        return words("unknown")
    source = words("catalog_of_package") if known.source is None else known.source
    signed = "" if known.key is None else words("comma") + words("catalog_signed", by=known.key)
    return plain(words("catalog_edition", edition=known.edition, date=known.date, source=source) + signed)


def data_of(of: Flow | Finding, words: Words) -> str:
    """The data type; if only few people of an address book or call log are identified, how many out of how many."""
    return label(of.people, words.data(of.data or ""), words.lang) if of.data else ""


def read_of(access: Access, words: Words) -> str:
    """The data type that an access requested; data that the user picked is named as such."""
    return picked(access.data, words.lang) if was_picked(access) else words.data(access.data)


def who(recipient: Recipient, words: Words) -> str:
    """Name, party and country, on one line."""
    parts = (plain(recipient.name or ""), words(f"party_{recipient.party}"), country(recipient, words))
    return words("comma").join(part for part in parts if part)


def ends(finding: Finding, words: Words) -> str:
    """Who read it and who sent it, as far as the stacks show; empty if they show neither."""
    said = []
    if finding.read_by:
        said.append(words("read_by", code=code(finding.read_by, words)))
    if finding.sent_by:
        said.append(words("sent_by", code=code(finding.sent_by, words)))
    return words("comma").join(said)


def code(of: Code, words: Words) -> str:
    """Code by its name, with its owner."""
    name = plain(of.code)
    return words("code_of", code=name, owner=plain(of.owner)) if of.owner else name


def named_gap(gap: ReportedGap, words: Words) -> str:
    """The subject of a gap; if it is known how much hooks or proxy missed, with these counts."""
    if (counted := gap.counted) is None:
        return gap.subject
    return words(
        f"missed_{counted.what}",
        data=words.data(counted.data or ""),
        subject=counted.subject,
        by=words(f"counted_by_{counted.by}"),
        counted=f"{counted.counted:,}",
        recorded=f"{counted.recorded:,}",
        unseen=f"{counted.unseen:,}",
    )


def has_forgotten(report: Report, kind: str) -> bool:
    """Whether lines of a kind were forgotten in the recording."""
    return any(gap.why == "forgotten" and gap.subject == FILES[kind] for gap in report.gaps)


def besides(gap: ReportedGap, words: Words) -> str | None:
    """The details of a gap; None if there are none or `named_gap` already contains them."""
    return heard(gap.detail, words.lang) if gap.detail and gap.counted is None else None


def gap_line(gap: ReportedGap, words: Words) -> str:
    """A gap on one line: what, where, why."""
    also = besides(gap, words)
    more = f"{words('semicolon')}{also}" if also else ""
    return f"{named_gap(gap, words)} ({words(f'where_{gap.where}')}): {words(f'why_{gap.why}')}{more}"


def received_by(recipient: Recipient, words: Words) -> str:
    """The host, and whose it is."""
    return f"{recipient.host} ({words(f'party_{recipient.party}')})"


def cited(article: Article, words: Words) -> str:
    """One article as it is cited, with a warning if it was not compared with the official text."""
    text = words.of(article.citation)
    return f"{text}{words('space')}{words('check_before_citing')}" if article.verify else text


def by_jurisdiction(articles: Iterable[Article], words: Words) -> list[tuple[str, list[Article]]]:
    """Name of each jurisdiction and its articles, in the order of first appearance."""
    found: dict[str, list[Article]] = {}
    for article in articles:
        found.setdefault(article.jurisdiction, []).append(article)
    return [(words(f"law_{jurisdiction}"), members) for jurisdiction, members in found.items()]


def citations(articles: Iterable[Article], words: Words) -> list[tuple[str, list[str]]]:
    """Name of each jurisdiction, and how its articles are cited."""
    return [
        (name, [cited(article, words) for article in members]) for name, members in by_jurisdiction(articles, words)
    ]


# why something was concluded, in words: the sentences of reasons.yml, filled with the fields of a reason

OUR_NAMES = frozenset(("variant", "of", "step"))
"""Fields that hold our own identifiers, in which underscores join the words."""
CHOICE_WORDS = {"signal": "signal", "by": "by", "state": "consent", "scope": "scope"}
"""Fields with one of a fixed set of values -> the prefix of the keys of these values in words.yml."""
EXACT_MS = 10
"""Durations below this, in milliseconds, are shown with a decimal."""
EMPTY_WORDS = {"who": "code_unrecorded", "steps": "none", "algorithms": "unknown", "names": "none", "way": "unknown",
           "agent": "unknown"}  # fmt: skip
"""Fields that may be empty -> the text for that, in words.yml."""


def said(reason: Reason, words: Words) -> str:
    """One reason as a sentence."""
    table = text_table()
    fields: dict[str, Any] = dict(reason.model_extra or {})
    for name, value in fields.items():
        if name in table["terms"]:
            fields[name] = table["terms"][name][value][words.lang]
        elif name in CHOICE_WORDS:
            fields[name] = words(f"{CHOICE_WORDS[name]}_{value}")
        elif name in EMPTY_WORDS and not value:
            fields[name] = words(EMPTY_WORDS[name])
        elif name == "type":
            fields[name] = words.data(value)
        elif name == "label":
            fields[name] = f"{words('space')}“{value}”" if value else ""
        elif name in OUR_NAMES:
            fields[name] = value.replace("_", " ")
        elif name.endswith("_ms"):
            fields[name] = f"{value:.1f} ms" if value < EXACT_MS else span(value / 1000)
        elif isinstance(value, list | tuple):
            fields[name] = words("comma").join(map(str, value))
    text: str = table["sentences"][reason.code][words.lang]
    return text.format(**fields)


def all_said(reasons: Iterable[Reason], words: Words) -> str:
    """Reasons, one after the other."""
    return words("semicolon").join(said(reason, words) for reason in reasons)


class ReasonStep(NamedTuple):
    """One step of a chain of inferences, in words."""

    says: str
    unless: str
    """What would refute it, as one clause; empty if nothing is named."""


def steps(chain: Iterable[Inference], words: Words) -> list[ReasonStep]:
    """A chain of inferences in words, with foreign text made harmless."""
    return [ReasonStep(plain(said(each.says, words)), plain(_unless(each, words))) for each in chain]


def _unless(inference: Inference, words: Words) -> str:
    what = words("chain_unless_or").join(said(each, words) for each in inference.unless)
    return words("chain_unless", what=what) if what else ""


@cache
def text_table() -> dict[str, dict[str, Any]]:
    """The content of reasons.yml."""
    table: dict[str, dict[str, Any]] = yaml_files.tree(Path(__file__).with_name("reasons.yml"))
    return table
