"""Which user of this machine is at the other end of a loopback connection."""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path

TABLES = {4: Path("/proc/net/tcp"), 6: Path("/proc/net/tcp6")}
"""Where Linux lists its TCP sockets, by version of IP (proc_pid_net(5))."""
LOCAL, REMOTE, UID, INODE = 1, 2, 7, 9
"""Columns of a row; a socket that no process has any more is of inode 0 and of user 0."""


def user_of(client: tuple[str, int], server: tuple[str, int] | None) -> int | None:
    """The user id that owns the client's socket. None: not Linux, or the socket is not of this machine."""
    if server is None:
        return None
    try:
        wanted = [_hexadecimal(*client), _hexadecimal(*server)]
        table = TABLES[ipaddress.ip_address(client[0]).version].read_text("ascii")
    except (OSError, ValueError):
        return None
    for row in table.splitlines()[1:]:
        columns = row.split()
        if columns[LOCAL : REMOTE + 1] == wanted and columns[INODE] != "0":
            return int(columns[UID])
    return None


def _hexadecimal(address: str, port: int) -> str:
    """As the kernel writes an address: 32-bit words in the order of bytes that the processor has."""
    packed = ipaddress.ip_address(address).packed
    words = (int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4))
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"
