"""The layout of the timeline: lanes, marks, links and ticks as plain numbers."""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from appwitness.events import Access, Consent, Phase, Ref, Screen, Upload
from appwitness.findings import LEVELS, Report, ReportedGap
from appwitness.findings.lanes import during, named
from appwitness.reports.phrases import data_of, named_gap, read_of
from appwitness.reports.time_axis import consent_steps, still_counts
from appwitness.reports.words import Words, plain

WIDTH = 1000
GUTTER = 184
RIGHT = 20
TOP = 14
LANE = 28
TOGETHER = 11.0
"""Marks of one lane that are closer than this are drawn as one with a number."""
LANES = 8
DENSE = 24
"""More marks than this in one lane are drawn as bars, as high as they are many."""
LINKS = 60
TITLES = 6
LISTED = 100
"""Marks that are listed as text."""
LABEL = 23
"""Widest label of a lane, in columns (a Chinese character takes two)."""


@dataclass(frozen=True)
class TimelineMark:
    """One or several lines at one place."""

    x: float
    y: float
    count: int
    carried: bool
    """A read whose value was found in an upload, or an upload in which one was found."""
    title: str
    height: float = 0
    """Height of a bar; 0: it is drawn as a sign with a number."""
    card: int = 0
    """The card that tells of it; 0: none does."""
    ref: Ref = ""
    """The first of the lines that carried something, else the first; empty: a gap that no line tells of."""
    target: bool = False
    """Whether the card leads back to it: the first of its uploads, else of its reads."""


@dataclass(frozen=True)
class Lane:
    """One row of the picture."""

    kind: str
    """`screen`, `read`, `consent`, `front`, `sent` or `gap`."""
    label: str
    full: str
    y: float
    marks: tuple[TimelineMark, ...] = ()
    level: str = ""
    """Level of the worst finding that rests on one of its lines; empty: none does."""


@dataclass(frozen=True)
class Band:
    """A stretch of time: what had been answered, or that the app was in the background."""

    x: float
    width: float
    name: str
    label: str
    title: str
    label_x: float = 0
    """Where there is room for the label between the marks."""


@dataclass(frozen=True)
class Picture:
    """Everything that the SVG needs."""

    height: float
    bottom: float
    lanes: tuple[Lane, ...]
    consent_y: float
    bands: tuple[Band, ...]
    fronts: tuple[Band, ...]
    """While the app was in the foreground."""
    front_y: float
    gaps: tuple[Band, ...]
    """Gaps that say until when."""
    ticks: tuple[tuple[float, str], ...]
    links: tuple[tuple[str, str], ...]
    """Path and title of each line from a read to an upload: of the worst findings, and over the whole time."""
    all_links: int
    """How many there are, drawn or not."""
    about: str
    low: float
    """Seconds at its left end."""
    high: float
    cards: frozenset[int]
    """Those with a mark that leads to them."""
    listed: tuple[tuple[str, str], ...]
    """Lane and text of each mark, for those who do not see the picture."""
    width: int = WIDTH
    gutter: int = GUTTER
    top: int = TOP
    right: int = WIDTH - RIGHT


@dataclass
class _Row:
    kind: str
    label: str
    points: list[tuple[float, Ref, bool, str]] = field(default_factory=list)
    """Seconds, line, whether it carried, text."""

    def worst(self, levels: Mapping[Ref, int]) -> int:
        """The place in LEVELS of the worst finding that rests on one of its lines; one more than there are: none."""
        return min((levels.get(point[1], len(LEVELS)) for point in self.points), default=len(LEVELS))


def picture(
    report: Report,
    words: Words,
    cards: Mapping[Ref, int] | None = None,
    only: tuple[float, float] | None = None,
    lines: Collection[Ref] | None = None,
) -> Picture | None:
    """The picture of a report, or None where nothing happened.

    `cards` says which card tells of a line; `only`, which seconds since the start of the run are shown; `lines`, of
    which reads and uploads alone.
    """
    start = report.run.started
    if only or lines is not None:
        report = _cut(report, only, lines)
    carried = {ref for flow in report.flows for ref in (flow.access, flow.upload) if ref}
    levels = _levels(report)
    reads = _reads(report, words, carried, levels)
    sent = _sent(report, words, carried, levels)
    asked = _asked(report, words)
    times = [point[0] for row in (*reads, asked, *sent) for point in row.points]
    if not times and not only:
        return None
    low, high = only or _range(times, _seconds(report.run.ended, start) if report.run.ended else None)
    axis = _Axis(start, low, high)
    fronts = tuple(_fronts(report, words, axis))
    front = [_Row("front", words("lane_front"))] if fronts else []
    rows = [_screens(report, words), *reads, asked, *front, *sent, _gaps(report, words)]
    lanes: list[Lane] = []
    places: dict[Ref, tuple[float, float]] = {}
    for row in rows:
        row.points = [point for point in row.points if low <= point[0] <= high]
        if not row.points and row.kind not in ("front", "consent"):
            continue
        y = TOP + len(lanes) * LANE + LANE / 2
        marks = tuple(_marks(row, axis, y, words, places, cards or {}))
        worst = row.worst(levels) if row.kind in ("read", "sent") else len(LEVELS)
        level = LEVELS[worst] if worst < len(LEVELS) else ""
        lanes.append(Lane(row.kind, _short(row.label), row.label, y, marks, level))
    lanes = list(_targets(lanes))
    bottom = TOP + len(lanes) * LANE
    of_kind = {lane.kind: lane.y for lane in lanes}
    links = _links(report, words, places, levels)
    ticks = _ticks(low, high)
    return Picture(
        height=bottom + 28,
        bottom=bottom,
        lanes=tuple(lanes),
        consent_y=of_kind["consent"],
        bands=tuple(_bands(report, words, axis, [axis.x(point[0]) for point in asked.points])),
        fronts=fronts,
        front_y=of_kind.get("front", 0),
        gaps=tuple(_gap_bands(report, words, axis)),
        ticks=tuple((axis.x(at), minutes(at, ticks.step)) for at in ticks.at),
        links=tuple(_thinned(links)),
        all_links=len(links),
        about=words(
            "timeline_about",
            accesses=f"{len(report.accesses):,}",
            consents=f"{len(asked.points):,}",
            uploads=f"{len(report.uploads):,}",
            seconds=f"{high - low:.1f}",
        ),
        low=low,
        high=high,
        cards=frozenset(mark.card for lane in lanes for mark in lane.marks if mark.target),
        listed=tuple((lane.full, mark.title) for lane in lanes for mark in lane.marks)[:LISTED],
    )


def _cut(report: Report, only: tuple[float, float] | None, lines: Collection[Ref] | None) -> Report:
    """The report with these reads and uploads alone: each of their lanes has room then."""
    lanes = {lane: getattr(report, lane) for lane in ("accesses", "uploads")}
    if lines is not None:
        lanes = {name: named(lane, lines) for name, lane in lanes.items()}
    if only:
        low, high = only
        start = report.run.started
        lanes = {name: during(lane, lambda at: low <= _seconds(at, start) <= high) for name, lane in lanes.items()}
    return report.model_copy(update=lanes)


def _asked(report: Report, words: Words) -> _Row:
    row = _Row("consent", words("lane_consent"))
    for ref, _, at, event in report.consents:
        if isinstance(event, Consent) and still_counts(ref, event, report):
            text = f"{words(f'signal_{event.signal}')}{words('colon')}{words(f'consent_{event.status}')}"
            text += f" “{plain(event.text)}”" if event.text else ""
            row.points.append((_seconds(at, report.run.started), ref, False, text))
    return row


def _screens(report: Report, words: Words) -> _Row:
    row = _Row("screen", words("lane_screens"))
    for ref, _, at, event in report.screens:
        if isinstance(event, Screen):
            window = next((each for each in event.windows if each.texts), None)
            text = words(f"screen_{event.what or 'picture'}")
            touched = f" “{plain(event.touched.label)}”" if event.touched else ""
            title = f" “{plain(window.texts[0][:LABEL])}”" if window and not touched else ""
            row.points.append((_seconds(at, report.run.started), ref, False, text + touched + title))
    return row


def _gaps(report: Report, words: Words) -> _Row:
    start = report.run.started
    points = [(_seconds(report.host_time(gap), start), gap.ref or "", False, _gap(gap, words)) for gap in report.gaps]
    return _Row("gap", words("gaps"), points)


def _gap(gap: ReportedGap, words: Words) -> str:
    return f"{words(f'where_{gap.where}')}{words('colon')}{words(f'why_{gap.why}')} {plain(named_gap(gap, words))}"


def _gap_bands(report: Report, words: Words, axis: _Axis) -> Iterable[Band]:
    for gap in report.gaps:
        if gap.until:
            offset = report.host_time(gap) - gap.at
            first, last = _seconds(gap.at + offset, axis.start), _seconds(gap.until + offset, axis.start)
            width = max(4.0, round(axis.x(last) - axis.x(first), 1))
            yield Band(axis.x(first), width, "gap", "", f"{first:.1f}–{last:.1f} s  {_gap(gap, words)}")


def _targets(lanes: Iterable[Lane]) -> Iterable[Lane]:
    """The lanes, each card's first upload, else its first read, marked as what the card leads back to."""
    lanes = list(lanes)
    first: dict[int, TimelineMark] = {}
    for kind in ("read", "sent"):
        found = [mark for lane in lanes if lane.kind == kind for mark in lane.marks if mark.card]
        first |= {mark.card: mark for mark in sorted(found, key=lambda mark: -mark.x)}
    chosen = set(map(id, first.values()))
    for lane in lanes:
        marks = tuple(replace(mark, target=True) if id(mark) in chosen else mark for mark in lane.marks)
        yield replace(lane, marks=marks)


class _Axis(NamedTuple):
    """Seconds since the run began, as places in the picture."""

    start: datetime
    low: float
    high: float

    def x(self, seconds: float) -> float:
        share = (min(max(seconds, self.low), self.high) - self.low) / (self.high - self.low)
        return round(GUTTER + share * (WIDTH - RIGHT - GUTTER), 1)


def _seconds(at: datetime, start: datetime) -> float:
    return (at - start).total_seconds()


def _range(times: Sequence[float], ended: float | None) -> tuple[float, float]:
    """From a little before the first line to a little after the last; an idle end is cut off."""
    first, last = min(times), max(times)
    room = max((last - first) * 0.06, 0.5)
    low = 0.0 if 0 <= first <= room * 4 else first - room
    high = last + room if ended is None else min(max(ended, last + room), last + room * 4)
    return low, high


def _levels(report: Report) -> dict[Ref, int]:
    """Line -> the place in LEVELS of the worst finding that rests on it."""
    levels: dict[Ref, int] = {}
    of_flow = {flow.id: (flow.access, flow.upload) for flow in report.flows}
    for finding in report.findings:
        level = LEVELS.index(finding.level)
        flows = (ref for name in finding.flows for ref in of_flow.get(name, ()))
        for ref in filter(None, (*finding.evidence, *flows)):
            levels[ref] = min(level, levels.get(ref, level))
    return levels


def _reads(report: Report, words: Words, carried: set[Ref], levels: Mapping[Ref, int]) -> list[_Row]:
    rows: dict[str, _Row] = {}
    for ref, _, seen_at, event in report.accesses:
        if not isinstance(event, Access):
            continue
        text = plain(event.source)
        if event.outcome != "returned":
            text += f": {words(f'outcome_{event.outcome}')}"
        name = read_of(event, words)
        row = rows.setdefault(name, _Row("read", name))
        at = _seconds(seen_at, report.run.started)
        row.points.append((at, ref, ref in carried, text + (f" ×{event.count}" if event.count > 1 else "")))
    return _bounded(rows.values(), _Row("read", words("lane_other_reads")), levels)


def _sent(report: Report, words: Words, carried: set[Ref], levels: Mapping[Ref, int]) -> list[_Row]:
    hosts = {ref: flow.recipient.host for flow in report.flows for ref in (flow.upload,)}
    rows: dict[str, _Row] = {}
    others = _Row("sent", words("lane_other_uploads"))
    at_of = {flow.upload: flow.at for flow in report.flows}
    for ref, _, at, event in report.uploads:
        if not isinstance(event, Upload):
            continue
        row = rows.setdefault(hosts[ref], _Row("sent", plain(hosts[ref]))) if ref in hosts else others
        text = f"{event.method or event.via} {plain(event.host or '')}"
        row.points.append((_seconds(at_of.get(ref, at), report.run.started), ref, ref in carried, text))
    return _bounded(rows.values(), others, levels)


def _bounded(rows: Iterable[_Row], others: _Row, levels: Mapping[Ref, int]) -> list[_Row]:
    """The rows that the worst findings rest on, then those that carry something, then the earliest; the rest in one."""
    ranked = sorted(
        rows,
        key=lambda row: (
            row.worst(levels),
            not any(point[2] for point in row.points),
            min(row.points)[0],
            row.label,
        ),
    )
    kept, rest = ranked[:LANES], ranked[LANES:]
    if len(rest) == 1 and not others.points:
        return ranked
    for row in rest:
        others.points.extend(row.points)
    return [*kept, others] if others.points else kept


def _marks(
    row: _Row, axis: _Axis, y: float, words: Words, places: dict[Ref, tuple[float, float]], cards: Mapping[Ref, int]
) -> Iterable[TimelineMark]:
    groups: list[list[tuple[float, Ref, bool, str]]] = []
    for point in sorted(row.points):
        if groups and axis.x(point[0]) - axis.x(groups[-1][0][0]) <= TOGETHER:
            groups[-1].append(point)
        else:
            groups.append([point])
    most = max(map(len, groups), default=1)
    for group in groups:
        at = (axis.x(group[0][0]) + axis.x(group[-1][0])) / 2
        for _, ref, _, _ in group:
            places[ref] = (round(at, 1), y)
        lines = [f"{seconds:.3f} s  {text}" + (f"  ({ref})" if ref else "") for seconds, ref, _, text in group[:TITLES]]
        if len(group) > 1:
            lines.insert(0, words(f"many_{row.kind}", count=f"{len(group):,}"))
        if len(group) > TITLES:
            lines.append(words("and_more", count=f"{len(group) - TITLES:,}"))
        yield TimelineMark(
            round(at, 1),
            y,
            len(group),
            any(point[2] for point in group),
            "\n".join(lines),
            height=_height(len(group), most) if len(groups) > DENSE else 0,
            ref=next((point[1] for point in group if point[2]), group[0][1]),
            card=min((cards[point[1]] for point in group if point[1] in cards), default=0),
        )


def _height(count: int, most: int) -> float:
    """The height of a bar on a power scale: one is visible beside thousands."""
    return round(5 + (LANE - 11) * math.log(count) / math.log(most), 1) if most > 1 else LANE - 6.0


def _bands(report: Report, words: Words, axis: _Axis, marks: Sequence[float]) -> Iterable[Band]:
    steps = [(axis.low, "not_shown" if report.observers.consent else "not_observed", "")]
    steps += [(_seconds(step.at, axis.start), step.state, step.ref) for step in consent_steps(report)]
    for number, (at, state, ref) in enumerate(steps):
        until = steps[number + 1][0] if number + 1 < len(steps) else axis.high
        label = words(f"consent_{state}")
        edges = [axis.x(at), *sorted(x for x in marks if axis.x(at) < x < axis.x(until)), axis.x(until)]
        room = [left for left, right in itertools.pairwise(edges) if _columns(label) * 6.2 + 16 < right - left]
        width = round(axis.x(until) - axis.x(at), 1)
        if width > 0:
            title = f"{at:.3f} s  {label}" + (f"  ({ref})" if ref else "")
            yield Band(axis.x(at), width, state, label if room else "", title, room[0] if room else axis.x(at))


def _fronts(report: Report, words: Words, axis: _Axis) -> Iterable[Band]:
    """While the app was in the foreground and the screen was on, as far as its phases say."""
    since: float | None = None
    steps = sorted(
        (_seconds(seen_at, axis.start), event.state)
        for _, _, seen_at, event in report.phases
        if isinstance(event, Phase)
    )
    for at, state in (*steps, (axis.high, "exited")):
        if state == "foreground" and since is None:
            since = at
        elif state in ("background", "screen_off", "exited") and since is not None:
            width = round(axis.x(at) - axis.x(since), 1)
            if width > 0:
                yield Band(axis.x(since), width, "front", "", f"{words('lane_front')}: {since:.1f}–{at:.1f} s")
            since = None


class _DrawnFlow(NamedTuple):
    level: int
    """The place in LEVELS of the worst finding that rests on it."""
    path: str
    title: str


def _links(
    report: Report, words: Words, places: dict[Ref, tuple[float, float]], levels: Mapping[Ref, int]
) -> list[_DrawnFlow]:
    """Every line from a read to an upload, in order of time; those of one place are one."""
    drawn: dict[str, list[str]] = defaultdict(list)
    worst: dict[str, int] = {}
    for flow in sorted(report.flows, key=lambda flow: flow.at):
        if flow.access in places and flow.upload in places:
            (x1, y1), (x2, y2) = places[flow.access], places[flow.upload]
            middle = round((y1 + y2) / 2, 1)
            path = f"M{x1:g} {y1:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}"
            drawn[path].append(f"{flow.id}: {data_of(flow, words)} > {plain(flow.recipient.host)}")
            worst[path] = min(worst.get(path, len(LEVELS)), levels.get(flow.upload, len(LEVELS)))
    return [
        _DrawnFlow(
            worst[path],
            path,
            "\n".join(
                [*titles[:TITLES], *([words("and_more", count=len(titles) - TITLES)] if len(titles) > TITLES else [])]
            ),
        )
        for path, titles in drawn.items()
    ]


def _thinned(links: Sequence[_DrawnFlow]) -> Iterable[tuple[str, str]]:
    """At most LINKS of them: those of the worst findings; of one level, as far apart in time as they can be."""
    left = LINKS
    for _, of_level in itertools.groupby(sorted(links, key=lambda link: link.level), key=lambda link: link.level):
        those = list(of_level)
        taken = min(left, len(those))
        for number in range(taken):
            link = those[number * len(those) // taken]
            yield link.path, link.title
        left -= taken


STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)
TICKS = 10


class _Ticks(NamedTuple):
    step: float
    at: list[float]


def _ticks(low: float, high: float) -> _Ticks:
    """Round times, at most about ten of them."""
    small = (10.0**power * factor for power in (-3, -2, -1) for factor in (1, 2, 5))
    large = (86400.0 * 2**power for power in itertools.count(1))
    step = next(step for step in itertools.chain(small, STEPS_S, large) if (high - low) / step <= TICKS)
    first = math.ceil(low / step)
    return _Ticks(step, [round(number * step, 6) for number in range(first, math.floor(high / step) + 1)])


def minutes(seconds: float, step: float = 1.0) -> str:
    """A moment of the run as `2:05`, `1:02:05` from an hour on, with as many decimals as steps of `step` seconds
    need."""
    decimals = max(0, math.ceil(-math.log10(step) - 1e-9)) if step < 1 else 0
    whole = round(abs(seconds), decimals)
    hours, rest = divmod(whole, 3600)
    minute, second = divmod(rest, 60)
    wide = 3 + decimals if decimals else 2
    text = f"{int(hours)}:{int(minute):02}" if hours else f"{int(minute)}"
    return f"{'-' if seconds < 0 and whole else ''}{text}:{second:0{wide}.{decimals}f}"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _short(text: str) -> str:
    if _columns(text) <= LABEL:
        return text
    while _columns(text) > LABEL - 1:
        text = text[:-1]
    return text + "…"
