"""Plants a persona on a device: each item is journalled, created and read back; what was read back is the value."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.persona.content import Cell, Content, ProviderRefused, quote_sql, side_by_side
from appwitness.devices.android.persona.operations import Operation
from appwitness.devices.android.persona.picture import jpeg
from appwitness.devices.android.persona.place import KeptPlace, keep_place
from appwitness.devices.android.persona.profile import Persona, TextMessage
from appwitness.events import Value
from appwitness.support.spoken import Spoken

NAME, PHONE, MAIL = (f"vnd.android.cursor.item/{name}" for name in ("name", "phone_v2", "email_v2"))
TYPES = {NAME: "name", PHONE: "phone_number", MAIL: "email"}
"""MIME type of a contact's row -> data type."""
MOBILE = 2
CALLS = {"incoming": 1, "outgoing": 2, "missed": 3}
LOCAL = "LOCAL"
"""Account type of a calendar that is not synchronised."""
OWNER = 700
NAMED_SINCE = 25
"""The first API level at which Android has a device name apart from Bluetooth's."""
SCANNED_SINCE = 30
"""The first API level at which the media provider can be called to scan a file; before, a broadcast starts the scan."""
IN_FLIGHT_S = 2
"""How many seconds undo waits for a message that is still on its way."""
ARRIVES_S = 10.0
"""Time limit for a message from the emulator's console to reach the inbox."""


@dataclass(frozen=True)
class NotPlanted:
    """A part of the persona that could not be planted."""

    what: str
    """Which part: contacts, calls, messages, appointments, photo, place, device name."""
    why: str
    """The reason, in one sentence or the device's own words."""


@dataclass(frozen=True)
class Planted:
    """The part of a persona that was planted on the device."""

    values: tuple[Value, ...]
    """The values as the device returned them; values in one row of a table share a `row`."""
    gaps: tuple[NotPlanted, ...] = ()
    notes: tuple[str, ...] = ()
    place: KeptPlace | None = None
    """The location that must be sent again and again during the run: `tick`."""


def plant(control: Control, wanted: Persona, *, user: int = 0) -> Planted:
    """Plant a persona on the device, for one of its users; undo removes exactly what was planted.

    What cannot be planted is in the result's `gaps`. Raises DeviceFault if the device itself fails. Not tried on
    Android: the providers in tests were stand-ins written after Android's source.
    """
    planting = _Planting(control, user)
    parts: tuple[tuple[str, object, Callable[[Persona], None]], ...] = (
        ("contacts", wanted.contacts, planting.contacts),
        ("calls", wanted.calls, planting.calls),
        ("messages", wanted.messages, planting.messages),
        ("appointments", wanted.appointments, planting.appointments),
        ("photo", wanted.photo, planting.photo),
        ("place", wanted.place, planting.place),
        ("device name", wanted.device_name, planting.device_name),
    )
    for what, there, part in parts:
        if not there:
            continue
        try:
            part(wanted)
        except ProviderRefused as error:
            planting.gaps.append(NotPlanted(what, str(error)))
        except DeviceFault as error:
            if error.code not in ("command-failed", "setting-refused"):
                raise
            planting.gaps.append(NotPlanted(what, error.what))
    return Planted(tuple(planting.values), tuple(planting.gaps), tuple(planting.notes), planting.kept)


@dataclass
class _Planting:
    control: Control
    user: int
    values: list[Value] = field(default_factory=list)
    gaps: list[NotPlanted] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    kept: KeptPlace | None = None
    row: int = 0

    def contacts(self, wanted: Persona) -> None:
        """Raw contacts without an account, so not synchronised; their source ID is the run's mark."""
        content = Content(self.control, self.user)
        base = "content://com.android.contacts"
        of_run = f"sourceid={quote_sql(self.control.run)}"
        content.check(f"{base}/raw_contacts")
        raw = content.insert(
            f"{base}/raw_contacts", {"account_type": None, "account_name": None, "sourceid": self.control.run}
        )
        commands = []
        for number, contact in enumerate(wanted.contacts, 1):
            for kind, texts in ((NAME, (contact.name,)), (PHONE, contact.numbers), (MAIL, contact.mails)):
                for text in texts:
                    typed = {} if kind == NAME else {"data2": MOBILE}
                    command = content.insert(f"{base}/data", {"mimetype": kind, "data1": text, **typed})
                    commands.append(f'{command} --bind "raw_contact_id:i:${{{number}}}"')
        lines = (
            *side_by_side([raw] * len(wanted.contacts)),
            content.ids(f"{base}/raw_contacts", of_run),
            f"[ $# = {len(wanted.contacts)} ] || {{ echo '[ERROR] the device took not all of them:' $#; exit 1; }}",
            *side_by_side(commands),
        )
        adapter = f"{base}/raw_contacts?caller_is_syncadapter=true"
        content.script("plant contacts", lines, content.delete(adapter, of_run))
        planted = content.known(f"{base}/raw_contacts", of_run)
        where = f"raw_contact_id IN ({', '.join(planted)})"
        columns = ("raw_contact_id", "mimetype", "data4", "data1")
        known = content.known(f"{base}/data", where)
        given = content.query(f"{base}/data", *columns, where=where, known=known)
        row_of = {raw_id: self.row + at for at, raw_id in enumerate(planted)}
        self.row += len(planted)
        for each in given:
            type_, row = TYPES[each["mimetype"]], row_of[each["raw_contact_id"]]
            self.values.append(Value(type=type_, text=each["data1"], row=row))
            normal = each["data4"]
            if type_ == "phone_number" and normal != "NULL" and _digits(normal) != _digits(each["data1"]):
                self.values.append(Value(type=type_, text=normal, row=row))
        if len(given) < len(commands):
            self.gaps.append(
                NotPlanted(
                    "contacts", Spoken("the device took {given} of {meant} rows", given=len(given), meant=len(commands))
                )
            )

    def calls(self, wanted: Persona) -> None:
        """Call log entries, whose SIM card ID is the run's mark."""
        content = Content(self.control, self.user, root=self.control.shell.rooted() is not None)
        uri = "content://call_log/calls"
        of_run = f"subscription_id={quote_sql(self.control.run)}"
        content.check(uri)
        now_s = self._now_s()
        lines = side_by_side(
            [
                content.insert(
                    uri,
                    {
                        "number": call.number,
                        "name": call.name,
                        "type": CALLS[call.kind],
                        "date": (now_s - call.minutes_ago * 60) * 1000,
                        "duration": call.seconds,
                        "new": 0,
                        "subscription_id": self.control.run,
                    },
                )
                for call in wanted.calls
            ]
        )
        content.script("plant calls", lines, content.delete(uri, of_run))
        given = content.texts(uri, "number", "name", where=of_run)
        self._given("calls", given.values(), {"number": "phone_number", "name": "name"}, len(wanted.calls))

    def messages(self, wanted: Persona) -> None:
        """Received messages: sent through an emulator's console as if over the air; otherwise written to the inbox.

        Android only lets certain apps write there: the operation WRITE_SMS is allowed meanwhile, and again for undo.
        """
        content = Content(self.control, self.user)
        content.check("content://sms")
        operation = Operation.ask(self.control, "WRITE_SMS", self.user)
        since = self._now_s() * 1000
        texts = ", ".join(quote_sql(message.text) for message in wanted.messages)
        of_run = f"date>={since} AND body IN ({texts})"
        over_the_air = [message for message in wanted.messages if self._is_for_console(message)]
        lines = side_by_side(
            [
                content.insert(
                    "content://sms/inbox",
                    {"address": message.number, "body": message.text, "date": since + 1000, "read": 1},
                )
                for message in wanted.messages
                if message not in over_the_air
            ]
        )
        in_flight = f"sleep {IN_FLIGHT_S}\n" if over_the_air else ""
        undo = operation.around(f"{in_flight}{content.delete('content://sms', of_run)}")
        content.script("plant messages", [operation.allow, *lines], undo)
        if over_the_air:
            self.notes.append(
                Spoken("the app for messages may keep a notification, and a copy of its own, of what arrived")
            )
        for message in over_the_air:
            number = re.sub(r"[^\d+]", "", message.number)
            done = self.control.shell.adb.console("sms", "send", number, message.text)
            if not done.ok:
                self.gaps.append(NotPlanted("messages", f"the emulator's console: {done.out or done.err}"[:200]))
        end = time.monotonic() + (ARRIVES_S if over_the_air else 0)
        while True:
            given = content.texts("content://sms", "address", "body", where=of_run)
            if len(given) >= len(wanted.messages) or time.monotonic() > end:
                break
            time.sleep(0.5)
        self.control.shell.check(operation.restore)
        columns = {"address": "phone_number", "body": "sms_content"}
        self._given("messages", given.values(), columns, len(wanted.messages))

    def appointments(self, wanted: Persona) -> None:
        """A calendar just for the run, in an account that is not synchronised."""
        content = Content(self.control, self.user)
        base = "content://com.android.calendar"
        run = self.control.run
        adapter = f"{base}/calendars?caller_is_syncadapter=true&account_name={run}&account_type={LOCAL}"
        of_run = f"account_name={quote_sql(run)} AND account_type={quote_sql(LOCAL)}"
        content.check(f"{base}/calendars")
        calendar: dict[str, Cell] = {
            **{"account_name": run, "account_type": LOCAL, "ownerAccount": run, "name": run},
            **{"calendar_displayName": "Calendar", "calendar_access_level": OWNER, "visible": 1, "sync_events": 1},
        }
        now_s = self._now_s()
        commands = []
        for event in wanted.appointments:
            start = (now_s + event.hours_ahead * 3600) * 1000
            values: dict[str, Cell] = {
                **{"title": event.title, "dtstart": start, "dtend": start + 3_600_000, "eventTimezone": "UTC"},
                **({"eventLocation": event.place} if event.place else {}),
                **({"description": event.notes} if event.notes else {}),
            }
            commands.append(f'{content.insert(f"{base}/events", values)} --bind "calendar_id:i:$1"')
        lines = (
            "on",
            content.insert(adapter, calendar),
            content.ids(f"{base}/calendars", of_run),
            "[ $# = 1 ] || { echo '[ERROR] it took no calendar'; exit 1; }",
            *side_by_side(commands),
        )
        undo = f"{content.delete(adapter, of_run)}\n{content.gone(f'{base}/events', of_run)}"
        content.script("plant appointments", lines, undo)
        columns = {"title": "calendar_events", "eventLocation": "address", "description": "calendar_events"}
        given = content.texts(f"{base}/events", *columns, where=of_run)
        self._given("appointments", given.values(), columns, len(wanted.appointments))

    def photo(self, wanted: Persona) -> None:
        """A small photo in the camera's folder, with the place where it was taken."""
        assert wanted.photo is not None
        if self.user:
            raise ProviderRefused("adb can put photos on the storage of the device's first user alone")
        content = Content(self.control, self.user)
        shell = self.control.shell
        uri = "content://media/external/images/media"
        content.check(uri)
        name = f"IMG_{self.control.run}.jpg"
        folders = ("/sdcard/DCIM", "/sdcard/DCIM/Camera")
        path = f"{folders[-1]}/{name}"
        of_run = f"_display_name={quote_sql(name)}"
        fresh = [folder for folder in folders if not shell.user(f"[ -d {folder} ]").ok]
        remove = "".join(f"rmdir {folder} 2>/dev/null\n" for folder in reversed(fresh))
        undo = f"rm -f {path}\n{remove}{content.delete(uri, of_run)}\n[ ! -e {path} ]"
        picture = jpeg(wanted.photo)
        if self.control.facts.api >= SCANNED_SINCE:
            scan = f"content call --uri content://media/ --method scan_file --arg {path} >/dev/null"
        else:
            scan = f"am broadcast -a android.intent.action.MEDIA_SCANNER_SCAN_FILE -d file://{path} >/dev/null"
        self.control.change("plant photo", f"mkdir -p {folders[-1]}", undo)
        shell.adb.push(picture, path)
        shell.check(scan)
        if shell.adb.pull(path) != picture:
            raise ProviderRefused(f"{path} is not what was written")
        row = self._next_row()
        self.values.append(Value(type="location", text=wanted.photo.text, row=row))
        if content.known(uri, of_run):
            self.values.append(Value(type="photos", text=name, row=row))
        else:
            self.notes.append(Spoken("{path} is there, but Android's media store does not list it yet", path=path))

    def place(self, wanted: Persona) -> None:
        """The device's location, as its location providers report it."""
        assert wanted.place is not None
        self.kept = keep_place(self.control, wanted.place, user=self.user)
        self.values.append(self.kept.value)
        self.notes += self.kept.notes

    def device_name(self, wanted: Persona) -> None:
        """The name that the user gave the device."""
        assert wanted.device_name is not None
        if self.control.facts.api < NAMED_SINCE:
            raise ProviderRefused(f"Android {self.control.facts.release} has no name of the device but Bluetooth's")
        self.control.put("global", "device_name", wanted.device_name)
        given = self.control.shell.check("settings get global device_name")
        self.values.append(Value(type="device_name", text=given))

    def _given(self, what: str, rows: Iterable[Mapping[str, str]], types: Mapping[str, str], meant: int) -> None:
        there = list(rows)
        for each in there:
            row = self._next_row()
            self.values += [Value(type=types[column], text=text, row=row) for column, text in each.items()]
        if len(there) < meant:
            self.gaps.append(
                NotPlanted(what, Spoken("the device took {there} of {meant}", there=len(there), meant=meant))
            )

    def _is_for_console(self, message: TextMessage) -> bool:
        """Whether the emulator's console can send a message: one line of printable ASCII without backslashes."""
        plain = message.text.isascii() and message.text.isprintable() and "\\" not in message.text
        return self.control.shell.serial.startswith("emulator-") and plain

    def _now_s(self) -> int:
        """The device's clock, seconds since 1970."""
        return int(self.control.shell.check("date +%s"))

    def _next_row(self) -> int:
        self.row += 1
        return self.row - 1


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))
