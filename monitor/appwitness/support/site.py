"""Where the pages of docs/ and of the reference stand as a site, once there is one: what errors lead to."""

from __future__ import annotations

ADDRESS: str | None = None
"""Of the site, ending in /. None: it is not published yet, and nothing names a page of it."""


def fault_page(code: str | None) -> str | None:
    """The page of what `doctor` and errors call by a code; None while there is no site."""
    return f"{ADDRESS}reference/doctor/{code}.html" if ADDRESS and code else None
