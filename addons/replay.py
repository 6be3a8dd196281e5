"""Reads a mitmproxy flow file, also an old or a broken one: each flow passes the other addons as if it came now.

    mitmdump --no-server --scripts addons/uploads.py --scripts addons/replay.py --set recording=DIR --set flows=FILE

A flow that mitmproxy cannot read is told on stdout, `{"flow": 3, "problem": "..."}`, and the next one is read, if it
can be found; at the end, `{"flows": 12}` says how many were read.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mitmproxy import ctx, flow
from mitmproxy.addonmanager import Loader
from mitmproxy.io import compat, tnetstring


class Replay:
    """Reads the file and ends the program."""

    def load(self, loader: Loader) -> None:
        loader.add_option("flows", str, "", "Flow file to read.")

    def running(self) -> None:
        self.reading = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        count = 0
        try:
            with Path(ctx.options.flows).open("rb") as file:
                for number, one in enumerate(flows(file), 1):
                    if isinstance(one, flow.Flow):
                        await ctx.master.load_flow(one)
                        count += 1
                    else:
                        _say({"flow": number, "problem": one})
            _say({"flows": count})
        finally:
            ctx.master.shutdown()


def flows(file: BinaryIO) -> Iterator[flow.Flow | str]:
    """The flows; in place of one that cannot be read, why not."""
    while file.peek(1):  # type: ignore[attr-defined]
        try:
            state = tnetstring.load(file)
        except (ValueError, TypeError, IndexError) as error:
            yield f"the file is broken off or damaged from here on: {error}"
            return
        try:
            yield _flow(state)
        except Exception as error:  # whatever an old or a damaged flow makes of mitmproxy's own code
            yield f"{type(error).__name__}: {error}"


def _flow(state: Any) -> flow.Flow:
    """The flow, with what mitmproxy forgets when it reads what its versions before 7 wrote."""
    if state["type"] == "http" and (state["response"] or {}).get("status_code") == 101:
        state["metadata"]["websocket"] = True  # else it makes up a request for the messages, which are a flow apart
    state = compat.migrate_flow(state)
    for name in ("client_conn", "server_conn"):
        state[name]["tls"] = bool(state[name]["tls"])
    for message in (state.get("websocket") or {}).get("messages", ()):
        if isinstance(message[2], str):
            message[2] = message[2].encode("utf-8", "surrogateescape")
    one = flow.Flow.from_state(state)
    if "duplicated" in one.metadata:
        one.is_replay = "request"  # its request was the flow before
    return one


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), file=sys.stdout, flush=True)


addons = [Replay()]
