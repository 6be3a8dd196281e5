"""Short phrases that several formats share: a recipient, both ends of a finding, a gap, an article of law."""

from __future__ import annotations

from collections.abc import Iterable

from appwitness.catalog.picked import was_picked
from appwitness.events import FILES, Access
from appwitness.findings import Article, Code, Finding, Flow, Recipient, Report, ReportedGap
from appwitness.findings.people import label, picked
from appwitness.reports.words import Words, plain


def country(recipient: Recipient, words: Words) -> str:
    """The country with what it rests on; empty where it is not known."""
    if not recipient.country:
        return ""
    if not recipient.country_basis:
        return plain(recipient.country)
    basis = words(f"basis_{recipient.country_basis}")
    date = f"{words('comma')}{recipient.country_as_of}" if recipient.country_as_of else ""
    return plain(f"{recipient.country}{words('open')}{basis}{date}{words('close')}")


def data_of(of: Flow | Finding, words: Words) -> str:
    """The kind of data; of what identifies few people of an address book or call log, how many of how many."""
    return label(of.people, words.data(of.data or ""), words.lang) if of.data else ""


def read_of(access: Access, words: Words) -> str:
    """The kind of data that an access asked for; of what the user picked, that."""
    return picked(access.data, words.lang) if was_picked(access) else words.data(access.data)


def who(recipient: Recipient, words: Words) -> str:
    """Name, party and country, as one line."""
    parts = (plain(recipient.name or ""), words(f"party_{recipient.party}"), country(recipient, words))
    return words("comma").join(part for part in parts if part)


def ends(finding: Finding, words: Words) -> str:
    """Who read it and who sent it, as far as the stacks tell; empty where neither does."""
    said = []
    if finding.read_by:
        said.append(words("read_by", code=code(finding.read_by, words)))
    if finding.sent_by:
        said.append(words("sent_by", code=code(finding.sent_by, words)))
    return words("comma").join(said)


def code(of: Code, words: Words) -> str:
    """Code by its name, with whose it is."""
    name = plain(of.code)
    return words("code_of", code=name, owner=plain(of.owner)) if of.owner else name


def named_gap(gap: ReportedGap, words: Words) -> str:
    """Its subject, and for what hooks or proxy missed how much that is."""
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


def besides(gap: ReportedGap) -> str | None:
    """What else is to be said of it; nothing where `named_gap` has said it."""
    return gap.detail if gap.counted is None else None


def cited(article: Article, words: Words) -> str:
    """One article as it is cited, with a warning where it was not matched against the official text."""
    text = words.of(article.citation)
    return f"{text}{words('space')}{words('check_before_citing')}" if article.verify else text


def by_jurisdiction(articles: Iterable[Article], words: Words) -> list[tuple[str, list[Article]]]:
    """Name of each jurisdiction, and its articles, in the order in which they come."""
    found: dict[str, list[Article]] = {}
    for article in articles:
        found.setdefault(article.jurisdiction, []).append(article)
    return [(words(f"law_{jurisdiction}"), members) for jurisdiction, members in found.items()]


def citations(articles: Iterable[Article], words: Words) -> list[tuple[str, list[str]]]:
    """Name of each jurisdiction, and how its articles are cited."""
    return [
        (name, [cited(article, words) for article in members]) for name, members in by_jurisdiction(articles, words)
    ]
