"""A persona is put on a device for real, asked back, and removed: what was there before is there after, and no more."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from monitor.observe.android.control import Control
from monitor.observe.android.persona import Persona, plant
from tests.adb.rig.phone import Phone

APIS = (24, 29, 33, 34, 36)


def content(phone: Phone) -> dict[str, list[Any]]:
    """All rows of all providers of a device."""
    there: dict[str, list[Any]] = {}
    for path in sorted((phone.root / "data/rig").glob("*.db")):
        with closing(sqlite3.connect(":memory:")) as db:
            db.deserialize(path.read_bytes())  # SQLite follows the link of /proc/PID/root to this machine's own
            tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
            for (table,) in tables.fetchall():
                there[f"{path.stem}.{table}"] = db.execute(f"SELECT * FROM {table}").fetchall()
    return {name: rows for name, rows in there.items() if rows}


HOSTILE = (
    'O\'Brien; rm -rf "/" $(reboot) `id`',
    "a\nRow: 1 _id=7, data1=b",
    "👩🏽‍🚀 名前, data1=x\\n\t%s \\'",
    "--where",
)


@pytest.mark.parametrize("api", APIS)
def test_contacts(phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control], api: int) -> None:
    phone = phone_of(api=api)
    control = control_of(phone)
    wanted = Persona.model_validate(
        {
            "contacts": [
                {"name": name, "numbers": ["0157 5550 1"], "mails": [f"{n}@example.net"]}
                for n, name in enumerate(HOSTILE)
            ]
        }
    )

    planted = plant(control, wanted)

    assert planted.gaps == ()
    names = [value.text for value in planted.values if value.type == "name"]
    assert names == list(HOSTILE)
    assert len({value.row for value in planted.values}) == len(HOSTILE)
    assert control.journal.undo_all(control.take_back) == []
    assert content(phone) == {}
