"""What the system itself counted: more than was recorded, or just that."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder.case import Case
from tests.recordings.builder.reads import PLACE, POSITION

OWN = "https://api.shop.test/v1/near"
MAP = "com.example.shop.Map.here(Map.java:52)"
AT = (5, 15, 25, 35)


def cases() -> Iterator[Case]:
    """One that disagrees with hooks and proxy, one that does not, and one that seems to."""
    yield (
        walked(
            "witness-disagrees",
            "The system counted six uses of the position where the hooks saw four, and many more bytes than the proxy.",
        )
        .witnessed(45, "appops", "FINE_LOCATION", data="location", count=1, tag="map")
        .witnessed(50, "appops", "FINE_LOCATION", data="location", count=1, tag="map")
        .witnessed(0, "netstats", "networks", 60, size=900_000, received=200_000)
        .missing("location", 2)
        .missing("com.example.shop", 856_561)
    )
    yield (
        walked(
            "witness-agrees",
            "The system counted what the hooks saw, and as many bytes as four small uploads and connections need.",
        )
        .witnessed(3, "location", "gps", 58, data="location", count=4)
        .witnessed(0, "netstats", "networks", 60, size=61_000, received=90_000)
    )
    yield (
        walked(
            "witness-of-others",
            "More was counted, and none of it tells of reads by the app: before the run, by another app on its behalf, "
            "an op that harmless calls need too, one that tells of no personal data.",
        )
        .witnessed(-90, "appops", "FINE_LOCATION", data="location", count=1)
        .witnessed(45, "appops", "RECORD_AUDIO", data="audio_recording", count=1, on_behalf="com.example.dictation")
        .witnessed(46, "appops", "READ_PHONE_STATE", data="device_id_imei", count=1)
        .witnessed(47, "appops", "WAKE_LOCK", count=1)
        .witnessed(48, "exit_info", "LOW_MEMORY", count=1)
    )
    yield (
        walked(
            "control-run-differs", "Without hooks the app contacts one host more, sends much more, and does not exit."
        )
        .phase(40, "exited")
        .witnessed(-100, "control", "run", -45)
        .witnessed(-100, "control", "api.shop.test", -40, count=4, size=140_000)
        .witnessed(-100, "control", "log.tracker.test", -40, count=2, size=4_000)
        .witnessed(-100, "control", "eu.log.tracker.test", -40, count=1, size=96)
        .missing("log.tracker.test", 4_096)
        .missing("com.example.shop", 143_976)
        .missing("com.example.shop", 16)
    )
    yield (
        walked("control-run-agrees", "Without hooks the app does what it does with them, as far as two runs are alike.")
        .gap(20, "proxy", "pinned.shop-cdn.test", "tls_refused")
        .witnessed(-100, "control", "run", -40)
        .witnessed(-100, "control", "eu.shop.test", -40, count=4, size=60_000)
        .witnessed(-100, "control", "img.shop-cdn.test", -40, count=4, size=100)
    )


def walked(name: str, why: str) -> Case:
    """Four reads of the position after a yes, each sent to the app's own server."""
    case = Case(name, why).launched().agreed().separately(3, "sensitive_separate", "given", "Use your position?")
    for when in AT:
        case.read(when, POSITION, MAP).sent(when + 1, OWN, {"at": PLACE}, by=MAP)
        case.witnessed(when + 0.4, "appops", "FINE_LOCATION", data="location", count=1, tag="map")
        case.witnessed(when + 0.4, "appops", "COARSE_LOCATION", data="location", count=1, tag="map")
    return case
