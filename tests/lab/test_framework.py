"""The lab device's framework classes behave as Android's do: a probe app asks, and its answers are compared."""

import os
import subprocess
from pathlib import Path

import pytest
import trustme

from appwitness.devices.lab.apps import ANDROID_ID, CONTACTS, LINE1, LOCATION, LabApp
from appwitness.devices.lab.lab_device import LabDevice
from hatch_build import build_lab

pytestmark = pytest.mark.lab
ROOT = Path(__file__).parents[2]
PROBE = Path(__file__).with_name("java") / "com/example/probe"
PERMISSIONS = tuple(
    f"android.permission.{name}"
    for name in ("READ_CONTACTS", "ACCESS_FINE_LOCATION", "READ_PHONE_NUMBERS", "READ_PHONE_STATE")
)
NUMBERS = [number for contact in CONTACTS for number in contact.numbers]
MAILS = [mail for contact in CONTACTS for mail in contact.mails]
LATITUDE, LONGITUDE = LOCATION.split(",")
DENIED = "! java.lang.SecurityException"

ALLOWED = {
    "process": "com.example.probe",
    "thread": "main true",
    "cursor": "android.content.ContentResolver$CursorWrapperInner android.database.BulkCursorToCursorAdaptor true",
    "people": "|".join(contact.name for contact in CONTACTS),
    "numbers": "|".join(NUMBERS),
    "mails": "|".join(MAILS),
    "rows": str(len(CONTACTS) + len(NUMBERS) + len(MAILS)),
    "projection": "mimetype,data1",
    "selection": "samantha.cole@work.example.com|sam.cole@example.com",
    "in": "李娜|136 0122 8817|王小明|+86 139 1176 2045",
    "null": str(len(NUMBERS)),
    "bundle": "9|8",
    "limit": "14|13|12",
    "one": "Anna Petersen",
    "lookup": "Samantha Cole",
    "filter": "+44 7700 900418",
    "none": "false",
    "client": "王小明",
    "window": f"2 {len(NUMBERS) - 2} {NUMBERS[2]}",
    "types": "1 3 0 1 1 true",
    "before": "! android.database.CursorIndexOutOfBoundsException",
    "canceled": "! android.os.OperationCanceledException",
    "column": "! java.lang.IllegalArgumentException",
    "syntax": "! android.database.SQLException",
    "path": "! java.lang.IllegalArgumentException",
    "authority": "null",
    "android_id": ANDROID_ID,
    "line1": LINE1,
    "phone": LINE1,
    "sims": LINE1,
    "imei": DENIED,
    "operator": "China Mobile",
    "last": LOCATION,
    "updates": "asked",
    "fixes": "gps gps gps main",
    "fused": "asked",
    "fused.success": LATITUDE,
    "uri": "https host.example 8443 [a b, c] [1, 2] +8 part",
    "uri.built": "http://h.example/p/q%20r?n=%2B1%202",
    "handler": "first m1 m2 m3",
    "handler without looper": "! java.lang.RuntimeException",
}
FORBIDDEN = ALLOWED | dict.fromkeys(
    [
        *("cursor", "people", "numbers", "mails", "rows", "projection", "selection", "in", "null", "bundle", "limit"),
        *("one", "lookup", "filter", "none", "client", "window", "types", "before", "column", "syntax", "path"),
        *("line1", "phone", "sims", "last", "updates"),
    ],
    DENIED,
)
del FORBIDDEN["fixes"], FORBIDDEN["fused.success"]
FORBIDDEN["fused.failure"] = "java.lang.SecurityException"


@pytest.fixture(scope="module")
def ask(compiled, tmp_path_factory):
    """Run the probe under a plan and with some permissions; its answers in order."""
    classes = compiled(PROBE, classpath=[build_lab(ROOT)])

    def run(plan: str, granted: tuple[str, ...]) -> list[tuple[str, str]]:
        room = tmp_path_factory.mktemp("device")
        device = LabDevice("circle", plan, room, cache=room / "cache")
        asked = tuple(name for name in PERMISSIONS if name not in granted)
        device.lab_app = LabApp("probe", "probe", "1", 1, 38, permissions=granted, asked=asked)
        trustme.CA().cert_pem.write_to_path(room / "ca.pem")
        device.prepare("127.0.0.1", 9, room / "ca.pem")
        argv = device.launch().argv
        assert argv
        at = argv.index("-cp") + 1
        argv = (*argv[:at], f"{argv[at]}{os.pathsep}{classes}", *argv[at + 1 :])
        done = subprocess.run(argv, capture_output=True, encoding="utf-8", timeout=60, check=True)
        assert not done.stderr
        return [(name, answer) for name, _, answer in (line.partition("=") for line in done.stdout.splitlines())]

    return run


def test_with_all_permissions(ask):
    allowed = dict(ask("accept", PERMISSIONS))
    assert {name: allowed[name] for name in ALLOWED} == ALLOWED


@pytest.fixture(scope="module")
def forbidden(ask):
    return ask("silent", ())


def test_without_permissions(forbidden):
    assert {name: dict(forbidden)[name] for name in FORBIDDEN} == FORBIDDEN


def test_silence_answers_nothing(forbidden):
    assert [answer for name, answer in forbidden if name == "life"] == ["created true", "started", "resumed"]
    assert not {"answered", "dismissed", "permission"} & dict(forbidden).keys()


@pytest.mark.parametrize(
    ("plan", "answer", "permission"),
    [("accept", "agree -1 true", "0 -1 true"), ("refuse", "disagree -2 true", "-1 -1 false")],
)
def test_the_user_answers_the_dialog_and_the_permission_prompt(ask, plan, answer, permission):
    answers = ask(plan, tuple(name for name in PERMISSIONS if not name.endswith("NUMBERS")))
    scenario = [pair for pair in answers if pair[0] in ("life", "answered", "dismissed", "permission", "pending")]
    assert scenario == [
        ("life", "created true"),
        ("life", "started"),
        ("life", "resumed"),
        ("answered", answer),
        ("dismissed", "yes"),
        ("life", "paused"),
        ("permission", f"5 android.permission.READ_PHONE_NUMBERS,android.permission.CAMERA {permission}"),
        ("life", "resumed"),
        ("pending", LONGITUDE),
        ("life", "paused"),
        ("life", "stopped"),
        ("life", "destroyed"),
    ]
