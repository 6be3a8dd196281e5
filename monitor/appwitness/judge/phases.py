"""Whether the app was in the foreground and the screen on at a moment, computed from phase lines.

What no line says stays unknown: before the first line about the foreground or the screen, both are unknown.

A life of the app begins with the `started` line of a process while none of the app's processes is alive. Most lives
begin because the user, or the observer, opened the app; it then comes to the foreground within seconds. The app itself
began a life, as far as lines can show that,
- if the agent saw a broadcast start it (a mark, `started by a broadcast: ...`);
- if the agent saw a service start it, and the app did not come to the foreground for `LAUNCH`;
- if another life preceded it, and the app did not come to the foreground for `SELF_START`.
The first life of a recording never counts without such a mark: the observer began it, or attached while it ran. Nor
does a life that the observer claims to have begun (a mark without a process, `started by the observer: ...`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from appwitness.events import Phase, Ref
from appwitness.events.seen import Seen
from appwitness.judge.consent.machine import of_app

SELF_START = timedelta(seconds=30)
"""An app that somebody opens comes to the foreground sooner than this, even on slow devices."""
LAUNCH = timedelta(seconds=10)
"""The same limit if a service was seen first: an app that is opened may start one before its first screen is up."""
BROADCAST = "started by a broadcast"
SERVICE = "started by a service"
OBSERVER = "started by the observer"
"""First words of the marks that say what started a process."""
LEFT = timedelta(seconds=2)
"""When a process ends by itself, its screen goes away with it; if the screen went away this long before, somebody
left the app."""
FOREVER = datetime.max.replace(tzinfo=UTC)
OUR_END = ("killed", "unseen", "observation ended")
"""Texts of ends that the observer caused, or whose cause is unknown; in an operator's note they mean nothing."""


class PhaseStatus(NamedTuple):
    """What was known about the app and the screen at one moment."""

    foreground: bool | None = None
    screen_on: bool | None = None
    ever_foreground: bool = True
    """False: the app began this life by itself and has not come to the foreground yet."""
    ref: Ref | None = None
    """The line that says that the app is not in the foreground or the screen is off, or that began this life."""


UNKNOWN = PhaseStatus()


@dataclass
class _Life:
    began: datetime
    why: Ref
    """The line that shows it: its start, or the mark of what started it."""
    patience: timedelta | None = None
    """Set if a mark says what started it: if the app comes to the foreground within this time, the user may have opened
    it."""
    ours: bool = False
    """Whether the observer began it."""
    shown: datetime | None = None
    alive: set[int | None] = field(default_factory=set)


class Phases:
    """Phases over a run. Pure: the same lines in any order give the same answers."""

    def __init__(self, phases: Iterable[Seen[Phase]] = (), last: datetime | None = None) -> None:
        """`last`: the end of observation, on the host's clock, if later than the last phase."""
        seen = (each for each in phases if each.event.by is None)  # a person's note may be about any time
        lines = sorted(seen, key=lambda each: (each.at, each.number))
        self._told = (lines, last)
        self._times: list[datetime] = []
        self._states: list[PhaseStatus] = [UNKNOWN]
        self.shown = any(each.event.state in ("foreground", "background") for each in lines)
        """Whether the app was ever seen to come to the foreground or leave it."""
        self._exits: list[tuple[datetime, Ref]] = []
        self._ends = [(at, ref, phase.pid) for ref, _, at, phase in lines if phase.state == "exited"]
        self._away: list[tuple[datetime, tuple[datetime, Ref] | None]] = []
        """When the app left or came back, each with the time and line since which it is away; None: it is back."""
        lives = _lives(lines, last)
        self.settled = lives == _lives(lines, FOREVER)
        """Whether these lines give the same lives however much longer the run goes on."""
        app: tuple[bool | None, Ref | None] = (None, None)
        screen: tuple[bool | None, Ref | None] = (None, None)
        unseen: Ref | None = None
        alive: set[int | None] = set()
        ended = False
        for ref, _, at, phase in lines:
            match phase.state:
                case "foreground" | "background":
                    if app[0] is not (phase.state == "foreground"):
                        self._away.append((at, None if phase.state == "foreground" else (at, ref)))
                    app = (phase.state == "foreground", ref)
                    unseen = None
                case "screen_on" | "screen_off":
                    screen = (phase.state == "screen_on", ref)
                case "started":
                    alive.add(phase.pid)
                    if ref in lives:
                        app = (None, None)
                        unseen = lives[ref]
                case "exited":
                    alive.discard(phase.pid)
                    if not alive and not ended and phase.text not in OUR_END:
                        self._exits.append((at, ref))
                case "mark":
                    ended = ended or (phase.by is None and phase.text in OUR_END)
            why = unseen or (app[1] if app[0] is False else screen[1] if screen[0] is False else None)
            self._times.append(at)
            self._states.append(PhaseStatus(app[0], screen[0], unseen is None, why))

    def of_app(self, package: str | None) -> Phases:
        """The phases without those of other apps; None: unchanged."""
        lines, last = self._told
        own = [each for each in lines if package is None or of_app(each.event, package)]
        return self if len(own) == len(lines) else Phases(own, last)

    def at(self, time: datetime) -> PhaseStatus:
        """What was known at `time` (host's clock, inclusive)."""
        return self._states[bisect_right(self._times, time)]

    def exit_after(self, time: datetime, within: timedelta) -> tuple[datetime, Ref] | None:
        """The first end of the app's last process after `time`, no later than `within`, if it was the app's own
        doing: nobody had left the app in between."""
        start = bisect_right(self._exits, time, key=lambda each: each[0])
        found = self._exits[start] if start < len(self._exits) else None
        if found is None or found[0] - time > within:
            return None
        last = bisect_right(self._away, found[0] - LEFT, key=_time)
        gone = self._away[last - 1][1] if last else None
        left = gone is not None and gone[0] > time
        return None if left else found

    def left(self, since: datetime, time: datetime, pid: int | None) -> tuple[datetime, Ref] | None:
        """When, and by which line, the screen that the process `pid` showed at `since` was left, if it is still gone at
        `time` (inclusive): the app went to the background, or the process ended. None if it is there, or back."""
        ends = self._ends
        for number in range(bisect_right(ends, since, key=_time), bisect_right(ends, time, key=_time)):
            at, ref, ended = ends[number]
            if ended == pid or None in (ended, pid):
                return at, ref
        last = bisect_right(self._away, time, key=_time)
        gone = self._away[last - 1][1] if last else None
        return gone if gone is not None and gone[0] > since else None


def _lives(lines: list[Seen[Phase]], last: datetime | None) -> dict[Ref, Ref | None]:
    """The `started` line of each life of the app -> the line that shows that the app began it by itself, or None."""
    lives: dict[Ref, _Life] = {}
    life: _Life | None = None
    shows = ours = False
    for ref, _, at, phase in lines:
        match phase.state:
            case "started":
                if life is None or not life.alive:
                    life, ours = _Life(began=at, why=ref, ours=ours), False
                    lives[ref] = life
                life.alive.add(phase.pid)
            case "exited" if life is not None:
                life.alive.discard(phase.pid)
            case "mark" if phase.by is None and phase.pid is None and (phase.text or "").startswith(OBSERVER):
                ours = True
            case "mark" if (
                life is not None and phase.by is None and (phase.text or "").startswith((BROADCAST, SERVICE))
            ):
                if life.patience is None and life.shown is None and at - life.began <= LAUNCH:
                    life.why = ref
                    life.patience = timedelta() if (phase.text or "").startswith(BROADCAST) else LAUNCH
            case "foreground" | "background":
                shows = True
                if life is not None and life.shown is None:
                    life.shown = at
            case _:
                pass
    end = max((time for time in (last, lines[-1].at if lines else None) if time is not None), default=None)
    return {ref: _why(life, end, later=number > 0 and shows) for number, (ref, life) in enumerate(lives.items())}


def _why(life: _Life, end: datetime | None, *, later: bool) -> Ref | None:
    """The line that shows that the app began a life by itself; `later`: another life preceded it, and the app has
    come to the foreground in some life."""
    waited = (life.shown or end or life.began) - life.began
    if life.patience is None:
        return life.why if later and not life.ours and waited > SELF_START else None
    return life.why if waited > life.patience else None


def _time(line: tuple[datetime, *tuple[Any, ...]]) -> datetime:
    return line[0]
