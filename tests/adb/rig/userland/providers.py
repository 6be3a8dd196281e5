"""The content providers of a stand-in Android: one SQLite file each in /data/rig, with the quirks of the real ones."""

from __future__ import annotations

import os
import re
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path("/data/rig")


class Refused(Exception):
    """An exception that a provider throws at its caller."""

    def __init__(self, kind: str, said: str) -> None:
        super().__init__(f"{kind}: {said}")


@dataclass
class Asked:
    """One call of a provider."""

    path: str
    query: dict[str, str]
    where: str | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def by_sync_adapter(self) -> bool:
        return self.query.get("caller_is_syncadapter") == "true"


class Provider:
    """Tables by the path of the URI; `views` are what a query of that path reads."""

    schema = ""
    views: dict[str, str] = {}

    def __init__(self, state: dict[str, Any], user: int) -> None:
        self.state = state
        name = type(self).__name__.lower() if not user else f"{type(self).__name__.lower()}-{user}"
        path = FOLDER / f"{name}.db"
        new = not path.exists()
        self.db = sqlite3.connect(path)
        if new:
            self.db.executescript(self.schema)
            if path.stat().st_uid == os.getuid():
                path.chmod(0o666)

    def __enter__(self) -> Provider:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.db.commit()
        self.db.close()

    def table(self, asked: Asked) -> str:
        if asked.path not in self.views:
            raise Refused("java.lang.UnsupportedOperationException", f"Unknown uri: {asked.path}")
        return asked.path.rsplit("/", 1)[-1]

    def run(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        try:
            return self.db.execute(sql, values)
        except sqlite3.Error as error:
            raise Refused("android.database.sqlite.SQLiteException", f"{error} (code 1): , while compiling") from None

    def matching(self, asked: Asked) -> list[int]:
        where = f" WHERE ({asked.where})" if asked.where else ""
        return [row[0] for row in self.run(f"SELECT _id FROM {self.views[asked.path]}{where}")]

    def put(self, table: str, values: dict[str, Any]) -> int:
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        return self.run(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())).lastrowid or 0

    def insert(self, asked: Asked) -> int:
        return self.put(self.table(asked), asked.values)

    def update(self, asked: Asked) -> None:
        table = self.table(asked)
        names = ", ".join(f"{name} = ?" for name in asked.values)
        for row in self.matching(asked):
            self.run(f"UPDATE {table} SET {names} WHERE _id = ?", (*asked.values.values(), row))

    def delete(self, asked: Asked) -> None:
        table = self.table(asked)
        for row in self.matching(asked):
            self.run(f"DELETE FROM {table} WHERE _id = ?", (row,))

    def query(self, asked: Asked, projection: str | None, sort: str | None) -> tuple[list[str], list[Any]]:
        self.table(asked)
        columns = re.split(r"\s*:\s*", projection) if projection else ["*"]
        for column in columns:
            if not re.fullmatch(r"\*|\w+", column):
                raise Refused("java.lang.IllegalArgumentException", f"Invalid column {column}")
        order = f" ORDER BY {sort}" if sort else ""
        where = f" WHERE ({asked.where})" if asked.where else ""
        found = self.run(f"SELECT {', '.join(columns)} FROM {self.views[asked.path]}{where}{order}")
        return [each[0] for each in found.description], found.fetchall()

    def call(self, method: str, argument: str | None) -> str:
        raise Refused("java.lang.NullPointerException", f"no method {method} {argument}")


class Contacts(Provider):
    """com.android.contacts"""

    schema = """
        CREATE TABLE raw_contacts (_id INTEGER PRIMARY KEY AUTOINCREMENT, contact_id INTEGER, account_name TEXT,
            account_type TEXT, sourceid TEXT, display_name TEXT, deleted INTEGER NOT NULL DEFAULT 0,
            dirty INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1);
        CREATE TABLE data (_id INTEGER PRIMARY KEY AUTOINCREMENT, raw_contact_id INTEGER NOT NULL,
            mimetype TEXT NOT NULL, is_primary INTEGER NOT NULL DEFAULT 0,
            data1 TEXT, data2 TEXT, data3 TEXT, data4 TEXT, data5 TEXT, data15 BLOB);
        CREATE VIEW view_data AS SELECT data.*, raw_contacts.contact_id, raw_contacts.sourceid,
            raw_contacts.account_name, raw_contacts.account_type, raw_contacts.display_name FROM data
            JOIN raw_contacts ON raw_contacts._id = raw_contact_id WHERE raw_contacts.deleted = 0;
        CREATE VIEW contacts AS SELECT contact_id AS _id, display_name FROM raw_contacts WHERE deleted = 0
            GROUP BY contact_id;
    """
    views = {"raw_contacts": "raw_contacts", "data": "view_data", "contacts": "contacts"}
    name = "vnd.android.cursor.item/name"
    phone = "vnd.android.cursor.item/phone_v2"

    def insert(self, asked: Asked) -> int:
        values = dict(asked.values)
        table = self.table(asked)
        if table == "raw_contacts":
            if (values.get("account_name") is None) != (values.get("account_type") is None):
                raise Refused(
                    "java.lang.IllegalArgumentException",
                    "Must specify both or neither of ACCOUNT_NAME and ACCOUNT_TYPE",
                )
            if self.state.get("default_account") == "cloud" and self.state["api"] >= 36 and "account_name" in values:
                raise Refused(
                    "java.lang.IllegalArgumentException",
                    "Cannot add contacts to local or SIM accounts when default account is set to cloud",
                )
            row = self.put("raw_contacts", values)
            self.run("UPDATE raw_contacts SET contact_id = _id WHERE _id = ?", (row,))
            return row
        raw = values.get("raw_contact_id")
        if not values.get("mimetype"):
            raise Refused("java.lang.IllegalArgumentException", "mimetype is required")
        if not self.run("SELECT 1 FROM raw_contacts WHERE _id = ?", (raw,)).fetchall():
            raise Refused("android.database.sqlite.SQLiteException", f"no raw contact {raw}")
        if values["mimetype"] == self.phone and values.get("data1") and "data4" not in values:
            values["data4"] = e164(values["data1"])
        if values["mimetype"] == self.name:
            given, _, family = (values.get("data1") or "").rpartition(" ")
            values = {"data2": given or family, "data3": family if given else None, **values}
            self.run("UPDATE raw_contacts SET display_name = ? WHERE _id = ?", (values.get("data1"), raw))
        row = self.put("data", values)
        self.run("UPDATE raw_contacts SET version = version + 1, dirty = 1 WHERE _id = ?", (raw,))
        return row

    def delete(self, asked: Asked) -> None:
        if self.table(asked) != "raw_contacts":
            super().delete(asked)
            return
        for row in self.matching(asked):
            local = self.run("SELECT account_type IS NULL FROM raw_contacts WHERE _id = ?", (row,)).fetchone()[0]
            if asked.by_sync_adapter or (local and self.state["api"] >= 29):
                self.run("DELETE FROM data WHERE raw_contact_id = ?", (row,))
                self.run("DELETE FROM raw_contacts WHERE _id = ?", (row,))
            else:
                self.run("UPDATE raw_contacts SET deleted = 1, dirty = 1 WHERE _id = ?", (row,))


def e164(number: str) -> str | None:
    """As the provider's normalised number on a device in the United States; None where it is no valid number."""
    digits = re.sub(r"\D", "", number)
    if number.lstrip().startswith("+") and 8 <= len(digits) <= 15:
        return f"+{digits}"
    return f"+1{digits}" if len(digits) == 10 else None


class Calls(Provider):
    """call_log"""

    schema = """
        CREATE TABLE calls (_id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT, name TEXT, type INTEGER, date INTEGER,
            duration INTEGER, new INTEGER, subscription_id TEXT, subscription_component_name TEXT);
    """
    views = {"calls": "calls"}


class Messages(Provider):
    """sms: who is not let write is told nothing, and nothing is written."""

    schema = """
        CREATE TABLE sms (_id INTEGER PRIMARY KEY AUTOINCREMENT, thread_id INTEGER, address TEXT, body TEXT,
            date INTEGER, read INTEGER DEFAULT 0, type INTEGER DEFAULT 1);
        CREATE TABLE threads (_id INTEGER PRIMARY KEY AUTOINCREMENT, recipient TEXT);
    """
    views = {"": "sms", "inbox": "sms"}

    def allowed(self) -> bool:
        package = "com.android.shell" if os.getuid() else "root"
        entry = self.state.get("appops", {}).get(package, {}).get("WRITE_SMS", {})
        return bool(entry.get("mode") == "allow")

    def table(self, asked: Asked) -> str:
        super().table(asked)
        return "sms"

    def insert(self, asked: Asked) -> int:
        if not self.allowed():
            return 0
        thread = self.run("SELECT _id FROM threads WHERE recipient = ?", (asked.values.get("address"),)).fetchone()
        row = thread[0] if thread else self.put("threads", {"recipient": asked.values.get("address")})
        return self.put("sms", {**asked.values, "thread_id": row})

    def delete(self, asked: Asked) -> None:
        if self.allowed():
            super().delete(asked)
            self.run("DELETE FROM threads WHERE _id NOT IN (SELECT thread_id FROM sms)")


class Calendar(Provider):
    """com.android.calendar: calendars are a sync adapter's, who says of which account."""

    schema = """
        CREATE TABLE calendars (_id INTEGER PRIMARY KEY AUTOINCREMENT, account_name TEXT, account_type TEXT, name TEXT,
            calendar_displayName TEXT, calendar_access_level INTEGER, visible INTEGER, sync_events INTEGER,
            ownerAccount TEXT);
        CREATE TABLE events (_id INTEGER PRIMARY KEY AUTOINCREMENT, calendar_id INTEGER NOT NULL, title TEXT,
            eventLocation TEXT, description TEXT, dtstart INTEGER, dtend INTEGER, eventTimezone TEXT,
            deleted INTEGER DEFAULT 0);
        CREATE VIEW view_events AS SELECT events.*, calendars.account_name, calendars.account_type FROM events
            JOIN calendars ON calendars._id = calendar_id;
        CREATE TRIGGER calendar_cleanup DELETE ON calendars BEGIN
            DELETE FROM events WHERE calendar_id = old._id; END;
    """
    views = {"calendars": "calendars", "events": "view_events"}

    def insert(self, asked: Asked) -> int:
        if asked.path == "calendars":
            named = asked.query.get("account_name"), asked.query.get("account_type")
            if not asked.by_sync_adapter or None in named:
                raise Refused("java.lang.IllegalArgumentException", "the caller must be a sync adapter of an account")
        elif not self.run("SELECT 1 FROM calendars WHERE _id = ?", (asked.values.get("calendar_id"),)).fetchone():
            raise Refused("java.lang.IllegalArgumentException", "New events must specify a calendar id")
        elif "dtstart" not in asked.values or "eventTimezone" not in asked.values:
            raise Refused("java.lang.IllegalArgumentException", "DTSTART and eventTimezone must not be empty.")
        return super().insert(asked)

    def delete(self, asked: Asked) -> None:
        if asked.by_sync_adapter:
            kept = [
                f"{name} = {asked.query[name]!r}" for name in ("account_name", "account_type") if name in asked.query
            ]
            asked.where = " AND ".join((*kept, *([f"({asked.where})"] if asked.where else ())))
            super().delete(asked)
        elif asked.path == "events":
            for row in self.matching(asked):
                self.run("UPDATE events SET deleted = 1 WHERE _id = ?", (row,))
        else:
            super().delete(asked)


class Media(Provider):
    """media: a row for each file that was scanned; with the row goes the file."""

    schema = """
        CREATE TABLE images (_id INTEGER PRIMARY KEY AUTOINCREMENT, _data TEXT UNIQUE, _display_name TEXT);
    """
    views = {"external/images/media": "images"}

    def table(self, asked: Asked) -> str:
        super().table(asked)
        return "images"

    def scan(self, path: str) -> None:
        if Path(path).is_file():
            self.run("INSERT OR REPLACE INTO images (_data, _display_name) VALUES (?, ?)", (path, Path(path).name))

    def call(self, method: str, argument: str | None) -> str:
        if method == "scan_file" and argument and self.state["api"] >= 30:
            self.scan(argument)
            return "Bundle[{uri=content://media/external_primary/images/media/1}]"
        return super().call(method, argument)

    def delete(self, asked: Asked) -> None:
        for row in self.matching(asked):
            (path,) = self.run("SELECT _data FROM images WHERE _id = ?", (row,)).fetchone()
            Path(path).unlink(missing_ok=True)
        super().delete(asked)


class Telephony(Provider):
    """telephony: the SIM cards that were in the device."""

    schema = """
        CREATE TABLE siminfo (_id INTEGER PRIMARY KEY AUTOINCREMENT, icc_id TEXT, number TEXT, carrier_name TEXT,
            sim_id INTEGER);
    """
    views = {"siminfo": "siminfo"}


AUTHORITIES: dict[str, type[Provider]] = {
    "com.android.contacts": Contacts,
    "call_log": Calls,
    "sms": Messages,
    "com.android.calendar": Calendar,
    "media": Media,
    "telephony": Telephony,
}


def of(authority: str, state: dict[str, Any], user: int) -> Provider:
    """The provider of that name. Raises Refused where there is none."""
    if authority not in AUTHORITIES:
        raise Refused("java.lang.IllegalStateException", f"Could not find provider: {authority}")
    return AUTHORITIES[authority](state, user)
