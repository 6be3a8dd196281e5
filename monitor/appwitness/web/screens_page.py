"""What the user saw and touched in one recording; pictures and films only when values are shown."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from appwitness.events import Screen
from appwitness.events.seen import Seen, holds
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken
from appwitness.web.query import PageRequest
from appwitness.web.recording_page import head

PER_PAGE = 40
TEXTS, LABELS = 8, 12
"""Maximum number of texts, and of labels, listed for a window."""


def screens(asked: PageRequest) -> Response:
    """The screens, in order of time."""
    total = dict(asked.state.lines).get("screen", 0)
    last = max(1, -(-total // PER_PAGE))
    page = min(asked.page, last)
    numbers = range((page - 1) * PER_PAGE + 1, min(page * PER_PAGE, total) + 1)
    seen = asked.site.index.lists.seen(asked.recording, "screen", list(numbers))
    facts = {
        **head(asked),
        "screens": [_screen(asked, each) for each in seen if holds(each, Screen)],
        "page": page,
        "pages": last,
        "total": total,
    }
    return asked.answer("screens.html", facts)


def _screen(asked: PageRequest, seen: Seen[Screen]) -> dict[str, Any]:
    event = asked.mask.event(seen.event)
    window = next((each for each in event.windows if each.texts or each.labels), None)
    return {
        "ref": seen.ref,
        "number": seen.number,
        "at": seen.at,
        "what": event.what or "picture",
        "texts": window.texts[:TEXTS] if window else (),
        "labels": window.labels[:LABELS] if window else (),
        "touched": event.touched.label if event.touched else None,
        "picture": event.image is not None,
        "film": event.film is not None,
    }


def picture(asked: PageRequest) -> Response:
    """The picture of a screen, unmasked."""
    return _body(asked, "image")


def film(asked: PageRequest) -> Response:
    """The film that begins at a screen, unmasked."""
    return _body(asked, "film")


def _body(asked: PageRequest, which: str) -> Response:
    if not asked.reveal:
        raise UserError(
            "Pictures show the screen as it was.", "Start `appwitness web --reveal`, and add ?reveal=1 to the address."
        )
    number = asked.request.path_params["number"]
    seen = asked.site.index.line(asked.recording, "screen", number)
    name = getattr(seen.event, which) if seen is not None and holds(seen, Screen) else None
    found = asked.site.index.picture(asked.recording, name) if name else None
    if found is None:
        raise UserError(
            Spoken("screens.jsonl:{number} has no such picture, or it is gone.", number=number),
            "The list shows which lines have one.",
        )
    return Response(found[0], media_type=found[1])
