"""Reads a mitmproxy flow file, even an old or damaged one, and passes each flow through the other addons as if it were
live.

    mitmdump --no-server --scripts addons/uploads.py --scripts addons/replay.py --set recording=DIR --set flows=FILE

A flow that mitmproxy cannot read is reported on stdout, `{"flow": 3, "problem": "..."}`, and the next one is read, if
it can be found. At the end, `{"flows": 12, "edited": 1, "pushed": 0}` says how many flows were read, how many of them
somebody had edited (these are recorded as the client had sent them), and how many the server had pushed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from mitmproxy import ctx, flow
from mitmproxy.addonmanager import Loader
from mitmproxy.io import compat, tnetstring

LATEST_S = 4102444800
"""1 January 2100."""
HEAD = 16
"""Number of bytes in which the length of a flow is looked for."""
LARGEST = 100 << 20
"""Largest flow that is read: mitmproxy needs about three times as much memory for it."""
NAME = 1000
"""Longest name of an entry, in bytes."""
PUSHED = "h2-pushed-stream"
"""Key that mitmproxy before version 7 sets for a request that no client made."""
EDITED = "appwitness-edited"
"""Key that we set for a flow that was edited."""
ANSWER = (b"response", b"content")
"""Path of the entry that is left out of larger flows: no response body is ever recorded."""


class Replay:
    """Reads the file, then ends the program."""

    def load(self, loader: Loader) -> None:
        loader.add_option("flows", str, "", "Flow file to read.")

    def running(self) -> None:
        self.reading = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        count = edited = pushed = 0
        failures = _Failures()
        logging.getLogger().addHandler(failures)
        try:
            with Path(ctx.options.flows).open("rb") as file:
                for number, one in enumerate(flows(file), 1):
                    if isinstance(one, flow.Flow):
                        count += 1
                        edited += one.metadata.pop(EDITED, False)
                        if one.metadata.get(PUSHED):
                            pushed += 1
                        else:
                            await ctx.master.load_flow(one)
                    if problem := failures.last if isinstance(one, flow.Flow) else one:
                        _say({"flow": number, "problem": problem})
                    failures.last = ""
            _say({"flows": count, "edited": edited, "pushed": pushed})
        finally:
            logging.getLogger().removeHandler(failures)
            ctx.master.shutdown()


class _Failures(logging.Handler):
    """Remembers what mitmproxy logs when an addon fails on a flow."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage().strip().splitlines()[0]


def flows(file: BinaryIO) -> Iterator[flow.Flow | str]:
    """The flows; for one that cannot be read, the reason."""
    end = os.fstat(file.fileno()).st_size
    while file.tell() < end:
        head = file.read(HEAD)
        size, colon, _ = head.partition(b":")
        if not colon or not size.isdigit():
            yield "the file is damaged from here on: no flow begins here"
            return
        file.seek(len(size) + 1 - len(head), os.SEEK_CUR)
        if int(size) >= end - file.tell():
            yield "the file is broken off within this flow"
            return
        end_of_flow = file.tell() + int(size) + 1
        try:
            state = tnetstring.loads(_raw(file, int(size)))
            yield _flow(state)
        except Exception as error:  # an old or damaged flow may cause any exception in mitmproxy's code
            yield f"{type(error).__name__}: {error}"
        file.seek(end_of_flow)


def _raw(file: BinaryIO, size: int, without: Sequence[bytes] = ANSWER) -> bytes:
    """The value of `size` bytes that begins here; if it is too large, without the entry at the path `without`.

    Raises ValueError when it is too large even then.
    """
    if size <= LARGEST or not without:
        return b"%d:%b" % (size, file.read(size + 1))
    end, parts, have = file.tell() + size, list[bytes](), 0
    while file.tell() < end:
        if (key_size := _size(file)) > NAME:
            raise ValueError("it is damaged: a name is too long")
        key = file.read(key_size + 1)
        value = _size(file)
        if key[:-1] != without[0]:
            have += value
            if have > LARGEST:
                raise ValueError(f"it has more than {LARGEST >> 20} MiB")
            made = _raw(file, value, ())
        elif without[1:]:
            made = _raw(file, value, without[1:])
        else:
            file.seek(value + 1, os.SEEK_CUR)
            made = b"0:~"
        parts.append(b"%d:%b%b" % (len(key) - 1, key, made))
    whole = b"".join(parts)
    return b"%d:%b%b" % (len(whole), whole, file.read(1))


def _size(file: BinaryIO) -> int:
    """Read the length before a colon at this position. Raises ValueError when there is none."""
    head = file.read(HEAD)
    size, colon, rest = head.partition(b":")
    if not colon or not size.isdigit():
        raise ValueError("it is damaged: an entry has no length")
    file.seek(-len(rest), os.SEEK_CUR)
    return int(size)


def _flow(state: Any) -> flow.Flow:
    """The flow, with corrections where mitmproxy loses data of flows from before version 7."""
    # (Files from before version 0.18 have bytes as keys, and none of these entries.)
    if state.get("type") == "http" and (state.get("response") or {}).get("status_code") == 101:
        state["metadata"]["websocket"] = True  # otherwise mitmproxy invents a request for a flow of messages
    state = compat.migrate_flow(state)
    _as_the_client_sent_it(state)
    for name in ("client_conn", "server_conn"):
        state[name]["tls"] = bool(state[name]["tls"])
    for message in (state.get("websocket") or {}).get("messages", ()):
        if isinstance(message[2], str):
            message[2] = message[2].encode("utf-8", "surrogateescape")
    _check_times(state)
    one = flow.Flow.from_state(state)
    if "duplicated" in one.metadata:
        one.is_replay = "request"  # its request was recorded with an earlier flow
    return one


def _as_the_client_sent_it(state: Any) -> None:
    """Undo edits of a flow: mitmproxy stores the original state beside it.

    Messages that came after the edit are only in the flow itself.
    """
    if not state.get("backup"):
        return
    before = compat.migrate_flow(state["backup"])
    state["backup"] = None
    changed = False
    if "request" in state:
        changed = any(before["request"][name] != state["request"].get(name) for name in before["request"])
        state["request"] = before["request"]
    for now, then in ((state, before), (state.get("websocket") or {}, before.get("websocket") or {})):
        said, had = now.get("messages"), then.get("messages")
        if said and had:
            changed = changed or said[: len(had)] != had
            now["messages"] = [*had, *said[len(had) :]]
    state["metadata"][EDITED] = changed


def _check_times(state: Any) -> None:
    """Raise ValueError for a time that no line can have: otherwise the flow would be lost silently."""
    parts = [state, *(state.get(name) or {} for name in ("request", "response", "client_conn", "server_conn"))]
    times = [part.get(name) for part in parts for name in part if str(name).startswith("timestamp")]
    times += [message[3] for message in (state.get("websocket") or {}).get("messages", ())]
    times += [message[2] for message in state.get("messages", ())]
    for time in times:
        if time is not None and not 0 <= time < LATEST_S:
            raise ValueError(f"a time that cannot be: {time}")


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), file=sys.stdout, flush=True)


addons = [Replay()]
