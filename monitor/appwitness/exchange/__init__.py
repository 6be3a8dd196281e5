"""Foreign formats, each converted once at the boundary: imports captures and hook logs, exports uploads."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

from appwitness.events import (
    AppIdentity,
    DeviceIdentity,
    DeviceImage,
    ObtainedApp,
    Run,
    SourceFile,
    Value,
    observers_of,
)
from appwitness.exchange import har, hook_logs, mitmproxy_flows, pcap
from appwitness.exchange.conversion import Conversion, IntoRecording, printable
from appwitness.exchange.opening import opened, refuse_unless_ordinary
from appwitness.exchange.planted import persona
from appwitness.recording import Recording
from appwitness.recording.seal import MADE_BY
from appwitness.recording.signing import Signer
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

__all__ = ["FORMATS", "Conversion", "Origin", "guess", "imported", "persona"]


class Origin(NamedTuple):
    """What is known of a foreign file besides its content."""

    app: str
    """Package of the app that it was taken from."""
    kind: str = "unknown"
    """emulator, phone or lab, if the user says so."""
    persona: Sequence[Value] = ()
    """Values that the user says were on the device: searched for when no hook recorded what was read."""
    mapping: Path | None = None
    """How to read hook logs of another tool (hook_logs.Fields)."""
    keys: Path | None = None
    """Key log (SSLKEYLOGFILE) of a packet capture."""
    operator: str | None = None
    """Who imports the files."""
    case: str | None = None
    place: str | None = None
    equipment: str | None = None
    names: Mapping[str, str] = MappingProxyType({})
    """Local file name -> original name, if it differs."""
    obtained: ObtainedApp | None = None
    image: DeviceImage | None = None


Format = Literal["har", "flows", "hooks", "pcap"]
FORMATS: tuple[Format, ...] = get_args(Format)
CAPTURES = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a")
"""Magic numbers of packet captures: four of PCAP, one of PCAPNG."""


def guess(path: Path) -> str:
    """The format of a file, by its first bytes: one of FORMATS. Raises UserError for any other."""
    with path.open("rb") as file:
        found = format_of(file.read(4096))
    if found is None:
        raise UserError(
            Spoken(
                "{path} is neither HAR, nor a mitmproxy flow file, nor JSON of hooks, nor a packet capture.", path=path
            ),
            Spoken("Say what it is: --format {formats}.", formats="|".join(FORMATS)),
        )
    return found


def format_of(raw: bytes) -> Format | None:
    """The format of a file that begins with this, unpacked and in UTF-8; None: not supported."""
    if raw.startswith(CAPTURES):
        return "pcap"
    head = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1].isdigit() and b":" in head[:12]:
        return "flows"  # a netstring: how mitmproxy writes flows
    if head.startswith(b"{") and re.search(rb'"log"\s*:\s*[{\[]', head):
        return "har"
    return "hooks" if head.startswith((b"{", b"[")) else None


def imported(
    paths: Sequence[Path], into: Path, origin: Origin, format_: str | None = None, signer: Signer | None = None
) -> Recording:
    """Import foreign files of one run into a new recording, sealed. Compressed files are unpacked. Whatever cannot
    be converted becomes a gap that names its place; nothing is skipped silently. Files of any size are read in
    bounded memory. Raises UserError for a file that is not a regular file or has none of the formats."""
    if origin.keys is not None:
        refuse_unless_ordinary(origin.keys)
    if origin.mapping is not None:
        refuse_unless_ordinary(origin.mapping)
    with ExitStack() as stack:
        ready = [stack.enter_context(opened(path)) for path in paths]
        named = [(path, format_ or guess(file.path)) for path, file in zip(paths, ready, strict=True)]
        now = datetime.now().astimezone()
        sources = [
            _file(path, kind, har.creator(file.path) if kind == "har" else None, origin.names.get(path.name, path.name))
            for (path, kind), file in zip(named, ready, strict=True)
        ]
        recording = Recording.create(into, _run(into.name, sources, origin, now), signer=signer)
        try:
            conversion = IntoRecording(recording)
            for (path, kind), file in zip(named, ready, strict=True):
                if kind == "flows":
                    mitmproxy_flows.replay(file.path, recording.path, origin.app, conversion)
                else:
                    _convert(file.path, kind, origin, conversion)
                if file.damage:
                    conversion.missed(None, origin.app, path.name, file.damage)
            times = conversion.finish() or (now, now)
        except BaseException:
            shutil.rmtree(into)  # otherwise an incomplete recording would remain
            raise
    first, last = span(recording)
    recording.update_run(
        started=first or times[0], ended=last or times[1], notes=tuple(map(printable, conversion.notes))
    )
    recording.stamp(final=True)
    return recording


def _convert(path: Path, kind: str, origin: Origin, into: Conversion) -> None:
    match kind:
        case "har":
            har.read(path, origin.app, into)
        case "hooks":
            hook_logs.read(path, origin.app, origin.mapping, into)
        case _:
            pcap.read(path, origin.app, origin.keys, into)


def span(recording: Recording) -> tuple[datetime | None, datetime | None]:
    """Times of the first and the last access or upload."""
    first = last = None
    for kind in ("access", "upload"):
        for read in recording.read(kind):
            if event := read.event:
                first = min(first or event.at, event.at)
                last = max(last or event.at, event.at)
    return first, last


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
            **{name: getattr(origin, name) for name in MADE_BY},
        }
    )


def _file(path: Path, kind: str, tool: str | None, name: str) -> SourceFile:
    """The description of a foreign file in reports: enough to find it and to tell it from others."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return SourceFile(
        name=printable(name), size=size, sha256=digest, format=kind, tool=None if tool is None else printable(tool)
    )
