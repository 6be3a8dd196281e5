"""The messages that the agent's channel may carry: the app under test runs in the same process and can send
anything."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from appwitness.agent.hooked import HookStatus
from appwitness.events import (
    Access,
    Connection,
    Consent,
    Endpoint,
    Event,
    Gap,
    Part,
    Phase,
    Screen,
    Signal,
    Transform,
    Upload,
    Witness,
)

SLACK = timedelta(seconds=10)
"""How far outside the run a time from the agent may lie: clocks drift between two measurements."""
LONGEST_LINE = 32 << 20
"""Maximum length of a line, in bytes: a contacts table that was read whole has up to 200,000 cells
(hooks/watch/cursor.ts). A recording reads lines twice as long."""
LONGEST_TEXT = 1 << 20
"""Maximum number of characters of one string in a line."""
MOST_ITEMS = 1_000_000
"""Maximum number of values in one line: strings, numbers, lists and objects."""
DEEPEST = 12
MOST_NUMBER = 2**53
"""Integers up to here are exact in every reader."""
MICROS = 32_503_680_000_000_000
"""The year 3000 in microseconds since 1970."""

_PLAIN = frozenset((type(None), bool, datetime))
"""Types whose values cannot be too large."""
_HALF = re.compile("[\ud800-\udfff]")
"""A lone surrogate: UTF-8 cannot encode it."""

_Short = Annotated[str, Field(max_length=2000)]
_Number = Annotated[int, Field(ge=0, le=MOST_NUMBER)]
_Micros = Annotated[int, Field(ge=0, le=MICROS)]


class _AgentMessage(BaseModel):
    """Base of all messages; values are validated without conversion."""

    model_config = ConfigDict(frozen=True, strict=True)

    n: Annotated[int, Field(ge=0, le=2**53)] | None = None
    """Sequence number of the message (hooks/out/numbered.ts)."""


class BodySent(_AgentMessage):
    """A body that a line refers to."""

    type: Literal["body"]


class About(_AgentMessage):
    """The connection of plaintext seen at a TLS library."""

    local: Endpoint | None = None
    remote: Endpoint | None = None
    host: _Short | None = None
    version: _Short | None = None
    alpn: _Short | None = None


class PlainSent(_AgentMessage):
    """Plaintext that the app passed to a TLS library, or received from it."""

    type: Literal["plain"]
    id: _Number
    at: _Micros
    way: Literal["out", "in", "end"]
    about: About | None = None
    stack: Annotated[list[_Short], Field(max_length=500)] | None = None
    owners: Annotated[list[_Short | None], Field(max_length=500)] | None = None


class LinesSent(_AgentMessage):
    """Lines of the recording format, in the attached bytes."""

    type: Literal["lines"]


class FactsSent(_AgentMessage):
    """Consent signals that were seen."""

    type: Literal["facts"]
    facts: Annotated[list[Any], Field(max_length=200_000)]


class StatusesSent(_AgentMessage):
    """States of the hooks."""

    type: Literal["statuses"]
    statuses: Annotated[list[HookStatus], Field(max_length=50_000)]


class Placed(_AgentMessage):
    """The process may be resumed if it is held: from its first line on, everything is seen."""

    type: Literal["placed"]


class ReadyMessage(_AgentMessage):
    """The hooks are live."""

    type: Literal["ready"]
    install_ms: _Number | None = None


class NoRuntime(_AgentMessage):
    """The process has no Java runtime that the agent can hook."""

    type: Literal["no_runtime"]
    detail: _Short


class ClockTold(_AgentMessage):
    """The answer to a time request."""

    type: Literal["clock"]
    number: _Number
    at: _Micros


class Unpinned(_AgentMessage):
    """A certificate check was bypassed."""

    type: Literal["unpinned"]
    check: _Short
    state: Literal["installed", "met"]


class ProbeTold(_AgentMessage):
    """The result of the agent's self-test."""

    type: Literal["probe"]
    hooked: _Number
    called: _Number
    seen: _Number
    missed: Annotated[list[_Short], Field(max_length=10)]
    detail: _Short | None
    ms: Annotated[float, Field(ge=0, le=MICROS)]


class ExitMessage(_AgentMessage):
    """The process is about to end."""

    type: Literal["exit"]
    how: _Short
    inside: _Short | None


class ChildStarted(_AgentMessage):
    """A process was started."""

    type: Literal["child"]
    pid: Annotated[int, Field(ge=0, le=2**31 - 1)] | None
    how: _Short
    line: Annotated[str, Field(max_length=100_000)] | None


class Lost(_AgentMessage):
    """The number of messages that were lost with the connection and are no longer kept."""

    type: Literal["lost"]
    count: _Number


class Fault(_AgentMessage):
    """A fault in the agent itself."""

    type: Literal["fault"]
    detail: str


Message = (
    BodySent
    | PlainSent
    | LinesSent
    | FactsSent
    | StatusesSent
    | Placed
    | ReadyMessage
    | NoRuntime
    | ClockTold
    | Unpinned
    | ProbeTold
    | ExitMessage
    | ChildStarted
    | Lost
    | Fault
)
_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


class RefusedMessage(ValueError):
    """A message or line that the channel refuses; the text is one of a fixed set of reasons."""


def message(payload: Any) -> Message:
    """Parse a payload. Raises RefusedMessage."""
    try:
        return _MESSAGES.validate_python(payload)
    except ValidationError as error:
        # Names the place and the reason, never the content: the app controls the payload's text.
        place = ".".join(str(part) for part in error.errors(include_url=False, include_input=False)[0]["loc"][:2])
        known = place if place.replace(".", "").replace("_", "").isalnum() and len(place) < 40 else "type"
        raise RefusedMessage(f"a message that the agent does not send ({known})") from None


_BY: Mapping[Signal, tuple[str, ...]] = {
    "dialog": ("user", "app"),
    "tap": ("user", "app"),
    "preference": ("app",),
    "sdk_call": ("app",),
    "permission_prompt": ("app",),
    "permission_result": ("user",),
    "iab_tcf": ("app",),
    "iab_gpp": ("app",),
}
"""Signals that the agent sees, and the possible `by` of each; an operator's never come from the app's process."""
OTHER_WAYS = ("sms", "intent", "bluetooth", "nfc")
"""`via` of the uploads that the agent itself writes; the others come from the proxy or from plaintext."""
_MARK = "started by a "
"""Prefix of the only mark that the agent makes (hooks/watch/phases.ts); all others are made by a person."""


Window = tuple[datetime, datetime]
"""The earliest and the latest time that a line may have."""


class Channel:
    """What one process may report. `window` returns the earliest and latest time that it may name, on its own clock."""

    def __init__(self, app: str, pid: int, window: Callable[[], Window]) -> None:
        self._app = app
        self._pid = pid
        self.window = window
        self.bodies: set[str] = set()
        """Bodies that arrived and are stored: a line may refer to no other."""
        self.unstored: set[str] = set()
        """Bodies that arrived and were not stored because the recording is full."""

    def as_stored(self, event: Event) -> Event:
        """The event as it is recorded: an upload whose body is over the quota is kept without the body."""
        if isinstance(event, Upload) and event.body in self.unstored:
            return event.model_copy(update={"body": None, "size": 0, "truncated": True})
        return event

    def check(self, event: Event, window: Window, *, vias: tuple[str, ...] = OTHER_WAYS, small: bool = False) -> None:
        """Raise RefusedMessage, with the reason, if the line may not be recorded. `window`: the current result of
        `self.window()`; `small`: whether the line `is_small`."""
        if event.app != self._app:
            raise RefusedMessage("a line of another app")
        if event.pid != self._pid:
            raise RefusedMessage("a line of another process")
        self._speaks(event, vias)
        _check_times(event, *window)
        if not small or (isinstance(event, Access) and event.args):
            bounded(event)
        if missing := [name for name in _named(event) if name not in self.bodies]:
            raise RefusedMessage(f"a line that names {'a body' if len(missing) == 1 else 'bodies'} that never came")

    def _speaks(self, event: Event, vias: tuple[str, ...]) -> None:
        match event:
            case Access() | Transform() | Connection():
                return
            case Upload() if event.via not in vias:
                raise RefusedMessage("an upload that only the proxy sees")
            case Consent() if event.by not in _BY.get(event.signal, ()) or event.corrects or event.retracts:
                raise RefusedMessage("consent in the name of somebody else")
            case Phase() if (
                event.by is not None
                or event.answered is not None
                or (event.state == "mark" and not (event.text or "").startswith(_MARK))
            ):
                raise RefusedMessage("a mark that only a person makes")
            case Screen() if event.by != "agent" or (event.touched and event.touched.by not in ("user", "app")):
                raise RefusedMessage("a screen that only the host sees")
            case Witness():
                raise RefusedMessage("a count that only the system makes")
            case Gap() if event.where not in ("hook", "device"):
                raise RefusedMessage("a gap that only the host sees")
            case _:
                return


def _check_times(event: Event, first: datetime, last: datetime) -> None:
    until = getattr(event, "until", None)
    if not first <= event.at <= last or (until is not None and not event.at <= until <= last):
        raise RefusedMessage("a time outside the run")


def _named(event: Event) -> Iterable[str]:
    """The bodies that a line refers to."""
    match event:
        case Upload():
            return [event.body] if event.body else []
        case Transform():
            blobs = (event.input, event.output, event.key, event.iv)
            return [name for blob in blobs if isinstance(name := getattr(blob, "body", None), str)]
        case Screen():
            return [name for name in (event.tree, event.image, event.film) if name]
        case _:
            return []


_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789E", b"000000000e")


def is_small(lines: bytes) -> bool:
    """Whether the bytes of lines alone show that `bounded` refuses nothing in them, except in their `args`, which may
    be nested. This is so if they are shorter than the longest permitted text and contain no escape that may be a lone
    surrogate, no number with 16 digits and no exponent. Much cheaper than checking each value."""
    numbers = lines.translate(_DIGITS_AS_ZEROS)
    return len(lines) < LONGEST_TEXT and b"\\u" not in lines and b"0" * 16 not in numbers and b"0e" not in numbers


def bounded(*values: Any) -> None:
    """Raise RefusedMessage for values that are too large, nested too deeply, or contain a number or a text that some
    readers cannot parse."""
    items = 0
    level: list[Any] = list(values)
    for _ in range(DEEPEST):
        deeper: list[Any] = []
        items += len(level)
        if items > MOST_ITEMS:
            raise RefusedMessage("a line with too much in it")
        for value in level:
            kind = type(value)
            if kind is str:
                if len(value) > LONGEST_TEXT:
                    raise RefusedMessage("a line with too much in it")
                if not value.isascii() and _HALF.search(value):
                    raise RefusedMessage("a text that is none")
            elif kind not in _PLAIN:
                deeper += _inside(value)
        if not deeper:
            return
        level = deeper
    raise RefusedMessage("a line that is nested too deep")


def _inside(value: Any) -> Iterable[Any]:
    """The values inside a list or object; a number has none. Raises RefusedMessage as `bounded` does."""
    match value:
        case int() | float():
            if isinstance(value, float) and not math.isfinite(value):
                raise RefusedMessage("a number that is none")
            if isinstance(value, int) and abs(value) > MOST_NUMBER:
                raise RefusedMessage("a number that is too large")
            return ()
        case Part():
            return (each for each in msgspec.structs.astuple(value) if each is not msgspec.UNSET)
        case dict():
            return [*value.keys(), *value.values()]
        case list() | tuple():
            return value
        case _:
            raise RefusedMessage("a line with something in it that is no JSON")
