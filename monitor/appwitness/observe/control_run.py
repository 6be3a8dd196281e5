"""A control run without hooks before the main run, to compare with what the hooks recorded.

They are compared when the main run is correlated (judge/control.py): does the app contact the same hosts, and run as
long, when it is watched? Without an agent, sockets do not tell which app caused the proxy's traffic: if the whole
device uses the proxy, other apps' hosts are included.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from appwitness.events import Upload, Witness
from appwitness.recording import Recording

ITSELF = "run"
"""Subject of the line that says how long the app ran."""


def seen_without_hooks(control: Recording) -> list[Witness]:
    """Lines for witnesses.jsonl of the main run: how long the app ran in the control run, and for each host the
    number of messages and bytes sent to it. Times are the control run's. Raises FileError when the control run
    cannot be read."""
    run = control.run
    ended = run.ended or datetime.now(UTC)
    exits = [each.until for each in control.events(Witness) if each.by == "exit_info" and each.until]
    hosts: dict[str, list[Upload]] = defaultdict(list)
    for upload in control.events(Upload):
        hosts[upload.host or "an unnamed host"].append(upload)
    lines: list[tuple[str, int | None, int | None, datetime]] = [(ITSELF, None, None, min(exits, default=ended))]
    lines += [(host, len(those), sum(each.size for each in those), ended) for host, those in sorted(hosts.items())]
    return [
        Witness(
            at=ended,
            app=run.app.package,
            by="control",
            subject=subject,
            count=count,
            size=size,
            since=run.started,
            until=max(until, run.started),
            detail=f"recording {run.id}",
        )
        for subject, count, size, until in lines
    ]
