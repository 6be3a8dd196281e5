"""The processes of the device, named as Android names them: by their first argument; zygote, which is a program of
ours here, by what it named itself."""

import sys
from pathlib import Path


def processes():
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda one: int(one.name)):
        try:
            status = dict(
                line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line
            )
            first = (folder / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        except OSError:
            continue
        name = status["Name"] if first in ("", sys.executable) else first.rsplit("/", 1)[-1]
        yield int(folder.name), int(status["Uid"].split()[0]), int(status["PPid"]), name, status["State"]
