"""Records terminals for the site: real runs of `appwitness demo` and `appwitness report`, as asciicasts.

`python -m docs.site.terminal` writes demo.cast and report.cast (asciicast v2) into .setup/casts, from where the site
takes them; it needs what `make demo` needs. They are not committed: a live view is drawn several times a second.
"""

from __future__ import annotations

import codecs
import json
import os
import pty
import re
import sys
import tempfile
import time
from pathlib import Path

CASTS = Path(__file__).parents[2] / ".setup/casts"
PROGRAM = Path(sys.executable).with_name("appwitness")
COLUMNS, ROWS = 100, 32
KEY_S, PAUSE_S = 0.06, 1.5
"""Between two keys; the longest wait that is shown."""
COMMANDS = {"demo": "appwitness demo --app circle", "report": "appwitness report"}
"""In this order: the second shows what the first recorded."""
_PARTS = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")

Cast = list[tuple[float, str]]


def answer(command: str, folder: Path) -> Cast:
    """What the command writes to a terminal, with the seconds since its start."""
    folder.mkdir(exist_ok=True)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        size = {"COLUMNS": str(COLUMNS), "LINES": str(ROWS), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        kept = {name: text for name, text in os.environ.items() if name not in ("NO_COLOR", "CI", "LC_ALL", "LANGUAGE")}
        home = {"APPWITNESS_HOME": str(folder / "home")}
        os.execve(PROGRAM, command.split(), kept | size | home)  # noqa: S606 no shell is wanted
    began, found = time.monotonic(), []
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while True:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:  # how a terminal ends on Linux
            data = b""
        if not data:
            break
        text = decoder.decode(data).replace(str(PROGRAM), "appwitness")
        found.append((time.monotonic() - began, text))
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in (0, 1):
        sys.exit(f"{command} ended with {status}:\n{''.join(text for _, text in found)}")
    return found


def cast(command: str, answered: Cast) -> str:
    """An asciicast of a command typed at a prompt, and of its answer."""
    at, rows = 0.5, [(0.0, "$ ")]
    for letter in command:
        rows.append((at, letter))
        at += KEY_S
    rows.append((at + 0.4, "\r\n"))
    at, before = at + 0.4, 0.0
    for since, text in answered:
        at += min(since - before, PAUSE_S)
        before = since
        rows.append((at, text))
    rows.append((at + 0.5, "$ "))
    head = {"version": 2, "width": COLUMNS, "height": ROWS, "title": command}
    return "".join(f"{json.dumps(each)}\n" for each in [head, *([round(when, 3), "o", text] for when, text in rows)])


def plain(path: Path) -> str:
    """What stands on the terminal at the end, as text; what was drawn over is gone."""
    events = [json.loads(row) for row in path.read_text("utf-8").splitlines()[1:]]
    lines, at, column = [""], 0, 0
    for number, letter, end, text in _PARTS.findall("".join(event[2] for event in events)):
        if end == "\n":
            at += 1
            lines += [""] * (at == len(lines))
        elif end == "\r":
            column = 0
        elif letter == "A":
            at = max(0, at - int(number or 1))
        elif letter == "K":
            lines[at] = "" if number == "2" else lines[at][:column]
        elif text:
            lines[at] = lines[at][:column].ljust(column) + text + lines[at][column + len(text) :]
            column += len(text)
    return "\n".join(line.rstrip() for line in lines).strip().removesuffix("$").strip()


def main() -> None:
    """Record both."""
    CASTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for file, command in COMMANDS.items():
            (CASTS / f"{file}.cast").write_text(cast(command, answer(command, Path(name) / "work")), "utf-8")


if __name__ == "__main__":
    main()
