"""The articles that a finding touches, as a reader of one language cites them: by jurisdiction."""

from __future__ import annotations

from collections.abc import Iterable

from appwitness.findings import Article
from appwitness.reports.words import Words


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
