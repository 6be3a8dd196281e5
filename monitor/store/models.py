"""The tables: the lines, and what was concluded from them; keys are the names of lines, never counters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec.structs import fields
from sqlalchemy import DDL, BigInteger, ForeignKey, Index, String, Text, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from monitor.events import FILES, KINDS, Line, kind_of

VERSION = 7
"""Of these tables. An index of another version is not read: a new one is built from the recordings."""

Name = Annotated[str, mapped_column(String(200))]
Moment = Annotated[str, mapped_column(String(40))]
Long = Annotated[str, mapped_column(Text)]
Number = Annotated[int, mapped_column(BigInteger)]


class Base(DeclarativeBase):
    """All tables of the index."""


class IndexVersion(Base):
    """One row: the version of these tables."""

    __tablename__ = "index_version"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class RecordingRow(Base):
    """A recording that was read."""

    __tablename__ = "recordings"
    id: Mapped[Name] = mapped_column(primary_key=True)
    path: Mapped[Long]
    """Where it is: lines and conclusions are those of the recording in this folder, and of no other of the same id."""
    package: Mapped[Long]
    app: Mapped[Long]
    """SHA-256 of its APK; the package where that is not known."""
    device: Mapped[Name]
    plan: Mapped[Name]
    started: Mapped[Moment] = mapped_column(index=True)
    ended: Mapped[Moment | None]
    run: Mapped[Long]
    """run.json."""
    judged_by: Mapped[Name | None]
    """Digest of all that the findings come from: the lines, run.json, the bodies, the rules, our own version."""
    turn: Mapped[Name | None]
    """The random name of the last save while the run goes on."""
    reads: Mapped[Number]
    """How many reads of the app were recorded, as of the last save; so too the next three."""
    uploads: Mapped[Number]
    sought: Mapped[bool]
    """Whether there were values to look for: read by the app, planted or declared."""
    asked: Mapped[bool | None]
    """Whether any question to the user was seen; None: nobody watched."""


class OfRecording(Base):
    """What belongs to one recording."""

    __abstract__ = True
    recording: Mapped[str] = mapped_column(String(200), ForeignKey("recordings.id"), primary_key=True)


class PositionRow(OfRecording):
    """How far a file of a recording was read."""

    __tablename__ = "positions"
    kind: Mapped[Name] = mapped_column(primary_key=True)
    line: Mapped[Number]
    offset: Mapped[Number] = mapped_column("bytes")
    digest: Mapped[Name]
    """Of the lines up to there (monitor/recording/state.py)."""


class LineRow(OfRecording):
    """A line of a recording as it stands in its file; it is parsed by whoever asks for it."""

    __tablename__ = "lines"
    kind: Mapped[Name] = mapped_column(primary_key=True)
    line: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[Number] = mapped_column("bytes")
    """In the file, its newline included; `raw` is shorter by more than that where the line is too long."""
    raw: Mapped[bytes]


class FlowRow(OfRecording):
    """An access and an upload joined."""

    __tablename__ = "flows"
    id: Mapped[Name] = mapped_column(primary_key=True)
    number: Mapped[Number]
    """Place in the order they were given."""
    access: Mapped[Name | None]
    upload: Mapped[Name]
    connection: Mapped[Name | None]
    data: Mapped[Long]
    consent: Mapped[Name]
    host: Mapped[Long]
    recipient: Mapped[Long]
    """One name for all hosts of a recipient."""
    sdk: Mapped[Long | None]
    """Whose code sent it, where that is an SDK of a known maker or package; None: the app's own, or not known."""
    other_app: Mapped[bool]
    party: Mapped[Name]
    at: Mapped[Moment]
    flow: Mapped[Long]
    """All of it as JSON, but for its matches."""


class MatchRow(OfRecording):
    """One variant of one value found in the upload of a flow."""

    __tablename__ = "matches"
    flow: Mapped[Name] = mapped_column(primary_key=True)
    number: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[Long]
    value: Mapped[Long]
    variant: Mapped[Long]
    path: Mapped[Long]
    confidence: Mapped[float]
    match: Mapped[Long]
    """All of it as JSON."""


class FindingRow(OfRecording):
    """What a rule said."""

    __tablename__ = "findings"
    number: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    rule: Mapped[Name]
    level: Mapped[Name]
    confidence: Mapped[Name]
    data: Mapped[Long | None]
    host: Mapped[Long | None]
    recipient: Mapped[Long | None]
    sdk: Mapped[Long | None]
    """Whose code sent it, else whose code read it, as in flows."""
    consent: Mapped[Name | None]
    finding: Mapped[Long]
    """All of it as JSON."""


class FoundGapRow(OfRecording):
    """A gap that correlating came upon: no line of the recording says it."""

    __tablename__ = "found_gaps"
    number: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    subject: Mapped[Long]
    why: Mapped[Name]
    gap: Mapped[Long]
    """All of it as JSON."""


# A ranking of all recordings reads these instead of whole rows (store/ranking.py).
Index(
    "flows_ranked", FlowRow.recipient, FlowRow.data, FlowRow.sdk, FlowRow.consent, FlowRow.other_app, FlowRow.recording
)
Index(
    *("findings_ranked", FindingRow.rule, FindingRow.data, FindingRow.recipient, FindingRow.sdk, FindingRow.consent),
    FindingRow.recording,
)
Index(
    *("recordings_ranked", RecordingRow.id, RecordingRow.judged_by, RecordingRow.app, RecordingRow.package),
    *(RecordingRow.asked, RecordingRow.uploads, RecordingRow.reads, RecordingRow.sought),
)

for table in Base.metadata.tables.values():
    if table.name != LineRow.__tablename__:
        table.dialect_options["sqlite"]["with_rowid"] = False  # small rows that are found by their key


def view(kind: type[Line]) -> str:
    """SQL (of SQLite) for one view: the lines of a kind with a column for each field, for queries by hand."""
    name = kind_of(kind)
    columns = ", ".join(f"raw ->> '$.{each.encode_name}' AS \"{each.encode_name}\"" for each in fields(kind))
    lines = f"(SELECT recording, line, CAST(raw AS TEXT) AS raw FROM lines WHERE kind = '{name}')"  # noqa: S608 our own names
    select = f"SELECT recording, line, {columns} FROM {lines} WHERE json_valid(raw)"  # noqa: S608
    return f"CREATE VIEW {Path(FILES[name]).stem} AS {select}"


for kind in KINDS:
    event.listen(Base.metadata, "after_create", DDL(view(kind)).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
