"""Mode redirect under Android's own library: its sockets say what they would say without, and the proxy sees them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appwitness.events import Connection, parse
from appwitness.proxy import Proxy, ProxyAddress
from tests.art.conftest import Run
from tests.lab.servers_of_redirect import ABROAD, echo, nobody, silent

pytestmark = pytest.mark.timeout(180)

SAID = """\
socket: hello -1
refused: ConnectException
in time: hello -1
refused in time: ConnectException
no answer in time: SocketTimeoutException
selected: hello
selected, refused: ConnectException
closed meanwhile: SocketException
limits of a URL's connection: 0, 0
"""


def test_androids_sockets(play: Run, tmp_path: Path) -> None:
    with echo() as open_, silent() as quiet:
        ports = (open_, nobody(), quiet)
        hosts = {f"{ABROAD[0]}:{port}": ("127.0.0.1", port) for port in ports}
        (tmp_path / "recording").mkdir()
        with Proxy(
            tmp_path / "recording", ProxyAddress(mode="redirect"), hosts=hosts, confdir=tmp_path / "conf"
        ) as proxy:
            at = (proxy.host, proxy.port)
            played = play("redirect", (), ABROAD[0], *map(str, ports), redirect=at)
        sent = [line for line in (tmp_path / "recording/uploads.jsonl").read_text().splitlines() if line]

    assert re.sub(r"java\.net\.(\w+).*", r"\1", played.printed) == SAID
    names = {getattr(parse(line), "announced", None) for line in sent}
    opened = {each.announced for each in played.recording.events(Connection) if each.op == "connect"}
    assert len(names) == 3
    assert names <= opened
    assert None not in opened
