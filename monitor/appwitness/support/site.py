"""Where the pages of docs/ and of the reference stand as a site, once there is one: what errors lead to."""

from __future__ import annotations

ADDRESS: str | None = None
"""Of the site, ending in /. None: it is not published yet, and nothing names a page of it."""


def fault_page(code: str | None, language: str = "en") -> str | None:
    """The page of what `doctor` and errors call by a code; None while there is no site."""
    return _page(f"reference/doctor/{code}.html", language) if code else None


def rule_page(rule: str, language: str = "en") -> str | None:
    """The page of a rule of the catalog; None while there is no site."""
    return _page(f"reference/rules/{rule}.html", language)


def _page(path: str, language: str) -> str | None:
    return f"{ADDRESS}{'' if language == 'en' else f'{language}/'}{path}" if ADDRESS else None
