"""The catalog of sources is whole, and what is wrong in one names its file and line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from appwitness.agent.sources import Shape, Source, load
from appwitness.catalog import yaml_files
from appwitness.support.errors import FileError

SOURCES = load()
NAMES = {source.name for source in SOURCES}
PLAN = Path(__file__).parent.parent.parent / "hooks" / "plan.ts"

MUST = [
    "android.content.ContentResolver.query",
    "android.content.ContentProviderClient.query",
    "android.location.LocationManager.getLastKnownLocation",
    "android.location.LocationManager.requestLocationUpdates",
    "android.location.LocationManager.requestSingleUpdate",
    "android.location.LocationManager.getCurrentLocation",
    "com.google.android.gms.location.FusedLocationProviderClient.getLastLocation",
    "com.google.android.gms.location.FusedLocationProviderClient.getCurrentLocation",
    "com.google.android.gms.location.FusedLocationProviderClient.requestLocationUpdates",
    "com.google.android.gms.location.LocationResult.extractResult",
    "com.huawei.hms.location.FusedLocationProviderClient.getLastLocation",
    "android.telephony.TelephonyManager.getLine1Number",
    "android.telephony.TelephonyManager.getMsisdn",
    "android.telephony.TelephonyManager.getVoiceMailNumber",
    "android.telephony.SubscriptionInfo.getNumber",
    "android.telephony.SubscriptionManager.getPhoneNumber",
    "android.telecom.TelecomManager.getLine1Number",
]


@pytest.mark.parametrize("name", MUST)
def test_the_headline_sources_are_there(name):
    assert name in NAMES


def types(node):
    """All the data types that a plan may give to a value."""
    match node:
        case dict():
            for key, value in node.items():
                if key == "columns":
                    for kind in value.values():
                        yield from [kind] if isinstance(kind, str) else kind.values()
                elif key in {"type", "data"} and isinstance(value, str) and "." not in value:
                    yield value
                yield from types(value)
        case list() | tuple():
            for item in node:
                yield from types(item)


def test_every_type_is_in_the_taxonomy():
    known = {item["code"] for item in yaml.safe_load((yaml_files.HERE / "data_types.yml").read_text("utf-8"))["items"]}
    assert {kind for source in SOURCES for kind in types(source.plan())} <= known


def test_plans_have_the_fields_that_the_agent_knows():
    text = PLAN.read_text("utf-8")
    fields = set(re.findall(r"^  (\w+):", text.split("export interface SourceSpec {")[1].split("\n}")[0], re.MULTILINE))
    for source in SOURCES:
        assert set(source.plan()) == fields
        json.dumps(source.plan())


def contact_types(uri):
    """column -> type for a content URI, as the agent would choose."""
    query = next(s for s in SOURCES if (s.name, s.data) == ("android.content.ContentResolver.query", "device_contacts"))
    assert query.when
    if not any(re.search(pattern, uri) for pattern in query.when.matches):
        return None
    found: dict[str, Any] = {}
    for table in query.follow[0].tables:
        if re.search(table.uri, uri):
            found = {**table.columns, **found}
    return found


@pytest.mark.parametrize(
    ("uri", "column", "kind"),
    [
        ("content://com.android.contacts/data/phones", "data1", "phone_number"),
        ("content://com.android.contacts/data/phones/filter/139", "data1", "phone_number"),
        ("content://com.android.contacts/data/emails", "data1", "email"),
        ("content://com.android.contacts/data/postals", "data1", "address"),
        ("content://com.android.contacts/contacts", "display_name", "name"),
        ("content://10@com.android.contacts/contacts", "display_name", "name"),
        ("content://com.android.contacts/phone_lookup/139", "number", "phone_number"),
        ("content://com.android.contacts/raw_contacts", "display_name_alt", "name"),
        ("content://icc/adn", "number", "phone_number"),
        ("content://icc/adn/subId/1", "name", "name"),
        ("content://contacts/people", "number", "phone_number"),
        ("content://com.android.contacts.picker/sessions/0f1e2d3c", "display_name", "name"),
        ("content://0@com.android.providers.contacts.picker/sessions/0f1e2d3c", "number", "phone_number"),
    ],
)
def test_columns_of_the_contacts_provider(uri, column, kind):
    columns = contact_types(uri)
    assert columns is not None
    assert columns[column] == kind


def test_general_columns_depend_on_the_mime_type_of_the_row():
    columns = contact_types("content://com.android.contacts/data")
    assert columns is not None
    assert columns["data1"]["vnd.android.cursor.item/phone_v2"] == "phone_number"
    assert columns["data1"]["vnd.android.cursor.item/email_v2"] == "email"
    assert "vnd.android.cursor.item/note" not in columns["data1"]


@pytest.mark.parametrize(
    "uri",
    [
        "content://sms/inbox",
        "content://call_log/calls",
        "content://com.android.contacts/provider_status",
        "content://com.android.contactsx/contacts",
        "content://com.example.contacts/contacts",
        "content://media/external/images",
    ],
)
def test_other_providers_are_not_the_address_book(uri):
    assert contact_types(uri) is None


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("data: x\nwhy: y\nsources:\n  - class: a.B\n    methods: []\n", 5, "methods"),
        ("data: x\nwhy: y\nsources:\n  - class: a.B\n    methods: [c]\n    surprise: 1\n", 6, "surprise"),
        ("data: x\nwhy: y\nsources:\n  - class: a.B\n    methods: [c]\n    api: '14'\n", 6, "API levels"),
        ("data: x\nwhy: y\nsources:\n  - class: a.B\n    methods: [c]\n    api: 30-29\n", 6, "API levels"),
        ("data: x\nwhy: y\nsources:\n  - class: a.B\n    methods: [c]\n    shape: [c(int)]\n", 6, "not a signature"),
        (
            "data: x\nwhy: y\nsources:\n  - class: a.B\n    methods: [c]\n    shape: [void d(int)]\n",
            4,
            "not among the methods",
        ),
        ("data: x\nwhy: y\nsources:\n  - class: a b\n    methods: [c]\n", 4, "not a name of Java"),
        (
            "data: x\nwhy: y\nsources:\n  - class: a.B\n    methods: [c]\n    when: {argument: 0, matches: ['(']}\n",
            6,
            "regular",
        ),
        (
            "data: x\nwhy: y\nsources:\n  - class: a.B\n    methods: [c]\n    when: {argument: 0, matches: ['(?i)']}\n",
            6,
            "inline",
        ),
        ("data: x\nwhy: y\nsources:\n  - class: a.B\n    methods: [c]\n    follow: [{object: argument}]\n", 6, "type"),
        ("data: x\nwhy: y\nsources: [\n", 4, "not YAML"),
        ("data: x\nwhy: y\nsources:\n  - {class: a.B, methods: [c]}\n  - {class: a.B, methods: [c]}\n", 5, "twice"),
    ],
)
def test_a_fault_names_file_and_line(tmp_path, text, line, what):
    path = tmp_path / "mine.yml"
    path.write_text(text)
    with pytest.raises(FileError, match=re.escape(what)) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}:{line}:")


def test_a_users_own_file_comes_after_ours(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text(
        "data: account_id\nwhy: it names the user\npermission: p.P\nsources:\n"
        "  - class: com.example.Login\n    methods: [user, mail]\n    values: [{from: return, get: [toString]}]\n"
        "  - class: com.example.Login\n    methods: [free]\n    permission: null\n"
    )
    *ours, user, mail, free = load(path)
    assert ours == SOURCES
    assert free.permission is None
    assert (user.name, user.data, user.permission) == ("com.example.Login.user", "account_id", "p.P")
    assert mail.plan()["values"] == [
        {"type": "account_id", "from": "return", "get": ("toString",), "as": "text", "only": None}
    ]


def test_sources_survive_json():
    for source in SOURCES:
        assert Source.model_validate_json(source.model_dump_json(by_alias=True)) == source


@pytest.mark.parametrize(
    ("api", "level", "there"),
    [
        ("26-", 25, False),
        ("26-", 26, True),
        ("1-28", 29, False),
        ("29-34", 34, True),
        (None, 1, True),
        ("26-", None, True),
    ],
)
def test_which_releases_have_it(api, level, there):
    assert SOURCES[0].model_copy(update={"api": api}).on(level) is there


def test_a_shape_goes_to_its_method(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text(
        "data: account_id\nwhy: it names the user\nsources:\n"
        "  - class: com.example.Login\n    methods: [user, mail]\n    why: it reaches him\n"
        "    shape: ['static java.lang.String user(int[], a.B)', void mail()]\n"
    )
    user, mail = load(path)[-2:]
    assert [Shape.of(each) for each in (*user.shape, *mail.shape)] == [
        Shape(static=True, gives="java.lang.String", method="user", takes=("int[]", "a.B")),
        Shape(static=False, gives="void", method="mail", takes=()),
    ]
    assert user.why == "it reaches him"
