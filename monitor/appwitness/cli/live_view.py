"""What `observe` shows during a run: a table on a terminal, lines elsewhere, JSON lines for programs."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from appwitness.cli import live_events as events
from appwitness.cli.front_page import language
from appwitness.cli.local_words import tr
from appwitness.cli.terminal import Teller, err, plain
from appwitness.events import Access, Gap, Upload
from appwitness.reports.phrases import read_of
from appwitness.reports.printed import TONES
from appwitness.reports.words import Words
from appwitness.support import escape, vocabulary
from appwitness.support.spoken import english

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.observing import ReadLine
    from appwitness.findings import Finding, Report

FINDINGS = 5
"""Number of latest findings that the table shows."""


class PlainLines:
    """On stderr: the current activity, and each finding as it comes; on stdout: the report."""

    def __init__(self) -> None:
        self.teller = Teller()
        self.counts: Counter[str] = Counter()
        self.done: list[str] = []

    def __enter__(self) -> PlainLines:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Show it again, after a question to the user."""

    def stop(self) -> None:
        """Make room for a question to the user."""

    closed = False
    """Whether nobody reads the output any more, so that the run may end."""

    def say(self, what: str) -> None:
        """Show the current activity."""
        if self.done[-1:] != [what]:
            self.done.append(what)
            err.print(plain(tr(what)))

    def warn(self, what: str) -> None:
        """Show something that the user should know."""
        err.alarm(tr("[bold]Warning:[/] {what}.", what=plain(tr(what))))

    def lines(self, reads: Sequence[ReadLine]) -> None:
        """Take in new lines of the recording."""
        for read in reads:
            self.counts[read.kind] += 1

    def findings(self, findings: Sequence[Finding]) -> bool:
        """Take in all findings so far; returns whether one is new."""
        self.counts["finding"] = len(findings)
        return self.teller.tell(findings)

    def verdict(self, report: Report, _code: int) -> None:
        """Show the result of the run: the text report, on stdout."""
        from appwitness.reports import render

        click.echo(render(report, "text", lang=language()))


class Board(PlainLines):
    """On a terminal: a table that is redrawn as it changes, and disappears when the run has ended."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._words = Words(language())
        self._title = title
        self._spinner = Spinner("dots")
        self._began = time.monotonic()
        self._what = ""
        self._last: dict[str, str] = {}
        self._found: list[tuple[str, str]] = []
        self._live = Live(console=err.console, get_renderable=self.drawn, refresh_per_second=5, transient=True)

    def __enter__(self) -> Board:
        self.start()
        return self

    def start(self) -> None:
        """Draw it."""
        self._live.start()

    def stop(self) -> None:
        """Remove it."""
        self._live.stop()

    def say(self, what: str) -> None:
        """Show the current activity."""
        self._what = tr(what)

    def lines(self, reads: Sequence[ReadLine]) -> None:
        """Take in new lines of the recording."""
        super().lines(reads)
        for kind, read in {read.kind: read for read in reads}.items():
            match read.event:
                case Access() as access:
                    self._last[kind] = tr(
                        "{data}, by {source}",
                        data=read_of(access, self._words),
                        source=vocabulary.name(access.source, lambda _: "*"),
                    )
                case Upload() as upload:
                    self._last[kind] = tr("{host}, {size:,} bytes", host=events.shown(upload.host), size=upload.size)
                case Gap() as gap:
                    self._last[kind] = self._words("comma").join(
                        (self._words(f"where_{gap.where}"), self._words(f"why_{gap.why}"))
                    )

    def findings(self, findings: Sequence[Finding]) -> bool:
        """Take in all findings so far; returns whether one is new."""
        self.counts["finding"] = len(findings)
        self._found = [
            (
                finding.level,
                self._words.of(finding.title)
                + (f" > {events.shown(finding.recipient.host)}" if finding.recipient else ""),
            )
            for finding in findings
        ]
        return bool(self.teller.new(findings))

    def drawn(self) -> RenderableType:
        """The view as it is now."""
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        self._spinner.update(text=Text.assemble(_text(self._title, "bold"), f"  {minutes}:{seconds:02}"))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis")
        for kind, name in (
            ("access", tr("reads")),
            ("upload", tr("uploads")),
            ("gap", tr("gaps")),
            ("finding", tr("findings")),
        ):
            table.add_row(f"{self.counts[kind]:,}", name, _text(self._last.get(kind, ""), "dim"))
        found = [
            Text.assemble("  ", (level.upper(), TONES[level]), "  ", _text(what), overflow="ellipsis", no_wrap=True)
            for level, what in self._found[-FINDINGS:]
        ]
        return Group(
            self._spinner,
            Text.assemble("  ", _text(self._what, "dim"), overflow="ellipsis", no_wrap=True),
            table,
            *found,
        )


class Json(PlainLines):
    """On stdout: one object per line, the verdict last; `appwitness list schema --of observe` prints the schema."""

    def __init__(self, recording: Path, device: str, plan: str) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._write(events.Started(at=_now(), recording=str(recording), device=device, plan=plan))

    def say(self, what: str) -> None:
        """Write the current activity."""
        if self.done[-1:] != [what]:
            self.done.append(what)
            self._write(events.LiveStage(at=_now(), what=what))

    def warn(self, what: str) -> None:
        """Write something that the user should know."""
        self._write(events.Warned(at=_now(), what=what))

    def lines(self, reads: Sequence[ReadLine]) -> None:
        """Write new lines of the recording; for reads and uploads, where they are in the recording, but no values."""
        for read in reads:
            if read.kind in ("access", "upload", "consent", "gap") and (event := read.event):
                self._write(events.of(event, read.ref))

    def findings(self, findings: Sequence[Finding]) -> bool:
        """Take in all findings so far, and write the new ones; returns whether there are any."""
        new = self.teller.new(findings)
        for finding in new:
            self._write(events.found(finding, _now()))
        return bool(new)

    def verdict(self, report: Report, code: int) -> None:
        """Write the result of the run: the last line."""
        self._write(events.verdict(report, code, _now()))

    def _write(self, event: events.Told | None) -> None:
        with self._lock:
            if event and not self.closed:
                try:
                    click.echo(msgspec.json.encode(event, enc_hook=english).decode())
                except BrokenPipeError:
                    self.closed = True


def _now() -> datetime:
    return datetime.now(UTC)


def _text(foreign: str, style: str = "") -> Text:
    return Text(escape.terminal(foreign), style)
