"""Judges complete recordings in long-lived processes, as starting a process costs more than judging most recordings."""

from __future__ import annotations

import json
import logging
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from appwitness.fleet.commits import differs
from appwitness.fleet.objects import objects
from appwitness.fleet.worker import Host, Stopped, progress
from appwitness.recording.archive import UnreadableNow
from appwitness.store.fleet_tables import CommittedRecording, LeasedRun
from appwitness.support import escape
from appwitness.support.errors import StoreError, UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:
    from appwitness.correlate.prior_knowledge import Knowledge
    from appwitness.store.index import Keep

log = logging.getLogger(__name__)

LOOK_S = 0.2
"""Seconds between checks for the end of the host while a recording is judged."""
AGAIN_S = 2.0
"""Seconds to wait after the store was unreachable."""
DISK_TRIES = 30
"""How often judging is retried on an unreadable disk before other recordings get their turn."""
SPAWN = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang


class JudgeOutcome(NamedTuple):
    """The outcome of judging a recording."""

    what: Literal["judged", "away", "disk", "error"]
    """away: the store or the index is unreachable; disk: the recording's disk, or the one for temporary files, is
    full or unavailable."""
    said: str
    """The recording's id in the index, or why it was not judged."""
    findings: int = 0


@dataclass(frozen=True)
class By:
    """How recordings are judged, and into which index."""

    db: str | Path
    choices: Mapping[str, Any] = field(default_factory=dict)
    """Options of `appwitness.correlate.prior_knowledge.knowledge`."""
    keep: Keep | None = None
    """What the index keeps of each recording."""
    key: bytes | None = None
    """Key for the digests of values, where only conclusions are kept."""


class FleetJudge:
    """Judges recordings in a separate process until the host ends."""

    def __init__(self, host: Host, by: By) -> None:
        self.run: LeasedRun | None = None
        """The recording being judged."""
        self._host = host
        self._by = by

    def work(self) -> None:
        """Judge recordings; when the process is killed, another takes over."""
        with suppress(Stopped):
            while not self._host.stop.is_set():
                with _started(self._by, self._host.objects.place) as pipe, suppress(EOFError, ConnectionError):
                    self._feed(pipe)

    def _feed(self, pipe: Connection) -> None:
        """Judge recordings until the host ends. Raises EOFError when the process is killed."""
        host = self._host
        while not host.stop.is_set():
            self.run = host.kept(partial(host.runs.to_judge, host.lease_s))
            if self.run is None:
                host.stop.wait(host.idle_s)
                continue
            try:
                self._judge(self.run, pipe)
            finally:
                self.run = None

    def _judge(self, run: LeasedRun, pipe: Connection) -> None:
        host = self._host
        try:
            tries = 0
            while (outcome := self._asked(run, pipe)).what == "away" or (outcome.what == "disk" and tries < DISK_TRIES):
                log.warning("%s", outcome.said)
                tries += 1
                if host.stop.wait(AGAIN_S):
                    raise Stopped
        except Stopped:
            host.kept(partial(host.runs.put_back, run.lease))
            raise
        except (EOFError, ConnectionError):
            host.kept(partial(host.runs.unjudged, run.lease, "The judge was killed."))
            raise
        if outcome.what == "judged":
            host.kept(partial(host.runs.judged, run.lease, outcome.findings, outcome.said))
            progress.info("%s is judged; findings: %d.", escape.terminal(run.id), outcome.findings)
        else:
            log.warning("%s: %s", run.recording, outcome.said)
            host.kept(partial(host.runs.unjudged, run.lease, outcome.said))

    def _asked(self, run: LeasedRun, pipe: Connection) -> JudgeOutcome:
        host = self._host
        pipe.send((run, host.kept(partial(host.runs.committed, run.recording or ""))))
        while not pipe.poll(LOOK_S):
            if host.stop.is_set():
                raise Stopped
        outcome: JudgeOutcome = pipe.recv()
        return outcome


@contextmanager
def _started(by: By, place: str) -> Iterator[Connection]:
    """Start a process that judges the recordings sent to it."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_work, args=(theirs, by, place), daemon=True)
    process.start()
    theirs.close()  # so that the end of the process is noticed here
    try:
        yield ours
    finally:
        process.terminate()  # safe at any time: it saves in one transaction
        process.join()
        ours.close()


def _work(pipe: Connection, by: By, place: str) -> None:
    """Judge the requested recordings until the host ends or is killed, either of which closes the pipe."""
    from appwitness.correlate.prior_knowledge import knowledge

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the host, which ends this process

    @lru_cache(maxsize=64)
    def known(options: str) -> Knowledge:
        first_party = json.loads(options).get("first_party")
        added = (*by.choices.get("first_party", ()), *([first_party] if first_party else ()))
        return knowledge(**{**by.choices, "first_party": added})

    judge = _judging(by, place, known)
    with suppress(EOFError, ConnectionError):
        while True:
            run, committed = pipe.recv()
            recording = run.recording
            try:
                outcome = judge(run, committed)
            except StoreError as error:
                outcome = JudgeOutcome("away", str(error))
            except (UnreadableNow, OSError) as error:
                outcome = JudgeOutcome("disk", str(error))
            except UserError as error:
                outcome = JudgeOutcome("error", str(error))
            except Exception as error:
                log.exception("%s", recording)
                outcome = JudgeOutcome("error", f"An internal error: {type(error).__name__}.")
            pipe.send(outcome)


def _judging(
    by: By, place: str, known: Callable[[str], Knowledge]
) -> Callable[[LeasedRun, CommittedRecording | None], JudgeOutcome]:
    """A function that judges the recording of a run, after checking it against its host's commit record."""
    from appwitness.correlate import correlate
    from appwitness.recording import Recording
    from appwitness.store import Store

    store = lru_cache(maxsize=1)(partial(Store, by.db, by.keep, by.key))
    kept = objects(place)

    def judge(run: LeasedRun, committed: CommittedRecording | None) -> JudgeOutcome:
        with kept.fetched(run.recording or "") as packed:
            if wrong := differs(packed, run, committed):
                raise UserError(
                    Spoken(
                        "The recording {recording} in {place} does not belong to its run: {wrong}.",
                        recording=run.recording,
                        place=kept.place,
                        wrong=wrong,
                    ),
                    "Check who can write there. Put back the archive that its host made, then run: appwitness fleet "
                    "retry.",
                )
            with Recording.open(packed) as opened:
                made = correlate(opened, store(), known(run.options))
            return JudgeOutcome("judged", made.recording, len(made.findings))

    return judge
