"""Renders a letter with a user's own template, in a separate process with limits on time, memory and size.

A template may come from somebody else. Jinja2's sandbox keeps it from running code; if the sandbox fails, the rendering
process has no file, no network and nothing of ours to lose: it cannot open anything at all.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from appwitness.reports.complaint.letter import moment
from appwitness.reports.html import WrongTemplate, letters, write_own
from appwitness.reports.words import Words
from appwitness.support import given_files
from appwitness.support.errors import FileError
from appwitness.support.spoken import Spoken

SECONDS = 10
MEMORY_BYTES = 1 << 30
MOST_CHARACTERS = 4_000_000
TEMPLATE_BYTES = 1 << 20
OURS = Spoken("monitor/appwitness/reports/templates/complaint has ours, docs/templates.md the fields.")
_PROGRAM = "from appwitness.reports.complaint import own; own.child()"


def written(template: str, words: Words, fields: dict[str, Any]) -> str:
    """A letter from one of our own templates, with the same plain data."""
    return letters().get_template(template).render(t=words.__call__, letter=_letter(fields))


def written_by(template: Path, words: Words, fields: dict[str, Any]) -> str:
    """A letter from the user's own template.

    Raises UserError for a file that cannot be read. Raises FileError, with the line if known, for a file that is not a
    template, does what a template may not, or needs too much time or memory.
    """
    order = {"template": given_files.text(template, TEMPLATE_BYTES), "lang": words.lang, "letter": fields}
    with subprocess.Popen(
        [sys.executable, "-I", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8"},
        cwd="/",
    ) as process:
        assert process.stdin
        assert process.stdout
        late = threading.Timer(SECONDS * 3, process.kill)  # the process limits its own CPU time
        late.start()
        try:
            try:
                process.stdin.write(json.dumps(order).encode())
                process.stdin.close()
            except BrokenPipeError:
                pass
            data = process.stdout.read(MOST_CHARACTERS * 12)  # a character takes at most twelve bytes: \\ud83d\\ude00
        finally:
            late.cancel()
            process.kill()
    try:
        answer = json.loads(data)
    except ValueError:
        what = Spoken("it needs more than {seconds} s or {memory} MiB.", seconds=SECONDS, memory=MEMORY_BYTES >> 20)
        raise FileError(template, None, what, OURS) from None
    if "text" in answer:
        return str(answer["text"])
    raise FileError(template, answer["line"], str(answer["what"]), OURS)


def _letter(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, with the one function that letters may call: it formats a time."""
    return {**fields, "moment": lambda at: moment(datetime.fromisoformat(at), fields["law"])}


def child() -> None:
    """Render the order read from stdin; write the text, or what is wrong with the template, to stdout."""
    order = json.load(sys.stdin)
    words = Words(order["lang"])
    words("flows")
    with suppress(WrongTemplate):
        write_own(r"{{ '\n' ~ unknown }}", words, 1)  # loads every file now, also those that errors need
    confine()
    try:
        text = write_own(order["template"], words, MOST_CHARACTERS, letter=_letter(order["letter"]))
        answer: dict[str, Any] = {"text": text}
    except WrongTemplate as error:
        answer = {"line": error.line, "what": error.what}
    except MemoryError:
        answer = {"line": None, "what": f"it needs more than {MEMORY_BYTES >> 20} MiB."}
    except RecursionError:
        answer = {"line": None, "what": "it is nested too deeply."}
    except Exception as error:  # whatever a template can make go wrong is an error of the template
        answer = {"line": None, "what": f"{type(error).__name__}: {error}."[:500]}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()


def confine() -> None:
    """Limit time and memory; forbid files, processes and opening anything."""
    for what, limit in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 3),
    ):
        hard = resource.getrlimit(what)[1]
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (most, most))
