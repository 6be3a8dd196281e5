"""The log of all that is shown or given out with personal values as they are."""

from __future__ import annotations

from collections.abc import Iterable

from appwitness.api.home import home


def note_reveal(verb: str, recordings: Iterable[str], what: str) -> None:
    """Note that values of these recordings are about to be shown as they are, and as what: `html to /tmp/report.html`.

    `verb` is what was asked for: `report`. Raises UserError when it cannot be noted: then nothing may be shown.
    """
    from appwitness.care import reveals

    reveals.note(home(), verb, recordings, what)
