"""Counts a fleet's runs as they change: database triggers maintain the counts, in the transaction of each change.

So the status of a campaign takes as long with a million runs as with a thousand, and no statement that changes a run,
whoever executes it, can leave the counts out of date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

KEY = ("campaign", "pool", "plan", "state", "reason")
"""The columns that runs are counted by; empty for a run without a value."""
SUMS = ("runs", "findings", "recorded", "took_ms")
SUPERSEDED = "superseded"
"""The state under which superseded recordings are counted, for all campaigns together."""
_FORMULAS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "runs": (
        tuple(f"coalesce({{row}}{name}, '')" for name in KEY),
        (
            "1",
            "coalesce({row}findings, 0)",
            "CASE WHEN {row}recorded_at - {row}leased_at IS NULL THEN 0 ELSE 1 END",
            "coalesce(CAST(round(1000 * ({row}recorded_at - {row}leased_at)) AS BIGINT), 0)",
        ),
    ),
    "superseded": (("''", "''", "''", f"'{SUPERSEDED}'", "''"), ("1", "0", "0", "0")),
}
"""Table -> the key under which a row is counted, and what the row adds to each sum. Sums are integers, so adding and
subtracting a row leaves exactly nothing."""
_COLUMNS = ", ".join((*KEY, *SUMS))
_UPSERT = f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET " + ", ".join(
    f"{name} = run_counts.{name} + excluded.{name}" for name in SUMS
)
_CHANGES = {
    "INSERT": "SELECT 1 AS sign, * FROM after_it",
    "UPDATE": "SELECT 1 AS sign, * FROM after_it UNION ALL SELECT -1, * FROM before_it",
    "DELETE": "SELECT -1 AS sign, * FROM before_it",
}
"""Statement -> the rows that it added (sign 1) and removed (sign -1)."""
_NAMES = {"after_it": "NEW TABLE AS after_it", "before_it": "OLD TABLE AS before_it"}


def _formulas(table: str, row: str = "", sign: str = "1") -> tuple[list[str], list[str]]:
    """SQL for the key and the sums of a row: `row` is empty, or its name and a dot."""
    key, sums = _FORMULAS[table]
    return [each.format(row=row) for each in key], [f"{sign} * ({each.format(row=row)})" for each in sums]


def _summed(table: str, rows: str, sign: str = "1") -> str:
    """SQL for the counts of some rows of a table."""
    key, sums = _formulas(table, sign=sign)
    counts = ", ".join((*key, *(f"sum({each})" for each in sums)))
    places = ", ".join(map(str, range(1, len(KEY) + 1)))
    some = " OR ".join(f"sum({each}) <> 0" for each in sums)
    return f"SELECT {counts} FROM ({rows}) AS changed GROUP BY {places} HAVING {some} ORDER BY {places}"  # noqa: S608, our own names


def counted(table: str) -> str:
    """SQL that counts a table from scratch: the rows that `run_counts` should have, without those that are all zero."""
    return _summed(table, f"SELECT * FROM {table}")  # noqa: S608, our own names


def _of_sqlite(table: str) -> Iterator[str]:
    def add(row: str, sign: str) -> str:
        key, sums = _formulas(table, row, sign)
        return f"INSERT INTO run_counts ({_COLUMNS}) VALUES ({', '.join((*key, *sums))}) {_UPSERT};"  # noqa: S608, our own names

    columns = f" OF {', '.join(KEY)}, findings, leased_at, recorded_at" if table == "runs" else ""
    for when, steps in {
        "INSERT": add("NEW.", "1"),
        f"UPDATE{columns}": add("OLD.", "-1") + add("NEW.", "1"),
        "DELETE": add("OLD.", "-1"),
    }.items():
        yield f"CREATE TRIGGER {table}_counted_{when[:6].lower()} AFTER {when} ON {table} BEGIN {steps} END"


def _of_postgresql(table: str) -> Iterator[str]:
    """Triggers that run once for each statement, not for each row; they update in key order, so that no two
    deadlock."""
    for when, rows in _CHANGES.items():
        name = f"{table}_counted_{when.lower()}"
        add = f"INSERT INTO run_counts ({_COLUMNS}) {_summed(table, rows, 'sign')} {_UPSERT};"
        given = " ".join(said for rows_, said in _NAMES.items() if rows_ in rows)
        yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {add} RETURN NULL; END $$"
        yield (
            f"CREATE TRIGGER {name} AFTER {when} ON {table} REFERENCING {given} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


def keep_counts(connection: Connection) -> None:
    """Create the triggers, and count existing rows; `run_counts` was just created."""
    triggers = _of_postgresql if connection.dialect.name == "postgresql" else _of_sqlite
    for table in _FORMULAS:
        for statement in triggers(table):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"INSERT INTO run_counts ({_COLUMNS}) {counted(table)}")
