"""How permissions are asked for, refused and changed."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder.case import HOUR, Case
from tests.recordings.builder.reads import NUMBER, PHONE

LOCATION = ("ACCESS_FINE_LOCATION", ["location", "movement_track", "wifi_ssid_bssid", "nearby_wifi", "cell_tower"])
COARSE = ("ACCESS_COARSE_LOCATION", ["location_coarse"])
CONTACTS = ("READ_CONTACTS", ["device_contacts"])
STATE = ("READ_PHONE_STATE", ["device_id_imei", "device_id_imsi", "phone_number"])
MICROPHONE = ("RECORD_AUDIO", ["audio_recording", "fingerprint_voiceprint"])
CALENDAR = ("READ_CALENDAR", ["calendar_events"])


def cases() -> Iterator[Case]:
    """All of this module."""
    yield (
        Case(
            "permission-before-purpose",
            "The first thing on the screen is the system's question for the address book; the notice follows later.",
        )
        .launched()
        .prompted(0.9, *CONTACTS)
        .answered(2, *CONTACTS, granted=False)
        .asked(3)
        .tapped(5, "given", "Agree")
        .finds("permission-before-purpose", "low", "indicated", "device_contacts")
    )
    yield (
        Case(
            "permission-before-purpose-nearly",
            "The notice comes first and is answered; the permission is asked for when the user opens the function.",
            nearly="permission-before-purpose",
        )
        .launched()
        .agreed()
        .prompted(20, *CONTACTS)
        .answered(22, *CONTACTS, granted=True)
    )
    yield (
        Case(
            "forced-permission",
            "After the notice the position is asked for; the user denies it, and the app ends itself 0.8 s later.",
        )
        .launched()
        .agreed()
        .prompted(5, *LOCATION)
        .answered(7, *LOCATION, granted=False)
        .phase(7.7, "background")
        .phase(7.8, "exited")
        .finds("forced-permission", "medium", "indicated", "location")
    )
    yield (
        Case(
            "forced-permission-nearly",
            "The user denies a permission and goes on; the app ends five minutes later. In the next start the "
            "user refuses "
            "the new policy and leaves: that was the user's choice.",
            nearly="forced-permission",
            ends=HOUR,
        )
        .launched()
        .agreed()
        .prompted(5, *LOCATION)
        .answered(7, *LOCATION, granted=False)
        .phase(300, "background")
        .phase(307, "exited")
        .phase(400, "started")
        .phase(400.5, "foreground")
        .asked(401)
        .tapped(403, "refused", "不同意并退出")
        .phase(403.4, "exited")
    )
    nagging = Case(
        "repeated-prompts",
        "The user denies the microphone, and is asked again at each of the next four screens.",
        ends=2 * 60,
    ).launched()
    nagging.agreed().prompted(10, *MICROPHONE).answered(12, *MICROPHONE, granted=False)
    for again in range(20, 60, 10):
        nagging.prompted(again, *MICROPHONE).answered(again + 2, *MICROPHONE, granted=False)
    yield nagging.finds("repeated-prompts", "medium", "indicated", "audio_recording")
    yield (
        Case(
            "repeated-prompts-nearly",
            "Denied once, asked once more when the user taps the microphone, and allowed; other permissions are "
            "asked for "
            "once each.",
            nearly="repeated-prompts",
            ends=2 * 60,
        )
        .launched()
        .agreed()
        .prompted(10, *MICROPHONE)
        .answered(12, *MICROPHONE, granted=False)
        .prompted(40, *MICROPHONE)
        .answered(42, *MICROPHONE, granted=True)
        .prompted(60, *CALENDAR)
        .answered(62, *CALENDAR, granted=False)
        .prompted(80, *CONTACTS)
        .answered(82, *CONTACTS, granted=False)
    )
    bundled = Case(
        "bundled-permissions", "Right after the yes the app asks for five kinds of things in one go."
    ).launched()
    bundled.agreed()
    for permission in (LOCATION, CONTACTS, STATE, MICROPHONE, CALENDAR):
        bundled.prompted(2.4, *permission)
    for number, permission in enumerate((LOCATION, CONTACTS, STATE, MICROPHONE, CALENDAR)):
        bundled.answered(4 + number, *permission, granted=True)
    yield bundled.finds("bundled-permissions", "low", "indicated", "location")
    yield (
        Case(
            "bundled-permissions-nearly",
            "Precise and approximate location are one question of the system; the address book is asked for when it is "
            "needed, and so is the calendar.",
            nearly="bundled-permissions",
        )
        .launched()
        .agreed()
        .prompted(2.4, *LOCATION)
        .prompted(2.4, *COARSE)
        .answered(4, *LOCATION, granted=True)
        .answered(4, *COARSE, granted=True)
        .prompted(20, *CONTACTS)
        .answered(21, *CONTACTS, granted=True)
        .prompted(40, *CALENDAR)
        .answered(41, *CALENDAR, granted=True)
    )
    yield (
        Case(
            "permission-changed",
            "The user denied the position; half an hour later, after an update, it is granted, and nobody was asked.",
            ends=HOUR,
        )
        .launched()
        .agreed()
        .prompted(5, *LOCATION)
        .answered(7, *LOCATION, granted=False)
        .phase(60, "exited")
        .phase(1800, "started")
        .phase(1800.6, "foreground")
        .answered(1801, *LOCATION, granted=True, by="app")
        .finds("permission-changed", "low", "indicated", "location")
    )
    yield (
        Case(
            "permission-changed-nearly",
            "The user denied the number, is asked again when signing in, and allows it; the calendar was "
            "allowed before "
            "the run and is found so.",
            nearly="permission-changed",
        )
        .launched()
        .answered(0.2, *CALENDAR, granted=True, by="app")
        .agreed()
        .prompted(5, *STATE)
        .answered(7, *STATE, granted=False)
        .prompted(30, *STATE)
        .answered(32, *STATE, granted=True)
        .read(33, NUMBER)
        .sent(34, "https://api.shop.test/v1/login", {"phone": PHONE})
    )
