"""The tables of lines and conclusions; each row has the number of its recording and a name within it.

On PostgreSQL what belongs to recordings is partitioned by that number, which begins with the number of a campaign: a
campaign has a partition of each table, and forgetting it drops them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from sqlalchemy import BigInteger, Connection, Index, Sequence, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from appwitness.events import FILES, KINDS, Line, kind_of

VERSION = 11
"""Version of these tables. An index of another version is not read: a new one is built from the recordings."""
CAMPAIGN_BITS = 40
"""The number of a recording is that of its campaign with these bits behind it, which count recordings."""


def _text(of: String | Text) -> Any:
    """Text that PostgreSQL compares bytewise, as SQLite does, whatever the database's locale."""
    return of.with_variant(of.__class__(of.length, collation="C"), "postgresql")


NAME_LENGTH = 200
"""In PostgreSQL, where a key may not be long; what a recording has beyond that stands in its JSON alone."""
Name = Annotated[str, mapped_column(_text(String(NAME_LENGTH)))]
Moment = Annotated[str, mapped_column(_text(String(40)))]
Long = Annotated[str, mapped_column(_text(Text()))]
Number = Annotated[int, mapped_column(BigInteger)]


class Base(DeclarativeBase):
    """All tables of the index."""


class IndexVersion(Base):
    """One row: the version of these tables."""

    __tablename__ = "index_version"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class CampaignRow(Base):
    """A campaign of which a recording was read; number 0, without a name, is that of recordings of none."""

    __tablename__ = "campaigns"
    number: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[Name] = mapped_column(unique=True)


RECORDING_NUMBERS = Sequence("recording_numbers", metadata=Base.metadata)
"""Counts recordings on a server; in SQLite, where only one writes at a time, the next is one more than the last."""


class RecordingRow(Base):
    """A recording that was read."""

    __tablename__ = "recordings"
    number: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[Name] = mapped_column(unique=True)
    """Its name here: its own id; with `~` and a digest behind it, where another recording had that id first."""
    own_id: Mapped[Name] = mapped_column(index=True)
    """As run.json has it, which any number of recordings may have."""
    head: Mapped[Name]
    """Digest of its first stamp, which no other run has; empty: it had none when it was read last."""
    campaign: Mapped[Name] = mapped_column(index=True)
    """Name of the campaign that it was made for; empty: for none."""
    path: Mapped[Long]
    """Its path: lines and conclusions are those of the recording that was there."""
    lines: Mapped[bool]
    """Whether its lines are here; otherwise only conclusions, with values masked."""
    package: Mapped[Name]
    app: Mapped[Name]
    """SHA-256 of its APK; the package where that is not known."""
    device: Mapped[Name]
    plain: Mapped[bool]
    """Whether package and device can be listed as they are: no planted value stands in them."""
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
    """How many reads of the app were recorded, as of the last save; so too the next four."""
    uploads: Mapped[Number]
    sought: Mapped[bool]
    """Whether there were values to look for: read by the app, planted or declared."""
    asked: Mapped[bool | None]
    """Whether any question to the user was seen; None: nobody watched."""
    gaps: Mapped[Number]
    """How many gaps there are, lines that are gaps included."""


class OfRecording(Base):
    """Base of the tables with rows of one recording."""

    __abstract__ = True
    recording: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False, sort_order=-1)
    """Number of the recording, and first in every key: rows are asked for by it. No foreign key: whoever writes rows
    holds the row of their recording."""


class PositionRow(OfRecording):
    """How far a file of a recording was read."""

    __tablename__ = "positions"
    kind: Mapped[Name] = mapped_column(primary_key=True)
    line: Mapped[Number]
    offset: Mapped[Number] = mapped_column("bytes")
    digest: Mapped[Name]
    """Digest of the lines up to there (monitor/appwitness/recording/state.py)."""


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
    data: Mapped[Name]
    consent: Mapped[Name]
    host: Mapped[Long]
    recipient: Mapped[Name]
    """One name for all hosts of a recipient."""
    sdk: Mapped[Name | None]
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
    """Where conclusions alone are kept, a keyed digest of it; empty without a key."""
    variant: Mapped[Long]
    path: Mapped[Long]
    confidence: Mapped[float]
    match: Mapped[Long]
    """All of it as JSON."""


class FindingRow(OfRecording):
    """A finding of a rule."""

    __tablename__ = "findings"
    number: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    rule: Mapped[Name]
    level: Mapped[Name]
    confidence: Mapped[Name]
    data: Mapped[Name | None]
    host: Mapped[Long | None]
    recipient: Mapped[Name | None]
    sdk: Mapped[Name | None]
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
    *(FindingRow.level, FindingRow.recording),
)
Index(
    *("recordings_ranked", RecordingRow.number, RecordingRow.judged_by, RecordingRow.app, RecordingRow.package),
    *(RecordingRow.campaign, RecordingRow.asked, RecordingRow.uploads, RecordingRow.reads, RecordingRow.sought),
    RecordingRow.gaps,
    RecordingRow.id,
)
Index("flows_of_host", FlowRow.host, postgresql_using="hash")  # of any length, which a B-tree there does not take

TABLES = tuple(Base.metadata.sorted_tables)
"""All of the index: it can be rebuilt."""
PARTITIONED = tuple(table for table in TABLES if "recording" in table.columns)
"""Those of what belongs to recordings."""

for table in PARTITIONED:
    table.dialect_options["postgresql"]["partition_by"] = "RANGE (recording)"
for table in TABLES:
    if table.name != LineRow.__tablename__:
        table.dialect_options["sqlite"]["with_rowid"] = False  # small rows that are found by their key


def view(kind: type[Line], body: str) -> str:
    """SQL for one view: the lines of a kind with a column for each field, for queries by hand.

    `body` is SQL for a line as JSON, null where it is none.
    """
    columns = ", ".join(f"body ->> '{name}' AS \"{name}\"" for name in kind.__struct_encode_fields__)
    return (
        f"CREATE VIEW {view_name(kind)} AS SELECT id AS recording, line, {columns} "  # noqa: S608 our own names
        f"FROM (SELECT recording, kind, line, {body} AS body FROM lines) AS lines "
        f"JOIN recordings ON number = recording WHERE kind = '{kind_of(kind)}' AND body IS NOT NULL"
    )


def view_name(kind: type[Line]) -> str:
    """The name of the view of a kind: that of its file."""
    return Path(FILES[kind_of(kind)]).stem


BODY = {
    "sqlite": "CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END",
    "postgresql": "line_body(raw)",
}
"""Dialect -> a line as JSON; null where it is none."""
LINE_BODY = r"""
CREATE FUNCTION line_body(raw bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN  -- jsonb has no \u0000
    RETURN regexp_replace(convert_from(raw, 'UTF8'), '(?<!\\)((\\\\)*)\\u0000', '\1\\ufffd', 'g')::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$
"""
"""For PostgreSQL: a line as `jsonb`; null where it is none."""


def after_create(connection: Connection) -> None:
    """Make what is no table: the views."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.exec_driver_sql(LINE_BODY)
    if dialect in BODY:
        for kind in KINDS:
            connection.exec_driver_sql(view(kind, BODY[dialect]))
