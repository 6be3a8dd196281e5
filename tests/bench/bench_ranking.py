"""How soon a page that ranks over 20,000 recordings is there, with SQLite and with PostgreSQL, beside one bare question
to the same database that goes through all of its flows.

The index is filled with rows as a campaign under three plans leaves them: ten flows and four findings to a run, a few
recipients in most apps and many in a few.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from itertools import batched
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Table, create_engine, insert

from appwitness.api.browsing import Browsing
from appwitness.correlate import knowledge
from appwitness.store import Store
from appwitness.store.models import FindingRow, FlowRow, PositionRow, RecordingRow
from appwitness.store.ranked import added
from appwitness.web.query import Site
from appwitness.web.routes import app
from tests.bench.figures import Given
from tests.bench.running import alone, ratio, seconds, talk
from tests.postgres import Postgres
from tests.web.serving import TOKEN, visitor

RECORDINGS, FLOWS, FINDINGS = 20_000, 10, 4
TIMES = 3
BARE = "SELECT recipient, data, consent, count(*) FROM flows GROUP BY recipient, data, consent"
BATCH = 1000
DATA = ("phone_number", "contacts", "location", "android_id", "oaid", "imei")
CONSENT = ("not_shown", "requested", "refused", "given", "given")
JSON = '{"padding":"' + "x" * 800 + '"}'
AT = "2026-05-01T08:00:00.000000Z"


def measure() -> Iterator[Given]:
    """Pages of rankings; each is asked for a few times, and the median counts."""
    known = knowledge()
    rules = [rule.id for rule in known.rules]
    with tempfile.TemporaryDirectory() as folder:
        place = f"sqlite:///{folder}/index.sqlite"
        fill(place, rules)
        yield from _pages(place, known, "SQLite")
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder, Postgres(Path(folder)) as it:
        place = it.create()
        fill(place, rules)
        it.execute("ANALYZE", database=urlsplit(place).path.lstrip("/"))
        yield from _pages(place, known, "PostgreSQL")


def _pages(place: str, known: Any, name: str) -> Iterator[Given]:
    with Store(place) as store:
        pages = visitor(app(Site(Browsing(store, known), TOKEN)))
        engine = create_engine(place.replace("postgresql:", "postgresql+psycopg:"))

        def asked() -> None:
            with engine.connect() as connection:
                connection.exec_driver_sql(BARE).fetchall()

        def answered(by: str) -> None:
            assert pages.get(f"/ranking?by={by}").status_code == 200

        for by in ("recipient", "data", "rule", "finding"):
            rounds = [(seconds(partial(answered, by)), seconds(asked)) for _ in range(TIMES)]
            yield ratio(f"{name}, by {by}", "a bare GROUP BY", rounds)
        engine.dispose()


def fill(place: str, rules: list[str]) -> None:
    """Make an index, and fill it."""
    begun = time.perf_counter()
    Store(place).close()
    engine = create_engine(place.replace("postgresql:", "postgresql+psycopg:"))
    chance = random.Random(20)
    for numbers in batched(range(1, RECORDINGS + 1), BATCH):
        rows: dict[Any, list[dict[str, Any]]] = {RecordingRow: [], PositionRow: [], FlowRow: [], FindingRow: []}
        for number in numbers:
            rows[RecordingRow].append(_recording(number, chance))
            rows[PositionRow] += [
                {"recording": number, "kind": kind, "line": chance.randrange(3), "bytes": 9, "digest": "x" * 64}
                for kind in ("access", "upload", "gap", "consent")
            ]
            base = {"recording": number, "host": "in.test", "consent": "given"}
            rows[FlowRow] += [
                {**base, **_what(chance), "id": f"f{flow}", "number": flow, "access": None, "connection": None,
                 "upload": f"uploads.jsonl:{flow}", "other_app": False, "party": "third", "at": AT, "flow": JSON,
                 "consent": chance.choice(CONSENT)}
                for flow in range(FLOWS)
            ]  # fmt: skip
            rows[FindingRow] += [
                {**base, **_what(chance), "number": finding, "rule": chance.choice(rules), "level": "high",
                 "confidence": "proven", "finding": JSON}
                for finding in range(FINDINGS)
            ]  # fmt: skip
        with engine.begin() as connection:
            for model, of in rows.items():
                table: Table = model.__table__
                others = {each.name: each.type.python_type() for each in table.columns if not each.nullable}
                connection.execute(insert(table), [others | row for row in of])
            added(connection, [row["id"] for row in rows[RecordingRow]])
    engine.dispose()
    talk(f"{RECORDINGS} recordings in {time.perf_counter() - begun:.0f} s")


def _recording(number: int, chance: random.Random) -> dict[str, Any]:
    app_ = number // 3
    return {
        "number": number, "id": f"night-com.example.app{app_}-{number % 3}-0123456789ab-a1", "campaign": "",
        "path": "/recordings/x", "package": f"com.example.app{app_}", "app": f"{app_:064x}",
        "device": f"device-{number % 200}", "plan": ("accept", "refuse", "silent")[number % 3], "started": AT,
        "ended": AT, "run": JSON, "judged_by": "x" * 64, "turn": None, "reads": 5,
        "uploads": chance.choice((0, 3, 9, 9, 9)), "sought": True, "asked": chance.choice((None, True, True, False)),
        "gaps": chance.randrange(3),
    }  # fmt: skip


def _what(chance: random.Random) -> dict[str, Any]:
    host = min(int(chance.paretovariate(0.6)), 3000)
    sdk = f"SDK {host % 150}" if host % 3 else None
    return {"data": chance.choice(DATA), "recipient": f"recipient{host}.test", "sdk": sdk}


if __name__ == "__main__":
    sys.exit(alone("ranking", measure()))
