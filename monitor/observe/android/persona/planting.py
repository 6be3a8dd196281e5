"""Plants a persona on a device: each thing is written down, made, and asked back; what came back is the value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.events import Value
from monitor.observe.android.control import Control
from monitor.observe.android.faults import DeviceFault
from monitor.observe.android.persona.content import Content, Refused, quote_sql, side_by_side
from monitor.observe.android.persona.wanted import Persona

NAME, PHONE, MAIL = (f"vnd.android.cursor.item/{name}" for name in ("name", "phone_v2", "email_v2"))
TYPES = {NAME: "name", PHONE: "phone_number", MAIL: "email"}
"""Kind of a contact's row -> data type."""
MOBILE = 2


@dataclass(frozen=True)
class NotPlanted:
    """Something of the persona that is not on the device."""

    what: str
    """contacts, calls, messages, appointments, place, photo, clipboard, device name."""
    why: str
    """In one sentence or the device's own words."""


@dataclass(frozen=True)
class Planted:
    """What of a persona is on the device."""

    values: tuple[Value, ...]
    """What the device gave back when it was asked; values of one row of a table share a `row`."""
    gaps: tuple[NotPlanted, ...] = ()
    notes: tuple[str, ...] = ()


def plant(control: Control, wanted: Persona, *, user: int = 0) -> Planted:
    """Put a persona on the device, for one of its users; the journal takes all of it back, and nothing else.

    What cannot be planted is a gap of the result. Raises DeviceFault where the device itself fails.
    Not tried on Android: the providers here were stand-ins written after Android's source.
    """
    planting = _Planting(control, user)
    parts: tuple[tuple[str, object, Callable[[Persona], None]], ...] = (
        ("contacts", wanted.contacts, planting.contacts),
    )
    for what, there, part in parts:
        if not there:
            continue
        try:
            part(wanted)
        except Refused as error:
            planting.gaps.append(NotPlanted(what, str(error)))
        except DeviceFault as error:
            if error.code not in ("command-failed", "setting-refused"):
                raise
            planting.gaps.append(NotPlanted(what, error.what))
    return Planted(tuple(planting.values), tuple(planting.gaps), tuple(planting.notes))


@dataclass
class _Planting:
    control: Control
    user: int
    values: list[Value] = field(default_factory=list)
    gaps: list[NotPlanted] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    row: int = 0

    def contacts(self, wanted: Persona) -> None:
        """Raw contacts of no account, which is synchronised nowhere, marked by the run as their source id."""
        content = Content(self.control, self.user)
        base = "content://com.android.contacts"
        of_run = f"sourceid={quote_sql(self.control.run)}"
        content.check(f"{base}/raw_contacts")
        raw = content.insert(
            f"{base}/raw_contacts", {"account_type": None, "account_name": None, "sourceid": self.control.run}
        )
        ids = content.words("query", f"{base}/raw_contacts", projection="_id", where=of_run, sort="_id")
        lines = side_by_side([raw] * len(wanted.contacts))
        lines.append(f"set -- $({ids} | sed -n 's/^Row: [0-9]* _id=//p')")
        lines.append(f"[ $# = {len(wanted.contacts)} ] || {{ echo '[ERROR] not all contacts were taken'; exit 1; }}")
        commands = []
        for number, contact in enumerate(wanted.contacts, 1):
            for kind, texts in ((NAME, (contact.name,)), (PHONE, contact.numbers), (MAIL, contact.mails)):
                for text in texts:
                    typed = {} if kind == NAME else {"data2": MOBILE}
                    command = content.insert(f"{base}/data", {"mimetype": kind, "data1": text, **typed})
                    commands.append(f'{command} --bind "raw_contact_id:i:${{{number}}}"')
        adapter = f"{base}/raw_contacts?caller_is_syncadapter=true"
        try:
            content.script("plant contacts", [*lines, *side_by_side(commands)], content.delete(adapter, of_run))
        finally:
            self._contacts_back(content, base, of_run, wanted)

    def _contacts_back(self, content: Content, base: str, of_run: str, wanted: Persona) -> None:
        planted = [each["_id"] for each in content.query(f"{base}/raw_contacts", "_id", where=of_run, sort="_id")]
        if not planted:
            return
        where = f"raw_contact_id IN ({', '.join(planted)})"
        columns = ("raw_contact_id", "mimetype", "data4", "data1")
        given = content.query(f"{base}/data", *columns, where=where, sort="raw_contact_id, _id")
        row_of = {raw: self.row + at for at, raw in enumerate(planted)}
        self.row += len(planted)
        for each in given:
            if (type_ := TYPES.get(each["mimetype"])) is None:
                continue
            row = row_of[each["raw_contact_id"]]
            self.values.append(Value(type=type_, text=each["data1"], row=row))
            normal = each["data4"]
            if type_ == "phone_number" and normal != "NULL" and _digits(normal) != _digits(each["data1"]):
                self.values.append(Value(type=type_, text=normal, row=row))
        meant = sum(1 + len(contact.numbers) + len(contact.mails) for contact in wanted.contacts)
        if len(given) < meant:
            self.gaps.append(
                NotPlanted("contacts", f"the device has {len(given)} of {meant} names, numbers and addresses")
            )


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))
