"""The tables: one for each kind of line, and what was concluded from them; keys are the names of lines, never counters.

Columns are there to be asked for; the truth of a line is `raw`, the line as it stands in the recording.
"""

from __future__ import annotations

from typing import Annotated

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

VERSION = 5
"""Of these tables. An index of another version is not read: it is deleted and rebuilt from the recordings."""

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
    """A line of a recording."""

    __abstract__ = True
    line: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[Moment]
    app: Mapped[Long | None]
    pid: Mapped[Number | None]
    raw: Mapped[Long]


class AccessRow(LineRow):
    """accesses.jsonl."""

    __tablename__ = "accesses"
    source: Mapped[Long]
    target: Mapped[Long | None]
    data: Mapped[Long]
    outcome: Mapped[Name]
    calls: Mapped[Number]
    until: Mapped[Moment | None]


class TransformRow(LineRow):
    """transforms.jsonl."""

    __tablename__ = "transforms"
    op: Mapped[Name]
    algorithm: Mapped[Long]


class ConnectionRow(LineRow):
    """connections.jsonl."""

    __tablename__ = "connections"
    op: Mapped[Name]
    transport: Mapped[Name]
    local: Mapped[Long]
    remote: Mapped[Long]
    host: Mapped[Long | None]


class UploadRow(LineRow):
    """uploads.jsonl."""

    __tablename__ = "uploads"
    via: Mapped[Name]
    method: Mapped[Long | None]
    host: Mapped[Long | None]
    url: Mapped[Long | None]
    type: Mapped[Long | None]
    body: Mapped[Name | None]
    size: Mapped[Number] = mapped_column("bytes")
    status: Mapped[Number | None]
    cleartext: Mapped[bool]
    truncated: Mapped[bool]


class ConsentRow(LineRow):
    """consents.jsonl."""

    __tablename__ = "consents"
    signal: Mapped[Name]
    status: Mapped[Name]
    scope: Mapped[Name]
    by: Mapped[Name] = mapped_column("said_by")
    text: Mapped[Long | None]


class PhaseRow(LineRow):
    """phases.jsonl."""

    __tablename__ = "phases"
    state: Mapped[Name]
    text: Mapped[Long | None]


class ScreenRow(LineRow):
    """screens.jsonl."""

    __tablename__ = "screens"
    package: Mapped[Name | None]
    why: Mapped[Name]
    by: Mapped[Name] = mapped_column("looked")


class WitnessRow(LineRow):
    """witnesses.jsonl."""

    __tablename__ = "witnesses"
    by: Mapped[Name] = mapped_column("counted_by")
    subject: Mapped[Long | None]
    data: Mapped[Long | None]


class GapRow(LineRow):
    """gaps.jsonl."""

    __tablename__ = "gaps"
    where: Mapped[Name] = mapped_column("place")
    subject: Mapped[Long]
    why: Mapped[Name]
    detail: Mapped[Long | None]


class UnreadableRow(OfRecording):
    """A line of any file that is not a line of the contract."""

    __tablename__ = "unreadable"
    kind: Mapped[Name] = mapped_column(primary_key=True)
    line: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    error: Mapped[Long]
    raw: Mapped[bytes] = mapped_column(LargeBinary)


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


LINES: dict[str, type[LineRow]] = {
    "access": AccessRow,
    "transform": TransformRow,
    "connection": ConnectionRow,
    "upload": UploadRow,
    "consent": ConsentRow,
    "phase": PhaseRow,
    "screen": ScreenRow,
    "witness": WitnessRow,
    "gap": GapRow,
}
"""kind -> its table."""

for table in Base.metadata.tables.values():
    if table.name not in {"accesses", "transforms", "connections", "uploads", "unreadable"}:
        table.dialect_options["sqlite"]["with_rowid"] = False  # small rows that are found by their key
