"""mitmproxy's own flow files: mitmproxy reads them, and the addon records them as it records live traffic."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from monitor.errors import UserError
from monitor.exchange.conversion import Conversion
from monitor.observe.proxy import capture_py

WORDS = 400
"""Characters of mitmdump's own words that an error repeats."""


def replay(path: Path, recording: Path, app: str, into: Conversion) -> None:
    """Let `mitmdump` of this environment read a flow file into a recording: uploads keep the times that the file has.

    What could not be read goes into `into`, a gap for each flow. Raises UserError when that was all of them, or with
    mitmproxy's own words.
    """
    addons = capture_py().parent
    command = [str(Path(sys.executable).with_name("mitmdump")), "--no-server", "--quiet"]
    command += ["--scripts", str(addons / "uploads.py"), "--scripts", str(addons / "replay.py")]
    command += ["--set", f"recording={recording}", "--set", f"flows={path}"]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    words = done.stderr.decode("utf-8", "replace").strip()
    read, problem, ended = 0, "", False
    for line in done.stdout.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            words = f"{words} {line.decode('utf-8', 'replace')}".strip()
            continue
        if "problem" in said:
            problem = problem or said["problem"]
            into.missed(None, app, f"{path.name} flow {said['flow']}", said["problem"])
        else:
            read, ended = said["flows"], True
    if words and ended and not done.returncode:
        into.missed(None, app, path.name, f"mitmproxy said: {words}")
    if done.returncode or not ended or (problem and not read):
        raise UserError(
            f"{path} cannot be read as a mitmproxy flow file: {problem or words[-WORDS:] or done.returncode}.",
            "Save the flows again (mitmdump -w FILE), or say what it is: --format.",
        )
