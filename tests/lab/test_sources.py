"""The three headline kinds of data on the lab device's framework: every way in which apps really read them."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.sources import load
from appwitness.devices.lab.apps import CONTACTS, LINE1, LOCATION
from appwitness.devices.lab.runtime import jar, launcher
from appwitness.events import Access, Consent, Gap, Screen, Upload
from appwitness.recording import Recording
from hatch_build import build
from tests.lab.program import JVM, Program, blank

ROOT = Path(__file__).parent.parent.parent
NUMBERS = [number for contact in CONTACTS for number in contact.numbers]
HERE_AND_NOW = [("location", LOCATION)]
NO_MORE = "android.location.LocationManager.removeUpdates"
GRANTED = (
    "android.permission.READ_CONTACTS",
    "android.permission.ACCESS_FINE_LOCATION",
    "android.permission.READ_PHONE_NUMBERS",
    "android.permission.READ_PHONE_STATE",
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


TOGETHER = (
    *("last", "window", "bundle", "phones", "unread", "nobody", "client", "wrapper", "buffer", "updates", "single"),
    *("current", "fused-last", "fused-complete", "fused-updates", "numbers", "binder", "nobodys"),
    *("incoming", "proxy"),
)
"""Steps that leave nothing behind and keep the main thread busy: one process takes them all."""


def played(
    classes: Path, room: Path, steps: Sequence[str], granted=GRANTED, gaps=frozenset()
) -> dict[str, tuple[list[Access], str]]:
    """Play steps of the tour in one process: step -> its accesses, and what the app printed."""
    facts = {
        "application": "tour.TourApplication",
        "activity": "tour.MainActivity",
        "permissions.requested": ",".join(GRANTED),
        "permissions.granted": ",".join(granted),
        "line1": LINE1,
        "location": LOCATION,
        "data": str(room / "data"),
        "pid": str(room / "pid"),
    }
    for at, contact in enumerate(CONTACTS):
        facts[f"contact.{at}.name"] = contact.name
        facts[f"contact.{at}.numbers"] = ",".join(contact.numbers)
        facts[f"contact.{at}.mails"] = ",".join(contact.mails)
    (room / "facts").write_text("".join(f"{key}={value}\n" for key, value in facts.items()), "utf-8")
    settings = {
        "lab.package": "tour",
        "lab.device": room / "facts",
        "tour.steps": ",".join(steps),
        "file.encoding": "UTF-8",
    }
    argv = (
        str(launcher("tour", room / "cache")),
        *JVM,
        *(f"-D{name}={value}" for name, value in settings.items()),
        "-cp",
        f"{jar()}:{classes}",
        "android.app.ActivityThread",
    )
    recording = blank(room / "recording", "tour")
    printed: list[bytes] = []
    agent = Agent(recording, load(), "tour", AgentOptions(partial=True), on_output=printed.append)
    with agent:
        agent.launch(Program(argv, cwd=str(room)))
        assert agent.wait(60), "the app did not end"
    assert {(gap.subject, gap.why) for gap in recording.events(Gap)} - {("sources", "class_absent")} == gaps
    parts = re.findall(r"^step (\S+)\n(.*?)(?=^step |\Z)", b"".join(printed).decode(), re.MULTILINE | re.DOTALL)
    assert [step for step, _ in parts] == list(steps)
    accesses = list(recording.events(Access))
    marks = [access for access in accesses if str((access.args or {}).get("selection_args")).startswith("step ")]
    begins = sorted(mark.at for mark in marks) or [datetime.min.replace(tzinfo=UTC)]
    of_step: list[list[Access]] = [[] for _ in begins]
    for access in accesses:
        if access not in marks:
            of_step[bisect_right(begins, access.at) - 1].append(access)
    return {step: (found, said) for (step, said), found in zip(parts, of_step, strict=True)}


@pytest.fixture(scope="module")
def classes(compiled):
    build(ROOT)
    return compiled("tour", classpath=[jar()])


@pytest.fixture(scope="module")
def together(classes, tmp_path_factory):
    return played(classes, tmp_path_factory.mktemp("together"), TOGETHER)


@pytest.fixture
def tour(classes, together, tmp_path):
    """A step's accesses, and what the app printed; the steps that are not of `together` have a process of their own."""

    def play(step, **options):
        return together[step] if step in together else played(classes, tmp_path, [step], **options)[step]

    return play


def cells(access):
    return [(value.type, value.text) for value in access.values]


def test_every_cell_of_a_query_with_its_row(tour):
    [access], _ = tour("phones")
    assert access.source == "android.content.ContentResolver.query"
    assert access.target == "content://com.android.contacts/data/phones"
    assert [value.text for value in access.values if value.type == "phone_number"] == NUMBERS
    assert {value.text for value in access.values if value.type == "name"} == {
        contact.name for contact in CONTACTS if contact.numbers
    }
    assert [value.row for value in access.values[:4]] == [0, 0, 1, 1]
    assert access.args["rows"] == access.args["rows_read"] == len(NUMBERS)
    assert access.stack[0].startswith("tour.MainActivity.go(MainActivity.java:")
    assert (access.outcome, access.thread, access.count) == ("returned", "main", 1)


def test_whoever_has_a_view_clicked_in_a_touch_is_the_user(tour, tmp_path):
    _, printed = tour("presses")
    assert printed.count("clicked ") == 3
    touches = [screen.touched for screen in Recording.open(tmp_path / "recording").events(Screen) if screen.touched]
    assert [(touch.label, touch.by) for touch in touches] == [
        ("Its own touch", "user"),
        ("Its listener", "user"),
        ("Nobody", "app"),
    ]


def test_of_a_crowded_window_what_is_on_top_is_read(tour, tmp_path):
    tour("crowded", gaps={("android.view.View", "overflow")})
    *_, tapped = Recording.open(tmp_path / "recording").events(Screen)
    [window] = tapped.windows
    assert tapped.touched
    assert (tapped.touched.label, window.labels) == ("Agree", ("Agree",))
    rows = [text for text in window.texts if text.startswith("Row ")]
    assert window.texts == (*rows, "We value your privacy")
    assert 300 < len(rows) < 500
    assert rows == [f"Row {at}" for at in range(500 - len(rows), 500)]


def test_a_stored_list_of_all_providers_is_whole(tour, tmp_path):
    tour("stores", gaps={("IABTCF_VendorConsents", "overflow")})
    lines = Recording.open(tmp_path / "recording").events(Consent)
    stored = {key: value for line in lines for key, _, value in [str(line.text).partition("=")]}
    assert stored["IABTCF_AddtlConsent"] == f"2~{'.'.join(map(str, range(1, 1001)))}~dv."
    assert set(stored["IABTCF_VendorConsents"]) == {"1"}
    assert len(stored["IABTCF_VendorConsents"]) == 65_536


def test_the_overload_with_a_bundle(tour):
    [access], _ = tour("bundle")
    assert cells(access) == [("phone_number", NUMBERS[0])]


def test_asked_but_not_read_is_not_the_same_as_read(tour):
    [access], _ = tour("unread")
    assert (access.outcome, access.values) == ("returned", ())
    assert access.args == {"rows": len(NUMBERS), "rows_read": 0}


def test_a_query_without_a_row_is_empty(tour):
    [access], printed = tour("nobody")
    assert "rows 0" in printed
    assert (access.outcome, access.values) == ("empty", ())
    assert access.args == {"selection": "display_name = ?", "selection_args": "nobody", "rows": 0, "rows_read": 0}


def test_the_provider_asked_directly(tour):
    [access], _ = tour("client")
    assert access.source == "android.content.ContentProviderClient.query"
    assert [(value.text, value.row) for value in access.values] == [(NUMBERS[2], 2)]


def test_through_a_wrapper_of_the_apps_own(tour):
    [access], printed = tour("wrapper")
    assert f"mine {NUMBERS[0]}" in printed
    assert cells(access) == [("phone_number", NUMBERS[0])]


def test_copied_into_a_buffer(tour):
    [access], printed = tour("buffer")
    assert NUMBERS[0] in printed
    assert cells(access) == [("phone_number", NUMBERS[0])]


def test_in_bulk_through_a_window(tour):
    accesses, printed = tour("window")  # two where the app takes its time
    assert NUMBERS[2] in printed
    read = [(value.text, value.row) for access in accesses for value in access.values]
    assert read == [(NUMBERS[row], row) for row in range(3)]


def test_a_cursor_that_stays_open_is_written_down_when_the_app_pauses(tour):
    *before, first, second = tour("open")[0]
    assert not any(access.values for access in before)  # one where the app takes its time
    assert (cells(first), cells(second)) == ([("phone_number", NUMBERS[0])], [("phone_number", NUMBERS[1])])
    assert first.stack[0].startswith("tour.MainActivity.go(")
    assert second.stack[0].startswith("tour.MainActivity.later(")
    assert first.at < second.at


def test_a_cursor_is_not_lost_when_the_process_ends(tour):
    *_, access = tour("killed")[0]  # one before where the app takes its time
    assert cells(access) == [("phone_number", NUMBERS[0])]


def test_the_last_known_location(tour):
    [access], printed = tour("last")
    assert printed.startswith(LOCATION.split(",")[0])
    assert cells(access) == HERE_AND_NOW
    assert (access.source, access.args) == (
        "android.location.LocationManager.getLastKnownLocation",
        {"provider": "gps"},
    )


@pytest.mark.parametrize(
    ("step", "source"),
    [
        ("updates", "android.location.LocationManager.requestLocationUpdates"),
        ("passive", "android.location.LocationManager.requestLocationUpdates"),
        ("single", "android.location.LocationManager.requestSingleUpdate"),
        ("current", "android.location.LocationManager.getCurrentLocation"),
        ("fused-last", "com.google.android.gms.location.FusedLocationProviderClient.getLastLocation"),
        ("fused-complete", "com.google.android.gms.location.FusedLocationProviderClient.getLastLocation"),
        ("fused-await", "com.google.android.gms.location.FusedLocationProviderClient.getCurrentLocation"),
        ("fused-updates", "com.google.android.gms.location.FusedLocationProviderClient.requestLocationUpdates"),
    ],
)
def test_a_request_and_each_delivery(tour, step, source):
    every, printed = tour(step)
    accesses = [access for access in every if access.source != NO_MORE]
    assert {access.source for access in accesses} == {source}
    assert [access.values for access in every if access.source == NO_MORE] == [()] * (step == "updates")
    [request] = [access for access in accesses if access.outcome == "requested"]
    assert request.values == ()
    deliveries = [access for access in accesses if access.outcome == "returned"]
    assert all(cells(access) == HERE_AND_NOW for access in deliveries)
    assert sum(access.count for access in deliveries) == printed.count("got ") > 0


def test_a_delivery_to_a_pending_intent_is_read_out_of_the_intent(tour):
    accesses, printed = tour("pending")
    assert "got " in printed
    assert [(access.source.split(".")[-1], access.outcome) for access in accesses] == [
        ("requestLocationUpdates", "requested"),
        ("getParcelableExtra", "returned"),
    ]
    assert cells(accesses[1]) == HERE_AND_NOW
    assert accesses[1].stack[0].startswith("tour.MainActivity$Receiver.onReceive(")


def test_the_phone_number_and_its_kin(tour):
    every, _ = tour("numbers")
    accesses = [access for access in every if access.data == "phone_number"]
    assert [access.source for access in accesses] == [
        "android.telephony.TelephonyManager.getLine1Number",
        "android.telephony.TelephonyManager.getMsisdn",
        "android.telephony.TelephonyManager.getVoiceMailNumber",
        "android.telephony.SubscriptionInfo.getNumber",
        "android.telephony.SubscriptionManager.getPhoneNumber",
        "android.telecom.TelecomManager.getLine1Number",
    ]
    assert {value.text for access in accesses for value in access.values} == {LINE1}


def test_transactions_of_the_apps_own_with_system_services(tour):
    accesses, printed = tour("binder")
    service = "com.android.internal.telephony.IPhoneSubInfo"
    assert printed.count("got ") == 3
    assert [(access.target, access.data, access.outcome, cells(access), access.args) for access in accesses] == [
        (f"{service}.getLine1Number", "phone_number", "returned", [("phone_number", LINE1)], {"code": 11}),
        (f"{service}.getVoiceMailNumber", "phone_number", "empty", [], {"code": 16}),
        ("android.content.IClipboard.4", "clipboard", "empty", [], {"code": 4}),
        (f"{service}.getDeviceId", "device_id_imei", "denied", [], {"code": 1}),
    ]
    assert {access.source for access in accesses} == {"android.os.BinderProxy.transactNative"}
    assert accesses[0].stack[1].startswith("tour.MainActivity.transact(")


def test_a_service_that_gives_no_personal_data_is_let_through_and_the_others_are_seen_as_before(tour):
    accesses, printed = tour("nobodys")
    assert printed.count("got on") == 3
    assert {access.target for access in accesses} == {"com.android.internal.telephony.IPhoneSubInfo.getLine1Number"}
    assert sum(access.count for access in accesses) == 3


def test_what_the_app_does_when_it_is_called_while_it_waits_for_an_answer_is_its_own(tour):
    accesses, printed = tour("incoming")
    assert f"got {LINE1}" in printed
    assert [(access.source, access.target) for access in accesses] == [
        ("android.telephony.TelephonyManager.getLine1Number", None),
        ("android.os.BinderProxy.transactNative", "android.content.IClipboard.7"),
    ]


def test_what_goes_to_another_app_in_an_intent_is_an_upload(tour, tmp_path):
    tour("share")
    recording = Recording.open(tmp_path / "recording")
    [upload] = recording.events(Upload)
    assert (upload.via, upload.url, upload.type) == ("intent", "intent:com.other", "application/json")
    body = recording.body(upload.body or "")
    assert body is not None
    assert json.loads(body) == {
        "action": "com.other.SYNC",
        "data": None,
        "extras": {"phone": "+8613800138000", "all": "[a, b]"},
    }
    assert upload.stack[0].startswith("android.content.ContextWrapper.sendBroadcast(")


def test_the_service_behind_the_manager_by_reflection(tour):
    [access], printed = tour("proxy")
    assert f"got {LINE1}" in printed
    assert cells(access) == [("phone_number", LINE1)]
    assert any(frame.startswith("java.lang.reflect.Method.invoke(") for frame in access.stack)


def test_what_is_refused_is_seen_too(tour):
    [access], printed = tour("denied", granted=())
    assert (access.outcome, access.values) == ("denied", ())
    assert "threw java.lang.SecurityException" in printed
