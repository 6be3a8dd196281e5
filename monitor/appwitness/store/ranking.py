"""Rankings across apps by recipient, data type, SDK, rule, finding or app, with how many apps could have shown each
row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, null, select, true

from appwitness.findings import LEVELS, Level, Need
from appwitness.store.index import Store
from appwitness.store.lists import ROWS, Filters, ListPage
from appwitness.store.models import WHEN, WITH_RUNS, FindingRow, FlowRow, RankedAppRow, RankedRow, RecordingRow, When
from appwitness.store.ranked import APP, LACKS, RANKED, Facts, counts, level_of, moment_of, unpacked

By = Literal["recipient", "sdk", "data", "rule", "finding", "app"]
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
SENT: frozenset[Needed] = frozenset({"proxy", "values"})
"""What a run must have recorded to show that personal data was sent."""
NONE: Filters = MappingProxyType({})
NO_RULES: Mapping[str, Collection[Needed]] = MappingProxyType({})
BESIDE = 3
"""Maximum number of data types, of recipients and of SDKs that a row lists."""
HOSTS = 20
"""Maximum number of hosts listed for a recipient."""


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
        is_kept = is_stored(filters)
        are_kept_apps = is_kept and by == "app"
        if are_kept_apps:
            query = _kept_apps(filters)
        else:
            query = _kept(by, filters) if is_kept else _computed(by, facts, filters)
        with self.store.reading() as connection:
            found = connection.execute(query.limit(rows).offset((page - 1) * rows)).all()
            if not found and page > 1:
                return self.ranking(by, filters, rows=rows)
            keys = [row[0] for row in found]
            rules = keys if "rule" in names else [filters.get("rule") or ""]
            seen = _RunsSeen(connection, filters)
            able = {needs: seen.count(seen.able(needs)).apps for needs in {self._needs(rule) for rule in rules}}
            of_example = select(RecordingRow.id, RecordingRow.package)
            of_example = of_example.where(RecordingRow.id.in_([row.example for row in found]))
            packages = {each.id: each.package for each in connection.execute(of_example)}
            of_apps = {row.app: unpacked(row.counts) for row in found} if are_kept_apps else {}
            beside = {
                name: _beside_apps(of_apps, name) if are_kept_apps
                else _first_of_each(connection.execute(_beside(facts, by, filters, name, keys, is_kept=is_kept)))
                for name in ("data", "recipient", "sdk")
                if len(names) == 1 and name not in names and not filters.get(name)
            }  # fmt: skip

        def moments(row: Any) -> Iterable[int]:
            return (min(runs, 1) for runs in of_apps[row.app][APP][2:]) if are_kept_apps else row[-len(WHEN) :]

        ranked = (
            Ranked(
                of={name: getattr(row, name) for name in names},
                apps=row.apps,
                able=able[self._needs(row[0] if "rule" in names else rules[0])],
                runs=row.runs,
                when={name: count for name, count in zip(WHEN, moments(row), strict=False) if count},
                example=row.example,
                package=packages[row.example],
                level=None if row.level is None else LEVELS[row.level],
                beside={name: of.get(row[0], ()) for name, of in beside.items()},
            )
            for row in found
        )
        return ListPage(tuple(ranked), page, found[0].total if found else 0)

    def hosts(self, recipient: str) -> list[str]:
        """Hosts of a recipient that received something, at most HOSTS."""
        query = select(FlowRow.host).where(FlowRow.recipient == recipient).distinct().order_by(FlowRow.host)
        with self.store.reading() as connection:
            return list(connection.scalars(query.limit(HOSTS)))

    def _needs(self, rule: str) -> frozenset[Needed]:
        """What a run must have recorded for a finding of this rule; without a rule, to show that data was sent."""
        return frozenset(self._shown_by.get(rule, ())) if rule else SENT

    def basis(self, by: By, filters: Filters = NONE) -> Basis:
        """How many runs and apps could have shown such rows, and why the others could not. In a ranking by rules,
        every judged run counts as able: see `Ranked.able` for each rule."""
        rule = filters.get("rule") or ""
        needs = self._needs(rule) if rule or by not in ("rule", "finding") else frozenset()
        with self.store.reading() as connection:
            seen = _RunsSeen(connection, filters)
        able = seen.able(needs)
        return Basis(
            seen.count(lambda _: True), seen.count(able), seen.count(lambda sight: able(sight) and bool(sight & GAPS)),
            seen.left(needs),
        )  # fmt: skip


class _RunsSeen:
    """What the runs of a campaign, or all, could have shown."""

    def __init__(self, connection: Connection, filters: Filters) -> None:
        row = RankedRow
        query = select(row.ranking, row.sight, row.apps, row.runs).where(row.ranking.in_(("sight", "sights")))
        found = connection.execute(query.where(row.campaign == _scope(filters))).all()
        self._runs = {int(sight or ""): runs for ranking, sight, _, runs in found if ranking == "sight"}
        self._apps = {sight or "": apps for ranking, sight, apps, _ in found if ranking == "sights"}

    def count(self, wanted: Callable[[int], bool]) -> AppCount:
        """The number of runs whose sight is `wanted`, and of the apps with such a run."""
        apps = (apps for sights, apps in self._apps.items() if any(wanted(int(sight)) for sight in sights.split()))
        return AppCount(sum(apps), sum(runs for sight, runs in self._runs.items() if wanted(sight)))

    def able(self, needs: Collection[Needed]) -> Callable[[int], bool]:
        """A function that tells from a run's sight whether the run could have shown a row with these needs."""
        lacks = sum(1 << LACKS.index(reason) for reason in _reasons(needs))
        return lambda sight: not sight & lacks

    def left(self, needs: Collection[Needed]) -> dict[str, int]:
        """Number of runs that could not have shown such a row, by the first reason."""
        left: dict[str, int] = {}
        for sight, runs in self._runs.items():
            if reason := next((each for each in _reasons(needs) if sight & 1 << LACKS.index(each)), None):
                left[reason] = left.get(reason, 0) + runs
        return left


GAPS = 1 << LACKS.index("gaps")
WITHOUT: Mapping[Needed, str] = {
    "proxy": "nothing_sent", "hooks": "nothing_read", "values": "no_values", "consent": "consent_unwatched",
}  # fmt: skip


def _reasons(needs: Collection[Needed]) -> list[str]:
    return ["unjudged", *(WITHOUT[need] for need in WITHOUT if need in needs)]


def is_stored(filters: Filters) -> bool:
    """Whether the rows of a ranking are stored, and updated as they change; with other filters they are counted on
    request."""
    return not any(filters.get(name) for name in FILTERS if name != "campaign")


def _scope(filters: Filters) -> str:
    """The requested campaign; empty for all recordings."""
    return filters.get("campaign") or ""


def _kept(by: By, filters: Filters) -> Select[Any]:
    """A query for the stored rows of a ranking."""
    row = RankedRow
    columns = [getattr(row, name) for name in GROUPS[by]]
    level = case(*((getattr(row, level) > 0, place) for place, level in enumerate(LEVELS)))
    query = select(
        *columns, row.apps, row.runs, row.example, func.count().over().label("total"), level.label("level"),
        *(getattr(row, when) for when in WHEN),
    ).where(row.ranking == by, row.campaign == _scope(filters))  # fmt: skip
    if text := filters.get("text"):
        query = query.where(columns[0].icontains(text, autoescape=True))
    return query.order_by(row.apps.desc(), row.runs.desc(), *columns)


def _kept_apps(filters: Filters) -> Select[Any]:
    """A query for the stored rows of the ranking by app."""
    row, scope = RankedAppRow, _scope(filters)
    of_all = (RankedRow.campaign == scope, RankedRow.ranking == "app")
    total: Any = select(RankedRow.apps).where(*of_all).scalar_subquery()
    query = select(row.app, literal(1).label("apps"), row.runs, row.example, row.counts, null().label("level"))
    query = query.where(row.campaign == scope, WITH_RUNS)
    if text := filters.get("text"):
        query, total = query.where(row.package.icontains(text, autoescape=True)), func.count().over()
    return query.add_columns(total.label("total")).order_by(row.runs.desc(), row.package, row.app)


def _computed(by: By, facts: Facts, filters: Filters) -> Select[Any]:
    """A query that counts the rows of a ranking from flows or findings."""
    names = GROUPS[by]
    groups = [_column(facts, name).label(name) for name in names]
    of_apps = (
        select(
            *groups,
            func.count(facts.recording.distinct()).label("runs"),
            func.min(RecordingRow.id).label("example"),
            func.min(RecordingRow.package).label("package"),
            func.sum(moment_of(facts).distinct()).label("when"),
            func.min(level_of(facts)).label("level"),
        )
        .select_from(facts)
        .join(RecordingRow, RecordingRow.number == facts.recording)
        .where(*_wanted(facts, by, filters))
        .group_by(*groups, RecordingRow.app)
        .subquery()
    )
    columns = [of_apps.c[name] for name in names]
    apps, runs = func.count(), func.sum(of_apps.c.runs)
    query = select(
        *columns, apps.label("apps"), runs.label("runs"), func.min(of_apps.c.example).label("example"),
        func.count().over().label("total"), func.min(of_apps.c.level).label("level"),
        *(func.count(case((of_apps.c.when.bitwise_and(1 << bit) != 0, 1))) for bit in range(len(WHEN))),
    ).group_by(*columns)  # fmt: skip
    package = [func.min(of_apps.c.package)] if by == "app" else []
    return query.order_by(apps.desc(), runs.desc(), *package, *columns)


def _beside(facts: Facts, by: By, filters: Filters, name: str, keys: Collection[str], *, is_kept: bool) -> Select[Any]:
    """A query for pairs of one of these keys and a value in the column `name` beside it, the most frequent first."""
    of: Any = RankedRow if is_kept else facts
    key, other = _column(of, GROUPS[by][0]), _column(of, name)
    query: Select[Any]
    count: Any
    if is_kept:
        ranking = "sent" if facts is FlowRow else "finding"
        conditions = [RankedRow.ranking == ranking, RankedRow.campaign == _scope(filters)]
        query, count = select(key, other), func.sum(RankedRow.facts)
    else:
        conditions, count = _wanted(facts, by, filters), func.count()
        query = select(key, other).select_from(facts).join(RecordingRow, RecordingRow.number == facts.recording)
    some = key.in_(keys) if len(keys) <= ROWS else true()
    return query.where(*conditions, some, other.is_not(None)).group_by(key, other).order_by(count.desc(), other)


def _first_of_each(pairs: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    """Key -> its first values, at most BESIDE."""
    found: dict[str, tuple[str, ...]] = {}
    for key, value in pairs:
        if len(found.setdefault(key, ())) < BESIDE:
            found[key] += (value,)
    return found


def _beside_apps(of_apps: Mapping[str, Mapping[str, Sequence[int]]], name: str) -> dict[str, tuple[str, ...]]:
    """App -> the values of a column that occur with it most often."""
    place = 1 + RANKED[FlowRow]["sent"].index(name)
    found = {}
    for app, counts_ in of_apps.items():
        facts: Counter[str] = Counter()
        for key, sums in counts_.items():
            ranking, *_ = of = msgspec.json.decode(key)
            if ranking == "sent" and of[place] is not None:
                facts[of[place]] += sums[1]
        found[app] = tuple(sorted(facts, key=lambda value: (-facts[value], value))[:BESIDE])
    return found


def _column(facts: Any, name: str) -> Any:
    return getattr(RecordingRow if name in ("app", "campaign") else facts, name)


def _wanted(facts: Any, by: By, filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions for flows or findings to count."""
    key = _column(facts, GROUPS[by][0])
    conditions = [*counts(facts), key.is_not(None)]
    if text := filters.get("text"):
        searched = RecordingRow.package if by == "app" else key
        conditions.append(searched.icontains(text, autoescape=True))
    for name in FILTERS:
        if value := filters.get(name):
            column = _column(facts, name)
            conditions.append(column.is_(None) if value == UNKNOWN else column == value)
    return conditions
