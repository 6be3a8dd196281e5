"""One request to a page: its language, filters and links, and the response as HTML or JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from appwitness.api.browsing import Browsing, Carries, ListPage, State
from appwitness.api.inbox import Inbox
from appwitness.api.live_runs import LiveRuns
from appwitness.events import Part, Record, Ref, Run, format_time, tree
from appwitness.findings import LEVELS, Level, Match, Report
from appwitness.findings.mask import Mask
from appwitness.findings.places import Way
from appwitness.reports import LANGUAGES
from appwitness.reports.html import TEMPLATES, environment
from appwitness.reports.phrases import said
from appwitness.reports.time_axis import clock, span
from appwitness.reports.words import Words, cut
from appwitness.support import escape
from appwitness.support.errors import UserError
from appwitness.support.spoken import say
from appwitness.web.auth import form_token

HERE = Path(__file__).parent
LONGEST = 200
"""Maximum number of characters in a filter."""


class Clear(Mask):
    """A mask that hides nothing."""

    def __init__(self) -> None:
        super().__init__(())

    def known(self, text: str, code: bool = False) -> str:
        """The text."""
        return text

    def excerpt(self, text: str) -> str:
        """The text."""
        return text

    def by(self, way: Way, text: str, *, code: bool = False) -> str:
        """The text."""
        return text

    def event[R: Record | Part](self, record: R) -> R:
        """The record."""
        return record


@dataclass(frozen=True)
class Work:
    """What pages may start if the operator allows it."""

    runs: LiveRuns
    inbox: Inbox


@dataclass
class Site:
    """The state shared by all pages."""

    index: Browsing
    token: str
    metrics_token: str | None = None
    """The token with which Prometheus may read /metrics; None: only a browser with the main token may."""
    work: Work | None = None
    """None: pages start, import and remove nothing."""
    may_mark: bool = True
    """Whether consent can be marked on the pages."""

    def working(self) -> Work:
        """What pages may start. Raises UserError if they may not."""
        if self.work is None:
            raise UserError(
                "These pages are read-only: nothing can be started here.",
                "Start `appwitness web` without --read-only; with --host, add --allow-actions.",
            )
        return self.work


def preferred(accepted: str) -> str:
    """The language of pages for an Accept-Language header (RFC 9110); English if it names none of ours."""
    found: list[tuple[float, str]] = []
    for each in accepted[:400].split(","):
        tag, _, weight = each.strip().partition(";q=")
        with suppress(ValueError):
            found.append((float(weight or 1), tag.partition("-")[0].lower()))
    wanted = [tag for weight, tag in sorted(found, key=lambda each: -each[0]) if weight > 0]
    return next((tag for tag in wanted if tag in LANGUAGES), "en")


class PageRequest:
    """One request, in the reader's language; its parameters are limited in size."""

    def __init__(self, site: Site, request: Request, *, masked: bool = False) -> None:
        """Raises UserError if unmasked values are requested and that cannot be logged; with `masked`, values are
        always masked."""
        self.site = site
        self.request = request
        self.usual = preferred(request.headers.get("accept-language", ""))
        lang = request.query_params.get("lang", "")
        self.words = Words(lang if lang in LANGUAGES else self.usual)
        self.reveal = not masked and site.index.reveals is not None and "reveal" in request.query_params
        if self.reveal:
            named = request.path_params.get("recording")
            of = [str(named)] if named else []
            site.index.note_reveal(of, request.url.path, request.client.host if request.client else None)

    def text(self, name: str) -> str:
        """A query parameter, cut to LONGEST; empty if absent."""
        return self.request.query_params.get(name, "").strip()[:LONGEST]

    def number(self, name: str, least: int = 1) -> int | None:
        """An integer query parameter, raised to `least` if smaller; None if absent or invalid."""
        text = self.text(name)
        return max(least, int(text)) if text.isdecimal() and len(text) < 10 else None

    def seconds(self, name: str) -> float | None:
        """A query parameter in seconds; None if absent or invalid."""
        try:
            given = float(self.text(name))
        except ValueError:
            return None
        return given if abs(given) < 1e9 else None

    @property
    def page(self) -> int:
        """The requested page of the list."""
        return self.number("page") or 1

    @property
    def recording(self) -> str:
        """The id of the recording in the path."""
        return cast(str, self.request.path_params["recording"])

    @cached_property
    def run(self) -> Run:
        """The requested run, masked unless values are shown. Raises UserError when there is none with that id."""
        run = self.site.index.run(self.recording)
        return run if self.reveal else self.site.index.mask(self.recording).run(run)

    @cached_property
    def mask(self) -> Mask:
        """The mask for the recording's values; one that masks nothing if values are shown."""
        return Clear() if self.reveal else self.site.index.mask(self.recording)

    @cached_property
    def state(self) -> State:
        """The index's state of the recording. Raises UserError when it has none with that id."""
        return self.site.index.state(self.recording)

    @cached_property
    def concluded(self) -> Carries:
        """The recording's findings and flows."""
        return self.site.index.concluded(self.recording, self.state)

    @cached_property
    def report(self) -> Report:
        """The recording's report, masked unless values are shown."""
        return self.site.index.report(self.recording, self.state, reveal=self.reveal)

    def link(self, *path: object, **query: object) -> str:
        """The URL of a page, keeping the language, and whether values are shown."""
        kept = {name: value for name, value in query.items() if value not in (None, "")}
        if kept.setdefault("lang", self.words.lang) == self.usual:
            del kept["lang"]
        if self.reveal:
            kept["reveal"] = "1"
        where = "/" + "/".join(quote(str(each), safe="") for each in path)
        return f"{where}?{urlencode(kept)}" if kept else where

    def to_recording(self, *path: object, **query: object) -> str:
        """The URL of a page of the current recording."""
        return self.link("recordings", self.recording, *path, **query)

    def to_line(self, ref: Ref) -> str | None:
        """The URL of a line's page; None if the line has none."""
        name, _, number = ref.rpartition(":")
        places = {"uploads.jsonl": "uploads", "accesses.jsonl": "reads"}
        if name in places and number.isdecimal():
            return self.to_recording(places[name], number)
        return self.to_recording("consents") if name in ("consents.jsonl", "screens.jsonl") else None

    def here(self, **changes: object) -> str:
        """The current URL with changes to its query."""
        query: dict[str, object] = {**self.request.query_params, **changes}
        parts = [part for part in self.request.url.path.split("/") if part]
        if "recording" in self.request.path_params:
            parts[1] = self.recording
        for name in ("host", "rule"):
            if name in self.request.path_params:
                parts[-1] = self.request.path_params[name]
        query.pop("reveal", None)
        return self.link(*parts, **query)

    def revealed(self, reveal: bool) -> str:
        """The current URL with values shown or masked."""
        before, self.reveal = self.reveal, reveal
        try:
            return self.here()
        finally:
            self.reveal = before

    def answer(self, template: str, facts: Mapping[str, Any], status: int = 200) -> Response:
        """Render the facts as a page; with `?format=json` as JSON, without names that begin with `_`."""
        if self.request.query_params.get("format") == "json":
            shown = {name: plain(value) for name, value in facts.items() if not name.startswith("_")}
            shown["masked"] = not self.reveal
            text = escape.document(shown)
            return Response(text, status, media_type="application/json")
        room = environment(HERE / "templates")
        filled = room.get_template(template).render(
            t=self.words, asked=self, link=self.link, to=self.to_recording, clock=clock, span=span, cut=cut,
            form_token=form_token(self.site.token), static=STATIC[0], say=partial(say, language=self.words.lang),
            **choices(self.words), **facts,
        )  # fmt: skip
        return HTMLResponse(filled, status)


def _static() -> tuple[str, dict[str, tuple[str, str]]]:
    room = HERE / "static"
    files = {
        "pages.css": (_text(TEMPLATES / "report.css", room / "pages.css"), "text/css"),
        "live.js": (_text(room / "live.js"), "text/javascript"),
        "drop.js": (_text(room / "drop.js"), "text/javascript"),
        "icon.svg": (_text(room / "icon.svg"), "image/svg+xml"),
    }
    return hashlib.sha256("".join(text for text, _ in files.values()).encode()).hexdigest()[:16], files


def _text(*files: Path) -> str:
    return "".join(file.read_text("utf-8") for file in files)


STATIC = _static()
"""A digest, which lets browsers cache the files, and name -> text and media type of the static files."""


def fields_of(record: object, names: str) -> dict[str, Any]:
    """Fields of a record, in this order; `names` are separated by spaces."""
    return {name: getattr(record, name) for name in names.split()}


def page_of(name: str, found: ListPage[Any], row: Callable[[Any], Any]) -> dict[str, Any]:
    """A page of a list under its name, with its number and the number of pages."""
    return {name: [row(each) for each in found.rows], "page": found.number, "pages": found.last, "total": found.total}


def levels(counts: Mapping[Level, int]) -> list[tuple[Level, int]]:
    """Counts of findings by level, the worst level first."""
    return [(level, counts[level]) for level in LEVELS if counts.get(level)]


def plain(value: Any) -> Any:
    """A value as JSON can hold it: records as objects, times in the format of the contract."""
    match value:
        case BaseModel():
            return value.model_dump(mode="json")
        case Part():
            return tree(value)
        case msgspec.Struct():
            return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        case datetime():
            return format_time(value)
        case tuple() if hasattr(value, "_asdict"):
            return {name: plain(each) for name, each in value._asdict().items()}
        case dict():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(each) for each in value]
        case _ if is_dataclass(value):
            return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        case _:
            return value


# used in templates: the choices of filters in the reader's language, and short names

Choices = list[tuple[object, str]]
"""Values and their labels."""


def choices(words: Words) -> dict[str, Any]:
    """Name -> function or value for templates."""

    def called(prefix: str) -> Callable[[Iterable[str]], Choices]:
        return lambda values: [(value, words(f"{prefix}_{value}")) for value in values]

    return {
        "same": lambda values: [(value, value) for value in values],
        "counted": lambda values: [(value, f"{value} ({count:,})") for value, count in values],
        "plans": called("plan"),
        "run_states": called("run"),
        "level_choices": called("level")(LEVELS),
        "titles": lambda rules: [(rule, words.of(title)) for rule, title in rules.items()],
        "data_choices": lambda values: [(value, f"{words.data(value)} ({count:,})") for value, count in values],
        "outcome_choices": lambda values: [
            (value, f"{words(f'outcome_{value}', count='…')} ({count:,})") for value, count in values
        ],
        "statuses": _statuses,
        "said": lambda reason: said(reason, words),
        "path_of": _path_of,
        "short": lambda source: ".".join(source.split(".")[-2:]),
        "leaf_of": _leaf,
    }


def _statuses(values: Iterable[tuple[int, int]]) -> Choices:
    """Classes of response statuses, each followed by the statuses that occur."""
    found = sorted(values)
    classes = dict.fromkeys(status // 100 for status, _ in found)
    many = {kind: sum(count for status, count in found if status // 100 == kind) for kind in classes}
    shown: Choices = []
    for kind in classes:
        shown.append((f"{kind}xx", f"{kind}xx ({many[kind]:,})"))
        shown += [(status, f"{status} ({count:,})") for status, count in found if status // 100 == kind]
    return shown


def _path_of(url: str | None) -> str:
    """Path and query of a URL; the whole text if it is not a URL."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return (f"{parts.path}?{parts.query}" if parts.query else parts.path) or "/" if parts.netloc else url


def _leaf(leaves: Sequence[Mapping[str, Any]], match: Match) -> int | None:
    """The number of the leaf that contains a match; None when it is not listed."""
    there = (leaf["number"] for leaf in leaves if match.type in leaf["data"] and leaf["path"] == match.path)
    return next(there, None)
