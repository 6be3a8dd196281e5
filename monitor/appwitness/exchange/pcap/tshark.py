"""Runs Wireshark's `tshark` on a packet capture: lists its conversations and what each side sent, decrypted."""

from __future__ import annotations

import base64
import re
import shutil
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from itertools import chain
from pathlib import Path

from appwitness.events import Endpoint
from appwitness.exchange.conversion import ReadingProgram
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

OWNER = ("eth.trailer", "frame.comment")
"""Fields where PCAPdroid names a packet's app: a trailer in PCAP, a comment in PCAPNG."""
TRAILER = re.compile(r"01072021([0-9a-f]{8})((?:[0-9a-f]{2}){0,20})")
"""PCAPdroid's trailer: magic, uid, and the app's display name, padded with zeros."""
COMMENT = re.compile(r"u-(-?\d{1,10})")
FIRST_APP, USERS = 10_000, 100_000
"""First uid of apps within a user, and number of uids per user."""
FIELDS = (
    *("frame.time_epoch", "tcp.stream", "udp.stream", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst"),
    *("tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "tcp.flags.syn", "tcp.flags.ack"),
    *("tls.handshake.extensions_server_name", "tls.record.content_type", "udp.payload", "_ws.col.protocol"),
    *("frame.packet_flags_direction", "sll.pkttype", "eth.src", *OWNER),
)
STREAM_FIELDS = (
    *("frame.time_epoch", "udp.stream", "udp.srcport", "ip.src", "ipv6.src", "quic.connection.number"),
    *("quic.frame_type", "quic.stream.stream_id", "quic.stream.offset", "quic.stream.length", "quic.stream_data"),
)
AT_ONCE = 200
"""Maximum number of conversations in one run of tshark."""
SAID = "((tcp or udp) and not icmp and not icmpv6)"
"""Packets that carry data (not ICMP errors, which quote others)."""
LEAN = (
    *("-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE"),
    *("--disable-protocol", "tls", "--disable-protocol", "quic"),
)
"""Options that keep tshark from storing payloads."""
MEMORY = 2 << 30
"""Maximum number of bytes of memory for tshark (Linux); an ordinary capture takes a fifth."""
WORDS = 4000
"""Maximum number of characters of tshark's stderr that are kept."""


@dataclass
class ConversationSide:
    """The data that one side of a conversation sent."""

    data: bytearray = field(default_factory=bytearray)
    ends: list[int] = field(default_factory=list)
    """Offsets in `data` where each packet ends."""
    times: list[float] = field(default_factory=list)
    ended: bool = False
    """Whether the QUIC stream is complete."""

    def add(self, data: bytes, at: float) -> None:
        """Add the next packet."""
        self.data += data
        self.ends.append(len(self.data))
        self.times.append(at)

    def at(self, end: int) -> datetime:
        """The time when everything before `end` had been sent."""
        index = min(bisect_left(self.ends, end), len(self.times) - 1)
        return datetime.fromtimestamp(self.times[index], UTC)

    def pieces(self) -> Iterator[tuple[float, bytes]]:
        """Time and bytes of each packet."""
        for at, begin, end in zip(self.times, [0, *self.ends], self.ends, strict=False):
            yield at, bytes(self.data[begin:end])

    def whole(self, end: int) -> bool:
        """Whether the QUIC stream is complete and ends at this offset."""
        return self.ended and end == len(self.data)


@dataclass
class Conversation:
    """One TCP connection, or the datagrams between two endpoints."""

    client: Endpoint
    server: Endpoint
    began: float
    transport: str
    sni: str | None = None
    tls: bool = False
    quic: bool = False
    number: int = 0
    """tshark's number in the file that was read; TCP and UDP are counted separately."""
    cut: bool = False
    """Whether some of its packets were not read."""
    ended: float = 0.0
    """Time of its last packet."""
    heard: bool = False
    """Whether the server has sent or acknowledged anything."""
    outbound: int = 0
    """Packets whose direction marks the client as the device, minus those that mark the server as the device."""
    mac: str = ""
    """MAC address of the client, if the capture has it."""
    uid: int | None = None
    """Uid of the app that sent these packets, if the capture names it."""
    received: bool = False
    """Whether the device is its server: the client's data came in."""
    packets: list[tuple[float, bool, bytes]] = field(default_factory=list)
    """Time, whether the client sent it, bytes; decrypted for TLS, empty if that is impossible."""
    streams: dict[int, dict[int, tuple[ConversationSide, ConversationSide]]] = field(default_factory=dict)
    """Streams of decrypted QUIC, by connection: the client's and the server's side of each."""

    def turned(self) -> None:
        """Swap the sides: the device is the server, and its responses are what it sends."""
        self.client, self.server = self.server, self.client
        self.packets = [(at, not from_client, data) for at, from_client, data in self.packets]
        self.heard = True

    def side(self, client: bool) -> ConversationSide:
        """The data that the client, or the server, sent."""
        side = ConversationSide()
        for at, from_client, data in self.packets:
            if from_client == client:
                side.add(data, at)
        return side


CUT = re.compile(r"cut short|damaged or corrupt")
"""tshark's message for a file that is cut off or damaged from some point on: everything before is read."""


def damage(path: Path, said: Sequence[str]) -> str | None:
    """Why packets of a capture are missing, from tshark's messages; None: complete."""
    found = next((line for line in said if CUT.search(line)), None)
    return (
        None
        if found is None
        else f"the capture ends early: {found.removeprefix('tshark: ')}".replace(str(path), path.name)
    )


def conversations(path: Path, keys: Path | None) -> list[Conversation]:
    """All conversations of a capture, in order. Raises UserError if tshark is missing or cannot read the file."""
    tcp: dict[int, Conversation] = {}
    udp: dict[int, Conversation] = {}
    for row in _rows(path, keys):
        found, number = (tcp, row["tcp.stream"]) if row["tcp.stream"] else (udp, row["udp.stream"])
        if not number:
            continue
        transport = "tcp" if found is tcp else "udp"
        source = Endpoint(ip=row["ip.src"] or row["ipv6.src"], port=int(row[f"{transport}.srcport"]))
        target = Endpoint(ip=row["ip.dst"] or row["ipv6.dst"], port=int(row[f"{transport}.dstport"]))
        at = float(row["frame.time_epoch"])
        one = found.get(int(number))
        if one is None:
            ends = (source, target) if _is_client(row, source, target) else (target, source)
            one = found[int(number)] = Conversation(*ends, at, transport, number=int(number))
        if source == one.client:
            one.mac = one.mac or row["eth.src"]
        if one.uid is None and (owner := owner_of(row["eth.trailer"], row["frame.comment"])):
            one.uid = owner[0]
        one.ended = max(one.ended, at)
        one.heard = one.heard or source == one.server
        if sent := _was_sent(row):
            one.outbound += sent if source == one.client else -sent
        one.sni = one.sni or row["tls.handshake.extensions_server_name"] or None
        one.tls = one.tls or (transport == "tcp" and bool(row["tls.record.content_type"]))
        one.quic = one.quic or row["_ws.col.protocol"] == "QUIC"
        if transport == "udp" and row["udp.payload"]:
            one.packets.append((at, source == one.client, bytes.fromhex(row["udp.payload"].replace(":", ""))))
    for start in range(0, len(tcp), AT_ONCE):
        _follow(path, keys, dict(list(tcp.items())[start : start + AT_ONCE]))
    if any(one.quic for one in udp.values()):
        _add_streams(path, keys, udp)
    find_device([*tcp.values(), *udp.values()])
    return sorted((*tcp.values(), *udp.values()), key=lambda one: one.began)


def owner_of(trailer: str, comment: str) -> tuple[int, str] | None:
    """The uid that PCAPdroid gives a packet, and the name of its app or ""; None: not given."""
    if found := TRAILER.search(trailer.replace(":", "").lower()):
        uid = int.from_bytes(bytes.fromhex(found[1]), signed=True)
        return uid, bytes.fromhex(found[2]).partition(b"\0")[0].decode("utf-8", "replace")
    return (int(told[1]), "") if (told := COMMENT.fullmatch(comment)) else None


def only_app(uids: Iterable[int]) -> int | None:
    """The uid of the captured app, from all uids in the capture: the only app's uid besides the system's, or the
    only uid at all; None: there are several."""
    every = set(uids)
    found = {uid for uid in every if uid >= 0 and uid % USERS >= FIRST_APP} or every
    return found.pop() if len(found) == 1 else None


def _was_sent(row: dict[str, str]) -> int:
    """Whether the capture marks a packet as sent by the device (1) or received (-1); 0: not given."""
    if row["sll.pkttype"]:
        return 1 if row["sll.pkttype"] == "4" else -1
    return {"1": -1, "2": 1}.get(row["frame.packet_flags_direction"].removeprefix("0x").lstrip("0"), 0)


def find_device(found: Sequence[Conversation]) -> None:
    """Determine for each conversation whether the device is its server. If the capture does not tell which packets
    were sent, the device is the end in a private network, otherwise the address with the most conversations.
    Broadcasts are the device's if it is their sender."""
    often = Counter(ip for one in found for ip in {one.client.ip, one.server.ip})
    groups = [ip for ip in often if _is_group(ip)]
    alone = {ip: count for ip, count in often.items() if ip not in groups}
    device = max(alone, key=lambda ip: (_is_local(ip), alone[ip]), default="")
    macs = {one.mac for one in found if one.mac and one.client.ip == device and not one.received}
    for one in found:
        ends = one.client.ip, one.server.ip
        if one.outbound:
            one.received = one.outbound < 0
        elif _is_group(ends[1]):
            same_kind = (":" in ends[0]) == (":" in device)
            other = one.mac not in macs if one.mac and macs else same_kind
            one.received = ends[0] not in (device, "0.0.0.0", "::") and other  # noqa: S104 compared with
        elif _is_local(ends[0]) != _is_local(ends[1]):
            one.received = _is_local(ends[1])
        else:
            one.received = often[ends[1]] > often[ends[0]]


def _is_group(ip: str) -> bool:
    """Whether an address is multicast or broadcast."""
    return ip_address(ip.partition("%")[0]).is_multicast or ip.endswith(".255")


def _is_local(ip: str) -> bool:
    """Whether an address is private, not of the internet."""
    address = ip_address(ip.partition("%")[0])
    return not address.is_global and not address.is_multicast


def _is_client(row: dict[str, str], source: Endpoint, target: Endpoint) -> bool:
    """Whether the sender of a conversation's first packet is its client."""
    if _true(row["tcp.flags.syn"]):
        return not _true(row["tcp.flags.ack"])
    if row["tcp.stream"]:
        return source.port >= target.port  # the capture began in the middle of the connection
    return True


def _true(flag: str) -> bool:
    return flag.lower() in ("1", "true")


def _rows(path: Path, keys: Path | None) -> Iterator[dict[str, str]]:
    for line in lines(path, keys, [*table(FIELDS), "-Y", SAID]):
        values = line.rstrip("\n").split("\t")
        if len(values) == len(FIELDS):
            yield dict(zip(FIELDS, values, strict=True))


def _add_streams(path: Path, keys: Path | None, udp: dict[int, Conversation]) -> None:
    """Add the QUIC streams. (tshark's `follow,quic` prints packets as they came, with duplicates and out of order.)"""
    command = [*table(STREAM_FIELDS, "a"), "-Y", "quic.stream.stream_id"]
    first: dict[int, Conversation] = {}
    pieces: dict[tuple[int, int, bool], list[Piece]] = {}
    for line in lines(path, keys, command):
        row = dict(zip(STREAM_FIELDS, line.rstrip("\n").split("\t"), strict=True))
        place = udp[int(row["udp.stream"])]
        source = Endpoint(ip=row["ip.src"] or row["ipv6.src"], port=int(row["udp.srcport"]))
        try:
            for connection, stream, piece in _stream_pieces(row):
                first.setdefault(connection, place)
                pieces.setdefault((connection, stream, source == place.client), []).append(piece)
        except ValueError:
            continue  # tshark printed only part of the packet: a hole in the stream, reported as such
    for connection, stream in sorted({key[:2] for key in pieces}):
        sides = [put_together(pieces.get((connection, stream, client), [])) for client in (True, False)]
        first[connection].streams.setdefault(connection, {})[stream] = (sides[0], sides[1])


Piece = tuple[float, int, bytes, bool]
"""Time, offset in the stream, bytes, and whether the stream ends with them."""


def _stream_pieces(row: dict[str, str]) -> Iterator[tuple[int, int, Piece]]:
    """Connection, stream and piece of each STREAM frame in a packet; the type of a frame determines its fields."""
    at, connection = float(row["frame.time_epoch"]), int(row["quic.connection.number"].partition(",")[0])
    kinds = [int(kind, 0) for kind in row["quic.frame_type"].split(",")]
    offsets, lengths, data = (
        iter(row[name].split(",")) for name in ("quic.stream.offset", "quic.stream.length", "quic.stream_data")
    )
    streams = iter(row["quic.stream.stream_id"].split(","))
    for kind in kinds:
        if 0x08 <= kind <= 0x0F:
            stream = int(next(streams, ""))
            offset = int(next(offsets, "")) if kind & 4 else 0
            empty = bool(kind & 2) and next(lengths, "") == "0"
            yield connection, stream, (at, offset, b"" if empty else _bytes(next(data, "")), bool(kind & 1))


def _bytes(text: str) -> bytes:
    if not text:
        raise ValueError("no bytes")
    return bytes.fromhex(text)


def put_together(pieces: Sequence[Piece]) -> ConversationSide:
    """The data that one side sent on a stream, up to the first hole."""
    side = ConversationSide()
    end: int | None = None
    last = 0.0
    for at, offset, data, ends in sorted(pieces, key=lambda piece: piece[1:3]):
        if ends:
            end = offset + len(data)
        have = len(side.data)
        last = max(last, at)
        if offset <= have < offset + len(data):
            side.add(data[have - offset :], last)
    side.ended = end == len(side.data)
    return side


def _follow(path: Path, keys: Path | None, found: dict[int, Conversation]) -> None:
    """Add the data of conversations, reassembled by tshark."""
    command = ["-q"]
    waiting: dict[frozenset[tuple[str, int]], list[Conversation]] = {}
    for number, one in found.items():
        command += ["-z", f"follow,{'tls' if one.tls else 'tcp'},yaml,{number}"]
        ends = ((one.client.ip, one.client.port), (one.server.ip, one.server.port))
        waiting.setdefault(frozenset(ends), []).append(one)
    for peers, packets in _documents(lines(path, keys, command)):
        same = waiting.get(frozenset(peers.values()))
        if same:  # several if a port was reused: in order
            this = same.pop(0)
            client = (this.client.ip, this.client.port)
            this.packets = [(at, peers[peer] == client, data) for at, peer, data in packets]


Document = tuple[dict[int, tuple[str, int]], list[tuple[float, int, bytes]]]


def _documents(text: Iterable[str]) -> Iterator[Document]:
    """Parse the output of `follow ... yaml` for each conversation: its peers; time, peer and bytes of each packet."""
    peers: dict[int, tuple[str, int]] = {}
    packets: list[tuple[float, int, bytes]] = []
    peer, host, at = 0, "", 0.0
    data: list[str] = []
    for line in chain(text, ("peers:",)):
        key, _, value = line.strip().removeprefix("- ").partition(": ")
        if data and not line.startswith("      "):
            packets.append((at, peer, base64.b64decode("".join(data))))
            data.clear()
        match key:
            case "peers:":
                if peers:
                    yield peers, packets
                peers, packets = {}, []
            case "peer":
                peer = int(value)
            case "host":
                host = value
            case "port":
                peers[peer] = (host, int(value))
            case "timestamp":
                at = float(value)
            case _ if line.startswith("      "):
                data.append(line.strip())


def table(fields: Iterable[str], which: str = "f") -> list[str]:
    """Arguments that make tshark print these fields of each packet: the first of a name (`f`), or all (`a`)."""
    each = [word for name in fields for word in ("-e", name)]
    return ["-T", "fields", "-E", "separator=/t", "-E", f"occurrence={which}", *each]


def lines(path: Path, keys: Path | None, command: Sequence[str], said: list[str] | None = None) -> Iterator[str]:
    """The lines that tshark prints, as they arrive; `said`: its stderr, filled at the end. Raises UserError if it is
    missing, cannot read the file, or needs more than MEMORY."""
    program = shutil.which("tshark")
    if program is None:
        raise UserError(
            "Packet captures are read by tshark, which is not installed.",
            "Install it (Debian, Ubuntu: sudo apt install tshark; macOS: brew install wireshark) and run this again.",
        )
    # (tshark would keep HTTP bodies that it reassembles for display in memory to the end.)
    options = ["-r", str(path), "-n", "-o", "http.desegment_body:FALSE"]
    options += ["-o", f"tls.keylog_file:{keys}"] if keys else []
    process = ReadingProgram([program, *options, *command], MEMORY)
    for line in process.lines():
        yield line.decode("utf-8", "replace")
    heard = process.words[-WORDS:].splitlines()
    if said is not None:
        said += heard
    if process.returncode and not any(CUT.search(line) for line in heard):
        if process.returncode < 0 or any("failed to allocate" in line for line in heard):
            raise UserError(
                Spoken(
                    "{path} cannot be read: tshark was stopped, most likely at its limit of {memory} GiB of memory.",
                    path=path,
                    memory=MEMORY >> 30,
                ),
                "Cut it by time (editcap -i 600 IN OUT: ten minutes a piece), and import the pieces.",
            )
        words_ = " ".join(line for line in heard if not line.startswith("Running as user"))
        raise UserError(
            Spoken("{path} cannot be read as a packet capture: {words}", path=path, words=words_[-300:]),
            "Save it again as pcap or pcapng, or say what it is: --format.",
        )
