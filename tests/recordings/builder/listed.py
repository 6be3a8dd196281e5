"""Runs that fill a checklist: whole ones of each plan in which nothing is wrong, and variants for single items."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.recordings.builder.case import Case
from tests.recordings.builder.kinds import POLICY
from tests.recordings.builder.permissions import CALENDAR, CONTACTS, LOCATION, MICROPHONE, STATE
from tests.recordings.builder.reads import NUMBER, PHONE, POSITION

SHOP = "com.example.shop"
LONG = 400.0
"""Seconds: longer than any item asks for."""
PERMISSIONS = (LOCATION, CONTACTS, STATE, MICROPHONE, CALENDAR)
OWN = "com.example.shop.Login.prefill(Login.java:31)"
SDK = "com.adnet.sdk.Identity.collect(Identity.java:40)"
MAKER, NETWORK = "https://api.shop.test/v1/login", "https://log.adnet.test/v1/id"


def whole(plan: str, app: str = SHOP, ends: float = LONG, name: str | None = None) -> Case:
    """A run with a question, the plan's answer, a refused permission and some time in the background."""
    case = Case(name or f"whole-{plan}", "Nothing is wrong.", plan=plan, app=app, ends=ends)
    return within(case.launched().asked(0.8), plan, ends)


def within(case: Case, plan: str, ends: float) -> Case:
    """The rest of a whole run, once the question is there."""
    if plan == "refuse":
        case.tapped(3, "refused", "Disagree")
    elif plan != "silent":
        case.tapped(3, "given", "Agree")
    if plan == "withdraw":
        case.tapped(ends * 0.5, "withdrawn", "撤回同意")
    case.prompted(ends * 0.1, *MICROPHONE).answered(ends * 0.1 + 2, *MICROPHONE, granted=False)
    return case.phase(ends * 0.6, "background").phase(ends * 0.9, "foreground")


def whole_runs(app: str = SHOP, ends: float = LONG) -> Iterator[Case]:
    """One of each plan."""
    return (whole(plan, app, ends) for plan in ("silent", "refuse", "accept", "withdraw"))


def _early(by: str, *, asked: bool) -> Case:
    """A read before anybody agreed."""
    case = Case("early", "Read too early.", plan="silent", ends=LONG).launched().read(0.6, NUMBER, by)
    return case.asked(0.8) if asked else case


def _late(by: str, *, times: int = 1, at: float = 300) -> Case:
    """Reads in the background, after a yes."""
    case = whole("accept", name="late")
    for number in range(times):
        case.read(at + 5 * number, POSITION, by)
    return case


def _sent(by: str, url: str, plan: str = "accept", at: float = 8) -> Case:
    """The number goes somewhere; the policy names the position alone."""
    case = whole(plan, name="sent")
    return case.read(at, NUMBER, by).sent(at + 1, url, {"tel": PHONE}, by=by)


def _self_start() -> Case:
    """Started by a broadcast while the question was open, the app reads the number."""
    case = Case("self-start", "Started by itself.", plan="silent", ends=3600).launched().asked(0.8)
    case.phase(40, "background").phase(60, "exited").phase(1800, "started")
    case.phase(1800.1, "mark", "started by a broadcast: android.net.conn.CONNECTIVITY_CHANGE")
    return case.read(1801, NUMBER, "com.example.shop.Push.onReceive(Push.java:14)")


def _bundled() -> Case:
    """Five permissions at once; the app ends once one of them is refused."""
    case = Case("bundled", "All or nothing.", ends=60).launched().agreed()
    for permission in PERMISSIONS:
        case.prompted(2.4, *permission)
    case.answered(4, *PERMISSIONS[0], granted=False)
    return case.phase(4.7, "background").phase(4.8, "exited")


VARIANTS: dict[str, Callable[[], Case]] = {
    "self-start-unanswered": _self_start,
    "bundled-and-forced": _bundled,
    "own-early-unasked": lambda: _early(OWN, asked=False),
    "own-early-asked": lambda: _early(OWN, asked=True),
    "sdk-early-unasked": lambda: _early(SDK, asked=False),
    "sdk-early-asked": lambda: _early(SDK, asked=True),
    "own-late": lambda: _late(OWN),
    "own-late-often": lambda: _late(OWN, times=3),
    "sdk-late": lambda: _late(SDK),
    "sdk-late-often": lambda: _late(SDK, times=3),
    "own-in-front": lambda: _late(OWN, at=20),
    "sdk-in-front": lambda: _late(SDK, at=20),
    "own-sent-to-maker": lambda: _sent(OWN, MAKER),
    "sdk-sent-to-network": lambda: _sent(SDK, NETWORK),
    "sdk-sent-to-network-early": lambda: _sent(SDK, NETWORK, "silent"),
    "own-sent-to-maker-early": lambda: _sent(OWN, MAKER, "silent"),
}
"""Name -> a run of an app that does one thing."""
NUMBER_UNDECLARED = POLICY.replace("phone_number", "location")
