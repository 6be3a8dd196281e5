"""Reads identifiers of a device and its user that cannot be planted, so that uploads can be searched for them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from appwitness.devices.android.control import Control
from appwitness.devices.android.persona.content import Content, ProviderRefused
from appwitness.events import Value
from appwitness.support.spoken import Spoken

SSAID_SINCE = 26
"""The first API level at which each app has its own Android ID."""
TABLES = {
    "contacts": "content://com.android.contacts/raw_contacts",
    "calls": "content://call_log/calls",
    "messages": "content://sms",
    "appointments": "content://com.android.calendar/events",
    "photos": "content://media/external/images/media",
}
"""Kind of personal data that a device may already have -> the table to count."""
_ACCOUNT = re.compile(r"Account \{name=(.*), type=([^,}]+)\}")
_SETTING = re.compile(r"<setting [^>]*>")
_UUID = re.compile(r'<string name="adid_key">([0-9a-fA-F-]{36})</string>')
_HEX = re.compile(r"\b[0-9a-f]{8}\b")
_OFFSET = re.compile(r"^\s*0x[0-9a-f]+:")


@dataclass(frozen=True)
class FoundIdentifiers:
    """The identifiers that were read."""

    values: tuple[Value, ...]
    notes: tuple[str, ...] = ()
    """What could not be read and why, one sentence each."""


def counts(control: Control, *, user: int = 0) -> dict[str, int | None]:
    """Count the rows of the owner's own data: contacts, calls, messages, appointments, photos, accounts.

    None if the device does not say. Call it before anything is planted. Raises DeviceFault.
    """
    content = Content(control, user, root=control.shell.rooted() is not None)
    lines = []
    for name, uri in TABLES.items():
        query = content.words("query", uri, projection="_id")
        lines.append(
            f'(said=$({query} 2>&1); case "$said" in "Row: "*) n=$(echo "$said" | grep -c "^Row: ") ;;'
            f' "No result found."*) n=0 ;; *) n=none ;; esac; echo "{name}=$n") &'
        )
    lines += ["(echo accounts=$(dumpsys account 2>/dev/null | grep -c 'Account {name=')) &", "wait"]
    said = control.shell.root("\n".join(lines)) if content.root else control.shell.user("\n".join(lines))
    pairs = dict(line.split("=", 1) for line in said.out.splitlines() if "=" in line)
    return {
        name: int(text) if text.isdigit() else None for name in (*TABLES, "accounts") for text in [pairs.get(name, "")]
    }


def found(control: Control, *, app: str | None = None, user: int = 0) -> FoundIdentifiers:
    """Identifiers and accounts of a device, as its apps may read them; an app's Android ID exists only once it was
    read.

    Some need root. Nothing here is planted: a recording declares these values. Raises DeviceFault. Not tried on
    Android: the numbers of binder calls and the root-only files follow its source.
    """
    reading = _Reading(control, user)
    values = [
        *reading.android_id(app),
        *reading.advertising_id(),
        *reading.sim(),
        *reading.imei(),
        *reading.hardware(),
        *reading.accounts(),
    ]
    seen = {(value.type, value.text): value for value in values}
    return FoundIdentifiers(tuple(seen.values()), tuple(reading.notes))


class _Reading:
    def __init__(self, control: Control, user: int) -> None:
        self.shell = control.shell
        self.facts = control.facts
        self.user = user
        self.rooted = control.shell.rooted() is not None
        self.content = Content(control, user, root=self.rooted)
        self.notes: list[str] = []

    def android_id(self, app: str | None) -> list[Value]:
        if self.facts.api < SSAID_SINCE:
            of_user = f"--user {self.user} " if self.user else ""
            text = self.shell.check(f"settings get {of_user}secure android_id").strip()
            return [Value(type="android_id", text=text)] if text != "null" else []
        if app is None:
            return []
        file = f"/data/system/users/{self.user}/settings_ssaid.xml"
        for setting in _SETTING.findall(self._file(file, Spoken("the app's Android ID"))):
            fields = dict(re.findall(r'(\w+)="([^"]*)"', setting))
            if fields.get("package") == app and fields.get("value"):
                return [Value(type="android_id", text=fields["value"])]
        return []

    def advertising_id(self) -> list[Value]:
        file = f"/data/user/{self.user}/com.google.android.gms/shared_prefs/adid_settings.xml"
        found = _UUID.search(self._file(file, Spoken("Google's advertising id")))
        return [Value(type="advertising_id", text=found[1])] if found else []

    def sim(self) -> list[Value]:
        types = {"number": "phone_number", "icc_id": "device_id_iccid", "carrier_name": "carrier"}
        try:
            cards = self.content.texts("content://telephony/siminfo", *types, where="sim_id>=0")
        except ProviderRefused as error:
            self.notes.append(Spoken("The SIM card's number could not be read: {error}.", error=error))
            return []
        return [
            Value(type=types[column], text=text)
            for card in cards.values()
            for column, text in card.items()
            if text.strip()
        ]

    def imei(self) -> list[Value]:
        """The IMEI, from the first method of the service iphonesubinfo, which returns it in all versions."""
        said = self.shell.user("service call iphonesubinfo 1 s16 com.android.shell").out
        dump = "\n".join(_OFFSET.sub("", line).partition("'")[0] for line in said.splitlines())
        words = [int(word, 16) for word in _HEX.findall(dump)]
        text = "".join(chr(word & 0xFFFF) + chr(word >> 16) for word in words)  # UTF-16, two characters in each word
        number = re.search(r"(?<!\d)\d{14,15}(?!\d)", text)
        if number and (len(number[0]) == 14 or _luhn(number[0])):
            return [Value(type="device_id_imei", text=number[0])]
        self.notes.append(Spoken("The IMEI could not be read."))
        return []

    def hardware(self) -> list[Value]:
        values = [Value(type="device_model_os", text=self.facts.properties.get("ro.product.model", ""))]
        values.append(Value(type="device_id_serial", text=self.facts.serial))
        address = self.shell.root("cat /sys/class/net/wlan0/address 2>/dev/null").out if self.rooted else ""
        values.append(Value(type="mac_address", text=address.strip()))
        return [value for value in values if value.text]

    def accounts(self) -> list[Value]:
        said = self.shell.user("dumpsys account").out
        return [Value(type="accounts_on_device", text=match[1]) for match in _ACCOUNT.finditer(said)]

    def _file(self, path: str, what: str) -> str:
        """A file that only root can read, converted from Android's binary XML (12 and later) if needed; empty if it
        is missing."""
        if not self.rooted:
            self.notes.append(Spoken("Without root, {what} could not be read.", what=what))
            return ""
        name = shlex.quote(path)
        return self.shell.root(
            f"if head -c 3 {name} 2>/dev/null | grep -q ABX; then abx2xml {name} -; else cat {name} 2>/dev/null; fi"
        ).out


def _luhn(number: str) -> bool:
    """Whether the last digit of a number is the check digit of the others (ISO/IEC 7812)."""
    digits = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(number))]
    return sum(digit // 10 + digit % 10 for digit in digits) % 10 == 0
