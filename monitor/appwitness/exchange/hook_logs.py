"""Imports other tools' hook logs (JSON lines, one call a line) as accesses, by a mapping of their fields."""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pydantic import Field

from appwitness.agent import sources
from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.events import Access, Gap, Value
from appwitness.exchange import json_pieces
from appwitness.exchange.conversion import DAMAGE, Conversion, possible, printable, problem

LOCATION = re.compile(r"(-?\d{1,2}\.\d+),\s?(-?\d{1,3}\.\d+)")
"""The coordinates in `Location[gps 31.230416,121.473701 hAcc=5.0 ...]`, as Android prints a location."""
OBJECT = re.compile(r"<instance\b|\[object |^[\w.$]+@[0-9a-f]{1,8}$")
"""A value that only identifies an object."""
HALVES = ("getLatitude", "getLongitude")
JOINED = timedelta(seconds=1)
"""Longest time between the two calls for one location, if the log does not name the object."""
NAMED = 20
"""Maximum number of requested names in one gap, and of lines that have a gap each."""
KINDS = 10_000
"""Maximum number of kinds of calls that are counted separately."""
LONG = 300
"""Maximum number of characters kept of the name of an API, or of what was requested."""
WAITING = 10_000
"""Maximum number of calls for one coordinate that wait for the other."""
OTHERS = "others"
Where = Sequence[str | int]


class Fields(CatalogEntry):
    """catalog/hook_logs/<tool>.yml: where a line of a tool's log has each field. A location is a list of keys and
    indices. docs/hook-logs.md describes the same for users."""

    time: tuple[str | int, ...] = Field(description="RFC 3339, or seconds to nanoseconds since 1970")
    cls: tuple[str | int, ...] = Field(alias="class", description="class of the hooked method")
    method: tuple[str | int, ...] = Field(description="its method; $init for constructors")
    returned: tuple[str | int, ...] = Field(description="what it returned")
    argument: tuple[str | int, ...] = Field(description="one argument; the index stands where `*` does")
    stack: tuple[str | int, ...] = Field(description="frames, innermost first: a list, or text of lines")
    type: tuple[str | int, ...] = Field(default=(), description="declared type of one argument, `*` as above")
    printed: tuple[str | int, ...] = Field(default=(), description="what toString gives of what it returned")
    object: tuple[str | int, ...] = Field(default=(), description="which object it was called on: any text or number")
    threw: tuple[str | int, ...] = Field(default=(), description="the exception that it threw, as text")
    empty: tuple[str, ...] = Field(default=(), description="texts that stand for null")
    only: dict[str, str] = Field(default_factory=dict, description="key -> text that a line must have to be a call")
    skip: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="key -> texts of lines that are known to be no calls"
    )


def fields(mapping: Path | None) -> Fields:
    """The user's mapping, or frooky's. Raises FileError with file and line."""
    if mapping is None:
        (mapping,) = yaml_files.files("hook_logs/frooky.yml")
    return yaml_files.parse(mapping, Fields)


def read(path: Path, app: str, mapping: Path | None = None, into: Conversion | None = None) -> Conversion:
    """The calls of a hook log that match a source of the catalog, each as an access. For a general API (settings,
    properties, content providers) the arguments determine the source. A value that the log gives only as an object's
    name is left out: the access then has no value. Calls for latitude and longitude of one location are one access.
    What is not understood is counted in gaps, one for each kind of call."""
    log = _Log(path.name, app, fields(mapping), Conversion() if into is None else into)
    with path.open("rb") as file:
        for piece in _pieces(file):
            log.take(piece)
    log.finish()
    return log.conversion


def _pieces(file: BinaryIO) -> Iterator[json_pieces.JsonPiece]:
    """The values of a log: lines of JSON, pretty-printed JSON, or one list."""
    head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    file.seek(0)
    if head.startswith(b"[") and head[1:].lstrip(b" \t")[:1] not in (b"\r", b"\n", b""):
        for number, piece in enumerate(json_pieces.elements(file)):
            yield piece._replace(line=number)
    else:
        yield from json_pieces.values(file)


class _Half(NamedTuple):
    """A call for the latitude or longitude of a location."""

    access: Access
    degrees: float
    text: str


class _Log:
    """The state of reading one log."""

    def __init__(self, name: str, app: str, where: Fields, conversion: Conversion) -> None:
        self.name, self.app, self.where, self.conversion = name, app, where, conversion
        self.known: dict[tuple[str, str], list[sources.Source]] = defaultdict(list)
        for source in sources.load():
            self.known[_plain(source.cls), source.method].append(source)
        self.patterns: dict[str, re.Pattern[str]] = {}
        self.last: datetime | None = None
        self.unread = 0
        self.unnamed: Counter[str] = Counter()
        """Calls of APIs that are no source."""
        self.asked: dict[str, Counter[str]] = defaultdict(Counter)
        """API -> requested names that are no source."""
        self.untold: Counter[str] = Counter()
        """Calls whose arguments are needed to tell the source, and are not in the log."""
        self.no_calls: Counter[str] = Counter()
        self.halves: dict[tuple[str, str], deque[_Half]] = defaultdict(deque)
        """Object and method -> calls for one coordinate that wait for the other."""
        self.waiting = 0
        """How many are waiting."""

    def take(self, piece: json_pieces.JsonPiece) -> None:
        """Take one value of the log."""
        try:
            line = piece.value()
            if not isinstance(line, dict):
                raise ValueError("not an object")  # noqa: TRY004  all that a line may be is data
            if self._is_call(line):
                self.last = _time(_at(line, self.where.time))
                self._call(line, self.last)
        except DAMAGE as error:
            self.unread += 1
            if self.unread <= NAMED:
                detail = f"not JSON: {error}" if isinstance(error, ValueError) and piece.data[:1] != b"{" else ""
                self.conversion.missed(self.last, self.app, f"{self.name}:{piece.line}", detail or problem(error))

    def _is_call(self, line: Mapping[str, Any]) -> bool:
        for key, text in self.where.only.items():
            if line.get(key) != text:
                if line.get(key) not in self.where.skip.get(key, ()):
                    _count(self.no_calls, f"{key} {str(line.get(key))[:40]!r}")
                return False
        return True

    def _call(self, line: Mapping[str, Any], at: datetime) -> None:
        cls, method = str(_at(line, self.where.cls)), str(_at(line, self.where.method))
        api = f"{cls}.{method}"
        named = self.known.get((_plain(cls), method))
        if not named:
            _count(self.unnamed, api)
            return
        meant: dict[str, tuple[sources.Source, str | None]] = {}
        others: list[str | None] = []
        for source in named:
            if not self._has_overload(line, source):
                others.append("other arguments")
                continue
            concerns, text = self._concerns(line, source)
            if concerns:
                meant.setdefault(source.data, (source, text))
            else:
                others.append(text)
        for source, text in meant.values():
            self._access(line, source, text, at)
        if not meant and None in others:
            self.untold[api] += 1
        elif not meant:
            _count(self.asked[api], others[0] or "")

    def _has_overload(self, line: Mapping[str, Any], source: sources.Source) -> bool:
        """Whether the call may be of one of the source's overloads; it may if the log does not say."""
        if source.overloads is None or not self.where.type:
            return True
        types: list[str] = []
        while (type_ := _maybe(line, _index(self.where.type, len(types)))) is not None:
            types.append(str(type_))
        return any(tuple(types) == overload for overload in source.overloads) or not types

    def _concerns(self, line: Mapping[str, Any], source: sources.Source) -> tuple[bool, str | None]:
        """Whether the call is about the source's data, and the text that says so; None if the log has none."""
        when = source.when
        if when is None:
            return True, None
        if when.argument == "this":
            # (A location that the app created itself cannot be distinguished from one of the system's.)
            return source.unseen, None
        text = None if when.get else _text(_maybe(line, _index(self.where.argument, when.argument)), "text")
        if text is None:
            return False, None
        return any(self._pattern(pattern).search(text) for pattern in when.matches), text

    def _pattern(self, text: str) -> re.Pattern[str]:
        found = self.patterns.get(text)
        if found is None:
            found = self.patterns[text] = re.compile(text.replace("${app}", re.escape(self.app)))
        return found

    def _access(self, line: Mapping[str, Any], source: sources.Source, asked: str | None, at: datetime) -> None:
        where = self.where
        values: list[Value] = []
        seen: list[Any] = []
        for spec in source.values:
            if spec.of == "this":
                continue
            place = where.returned if spec.of == "return" else _index(where.argument, spec.of)
            raw = _maybe(line, place)
            seen.append(None if raw in where.empty else raw)
            text = None if spec.get else _text(seen[-1], spec.form)
            if text is None and spec.of == "return" and not spec.get:
                text = _text(_maybe(line, where.printed), spec.form)
            if text:
                values.append(Value(type=spec.type or source.data, text=text))
        target = asked if source.target == "when" else None
        if isinstance(source.target, int):
            target = _text(_maybe(line, _index(where.argument, source.target)), "text")
        args = {name: _text(_maybe(line, _index(where.argument, index)), "text") for name, index in source.args.items()}
        stack = _maybe(line, where.stack) or ()
        frames = [str(frame).strip() for frame in (stack.splitlines() if isinstance(stack, str) else stack)]
        own = f"{source.cls}.{source.method.replace('$init', '<init>')}("
        access = Access(
            at=at,
            app=self.app,
            source=source.name,
            target=target,
            data=source.data,
            values=tuple(values),
            outcome=self._outcome(line, source, seen),
            args={name: text for name, text in args.items() if text is not None and len(text) <= 200} or None,
            stack=tuple(frame for frame in frames if frame and not frame.startswith(own)),
        )
        if source.method in HALVES and source.unseen:
            self._half(line, source.method, access)
        else:
            self.conversion.add(access)

    def _outcome(self, line: Mapping[str, Any], source: sources.Source, seen: Sequence[Any]) -> Any:
        if (threw := _maybe(line, self.where.threw) if self.where.threw else None) not in (None, ""):
            return "denied" if "SecurityException" in str(threw) else "threw"
        if seen:
            return "empty" if all(raw in (None, "", "null") for raw in seen) else "returned"
        follows = [follow.form for follow in source.follow]
        if "cursor" in follows:
            return "empty" if _maybe(line, self.where.returned) in (None, *self.where.empty) else "returned"
        return "requested" if follows else "returned"

    # -- latitude and longitude are two calls for one place

    def _half(self, line: Mapping[str, Any], method: str, access: Access) -> None:
        degrees = _degrees(_maybe(line, self.where.returned), 90 if method == HALVES[0] else 180)
        if degrees is None:
            self.conversion.add(access)
            return
        which = _maybe(line, self.where.object) if self.where.object else None
        object_ = "" if which is None else str(which)
        mine = _Half(access, *degrees)
        waiting = self.halves[object_, HALVES[1 - HALVES.index(method)]]
        while waiting:
            other = waiting.popleft()
            if object_ or abs(other.access.at - access.at) <= JOINED:
                first, second = (other, mine) if method == HALVES[1] else (mine, other)
                place = Value(type=access.data, text=f"{first.text},{second.text}")
                self.conversion.add(other.access.model_copy(update={"values": (place,)}))
                return
            self.conversion.add(other.access)
        self.halves[object_, method].append(mine)
        self.waiting += 1
        if self.waiting >= WAITING:
            self._wait_no_longer()

    def _wait_no_longer(self) -> None:
        """Record calls for one coordinate whose other never came as accesses without a value."""
        for waiting in self.halves.values():
            for half in waiting:
                self.conversion.add(half.access)
        self.halves.clear()
        self.waiting = 0

    def finish(self) -> None:
        """Record what is left at the end: coordinates without the other, and what was not understood."""
        self._wait_no_longer()
        if self.unread > NAMED:
            self._gap(self.name, f"{self.unread - NAMED} more entries that cannot be read")
        for what, count in sorted(self.no_calls.items()):
            self._gap(self.name, f"{_calls(count, 'line')} with {what}, which the mapping does not know as calls")
        for api, count in sorted(self.unnamed.items()):
            self._gap(api, f"{_calls(count)}; no source names this API")
        for api, count in sorted(self.untold.items()):
            self._gap(api, f"{_calls(count)}; the log does not have the argument that says what they asked for")
        for api, texts in sorted(self.asked.items()):
            what = ", ".join(f"{text[:60]} ({count})" for text, count in texts.most_common(NAMED // 4))
            rest = f" and {len(texts) - NAMED // 4} others" if len(texts) > NAMED // 4 else ""
            self._gap(api, f"{_calls(texts.total())}; no source names what they asked for: {what}{rest}")

    def _gap(self, subject: str, detail: str) -> None:
        self.conversion.add(
            Gap(
                at=self.last or datetime.now(UTC),
                app=self.app,
                where="hook",
                subject=printable(subject),
                why="protocol_unsupported",
                detail=printable(detail),
            )
        )


def _count(kinds: Counter[str], kind: str) -> None:
    """Count one more of a kind; once there are KINDS kinds, any new kind counts among the others."""
    kind = kind[:LONG]
    kinds[kind if kind in kinds or len(kinds) < KINDS else OTHERS] += 1


def _calls(count: int, what: str = "call") -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _plain(cls: str) -> str:
    """A class name in one form: some tools write a dot for the `$` of an inner class."""
    return cls.replace("$", ".")


def _at(line: Any, where: Where) -> Any:
    for step in where:
        line = line[step]
    return line


def _maybe(line: Any, where: Where) -> Any:
    try:
        return _at(line, where) if where else None
    except (LookupError, TypeError):
        return None


def _index(where: Where, index: int) -> Where:
    return [index if step == "*" else step for step in where]


def _time(text: Any) -> datetime:
    if isinstance(text, str) and not text.replace(".", "", 1).isdigit():
        return possible(datetime.fromisoformat(text))
    number = float(text)
    for unit in (1e17, 1e14, 1e11):  # nano-, micro-, milliseconds: taken as seconds, they would be millennia
        if number > unit:
            number /= unit / 1e8
            break
    return possible(datetime.fromtimestamp(number, UTC))


def _degrees(raw: Any, most: int) -> tuple[float, str] | None:
    """Degrees as number and text; None for anything else."""
    try:
        degrees = float(raw)
    except (TypeError, ValueError):
        return None
    return (degrees, str(raw)) if abs(degrees) <= most else None


def _text(raw: Any, form: str) -> str | None:
    """A logged value in the recording format's form; None if the log does not have the value itself."""
    if raw is None or isinstance(raw, dict | list):
        return None
    text = str(raw)
    if form == "location":
        place = LOCATION.search(text)
        return f"{place[1]},{place[2]}" if place else None
    return None if OBJECT.search(text) else text
