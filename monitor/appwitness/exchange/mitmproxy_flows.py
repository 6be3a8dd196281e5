"""Imports mitmproxy's flow files: mitmproxy reads them, and the addon records them as it records live traffic."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from appwitness.exchange.conversion import Conversion, ReadingProgram
from appwitness.proxy import capture_py
from appwitness.support.errors import UserError, not_installed
from appwitness.support.spoken import Spoken

WORDS = 400
"""Maximum number of characters of mitmdump's output in an error."""
SAID = 64 << 10
"""Maximum number of characters of it that are kept."""
NAMED = 10_000
"""Maximum number of unreadable flows that have a gap each."""
MEMORY = 1 << 30
"""Maximum number of bytes of memory for mitmdump (Linux): a flow that needs more counts as unreadable."""


def replay(path: Path, recording: Path, app: str, into: Conversion) -> None:
    """Read a flow file into a recording with this environment's `mitmdump`: uploads keep the file's times.
    Unreadable flows go into `into`, a gap for each. Raises UserError if no flow could be read, or with mitmproxy's
    own message; SetupError if mitmproxy is not installed."""
    addons = capture_py().parent
    program = Path(sys.executable).with_name("mitmdump")
    if not program.exists():
        raise not_installed("mitmproxy", "observe")
    command = [str(program), "--no-server", "--quiet"]
    command += ["--scripts", str(addons / "uploads.py"), "--scripts", str(addons / "replay.py")]
    command += ["--set", f"recording={recording}", "--set", f"flows={path}"]
    words = ""
    read, problems, problem, ended = 0, 0, "", False
    mitmdump = ReadingProgram(command, MEMORY)
    for line in mitmdump.lines():
        try:
            said = json.loads(line)
        except ValueError:
            words = f"{words} {line.decode('utf-8', 'replace')}".strip()[:SAID]
            continue
        if "problem" in said:
            problem = problem or said["problem"]
            problems += 1
            if problems <= NAMED:
                into.missed(None, app, f"{path.name} flow {said['flow']}", said["problem"])
        else:
            read, ended = said["flows"], True
            into.notes += _notes(path.name, said["edited"], said["pushed"])
    words, returncode = f"{mitmdump.words} {words}".strip(), mitmdump.returncode
    if problems > NAMED:
        into.missed(None, app, path.name, f"{problems - NAMED} more flows that cannot be read")
    if words and ended and not returncode:
        into.missed(None, app, path.name, f"mitmproxy said: {words}")
    if returncode or not ended or (problem and not read):
        raise UserError(
            Spoken(
                "{path} cannot be read as a mitmproxy flow file: {problem}.",
                path=path,
                problem=problem or words[-WORDS:] or returncode,
            ),
            "Save the flows again (mitmdump -w FILE), or say what it is: --format.",
        )


def _notes(name: str, edited: int, pushed: int) -> Iterator[str]:
    if edited:
        yield Spoken(
            "{name}: {count} flows had been edited in mitmproxy; what is recorded of them is what the client had sent",
            name=name,
            count=edited,
        )
    if pushed:
        yield Spoken("{name}: {count} requests that the server pushed are not uploads", name=name, count=pushed)
