"""Foreign formats, each converted once, at the door: captures and hook logs of others in, uploads out."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from monitor.errors import UserError
from monitor.events import AppIdentity, DeviceIdentity, Event, Run, SourceFile, Value, observers_of
from monitor.exchange import har, hook_logs, mitmproxy_flows, pcap
from monitor.exchange.conversion import Conversion
from monitor.recording import Recording

__all__ = ["FORMATS", "Conversion", "Origin", "guess", "imported"]


class Origin(NamedTuple):
    """What is known of a foreign file beside its content."""

    app: str
    """Package of the app that it was taken from."""
    kind: str = "unknown"
    """emulator, phone or lab, where somebody says so."""
    persona: Sequence[Value] = ()
    """Values that somebody says were on the device: what to look for where no hook told what was read."""
    mapping: Path | None = None
    """How to read the lines of another tool's hooks (hook_logs.Mapping)."""
    keys: Path | None = None
    """Key log (SSLKEYLOGFILE) of a packet capture."""


FORMATS = ("har", "flows", "hooks", "pcap")
CAPTURES = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a")
"""How a packet capture begins: PCAP in four ways, PCAPNG."""


def guess(path: Path) -> str:
    """The format of a file by its first bytes: one of FORMATS. Raises UserError when it is none of them."""
    try:
        with path.open("rb") as file:
            raw = file.read(4096)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", "Name a file.") from None
    if raw.startswith(CAPTURES):
        return "pcap"
    head = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1].isdigit() and b":" in head[:12]:
        return "flows"  # a netstring: how mitmproxy writes flows
    if head.startswith(b"{") and b'"log"' in head[:200]:
        return "har"
    if head.startswith((b"{", b"[")):
        return "hooks"
    raise UserError(
        f"{path} is neither HAR, nor a mitmproxy flow file, nor JSON lines of hooks, nor a packet capture.",
        f"Say what it is: --format {', '.join(FORMATS)}.",
    )


def imported(paths: Sequence[Path], into: Path, origin: Origin, format_: str | None = None) -> Recording:
    """A new recording of foreign files that belong to one run, sealed.

    Whatever in them cannot be converted becomes a gap that names its place; nothing is skipped silently.
    Raises UserError for a file that is none of the formats.
    """
    named = [(path, format_ or guess(path)) for path in paths]
    conversions = [_converted(path, kind, origin) for path, kind in named]
    times = [event.at for conversion in conversions for event in conversion.events]
    now = datetime.now().astimezone()
    sources = [_file(path, kind, read.tool) for (path, kind), read in zip(named, conversions, strict=True)]
    recording = Recording.create(into, _run(into.name, sources, origin, min(times, default=now)))
    for conversion in conversions:
        for body in conversion.bodies:
            recording.put_body(body)
        recording.append_all(in_time(conversion.events))
    try:
        for path, kind in named:
            if kind == "flows":
                recording.append_all(mitmproxy_flows.replay(path, recording.path, origin.app).events)
    except UserError:
        shutil.rmtree(into)  # there would be a recording of nothing
        raise
    first, last = span(recording)
    recording.update_run(started=first or min(times, default=now), ended=last or max(times, default=now))
    recording.stamp(final=True)
    return recording


def _converted(path: Path, kind: str, origin: Origin) -> Conversion:
    match kind:
        case "har":
            return har.read(path, origin.app)
        case "hooks":
            return hook_logs.read(path, origin.app, origin.mapping)
        case "pcap":
            return pcap.read(path, origin.app, origin.keys)
        case _:
            return Conversion()  # mitmproxy's own files are read by mitmproxy itself, see mitmproxy_flows.replay


def in_time(events: Iterable[Event]) -> list[Event]:
    """Events in order of time, those of one time as they came."""
    return sorted(events, key=lambda event: event.at)


def span(recording: Recording) -> tuple[datetime | None, datetime | None]:
    """Time of the first and of the last access and upload."""
    times = [read.event.at for kind in ("access", "upload") for read in recording.read(kind) if read.event]
    return min(times, default=None), max(times, default=None)


def _run(id_: str, sources: Sequence[SourceFile], origin: Origin, started: datetime) -> Run:
    return Run.model_validate(
        {
            "id": id_,
            "app": AppIdentity(package=origin.app),
            "device": DeviceIdentity(serial="unknown", kind=origin.kind),
            "persona": tuple(origin.persona),
            "started": started,
            "versions": {"appwitness": metadata.version("appwitness")},
            "observers": observers_of((each.format for each in sources), declared=bool(origin.persona)),
            "source": sources,
        }
    )


def _file(path: Path, kind: str, tool: str | None) -> SourceFile:
    """What a reader of the report must know of a foreign file, to find it and to tell it from others."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return SourceFile(name=_text(path.name), size=size, sha256=digest, format=kind, tool=tool and _text(tool))


def _text(foreign: str) -> str:
    """A foreign name as text that can be written: without halves of characters."""
    return foreign.encode("utf-8", "replace").decode("utf-8")
