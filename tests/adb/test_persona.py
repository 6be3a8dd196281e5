"""A persona is put on a device for real, asked back, and removed: what was there before is there after, and no more."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from appwitness.devices.android import adb
from appwitness.devices.android.adb import Adb
from appwitness.devices.android.control import Control
from appwitness.devices.android.device_facts import ask
from appwitness.devices.android.journal import Journal
from appwitness.devices.android.persona.content import ProviderRefused
from appwitness.devices.android.persona.identifiers import counts, found
from appwitness.devices.android.persona.place import keep_place
from appwitness.devices.android.persona.planting import plant
from appwitness.devices.android.persona.profile import Persona, PlannedPosition
from appwitness.devices.android.shell import Shell
from tests.adb.rig.console import Emulator
from tests.adb.rig.phone import Phone

APIS = (24, 29, 33, 34, 36)
HOSTILE = (
    'O\'Brien; rm -rf "/" $(reboot) `id`',
    "a\nRow: 1 _id=7, data1=b",
    "👩🏽‍🚀 名前, data1=x\\n\t%s \\'",
    "--where",
)
KILLS = int(os.environ.get("KILLS", "1"))
"""As in test_undo.py; from ten on, each step of a persona is tried."""
STEP = 6 if KILLS < 10 else 1

REAL = """
on=content://com.android.contacts
content insert --uri $on/raw_contacts --bind sourceid:s:theirs --bind account_name:s:me@example.net \
 --bind account_type:s:com.google
content insert --uri $on/raw_contacts --bind sourceid:s:
content insert --uri $on/data --bind raw_contact_id:i:1 --bind mimetype:s:vnd.android.cursor.item/name \
 --bind data1:s:Real
content insert --uri content://call_log/calls --bind number:s:555 --bind type:i:1
in='caller_is_syncadapter=true&account_name=a&account_type=b'
content insert --uri "content://com.android.calendar/calendars?$in" \
 --bind account_name:s:a --bind account_type:s:b --bind name:s:real
content insert --uri content://com.android.calendar/events --bind calendar_id:i:1 --bind dtstart:l:1 \
 --bind eventTimezone:s:UTC
mkdir -p /sdcard/DCIM && chmod 777 /sdcard/DCIM && touch /sdcard/DCIM/mine.jpg
chmod 666 /data/rig/*.db
"""
REAL_MESSAGE = """
cmd appops set com.android.shell WRITE_SMS allow
content insert --uri content://sms/inbox --bind address:s:5550 --bind body:s:real --bind date:l:1
cmd appops set com.android.shell WRITE_SMS default
"""


def persona(*texts: str) -> Persona:
    """One with each of the texts wherever a persona has a text."""
    return Persona.model_validate(
        {
            "contacts": [
                {"name": text, "numbers": ["(202) 555-0172"], "mails": [f"{text}@example.net"]} for text in texts
            ],
            "calls": [{"number": "+33 6 39 98 41 72", "name": texts[0]}],
            "messages": [{"number": "+353 20 912 4417", "text": text} for text in texts],
            "appointments": [{"title": texts[0], "place": texts[-1], "notes": texts[0]}],
            "place": {"latitude": -33.868812, "longitude": 151.209295},
            "photo": {"latitude": -0.000123, "longitude": -122.084051},
            "device_name": texts[0],
        }
    )


def everything(phone: Phone) -> dict[str, Any]:
    """All that a device remembers: rows of all providers, settings, modes of operations, places, files."""
    there: dict[str, Any] = {}
    for path in sorted((phone.root / "data/rig").glob("*.db")):
        with closing(sqlite3.connect(":memory:")) as db:
            db.deserialize(path.read_bytes())  # SQLite would follow the link of /proc/PID/root to this machine's own
            tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
            for (table,) in tables.fetchall():
                if found := db.execute(f"SELECT * FROM {table}").fetchall():
                    there[f"{path.stem}.{table}"] = found
    state = phone.read()
    there["settings"] = state["settings"]
    there["appops"] = {
        (package, name): entry["mode"]
        for package, entries in state.get("appops", {}).items()
        for name, entry in entries.items()
        if entry.get("mode", "default") != "default"
    }
    there["test"] = state.get("location", {}).get("test") or {}
    for folder in ("data/media/0", "data/local/tmp"):
        names = sorted(str(path.relative_to(phone.root)) for path in (phone.root / folder).rglob("*"))
        # A script for root that was never run: not this part's, and nothing that Android or an app reads.
        there[folder] = [name for name in names if not re.fullmatch(r"data/local/tmp/\.[0-9a-f]{12}", name)]
    return there


@pytest.fixture
def used(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]
) -> Callable[..., tuple[Phone, Control]]:
    """Makes a device that somebody uses: with contacts, calls, a message, an appointment, a photo of his."""

    def make(**options: Any) -> tuple[Phone, Control]:
        phone = phone_of(
            **{"state": {"settings": {"global": {}, "secure": {"location_mode": "0"}, "system": {}}}, **options}
        )
        control = control_of(phone)
        control.shell.check(REAL, root=True)
        control.shell.check(REAL_MESSAGE)
        return phone, control

    return make


@pytest.mark.parametrize("api", APIS)
def test_what_is_planted_comes_back_and_goes(used: Callable[..., tuple[Phone, Control]], api: int) -> None:
    phone, control = used(api=api)
    before = everything(phone)

    hostile = [HOSTILE[(APIS.index(api) + at) % len(HOSTILE)] for at in (0, 1)]

    planted = plant(control, persona(*hostile))

    gaps = {gap.what for gap in planted.gaps}
    assert gaps == ({"place", "device name"} if api < 25 else {"place"} if api < 31 else set()), planted.gaps
    rows: dict[int | None, set[tuple[str, str]]] = {}
    for value in planted.values:
        rows.setdefault(value.row, set()).add((value.type, value.text))
    for text in hostile:
        contact = {("name", text), ("phone_number", "(202) 555-0172"), ("email", f"{text}@example.net")}
        assert any(contact <= row for row in rows.values())
        assert {("phone_number", "+353 20 912 4417"), ("sms_content", text)} in rows.values()
    assert {("phone_number", "+33 6 39 98 41 72"), ("name", hostile[0])} in rows.values()
    assert {("calendar_events", hostile[0]), ("address", hostile[-1])} in rows.values()
    assert {("location", "-0.000123,-122.084051"), ("photos", "IMG_5ca1ab1e.jpg")} in rows.values()
    assert len(control.journal.open) >= 5
    assert everything(phone)["data/media/0"] != before["data/media/0"]

    assert control.journal.undo_all(control.take_back) == []
    assert everything(phone) == before


SMALL = persona("O'Brien")


def killed(control: Control, at: Callable[[], None]) -> None:
    """Plant in a process of its own, which `at` may kill; it is called before each command and after each entry."""
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            for owner, name, before in ((Adb, "shell", True), (Adb, "push", True), (Journal, "_write", False)):
                setattr(owner, name, called(getattr(owner, name), at, before))
            plant(control, SMALL)
        os._exit(0)
    os.waitpid(pid, 0)


def called(function: Callable[..., Any], at: Callable[[], None], before: bool) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        if before:
            at()
        done = function(*arguments, **options)
        if not before:
            at()
        return done

    return call


def kill_at(step: int) -> Callable[[], None]:
    steps = iter(range(step))

    def at() -> None:
        if next(steps, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    return at


def kill_after(seconds: float) -> Callable[[], None]:
    """Whatever it does then, a script on the device among it."""
    armed = False

    def at() -> None:
        nonlocal armed
        if not armed:
            armed = True
            kill = "import os, sys, time; time.sleep(float(sys.argv[1])); os.kill(int(sys.argv[2]), 9)"
            subprocess.Popen([sys.executable, "-c", kill, str(seconds), str(os.getpid())])

    return at


@pytest.mark.filterwarnings("ignore:.*fork")  # the threads of this process are the cable's, and hold no lock
@pytest.mark.parametrize(
    "moments",
    [
        pytest.param([kill_at(12), kill_after(1.1)], id="two"),
        pytest.param(
            [
                *map(kill_at, range(1, 40, STEP)),
                *(kill_after(random.Random(n).uniform(0, 9)) for n in range(KILLS * 4)),
            ],
            marks=[pytest.mark.slow, pytest.mark.timeout(3600)],
            id="many",
        ),
    ],
)
def test_killed_at_any_moment(
    used: Callable[..., tuple[Phone, Control]],
    control_of: Callable[[Phone], Control],
    moments: list[Callable[[], None]],
) -> None:
    phone, control = used(api=34)
    before = everything(phone)
    for number, moment in enumerate(moments):
        killed(control, moment)

        again = control_of(phone)
        again.shell.sweep()
        failed = again.journal.undo_all(again.take_back)
        again.shell.sweep()

        assert failed == [], number
        assert again.journal.open == ()
        assert everything(phone) == before, number


@pytest.mark.parametrize(
    ("api", "android_id"), [(24, "4f1d86b3a09ce275"), (29, "00a1b2c3d4e5f607"), (34, "00a1b2c3d4e5f607")]
)
def test_what_cannot_be_planted_is_found(used: Callable[..., tuple[Phone, Control]], api: int, android_id: str) -> None:
    phone, control = used(
        api=api,
        state={
            "settings": {"global": {}, "secure": {"android_id": "4f1d86b3a09ce275"}, "system": {}},
            "accounts": [["ann, or so@example.net", "com.google"]],
            "imei": "490154203237518",
        },
    )
    ssaid = phone.root / "data/system/users/0/settings_ssaid.xml"
    ssaid.parent.mkdir(parents=True)
    text = (
        '<settings version=\'-1\'><setting id="1" name="10001" value="ffff" package="com.other" />'
        f'<setting id="2" name="10123" value="{android_id}" package="com.example.app" /></settings>'
    )
    ssaid.write_bytes((b"ABX\0" if api >= 31 else b"") + text.encode())
    adid = phone.root / "data/user/0/com.google.android.gms/shared_prefs/adid_settings.xml"
    adid.parent.mkdir(parents=True)
    adid.write_text('<map><string name="adid_key">7c9e2b54-81d3-4f6a-b0c7-5e12a9d8f364</string></map>')
    insert = "content insert --uri content://telephony/siminfo --bind sim_id:i:0 --bind icc_id:s:8949000000001234567"
    control.shell.check(f"{insert} --bind number:s:+4915123456714 --bind carrier_name:s:Provider", root=True)

    read = found(control, app="com.example.app")

    assert {(value.type, value.text) for value in read.values} >= {
        ("android_id", android_id),
        ("advertising_id", "7c9e2b54-81d3-4f6a-b0c7-5e12a9d8f364"),
        ("phone_number", "+4915123456714"),
        ("device_id_iccid", "8949000000001234567"),
        ("carrier", "Provider"),
        ("device_id_imei", "490154203237518"),
        ("device_id_serial", "R58M12ABCDE"),
        ("device_model_os", "Pixel 6"),
        ("accounts_on_device", "ann, or so@example.net"),
    }
    assert counts(control) == {"contacts": 2, "calls": 1, "messages": 1, "appointments": 1, "photos": 0, "accounts": 1}


def test_without_root(phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]) -> None:
    phone = phone_of(su="", state={"no_providers": ["com.android.calendar"]})
    control = control_of(phone)
    before = everything(phone)

    planted = plant(control, SMALL)

    assert {gap.what for gap in planted.gaps} == {"calls", "appointments"}
    assert "Permission Denial" in planted.gaps[0].why
    assert "Could not find provider" in planted.gaps[1].why
    assert {value.type for value in planted.values} >= {"name", "sms_content", "location", "device_name"}
    read = found(control, app="com.example.app")
    assert not any(value.type in ("android_id", "advertising_id") for value in read.values)
    assert any("Without root" in note for note in read.notes)
    assert counts(control)["calls"] is None
    for entry in reversed(control.journal.open):  # done twice
        control.take_back(entry.undo)
    assert control.journal.undo_all(control.take_back) == []
    assert everything(phone) == before


def test_a_provider_that_takes_nothing_is_a_gap(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]
) -> None:
    phone = phone_of(api=36, state={"default_account": "cloud"})
    control = control_of(phone)

    planted = plant(control, Persona.model_validate({"contacts": [{"name": "Ilse"}]}))

    assert planted.values == ()
    assert [gap.what for gap in planted.gaps] == ["contacts"]
    assert "Cannot add contacts to local" in planted.gaps[0].why
    assert control.journal.undo_all(control.take_back) == []


def test_emulator(phone_of: Callable[..., Phone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    phone = phone_of(api=29, emulator=True)
    wanted = Persona.model_validate(
        {
            "place": {"latitude": -33.868812, "longitude": 151.209295},
            "messages": [{"number": "+353 20 912 4417", "text": "It's $5"}],
        }
    )
    with Emulator(phone, tmp_path / "home") as emulator:
        shell = Shell(adb.connect(emulator.serial))
        facts = ask(shell)
        control = Control(shell, facts, Journal(tmp_path / "devices", facts.serial, facts.boot), "5ca1ab1e")
        planted = plant(control, wanted)
        assert planted.gaps == ()
        assert [(value.type, value.text) for value in planted.values if value.row is not None] == [
            ("phone_number", "+353209124417"),
            ("sms_content", "It's $5"),
        ]
        assert planted.place is not None
        planted.place.tick()
        assert emulator.said[-1] == "geo fix 151.209295 -33.868812"
        assert "sms send +353209124417 It's $5" in emulator.said
        assert control.journal.undo_all(control.take_back) == []
    assert "sms" not in " ".join(everything(phone))


def test_another_user_of_the_device(phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]) -> None:
    phone = phone_of()
    control = control_of(phone)

    planted = plant(
        control,
        Persona.model_validate({"contacts": [{"name": "Ilse"}], "photo": {"latitude": 1, "longitude": 2}}),
        user=10,
    )

    assert [value.text for value in planted.values] == ["Ilse"]
    assert [gap.what for gap in planted.gaps] == ["photo"]
    assert {name.split(".")[0] for name in everything(phone) if name.startswith("contacts")} == {"contacts-10"}
    assert control.journal.undo_all(control.take_back) == []
    assert not [name for name in everything(phone) if name.startswith("contacts")]


SAYS_PLACE = """
def main(arguments, state):
    for name, test in state["location"]["test"].items():
        lat, lon = test["place"]
        print(f"      last location=Location[{name} {lat:.6f},{lon:.6f} hAcc=5.0 et=+1h0m3s5ms mock]")
"""


@pytest.mark.parametrize("says", [True, False])
def test_place(used: Callable[..., tuple[Phone, Control]], says: bool) -> None:
    phone, control = used(api=34)
    if says:
        (phone.root / "data/rig/userland/dump_location.py").write_text(SAYS_PLACE)
    before = everything(phone)

    kept = keep_place(control, PlannedPosition(latitude=-33.868812, longitude=151.209295))

    assert kept.value.text == "-33.868812,151.209295"
    assert any("does not report it yet" in note for note in kept.notes) is not says
    assert [test["place"] for test in phone.read()["location"]["test"].values()] == [[-33.868812, 151.209295]] * 3
    kept.tick()
    assert control.journal.undo_all(control.take_back) == []
    assert everything(phone) == before
    with pytest.raises(ProviderRefused) as raised:
        kept.tick()
    assert "MOCK_LOCATION" in str(raised.value) or "test provider" in str(raised.value)
