"""A long run with everything killed at random: what the clients saw answered is in the recording, or a gap says so.

    python -m tests.bench.soak [--requests 200000] [--kills 100] [--minutes 600] [--dir /tmp] [--seed 1]

Clients send HTTP and HTTPS (keep-alive, short, long and chunked), HTTP/2, HTTP/3, gRPC, WebSocket, MQTT, raw TCP and
UDP and DNS (soak_clients.py), each request with a number of its own, while the proxy, its writer, the recorder (who
stamps) or the correlator is killed (kill -9) and started again.
Then each number that was answered is looked up in the recording, the recording is verified, and no body may be without
a line that names it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import random
import re
import signal
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from appwitness.events import AppIdentity, DeviceIdentity, Gap, Run, Upload
from appwitness.proxy import Proxy
from appwitness.recording import Recording, verify
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, talk
from tests.bench.soak_clients import KINDS, WORKERS, Traffic, worker
from tests.lab import upstream as servers
from tests.lab.proxy.clients import free_ports
from tests.lab.proxy.observed import wait_for
from tests.lab.proxy.writers import pid_of

NUMBER = re.compile(rb"soak-(\d+)\.")
CONTEXT = multiprocessing.get_context("spawn")


class Outcome(NamedTuple):
    """What was not as it must be: for each, one sentence or more; and how fast it went."""

    died: list[str]
    """Processes that ended without being killed."""
    missing: list[int]
    """Requests that were answered and are not in the recording."""
    twice: list[int]
    """Requests that are in it more than once."""
    unnamed: list[str]
    """Bodies that no line names."""
    problems: list[str]
    """What the verification of the recording finds."""
    torn: int
    """Lines that are none; a kill may leave one."""
    words: list[str]
    """More about those that are missing."""
    requests_per_s: float = 0.0

    def wrong(self) -> list[str]:
        """Each in a sentence."""
        told = [f"the {name} ended by itself" for name in self.died]
        if self.missing:
            told.append(f"{len(self.missing)} answered requests are not in the recording: {self.missing[:5]} ...")
            told += self.words
        if self.twice:
            told.append(f"{len(self.twice)} requests are in the recording more than once: {self.twice[:5]} ...")
        if self.unnamed:
            told.append(f"{len(self.unnamed)} bodies are named by no line: {self.unnamed[:2]} ...")
        if self.problems:
            told.append(f"verify: {self.problems[:3]}")
        return told


class Mixed(Proxy):
    """A proxy that listens in further modes as well, each on a port of its own."""

    def __init__(self, modes: Sequence[str], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.modes = modes

    def start(self) -> None:
        self._settings = [one for one in self._settings if not one.startswith("mode=")]
        self._settings += [f"mode={one}" for one in ("regular", *self.modes)]
        super().start()


def record(path: Path) -> None:
    """The recorder: stamps until it is killed or told to end, or the soak is gone."""
    parent, ended = os.getppid(), list[int]()
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    with Recording.open(path).sealing(every_s=1):
        while not ended and os.getppid() == parent:
            time.sleep(0.1)


def follow(path: Path, db: Path) -> None:
    """The correlator: follows the recording until it is killed or told to end, or the soak is gone."""
    from appwitness.correlate import follow as correlate
    from appwitness.correlate import knowledge
    from appwitness.store import Store

    parent, ended = os.getppid(), list[int]()
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    correlate(Recording.open(path), Store(db), knowledge(), lambda: bool(ended) or os.getppid() != parent)


class Helpers:
    """The processes beside the proxy."""

    def __init__(self, path: Path, with_correlator: bool) -> None:
        self.tasks = {"recorder": (record, (path,))}
        if with_correlator:
            self.tasks["correlator"] = (follow, (path, path.with_suffix(".sqlite")))  # type: ignore[assignment]
        self.running = {name: self._start(name) for name in self.tasks}
        self.died: list[str] = []
        """Those that ended without being killed."""

    def _start(self, name: str) -> multiprocessing.process.BaseProcess:
        target, arguments = self.tasks[name]
        process = CONTEXT.Process(target=target, args=arguments, daemon=True)
        process.start()
        return process

    def kill(self, name: str) -> None:
        self._look(name)
        self.running[name].kill()
        self.running[name].join()
        self.running[name] = self._start(name)

    def _look(self, name: str) -> None:
        if not self.running[name].is_alive():
            self.died.append(name)

    def stop(self, seconds: float) -> None:
        for name in ("correlator", "recorder"):
            if name in self.running:
                self._look(name)
                self.running[name].terminate()
                self.running[name].join(seconds)
                self.running[name].kill()


def kill_writer(proxy: Proxy) -> None:
    pid = wait_for(lambda: pid_of(proxy))
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: pid_of(proxy) not in (None, pid), 60)


async def killing(run: Traffic, helpers: Helpers, kills: int) -> list[tuple[str, float]]:
    """Kill one of them at each of so many random moments; which, and when.

    A proxy is not killed while it has no writer: what waited for one in its memory would be gone with it.
    """
    killed: list[tuple[str, float]] = []
    moments = sorted(run.dice.uniform(0.02, 0.98) for _ in range(kills))
    names = ["proxy", "proxy", "writer", "writer", *helpers.running]
    for moment in moments:
        while run.progress() < moment:
            await asyncio.sleep(0.01)
        name = run.dice.choice(names)
        killed.append((name, time.monotonic()))
        if name == "proxy":
            assert run.proxy.pid
            os.kill(run.proxy.pid, signal.SIGKILL)
            await asyncio.to_thread(run.proxy.restart)
        elif name == "writer":
            await asyncio.to_thread(kill_writer, run.proxy)
        else:
            await asyncio.to_thread(helpers.kill, name)
    return killed


def writers(path: Path) -> list[int]:
    """The processes that write into a recording, whoever started them."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            said = command.read_bytes().split(b"\0")
            if os.fsencode(path) in said and any(word.endswith(b"writer.py") for word in said):
                found.append(int(command.parent.name))
    return found


def soak(
    room: Path, requests: int, kills: int, seed: int, *, minutes: float = 600, with_correlator: bool = True
) -> Outcome:
    """Run it in a new folder."""
    path = room / "recording"
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # each kill breaks connections of its server
    begun = time.monotonic()
    recording = Recording.create(
        path,
        Run(
            id="soak",
            app=AppIdentity(package="com.example.soak"),
            device=DeviceIdentity(serial="lab", kind="lab"),
            started=datetime.now(UTC),
        ),
    )
    with servers.running(room) as upstream:
        listening = {name: kind.mode for name, kind in KINDS.items() if kind.mode}
        ports = dict(zip(listening, free_ports(len(listening)), strict=True))
        modes = [f"{mode}@{ports[name]}" for name, mode in listening.items()]
        proxy = Mixed(modes, path, confdir=room / "ca", hosts=upstream.hosts, upstream_ca=upstream.ca)
        proxy.start()
        helpers = Helpers(path, with_correlator)
        tls = ssl.create_default_context(cafile=proxy.ca_pem)
        run = Traffic(proxy, ports, tls, random.Random(seed), requests, minutes * 60)

        async def all_of_it() -> list[tuple[str, float]]:
            killer = asyncio.create_task(killing(run, helpers, kills))
            await asyncio.gather(*(worker(run) for _ in range(WORKERS)))
            return await killer

        try:
            killed = asyncio.run(all_of_it())
            took = time.monotonic() - begun
        finally:
            proxy.stop()
            # The writer of a proxy that was killed goes on until all is written.
            wait_for(lambda: not writers(path), 60)
            helpers.stop(60)
    recording.update_run(ended=datetime.now(UTC))
    recording.stamp(final=True)
    talk(f"{run.sent} requests sent, {len(run.answered)} answered: {dict(run.kinds)}")
    talk(f"{run.broken.total()} connections broke: {dict(run.broken.most_common(12))}")
    talk(f"killed: {dict(Counter(name for name, _ in killed))}; {took:.0f} s, {run.sent / took:.0f} requests/s")
    return check(recording, run, killed)._replace(died=helpers.died, requests_per_s=run.sent / took)


def check(recording: Recording, run: Traffic, killed: list[tuple[str, float]]) -> Outcome:
    """What is missing or wrong in the recording."""
    found: Counter[int] = Counter()
    words = []
    named = set()
    for upload in recording.events(Upload):
        text = (upload.url or "").encode()
        if upload.body:
            named.add(upload.body)
            with recording.body_path(upload.body).open("rb") as file:
                begin = file.read(64)
            if not NUMBER.search(text):
                text = begin
        number = NUMBER.search(text)
        if number:
            found[int(number[1])] += 1
    gaps = list(recording.events(Gap))
    named |= {str(gap.body) for gap in gaps}
    missing = sorted(run.answered - found.keys())
    for lost in missing[:5]:
        kind, at = run.answered[lost]
        near = [f"{name} killed {when - at:+.2f} s" for name, when in killed if abs(when - at) < 5]
        words.append(f"  {lost}: {kind}, answered; {', '.join(near) or 'nothing killed'} from then")
    twice = [number for number, count in found.items() if count > 1]
    here = {entry.name for entry in os.scandir(recording.path / "bodies")}
    checked = verify(recording.path)
    torn = sum(read.event is None for kind in ("upload", "gap") for read in recording.read(kind))
    reasons = Counter(gap.why for gap in gaps)
    talk(f"{sum(found.values())} uploads found, {len(named)} bodies, {torn} torn lines")
    talk(f"gaps: {json.dumps(reasons)}")
    talk(f"verify: {'ok' if checked.ok else 'NOT ok'}, {checked.stamps} stamps, remarks: {len(checked.remarks)}")
    problems = [str(problem) for problem in checked.problems]
    return Outcome([], missing, twice, sorted(here - named), problems, torn, words)


def measure(arguments: Sequence[str] = ()) -> Iterator[Given]:
    """Run it, and count what is wrong; the arguments are those of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--minutes", type=float, default=600, help="stop sending after so long")
    parser.add_argument("--dir", default=tempfile.gettempdir())
    parser.add_argument("--no-correlator", action="store_true", help="only the proxy and the recorder")
    options = parser.parse_args(arguments)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # each kill breaks connections of its clients
    talk(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(dir=options.dir) as room:
        outcome = soak(
            Path(room),
            options.requests,
            options.kills,
            options.seed,
            minutes=options.minutes,
            with_correlator=not options.no_correlator,
        )
    for what in outcome.wrong():
        talk(f"WRONG: {what}")
    yield Figure("answered requests lost", len(outcome.missing))
    yield Figure("requests recorded twice", len(outcome.twice))
    yield Figure("bodies that no line names", len(outcome.unnamed))
    yield Figure("problems that verify finds", len(outcome.problems))
    yield Figure("processes that ended by themselves", len(outcome.died))


if __name__ == "__main__":
    sys.exit(alone("soak", measure(sys.argv[1:])))
