"""The recording contract, version 1: the kinds of line that producers write, and `parse` for any of them."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    model_validator,
)

INLINE_BYTES = 256
"""A blob of up to this many bytes stands in its line as base64; a longer one goes to bodies/."""

Ref = str
"""A line by name: `accesses.jsonl:17`, first line is 1. That is a line's identity; there are no generated ids."""

DataType = str
"""A code of catalog/data_types.yml, such as `phone_number`."""


def format_time(at: datetime) -> str:
    """An aware time as the contract writes it: RFC 3339, UTC, microseconds, trailing `Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2500, 1, 1, tzinfo=UTC)
LARGEST_OFFSET_MS = 1e13
"""About 300 years: more than any clock is off; with the bounds above, no sum of the two leaves the calendar."""


def _within(at: datetime) -> datetime:
    """A time as a producer may say it. Raises ValueError for one that would leave the calendar on another clock."""
    if not EARLIEST <= at < LATEST:
        raise ValueError(f"a time outside the years {EARLIEST.year} to {LATEST.year}")
    return at


Time = Annotated[
    AwareDatetime,
    AfterValidator(lambda at: at.astimezone(UTC)),
    PlainSerializer(format_time, return_type=str),
    Field(description="RFC 3339, UTC, microseconds, trailing Z; the producer's own clock"),
]
Milliseconds = Annotated[float, Field(ge=-LARGEST_OFFSET_MS, le=LARGEST_OFFSET_MS, allow_inf_nan=False)]
"""A difference between clocks."""
Stack = Annotated[tuple[str, ...], BeforeValidator(lambda stack: () if stack is None else stack)]
"""Frames, innermost first; null, which a producer may write for what it does not know, is read as no frames."""
Owners = Annotated[
    tuple[str | None, ...],
    BeforeValidator(lambda owners: () if owners is None else owners),
    Field(
        description="of each frame of the stack whose code it is, by its class loader or the path of its library: app, "
        "platform, the package that it came from, or null where nothing tells; absent: nobody said",
        exclude_if=lambda owners: not owners,
    ),
]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Record(BaseModel):
    """A frozen record. Fields that a later version adds are kept, so that nothing a producer said is lost."""

    model_config = ConfigDict(frozen=True, extra="allow")


class InlineBlob(Record):
    """Up to 256 bytes, in the line itself."""

    b64: str = Field(description="standard base64")


class StoredBlob(Record):
    """More than 256 bytes: stored in bodies/ under their digest."""

    body: Sha256 = Field(description="sha256 of the bytes, the name of the file in bodies/")
    size: int = Field(ge=0, description="bytes")


Blob = InlineBlob | StoredBlob


def blob(data: bytes) -> Blob:
    """The blob that stands for `data`; one of more than 256 bytes must also be put into bodies/."""
    if len(data) <= INLINE_BYTES:
        return InlineBlob(b64=base64.b64encode(data).decode("ascii"))
    return StoredBlob(body=hashlib.sha256(data).hexdigest(), size=len(data))


class Endpoint(Record):
    """One end of a connection."""

    ip: str
    port: int = Field(ge=0, le=65535)


class Value(Record):
    """One piece of personal data that an API returned, always as text."""

    type: DataType = Field(description="data type code; a location is one value `lat,lon`, decimal degrees WGS-84")
    text: str = Field(description="as the API gave it; numbers as text, all digits")
    row: int | None = Field(default=None, description="row of a cursor, from 0: values of one row belong together")


class Line(Record):
    """What every line of a recording carries."""

    v: Literal[1] = Field(default=1, description="version of the contract")
    at: Time
    app: str | None = Field(default=None, description="Android package; null where the producer cannot know")
    pid: int | None = Field(default=None, description="process on the device")
    arrived: Time | None = Field(
        default=None,
        exclude_if=lambda arrived: arrived is None,
        description="when a line of the agent came in, on the host's clock",
    )
    boot_ms: int | None = Field(
        default=None,
        ge=0,
        exclude_if=lambda boot_ms: boot_ms is None,
        description="milliseconds since the device was started, by its clock that nobody sets (lines of the agent)",
    )

    @property
    def on_host_clock(self) -> bool:
        """Whether `at` is on the host's clock; else it is on the device's."""
        return False


class Access(Line):
    """Personal data read through an API (accesses.jsonl, by the agent)."""

    kind: Literal["access"] = "access"
    source: str = Field(description="android.telephony.TelephonyManager.getLine1Number; libc.so!__system_property_get")
    target: str | None = Field(default=None, description="what was asked where the API is general: a URI, a key")
    data: DataType = Field(description="data type code of the source")
    values: tuple[Value, ...] = Field(default=(), description="what the API gave")
    outcome: Literal["returned", "empty", "denied", "threw", "requested"]
    args: dict[str, Any] | None = Field(default=None, description="the arguments that matter, small")
    stack: Stack = Field(default=(), description="frames, innermost first: package.Class.method(File.java:12)")
    stack_cut: Literal["long", "thinned"] | None = Field(
        default=None,
        exclude_if=lambda cut: cut is None,
        description="why frames are missing: the outermost were too many, or all for lack of the thread's time",
    )
    owners: Owners = ()
    thread: str | None = None
    count: int = Field(default=1, ge=1, description="identical calls that this line stands for")
    until: Time | None = Field(default=None, description="time of the last of them")


class Transform(Line):
    """A digest, MAC, cipher, compressor or encoder that the app called (transforms.jsonl, by the agent)."""

    kind: Literal["transform"] = "transform"
    op: Literal["digest", "mac", "encrypt", "decrypt", "compress", "encode"]
    algorithm: str = Field(description="SHA-256, AES/CBC/PKCS5Padding, gzip")
    input: Blob
    output: Blob
    key: Blob | None = None
    iv: Blob | None = None
    stack: Stack = ()
    owners: Owners = ()
    thread: str | None = None


class Connection(Line):
    """A socket that the app opened, or began to use from other code (connections.jsonl, by the agent)."""

    kind: Literal["connection"] = "connection"
    op: Literal["connect", "write", "close"] = Field(
        default="connect",
        description="write: other code than the one that connected starts a request on it; close: it is over",
    )
    local: Endpoint
    remote: Endpoint
    host: str | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    stack: Stack = ()
    owners: Owners = ()
    thread: str | None = None
    sent: int | None = Field(default=None, ge=0, description="bytes that went out until then; null: not counted")
    announced: str | None = Field(
        default=None, description="the name under which the agent led it to the proxy; null: it did not"
    )


class Tls(Record):
    """How an upload was protected between the device and the proxy."""

    version: str | None = None
    sni: str | None = None
    alpn: str | None = None


class Upload(Line):
    """A message that left the device (uploads.jsonl, by the addon; by the agent for SMS and other exits)."""

    kind: Literal["upload"] = "upload"
    via: Literal["http", "websocket", "tcp", "udp", "dns", "sms", "intent", "bluetooth", "nfc"]
    method: str | None = None
    url: str | None = None
    host: str | None = Field(default=None, description="the authority asked for (SNI or Host), not only an address")
    headers: tuple[tuple[str, str], ...] = Field(default=(), description="[name, value] in the order sent")
    body: Sha256 | None = Field(default=None, description="sha256 of the body as it left the device; null when empty")
    size: int = Field(default=0, ge=0, description="bytes of the body")
    type: str | None = Field(default=None, description="Content-Type")
    truncated: bool = Field(default=False, description="the stored body is only a beginning; a gap says so too")
    client: Endpoint | None = None
    server: Endpoint | None = None
    tls: Tls | None = Field(default=None, description="null for cleartext")
    status: int | None = Field(default=None, description="response status, null when none came")
    stack: Stack = Field(default=(), description="only where the producer is the agent")
    owners: Owners = ()
    announced: str | None = Field(
        default=None,
        description="the name under which the agent led the connection to the proxy (`announced` of its line)",
    )

    @property
    def by_agent(self) -> bool:
        """Whether the agent wrote it, on the device's clock: the proxy never knows whose a connection is."""
        return (self.app is not None and self.pid is not None) or self.via in ("sms", "intent", "bluetooth", "nfc")

    @property
    def on_host_clock(self) -> bool:
        """What the proxy wrote is."""
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
"""What a consent is about."""

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
"""How it was observed."""

ConsentState = Literal["requested", "given", "refused", "withdrawn", "dismissed", "gone"]
"""`dismissed`: closed without an answer; `gone`: no longer shown, and how it was answered was not seen."""


class Consent(Line):
    """What the user was asked and decided, and permissions (consents.jsonl, by agent, operator, screen)."""

    kind: Literal["consent"] = "consent"
    signal: Signal
    status: ConsentState
    scope: Scope = "general_policy"
    data: tuple[DataType, ...] | None = Field(default=None, description="data type codes, or null for all")
    by: Literal["user", "operator", "app"] = Field(description="an app that merely claims consent is `app`")
    text: str | None = Field(default=None, description="the label touched, the key set, the permission named")
    note: str | None = Field(default=None, description="free text for people: nothing is concluded from it")
    stack: Stack = Field(default=(), description="where an SDK call came from")
    clock: Literal["host", "device"] | None = Field(
        default=None,
        description="whose clock `at` is of; null: the host's for what an operator noted, else the device's",
    )
    corrects: Ref | None = Field(
        default=None, description="the earlier line that this one replaces, whatever its time: a corrected mark"
    )
    retracts: Ref | None = Field(
        default=None, description="the earlier line that never was: neither it nor this one counts; status as there"
    )
    ticked: bool | None = Field(
        default=None, description="of a dialog: its box was ticked when it appeared; of a tap: when it was tapped"
    )
    at_start: bool | None = Field(
        default=None, description="of what the app has in its store: it was there before this run"
    )

    @property
    def on_host_clock(self) -> bool:
        """Whose clock its time is of: as it says, else the host's for what an operator noted."""
        if self.clock is not None:
            return self.clock == "host"
        return "operator" in (self.by, self.signal)


class Phase(Line):
    """What state the app or the screen came into (phases.jsonl, by agent and device)."""

    kind: Literal["phase"] = "phase"
    state: Literal["started", "exited", "foreground", "background", "screen_on", "screen_off", "mark"]
    text: str | None = Field(default=None, description="text of a mark")
    by: Literal["operator"] | None = Field(
        default=None, description="operator: a person typed the text, and nothing is concluded from it"
    )

    @property
    def on_host_clock(self) -> bool:
        """A mark of no process was made on the host."""
        return self.state == "mark" and self.pid is None


class Screen(Line):
    """What the user saw, as raw facts from which consent can be judged again (screens.jsonl, by host and agent)."""

    kind: Literal["screen"] = "screen"
    package: str | None = Field(default=None, description="whose window was on top, where that is known")
    activity: str | None = Field(default=None, description="its activity, where that is known")
    tree: Sha256 | None = Field(default=None, description="the window's hierarchy, XML as uiautomator writes it")
    image: Sha256 | None = Field(default=None, description="the picture, PNG or JPEG as its first bytes say")
    film: Sha256 | None = Field(default=None, description="what was on the screen from then on, MP4")
    why: Literal["consent", "finding", "plan", "operator"] = Field(
        description="consent: a question is on it; plan: whoever plays the user touches it or leaves it alone"
    )
    by: Literal["host", "agent"] = Field(description="who looked; it tells whose clock `at` is of")
    note: str | None = Field(default=None, description="free text for people: what was touched there, and why")

    @property
    def on_host_clock(self) -> bool:
        """As whoever looked says."""
        return self.by == "host"


class Witness(Line):
    """What the system itself counted of the app (witnesses.jsonl, by the device); its times are the device's."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    kind: Literal["witness"] = "witness"
    by: Literal["appops", "location", "netstats", "exit_info", "logcat", "processes", "control"] = Field(
        description="which part of the system counted; control: a run without hooks, before this one"
    )
    subject: str | None = Field(
        default=None, description="what it counted: an op of AppOps, a provider of places, an event, a reason, a host"
    )
    data: DataType | None = Field(default=None, description="data type code that was accessed, where there is one")
    count: int | None = Field(default=None, ge=0, description="how often")
    size: int | None = Field(default=None, ge=0, description="bytes sent")
    received: int | None = Field(default=None, ge=0, description="bytes received")
    since: Time | None = Field(default=None, alias="from", description="the first of them, or when counting began")
    until: Time | None = Field(default=None, description="the last of them, or when counting ended")
    tag: str | None = Field(default=None, description="the app's own name for the part of it that did it (attribution)")
    on_behalf: str | None = Field(
        default=None, description="the package that asked the system on the app's behalf; null: the app itself"
    )
    detail: str | None = Field(default=None, description="what else the system said, for people")
    raw: Blob | None = Field(default=None, description="what the system printed of it")


class Gap(Line):
    """What could not be observed, and why (gaps.jsonl, by everybody)."""

    kind: Literal["gap"] = "gap"
    where: Literal["hook", "proxy", "device", "clock", "correlate"]
    subject: str = Field(description="a source, a host, a process, a line of the recording")
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
    ]
    detail: str | None = None
    until: Time | None = None
    client: Endpoint | None = Field(default=None, description="the device's end of the connection that it is about")
    sni: str | None = Field(default=None, description="the name that the client asked for in its TLS handshake")
    alert: str | None = Field(default=None, description="TLS alert that ended it, in OpenSSL's words: unknown ca")
    announced: str | None = Field(
        default=None, description="the name under which the agent led the connection that it is about to the proxy"
    )


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
"""kind -> the file of a recording that holds it."""

_any: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


class BadLine(ValueError):
    """A line that is not a line of the contract; the message says what was expected, in one line."""


def parse(line: bytes | str) -> Event:
    """One line of a recording as its event.

    Raises BadLine when it is not JSON, not one of these kinds, or has a field that the contract does not allow.
    """
    try:
        event = _any.validate_json(line)
        since = event.since if isinstance(event, Witness) else None
        for at in (event.at, since, event.until if isinstance(event, Access | Witness | Gap) else None):
            if at is not None:
                _within(at)
        return event
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadLine(f"{where}: {first['msg']}" if where else first["msg"]) from None
    except OverflowError:
        raise BadLine("a time that has no year in UTC") from None
    except ValueError as error:
        raise BadLine(str(error)) from None


def dump(event: Event) -> str:
    """An event as one line of JSON, without the newline."""
    return event.model_dump_json()


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a line of a recording, any kind."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of an appwitness recording, version 1",
        **_any.json_schema(mode="serialization"),
    }


class AppIdentity(Record):
    """Which app a run observed."""

    package: str
    version: str | None = None
    version_code: int | None = None
    apk_sha256: str | None = None
    certificate_sha256: str | None = Field(default=None, description="sha256 of the signing certificate")
    facts: dict[str, Any] = Field(
        default_factory=dict,
        description="what its package says: digests of its files, target_sdk, permissions, sdks ...",
    )


class DeviceIdentity(Record):
    """Which device a run was made on."""

    serial: str
    model: str | None = None
    release: str | None = Field(default=None, description="Android release")
    api_level: int | None = None
    kind: Literal["emulator", "phone", "lab", "unknown"] = Field(
        description="unknown: a foreign file was imported, and nobody said what it was taken from"
    )
    facts: dict[str, str] = Field(
        default_factory=dict,
        description="what it says of its build, and what bears on hooks and trust: fingerprint, abis, selinux ...",
    )


class SourceCount(Record):
    """How many sources were to be hooked, and what became of them: `known` is the sum of the others."""

    known: int = Field(default=0, description="sources that the run was to hook")
    installed: int = Field(default=0, description="hooked")
    waiting: int = Field(default=0, description="to be hooked as soon as their class is loaded, which it never was")
    absent: int = Field(default=0, description="this device has no such class or method")
    failed: int = Field(default=0, description="the hook could not be installed")


def count_sources(states: Mapping[str, str]) -> SourceCount:
    """The one count of sources, from their states by name."""
    kinds = Counter("absent" if state.endswith("_absent") else state for state in states.values())
    named = {name: kinds[name] for name in ("installed", "waiting", "absent")}
    return SourceCount(known=len(states), **named, failed=len(states) - sum(named.values()))


Missing = Literal["values", "uploads", "consent", "check"]
"""What a clean result needs: reads or values to look for, uploads to look into, what the user had decided, and hooks
that did not fail the agent's check of itself."""


class Observers(Record):
    """Who watched: what nobody watched, no report speaks of."""

    hooks: bool = Field(default=False, description="hooks in the app logged its reads")
    proxy: bool = Field(default=False, description="a proxy or a capture recorded what was sent")
    consent: bool = Field(default=False, description="what the user was asked and decided was watched")
    persona: Literal["planted", "declared"] | None = Field(
        default=None,
        description="values to look for: planted on the device for the run; or known from somebody's word alone",
    )
    hooks_failed: bool = Field(
        default=False,
        description="not every call was seen in the agent's check of itself: others may be missing too",
    )
    witnesses: bool = Field(default=False, description="the system's own counts were recorded (witnesses.jsonl)")
    stamped: Literal["during", "at_import"] = Field(
        default="during", description="when the stamps were made: while the run went on; or when files were imported"
    )

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What a clean result would need, and nobody observed."""
        there: dict[Missing, bool] = {
            "values": self.hooks or self.persona is not None,
            "uploads": self.proxy,
            "consent": self.consent,
            "check": not self.hooks_failed,
        }
        return tuple(name for name, is_there in there.items() if not is_there)


class SourceFile(Record):
    """A foreign file that a recording was made of."""

    name: str = Field(description="as it was called, without its folder")
    size: int | None = Field(default=None, ge=0, description="bytes; null: not recorded")
    sha256: Sha256
    format: str | None = Field(default=None, description="what it was read as: har, flows, hooks, pcap")
    tool: str | None = Field(default=None, description="the program that made it, where the file says so")


class Change(Record):
    """One thing that was changed on a device for the run."""

    at: Time
    what: str
    before: str | None = Field(default=None, description="what was there")
    undone: Time | None = Field(default=None, description="when it was taken back; null: it was not")


class ClockReading(Record):
    """The result of one measurement of the device's clock."""

    at: Time = Field(description="when, on the host's clock")
    offset_ms: Milliseconds = Field(description="device minus host")
    uncertainty_ms: Milliseconds = Field(
        ge=0, description="how wrong that can be at most: half of the way there and back"
    )


class Probe(Record):
    """The agent's check of itself: methods of a class of its own that it hooked, and had called as an app's are."""

    hooked: int = Field(description="kinds of methods: constructor, static, instance, default")
    called: int = Field(description="calls that were made; 0: the class could not be made here")
    seen: int = Field(description="calls that its hooks saw")
    missed: tuple[str, ...] = Field(default=(), description="the kinds of which a call was not seen")
    detail: str | None = Field(default=None, description="what went wrong besides")
    ms: float | None = Field(default=None, description="milliseconds that it took")

    @property
    def failed(self) -> bool:
        """Whether it was made, and not each call was seen and got its own result."""
        return self.called > 0 and (self.seen < self.called or self.detail is not None)

    @property
    def problem(self) -> str | None:
        """What it found wrong, or why it could not be made; None when each call was seen."""
        if self.called == 0:
            return f"it could not be made: {self.detail or 'nothing was called'}"
        if self.seen < self.called:
            missed = f" ({', '.join(self.missed)})" if self.missed else ""
            besides = f"; {self.detail}" if self.detail else ""
            return f"of {self.called} calls of its own hooked methods the agent saw {self.seen}{missed}{besides}"
        return self.detail


class Run(Record):
    """run.json: who, what, when, which device, which versions."""

    v: Literal[1] = 1
    id: str
    app: AppIdentity
    app_type: int | None = Field(default=None, description="number of the necessary-scope table")
    device: DeviceIdentity
    plan: Literal["accept", "refuse", "silent", "withdraw", "free"] = "free"
    observers: Observers = Field(
        default_factory=Observers, description="who watched; derived where an older recording does not say"
    )
    source: tuple[SourceFile, ...] = Field(default=(), description="of an import: the files that it was made of")
    persona: tuple[Value, ...] = Field(
        default=(), description="values to look for; observers.persona says whether they were planted or declared"
    )
    hooks: Annotated[dict[str, str], BeforeValidator(lambda states: {} if states is None else states)] = Field(
        default_factory=dict,
        description="source -> how far its hooks are: installed, waiting, class_absent, overload_absent, failed",
    )
    started: Annotated[Time, AfterValidator(_within)]
    ended: Annotated[Time, AfterValidator(_within)] | None = None
    clock_offset_ms: Annotated[Milliseconds, BeforeValidator(lambda offset: 0 if offset is None else offset)] = Field(
        default=0, description="device minus host, milliseconds; null, where nobody measured it, is 0"
    )
    clock_uncertainty_ms: Milliseconds = Field(
        default=0, ge=0, description="how wrong that can be at any moment of the run, drift included; 0: not measured"
    )
    clock_drift_ms: Milliseconds | None = Field(default=None, description="how far the offset moved from start to end")
    clock: tuple[ClockReading, ...] = Field(default=(), description="the measurements at start and end")
    unpin: bool = Field(default=False, description="the agent made the app accept the proxy's certificate (--unpin)")
    unpinned: dict[str, Literal["installed", "met"]] = Field(
        default_factory=dict, description="checks of certificates taken over, and whether the app met them"
    )
    sockets_watched: bool = Field(
        default=False, description="the agent saw every socket of the process: what came from none is another app's"
    )
    proxy: Endpoint | None = Field(default=None, description="where the proxy listened")
    changes: tuple[Change, ...] = Field(default=(), description="what was changed on the device, in order of time")
    notes: tuple[str, ...] = Field(
        default=(),
        description="what is to be known of the device's preparation, and takes nothing from what was observed",
    )
    route: dict[str, Any] = Field(
        default_factory=dict,
        description="how the device's traffic came to the proxy: way, why, sees, keeps_port, host, port, quic",
    )
    root: str | None = Field(default=None, description="how root was had on it: 27.0:MAGISKSU; null: it was not")
    user: int | None = Field(default=None, description="Android user that the app ran as; null: not asked")
    install_ms: int | None = Field(
        default=None,
        ge=0,
        description="milliseconds that it took to hook what is there; null: not told",
    )
    times: dict[str, float] = Field(
        default_factory=dict,
        description="seconds from the order to start the app: started, entered, loaded, let run, live",
    )
    probe: Probe | None = Field(
        default=None,
        description="the agent's check of itself in the app's process; null: there was no agent, or it made none",
    )
    versions: dict[str, str | None] = Field(default_factory=dict)
    operator: str | None = None

    @property
    def imported(self) -> bool:
        """Whether it was made of foreign files: then nobody of ours watched, and there was no run of ours."""
        return self.observers.stamped == "at_import"

    @property
    def translated(self) -> tuple[str, str] | None:
        """What the app's machine code is for and what the device's processor is, where the device translates the one to
        the other, by what APKs and device say; None also where they do not say."""
        runs = [abi for abi in self.device.facts.get("abis", "").split(",") if abi]
        has = self.app.facts.get("abis") or ()
        taken = next((abi for abi in runs if abi in has), None)  # as Android takes it
        return None if taken is None or taken.startswith("x86") == runs[0].startswith("x86") else (taken, runs[0])

    @model_validator(mode="before")
    @classmethod
    def _who_watched(cls, data: Any) -> Any:
        """A recording that does not say who watched is what it was: an import, which names its files, or a live run."""
        if not isinstance(data, dict) or data.get("observers") is not None:
            return data
        data = dict(data)
        old = data.pop("imported", None)  # how imports named their files before there was `source`
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
            data["device"] = {**device, "kind": "unknown"}  # the default of that time, and nobody's word
        return data


def observers_of(formats: Iterable[str | None], *, declared: bool) -> Observers:
    """Who watched what foreign files hold: a hook log has reads and no uploads, a capture has uploads and no reads."""
    kinds = {each for each in formats if isinstance(each, str)}
    return Observers(
        hooks="hooks" in kinds,
        proxy=bool(kinds - {"hooks"}),
        persona="declared" if declared else None,
        stamped="at_import",
    )
