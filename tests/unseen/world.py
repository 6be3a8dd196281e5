"""The values that the app read, of every type, and the noise among which it sends them."""

from __future__ import annotations

import gzip
import json
import random
import uuid
from datetime import timedelta
from typing import Any

from appwitness.events import Access, Value
from tests.unseen import START

ROWS = (
    (("name", "诸葛明轩"), ("phone_number", "13788693191"), ("email", "mingxuan.zg@qq.example")),
    (("name", "程华"), ("phone_number", "18617735028")),
    (("name", "李若霞"), ("phone_number", "+8615656300309")),
    (("name", "Anna-Maria Kowalska"), ("phone_number", "+48601332817"), ("email", "anna-maria.k922@uczelnia.example")),
    (("name", "Tomás Ibáñez Ferreira"), ("phone_number", "+5511983307741"), ("address", "Rua Augusta 1508, São Paulo")),
    (("name", "Priya Venkataraman"), ("phone_number", "+919845120377"), ("email", "PriyaV+home@Gmail.com")),
)
"""Contacts, read with one query."""

SINGLE = (
    ("phone_number", "phone_number", "17053511262"),
    ("phone_number", "phone_number", "+447911123456"),
    ("phone_number", "phone_number", "+13105550187"),
    ("phone_number", "phone_number", "+4915123456789"),
    ("email", "email", "Zhao.Liu_13@Example.org"),
    ("address", "address", "北京市海淀区中关村大街27号院3号楼1202室"),
    ("address", "address", "221B Baker Street, London NW1 6XE"),
    ("location", "location", "31.238361,121.435598"),
    ("location", "location", "-22.951916,-43.210487"),
    ("location", "location", "40.758896,-73.985131"),
    ("location", "location", "51.507351,-0.127758"),
    ("location", "location", "39.91666666666667,116.39719722222222"),
    ("device_id_imei", "device_id_imei", "867530029921507"),
    ("device_id_imei", "device_id_imei", "354859112230018"),
    ("device_id_imsi", "device_id_imsi", "460023187540961"),
    ("device_id_iccid", "device_id_iccid", "89860318740220913456"),
    ("device_id_serial", "device_id_serial", "R58M31QKZTW"),
    ("mac_address", "mac_address", "a4:c1:38:15:81:d1"),
    ("mac_address", "mac_address", "F0:5C:77:0A:3E:92"),
    ("android_id", "android_id", "64f051c20ca1dc00"),
    ("android_id", "android_id", "9c3b7ad218e05f46"),
    ("advertising_id", "advertising_id", "7d3f0a52-91c4-4e1b-a6d8-20f5c3b97e61"),
    ("oaid", "oaid", "3e7fb9d0-4c1a-82e5-9b60-f17d2a8c5e43"),
    ("ip_address", "ip_address", "192.168.31.177"),
    ("ip_address", "ip_address", "2001:db8:85a3::8a2e:370:7334"),
    ("wifi_ssid_bssid", "wifi_ssid_bssid", "CMCC-Home-5G_1D13"),
    ("wifi_ssid_bssid", "wifi_ssid_bssid", "8c:53:c3:e7:04:b9"),
    ("sms_content", "sms_content", "您的验证码是 052494，请勿泄露"),
    ("clipboard", "clipboard", "meet me at gate 14, code 7731-XK"),
    ("id_number", "id_number", "11010519491231002X"),
    ("bank_card", "bank_card", "6222021602009138473"),
    ("account_id", "account_id", "wxid_7q2nf04kzs8m22"),
    ("calendar_events", "calendar_events", "Dentist Dr. Okafor, Harley Street"),
    ("installed_apps", "installed_apps", "com.example.diabetes.tracker"),
)
"""(type of the access, type of the value, text): one access each."""

ACCESSES = (
    Access(
        at=START,
        source="android.content.ContentResolver.query",
        data="device_contacts",
        outcome="returned",
        values=tuple(
            Value(type=type_, text=text, row=row) for row, members in enumerate(ROWS) for type_, text in members
        ),
    ),
    *(
        Access(
            at=START + timedelta(seconds=number),
            source="source",
            data=data,
            outcome="returned",
            values=(Value(type=type_, text=text),),
        )
        for number, (data, type_, text) in enumerate(SINGLE, 1)
    ),
)
VALUES: tuple[Value, ...] = tuple(value for access in ACCESSES for value in access.values)

KEYS = {
    "name": ("name", "contact", "nickname", "display_name", "full_name"),
    "phone_number": ("phone", "mobile", "msisdn", "tel", "p", "u"),
    "email": ("email", "mail", "account", "e", "u"),
    "address": ("address", "addr", "street", "a"),
    "location": ("loc", "gps", "position", "q", "v"),
    "device_id_imei": ("imei", "device_id", "did", "x"),
    "mac_address": ("mac", "wlan", "m"),
}
WORDS = [
    "batch",
    "campaign",
    "click",
    "context",
    "device",
    "duration",
    "event",
    "height",
    "impression",
    "library",
    "locale",
    "model",
    "network",
    "sdk",
]


def row_of(value: Value) -> tuple[Value, ...]:
    """The value and what the same row of the same access held."""
    for access in ACCESSES:
        if value in access.values and value.row is not None:
            return tuple(one for one in access.values if one.row == value.row)
    return (value,)


def access_of(value: Value) -> str:
    """The line that returned it."""
    return next(f"accesses.jsonl:{number}" for number, one in enumerate(ACCESSES, 1) if value in one.values)


def together(value: Value) -> tuple[Value, ...]:
    """What an app that sends this value sends with it: a name goes with its number."""
    if value.type != "name":
        return (value,)
    return (value, next(one for one in row_of(value) if one.type == "phone_number"))


def key_of(value: Value, chance: random.Random) -> str:
    """A key under which apps send such a value."""
    return chance.choice(KEYS.get(value.type, (value.type, "v", "q")))


def noise(chance: random.Random) -> Any:
    """Something that is no value of anybody."""
    return chance.choice(
        (
            lambda: chance.randrange(1, 900),
            lambda: 1_700_000_000_000 + chance.randrange(10**11),
            lambda: str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            lambda: f"{chance.getrandbits(160):040x}",
            lambda: " ".join(chance.choices(WORDS, k=chance.randint(1, 4))),
            lambda: round(chance.uniform(-180, 180), chance.randint(1, 9)),
            lambda: [chance.randrange(1000) for _ in range(chance.randint(1, 6))],
            lambda: chance.choice((True, False, None)),
            lambda: f"+1{chance.randrange(2 * 10**9, 10**10)}",
        )
    )()


def document(fields: dict[str, Any], chance: random.Random) -> dict[str, Any] | list[Any]:
    """A document of analytics that holds these fields somewhere."""
    made = {chance.choice(WORDS): noise(chance) for _ in range(chance.randint(2, 6))}
    inner = {chance.choice(WORDS): noise(chance) for _ in range(chance.randint(0, 3))} | fields
    members = list(inner.items())
    chance.shuffle(members)
    if chance.random() < 0.5:
        made[chance.choice(("data", "user", "props", "body"))] = dict(members)
    else:
        made |= dict(members)
    return made if chance.random() < 0.6 else [made, {"n": noise(chance)}]


def dumps(value: Any) -> bytes:
    """JSON as apps write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def gz(data: bytes) -> bytes:
    """gzip, the same at any time."""
    return gzip.compress(data, mtime=1)


def fields_of(value: Value, chance: random.Random, turn: Any = str) -> dict[str, Any]:
    """The value, and what goes with it, each turned, under their keys."""
    return {key_of(one, chance): turn(one.text) for one in together(value)}
