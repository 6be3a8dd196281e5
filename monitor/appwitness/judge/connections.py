"""Attributes an upload to its connection, and so to code, process and app; finds connections that no proxy saw.

Two ways are certain: by the name that the agent announced to the proxy, and by the port, if the device's ports reach
the proxy unchanged. If an emulator or a tunnel changes ports, connections are compared by host, by the time that they
were open, and by the bytes sent on them; this is less certain, and finds none if connections of different code would
fit. An upload that the agent saw at a TLS library itself says which code wrote it.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Literal

from appwitness.events import Connection, Endpoint, Gap, Ref, Run, Upload
from appwitness.events.seen import Seen
from appwitness.findings import Carrier, ReportedGap
from appwitness.judge.code import code_of, method_of
from appwitness.judge.recipients import RecipientTable

SLACK = timedelta(milliseconds=250)
"""A connection whose line comes this much after the upload may still have carried it: clocks differ by that much."""
BY_NAME = 0.8
"""Confidence in a connection that is the only one for this host at that time."""
BY_NAME_AND_CODE = 0.6
"""Confidence if there are several, all opened by the same code."""
CERTAIN = ("name", "port")
HOSTS_NAMED = 5
DNS_PORT = 53


_Line = Seen[Connection]


@dataclass
class _Socket:
    """One connection from its opening to its end, with a line for each time other code began to write to it."""

    opened: _Line
    written: list[_Line] = field(default_factory=list)
    closed: _Line | None = None

    def open_at(self, at: datetime) -> bool:
        """Whether it was open, as far as the clocks can tell."""
        return self.opened.at <= at + SLACK and (self.closed is None or at <= self.closed.at + SLACK)

    def user(self, at: datetime) -> _Line:
        """The line of the code that used it at a moment: the last that began to write, otherwise the one that opened
        it."""
        number = bisect_right(self.written, at, key=lambda line: line.at)
        return self.written[number - 1] if number else self.opened

    @property
    def sent(self) -> int | None:
        """Bytes sent on it; None if nobody counted."""
        return self.closed.event.sent if self.closed else None


class Connections:
    """The connections of the observed app in one recording; lines may arrive in any order."""

    def __init__(self, *, ports_kept: bool = True, clocks_compared: bool = True) -> None:
        """`ports_kept`: the proxy sees the ports of the app's own sockets; otherwise an equal port is coincidence.
        `clocks_compared`: if false, it is unknown which socket was open at the time of an upload."""
        self._lines: list[_Line] = []
        self._known: set[Ref] = set()
        self._sockets: list[_Socket] | None = None
        self._by_port: dict[tuple[int, str], list[_Socket]] = {}
        self._by_name: dict[str, _Socket] = {}
        self._ports_kept = ports_kept
        self._compared = clocks_compared

    def add(self, seen: Seen[Connection]) -> None:
        """Add a line; adding a known one changes nothing."""
        if seen.ref not in self._known:
            self._known.add(seen.ref)
            insort(self._lines, seen, key=_order)
            self._sockets = None

    def carriers(self, uploads: Mapping[Ref, Seen[Upload]], known: RecipientTable | None = None) -> dict[Ref, Carrier]:
        """Upload -> its carrier, if it can be matched to a connection or the agent itself recorded it."""
        found: dict[Ref, Carrier] = {}
        open_: list[Seen[Upload]] = []
        for ref, seen in uploads.items():
            upload = seen.event
            by: Literal["name", "port"] = "name" if upload.announced is not None else "port"
            socket = self._named(upload.announced) if by == "name" else self._by_its_port(seen)
            if socket is not None:
                found[ref] = _carrier(socket.user(_latest(socket, seen.at)), by, 1.0, seen, known)
            elif upload.by_agent:
                found[ref] = Carrier(
                    by="agent", confidence=1.0, app=upload.app, pid=upload.pid, code=code_of(ref, upload, known)
                )
            elif by == "port":
                open_.append(seen)
        if not any(carrier.by in CERTAIN for ref, carrier in found.items() if not uploads[ref].event.by_agent):
            for seen in open_:
                line, confidence = self._by_its_host(seen)
                if line is not None:
                    found[seen.ref] = _carrier(line, "host", confidence, seen, known)
        return found

    def _named(self, name: str | None) -> _Socket | None:
        """The connection that the agent announced to the proxy under a name."""
        self._build()
        return None if name is None else self._by_name.get(name)

    def _by_its_port(self, seen: Seen[Upload]) -> _Socket | None:
        """The latest connection with the upload's client endpoint that was open then, or opened soon after."""
        upload = seen.event
        if upload.client is None or not self._ports_kept:
            return None
        transport = "udp" if upload.via in ("udp", "dns") else "tcp"
        self._build()
        sockets = [
            one
            for one in self._by_port.get((upload.client.port, transport), ())
            if (one.open_at(seen.at) or not self._compared) and _same(one.opened.event.local, upload.client)
        ]
        return sockets[-1] if sockets and (self._compared or len(sockets) == 1) else None

    def _by_its_host(self, seen: Seen[Upload]) -> tuple[_Line | None, float]:
        """The connection for the upload's host that was open and sent enough bytes, if there is only one or all
        belong to the same code."""
        upload = seen.event
        if upload.host is None or upload.via in ("udp", "dns"):
            return None, 0.0
        self._build()
        host = upload.host.lower()
        fitting = [
            one.user(seen.at)
            for one in self._sockets or ()
            if one.opened.event.transport == "tcp"
            and (one.opened.event.host or "").lower() == host
            and (one.open_at(seen.at) or not self._compared)
            and (one.sent is None or one.sent >= upload.size)
        ]
        if len(fitting) <= 1:
            return (fitting[0], BY_NAME) if fitting else (None, 0.0)
        code = {method_of(line.event) for line in fitting}
        return (max(fitting, key=_order), BY_NAME_AND_CODE) if len(code) == 1 and None not in code else (None, 0.0)

    def foreign(self, uploads: Mapping[Ref, Seen[Upload]], carriers: Mapping[Ref, Carrier]) -> frozenset[Ref]:
        """Uploads that no socket of the observed app carried: they belong to another app, or to a process without
        hooks. Only valid if all sockets of the app were watched; empty unless some upload was matched to a socket with
        certainty. An upload that the agent announced belongs to the app."""
        if not any(carrier.by in CERTAIN and not uploads[ref].event.by_agent for ref, carrier in carriers.items()):
            return frozenset()
        return frozenset(
            ref
            for ref, (_, _, _, upload) in uploads.items()
            if ref not in carriers
            and upload.client is not None
            and upload.announced is None
            and upload.via in ("http", "websocket", "tcp")
        )

    def bypassing(self, uploads: Iterable[Upload], gaps: Iterable[Gap], *proxy: Endpoint | None) -> list[_Line]:
        """Connections of the app that did not pass through the proxy, and on which something may have been sent.

        `proxy`: where it listens, and where the device reaches it.
        """
        seen = {end.port for upload in uploads if self._ports_kept and (end := upload.client)}
        seen |= {gap.client.port for gap in gaps if self._ports_kept and gap.client}
        self._build()
        return [
            one.opened
            for one in self._sockets or ()
            if one.opened.event.transport == "tcp"
            and one.opened.event.announced is None
            and one.opened.event.local.port not in seen
            and one.opened.event.remote not in proxy
            and one.opened.event.remote.port != DNS_PORT
            and not _stays(one.opened.event.remote)
            and one.sent != 0
        ]

    @property
    def opened(self) -> int:
        """How many connections the app opened."""
        self._build()
        return len(self._sockets or ())

    def app_of(self, gap: Gap) -> str | None:
        """The app whose connection a gap is about, if known."""
        if (named := self._named(gap.announced)) is not None:
            return named.opened.event.app
        if gap.client is None or gap.announced is not None or not self._ports_kept:
            return None
        self._build()
        sockets = [
            one
            for one in self._by_port.get((gap.client.port, "tcp"), ())
            if (one.opened.at <= gap.at + SLACK or not self._compared) and _same(one.opened.event.local, gap.client)
        ]
        return sockets[-1].opened.event.app if sockets else None

    def _build(self) -> None:
        """Assemble connections from lines."""
        if self._sockets is not None:
            return
        self._sockets = []
        self._by_name = {}
        by_port: dict[tuple[int, str], list[_Socket]] = defaultdict(list)
        for line in self._lines:
            connection = line.event
            same = by_port[connection.local.port, connection.transport]
            last = same[-1] if same else None
            if connection.op == "close":
                if last is not None and last.closed is None:
                    last.closed = line
            elif connection.op == "write" and last is not None:
                last.written.append(line)
            else:
                socket = _Socket(line)
                same.append(socket)
                if connection.announced is not None:
                    self._by_name[connection.announced] = socket
                self._sockets.append(socket)
        self._by_port = dict(by_port)


def connections_of(run: Run) -> Connections:
    """An empty set of connections, with the settings of a run."""
    return Connections(
        ports_kept=run.route.get("keeps_port") is not False,
        clocks_compared=run.clocks_compared,
    )


def found_at(run: Run) -> Endpoint | None:
    """Where the device reached the proxy; None if the run does not say."""
    host, port = run.route.get("host"), run.route.get("port")
    return Endpoint(ip=host, port=port) if isinstance(host, str) and isinstance(port, int) else None


def bypass_gap(connections: Sequence[Seen[Connection]]) -> ReportedGap | None:
    """The gap for connections that no proxy saw: how many, and to which hosts; None if there are none."""
    if not connections:
        return None
    hosts = Counter(seen.event.host or seen.event.remote.ip for seen in connections)
    named = ", ".join(host for host, _ in hosts.most_common(HOSTS_NAMED))
    more = f" and {len(hosts) - HOSTS_NAMED} more" if len(hosts) > HOSTS_NAMED else ""
    many = f"{len(connections)} connections" if len(connections) > 1 else "1 connection"
    to = f"{len(hosts)} hosts" if len(hosts) > 1 else "1 host"
    return ReportedGap(
        at=connections[0].at,
        app=connections[0].event.app,
        where="correlate",
        subject=named + more,
        why="not_decrypted",
        detail=f"{many} to {to} bypassed the proxy: {named}{more}",
    )


def foreign_gaps(uploads: Iterable[Seen[Upload]]) -> list[ReportedGap]:
    """One gap for each host that received uploads which came from no socket of the app."""
    by_host: dict[str, list[Seen[Upload]]] = defaultdict(list)
    for seen in uploads:
        by_host[seen.event.host or "an unnamed host"].append(seen)
    return [
        ReportedGap(
            at=min(seen.at for seen in those),
            where="correlate",
            subject=host,
            why="process_not_instrumented",
            detail=f"{len(those)} uploads to {host} came from no socket of the app: another app's, or a process's "
            "without hooks; no finding rests on them",
        )
        for host, those in sorted(by_host.items())
    ]


def _carrier(
    line: _Line,
    by: Literal["name", "port", "host"],
    confidence: float,
    upload: Seen[Upload],
    known: RecipientTable | None,
) -> Carrier:
    connection = line.event
    own = code_of(upload.ref, upload.event, known)  # an upload with a stack of its own shows best which code sent it
    return Carrier(
        ref=line.ref,
        by=by,
        confidence=confidence,
        app=connection.app,
        pid=connection.pid,
        code=own or code_of(line.ref, connection, known),
    )


def _order(line: _Line) -> tuple[datetime, int]:
    """By time, then by line number."""
    return line.at, line.number


def _latest(socket: _Socket, at: datetime) -> datetime:
    """The moment for which to look up the user of a connection: its first line may come a little after the upload."""
    return max(at, socket.opened.at)


def _same(local: Endpoint, client: Endpoint) -> bool:
    """Whether two endpoints may be the same: a wildcard address matches any."""
    return local.ip == client.ip or local.ip in ("0.0.0.0", "::")  # noqa: S104 compared with, not bound to


def _stays(end: Endpoint) -> bool:
    """Whether data sent to an endpoint stays on the device."""
    try:
        return ip_address(end.ip.partition("%")[0]).is_loopback
    except ValueError:
        return False
