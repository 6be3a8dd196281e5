"""mitmproxy's own flow files: mitmproxy reads them, and the addon records them as it records live traffic."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from monitor.errors import UserError
from monitor.observe.proxy import capture_py

WORDS = 400
"""Characters of mitmdump's own words that an error repeats."""


def replay(path: Path, recording: Path) -> None:
    """Let `mitmdump` of this environment read a flow file into a recording: uploads keep the times that the file has.

    Raises UserError with mitmproxy's own words when it cannot read the file.
    """
    command = [str(Path(sys.executable).with_name("mitmdump")), "--no-server", "--quiet", "--rfile", str(path)]
    command += ["--scripts", str(capture_py().with_name("uploads.py")), "--set", f"recording={recording}"]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    words = (done.stderr + done.stdout).decode("utf-8", "replace").strip()
    if done.returncode or words:
        raise UserError(
            f"{path} cannot be read as a mitmproxy flow file: {words[-WORDS:] or done.returncode}.",
            "Save the flows again (mitmdump -w FILE), or say what it is: --format.",
        )
