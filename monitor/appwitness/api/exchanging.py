"""Imports other tools' files as recordings; exports recordings as HAR, or as a bundle that checks itself."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from appwitness.api.home import note_reveal, recordings, signer
from appwitness.api.recording_names import opened
from appwitness.support import private_files
from appwitness.support.errors import DamagedRecording
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import Judging
    from appwitness.events import Value
    from appwitness.exchange import Origin as Origin
    from appwitness.recording import Recording

LETTERS = {"cn": "zh", "eu": "en"}
"""Law -> language of its complaint letter in a bundle."""


# import


class ImportedCaptures(NamedTuple):
    """A recording made from foreign files."""

    path: Path
    """Its folder."""
    counts: Mapping[str, int]
    """Number of its lines of each kind: `upload`, `access` and `gap`."""


def values_of(texts: Sequence[str]) -> tuple[Value, ...]:
    """Parse values that were on a device from texts such as `phone_number=+8613800138000`.

    Raises UserError for an unknown type, and for a text that cannot be a value of its type.
    """
    from appwitness.exchange import persona

    return persona(texts)


def origin(app: str, values: Sequence[str] = (), **others: Any) -> Origin:
    """What is known about foreign files: the package of their app, and the `values` that were on the device.

    `others`: kind (of the device), mapping, keys, operator, case, place and equipment, as in `Origin`. Raises
    UserError as `values_of` does.
    """
    from appwitness.exchange import Origin

    return Origin(app, persona=values_of(values), **others)


def import_(
    files: Sequence[Path], known: Origin, *, output: Path | None = None, format: str | None = None
) -> ImportedCaptures:
    """Import other tools' captures of one run into a new recording, with stamps.

    `output` is its folder; None: a new one in the folder of recordings. `format` is har, flows, hooks or pcap; None:
    detected from the content. Whatever cannot be converted becomes a gap. Raises UserError for a file that is not a
    regular file or has none of the formats.
    """
    from appwitness.exchange import imported

    into = output or recordings() / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-import-{known.app.rpartition('.')[2]}"
    recording = imported(files, into, known, format, signer())
    counts = {what: sum(1 for _ in recording.read(what)) for what in ("upload", "access", "gap")}
    return ImportedCaptures(into, counts)


# export


class HarExport(NamedTuple):
    """Uploads as HAR."""

    text: str
    left_out: int = 0
    """Number of bodies left out because values in them could not be replaced."""


def har(recording: Recording, *, reveal: bool = False) -> HarExport:
    """Export the uploads of a recording as HAR 1.2.

    Each personal value that was planted or read is replaced by a token of the same shape, unless `reveal`. Without
    `reveal`, raises UserError while the recording is in progress, DamagedRecording if it does not match its stamps.
    """
    from appwitness.care import shared
    from appwitness.exchange import har

    if reveal:
        return HarExport(har.write(recording))
    original = recording.archive.file if recording.archive else recording.path
    with tempfile.TemporaryDirectory(prefix="appwitness-", dir=private_files.roomy()) as folder:
        copy = shared(original, Path(folder) / "copy")
        return HarExport(har.write(opened(copy.path)), len(copy.left_out))


def bundle(recording: Path, output: Path, judging: Judging, *, reveal: bool = False, bag: bool = False) -> None:
    """Pack a recording into a new ZIP for someone else: with its report, letters, key, tools, and a program that checks
    it all.

    `bag`: as BagIt (RFC 8493), with a description in CASE/UCO. Report and letters are masked unless `reveal`; the
    recording is not, and the log of reveals says so. Raises DamagedRecording if it is incomplete or altered, UserError
    if the file already exists or cannot be written.
    """
    from appwitness.exchange import bundle, moments
    from appwitness.findings.mask import masked
    from appwitness.recording import signing, verify
    from appwitness.reports import render

    packed = opened(recording)
    checked = verify(recording, judging.trust.keys, judging.trust.authorities)
    if not checked.ok or not checked.ended:
        raise DamagedRecording(
            Spoken(
                "{recording} is not complete and intact: its run has not ended, it does not match its stamps, or "
                "nobody whom you trust signed them.",
                recording=recording,
            ),
            Spoken("See what differs: appwitness verify {recording}", recording=recording),
        )
    report = judging.report(recording)
    note_reveal("bundle", [report.recording], f"recording to {output.absolute()}")
    written = {"report.html": render(report, "html", reveal=reveal)}
    if any(finding.level != "info" for finding in report.findings):
        for law, lang in LETTERS.items():
            if not report.laws or law in report.laws:
                written[f"complaint-{law}.md"] = render(report, "complaint", reveal=reveal, lang=lang)
    beside = {name: text.encode() for name, text in written.items()} | {"tools.json": bundle.tools()}
    beside |= moments.moments(packed, report, (report if reveal else masked(report)).findings)
    if own := signer():
        beside["operator.pub"] = f"{signing.line(own.public)}\n".encode()
    bundle.write(packed, output, beside, bag=bag)
