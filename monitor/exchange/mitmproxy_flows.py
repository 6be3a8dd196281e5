"""mitmproxy's own flow files: mitmproxy reads them, and the addon records them as it records live traffic."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor.errors import UserError
from monitor.exchange.conversion import Conversion
from monitor.observe.proxy import capture_py

WORDS = 400
"""Characters of mitmdump's own words that an error repeats."""


def replay(path: Path, recording: Path, app: str) -> Conversion:
    """Let `mitmdump` of this environment read a flow file into a recording: uploads keep the times that the file has.

    Returns the gaps: one for each flow that could not be read. Raises UserError when that was all of them, or with
    mitmproxy's own words.
    """
    addons = capture_py().parent
    command = [str(Path(sys.executable).with_name("mitmdump")), "--no-server", "--quiet"]
    command += ["--scripts", str(addons / "uploads.py"), "--scripts", str(addons / "replay.py")]
    command += ["--set", f"recording={recording}", "--set", f"flows={path}"]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    words = done.stderr.decode("utf-8", "replace").strip()
    conversion, read, problem = Conversion(), 0, ""
    for line in done.stdout.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            words = f"{words} {line.decode('utf-8', 'replace')}".strip()
            continue
        if "problem" in said:
            problem = problem or said["problem"]
            conversion.missed(datetime.now(UTC), app, f"{path.name} flow {said['flow']}", said["problem"])
        else:
            read = said["flows"]
    if done.returncode or words or (problem and not read):
        raise UserError(
            f"{path} cannot be read as a mitmproxy flow file: {words[-WORDS:] or problem or done.returncode}.",
            "Save the flows again (mitmdump -w FILE), or say what it is: --format.",
        )
    return conversion
