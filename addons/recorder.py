"""The recording as the addons write it: an upload and its body, a gap, and repeats of a gap told in one line."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from mitmproxy import exceptions

from addons.leftovers import leftovers
from addons.lines import head, time_of
from addons.storage import Body, Line, Lines, encode, parts

FOLD_S = 60.0
"""The same gap within this time is counted, and told in one line at its end."""
KINDS_OF_GAPS = 5000
"""Different gaps that are counted at a time; beyond, repeats are told one by one."""
RETRY_S = 1.0
"""How often lines that the disk refused are tried again."""


@dataclass
class Repeats:
    """A gap that was told, and came again since."""

    count: int = 0
    first: Line | None = None
    last: Line | None = None


class Recorder:
    """What the addons of one proxy share: where lines and bodies go."""

    def __init__(self) -> None:
        self.folder: str | None = None
        """bodies/ of the recording; None until one is set."""
        self.limit = 0
        """Longest body that is stored whole."""
        self.lines: Lines | None = None
        self.gaps: Lines | None = None
        self.repeats: dict[tuple[str, str, str], Repeats] = {}
        self.retrying = False

    def open(self, name: str) -> None:
        """Use the recording in this folder from now on. Raises OptionsError."""
        if not name:
            raise exceptions.OptionsError("recording is not set. Name the folder of a recording: --set recording=DIR")
        folder = Path(name).expanduser().absolute()
        if not folder.is_dir():
            raise exceptions.OptionsError(f"recording: {folder} is not a folder. Make it, or name another one.")
        try:
            bodies = folder / "bodies"
            bodies.mkdir(mode=0o700, exist_ok=True)
            probe = bodies / f".{os.getpid()}-{next(parts)}.part"
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            probe.unlink()
            lines, gaps = Lines(folder / "uploads.jsonl"), Lines(folder / "gaps.jsonl")
            left = list(leftovers(folder))
        except OSError as error:
            raise exceptions.OptionsError(
                f"recording: {folder} cannot be written ({error.strerror}). Mend that, or name another folder."
            ) from error
        for old in (self.lines, self.gaps):
            if old is not None:
                old.close()
        self.folder, self.lines, self.gaps = str(bodies), lines, gaps
        for digest, size, what in left:
            detail = f"body {digest}, {size} bytes: {what}"
            self.gap("uploads.jsonl", "body_truncated", detail, about={"body": digest})

    def body(self) -> Body:
        """A new, empty body."""
        assert self.folder is not None
        return Body(self.folder, self.limit)

    def upload(self, line: Line, body: Body, announced: str = "") -> None:
        """Put a body in place and append its line; `announced` is how long the body was said to be."""
        line["body"] = body.store()
        line["size"] = body.kept
        line["truncated"] = body.problem is not None
        assert self.lines is not None
        problem = self.lines.append(line)
        if body.problem:
            of = announced or body.seen
            detail = f"body {line['body'] or '-'}, {body.kept} of {of} bytes: {body.problem}"
            self.gap(line["host"] or "", "body_truncated", detail, line["at"])
        if problem:
            self._refused(problem)

    def gap(self, subject: str, why: str, detail: str, at: str | None = None, about: Line | None = None) -> None:
        """Say what could not be observed; `about`: of which connection (client, SNI), and the alert that ended it."""
        if self.gaps is None:
            return
        gap = {
            **head("gap", at or time_of(time.time())),
            "where": "proxy",
            "subject": subject,
            "why": why,
            "detail": detail,
            "until": None,
            **(about or {}),
        }
        if why != "body_truncated":  # those belong to one upload each
            key = (subject, why, "" if why == "overflow" else detail)
            again = self.repeats.get(key)
            if again is not None:
                again.count += 1
                again.first, again.last = again.first or gap, gap
                return
            if len(self.repeats) < KINDS_OF_GAPS:
                self.repeats[key] = Repeats()
                asyncio.get_running_loop().call_later(FOLD_S, self._tell_repeats, key)
        self._append_gap(gap)

    def close(self) -> None:
        """Tell what was counted, and try once more to write what the disk refused."""
        for key in list(self.repeats):
            self._tell_repeats(key)
        if self.lines is not None:
            self.lines.retry()

    def _tell_repeats(self, key: tuple[str, str, str]) -> None:
        again = self.repeats.pop(key, None)
        if again and again.first and again.last:
            detail = again.last["detail"]
            more = f"{detail} ({again.count} times)" if again.count > 1 else detail
            self._append_gap({**again.first, "detail": more, "until": again.last["at"]})

    def _append_gap(self, gap: Line) -> None:
        assert self.gaps is not None
        problem = self.gaps.append(gap)
        if problem:
            print(f"appwitness: {self.gaps.path}: {problem}: {encode(gap)}", file=sys.stderr, flush=True)
            self._again()

    def _refused(self, problem: OSError) -> None:
        assert self.lines is not None
        detail = f"{len(self.lines.backlog)} lines wait, {self.lines.dropped} lost: {problem}"
        self.gap("uploads.jsonl", "overflow", detail)
        self._again()

    def _again(self) -> None:
        """Try what the disk refused again in a while, also when no further line comes."""
        if not self.retrying:
            self.retrying = True
            asyncio.get_running_loop().call_later(RETRY_S, self._retry)

    def _retry(self) -> None:
        self.retrying = False
        assert self.lines is not None
        assert self.gaps is not None
        dropped = self.lines.dropped
        if self.lines.retry() or self.gaps.retry():
            self._again()
        elif dropped:
            self.lines.dropped = 0
            self.gap("uploads.jsonl", "overflow", f"{dropped} lines are lost; the disk takes lines again")
