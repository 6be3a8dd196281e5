"""The recording contract, version 1: the kinds of line that producers write, and `parse` for all of them."""

from __future__ import annotations

import base64
import hashlib
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
from msgspec import Meta
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from appwitness.support.spoken import english

INLINE_BYTES = 256
"""A blob of up to this many bytes is in its line as base64; a longer one goes to bodies/."""

Ref = str
"""The name of a line: its file and number, from 1: `accesses.jsonl:17`. Lines have no other id."""

DataType = str
"""A code of catalog/data_types.yml, such as `phone_number`."""


def format_time(at: datetime) -> str:
    """Format an aware time for the contract: RFC 3339, UTC, microseconds, trailing `Z`."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(timespec="microseconds")[:-6] + "Z"


EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2500, 1, 1, tzinfo=UTC)
LARGEST_OFFSET_MS = 1e13
"""About 300 years, more than any clock is off. Added to a time within the bounds above, it stays within the
calendar."""


def _within(at: datetime) -> datetime:
    """Check a time from a producer. Raises ValueError for one that could leave the calendar when converted to
    another clock."""
    if not EARLIEST <= at < LATEST:
        raise ValueError(f"a time outside the years {EARLIEST.year} to {LATEST.year}")
    return at


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time without its time zone")
    return at.astimezone(UTC)


Time = Annotated[
    datetime,
    Meta(tz=True, description="RFC 3339, UTC, microseconds, trailing Z; the producer's own clock"),
    AfterValidator(_in_utc),
    PlainSerializer(format_time, return_type=str),
]
Count = Annotated[int, Meta(ge=0)]
_SHA256 = "^[0-9a-f]{64}$"
Milliseconds = Annotated[float, Field(ge=-LARGEST_OFFSET_MS, le=LARGEST_OFFSET_MS, allow_inf_nan=False)]
"""A difference between two clocks."""
Owners = Annotated[
    tuple[str | None, ...],
    Meta(
        description="whose code each frame of the stack is, by its class loader or its library's path: app, platform, "
        "the package that it came from, or null if unknown; absent: not recorded"
    ),
]
Sha256 = Annotated[str, Meta(pattern=_SHA256, max_length=64), Field(pattern=_SHA256)]


class Record(BaseModel):
    """A frozen record. Fields that a later version adds are kept, so that nothing a producer reported is lost."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Part(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A line of a recording, or a part of one. Fields that a later version adds stay in the file and are ignored here.

    The results of `parse` and `made` fit the contract; the constructor checks nothing.
    """

    unsaid: ClassVar[tuple[str, ...]] = ()
    """Fields that JSON omits when they are empty."""

    def model_copy(self, update: Mapping[str, Any]) -> Self:
        """A copy with other values for some fields; named as in `Record`, for code that handles both."""
        return msgspec.structs.replace(self, **update)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda given: made(cls, given), serialization=core_schema.plain_serializer_function_ser_schema(tree)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> dict[str, Any]:
        (top,), known = msgspec.json.schema_components([cls])
        shape: dict[str, Any] = _without_refs(top, known)
        return shape


class Blob(Part, kw_only=True, frozen=True, omit_defaults=True):
    """Bytes: up to 256 in the line itself, more in bodies/ under their digest."""

    b64: Annotated[str | None, Meta(description="standard base64; absent: see `body`")] = None
    body: Annotated[
        Sha256 | None, Meta(description="sha256 of the bytes, the name of the file in bodies/; absent: see `b64`")
    ] = None
    size: Annotated[Count | None, Meta(description="bytes of the body")] = None

    def __post_init__(self) -> None:
        if (self.b64 is None) == (self.body is None) or (self.body is None) != (self.size is None):
            raise ValueError("bytes are either b64, or body and size")


def blob(data: bytes) -> Blob:
    """The blob for `data`; if `data` has more than 256 bytes, it must also be stored in bodies/."""
    if len(data) <= INLINE_BYTES:
        return Blob(b64=base64.b64encode(data).decode("ascii"))
    return Blob(body=hashlib.sha256(data).hexdigest(), size=len(data))


class Endpoint(Part, kw_only=True, frozen=True):
    """One end of a connection."""

    ip: str
    port: Annotated[int, Meta(ge=0, le=65535)]


class Value(Part, kw_only=True, frozen=True):
    """One piece of personal data that an API returned, always as text."""

    type: Annotated[
        DataType, Meta(description="data type code; a location is one value `lat,lon`, decimal degrees WGS-84")
    ]
    text: Annotated[str, Meta(description="as the API returned it; numbers as text, all digits")]
    row: Annotated[int | None, Meta(description="row of a cursor, from 0: values of one row belong together")] = None
    contact: Annotated[
        str | msgspec.UnsetType | None,
        Meta(description="contact id of that row: rows with the same id belong to one person; absent: not asked for"),
    ] = msgspec.UNSET


class Line(Part, kw_only=True, frozen=True, tag_field="kind", tag=str.lower):
    """The fields that every line of a recording has, and its kind."""

    unsaid: ClassVar[tuple[str, ...]] = ("arrived", "boot_ms")

    v: Annotated[Literal[1], Meta(description="version of the contract")] = 1
    at: Time
    app: Annotated[str | None, Meta(description="Android package; null: the producer cannot know it")] = None
    pid: Annotated[int | None, Meta(description="process on the device")] = None
    arrived: Annotated[
        Time | None, Meta(description="when the line reached the host, on the host's clock (lines of the agent)")
    ] = None
    boot_ms: Annotated[
        Count | None,
        Meta(description="milliseconds since the device started, by a clock that cannot be set (lines of the agent)"),
    ] = None

    @property
    def kind(self) -> str:
        """The kind, a key of `FILES`: access, transform ..."""
        return str(self.__struct_config__.tag)

    @property
    def on_host_clock(self) -> bool:
        """Whether `at` is on the host's clock; otherwise it is on the device's."""
        return False


class Access(Line, kw_only=True, frozen=True):
    """Personal data read through an API (accesses.jsonl, by the agent)."""

    unsaid: ClassVar[tuple[str, ...]] = (*Line.unsaid, "stack_cut", "owners")

    source: Annotated[
        str, Meta(description="android.telephony.TelephonyManager.getLine1Number; libc.so!__system_property_get")
    ]
    target: Annotated[str | None, Meta(description="what was asked for, if the API is general: a URI, a key")] = None
    data: Annotated[DataType, Meta(description="data type code of the source")]
    values: Annotated[tuple[Value, ...], Meta(description="what the API returned")] = ()
    outcome: Literal["returned", "empty", "denied", "threw", "requested"]
    args: Annotated[dict[str, Any] | None, Meta(description="the arguments that matter, shortened")] = None
    stack: Annotated[
        tuple[str, ...], Meta(description="frames, innermost first: package.Class.method(File.java:12)")
    ] = ()
    stack_cut: Annotated[
        Literal["long", "thinned"] | None,
        Meta(
            description="why frames are missing: long: only the innermost are kept; thinned: no stack was "
            "taken, to save the app's time"
        ),
    ] = None
    owners: Owners = ()
    thread: str | None = None
    count: Annotated[int, Meta(ge=1, description="identical calls that this line stands for")] = 1
    until: Annotated[Time | None, Meta(description="time of the last of them")] = None


class Transform(Line, kw_only=True, frozen=True):
    """A digest, MAC, cipher, compressor or encoder that the app called (transforms.jsonl, by the agent)."""

    unsaid: ClassVar[tuple[str, ...]] = (*Line.unsaid, "owners")

    op: Literal["digest", "mac", "encrypt", "decrypt", "compress", "encode"]
    algorithm: Annotated[str, Meta(description="SHA-256, AES/CBC/PKCS5Padding, gzip")]
    input: Blob
    output: Blob
    key: Blob | None = None
    iv: Blob | None = None
    stack: tuple[str, ...] = ()
    owners: Owners = ()
    thread: str | None = None


class Connection(Line, kw_only=True, frozen=True):
    """A socket that the app opened, used from other code, or closed (connections.jsonl, by the agent)."""

    unsaid: ClassVar[tuple[str, ...]] = (*Line.unsaid, "owners")

    op: Annotated[
        Literal["connect", "write", "close"],
        Meta(description="write: code other than what connected starts a request on it; close: it was closed"),
    ] = "connect"
    local: Endpoint
    remote: Endpoint
    host: str | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    stack: tuple[str, ...] = ()
    owners: Owners = ()
    thread: str | None = None
    sent: Annotated[Count | None, Meta(description="bytes sent until then; null: not counted")] = None
    announced: Annotated[
        str | None, Meta(description="name by which the agent redirected it to the proxy; null: it did not")
    ] = None


class Tls(Part, kw_only=True, frozen=True):
    """TLS parameters of an upload, between the device and the proxy."""

    version: str | None = None
    sni: str | None = None
    alpn: str | None = None


class Upload(Line, kw_only=True, frozen=True):
    """A message that left the device (uploads.jsonl, by the addon; by the agent for SMS and other exits)."""

    unsaid: ClassVar[tuple[str, ...]] = (*Line.unsaid, "owners", "answered", "tls_unknown")

    via: Literal["http", "websocket", "tcp", "udp", "dns", "sms", "intent", "bluetooth", "nfc"]
    method: str | None = None
    url: str | None = None
    host: Annotated[str | None, Meta(description="the authority asked for (SNI or Host), not only an address")] = None
    headers: Annotated[tuple[tuple[str, str], ...], Meta(description="[name, value] in the order sent")] = ()
    body: Annotated[Sha256 | None, Meta(description="sha256 of the body as it left the device; null when empty")] = None
    size: Annotated[int, Meta(ge=0, description="bytes of the body")] = 0
    type: Annotated[str | None, Meta(description="Content-Type")] = None
    truncated: Annotated[bool, Meta(description="the stored body is only a beginning; a gap says so too")] = False
    client: Endpoint | None = None
    server: Endpoint | None = None
    tls: Annotated[Tls | None, Meta(description="null for cleartext")] = None
    status: Annotated[int | None, Meta(description="response status, null when none came")] = None
    stack: Annotated[tuple[str, ...], Meta(description="only in lines of the agent")] = ()
    owners: Owners = ()
    announced: Annotated[
        str | None,
        Meta(description="name by which the agent redirected the connection to the proxy (`announced` of its line)"),
    ] = None
    answered: Annotated[
        bool | None,
        Meta(description="for what has no status: whether anything came back; null: nobody looked"),
    ] = None
    tls_unknown: Annotated[
        bool, Meta(description="whether TLS protected it is unknown: it may have been decrypted before the capture")
    ] = False

    @property
    def by_agent(self) -> bool:
        """Whether the agent wrote it, with times of the device's clock; the proxy never knows which process a
        connection belongs to."""
        return (self.app is not None and self.pid is not None) or self.via in ("sms", "intent", "bluetooth", "nfc")

    @property
    def cleartext(self) -> bool:
        """Whether it is known to have crossed a network without TLS."""
        named = (self.url or "").partition(":")[0].lower() in ("https", "wss")
        on_network = self.via in ("http", "websocket", "tcp")
        return on_network and self.tls is None and not self.tls_unknown and not named

    @property
    def unanswered(self) -> bool:
        """Whether no response was seen, so that it is unknown whether the upload arrived."""
        if self.via == "http":
            return self.status is None and not self.answered
        return self.answered is False

    @property
    def on_host_clock(self) -> bool:
        """True for lines of the proxy."""
        return not self.by_agent


Scope = Literal[
    "general_policy",
    "sensitive_separate",
    "third_party_separate",
    "cross_border_separate",
    "minor_guardian",
    "ads_tracking",
    "system_permission",
]
"""What a consent covers."""

Signal = Literal[
    "dialog",
    "tap",
    "operator",
    "preference",
    "sdk_call",
    "permission_prompt",
    "permission_result",
    "iab_tcf",
    "iab_gpp",
]
"""How a consent was observed."""

ConsentState = Literal["requested", "given", "refused", "withdrawn", "dismissed", "gone"]
"""`dismissed`: closed without an answer; `gone`: no longer seen, and its answer was not seen either."""


class Consent(Line, kw_only=True, frozen=True):
    """What the user was asked and decided, and permissions (consents.jsonl, by the agent, the host, or an operator)."""

    signal: Signal
    status: ConsentState
    scope: Scope = "general_policy"
    data: Annotated[tuple[DataType, ...] | None, Meta(description="data type codes, or null for all")] = None
    by: Annotated[
        Literal["user", "operator", "assistant", "app"],
        Meta(description="app: the app merely claims it; assistant: a program marked it for a person"),
    ]
    text: Annotated[str | None, Meta(description="the label touched, the key set, or the permission")] = None
    note: Annotated[str | None, Meta(description="free text for people: nothing is concluded from it")] = None
    stack: Annotated[tuple[str, ...], Meta(description="the code that called the SDK")] = ()
    clock: Annotated[
        Literal["host", "device"] | None,
        Meta(description="whose clock `at` is on; null: the host's if an operator noted it, else the device's"),
    ] = None
    corrects: Annotated[
        Ref | None, Meta(description="the earlier line that this one replaces, whatever its time (a corrected mark)")
    ] = None
    retracts: Annotated[
        Ref | None, Meta(description="the earlier line that is withdrawn: neither it nor this one counts; same status")
    ] = None
    ticked: Annotated[
        bool | None,
        Meta(description="whether the dialog's box was ticked when the dialog appeared or, for a tap, at the tap"),
    ] = None
    at_start: Annotated[bool | None, Meta(description="the app had stored the entry before this run")] = None
    value: Annotated[str | None, Meta(description="what the app told an SDK; null: an early recording")] = None

    @property
    def on_host_clock(self) -> bool:
        """Whether `at` is on the host's clock: as `clock` says; without it, only an operator's mark is."""
        if self.clock is not None:
            return self.clock == "host"
        return "operator" in (self.by, self.signal)


MARKERS = frozenset({"operator", "assistant"})
"""Authors of marks: a person at the host, or a program that acts for one."""
LIST_ID, ITEM_ID = r"^[a-z][a-z0-9-]{0,39}$", r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"
"""Patterns for the ids of checklists and of their items."""


class AnsweredItem(Part, kw_only=True, frozen=True, omit_defaults=True):
    """A person's answer to an item of a checklist."""

    checklist: Annotated[str, Meta(pattern=LIST_ID, description="id of the list: cn-164")]
    item: Annotated[str, Meta(pattern=ITEM_ID, description="number of the item, as the list has it")]
    answer: Literal["pass", "fail"]
    who: Annotated[str | None, Meta(description="who looked at it")] = None
    note: Annotated[str | None, Meta(description="what was seen, in that person's words")] = None


class Phase(Line, kw_only=True, frozen=True):
    """A state that the app or the screen entered (phases.jsonl, by the agent, the host, or an operator)."""

    unsaid: ClassVar[tuple[str, ...]] = (*Line.unsaid, "answered")

    state: Literal["started", "exited", "foreground", "background", "screen_on", "screen_off", "mark"]
    text: Annotated[str | None, Meta(description="text of a mark, or how a process ended")] = None
    by: Annotated[
        Literal["operator"] | None,
        Meta(description="operator: a person typed the text, and nothing is concluded from it"),
    ] = None
    answered: Annotated[AnsweredItem | None, Meta(description="the checklist item that an operator's mark answers")] = (
        None
    )

    @property
    def on_host_clock(self) -> bool:
        """True for marks without a process: the host makes them."""
        return self.state == "mark" and self.pid is None


class Check(Part, kw_only=True, frozen=True):
    """A checkbox or switch."""

    text: str
    checked: bool


class Window(Part, kw_only=True, frozen=True, omit_defaults=True):
    """The texts and elements of one window."""

    package: Annotated[str | None, Meta(description="package of the window; null: the observed app")] = None
    texts: Annotated[tuple[str, ...], Meta(description="texts that cannot be touched, from top to bottom")] = ()
    labels: Annotated[tuple[str, ...], Meta(description="what can be touched")] = ()
    checks: Annotated[tuple[Check, ...], Meta(description="boxes to tick, and switches")] = ()
    ids: Annotated[
        tuple[str, ...],
        Meta(description="names of its elements: the part after `:id/`; for a web page, the whole id"),
    ] = ()


class Touch(Part, kw_only=True, frozen=True, omit_defaults=True):
    """The element that was touched."""

    label: str
    id: Annotated[str | None, Meta(description="name of the element, if it has one")] = None
    ticked: Annotated[
        bool | None, Meta(description="state of a box or switch before the touch; null: it is neither")
    ] = None
    by: Annotated[
        Literal["user", "app", "plan", "operator"],
        Meta(description="user: a finger or a key; app: its own code; plan, operator: who acts as the user"),
    ]


class Screen(Line, kw_only=True, frozen=True):
    """What the user saw and touched: raw facts from which consent is judged (screens.jsonl, by host and agent)."""

    unsaid: ClassVar[tuple[str, ...]] = (
        *Line.unsaid, "what", "windows", "touched", "number", "since", "stack", "owners",
    )  # fmt: skip

    what: Annotated[
        Literal["look", "dialog", "page", "touch", "dismiss", "cancel"] | None,
        Meta(
            description="look: the screen has changed, or is still the same; dialog, page: it appeared; touch: of "
            "what `touched` says; dismiss: the app closed a dialog; cancel: the back key, or a touch beside it; "
            "absent: a picture, from which nothing is concluded"
        ),
    ] = None
    windows: Annotated[
        tuple[Window, ...], Meta(description="for a look, all windows; otherwise the one that the line is about")
    ] = ()
    touched: Touch | None = None
    number: Annotated[
        int | None, Meta(description="number of a dialog in its process, the same when it appears and when it ends")
    ] = None
    since: Annotated[Time | None, Meta(description="when the content of the previous look was last seen")] = None
    stack: Annotated[tuple[str, ...], Meta(description="the code that showed or touched it")] = ()
    owners: Owners = ()
    package: Annotated[str | None, Meta(description="package of the topmost window, if known")] = None
    activity: Annotated[str | None, Meta(description="its activity, if known")] = None
    tree: Annotated[Sha256 | None, Meta(description="the window's hierarchy, XML as uiautomator writes it")] = None
    image: Annotated[Sha256 | None, Meta(description="the picture, PNG or JPEG as its first bytes say")] = None
    film: Annotated[Sha256 | None, Meta(description="film of the screen from then on, MP4")] = None
    why: Annotated[
        Literal["consent", "finding", "plan", "operator", "change"],
        Meta(
            description="consent: it asks a question; plan: who acts as the user touches it or leaves it alone; "
            "change: it appeared, was touched, or went away"
        ),
    ]
    by: Annotated[Literal["host", "agent"], Meta(description="who looked; `at` is on its clock")]
    note: Annotated[str | None, Meta(description="free text for people: what was touched there, and why")] = None

    @property
    def on_host_clock(self) -> bool:
        """True when the host observed it."""
        return self.by == "host"


class Witness(Line, kw_only=True, frozen=True):
    """What the system itself counted for the app (witnesses.jsonl, by the device); times are on the device's clock."""

    by: Annotated[
        Literal["appops", "location", "netstats", "exit_info", "logcat", "processes", "control"],
        Meta(description="which part of the system counted; control: a run without hooks, before this one"),
    ]
    subject: Annotated[
        str | None,
        Meta(description="what it counted: an AppOps op, a location provider, an event, a reason, a host"),
    ] = None
    data: Annotated[DataType | None, Meta(description="data type code that was accessed, if there is one")] = None
    count: Annotated[Count | None, Meta(description="how often")] = None
    size: Annotated[Count | None, Meta(description="bytes sent")] = None
    received: Annotated[Count | None, Meta(description="bytes received")] = None
    since: Annotated[Time | None, Meta(description="time of the first, or when counting began")] = msgspec.field(
        default=None, name="from"
    )
    until: Annotated[Time | None, Meta(description="time of the last, or when counting ended")] = None
    tag: Annotated[str | None, Meta(description="attribution tag: the app's own name for its part that did it")] = None
    on_behalf: Annotated[
        str | None, Meta(description="the package that asked the system on the app's behalf; null: the app itself")
    ] = None
    detail: Annotated[str | None, Meta(description="what else the system reported, for people")] = None
    raw: Annotated[Blob | None, Meta(description="what the system printed about it")] = None


class Gap(Line, kw_only=True, frozen=True):
    """What could not be observed, and why (gaps.jsonl, by all producers)."""

    unsaid: ClassVar[tuple[str, ...]] = (*Line.unsaid, "body")

    where: Literal["hook", "proxy", "device", "clock", "correlate"]
    subject: Annotated[str, Meta(description="a source, a host, a process, a line of the recording")]
    why: Literal[
        "class_absent",
        "method_absent",
        "install_failed",
        "hook_error",
        "hook_lost",
        "process_not_instrumented",
        "detached",
        "tls_refused",
        "not_decrypted",
        "protocol_unsupported",
        "body_truncated",
        "overflow",
        "decode_limit",
        "no_clock",
        "not_observed",
        "quota",
        "refused",
        "missed",
        "thinned",
        "forgotten",
    ]
    detail: str | None = None
    until: Time | None = None
    client: Annotated[Endpoint | None, Meta(description="the device's end of the connection")] = None
    sni: Annotated[str | None, Meta(description="the name that the client asked for in its TLS handshake")] = None
    alert: Annotated[
        str | None, Meta(description="TLS alert that ended the connection, in OpenSSL's words: unknown ca")
    ] = None
    announced: Annotated[
        str | None, Meta(description="name by which the agent redirected the connection to the proxy")
    ] = None
    body: Annotated[Sha256 | None, Meta(description="stored bytes of an upload whose line was lost, in bodies/")] = None


LIMITS = frozenset({"class_absent", "method_absent"})
"""Reasons for hook gaps that are limits of the device: it has no such class or method, in any run."""
WHOLE_RUN = "run"
"""Subject of a device gap for a run that was cut short or too short, or in which nothing of the app was seen."""


def is_limit(gap: Gap) -> bool:
    """Whether a gap is a limit of the device rather than of one run: a missing class or method cannot be called."""
    return gap.where == "hook" and gap.why in LIMITS


Event = Access | Transform | Connection | Upload | Consent | Phase | Screen | Witness | Gap
KINDS: tuple[type[Event], ...] = (Access, Transform, Connection, Upload, Consent, Phase, Screen, Witness, Gap)
FILES: dict[str, str] = {
    "access": "accesses.jsonl",
    "transform": "transforms.jsonl",
    "connection": "connections.jsonl",
    "upload": "uploads.jsonl",
    "consent": "consents.jsonl",
    "phase": "phases.jsonl",
    "screen": "screens.jsonl",
    "witness": "witnesses.jsonl",
    "gap": "gaps.jsonl",
}
"""kind -> the file of a recording that holds its lines."""


def kind_of(type_: type[Line]) -> str:
    """The kind of lines that a class stands for."""
    return type_.__name__.lower()


@cache
def _times(kind: type[Part]) -> dict[str, str]:
    """The time fields of a class -> their names in a line."""
    fields = msgspec.structs.fields(kind)
    return {each.name: each.encode_name for each in fields if each.name in {"at", "arrived", "until", "since"}}


_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def salt() -> str:
    """A salt of 128 random bits, in hex."""
    return os.urandom(16).hex()


def salted(events: Sequence[Part]) -> Iterator[bytes]:
    """Events as lines to be recorded, without newlines. A random salt is added to each, so that once the line is
    forgotten, nobody can confirm a guess at its content by its digest."""
    salts = os.urandom(16 * len(events)).hex().encode()
    for index, event in enumerate(events):
        yield b'%b,"salt":"%b"}' % (msgspec.json.encode(tree(event))[:-1], salts[32 * index : 32 * index + 32])


_TOMBSTONE = re.compile(rb'\{"v":1,"kind":"[a-z]+","forgotten":(?:"([0-9a-f]{64})"|null)\}\n?\Z')


def tombstone(kind: str, sha256: str | None) -> bytes:
    """The tombstone that replaces a forgotten line, without newline; `sha256` is the digest of the original line
    including its newline."""
    digest = "null" if sha256 is None else f'"{sha256}"'
    return f'{{"v":1,"kind":"{kind}","forgotten":{digest}}}'.encode()


def forgotten(line: bytes) -> str | None:
    """The digest that a tombstone states for the line it replaced, empty if it states none; None if the line is not a
    tombstone."""
    found = _TOMBSTONE.match(line)
    return (found[1] or b"").decode() if found else None


class BadLine(ValueError):
    """A line that does not fit the contract; the message says in one line what was expected."""


def parse(line: bytes | str) -> Event:
    """Parse one line of a recording as an event.

    Raises BadLine when it is not JSON, not of a known kind, or has a field value that the contract does not allow.
    """
    try:
        text = line.decode() if isinstance(line, bytes) else line
        try:
            return _settled(_DECODER.decode(text))
        except msgspec.ValidationError:
            # retry without nulls, which a producer may write for what it does not know
            fields = msgspec.json.decode(text, type=dict[str, Any])
            event: Event = msgspec.convert({key: each for key, each in fields.items() if each is not None}, Event)
            return _settled(event)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        raise BadLine(f"{where.rstrip('`').removeprefix('.')}: {what[:200]}" if where.strip("`") else what) from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadLine(f"not JSON: {error}") from None
    except RecursionError:
        raise BadLine("nested too deeply") from None
    except OverflowError:
        raise BadLine("a time beyond the years that UTC can express") from None


def _settled[Kind: Part](part: Kind) -> Kind:
    """A line with its times in UTC. Raises BadLine for a time that could leave the calendar when converted to
    another clock."""
    for name, key in _times(type(part)).items():
        at = getattr(part, name)
        if at is None:
            continue
        if at.tzinfo is not UTC:
            part = msgspec.structs.replace(part, **{name: at.astimezone(UTC)})
            at = getattr(part, name)
        if not EARLIEST.year <= at.year < LATEST.year:
            raise BadLine(f"{key}: a time outside the years {EARLIEST.year} to {LATEST.year}")
    return part


def made[Kind: Part](kind: type[Kind], given: object) -> Kind:
    """A line, or a part of one, from its fields by name. Raises ValueError when it does not fit the contract."""
    return given if isinstance(given, kind) else _settled(msgspec.convert(given, kind))


def tree(part: Part) -> dict[str, Any]:
    """A line or a part of one as a JSON tree."""
    found: dict[str, Any] = msgspec.to_builtins(part, enc_hook=english)
    for name, key in _times(type(part)).items():
        if (at := getattr(part, name)) is not None and (not at.microsecond or at.tzinfo is not UTC):
            found[key] = format_time(at)  # msgspec leaves out microseconds that are zero
    for name in part.unsaid:
        if found[name] in (None, ()):
            del found[name]
    return found


def dump(event: Part) -> str:
    """An event as one line of JSON, without the newline. Raises ValueError for a string with a lone surrogate."""
    return msgspec.json.encode(tree(event)).decode()


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) for a line of a recording, of any kind."""
    return schema_of(KINDS, "A line of an appwitness recording, version 1")


def schema_of(kinds: Iterable[Any], title: str) -> dict[str, Any]:
    """JSON Schema (2020-12) for a line of one of these kinds."""
    shapes, parts = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "anyOf": list(shapes),
        "$defs": parts,
    }


def _without_refs(shape: Any, known: Mapping[str, Any]) -> Any:
    """A JSON Schema with its references resolved in place."""
    if isinstance(shape, list):
        return [_without_refs(each, known) for each in shape]
    if not isinstance(shape, dict):
        return shape
    if "$ref" in shape:
        rest = {name: value for name, value in shape.items() if name != "$ref"}
        return {**_without_refs(known[shape["$ref"].rsplit("/", 1)[1]], known), **rest}
    return {name: _without_refs(value, known) for name, value in shape.items()}


class AppIdentity(Record):
    """The app that a run observed."""

    package: str
    version: str | None = None
    version_code: int | None = None
    apk_sha256: str | None = None
    certificate_sha256: str | None = Field(default=None, description="sha256 of the signing certificate")
    facts: dict[str, Any] = Field(
        default_factory=dict,
        description="facts from its package: digests of its files, target_sdk, permissions, sdks ...",
    )


class ObtainedApp(Record):
    """Where the app's file came from, according to the operator."""

    store: str | None = Field(default=None, description="store or other source: Google Play, F-Droid, the maker's site")
    account: str | None = Field(default=None, description="store account with which it was fetched")
    link: str | None = None
    at: str | None = Field(default=None, description="when it was fetched")


class DeviceImage(Record):
    """The image that the device runs, according to the operator."""

    link: str | None = None
    sha256: Annotated[str, Field(pattern=_SHA256)] | None = None


class DeviceIdentity(Record):
    """The device that a run was made on."""

    serial: str
    model: str | None = None
    release: str | None = Field(default=None, description="Android release")
    api_level: int | None = None
    kind: Literal["emulator", "phone", "lab", "unknown"] = Field(
        description="unknown: a foreign file was imported, and nobody said which device it came from"
    )
    facts: dict[str, str] = Field(
        default_factory=dict,
        description="facts about its build, and what matters for hooks and trust: fingerprint, abis, selinux ...",
    )


class SourceCount(Record):
    """Number of sources that were to be hooked, by outcome: `known` is the sum of the others."""

    known: int = Field(default=0, description="sources that the run was to hook")
    installed: int = Field(default=0, description="hooked")
    waiting: int = Field(default=0, description="to be hooked when their class is loaded, which never happened")
    absent: int = Field(default=0, description="this device has no such class or method")
    failed: int = Field(default=0, description="the hook could not be installed")


def count_sources(states: Mapping[str, str]) -> SourceCount:
    """Count sources by their states (name -> state); the only place where this is done."""
    kinds = Counter("absent" if state.endswith("_absent") else state for state in states.values())
    named = {name: kinds[name] for name in ("installed", "waiting", "absent")}
    return SourceCount(known=len(states), **named, failed=len(states) - sum(named.values()))


Missing = Literal["values", "uploads", "consent", "check"]
"""What a clean result requires: values to look for, read by the app or given; uploads to search; what the user decided;
and hooks that passed the agent's self-test."""


class Observers(Record):
    """The observers of a run; reports say nothing about what no observer covered."""

    hooks: bool = Field(default=False, description="hooks in the app logged its reads")
    proxy: bool = Field(default=False, description="a proxy or a capture recorded what was sent")
    consent: bool = Field(default=False, description="what the user was asked and decided was recorded")
    persona: Literal["planted", "declared"] | None = Field(
        default=None,
        description="values to look for: planted on the device for the run, or known only because somebody gave them",
    )
    hooks_failed: bool = Field(
        default=False,
        description="the agent's self-test did not see every call: others may be missing too",
    )
    witnesses: bool = Field(default=False, description="the system's own counts were recorded (witnesses.jsonl)")
    stamped: Literal["during", "at_import"] = Field(
        default="during", description="when the stamps were made: during the run, or when files were imported"
    )

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What a clean result would require but no observer covered."""
        there: dict[Missing, bool] = {
            "values": self.hooks or self.persona is not None,
            "uploads": self.proxy,
            "consent": self.consent,
            "check": not self.hooks_failed,
        }
        return tuple(name for name, is_there in there.items() if not is_there)


class SourceFile(Record):
    """A foreign file that a recording was made from."""

    name: str = Field(description="its name, without its folder")
    size: int | None = Field(default=None, ge=0, description="bytes; null: not recorded")
    sha256: Sha256
    format: str | None = Field(default=None, description="what it was read as: har, flows, hooks, pcap")
    tool: str | None = Field(default=None, description="the program that made it, if the file says so")


class Change(Record):
    """One change that was made to a device for the run."""

    at: Time
    what: str
    before: str | None = Field(default=None, description="what was there")
    undone: Time | None = Field(default=None, description="when it was undone; null: it was not")


class OwnRequest(Record):
    """Network traffic that appwitness itself caused for the run."""

    what: Literal["time_stamp", "frida_build", "proxy_reached"] = Field(
        description="time_stamp: a digest to a time-stamp authority; frida_build: a download of a build of Frida; "
        "proxy_reached: an empty connection from the device, to see whether it reaches the proxy"
    )
    to: str = Field(description="host, or host and port")


class ClockReading(Record):
    """The result of one measurement of the device's clock."""

    at: Time = Field(description="when, on the host's clock")
    offset_ms: Milliseconds = Field(description="device minus host")
    uncertainty_ms: Milliseconds = Field(ge=0, description="the largest possible error: half of the round trip")


class SharedCopy(Record):
    """The origin of a shared copy: its personal values are replaced, and its stamps are its own."""

    of: str = Field(description="id of the original run")
    seal: Sha256 | None = Field(description="sha256 of the original's last stamp; null: it was never stamped")
    at: Time = Field(description="when the copy was made")


class Probe(Record):
    """The agent's self-test: it hooks methods of its own class and has them called like an app's."""

    hooked: int = Field(description="kinds of methods: constructor, static, instance, default")
    called: int = Field(description="calls that were made; 0: the class could not be created")
    seen: int = Field(description="calls that its hooks saw")
    missed: tuple[str, ...] = Field(default=(), description="kinds of methods of which a call was not seen")
    detail: str | None = Field(default=None, description="what else went wrong")
    ms: float | None = Field(default=None, description="its duration in milliseconds")

    @property
    def failed(self) -> bool:
        """Whether the self-test ran and a call was not seen or gave a wrong result."""
        return self.called > 0 and (self.seen < self.called or self.detail is not None)

    @property
    def problem(self) -> str | None:
        """What the self-test found wrong, or why it could not run; None when every call was seen."""
        if self.called == 0:
            return f"it could not be made: {self.detail or 'nothing was called'}"
        if self.seen < self.called:
            missed = f" ({', '.join(self.missed)})" if self.missed else ""
            besides = f"; {self.detail}" if self.detail else ""
            return f"of {self.called} calls of its own hooked methods the agent saw {self.seen}{missed}{besides}"
        return self.detail


class Run(Record):
    """run.json: the app, the device, times, versions, and what was changed and observed."""

    v: Literal[1] = 1
    id: str
    app: AppIdentity
    app_type: int | None = Field(default=None, description="number of the necessary-scope table")
    device: DeviceIdentity
    plan: Literal["accept", "refuse", "silent", "withdraw", "free"] = "free"
    observers: Observers = Field(
        default_factory=Observers, description="who watched; derived if an older recording does not say"
    )
    source: tuple[SourceFile, ...] = Field(default=(), description="the files from which an import was made")
    persona: tuple[Value, ...] = Field(
        default=(), description="values to look for; observers.persona says whether they were planted or declared"
    )
    hooks: Annotated[dict[str, str], BeforeValidator(lambda states: {} if states is None else states)] = Field(
        default_factory=dict,
        description="source -> state of its hooks: installed, waiting, class_absent, overload_absent, failed",
    )
    started: Annotated[Time, AfterValidator(_within)]
    ended: Annotated[Time, AfterValidator(_within)] | None = None
    clock_offset_ms: Milliseconds | None = Field(
        default=0,
        description="device minus host, milliseconds; null: nobody compared the clocks; left out: an early recording",
    )
    clock_uncertainty_ms: Milliseconds | None = Field(
        default=0,
        ge=0,
        description="largest error of that at any moment of the run, with drift; 0: not recorded; null: not known",
    )
    clock_drift_ms: Milliseconds | None = Field(default=None, description="how far the offset moved from start to end")
    clock: tuple[ClockReading, ...] = Field(default=(), description="the measurements at start and end")
    unpin: bool = Field(default=False, description="the agent made the app accept the proxy's certificate (--unpin)")
    unpinned: dict[str, Literal["installed", "met"]] = Field(
        default_factory=dict,
        description="certificate checks that are bypassed: installed, or met once the app used one",
    )
    sockets_watched: bool = Field(
        default=False,
        description="the agent saw every socket of the process: traffic from no such socket is another app's",
    )
    proxy: Endpoint | None = Field(default=None, description="where the proxy listened")
    changes: tuple[Change, ...] = Field(default=(), description="what was changed on the device, in order of time")
    requests: tuple[OwnRequest, ...] | None = Field(
        default=None, description="what appwitness itself sent over a network for the run; null: not recorded"
    )
    notes: tuple[str, ...] = Field(
        default=(),
        description="notes on the device's preparation that take nothing from what was observed",
    )
    route: dict[str, Any] = Field(
        default_factory=dict,
        description="how the device's traffic reached the proxy: way, why, sees, keeps_port, host, port, quic",
    )
    root: str | None = Field(default=None, description="how root was obtained: 27.0:MAGISKSU; null: it was not")
    user: int | None = Field(default=None, description="Android user that the app ran as; null: not asked")
    install_ms: int | None = Field(
        default=None,
        ge=0,
        description="milliseconds from the install command until all hooks were live; null: not reported",
    )
    times: dict[str, float] = Field(
        default_factory=dict,
        description="seconds since the start command: started, entered, loaded, let run",
    )
    probe: Probe | None = Field(
        default=None,
        description="the agent's self-test in the app's process; null: there was no agent, or it made none",
    )
    unhooked: str | None = Field(
        default=None,
        description="why there were no hooks in the app, and only its traffic was observed; null: there were",
    )
    tried: Literal["yes", "no"] | None = Field(
        default=None,
        description="whether tests have run the agent on the device's runtime (ART) and processor, in each kind of "
        "code that an app has there; null: not known",
    )
    versions: dict[str, str | None] = Field(default_factory=dict)
    operator: str | None = None
    campaign: str | None = Field(
        default=None, max_length=200, description="the campaign that it belongs to; null: none"
    )
    case: str | None = Field(
        default=None, description="number of the case that it belongs to, according to the operator"
    )
    place: str | None = Field(default=None, description="where it was made, according to the operator")
    equipment: str | None = Field(default=None, description="what it was made with, according to the operator")
    obtained: ObtainedApp | None = Field(default=None, description="where the app came from, according to the operator")
    image: DeviceImage | None = Field(default=None, description="the device's image, according to the operator")
    shared: SharedCopy | None = Field(
        default=None, description="the original of a copy in which personal values are replaced"
    )

    @property
    def clocks_compared(self) -> bool:
        """Whether times on the device's and the host's clock can be ordered. In an import they can only if all files
        are of one kind, whose times are on one clock."""
        if self.imported:
            return not (self.observers.hooks and self.observers.proxy)
        return self.clock_offset_ms is not None and self.clock_uncertainty_ms is not None

    @property
    def clock_bound_ms(self) -> float:
        """How far apart the clocks may be after correction by the offset; infinite if they were never compared."""
        return self.clock_uncertainty_ms or 0 if self.clocks_compared else math.inf

    @property
    def imported(self) -> bool:
        """Whether it was imported from foreign files, and appwitness observed nothing itself."""
        return self.observers.stamped == "at_import"

    @property
    def translated(self) -> tuple[str, str] | None:
        """The architectures of the app's machine code and of the device, if the device translates one to the other
        according to APKs and device; None if it does not, or if they do not say."""
        runs = [abi for abi in self.device.facts.get("abis", "").split(",") if abi]
        has = self.app.facts.get("abis") or ()
        taken = next((abi for abi in runs if abi in has), None)  # as Android chooses it
        return None if taken is None or taken.startswith("x86") == runs[0].startswith("x86") else (taken, runs[0])

    @model_validator(mode="before")
    @classmethod
    def _who_watched(cls, data: Any) -> Any:
        """Derive the observers of a recording that does not name them: an import, which names its files, or a live
        run."""
        if isinstance(data, dict):
            data = {
                name: value for name, value in data.items() if name != "salt"
            }  # it belongs to the file, not to the run
        if not isinstance(data, dict) or data.get("observers") is not None:
            return data
        data = dict(data)
        old = data.pop("imported", None)  # the name of `source` in early imports
        if isinstance(old, list) and not data.get("source"):
            data["source"] = [
                {"name": each.get("file"), **{key: each.get(key) for key in ("sha256", "format")}}
                if isinstance(each, dict)
                else each
                for each in old
            ]
        persona = bool(data.get("persona"))
        if old is None and not data.get("source"):
            planted: Literal["planted"] | None = "planted" if persona else None
            data["observers"] = Observers(hooks=True, proxy=True, consent=True, persona=planted)
            return data
        files = data.get("source")
        named = files if isinstance(files, list | tuple) else ()
        formats = {each.get("format") if isinstance(each, dict) else getattr(each, "format", None) for each in named}
        data["observers"] = observers_of(formats, declared=persona)
        device = data.get("device")
        if isinstance(device, dict) and (device.get("serial"), device.get("kind")) == ("unknown", "phone"):
            data["device"] = {**device, "kind": "unknown"}  # the default at that time; nobody had declared it
        return data


def observers_of(formats: Iterable[str | None], *, declared: bool) -> Observers:
    """The observers behind foreign files: a hook log has reads but no uploads, a capture uploads but no reads."""
    kinds = {each for each in formats if isinstance(each, str)}
    return Observers(
        hooks="hooks" in kinds,
        proxy=bool(kinds - {"hooks"}),
        persona="declared" if declared else None,
        stamped="at_import",
    )
