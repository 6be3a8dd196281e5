"""In what state the app was, and how often it read."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder.case import HOUR, Case
from tests.recordings.builder.reads import NUMBER, PHONE, PLACE, POSITION

TRACK = "https://api.jogger.test/v1/points"
SERVICE = (
    "com.example.jogger.Tracker.tick(Tracker.java:88)",
    "android.app.job.JobService.onStartJob(JobService.java:99)",
)
SCREEN = ("com.example.jogger.Map.onResume(Map.java:40)", "android.app.Activity.performResume(Activity.java:8147)")
SDK = ("com.adnet.sdk.Where.poll(Where.java:19)", "java.util.TimerThread.mainLoop(Timer.java:562)")


def _case(name: str, why: str, **fields: object) -> Case:
    return Case(name, why, app="com.example.jogger", **fields)  # type: ignore[arg-type]


def background() -> Iterator[Case]:
    """The user was elsewhere, or the screen was off."""
    yield (
        _case(
            "read-in-background",
            "Two minutes after the user went home and switched the screen off, a job reads the position.",
            ends=600,
        )
        .launched()
        .agreed()
        .phase(30, "background")
        .phase(31, "screen_off")
        .read(150, POSITION, *SERVICE)
        .finds("read-in-background", "low", "indicated", "location")
    )
    yield (
        _case(
            "read-in-background-nearly",
            "Read while the map is on the screen; read again when the user is back; in between nothing is read, "
            "and the "
            "phases come from a device whose clock is a minute ahead, as do the reads.",
            nearly="read-in-background",
            ends=600,
            offset_ms=60_000,
        )
        .phase(60.1, "started")
        .phase(60.4, "foreground")
        .asked(60.5)
        .tapped(62, "given", "Agree")
        .read(70, POSITION, *SCREEN)
        .phase(90, "background")
        .phase(91, "screen_off")
        .phase(200, "screen_on")
        .phase(201, "foreground")
        .read(203, POSITION, *SCREEN)
    )
    yield (
        _case(
            "sent-in-background",
            "The position was read on the map; it leaves two minutes later, with the app in the background. The "
            "device's "
            "clock is 100 s ahead: by its own time the app went there only after that.",
            ends=600,
            offset_ms=100_000,
        )
        .phase(100.1, "started")
        .phase(100.4, "foreground")
        .asked(100.5)
        .tapped(102, "given", "Agree")
        .read(110, POSITION, *SCREEN)
        .phase(160, "background")
        .sent(150, TRACK, {"run": 7, "at": [31.230416, 121.473701]}, how="gzip")
        .finds("sent-in-background", "low", "proven", "location", "api.jogger.test")
    )
    yield (
        _case(
            "sent-in-background-nearly",
            "By the device's own time the app had long been in the background when the position left; but its clock is "
            "100 s behind, and the map was still on the screen.",
            nearly="sent-in-background",
            ends=600,
            offset_ms=-100_000,
        )
        .phase(-99.9, "started")
        .phase(-99.6, "foreground")
        .asked(-99.5)
        .tapped(-98, "given", "Agree")
        .read(0, POSITION, *SCREEN)
        .phase(60, "background")
        .sent(150, TRACK, {"run": 7, "at": [31.230416, 121.473701]}, how="gzip")
        .sent(200, TRACK, {"run": 7, "done": True})
    )
    yield (
        _case(
            "read-at-self-start",
            "The user agreed and closed the app. Half an hour later it is started by a broadcast, shows "
            "nothing, and reads "
            "the number.",
            ends=HOUR,
        )
        .launched()
        .agreed()
        .phase(40, "background")
        .phase(60, "exited")
        .phase(1800, "started")
        .phase(1800.1, "mark", "started by a broadcast: android.net.conn.CONNECTIVITY_CHANGE")
        .read(1801, NUMBER, "com.example.jogger.Push.onReceive(Push.java:14)")
        .finds("read-at-self-start", "medium", "indicated", "phone_number")
    )
    yield (
        _case(
            "read-at-self-start-nearly",
            "The user opens the app twice. The second time it reads the number in Application.onCreate, half a second "
            "before its first screen: that is how every start goes.",
            nearly="read-at-self-start",
            ends=HOUR,
        )
        .launched()
        .agreed()
        .phase(40, "background")
        .phase(60, "exited")
        .phase(1800, "started")
        .read(1800.2, NUMBER, "com.example.jogger.App.onCreate(App.java:30)")
        .phase(1800.7, "foreground")
    )
    yield (
        _case(
            "started-by-broadcast",
            "The user agreed the day before. The agent saw that a broadcast brought the process up; nothing is "
            "ever shown, "
            "and the number is read.",
            plan="silent",
        )
        .asked(-24 * HOUR)
        .tapped(-24 * HOUR + 3, "given", "Agree")
        .phase(0.1, "started")
        .phase(0.2, "mark", "started by a broadcast: android.intent.action.BOOT_COMPLETED")
        .read(0.6, NUMBER, "com.example.jogger.Boot.onReceive(Boot.java:14)")
        .finds("consent-from-earlier-run", "info", "indicated")
        .finds("read-at-self-start", "medium", "indicated", "phone_number")
    )


def often() -> Iterator[Case]:
    """How often."""
    yield (
        _case(
            "read-too-often",
            "With consent and on the screen, an SDK asks for the position twice a second for a minute.",
            ends=120,
        )
        .launched()
        .agreed()
        .read(10, POSITION, *SDK, count=120, until=70)
        .sent(30, TRACK, {"ll": PLACE})
        .finds("read-too-often", "low", "corroborated", "location")
    )
    yield (
        _case(
            "read-too-often-nearly",
            "The map asks five times in ten minutes, and the number is read once when signing in.",
            nearly="read-too-often",
            ends=720,
        )
        .launched()
        .agreed()
        .read(10, POSITION, *SCREEN)
        .read(130, POSITION, *SCREEN)
        .read(250, POSITION, *SCREEN)
        .read(251, NUMBER, "com.example.jogger.Login.prefill(Login.java:31)")
        .read(370, POSITION, *SCREEN)
        .read(490, POSITION, *SCREEN)
        .sent(500, TRACK, {"ll": PLACE, "phone": PHONE})
    )


def cases() -> Iterator[Case]:
    """All of this module."""
    yield from background()
    yield from often()
