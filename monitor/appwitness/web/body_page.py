"""A decoded upload: its leaves, the decoding steps of one of them, and the text or bytes of a step with values
marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from appwitness.api.upload_decoding import DecodingStep, Leaf
from appwitness.events import Upload
from appwitness.findings import Flow, Match
from appwitness.web.query import PageRequest

LEAVES = 200
"""Maximum number of leaves that are listed."""
EXCERPT = 120
"""Maximum number of characters shown of a leaf in the list."""
AROUND = 32_768
"""Characters on either side of a value that are masked; SHOWN of them are shown."""
SHOWN = 1_500
BYTES = 512
"""Bytes of a step shown on one page, sixteen in a row."""
_NAME = re.compile(rb'"([A-Za-z_][\w.-]{0,40})"\s*:|(?:^|[&?;\s])([A-Za-z_][\w.-]{0,40})=')
"""Field names in JSON and in forms."""


class Marked(NamedTuple):
    """A piece of text, and whether it is a found value."""

    text: str
    value: bool


class HexLine(NamedTuple):
    """A row of sixteen bytes."""

    offset: str
    hex: tuple[Marked, ...]
    text: tuple[Marked, ...]


def viewed(asked: PageRequest, upload: Upload, flows: Sequence[Flow]) -> dict[str, Any]:
    """What the page of an upload shows; `?leaf=` and `?step=` choose what is opened."""
    found = asked.site.index.taken_apart(asked.recording, upload, flows)
    chosen = asked.number("leaf", 0)
    if chosen is None or chosen >= len(found.leaves):
        chosen = next((n for n, held in found.carrying.items() if held), None)
    leaf = None if chosen is None else found.leaves[chosen]
    held = found.carrying[chosen] if chosen is not None else []
    steps = found.steps(chosen)
    number = asked.number("step", 0)
    if number is None or number >= len(steps):
        alone = leaf is not None and any(match.found == leaf.text for match in held)
        number = max(0, len(steps) - (2 if alone else 1))  # better the text around a value than the value alone
    return {
        "problem": found.problem,
        "cut": found.cut,
        "leaves": list(_listed(asked, found.leaves, found.carrying)),
        "more": max(0, len(found.leaves) - LEAVES),
        "leaf": chosen,
        "steps": [{"number": n, "name": step.name, "path": asked.mask.name(step.path), "size": len(step.data)}
                  for n, step in enumerate(steps)],
        "step": number,
        "opened": _opened(asked, steps[number], held, leaf) if steps else None,
    }  # fmt: skip


def _listed(
    asked: PageRequest, leaves: Sequence[Leaf], carrying: Mapping[int, list[Match]]
) -> Iterator[dict[str, Any]]:
    """The leaves: those that carry a value first, then the others in their order."""
    for n in sorted(range(len(leaves)), key=lambda n: not carrying[n])[:LEAVES]:
        leaf = leaves[n]
        text = None
        if leaf.text is not None:
            text = "".join(part.text for part in _text(asked, leaf.text[:AROUND], carrying[n]))
        yield {
            "number": n,
            "path": asked.mask.name(leaf.path),
            "decoding": leaf.decoding,
            "size": len(leaf.data),
            "text": text if text is None or len(text) <= EXCERPT else text[:EXCERPT] + "…",
            "data": list(dict.fromkeys(match.type for match in carrying[n])),
        }


def _opened(asked: PageRequest, step: DecodingStep, held: list[Match], leaf: Leaf | None) -> dict[str, Any]:
    """Text and bytes of a step, from the first value in it or from `?from=` on."""
    spans = _spans(step, held, leaf)
    text = _as_text(step.data)
    first = spans[0][0] if spans else 0
    at = asked.number("from", 0)
    at = max(0, first - BYTES // 4) if at is None or at >= max(1, len(step.data)) else at
    at -= at % 16
    return {
        "size": len(step.data),
        "text": None if text is None else _window(asked, text, held),
        "hex": list(_lines(asked, step.data, at, spans, is_text=text is not None)),
        "from": at,
        "before": max(0, at - BYTES) if at else None,
        "after": at + BYTES if at + BYTES < len(step.data) else None,
    }


def _as_text(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if re.search("[\x00-\x08\x0e-\x1f]", text) else text


def _spans(step: DecodingStep, held: list[Match], leaf: Leaf | None) -> list[tuple[int, int]]:
    """The positions of the values in a step; if none occurs there, those of the leaf that carries them."""
    needles = [match.found.encode("utf-8", "replace") for match in held if match.found]
    if held and leaf is not None and not any(needle in step.data for needle in needles):
        needles = [leaf.data]
    spans: list[tuple[int, int]] = []
    for needle in needles:
        at = step.data.find(needle) if needle else -1
        while at >= 0 and len(spans) < 100:
            spans.append((at, at + len(needle)))
            at = step.data.find(needle, at + len(needle))
    return sorted(spans)


def _window(asked: PageRequest, text: str, held: list[Match]) -> list[Marked]:
    """The text around its first value, masked before it is cut."""
    at = min((place for match in held if match.found and (place := text.find(match.found)) >= 0), default=0)
    start = max(0, at - AROUND)
    parts = _text(asked, text[start : at + AROUND], held)
    first = next((n for n, part in enumerate(parts) if part.value), 0)
    if first and len(parts[first - 1].text) > SHOWN:
        parts = [Marked("…" + parts[first - 1].text[-SHOWN:], False), *parts[first:]]
    shown: list[Marked] = []
    room = 4 * SHOWN
    for part in parts:
        shown.append(part if len(part.text) <= room else Marked(part.text[:room] + "…", part.value))
        room -= len(part.text)
        if room <= 0:
            break
    return shown


def _text(asked: PageRequest, text: str, held: list[Match]) -> list[Marked]:
    """A text in pieces, values separate from the text between them; all pieces are masked."""
    found = {match.found: asked.mask.event(match).found for match in held if match.found}
    if not found:
        return [Marked(asked.mask.excerpt(text), False)]
    longest_first = sorted(found, key=len, reverse=True)
    pieces = re.split(f"({'|'.join(map(re.escape, longest_first))})", text)
    return [
        Marked(found[piece], True) if piece in found else Marked(asked.mask.excerpt(piece), False)
        for piece in pieces
        if piece
    ]


def _lines(
    asked: PageRequest, data: bytes, at: int, spans: Sequence[tuple[int, int]], *, is_text: bool
) -> Iterator[HexLine]:
    shown = None if asked.reveal else _structure(asked, data[at : at + BYTES], is_text=is_text, first=at == 0)
    for start in range(at, min(len(data), at + BYTES), 16):
        cells = []
        for place in range(start, min(start + 16, len(data))):
            hidden = shown is not None and place - at not in shown
            byte = data[place]
            char = chr(byte) if 32 <= byte < 127 else "."
            value = any(low <= place < high for low, high in spans)
            cells.append(("··" if hidden else f"{byte:02x}", "·" if hidden else char, value))
        yield HexLine(f"{start:08x}", _joined(cells, 0, " "), _joined(cells, 1, ""))


def _joined(cells: Sequence[tuple[str, str, bool]], which: int, between: str) -> tuple[Marked, ...]:
    runs = [
        (value, between.join(str(cell[which]) for cell in run)) for value, run in groupby(cells, lambda cell: cell[2])
    ]
    return tuple(Marked(text + (between if n + 1 < len(runs) else ""), value) for n, (value, text) in enumerate(runs))


def _structure(asked: PageRequest, data: bytes, *, is_text: bool, first: bool) -> set[int]:
    """The positions of bytes that say nothing about a person: punctuation and field names; in binary data, the first
    four bytes."""
    if not is_text:
        return set(range(4)) if first else set()
    places = {n for n, byte in enumerate(data) if byte < 128 and not chr(byte).isalnum()}
    for name in _NAME.finditer(data):
        group = 1 if name[1] else 2
        text = name[group].decode()
        if asked.mask.name(text) == text:
            places.update(range(*name.span(group)))
    return places
