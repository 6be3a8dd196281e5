"""One request to a page: its language, its filters, its links, and the answer as a page or as JSON."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import quote, urlencode

import msgspec
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from appwitness.care import reveals
from appwitness.correlate import Knowledge, report
from appwitness.events import FILES, Access, Part, Record, Ref, Run, Value, format_time, tree
from appwitness.findings import LEVELS, Level, Report
from appwitness.findings.mask import Mask, masked
from appwitness.fleet.objects import recording_at
from appwitness.recording import START, Position, Recording
from appwitness.recording.signing import Signer
from appwitness.reports import LANGUAGES
from appwitness.reports.html import TEMPLATES, environment
from appwitness.reports.time_axis import clock, span
from appwitness.reports.words import Words
from appwitness.store import Store
from appwitness.store.campaigns import has_fleet
from appwitness.store.lists import Brief, Carried, Lists, State
from appwitness.store.runs import Runs
from appwitness.support import escape
from appwitness.support.errors import UserError
from appwitness.web.auth import form_token
from appwitness.web.choices import choices
from appwitness.web.line_lists import Lines

HERE = Path(__file__).parent
LONGEST = 200
"""Characters of a filter."""
REMEMBERED = 8
"""Recordings of which what was made for a page is kept."""


class Clear(Mask):
    """Shows everything as it is."""

    def __init__(self) -> None:
        super().__init__(())

    def known(self, text: str, code: bool = False) -> str:
        """The text."""
        return text

    def excerpt(self, text: str) -> str:
        """The text."""
        return text

    def event[R: Record | Part](self, record: R) -> R:
        """The record."""
        return record


class Carries(NamedTuple):
    """What was concluded of the lines of one recording."""

    findings: list[Brief]
    flows: list[Carried]
    about: dict[Ref, list[int]]
    """Line -> the findings that rest on it, by number from 1."""
    of: dict[Ref, list[Carried]]
    """Line of a read or an upload -> its flows."""


@dataclass
class _Kept:
    """What was made for the pages of one recording."""

    mask: Mask
    lines: dict[str, Lines]
    turn: threading.RLock = field(default_factory=threading.RLock)
    """One page of it at a time: what is kept grows while it is used."""
    accesses: Position = START
    """How far reads have been taken in for the mask."""
    unreadable: tuple[State, bool] | None = None
    concluded: tuple[State, Carries] | None = None
    report: tuple[State, bool, Report] | None = None


@dataclass
class Site:
    """What all pages are made of."""

    store: Store
    known: Knowledge
    token: str
    reveals: Path | None = None
    """The folder with the log of what was shown as it is; None: nothing is, every value is masked."""
    signer: Signer | None = None
    """Who signs marks."""
    metrics_token: str | None = None
    """What Prometheus says to be let in to /metrics; None: only a browser with the token is."""
    lists: Lists = field(init=False)

    def __post_init__(self) -> None:
        self.lists = Lists(self.store)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._turn = threading.RLock()
        self._runs: Runs | None = None
        self._opened: Recording | None = None
        """The last: an archive stays unpacked until another is asked for."""

    @property
    def has_fleet(self) -> bool:
        """Whether a campaign was planned in this database."""
        return self._runs is not None or has_fleet(self.store)

    @property
    def runs(self) -> Runs | None:
        """The runs of the campaigns in this database; None where none was planned. Raises UserError when another
        version planned them."""
        with self._turn:
            if self._runs is None and has_fleet(self.store):
                self._runs = Runs(self.store.place)
            return self._runs

    def turn_of(self, recording: str | None) -> AbstractContextManager[Any]:
        """What a page of a recording is made in. Raises UserError when the index has none of that id."""
        return nullcontext() if recording is None else self._of(recording).turn

    def opened(self, recording: str) -> Recording | None:
        """A recording as it is now; None: it is gone, or cannot be reached."""
        held = self.store.held(recording)
        try:
            self._opened = recording_at(held.path) if held else None
        except UserError:
            self._opened = None
        return self._opened

    def mask(self, recording: str) -> Mask:
        """Hides every value that is known of a recording by now."""
        kept = self._of(recording)
        values: list[Value] = []
        for read in self.store.read(recording, "access", kept.accesses):
            kept.accesses = read.position
            if isinstance(access := read.event, Access):
                values += access.values
        if values:
            kept.mask.learn(values)
        return kept.mask

    def lines(self, recording: str, kind: str) -> Lines:
        """The lines of a kind, as the index has them by now."""
        found = self._of(recording).lines.setdefault(kind, Lines(self.store, recording, kind))
        found.update()
        return found

    def is_unreadable(self, recording: str) -> bool:
        """Whether a line of a recording is none of the contract: then it is not clean."""
        state, kept = self.state(recording), self._of(recording)
        if kept.unreadable is None or kept.unreadable[0] != state:
            reads = (read for kind in FILES for read in self.store.read(recording, kind))
            kept.unreadable = (state, any(read.event is None for read in reads))
        return kept.unreadable[1]

    def concluded(self, recording: str, state: State) -> Carries:
        """Findings and flows, as the index has them in this state."""
        kept = self._of(recording)
        if kept.concluded is None or kept.concluded[0] != state:
            findings, flows = self.lists.findings(recording), self.lists.flows(recording)
            about: dict[Ref, list[int]] = {}
            of: dict[Ref, list[Carried]] = {}
            uploads = {flow.id: flow.upload for flow in flows}
            for flow in flows:
                for ref in filter(None, (flow.access, flow.upload)):
                    of.setdefault(ref, []).append(flow)
            for number, finding in enumerate(findings, start=1):
                sent = (uploads[name] for name in finding.flows if name in uploads)
                for ref in dict.fromkeys((*finding.all_evidence, *sent)):
                    about.setdefault(ref, []).append(number)
            kept.concluded = (state, Carries(findings, flows, about, of))
        return kept.concluded[1]

    def report(self, recording: str, state: State, *, reveal: bool) -> Report:
        """The whole report in this state, masked unless `reveal`."""
        kept = self._of(recording)
        if kept.report is None or kept.report[:2] != (state, reveal):
            whole = report(self.store, recording, self.known)
            kept.report = (state, reveal, whole if reveal else masked(whole))
        return kept.report[2]

    def state(self, recording: str) -> State:
        """How far the index is with a recording. Raises UserError when it has none of that id."""
        state = self.lists.state(recording)
        if state is None:
            self.store.run(recording)  # says so
            raise UserError(f"There is no recording {recording}.", "Run `appwitness correlate RECORDING` first.")
        return state

    def _of(self, recording: str) -> _Kept:
        with self._turn:
            kept = self._kept.get(recording)
            if kept is None:
                kept = self._kept[recording] = _Kept(Mask(self.store.run(recording).persona), {})
            self._kept.move_to_end(recording)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
            return kept


class Asked:
    """One request, in the reader's language; what stands in its address is bounded."""

    def __init__(self, site: Site, request: Request, *, masked: bool = False) -> None:
        """Raises UserError where values are asked for as they are and that cannot be noted; with `masked`, none are."""
        self.site = site
        self.request = request
        lang = request.query_params.get("lang", "en")
        self.words = Words(lang if lang in LANGUAGES else "en")
        self.reveal = not masked and site.reveals is not None and "reveal" in request.query_params
        if site.reveals and self.reveal:
            named = request.path_params.get("recording")
            of = [str(named)] if named else []
            reveals.note(site.reveals, "web", of, request.url.path, request.client.host if request.client else None)

    def text(self, name: str) -> str:
        """A filter, empty where nothing is asked for."""
        return self.request.query_params.get(name, "").strip()[:LONGEST]

    def number(self, name: str, least: int = 1) -> int | None:
        """A number in the address, or None."""
        text = self.text(name)
        return max(least, int(text)) if text.isdecimal() and len(text) < 10 else None

    def seconds(self, name: str) -> float | None:
        """A number of seconds in the address, or None."""
        try:
            given = float(self.text(name))
        except ValueError:
            return None
        return given if abs(given) < 1e9 else None

    @property
    def page(self) -> int:
        """Which page of the list."""
        return self.number("page") or 1

    @property
    def recording(self) -> str:
        """The id of the recording in the path."""
        return cast(str, self.request.path_params["recording"])

    @cached_property
    def run(self) -> Run:
        """The run that is asked for, masked. Raises UserError when there is none of that id."""
        run = self.site.store.run(self.recording)
        return run if self.reveal else self.site.mask(self.recording).run(run)

    @cached_property
    def mask(self) -> Mask:
        """What hides the values of the recording, or shows them."""
        return Clear() if self.reveal else self.site.mask(self.recording)

    @cached_property
    def state(self) -> State:
        """How far the index is with the recording. Raises UserError when it has none of that id."""
        return self.site.state(self.recording)

    @cached_property
    def concluded(self) -> Carries:
        """Its findings and flows."""
        return self.site.concluded(self.recording, self.state)

    @cached_property
    def report(self) -> Report:
        """Its report, masked unless values are shown."""
        return self.site.report(self.recording, self.state, reveal=self.reveal)

    def link(self, *path: object, **query: object) -> str:
        """The address of a page, in the same language, revealed or not."""
        kept = {name: value for name, value in query.items() if value not in (None, "")}
        if self.words.lang != "en":
            kept.setdefault("lang", self.words.lang)
        if self.reveal:
            kept["reveal"] = "1"
        where = "/" + "/".join(quote(str(each), safe="") for each in path)
        return f"{where}?{urlencode(kept)}" if kept else where

    def to_recording(self, *path: object, **query: object) -> str:
        """The address of a page of the recording that is shown."""
        return self.link("recordings", self.recording, *path, **query)

    def to_line(self, ref: Ref) -> str | None:
        """The address of a line that has a page; None of one that has none."""
        name, _, number = ref.rpartition(":")
        places = {"uploads.jsonl": "uploads", "accesses.jsonl": "reads"}
        if name in places and number.isdecimal():
            return self.to_recording(places[name], number)
        return self.to_recording("consents") if name in ("consents.jsonl", "screens.jsonl") else None

    def here(self, **changes: object) -> str:
        """The same address with another query."""
        query: dict[str, object] = {**self.request.query_params, **changes}
        parts = [part for part in self.request.url.path.split("/") if part]
        if "recording" in self.request.path_params:
            parts[1] = self.recording
        for name in ("host", "rule"):
            if name in self.request.path_params:
                parts[-1] = self.request.path_params[name]
        if query.get("lang") == "en":
            del query["lang"]
        query.pop("reveal", None)
        return self.link(*parts, **query)

    def revealed(self, reveal: bool) -> str:
        """The same address with values shown, or masked."""
        before, self.reveal = self.reveal, reveal
        try:
            return self.here()
        finally:
            self.reveal = before

    def answer(self, template: str, facts: Mapping[str, Any], status: int = 200) -> Response:
        """The facts as a page; as JSON with `?format=json`, but for those whose name begins with `_`."""
        if self.request.query_params.get("format") == "json":
            shown = {name: plain(value) for name, value in facts.items() if not name.startswith("_")}
            shown["masked"] = not self.reveal
            text = escape.json(json.dumps(shown, ensure_ascii=False, indent=2)) + "\n"
            return Response(text, status, media_type="application/json")
        room = environment(HERE / "templates")
        filled = room.get_template(template).render(
            t=self.words, asked=self, link=self.link, to=self.to_recording, clock=clock, span=span,
            form_token=form_token(self.site.token), static=STATIC[0], **choices(self.words), **facts,
        )  # fmt: skip
        return HTMLResponse(filled, status)


def _static() -> tuple[str, dict[str, tuple[str, str]]]:
    room = HERE / "static"
    files = {
        "pages.css": (_text(TEMPLATES / "report.css", room / "pages.css"), "text/css"),
        "live.js": (_text(room / "live.js"), "text/javascript"),
        "icon.svg": (_text(room / "icon.svg"), "image/svg+xml"),
    }
    return hashlib.sha256("".join(text for text, _ in files.values()).encode()).hexdigest()[:16], files


def _text(*files: Path) -> str:
    return "".join(file.read_text("utf-8") for file in files)


STATIC = _static()
"""A digest, so that a browser may keep them, and name -> text and type of what pages load from us."""


def levels(counts: Mapping[Level, int]) -> list[tuple[Level, int]]:
    """Counts of findings, the worst level first."""
    return [(level, counts[level]) for level in LEVELS if counts.get(level)]


def going_on(path: str | Path) -> bool:
    """Whether a process is recording in a folder at this moment."""
    try:
        return Recording(Path(path)).going_on
    except (OSError, UserError):  # gone, or an archive
        return False


def plain(value: Any) -> Any:
    """What JSON can hold: records as objects, times as the contract writes them."""
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
