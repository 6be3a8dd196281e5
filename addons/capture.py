"""The lean proxy: mitmproxy with the addons that capture needs; it prints the address it listens on as a line of JSON.

    python addons/capture.py --set recording=DIR [--set confdir=DIR] [--set hosts=name=127.0.0.1:8443,...]

Any option of mitmproxy or of the addons below can be set. Once it listens, it prints one line of JSON to stdout
(`{"host": ..., "port": ..., "ca": ..., "wireguard": ...}`), and nothing else; errors go to stderr. SIGTERM ends it;
with --until-eof, so does the end of stdin.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# Run by its path, from a checkout or from inside the installed package: make `addons` importable in both.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from mitmproxy import exceptions, hooks, http, master, options, tcp, udp
from mitmproxy.addons import (
    block,
    core,
    disable_h2c,
    dns_resolver,
    errorcheck,
    next_layer,
    proxyserver,
    strip_dns_https_records,
    tlsconfig,
    upstream_auth,
)

from addons.disk.to_writer import SMALL
from addons.mitm import backpressure_http2, backpressure_http3, exact_socks, trailers, wide_reads
from addons.mitm.fewer_calls import Addons
from addons.record.admission import Admission
from addons.record.announced import Announced
from addons.record.hosts import Hosts
from addons.record.redirector import Redirector
from addons.uploads import Uploads

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class Passing:
    """Streams what is not recorded instead of holding it in memory: long responses, and messages of open
    connections."""

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        assert flow.response
        length = flow.response.headers.get("content-length", "")
        if not flow.response.stream and not (length.isdecimal() and int(length) <= SMALL):
            flow.response.stream = True

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        assert flow.websocket
        flow.websocket.messages.clear()

    def tcp_message(self, flow: tcp.TCPFlow | udp.UDPFlow) -> None:
        flow.messages.clear()

    udp_message = tcp_message


class Announce:
    """Prints to stdout where the proxy listens and, if it has a WireGuard tunnel, how a device joins the tunnel."""

    def __init__(self, lean: master.Master) -> None:
        self.lean = lean

    def running(self) -> None:
        server = self.lean.addons.get("proxyserver")
        host, port, *_ = min(server.listen_addrs(), key=len, default=(None, None))
        ca = Path(self.lean.options.confdir).expanduser() / "mitmproxy-ca-cert.pem"
        tunnel = next(filter(None, (one.to_json().get("wireguard_conf") for one in server.servers)), None)
        if tunnel:
            # With port 0 (any free port), mitmproxy reports the requested port instead of the real one.
            tunnel = tunnel.removesuffix(":0") + (f":{port}" if tunnel.endswith(":0") else "")
        said = {"host": host, "port": port, "ca": str(ca.absolute()), "wireguard": tunnel}
        print(json.dumps(said), flush=True)


class Lean(master.Master):
    """mitmproxy's master with the faster addon manager of mitm/fewer_calls.py."""

    def __init__(self, settings: options.Options) -> None:
        super().__init__(settings)
        self.addons = Addons(self)


def make(settings: Sequence[str]) -> master.Master:
    """The proxy, configured but not yet listening. Raises OptionsError."""
    opts = options.Options()
    opts.update(listen_host="127.0.0.1", listen_port=0)
    opts.set(*settings, defer=True)
    backpressure_http2.bound()
    backpressure_http3.bound()
    trailers.bound()
    exact_socks.bound()
    uploads = Uploads()
    wide_reads.bound(uploads.recorder.room)
    lean = Lean(opts)
    with _alone(Path(opts.confdir).expanduser()):
        lean.addons.add(
            core.Core(),
            # Refuses clients from public addresses when the proxy listens on more than loopback.
            block.Block(),
            # Refuses all clients that the proxy is not meant for.
            Admission(uploads.recorder),
            # For mode socks5: reads which of the app's connections a client announces.
            Announced(),
            # Removes requests to upgrade to HTTP/2 in cleartext: mitmproxy could not read what follows the upgrade.
            disable_h2c.DisableH2C(),
            proxyserver.Proxyserver(),
            # For mode wireguard: resolves names, and removes answers that would hide server names from us.
            dns_resolver.DnsResolver(),
            strip_dns_https_records.StripDnsHttpsRecords(),
            next_layer.NextLayer(),
            tlsconfig.TlsConfig(),
            # For a company proxy between us and the internet.
            upstream_auth.UpstreamAuth(),
            Hosts(),
            uploads,
            Passing(),
            Announce(lean),
            Redirector(lean),
            # Ends a start that had an error, such as a port in use, with exit code 1.
            errorcheck.ErrorCheck(),
        )
        if opts.deferred:
            raise exceptions.OptionsError(f"Unknown option: {', '.join(opts.deferred)}.")
        lean.addons.trigger(hooks.ConfigureHook(opts.keys()))
    return lean


@contextmanager
def _alone(confdir: Path) -> Iterator[None]:
    """Hold a lock: two proxies that create the certificate authority at the same moment would each keep half of it."""
    confdir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    with (confdir / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def run(settings: Sequence[str], until_eof: bool) -> None:
    """Run the proxy until it is told to end."""
    # Errors only: what mitmproxy warns about for a connection is in gaps.jsonl.
    logging.basicConfig(level=logging.ERROR, format="%(message)s", stream=sys.stderr)
    lean = make(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, lean.shutdown)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: lean.shutdown())
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if until_eof:
        threading.Thread(target=_await_eof, args=(lean,), daemon=True).start()
    # Existing objects stay: the garbage collector need not scan them again every few hundred requests.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    await lean.run()


def _await_eof(lean: master.Master) -> None:
    """End the proxy when stdin ends: the parent holds the other end, which closes when the parent dies for any
    reason."""
    while os.read(0, 1024):
        pass
    lean.shutdown()


def main() -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="OPTION=VALUE")
    parser.add_argument("--until-eof", action="store_true", help="end when stdin ends")
    arguments = parser.parse_args()
    os.umask(0o077)  # also for what mitmproxy writes, such as the keys of its authority
    try:
        asyncio.run(run(arguments.settings, arguments.until_eof))
    except exceptions.OptionsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
