"""Rankings across apps by recipient, data type, SDK, rule, finding or app, with how many apps could have shown each
row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, not_, null, or_, select, true

from appwitness.findings import LEVELS, MOMENTS, Level, Moment, Need
from appwitness.store.index import Store
from appwitness.store.lists import ROWS, Filters, ListPage
from appwitness.store.models import FindingRow, FlowRow, RecordingRow

By = Literal["recipient", "sdk", "data", "rule", "finding", "app"]
When = Literal["unasked"] | Moment
Needed = Literal["values"] | Need
"""What a run needs to show something: an observer, or values to look for."""


GROUPS: Mapping[By, tuple[str, ...]] = {
    "recipient": ("recipient",),
    "sdk": ("sdk",),
    "data": ("data",),
    "rule": ("rule",),
    "finding": ("rule", "data", "recipient", "sdk"),
    "app": ("app",),
}
"""Filters whose values identify a row of a ranking; `finding`: the same finding in many apps, folded into one row."""
FILTERS = ("campaign", "recipient", "sdk", "data", "rule", "app")
UNKNOWN = "-"
"""As a filter's value: rows whose value is unknown."""
WHEN: tuple[When, ...] = (
    *("unasked", "before_answer", "after_refusal", "after_withdrawal", "after_yes", "not_observed"),
)
"""The moment relative to the user's answer; `unasked`: in a run in which consent was watched, and no question was
seen."""
SENT: frozenset[Needed] = frozenset({"proxy", "values"})
"""What a run must have recorded to show that personal data was sent."""
NONE: Filters = MappingProxyType({})
NO_RULES: Mapping[str, Collection[Needed]] = MappingProxyType({})
BESIDE = 3
"""Most data types, recipients and SDKs that a row lists."""
HOSTS = 20
"""Most hosts of a recipient that are listed."""


class Ranked(NamedTuple):
    """A row of a ranking. An app is identified by its APK, or by its package if the APK is unknown."""

    of: dict[str, str | None]
    """What the row is about: filter name -> value. As filters, they select what is behind the row."""
    apps: int
    able: int
    """Number of apps that could have shown it: what it needs was recorded."""
    runs: int
    when: dict[When, int]
    """Moment -> number of apps; an app may count for several."""
    example: str
    """Id of a recording with it."""
    package: str
    """Package of an app with it."""
    level: Level | None
    """The worst level of its findings; None for rows of flows."""
    beside: dict[str, tuple[str, ...]]
    """`data`, `recipient`, `sdk` -> the values that occur with it most often."""


class AppCount(NamedTuple):
    """A number of runs, and of the apps in them."""

    apps: int
    runs: int


class Basis(NamedTuple):
    """The runs that a ranking is based on."""

    all: AppCount
    able: AppCount
    """Runs that could have shown such rows."""
    gaps: AppCount
    """Those runs among them that have gaps."""
    left: dict[str, int]
    """Runs that could not, by first reason: unjudged, nothing_sent, nothing_read, no_values, consent_unwatched."""


class Rankings:
    """Queries the index of one store. Only completely judged recordings count."""

    def __init__(self, store: Store, shown_by: Mapping[str, Collection[Needed]] = NO_RULES) -> None:
        """`shown_by`: rule id -> what a run must have recorded to show it."""
        self.store = store
        self._shown_by = shown_by

    def ranking(self, by: By, filters: Filters = NONE, page: int = 1, rows: int = ROWS) -> ListPage[Ranked]:
        """The rows with the most apps first, `rows` to a page. For a page that does not exist, the first page.

        Each of `filters` (FILTERS) requests one value, and `text` a part of the rows' names; empty texts match
        everything.
        """
        facts = FindingRow if by in ("rule", "finding") or filters.get("rule") else FlowRow
        names = GROUPS[by]
        groups = [_column(facts, name).label(name) for name in names]
        of_apps = (
            select(
                *groups,
                func.count(facts.recording.distinct()).label("runs"),
                func.min(RecordingRow.id).label("example"),
                func.min(RecordingRow.package).label("package"),
                func.sum(_when(facts).distinct()).label("when"),
                func.min(_level(facts)).label("level"),
            )
            .select_from(facts)
            .join(RecordingRow, RecordingRow.number == facts.recording)
            .where(*_wanted(facts, by, filters))
            .group_by(*groups, RecordingRow.app)
            .subquery()
        )
        columns, package = [of_apps.c[name] for name in names], func.min(of_apps.c.package)
        apps, runs = func.count(), func.sum(of_apps.c.runs)
        query = select(
            *columns, apps, runs, func.min(of_apps.c.example), package, func.count().over(),
            func.min(of_apps.c.level),
            *(func.count(case((of_apps.c.when.bitwise_and(1 << bit) != 0, 1))) for bit in range(len(WHEN))),
        ).group_by(*columns)  # fmt: skip
        order = (apps.desc(), runs.desc(), *([package] if by == "app" else []), *columns)
        query = query.order_by(*order).limit(rows).offset((page - 1) * rows)
        with self.store.reading() as connection:
            found = connection.execute(query).all()
            if not found and page > 1:
                return self.ranking(by, filters, rows=rows)
            keys = [row[0] for row in found]
            rules = keys if "rule" in names else [filters.get("rule") or ""]
            able = {needs: _able(connection, needs, filters) for needs in {self._needs(rule) for rule in rules}}
            beside = {
                name: self._beside(connection, facts, by, filters, name, keys)
                for name in ("data", "recipient", "sdk")
                if len(names) == 1 and name not in names and not filters.get(name)
            }
        first = len(names)
        ranked = (
            Ranked(
                of=dict(zip(names, row[:first], strict=True)),
                apps=row[first],
                able=able[self._needs(row[0] if "rule" in names else rules[0])].apps,
                runs=row[first + 1],
                when={name: count for name, count in zip(WHEN, row[first + 6 :], strict=True) if count},
                example=row[first + 2],
                package=row[first + 3],
                level=None if row[first + 5] is None else LEVELS[row[first + 5]],
                beside={name: of.get(row[0], ()) for name, of in beside.items()},
            )
            for row in found
        )
        return ListPage(tuple(ranked), page, found[0][first + 4] if found else 0)

    def hosts(self, recipient: str) -> list[str]:
        """Hosts of a recipient that received something, at most HOSTS."""
        query = select(FlowRow.host).where(FlowRow.recipient == recipient).distinct().order_by(FlowRow.host)
        with self.store.reading() as connection:
            return list(connection.scalars(query.limit(HOSTS)))

    def _needs(self, rule: str) -> frozenset[Needed]:
        """What a run must have recorded for a finding of this rule; without a rule, to show that data was sent."""
        return frozenset(self._shown_by.get(rule, ())) if rule else SENT

    def _beside(
        self, connection: Connection, facts: Any, by: By, filters: Filters, name: str, keys: Collection[str]
    ) -> dict[str, tuple[str, ...]]:
        key, other = _column(facts, GROUPS[by][0]), _column(facts, name)
        query = (
            select(key, other)
            .select_from(facts)
            .join(RecordingRow, RecordingRow.number == facts.recording)
            .where(*_wanted(facts, by, filters), key.in_(keys) if len(keys) <= ROWS else true(), other.is_not(None))
            .group_by(key, other)
            .order_by(func.count().desc(), other)
        )
        found: dict[str, tuple[str, ...]] = {}
        for group, value in connection.execute(query):
            if len(found.setdefault(group, ())) < BESIDE:
                found[group] += (value,)
        return found

    def basis(self, by: By, filters: Filters = NONE) -> Basis:
        """How many runs and apps could have shown such rows, and why the others could not. In a ranking by rules,
        every judged run counts as able: see `Ranked.able` for each rule."""
        rule = filters.get("rule") or ""
        needs = self._needs(rule) if rule or by not in ("rule", "finding") else frozenset()
        lacks = _lacks(needs)
        able = not_(or_(*lacks.values()))
        gap = RecordingRow.gaps > 0
        reason = case(*((condition, name) for name, condition in lacks.items()))
        here = _of_campaign(filters)
        left = select(reason, func.count()).where(here, not_(able)).group_by(reason)
        with self.store.reading() as connection:
            return Basis(
                _counted(connection, here), _counted(connection, here, able), _counted(connection, here, able, gap),
                dict(tuple(row) for row in connection.execute(left)),
            )  # fmt: skip


def _able(connection: Connection, needs: Collection[Needed], filters: Filters) -> AppCount:
    return _counted(connection, _of_campaign(filters), not_(or_(*_lacks(needs).values())))


def _of_campaign(filters: Filters) -> ColumnElement[bool]:
    return RecordingRow.campaign == filters["campaign"] if filters.get("campaign") else true()


def _counted(connection: Connection, *conditions: ColumnElement[bool]) -> AppCount:
    query = select(func.count(RecordingRow.app.distinct()), func.count()).where(*conditions)
    return AppCount(*connection.execute(query).one())


def _lacks(needs: Collection[Needed]) -> dict[str, ColumnElement[bool]]:
    """Reason -> condition under which a run could not have shown what has these needs."""
    without: dict[Needed, tuple[str, ColumnElement[bool]]] = {
        "proxy": ("nothing_sent", RecordingRow.uploads == 0),
        "hooks": ("nothing_read", RecordingRow.reads == 0),
        "values": ("no_values", not_(RecordingRow.sought)),
        "consent": ("consent_unwatched", RecordingRow.asked.is_(None)),
    }
    return {"unjudged": RecordingRow.judged_by.is_(None), **dict(without[need] for need in without if need in needs)}


def _column(facts: Any, name: str) -> Any:
    return getattr(RecordingRow if name in ("app", "campaign") else facts, name)


def _wanted(facts: Any, by: By, filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions for flows or findings to count."""
    key = _column(facts, GROUPS[by][0])
    conditions = [RecordingRow.judged_by.is_not(None), key.is_not(None)]
    if facts is FlowRow:
        conditions.append(not_(FlowRow.other_app))
    if text := filters.get("text"):
        searched = RecordingRow.package if by == "app" else key
        conditions.append(searched.icontains(text, autoescape=True))
    for name in FILTERS:
        if value := filters.get(name):
            column = _column(facts, name)
            conditions.append(column.is_(None) if value == UNKNOWN else column == value)
    return conditions


def _level(facts: Any) -> Any:
    """The index of a finding's level in LEVELS; null for flows."""
    if facts is FlowRow:
        return null()
    return case(*((FindingRow.level == level, place) for place, level in enumerate(LEVELS)))


def _when(facts: Any) -> Any:
    """The bit for the moment in WHEN; `not_observed` where nobody watched for questions, since consent may have been
    assumed there."""
    bits = {when: 1 << number for number, when in enumerate(WHEN)}
    return case(
        (facts.consent.is_(None), null()),
        (RecordingRow.asked.is_(None), bits["not_observed"]),
        (and_(facts.consent == "not_shown", RecordingRow.asked.is_(False)), bits["unasked"]),
        *((facts.consent == state, bits[moment]) for state, moment in MOMENTS.items()),
    )
