"""Counts for rankings across all apps, updated in the same transaction as each change to a recording.

Each app has its counts (`ranked_apps`); a row of a ranking adds up those of all apps (`ranked`). Both are kept for each
campaign, and for all recordings under the empty name. So a ranking takes as long with a million runs as with a
thousand. Rows are locked in the order of their keys, those of apps first, so that no two transactions deadlock.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import batched, zip_longest
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    not_,
    null,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from appwitness.findings import LEVELS, MOMENTS
from appwitness.store.models import WHEN, Base, FindingRow, FlowRow, RankedAppRow, RankedRow, RecordingRow
from appwitness.store.shared import digest

Facts = type[FlowRow] | type[FindingRow]
RANKED: Mapping[Facts, Mapping[str, tuple[str, ...]]] = {
    FlowRow: {"recipient": ("recipient",), "sdk": ("sdk",), "data": ("data",), "sent": ("data", "recipient", "sdk"),
              "app": ()},
    FindingRow: {"rule": ("rule",), "finding": ("rule", "data", "recipient", "sdk")},
}  # fmt: skip
"""Flows or findings -> ranking -> the columns that identify its rows. `sent` only serves to list what occurs beside a
row; `app` has one row for all apps with flows."""
LACKS = ("unjudged", "nothing_sent", "nothing_read", "no_values", "consent_unwatched", "gaps")
"""What a recording may lack, one bit of its sight each. The ranking `sight` has a row for each sight that occurs,
`sights` a row for each set of sights that the recordings of an app have."""
SUMS = ("runs", "facts", *WHEN, *LEVELS)
"""What is added up for each key: recordings that have it, their flows or findings, and recordings that have it at a
moment or level. For a `sight`, `facts` holds a checksum of `judged_by`, so that the sum changes with it."""
_COLUMNS = {name: of for rankings in RANKED.values() for name, of in rankings.items()} | dict.fromkeys(
    ("sight", "sights"), ("sight",)
)
_ADDED = ("apps", *SUMS)
_AT_ONCE = 500
"""Recordings or apps in one query."""
APP = '["app"]'
_WITH_EXAMPLE = {"recipient", "sdk", "data", "rule", "finding"}
_NO_VALUES = dict.fromkeys(("rule", "data", "recipient", "sdk", "sight"))

Sums = list[int]
"""The values of SUMS, without trailing zeros."""
_COUNTS = msgspec.json.Decoder(dict[str, Sums])


class RecordingCounts(NamedTuple):
    """What one recording, or all of an app in a campaign, adds to rankings."""

    app: str
    package: str
    campaign: str
    counts: dict[str, Sums]
    """Key -> sums. A key is the JSON list of a ranking and the values of its columns."""


class _Change(NamedTuple):
    sign: int
    """1: added; -1: removed."""
    recording: str
    what: RecordingCounts


@dataclass
class _RowChange:
    """How a row of a ranking changes."""

    sums: Sums = field(default_factory=list)
    """Changes of the number of apps and of SUMS."""
    first: str | None = None
    """The first, by id, of the recordings added to it."""


@contextmanager
def counting(connection: Connection, ids: Collection[str]) -> Iterator[None]:
    """Count how these recordings change inside the context; the rows of those that exist must be locked."""
    before = _counted(connection, ids)
    yield
    _change(connection, before, _counted(connection, ids))


def added(connection: Connection, ids: Collection[str]) -> None:
    """Count new recordings."""
    _change(connection, {}, _counted(connection, ids))


def _change(
    connection: Connection, before: Mapping[str, RecordingCounts], after: Mapping[str, RecordingCounts]
) -> None:
    changes: dict[tuple[str, str], list[_Change]] = {}
    for sign, side in ((-1, before), (1, after)):
        for name, what in side.items():
            if before.get(name) != after.get(name):
                for scope in {"", what.campaign}:
                    changes.setdefault((scope, what.app), []).append(_Change(sign, name, what))
    _add_up(connection, _count_apps(connection, changes))


def forget_campaign(connection: Connection, name: str) -> None:
    """Take a campaign, whose recordings are gone, out of all counts."""
    query = select(RankedAppRow.app, RankedAppRow.package, RankedAppRow.campaign, RankedAppRow.counts)
    rows = connection.execute(query.where(RankedAppRow.campaign == name))
    gone = [RecordingCounts(app, package, campaign, unpacked(found)) for app, package, campaign, found in rows]
    _add_up(connection, _count_apps(connection, {("", each.app): [_Change(-1, "", each)] for each in gone}))
    connection.execute(delete(RankedAppRow).where(RankedAppRow.campaign == name))
    connection.execute(delete(RankedRow).where(RankedRow.campaign == name))


def unpacked(found: bytes) -> dict[str, Sums]:
    """The counts of an app: key -> sums."""
    return _COUNTS.decode(zlib.decompress(found)) if found else {}


def counts(facts: Facts) -> list[ColumnElement[bool]]:
    """The conditions under which flows or findings count."""
    judged = RecordingRow.judged_by.is_not(None)
    return [judged, not_(FlowRow.other_app)] if facts is FlowRow else [judged]


def level_of(facts: Facts) -> Any:
    """The index of a finding's level in LEVELS; null for flows."""
    if facts is FlowRow:
        return null()
    return case(*((FindingRow.level == level, place) for place, level in enumerate(LEVELS)))


def moment_of(facts: Facts) -> Any:
    """The bit for the moment in WHEN; `not_observed` where nobody watched for questions, since consent may have been
    assumed there."""
    bits = {when: 1 << number for number, when in enumerate(WHEN)}
    return case(
        (facts.consent.is_(None), null()),
        (RecordingRow.asked.is_(None), bits["not_observed"]),
        (and_(facts.consent == "not_shown", RecordingRow.asked.is_(False)), bits["unasked"]),
        *((facts.consent == state, bits[moment]) for state, moment in MOMENTS.items()),
    )


def _facts_of(facts: Facts) -> Any:
    columns = [getattr(facts, name) for name in _NAMES[facts]]
    columns += [moment_of(facts).label("moment"), level_of(facts).label("level")]
    inner = (
        select(RecordingRow.id, *columns)
        .join(RecordingRow, RecordingRow.number == facts.recording)
        .where(facts.recording.in_(bindparam("numbers", expanding=True)), *counts(facts))
        .subquery()
    )
    return select(*inner.c, func.count()).group_by(*inner.c)


_NAMES: Mapping[Facts, tuple[str, ...]] = {FlowRow: _COLUMNS["sent"], FindingRow: _COLUMNS["finding"]}
_FACTS = {facts: _facts_of(facts) for facts in RANKED}
_RECORDINGS = select(
    RecordingRow.number, RecordingRow.id, RecordingRow.app, RecordingRow.package, RecordingRow.campaign,
    RecordingRow.judged_by, RecordingRow.uploads, RecordingRow.reads, RecordingRow.sought, RecordingRow.asked,
    RecordingRow.gaps,
).where(RecordingRow.id.in_(bindparam("ids", expanding=True)))  # fmt: skip
_PLACE = (RankedAppRow.campaign, RankedAppRow.app)
_APPS = select(*_PLACE, RankedAppRow.example, RankedAppRow.counts).where(
    tuple_(*_PLACE).in_(bindparam("places", expanding=True))
)
_THIS_APP = (RankedAppRow.campaign == bindparam("scope"), RankedAppRow.app == bindparam("its_app"))


def _counted(connection: Connection, ids: Collection[str]) -> dict[str, RecordingCounts]:
    found: dict[str, RecordingCounts] = {}
    for some in batched(ids, _AT_ONCE):
        judged = []
        for number, id_, app, package, campaign, *saved in connection.execute(_RECORDINGS, {"ids": some}):
            judged_by, uploads, reads, sought, asked, gaps = saved
            sight = 1  # what an unjudged recording lacks is not known yet
            if judged_by is not None:
                judged.append(number)
                lacks = (False, not uploads, not reads, not sought, asked is None, gaps > 0)
                sight = sum(1 << bit for bit, lacking in enumerate(lacks) if lacking)
            checksum = zlib.crc32((judged_by or "").encode())
            found[id_] = RecordingCounts(app, package, campaign, {_key("sight", str(sight)): [1, checksum]})
        for facts, query in _FACTS.items() if judged else ():
            for id_, *values, moment, level, count in connection.execute(query, {"numbers": judged}):
                row = dict(zip(_NAMES[facts], values, strict=True))
                marks = [] if moment is None else [1 + moment.bit_length()]  # their places in SUMS
                marks += [] if level is None else [2 + len(WHEN) + level]
                for ranking, columns in RANKED[facts].items():
                    key = [row[column] for column in columns]
                    if not key or key[0] is not None:
                        sums = found[id_].counts.setdefault(_key(ranking, *key), [1, 0])
                        sums[1] += count
                        for mark in marks:
                            sums.extend([0] * (mark + 1 - len(sums)))
                            sums[mark] = 1
    return found


def _key(*parts: str | None) -> str:
    return msgspec.json.encode(parts).decode()


def _plus(some: Sequence[int], others: Sequence[int], sign: int = 1) -> Sums:
    sums = [one + sign * other for one, other in zip_longest(some, others, fillvalue=0)]
    while sums and not sums[-1]:
        del sums[-1]
    return sums


def _count_apps(
    connection: Connection, changes: Mapping[tuple[str, str], Sequence[_Change]]
) -> dict[tuple[str, str], _RowChange]:
    """Change the counts of apps, by campaign and app; returns how rows of rankings change, by campaign and key."""
    rows: dict[tuple[str, str], _RowChange] = {}
    for places in batched(sorted(changes), _AT_ONCE):
        new = [{"campaign": scope, "app": app, "package": changes[scope, app][0].what.package} for scope, app in places]
        connection.execute(_taking(connection.dialect.name), new)
        values = []
        for row in connection.execute(_APPS, {"places": places}).all():
            old = unpacked(row.counts)
            now, firsts = dict(old), {APP: row.example} if row.example else {}
            for sign, name, what in changes[row.campaign, row.app]:
                for key, sums in what.counts.items():
                    now[key] = _plus(now.get(key, ()), sums, sign)
                    if sign > 0:
                        firsts[key] = min(name, firsts.get(key, name))
            now = {key: sums for key, sums in now.items() if sums}
            touched = {key for change in changes[row.campaign, row.app] for key in change.what.counts}
            for sign, side in ((-1, old), (1, now)):
                for key, sums in _of_app(side, touched):
                    changed = rows.setdefault((row.campaign, key), _RowChange())
                    changed.sums = _plus(changed.sums, sums, sign)
            for key in touched & firsts.keys():
                changed = rows[row.campaign, key]
                changed.first = min(firsts[key], changed.first or firsts[key])
            runs, before = (side.get(APP, [0])[0] for side in (now, old))
            lost = runs < before  # the example may be among the lost ones
            example = _first(connection, row.campaign, "app", {}, app=row.app) if lost else firsts.get(APP)
            counts_ = zlib.compress(msgspec.json.encode(now)) if now else b""
            values.append({"scope": row.campaign, "its_app": row.app, "n": runs, "of": counts_, "first": example})
        change: dict[str, Any] = {"runs": bindparam("n"), "counts": bindparam("of"), "example": bindparam("first")}
        connection.execute(update(RankedAppRow).where(*_THIS_APP).values(change), values)
        if gone := [value for value in values if not value["of"]]:
            connection.execute(delete(RankedAppRow).where(*_THIS_APP), gone)
    return rows


def _of_app(found: Mapping[str, Sums], touched: Set[str]) -> Iterator[tuple[str, Sums]]:
    """What an app adds to the rows of these keys: key -> 1, and SUMS, in which each moment and level counts once."""
    for key in touched & found.keys():
        sums = found[key]
        yield key, [1, *sums[:2], *(min(mark, 1) for mark in sums[2:])]
    if sights := sorted(key for key in found if key.startswith('["sight"')):
        yield _key("sights", " ".join(msgspec.json.decode(key)[1] for key in sights)), [1]


def _add_up(connection: Connection, rows: Mapping[tuple[str, str], _RowChange]) -> None:
    """Change the rows of rankings."""
    values, fewer = [], []
    for (scope, key), row in sorted(rows.items()):
        if row.sums or row.first:
            ranking, *of = msgspec.json.decode(key)
            columns: dict[str, str | None] = dict(zip(_COLUMNS[ranking], of, strict=True))
            sums: dict[str, int] = dict(zip_longest(_ADDED, row.sums, fillvalue=0))  # type: ignore[arg-type]
            place = {"campaign": scope, "ranking": ranking, "key": digest(key)}
            first = row.first if ranking in _WITH_EXAMPLE else None
            values.append({**_NO_VALUES, **place, **columns, **sums, "example": first})
            if min(sums["apps"], sums["runs"]) < 0:
                fewer.append((place, columns))
    if not values:
        return
    connection.execute(_adding(connection.dialect.name), values)
    for place, columns in fewer:
        this = [getattr(RankedRow, name) == value for name, value in place.items()]
        if connection.execute(delete(RankedRow).where(*this, RankedRow.apps == 0)).rowcount:
            continue
        scope, ranking = place["campaign"], place["ranking"]
        if ranking in _WITH_EXAMPLE:
            example = connection.scalar(select(RankedRow.example).where(*this))
            if _first(connection, scope, ranking, columns, recording=example) is None:
                first = _first(connection, scope, ranking, columns)
                connection.execute(update(RankedRow).where(*this).values(example=first))


def _first(
    connection: Connection,
    scope: str,
    ranking: str,
    columns: Mapping[str, str | None],
    recording: str | None = None,
    app: str | None = None,
) -> str | None:
    """The first recording, by id, in a row of a ranking; if given, only this one, or only those of this app."""
    facts: Facts = FindingRow if ranking in RANKED[FindingRow] else FlowRow
    query = select(func.min(RecordingRow.id)).join_from(facts, RecordingRow, RecordingRow.number == facts.recording)
    query = query.where(*counts(facts))
    for name, value in columns.items():
        column = getattr(facts, name)
        query = query.where(column.is_(None) if value is None else column == value)
    for column, wanted in (
        (RecordingRow.campaign, scope or None), (RecordingRow.id, recording), (RecordingRow.app, app)
    ):  # fmt: skip
        query = query if wanted is None else query.where(column == wanted)
    return connection.scalar(query)


@cache
def _adding(dialect: str) -> postgresql.Insert | sqlite.Insert:
    """Adds to a row of a ranking, or inserts it."""
    insert = _insert(dialect, RankedRow)
    known, new = RankedRow.example, insert.excluded.example
    changed: dict[str, Any] = {name: getattr(RankedRow, name) + insert.excluded[name] for name in _ADDED}
    changed["example"] = case((known <= new, known), else_=func.coalesce(new, known))
    return insert.on_conflict_do_update(index_elements=["campaign", "ranking", "key"], set_=changed)


@cache
def _taking(dialect: str) -> postgresql.Insert | sqlite.Insert:
    """Inserts an app, or updates it: either locks the row, which nobody can then delete."""
    insert = _insert(dialect, RankedAppRow)
    return insert.on_conflict_do_update(index_elements=_PLACE, set_={"package": insert.excluded.package})


def _insert(dialect: str, model: type[Base]) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(model) if dialect == "postgresql" else sqlite.insert(model)
