"""How the proxy starts and ends."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appwitness.proxy import Proxy, ProxyAddress
from appwitness.support.errors import SetupError
from tests.lab.proxy.observed import Observed, listens, make, wait_for
from tests.lab.upstream import Upstream

pytestmark = [pytest.mark.lab, pytest.mark.skipif(sys.platform == "win32", reason="limits, /proc and signals")]


def test_it_ends_when_whoever_started_it_is_killed(room: Path, upstream: Upstream) -> None:
    observed = make(room, upstream)
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom appwitness.proxy import Proxy\n"
        "proxy = Proxy(Path(sys.argv[1]), confdir=Path(sys.argv[2]))\nproxy.start()\n"
        "print(proxy.port, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(observed.path), str(room / "ca")], stdout=subprocess.PIPE
    )
    assert parent.stdout
    with parent.stdout:
        port = int(parent.stdout.readline())
        assert listens(port)
        parent.kill()
        parent.wait()
    wait_for(lambda: not listens(port))


def test_it_listens_on_loopback_only(shared: Observed) -> None:
    assert shared.proxy.host == "127.0.0.1"
    assert shared.proxy.alive()


def test_a_port_in_use_is_said_in_the_programs_own_words(room: Path, shared: Observed) -> None:
    second = Proxy(shared.path, ProxyAddress(port=shared.proxy.port), confdir=room / "ca")
    with pytest.raises(SetupError, match="address already in use") as error:
        second.start()
    assert error.value.next_step
    assert not second.alive()


def test_a_recording_that_is_not_there(room: Path) -> None:
    proxy = Proxy(room / "nowhere", confdir=room / "ca")
    with pytest.raises(SetupError, match="is not a folder"):
        proxy.start()


def test_two_proxies_that_start_at_once_agree_on_the_authority(room: Path, upstream: Upstream) -> None:
    confdir = room / "new-ca"
    proxies = []
    for name in ("left", "right"):
        (room / name).mkdir()
        proxies.append(Proxy(room / name, confdir=confdir, hosts=upstream.hosts, upstream_ca=upstream.ca))
    threads = [threading.Thread(target=proxy.start) for proxy in proxies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        for proxy in proxies:
            observed = Observed(proxy, room)
            with observed.client() as client:
                assert client.get("https://secure.test/agree").status_code == 201
    finally:
        for proxy in proxies:
            proxy.stop()


def test_stopping_twice_and_never_starting_are_fine(room: Path, upstream: Upstream) -> None:
    observed = make(room, upstream)
    observed.proxy.stop()
    with observed.proxy:
        assert json.loads(json.dumps(observed.proxy.port)) > 0
    observed.proxy.stop()
    assert not observed.proxy.alive()
