"""Addresses of the documentation site's pages, once the site is published; errors link to them."""

from __future__ import annotations

ADDRESS: str | None = None
"""The address of the site, ending in /. None: it is not published yet, and no page is linked."""


def fault_page(code: str | None, language: str = "en") -> str | None:
    """The page for a code that `doctor` and errors report; None while there is no site."""
    return _page(f"reference/doctor/{code}.html", language) if code else None


def rule_page(rule: str, language: str = "en") -> str | None:
    """The page for a rule of the catalog; None while there is no site."""
    return _page(f"reference/rules/{rule}.html", language)


def _page(path: str, language: str) -> str | None:
    return f"{ADDRESS}{'' if language == 'en' else f'{language}/'}{path}" if ADDRESS else None
