"""The layout of the timeline: lanes, marks, links and ticks as plain numbers."""

from __future__ import annotations

import itertools
import math
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from operator import itemgetter
from typing import NamedTuple

from appwitness.events import Access, Consent, Event, Phase, Ref, Screen, Upload
from appwitness.events.seen import Seen, microseconds
from appwitness.findings import LEVELS, Flow, Report, ReportedGap
from appwitness.findings.lanes import AlikeLines, alike, name_at, named, place_of, times_of
from appwitness.reports.phrases import data_of, named_gap, read_of
from appwitness.reports.time_axis import consent_steps, still_counts
from appwitness.reports.words import Words, cut, plain

WIDTH = 1000
GUTTER = 184
RIGHT = 20
TOP = 14
LANE = 28
TOGETHER = 11.0
"""Marks in one lane that are closer together than this are drawn as one with a number."""
LANES = 8
DENSE = 24
"""If one lane has more marks than this, they are drawn as bars whose height shows how many lines each stands for."""
LINKS = 60
TITLES = 6
LISTED = 100
"""Maximum number of marks listed as text."""
LABEL = 23
"""Widest label of a lane, in columns (a Chinese character takes two)."""


@dataclass(frozen=True)
class TimelineMark:
    """One line of the recording, or several that are drawn as one."""

    x: float
    y: float
    count: int
    carried: bool
    """Whether it is a read whose value was found in an upload, or an upload in which one was found."""
    title: str
    height: float = 0
    """Height of a bar; 0: it is drawn as a symbol with a number."""
    card: int = 0
    """The number of the card about it; 0: there is none."""
    ref: Ref = ""
    """The first of the lines that carried something, otherwise the first line; empty: a gap without a line."""
    target: bool = False
    """Whether its card links back to it: a card links to its first upload, otherwise to its first read."""


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
    """Level of the worst finding that rests on one of its lines; empty: there is none."""


@dataclass(frozen=True)
class Band:
    """A span of time: an answer that was in force, the app in the foreground, or a gap."""

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
    """Times when the app was in the foreground."""
    front_y: float
    gaps: tuple[Band, ...]
    """Gaps with an end time."""
    ticks: tuple[tuple[float, str], ...]
    links: tuple[tuple[str, str], ...]
    """Path and title of each drawn link from a read to an upload: those of the worst findings, spread over the whole
    time."""
    all_links: int
    """How many links there are, drawn or not."""
    about: str
    low: float
    """Seconds at its left end."""
    high: float
    cards: frozenset[int]
    """The cards to which a mark links."""
    listed: tuple[tuple[str, str], ...]
    """Lane and text of each mark, for those who cannot see the picture."""
    width: int = WIDTH
    gutter: int = GUTTER
    top: int = TOP
    right: int = WIDTH - RIGHT


class _PointTrack(NamedTuple):
    """Points in time, by position: all of a lane of the report, or a few others."""

    at: Sequence[int]
    """Microseconds since 1970."""
    name: Callable[[int], Ref]
    text: Callable[[int], str]
    moved: Mapping[int, int] = {}
    """Position -> its time, if it differs from that in `at`."""
    told: Mapping[int, _LineTold] = {}
    """Position -> what the report says about it; most positions have no entry."""

    def when(self, place: int) -> int:
        """The time at a position."""
        return self.moved[place] if place in self.moved else self.at[place]


class _LineTold(NamedTuple):
    ref: Ref
    carried: bool
    level: int
    """Index in LEVELS of the worst finding that rests on it; len(LEVELS): none."""
    card: int
    """The number of the card about it; 0: there is none."""

    def beside(self) -> _LineTold:
        """The same for a point that is not the line itself but is about it, such as a gap."""
        return self._replace(carried=False, level=len(LEVELS))


@dataclass
class _Row:
    kind: str
    label: str
    track: _PointTrack
    places: array[int] = field(default_factory=lambda: array("I"))
    """Positions of its points, in order of time once it is `sorted`."""

    def sorted(self) -> _Row:
        """The row with its points in order of time."""
        when = self.track.when if self.track.moved else self.track.at.__getitem__
        if any(when(later) < when(place) for place, later in itertools.pairwise(self.places)):
            self.places = array("I", sorted(self.places, key=when))
        return self

    @cached_property
    def told(self) -> list[int]:
        """The positions about which the report says something, in order of time and name."""
        found = (place for place in self.places if place in self.track.told)
        return sorted(found, key=lambda place: (self.track.when(place), self.track.told[place].ref))

    @property
    def worst(self) -> int:
        """Index in LEVELS of the worst finding that rests on one of its lines; len(LEVELS): none."""
        return min((self.track.told[place].level for place in self.told), default=len(LEVELS))

    def when(self, number: int) -> int:
        """The time of one of its points, which are in order."""
        return self.track.when(self.places[number])

    def carries(self) -> bool:
        """Whether something was found in one of its lines."""
        return any(self.track.told[place].carried for place in self.told)

    def within(self, axis: _Axis) -> _Row:
        """The row with only the points in the time that is drawn."""

        def seconds(place: int) -> float:
            return _since(self.track.when(place), axis.start)

        first = bisect_left(self.places, axis.low, key=seconds)
        last = bisect_right(self.places, axis.high, key=seconds)
        return self if last - first == len(self.places) else replace(self, places=self.places[first:last])

    def first(self, low: int, high: int) -> list[tuple[int, Ref, str]]:
        """Time, name and text of the first points from `low` to `high`, by time and name."""
        track, until = self.track, min(high, low + TITLES)
        while until < high and track.when(self.places[until]) == track.when(self.places[until - 1]):
            until += 1
        found = ((track.when(place), track.name(place), track.text(place)) for place in self.places[low:until])
        return sorted(found)[:TITLES]


def picture(
    report: Report,
    words: Words,
    cards: Mapping[Ref, int] | None = None,
    only: tuple[float, float] | None = None,
) -> Picture | None:
    """The picture of a report, or None if nothing happened.

    `cards`: the number of the card about each line; `only`: the seconds since the start of the run that are shown.
    """
    return _drawn(report, words, _told(report, cards or {}), only)


class PartPictures:
    """Pictures of parts of a report; what the report says about its lines is collected once for all of them."""

    def __init__(self, report: Report, words: Words) -> None:
        self._report = report
        self._words = words
        self._told = _told(report, {})
        self._flows: dict[Ref, list[tuple[int, Flow]]] = defaultdict(list)
        """Upload -> its flows, each with its place in the report."""
        for number, flow in enumerate(report.flows):
            self._flows[flow.upload].append((number, flow))

    def of(self, lines: Collection[Ref]) -> Picture | None:
        """The picture with only these reads and uploads, and the flows in these uploads; None if nothing happened."""
        report = self._report
        flows = sorted(itertools.chain.from_iterable(self._flows.get(ref, ()) for ref in lines), key=itemgetter(0))
        part = {lane: named(getattr(report, lane), lines) for lane in ("accesses", "uploads")}
        told = {ref: self._told[ref] for ref in lines if ref in self._told}
        flows_of_part = tuple(flow for _, flow in flows)
        return _drawn(report.model_copy(update={**part, "flows": flows_of_part}), self._words, told, None)


def _drawn(
    report: Report, words: Words, told: Mapping[Ref, _LineTold], only: tuple[float, float] | None
) -> Picture | None:
    start = microseconds(report.run.started)
    reads = _reads(report, words, told, only)
    sent = _sent(report, words, told, only)
    asked = _asked(report, words)
    drawn = [row for row in (*reads, asked, *sent) if row.places]
    if not drawn and not only:
        return None
    ended = _since(microseconds(report.run.ended), start) if report.run.ended else None
    low, high = only or _range(
        min(_since(row.when(0), start) for row in drawn), max(_since(row.when(-1), start) for row in drawn), ended
    )
    axis = _Axis(start, low, high)
    asked = asked.within(axis)
    fronts = tuple(_fronts(report, words, axis))
    front = [_points("front", words("lane_front"), ())] if fronts else []
    rows = [_screens(report, words), *reads, asked, *front, *sent, _gaps(report, words, told)]
    lanes: list[Lane] = []
    places: dict[Ref, tuple[float, float]] = {}
    for row in rows:
        row = row.within(axis)
        if not row.places and row.kind not in ("front", "consent"):
            continue
        y = TOP + len(lanes) * LANE + LANE / 2
        marks = tuple(_marks(row, axis, y, words, places))
        level = LEVELS[row.worst] if row.worst < len(LEVELS) else ""
        lanes.append(Lane(row.kind, _short(row.label), row.label, y, marks, level))
    lanes = list(_targets(lanes))
    bottom = TOP + len(lanes) * LANE
    of_kind = {lane.kind: lane.y for lane in lanes}
    links = _links(report, words, places, told)
    ticks = _ticks(low, high)
    return Picture(
        height=bottom + 28,
        bottom=bottom,
        lanes=tuple(lanes),
        consent_y=of_kind["consent"],
        bands=tuple(_bands(report, words, axis, [axis.at(asked.when(n)) for n in range(len(asked.places))])),
        fronts=fronts,
        front_y=of_kind.get("front", 0),
        gaps=tuple(_gap_bands(report, words, axis)),
        ticks=tuple((axis.x(at), minutes(at, ticks.step)) for at in ticks.at),
        links=tuple(_thinned(links)),
        all_links=len(links),
        about=words(
            "timeline_about",
            accesses=f"{sum(len(row.places) for row in reads):,}",
            consents=f"{len(asked.places):,}",
            uploads=f"{sum(len(row.places) for row in sent):,}",
            seconds=f"{high - low:.1f}",
        ),
        low=low,
        high=high,
        cards=frozenset(mark.card for lane in lanes for mark in lane.marks if mark.target),
        listed=tuple((lane.full, mark.title) for lane in lanes for mark in lane.marks)[:LISTED],
    )


def _asked(report: Report, words: Words) -> _Row:
    points = []
    for ref, _, at, event in report.consents:
        if isinstance(event, Consent) and still_counts(ref, event, report):
            text = f"{words(f'signal_{event.signal}')}{words('colon')}{words(f'consent_{event.status}')}"
            text += f" “{cut(event.text)}”" if event.text else ""
            points.append((at, ref, text))
    return _points("consent", words("lane_consent"), points)


def _screens(report: Report, words: Words) -> _Row:
    points = []
    for ref, _, at, event in report.screens:
        if isinstance(event, Screen):
            window = next((each for each in event.windows if each.texts), None)
            text = words(f"screen_{event.what or 'picture'}")
            touched = f" “{plain(event.touched.label)}”" if event.touched else ""
            title = f" “{plain(window.texts[0][:LABEL])}”" if window and not touched else ""
            points.append((at, ref, text + touched + title))
    return _points("screen", words("lane_screens"), points)


def _gaps(report: Report, words: Words, told: Mapping[Ref, _LineTold]) -> _Row:
    """The row of gaps; a gap about a line links to the card about that line."""
    points = [(report.host_time(gap), gap.ref or "", _gap(gap, words)) for gap in report.gaps]
    return _points("gap", words("gaps"), points, told)


def _points(
    kind: str, label: str, points: Sequence[tuple[datetime, Ref, str]], told: Mapping[Ref, _LineTold] | None = None
) -> _Row:
    """A row of a few points: when, which line, and its text."""
    of = {n: told[ref].beside() for n, (_, ref, _) in enumerate(points) if told and ref in told}
    at = [microseconds(when) for when, _, _ in points]
    track = _PointTrack(at, lambda n: points[n][1], lambda n: points[n][2], {}, of)
    return _Row(kind, label, track, array("I", range(len(points)))).sorted()


def _gap(gap: ReportedGap, words: Words) -> str:
    return f"{words(f'where_{gap.where}')}{words('colon')}{words(f'why_{gap.why}')} {plain(named_gap(gap, words))}"


def _gap_bands(report: Report, words: Words, axis: _Axis) -> Iterable[Band]:
    for gap in report.gaps:
        if gap.until:
            offset = report.host_time(gap) - gap.at
            first, last = axis.seconds(gap.at + offset), axis.seconds(gap.until + offset)
            width = max(4.0, round(axis.x(last) - axis.x(first), 1))
            yield Band(axis.x(first), width, "gap", "", f"{first:.1f}–{last:.1f} s  {_gap(gap, words)}")


def _targets(lanes: Iterable[Lane]) -> Iterable[Lane]:
    """The lanes with each card's first upload, otherwise its first read, marked as the place that the card links
    back to."""
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
    """Seconds since the run began, as positions in the picture."""

    start: int
    """Microseconds since 1970."""
    low: float
    high: float

    def x(self, seconds: float) -> float:
        share = (min(max(seconds, self.low), self.high) - self.low) / (self.high - self.low)
        return round(GUTTER + share * (WIDTH - RIGHT - GUTTER), 1)

    def at(self, microseconds: int) -> float:
        """The position of a time."""
        return self.x(_since(microseconds, self.start))

    def seconds(self, at: datetime) -> float:
        return _since(microseconds(at), self.start)


def _since(at: int, start: int) -> float:
    """Seconds from one time in microseconds to another."""
    return (at - start) / 1_000_000


def _range(first: float, last: float, ended: float | None) -> tuple[float, float]:
    """From a little before the first line to a little after the last; a long idle time at the end is cut off."""
    room = max((last - first) * 0.06, 0.5)
    low = 0.0 if 0 <= first <= room * 4 else first - room
    high = last + room if ended is None else min(max(ended, last + room), last + room * 4)
    return low, high


def _told(report: Report, cards: Mapping[Ref, int]) -> dict[Ref, _LineTold]:
    """Line -> what the report says about it: that something was found in it, or that a finding rests on it."""
    carried = {ref for flow in report.flows for ref in (flow.access, flow.upload) if ref}
    levels = dict.fromkeys(carried, len(LEVELS))
    of_flow = {flow.id: (flow.access, flow.upload) for flow in report.flows}
    for finding in report.findings:
        level = LEVELS.index(finding.level)
        flows = (ref for name in finding.flows for ref in of_flow.get(name, ()))
        for ref in filter(None, (*finding.evidence, *flows)):
            levels[ref] = min(level, levels.get(ref, level))
    return {ref: _LineTold(ref, ref in carried, level, cards.get(ref, 0)) for ref, level in levels.items()}


def _reads(report: Report, words: Words, told: Mapping[Ref, _LineTold], only: tuple[float, float] | None) -> list[_Row]:
    lane = report.accesses
    groups = alike(lane, Access, ("source", "target", "data", "outcome", "count"))
    texts = []
    for seen, _ in groups:
        event = seen.event
        assert isinstance(event, Access)
        text = plain(event.source)
        if event.outcome != "returned":
            text += f": {words(f'outcome_{event.outcome}')}"
        texts.append(text + (f" ×{event.count}" if event.count > 1 else ""))
    track = _track(lane, groups, texts, told, {})
    rows: dict[str, _Row] = {}
    for seen, places in groups:
        assert isinstance(seen.event, Access)
        name = read_of(seen.event, words)
        if shown := _during(places, track, report, only):
            rows.setdefault(name, _Row("read", name, track)).places.extend(shown)
    return _bounded(rows.values(), _Row("read", words("lane_other_reads"), track))


def _sent(report: Report, words: Words, told: Mapping[Ref, _LineTold], only: tuple[float, float] | None) -> list[_Row]:
    lane = report.uploads
    groups = alike(lane, Upload, ("method", "via", "host"))
    texts = []
    for seen, _ in groups:
        assert isinstance(seen.event, Upload)
        texts.append(f"{seen.event.method or seen.event.via} {plain(seen.event.host or '')}")
    found = {place: flow for flow in report.flows if (place := place_of(lane, flow.upload)) is not None}
    track = _track(lane, groups, texts, told, {place: microseconds(flow.at) for place, flow in found.items()})
    rows: dict[str, _Row] = {}
    others = _Row("sent", words("lane_other_uploads"), track)
    for _, places in groups:
        for place in _during(places, track, report, only):
            row = others
            if place in found:
                host = found[place].recipient.host
                row = rows.setdefault(host, _Row("sent", plain(host), track))
            row.places.append(place)
    return _bounded(rows.values(), others)


def _track(
    lane: Sequence[Seen[Event]],
    groups: Sequence[AlikeLines],
    texts: Sequence[str],
    told: Mapping[Ref, _LineTold],
    moved: Mapping[int, int],
) -> _PointTrack:
    """A lane of the report, with a text for each group of its lines."""
    which = array("I", bytes(4 * len(lane)))
    for number, group in enumerate(groups):
        for place in group.places:
            which[place] = number
    there = {at: each for ref, each in told.items() if (at := place_of(lane, ref)) is not None}
    return _PointTrack(times_of(lane), partial(name_at, lane), lambda place: texts[which[place]], moved, there)


def _during(
    places: Sequence[int], track: _PointTrack, report: Report, only: tuple[float, float] | None
) -> Sequence[int]:
    """Only the positions within these seconds of the run."""
    if only is None:
        return places
    start, (low, high) = microseconds(report.run.started), only
    return [place for place in places if low <= _since(track.at[place], start) <= high]


def _bounded(rows: Iterable[_Row], others: _Row) -> list[_Row]:
    """The rows that the worst findings rest on, then those that carry something, then the earliest; the rest are
    combined into one."""
    ranked = sorted(
        (row.sorted() for row in rows), key=lambda row: (row.worst, not row.carries(), row.when(0), row.label)
    )
    kept, rest = ranked[:LANES], ranked[LANES:]
    if len(rest) == 1 and not others.places:
        return ranked
    for row in rest:
        others.places.extend(row.places)
    return [*kept, others.sorted()] if others.places else kept


def _marks(
    row: _Row, axis: _Axis, y: float, words: Words, places: dict[Ref, tuple[float, float]]
) -> Iterable[TimelineMark]:
    groups = list(_together(row, axis))
    most = max((high - low for low, high in groups), default=1)
    told = deque(row.told)
    for low, high in groups:
        count, first, last = high - low, row.when(low), row.when(high - 1)
        at = (axis.at(first) + axis.at(last)) / 2
        here = []
        while told and row.track.when(told[0]) <= last:
            here.append(row.track.told[told.popleft()])
        places |= {each.ref: (round(at, 1), y) for each in here}
        shown = row.first(low, high)
        lines = [
            f"{_since(when, axis.start):.3f} s  {text}" + (f"  ({ref})" if ref else "") for when, ref, text in shown
        ]
        if count > 1:
            lines.insert(0, words(f"many_{row.kind}", count=f"{count:,}"))
        if count > TITLES:
            lines.append(words("and_more", count=f"{count - TITLES:,}"))
        carried = [each.ref for each in here if each.carried]
        yield TimelineMark(
            round(at, 1),
            y,
            count,
            bool(carried),
            "\n".join(lines),
            height=_height(count, most) if len(groups) > DENSE else 0,
            ref=carried[0] if carried else shown[0][1],
            card=min((each.card for each in here if each.card), default=0),
        )


def _together(row: _Row, axis: _Axis) -> Iterator[tuple[int, int]]:
    """Runs of points so close together that they are drawn as one."""
    low = 0
    while low < len(row.places):
        left = axis.at(row.when(low))
        high = bisect_left(range(len(row.places)), True, low + 1, key=lambda n: axis.at(row.when(n)) - left > TOGETHER)
        yield low, high
        low = high


def _height(count: int, most: int) -> float:
    """The height of a bar on a logarithmic scale: a single line is visible beside thousands."""
    return round(5 + (LANE - 11) * math.log(count) / math.log(most), 1) if most > 1 else LANE - 6.0


def _bands(report: Report, words: Words, axis: _Axis, marks: Sequence[float]) -> Iterable[Band]:
    steps = [(axis.low, "not_shown" if report.observers.consent else "not_observed", "")]
    steps += [(axis.seconds(step.at), step.state, step.ref) for step in consent_steps(report)]
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
    """Times when the app was in the foreground and the screen was on, as far as phase lines show."""
    since: float | None = None
    steps = sorted(
        (axis.seconds(seen_at), event.state) for _, _, seen_at, event in report.phases if isinstance(event, Phase)
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
    """Index in LEVELS of the worst finding that rests on it."""
    path: str
    title: str


def _links(
    report: Report, words: Words, places: dict[Ref, tuple[float, float]], told: Mapping[Ref, _LineTold]
) -> list[_DrawnFlow]:
    """Every link from a read to an upload, in order of time; links with the same path are combined."""
    drawn: dict[str, list[str]] = defaultdict(list)
    worst: dict[str, int] = {}
    for flow in sorted(report.flows, key=lambda flow: flow.at):
        if flow.access in places and flow.upload in places:
            (x1, y1), (x2, y2) = places[flow.access], places[flow.upload]
            middle = round((y1 + y2) / 2, 1)
            path = f"M{x1:g} {y1:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}"
            drawn[path].append(f"{flow.id}: {data_of(flow, words)} > {plain(flow.recipient.host)}")
            worst[path] = min(worst.get(path, len(LEVELS)), told[flow.upload].level)
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
    """At most LINKS links: those of the worst findings first; within one level, spread out as far as possible in
    time."""
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
    """A time in the run as `2:05`, or `1:02:05` from one hour on, with as many decimals as steps of `step` seconds
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
