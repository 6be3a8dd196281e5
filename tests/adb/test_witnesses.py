"""What the stand-in device counts of an app comes back as witnesses, whatever its version prints."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appwitness.correlate import report_on
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.devices.android.control import Control
from appwitness.devices.android.witness.counters import Witnesses
from appwitness.events import Access, AppIdentity, DeviceIdentity, Observers, Run, Witness
from appwitness.recording import Recording, verify
from appwitness.reports import render
from appwitness.store import Store
from tests.adb.rig.phone import Phone

PACKAGE = "com.example.circle"
UID = 10123


def use(ago: float = 0.0, **more: Any) -> dict[str, Any]:
    return {"at": time.time() - ago, **more}


def place(count: int, **more: Any) -> dict[str, Any]:
    return {"uid": UID, "package": PACKAGE, "locations": count, **more}


def ops(**uses: list[dict[str, Any]]) -> dict[str, Any]:
    return {PACKAGE: {op: {"mode": "allow", "uses": each} for op, each in uses.items()}}


@pytest.fixture
def watching(
    phone_of: Callable[..., Phone], control_of: Callable[[Phone], Control]
) -> Callable[..., tuple[Phone, Control, Witnesses]]:
    def make(**options: Any) -> tuple[Phone, Control, Witnesses]:
        state = {"packages": {PACKAGE: {"uid": UID}}, "appops": {}, "netstats": {}, **options.pop("state", {})}
        phone = phone_of(state=state, **options)
        control = control_of(phone)
        return phone, control, Witnesses(control, PACKAGE, UID)

    return make


def told(witnesses: list[Witness], by: str) -> list[tuple[str | None, int | None]]:
    return [(each.subject, each.count) for each in witnesses if each.by == by]


@pytest.mark.parametrize("api", [24, 29, 33, 34, 36])
def test_uses_of_ops(watching: Callable[..., tuple[Phone, Control, Witnesses]], api: int) -> None:
    old = [use(300, tag="map")]
    phone, control, witnesses = watching(api=api, state={"appops": ops(FINE_LOCATION=old, CAMERA=[use(50)])})

    witnesses.before()
    assert witnesses.poll() == []
    first = use(tag="map")
    phone.write(
        appops=ops(FINE_LOCATION=[*old, first], CAMERA=[use(50)]) | {"com.other": {"CAMERA": {"uses": [use()]}}}
    )
    seen = witnesses.poll()
    again = witnesses.poll()

    assert [(each.subject, each.data, each.count, each.app) for each in seen if each.subject != "CAMERA"] == [
        ("FINE_LOCATION", "location", 1, PACKAGE)
    ]
    assert again == []
    (place,) = (each for each in seen if each.subject == "FINE_LOCATION")
    assert place.since is not None
    assert abs(place.since.timestamp() - first["at"]) < (0.5 if api < 29 else 0.002)
    assert place.tag == ("map" if api >= 30 else None)
    assert control.notes == []


@pytest.mark.parametrize("api", [31, 34])
def test_the_history_tells_of_uses_that_no_poll_saw(
    watching: Callable[..., tuple[Phone, Control, Witnesses]], api: int
) -> None:
    phone, _, witnesses = watching(api=api)
    minute = time.time() // 60 * 60

    witnesses.before()
    uses = [{"at": minute + second} for second in (125, 130, 305, 365)]
    phone.write(appops=ops(FINE_LOCATION=uses))
    seen = [each for each in witnesses.after() if each.by == "appops"]

    spans = [(each.since.timestamp() - minute, each.until.timestamp() - minute) for each in seen]  # type: ignore[union-attr]
    assert sorted(spans) == [(120, 180), (300, 360), (365, 365)], "the last is told to the millisecond, and once"


def test_places_that_were_delivered(watching: Callable[..., tuple[Phone, Control, Witnesses]]) -> None:
    other = {"uid": 10200, "package": "com.other", "locations": 50}
    phone, control, witnesses = watching(api=34, state={"locations": {"gps": [place(3, tag="map"), other]}})

    witnesses.before()
    phone.write(locations={"gps": [place(17, tag="map"), place(2), other], "network": [place(0)]})

    assert told(witnesses.after(), "location") == [("gps", 14), ("gps", 2)]
    assert control.notes == []


@pytest.mark.parametrize("api", [24, 29, 33, 36])
def test_bytes_over_networks(watching: Callable[..., tuple[Phone, Control, Witnesses]], api: int) -> None:
    before = {UID: {"sent": 1_000, "received": 501, "loopback": 7}, 10200: {"sent": 5, "received": 5}}
    phone, _, witnesses = watching(api=api, state={"netstats": before})

    witnesses.before()
    phone.write(netstats={UID: {"sent": 901_001, "received": 70_000, "loopback": 5_000_000}, 10200: {"sent": 10**9}})

    counted = [each for each in witnesses.after() if each.by == "netstats"]
    assert [(each.subject, each.size, each.received) for each in counted] == [("networks", 900_001, 69_499)]
    assert counted[0].raw is not None


def test_an_app_that_never_sent_before(watching: Callable[..., tuple[Phone, Control, Witnesses]]) -> None:
    phone, _, witnesses = watching()

    witnesses.before()
    phone.write(netstats={UID: {"sent": 10, "received": 20}})

    assert [each.size for each in witnesses.after() if each.by == "netstats"] == [10]


def test_processes_and_how_they_ended(watching: Callable[..., tuple[Phone, Control, Witnesses]]) -> None:
    old = {"at": time.time() - 500, "pid": 90, "reason": 4}
    isolated = {"uid": 99001, "pid": 501, "name": f"{PACKAGE}:sandboxed0", "of": "u0a123"}
    phone, _, witnesses = watching(api=34, state={"exits": {PACKAGE: [old]}, "isolated": [isolated]})

    witnesses.before()
    at = time.time()
    phone.write(
        exits={PACKAGE: [{"at": at, "pid": 97, "reason": 3, "subreason": "MEMORY PRESSURE"}, old]},
        log=[
            {"at": at - 500, "tag": "am_proc_start", "message": f"[0,90,{UID},{PACKAGE},activity,{{}}]"},
            {"at": at, "tag": "am_proc_start", "message": f"[0,97,{UID},com.named.otherwise,service,{{}}]"},
            {"at": at + 0.5, "tag": "am_kill", "message": "[0,97,com.named.otherwise,905,empty #17,79208]"},
            {"at": at, "tag": "am_kill", "message": "[0,98,com.other,905,empty #17,79208]"},
        ],
    )
    seen = witnesses.after()

    assert [(each.subject, each.pid) for each in seen if each.by == "exit_info"] == [("LOW_MEMORY", 97)]
    assert [(each.subject, each.pid) for each in seen if each.by == "logcat"] == [
        ("am_proc_start", 97),
        ("am_kill", 97),
    ]
    assert [(each.pid, each.detail) for each in seen if each.by == "processes"] == [(501, "isolated")]


def test_what_a_device_does_not_tell_is_noted(
    watching: Callable[..., tuple[Phone, Control, Witnesses]],
) -> None:
    phone, control, witnesses = watching(api=34)
    for name in ("appops", "location", "netstats", "connectivity"):
        denied = f"Permission Denial: can't dump {name} from pid=7, uid=2000 due to missing android.permission.DUMP"
        file = phone.root / f"data/rig/userland/dump_{name}.py"
        file.write_text(f"def main(arguments, state):\n    print({denied!r})\n")

    witnesses.before()
    witnesses.poll()

    assert witnesses.after() == []
    assert [note.partition(" could not be read")[0] for note in control.notes] == [
        "the system's own count by appops",
        "the system's own count by history",
        "the system's own count by location",
        "bytes by user id",
    ]


def test_what_was_counted_stands_in_the_report(
    watching: Callable[..., tuple[Phone, Control, Witnesses]], tmp_path: Path
) -> None:
    """From the device to the gap, by way of a recording: two of three uses have a read of ours beside them."""
    phone, control, witnesses = watching(api=34)
    run = Run(
        id="x",
        app=AppIdentity(package=PACKAGE),
        device=DeviceIdentity(serial="x", kind="phone"),
        observers=Observers(hooks=True, proxy=True, witnesses=True),
        started=datetime.now(UTC),
    )
    with Recording.create(tmp_path / "run", run) as recording:
        witnesses = Witnesses(control, PACKAGE, UID, keep=recording.put_body)
        witnesses.before()
        uses: list[dict[str, Any]] = []
        for number in range(3):
            uses.append(use(-10 * number))
            phone.write(appops=ops(FINE_LOCATION=uses), netstats={UID: {"sent": 500_000 * number}})
            recording.append_all(witnesses.poll())
            if number:
                at = datetime.fromtimestamp(uses[-1]["at"], UTC)
                recording.append(Access(at=at, app=PACKAGE, source="a.b", data="location", outcome="returned"))
        recording.append_all(witnesses.after())
        recording.update_run(ended=datetime.now(UTC))
        recording.stamp(final=True)
        assert verify(recording.path).ok

        made = report_on(recording, Store(tmp_path / "i.sqlite"), knowledge())

    counted = [(gap.subject, gap.counted.counted, gap.counted.recorded) for gap in made.gaps if gap.counted]
    assert counted == [("location", 3, 2), (PACKAGE, 1_000_000, 0)]
    text = render(made, "text")
    assert "hooks saw 2" in text
    assert "bytes unseen" in text
