"""Verifies recordings in the background for the pages that show them, so that no page waits."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TakesLonger
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from appwitness.recording import verify
from appwitness.support.errors import UserError

BadgeState = Literal["intact", "intact_up_to", "altered", "never_stamped", "missing", "checking"]
KEPT = 2000
"""Maximum number of recordings whose results are kept."""
AGAIN_S = 60.0
"""Seconds after which a recording is checked again when looked at, even if its files seem unchanged."""


@dataclass(frozen=True)
class Badge:
    """The result of checking a recording."""

    state: BadgeState
    signed: bool = False
    """Whether stamps have valid signatures, whoever made them."""
    at: datetime | None = None
    """When it was checked."""
    difference: str = ""
    """The first difference from the stamps."""


CHECKING = Badge("checking")
_Signature = tuple[tuple[str, int, int, int], ...]


@dataclass
class _Checked:
    signature: _Signature | None
    begun: float
    result: Future[Badge]
    last: Badge


class IntegrityBadges:
    """Checks recordings one after another in its own thread. All methods may be called from any thread."""

    def __init__(self) -> None:
        self.changes = 0
        """A counter that grows whenever a result differs from the previous one."""
        self._known: OrderedDict[str, _Checked] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, "integrity")

    def of(self, name: str, place: Path, is_it: Callable[[], bool], wait_s: float = 0.0) -> Badge:
        """The badge of the recording `name` from its last check; `checking` until its present files have been checked.

        `is_it`: whether the recording at `place` is this one. Changed files start a new check, as does `wait_s` > 0
        when the last check began more than AGAIN_S ago. Waits up to `wait_s` seconds for the result.
        """
        now = _signature(place)
        with self._lock:
            known = self._known.get(name)
            stale = known is None or known.signature != now
            old = known is not None and wait_s > 0 and time.monotonic() - known.begun > AGAIN_S
            if known is None or ((stale or old) and known.result.done()):
                last = CHECKING if known is None or stale else known.last
                result = self._pool.submit(self._check, name, place, now, is_it)
                known = self._known[name] = _Checked(now, time.monotonic(), result, last)
            elif stale:
                return CHECKING  # the check in progress began before the files changed
            self._known.move_to_end(name)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        with suppress(TakesLonger):
            return known.result.result(wait_s)
        return known.last

    def close(self) -> None:
        """Stop checking; a check that has begun is finished."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _check(self, name: str, place: Path, now: _Signature | None, is_it: Callable[[], bool]) -> Badge:
        found = _checked(place, is_it) if now is not None else Badge("missing", at=datetime.now(UTC))
        with self._lock:
            known = self._known.get(name)
            if known is None or (known.last.state, known.last.signed) != (found.state, found.signed):
                self.changes += 1
            if known is not None:
                known.last = found
        return found


def _checked(place: Path, is_it: Callable[[], bool]) -> Badge:
    at = datetime.now(UTC)
    try:
        if not is_it():
            return Badge("missing", at=at)
        result = verify(place)
    except (UserError, OSError):
        return Badge("missing", at=at)
    first = result.problems[0] if result.problems else None
    difference = f"{first.file}{f':{first.line}' if first.line else ''}: {first.what}" if first else ""
    return Badge(result.outcome, result.signed > 0, at, difference)


def _signature(place: Path) -> _Signature | None:
    """A fingerprint of a recording's files, to notice changes; None: nothing is there."""
    try:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        return (
            tuple(
                (file.name, state.st_size, state.st_mtime_ns, state.st_ino)
                for file in files
                for state in [file.lstat()]
            )
            or None
        )
    except OSError:
        return None
