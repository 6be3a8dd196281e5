"""The tables of lines and conclusions; each row has the number of its recording and a key within the recording.

On PostgreSQL the tables of recordings are partitioned by that number, whose leading bits are the number of a campaign.
Each campaign has a partition of each table; forgetting the campaign drops them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Index,
    Sequence,
    String,
    Text,
    func,
    literal_column,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from appwitness.events import FILES, KINDS, Line, kind_of
from appwitness.findings import LEVELS
from appwitness.findings import Moment as AnswerMoment

VERSION = 14
"""Version of these tables. An index of another version is not read; a new one is built from the recordings."""
CAMPAIGN_BITS = 40
"""Number of low bits of a recording's number that count recordings; the bits above are its campaign's number."""


def _text(of: String | Text) -> Any:
    """A text type that PostgreSQL compares bytewise, as SQLite does, whatever the database's locale."""
    return of.with_variant(of.__class__(of.length, collation="C"), "postgresql")


When = Literal["unasked"] | AnswerMoment
WHEN: tuple[When, ...] = (
    *("unasked", "before_answer", "after_refusal", "after_withdrawal", "after_yes", "not_observed"),
)
"""The moment relative to the user's answer; `unasked`: in a run in which consent was watched, and no question was
seen."""
NAME_LENGTH = 200
"""Longest name in PostgreSQL, where keys must be short; a longer one is complete only in the JSON."""
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
    """A campaign with recordings in the index; number 0, without a name, is for recordings without a campaign."""

    __tablename__ = "campaigns"
    number: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[Name] = mapped_column(unique=True)


class SharedText(Base):
    """A text that many rows have in common, such as what a rule says and its articles (store/shared.py)."""

    __tablename__ = "shared_texts"
    digest: Mapped[Name] = mapped_column(primary_key=True)
    text: Mapped[Long]


RECORDING_NUMBERS = Sequence("recording_numbers", metadata=Base.metadata)
"""Numbers recordings on a server; in SQLite, with one writer at a time, the next number is the last one plus 1."""


class RecordingRow(Base):
    """A recording in the index."""

    __tablename__ = "recordings"
    number: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[Name] = mapped_column(unique=True)
    """Its name in the index: its own id, followed by `~` and a digest if another recording had that id first."""
    own_id: Mapped[Name] = mapped_column(index=True)
    """The id in run.json; several recordings may have the same."""
    head: Mapped[Name]
    """Digest of its first stamp, which no other run has; empty: there was none when the recording was last read."""
    campaign: Mapped[Name] = mapped_column(index=True)
    """Name of the campaign that it was made for; empty: none."""
    path: Mapped[Long]
    """Where the recording was when its lines were read and it was judged."""
    lines: Mapped[bool]
    """Whether its lines are in the index; otherwise only conclusions, with values masked."""
    package: Mapped[Name]
    app: Mapped[Name] = mapped_column(index=True)
    """SHA-256 of its APK; the package if that is unknown."""
    device: Mapped[Name]
    plain: Mapped[bool]
    """Whether package and device can be listed unmasked: they contain no planted value."""
    plan: Mapped[Name]
    started: Mapped[Moment] = mapped_column(index=True)
    ended: Mapped[Moment | None]
    run: Mapped[Long]
    """run.json without `hooks`."""
    hooks: Mapped[Long | None]
    """JSON of the states in `hooks`, in order: each state, and for how many sources in a row."""
    shared: Mapped[Name | None] = mapped_column(index=True)
    """Digest of the names in `hooks`, a JSON list: most runs have the same."""
    judged_by: Mapped[Name | None]
    """Digest of everything the findings come from: the lines, run.json, the bodies, the rules, the version of
    appwitness."""
    turn: Mapped[Name | None]
    """The random name of the last save; NULL before the first save, and once all of the recording has been judged."""
    reads: Mapped[Number]
    """Number of accesses by the app; this and the next four columns are as of the last save."""
    uploads: Mapped[Number]
    sought: Mapped[bool]
    """Whether there were values to look for: read by the app, planted or declared."""
    asked: Mapped[bool | None]
    """Whether any consent question to the user was seen; None when nobody watched for one."""
    gaps: Mapped[Number]
    """Number of gaps, including lines that are gaps."""


class OfRecording(Base):
    """Base of the tables whose rows belong to one recording."""

    __abstract__ = True
    recording: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False, sort_order=-1)
    """Number of the recording; first in every key, since queries filter by it. It is no foreign key: instead,
    writers lock the row of their recording."""


class PositionRow(OfRecording):
    """How far a file of a recording has been read."""

    __tablename__ = "positions"
    kind: Mapped[Name] = mapped_column(primary_key=True)
    line: Mapped[Number]
    offset: Mapped[Number] = mapped_column("bytes")
    digest: Mapped[Name]
    """Digest of the lines up to that position (monitor/appwitness/recording/state.py)."""


class LineRow(OfRecording):
    """A line of a recording as it is in the file; readers parse it."""

    __tablename__ = "lines"
    kind: Mapped[Name] = mapped_column(primary_key=True)
    line: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[Number] = mapped_column("bytes")
    """Size in the file, including the newline; `raw` is cut if the line is too long."""
    raw: Mapped[bytes]


class FlowRow(OfRecording):
    """An access and an upload joined by matches."""

    __tablename__ = "flows"
    id: Mapped[Name] = mapped_column(primary_key=True)
    number: Mapped[Number]
    """Its place in the order of the save."""
    access: Mapped[Name | None]
    upload: Mapped[Name]
    connection: Mapped[Name | None]
    data: Mapped[Name]
    consent: Mapped[Name]
    host: Mapped[Long]
    recipient: Mapped[Name]
    """One name for all hosts of a recipient."""
    sdk: Mapped[Name | None]
    """The SDK of a known maker or package whose code sent it; None: the app's own code, or unknown."""
    other_app: Mapped[bool]
    party: Mapped[Name]
    at: Mapped[Moment]
    flow: Mapped[Long]
    """The whole flow as JSON, without its matches."""


class MatchRow(OfRecording):
    """One variant of one value found in the upload of a flow."""

    __tablename__ = "matches"
    flow: Mapped[Name] = mapped_column(primary_key=True)
    number: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[Long]
    value: Mapped[Long]
    """The value; only a keyed digest of it where only conclusions are kept (empty without a key)."""
    variant: Mapped[Long]
    path: Mapped[Long]
    confidence: Mapped[float]
    match: Mapped[Long]
    """The whole match as JSON."""


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
    """The SDK whose code sent it, or else whose code read it, as in flows."""
    consent: Mapped[Name | None]
    finding: Mapped[Long]
    """The finding as JSON, without what is shared; the names of more than 20 lines are one text (`events/refs.py`)."""
    shared: Mapped[Name] = mapped_column(index=True)
    """Digest of what findings of its rule have in common, a JSON object (`IN_COMMON` in store/rows.py)."""


class FoundGapRow(OfRecording):
    """A gap found by correlating; no line of the recording states it."""

    __tablename__ = "found_gaps"
    number: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    subject: Mapped[Long]
    why: Mapped[Name]
    gap: Mapped[Long]
    """The whole gap as JSON."""


class RankedAppRow(Base):
    """What an app adds to the rankings of a campaign, or of all recordings if that is empty (store/ranked.py)."""

    __tablename__ = "ranked_apps"
    campaign: Mapped[Name] = mapped_column(primary_key=True)
    app: Mapped[Name] = mapped_column(primary_key=True)
    package: Mapped[Name]
    runs: Mapped[Number] = mapped_column(default=0)
    """Its judged recordings with flows."""
    example: Mapped[Name | None]
    """The first of them, by id."""
    counts: Mapped[bytes] = mapped_column(default=b"")
    """What is counted (store/ranked.py), packed."""


class RankedRow(Base):
    """A row of a ranking: the sum over apps."""

    __tablename__ = "ranked"
    campaign: Mapped[Name] = mapped_column(primary_key=True)
    ranking: Mapped[Name] = mapped_column(primary_key=True)
    key: Mapped[Name] = mapped_column(primary_key=True)
    """Digest of the ranking's name and of its values among the next five columns; each ranking has some of them."""
    rule: Mapped[Name | None]
    data: Mapped[Name | None]
    recipient: Mapped[Name | None]
    sdk: Mapped[Name | None]
    sight: Mapped[Name | None]
    apps: Mapped[Number]
    runs: Mapped[Number]
    facts: Mapped[Number]
    """Its flows or findings."""
    example: Mapped[Name | None]
    """The first of its recordings, by id."""


for name in (*WHEN, *LEVELS):  # its apps at each moment, and with a finding of each level
    setattr(RankedRow, name, mapped_column(BigInteger, nullable=False))

WITH_RUNS = text("runs > 0")
Index(
    *("apps_ranked", RankedAppRow.campaign, RankedAppRow.runs.desc(), RankedAppRow.package, RankedAppRow.app),
    sqlite_where=WITH_RUNS, postgresql_where=WITH_RUNS,
)  # fmt: skip
# A filtered ranking reads only these indexes instead of whole rows (store/ranking.py).
Index(
    "flows_ranked", FlowRow.recipient, FlowRow.data, FlowRow.sdk, FlowRow.consent, FlowRow.other_app, FlowRow.recording
)
Index(
    *("findings_ranked", FindingRow.rule, FindingRow.data, FindingRow.recipient, FindingRow.sdk, FindingRow.consent),
    *(FindingRow.level, FindingRow.recording),
)
Index(
    *("recordings_ranked", RecordingRow.number, RecordingRow.judged_by, RecordingRow.app, RecordingRow.package),
    *(RecordingRow.campaign, RecordingRow.asked, RecordingRow.id),
)
_UNJUDGED = text("judged_by IS NULL")
Index("recordings_unjudged", RecordingRow.number, sqlite_where=_UNJUDGED, postgresql_where=_UNJUDGED)
host_begins: ColumnElement[str] = func.substr(FlowRow.host, literal_column("1"), literal_column(str(NAME_LENGTH)))
"""The part of a host that is indexed: a whole host may be too long for a B-tree, and a hash index slows down with
each flow."""
Index("flows_of_host", host_begins)

TABLES = tuple(Base.metadata.sorted_tables)
"""All tables of the index; they can be rebuilt."""
PARTITIONED = tuple(table for table in TABLES if "recording" in table.columns)
"""The tables whose rows belong to recordings."""

for table in PARTITIONED:
    table.dialect_options["postgresql"]["partition_by"] = "RANGE (recording)"
for table in TABLES:
    if table.name not in ("lines", "recordings", "flows", "findings", "ranked_apps"):
        # small rows that are looked up by key; most of a row with more than 1,000 bytes would go to overflow pages
        table.dialect_options["sqlite"]["with_rowid"] = False


def view(kind: type[Line], body: str) -> str:
    """SQL that creates one view: the lines of a kind with a column for each field, for queries by hand.

    `body` is SQL for a line as JSON, or null for a line that is not JSON.
    """
    columns = ", ".join(f"body ->> '{name}' AS \"{name}\"" for name in kind.__struct_encode_fields__)
    return (
        f"CREATE VIEW {view_name(kind)} AS SELECT id AS recording, line, {columns} "  # noqa: S608 our own names
        f"FROM (SELECT recording, kind, line, {body} AS body FROM lines) AS lines "
        f"JOIN recordings ON number = recording WHERE kind = '{kind_of(kind)}' AND body IS NOT NULL"
    )


def view_name(kind: type[Line]) -> str:
    """The name of the view for a kind: that of its file."""
    return Path(FILES[kind_of(kind)]).stem


BODY = {
    "sqlite": "CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END",
    "postgresql": "line_body(raw)",
}
"""Dialect -> SQL for a line as JSON; null for a line that is not JSON."""
LINE_BODY = r"""
CREATE FUNCTION line_body(raw bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN  -- jsonb has no \u0000
    RETURN regexp_replace(convert_from(raw, 'UTF8'), '(?<!\\)((\\\\)*)\\u0000', '\1\\ufffd', 'g')::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$
"""
"""For PostgreSQL: a line as `jsonb`; null for a line that is not JSON."""


def after_create(connection: Connection) -> None:
    """Create what is not a table: the views, and a function that they use."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.exec_driver_sql(LINE_BODY)
    if dialect in BODY:
        for kind in KINDS:
            connection.exec_driver_sql(view(kind, BODY[dialect]))
