"""Networks of their own, with a router that runs the proxy: `python -m tests.lab.proxy.scenes NAME FOLDER`.

The process leaves the machine's network first, so nothing here reaches anything outside. Each scene ends with 0, or
with an error that says what was not as expected.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from appwitness.proxy import Proxy, ProxyAddress
from tests.lab import upstream as servers
from tests.lab.proxy.observed import Observed, wait_for
from tests.lab.proxy.writers import pid_of
from tests.lab.upstream import Upstream

SERVER, SERVER_H3, RESOLVER = "10.88.0.5", "10.88.0.6", "10.0.0.53"
"""Addresses on the far side; nobody is there, the proxy finds them on its loopback."""
NEEDS = {
    "exposure": ("ip",),
    "transparent": ("ip", "nft", "curl"),
    "wireguard": ("ip", "wg", "wireguard-go", "curl"),
    "local": ("ip", "curl", "sudo", "mount", "pgrep"),
}
"""Scene -> programs it needs."""


def missing(scene: str) -> str | None:
    """Why a scene cannot be played on this machine; None when it can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "network namespaces need root"
    absent = [program for program in NEEDS[scene] if not shutil.which(program)]
    if absent:
        return f"not installed: {', '.join(absent)}"
    tried = subprocess.run(
        ["unshare", "-n", "ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth1"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        return f"no network namespaces: {tried.stderr.strip()}"
    return Group.missing() if scene == "local" else None


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


class Host:
    """A network of its own, joined to ours by one cable."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.address = f"10.99.{number}.2"
        self.router = f"10.99.{number}.1"
        self._holder = subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE)
        ours = Path("/proc/self/ns/net").readlink()
        wait_for(lambda: Path(f"/proc/{self._holder.pid}/ns/net").readlink() != ours)
        pid = str(self._holder.pid)
        run("ip", "link", "add", f"cable{number}", "type", "veth", "peer", "name", "eth0", "netns", pid)
        run("ip", "address", "add", f"{self.router}/24", "dev", f"cable{number}")
        run("ip", "link", "set", f"cable{number}", "up")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")

    def command(self, *command: str) -> list[str]:
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", *command]

    def run(self, *command: str) -> str:
        return run(*self.command(*command))

    def fails(self, *command: str) -> str:
        done = subprocess.run(self.command(*command), capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def close(self) -> None:
        self._holder.kill()
        self._holder.communicate()


class Group:
    """Programs of this machine in a control group of their own, in a network that leads nowhere.

    mitmproxy's redirector takes the programs of the group at /sys/fs/cgroup: within this scene, of ours alone.
    """

    address = "169.254.0.1"
    """What the redirector gives as theirs."""

    def __init__(self) -> None:
        self.name = f"appwitness-{os.getpid()}"
        self._parent = os.open(self._place(), os.O_RDONLY | os.O_DIRECTORY)
        os.mkdir(self.name, dir_fd=self._parent)
        os.unshare(os.CLONE_NEWNS)
        run("mount", "--make-rprivate", "/")
        run("mount", "--bind", f"{self._place()}/{self.name}", "/sys/fs/cgroup")

    @staticmethod
    def _place() -> str:
        """Where control groups of version 2 are."""
        mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
        return next((place for _, place, kind, *_ in mounts if kind == "cgroup2"), "")

    @classmethod
    def missing(cls) -> str | None:
        """Why there can be no such group; None when there can."""
        if not cls._place():
            return "no control groups of version 2"
        tried = Path(cls._place()) / f"appwitness-try-{os.getpid()}"
        try:
            tried.mkdir()
            tried.rmdir()
        except OSError as error:
            return f"no control group of our own: {error}"
        return None

    def run(self, *command: str) -> str:
        return run("sh", "-c", 'echo $$ > /sys/fs/cgroup/cgroup.procs && exec "$@"', "sh", *command)

    def passes(self, *command: str) -> bool:
        try:
            self.run(*command)
        except subprocess.CalledProcessError:
            return False
        return True

    def close(self) -> None:
        wait_for(self._gone)

    def _gone(self) -> bool:
        try:
            os.rmdir(self.name, dir_fd=self._parent)
        except OSError:
            return False  # a program has not ended yet
        return True


@contextmanager
def observed(
    folder: Path, upstream: Upstream, listen: str, admit: Sequence[str] = (), mode: str = "regular"
) -> Iterator[Observed]:
    recording = folder / f"recording-{mode}"
    recording.mkdir()
    hosts = {
        **upstream.hosts,
        f"{SERVER}:443": upstream.hosts["h2.test:443"],
        f"{SERVER}:80": upstream.hosts["plain.test"],
        f"{SERVER}:5222": upstream.hosts["raw.test"],
        SERVER_H3: upstream.hosts["h3.test"],
        RESOLVER: upstream.hosts["names.test"],
    }
    with Proxy(
        recording,
        ProxyAddress(listen, mode=mode, admit=admit),
        confdir=folder / "ca",
        hosts=hosts,
        upstream_ca=upstream.ca,
    ) as proxy:
        yield Observed(proxy, recording)


def exposure(folder: Path, upstream: Upstream, hosts: ExitStack) -> None:
    """With an address to listen on, only the device is let in; without, nobody beyond this machine gets through."""
    device, stranger = (Host(number) for number in (1, 2))
    for host in (device, stranger):
        hosts.callback(host.close)
    ask = [sys.executable, "-c", ASK]
    with observed(folder, upstream, "0.0.0.0", admit=[device.address]) as seen:
        assert "201" in device.run(*ask, device.router, str(seen.proxy.port))
        stranger.fails(*ask, stranger.router, str(seen.proxy.port))
        assert seen.upload("/asked").client.ip == device.address  # type: ignore[union-attr]
        gap = seen.gap(lambda gap: gap.subject == stranger.address)
        assert "refused" in (gap.detail or "")
    shutil.rmtree(folder / "recording-regular")
    with observed(folder, upstream, "127.0.0.1") as seen:
        for host in (device, stranger):
            assert "refused" in host.fails(*ask, host.router, str(seen.proxy.port)).lower()
    shutil.rmtree(folder / "recording-regular")
    with observed(folder, upstream, "0.0.0.0") as seen:  # nobody named: nobody let in
        device.fails(*ask, device.router, str(seen.proxy.port))


ASK = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=10)
connection.request("GET", "http://plain.test/asked")
print(connection.getresponse().status)
"""


def transparent(folder: Path, upstream: Upstream, hosts: ExitStack) -> None:
    """A router hands a device's TCP to the proxy; the device knows nothing of it."""
    device = Host(1)
    hosts.callback(device.close)
    device.run("ip", "route", "add", "default", "via", device.router)
    with observed(folder, upstream, "0.0.0.0", admit=[device.address], mode="transparent") as seen:
        run("nft", "add table ip hand")
        run("nft", "add chain ip hand over { type nat hook prerouting priority dstnat; }")
        run("nft", f"add rule ip hand over iifname cable1 meta l4proto tcp redirect to :{seen.proxy.port}")
        trusting(device, seen)
        raw(device, seen)


def wireguard(folder: Path, upstream: Upstream, hosts: ExitStack) -> None:
    """All of a device's traffic comes through a tunnel: HTTP/2, raw TCP, DNS, HTTP/3, and QUIC that nobody reads."""
    device = Host(1)
    hosts.callback(device.close)
    with observed(folder, upstream, device.router, mode="wireguard") as seen:
        assert seen.proxy.wireguard
        # `wg` takes the keys, `ip` the rest, as wg-quick would do.
        conf = folder / "wg.conf"
        mine = ("Address", "DNS")
        conf.write_text("\n".join(one for one in seen.proxy.wireguard.splitlines() if not one.startswith(mine)))
        tunnel = subprocess.Popen(
            device.command("wireguard-go", "--foreground", "wg0"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        hosts.callback(tunnel.wait)
        hosts.callback(tunnel.kill)
        wait_for(lambda: "wg0" in device.run("ip", "-brief", "link"))
        wait_for(lambda: subprocess.call(device.command("wg", "setconf", "wg0", str(conf))) == 0)
        device.run("ip", "address", "add", "10.0.0.1/32", "dev", "wg0")
        device.run("ip", "link", "set", "wg0", "mtu", "1420", "up")
        device.run("ip", "route", "add", "default", "dev", "wg0")
        trusting(device, seen)
        raw(device, seen)
        device.run(sys.executable, "-c", LOOK_UP)
        query = wait_for(lambda: [one for one in seen.uploads() if one.via == "dns"])[0]
        assert query.host == "13800138000.exmail.test", query
        said = device.run(sys.executable, "-m", "tests.lab.proxy.scenes", "quic", str(seen.proxy.ca_pem))
        assert said.split() == ["203", "VersionNegotiation"], said
        three = seen.upload("/in-a-tunnel")
        assert (three.url, three.tls and three.tls.alpn) == ("https://h3.test/in-a-tunnel", "h3"), three
        assert seen.gap(lambda gap: "QUIC" in (gap.detail or "")).subject == SERVER_H3


def local(folder: Path, upstream: Upstream, hosts: ExitStack) -> None:
    """Programs of this machine, by their names; they know of no proxy. Others are left alone."""
    device = Group()
    hosts.callback(device.close)
    stranger = folder / "stranger"
    shutil.copy(str(shutil.which("curl")), stranger)
    with observed(folder, upstream, "127.0.0.1", mode="local:curl,python") as seen:
        # mitmproxy says that it runs a moment before its redirector takes what programs send.
        wait_for(lambda: device.passes("curl", "-sS", "--max-time", "5", f"http://{SERVER}/early"), 60)
        trusting(device, seen)
        raw(device, seen)
        device.run(sys.executable, "-c", LOOK_UP)
        query = wait_for(lambda: [one for one in seen.uploads() if one.via == "dns"])[0]
        assert query.host == "13800138000.exmail.test", query
        # There is no way out of this network but the redirector's.
        assert not device.passes(str(stranger), "-sS", "--max-time", "5", f"http://{SERVER}/stranger")
        assert not any("stranger" in (one.url or "") for one in seen.uploads())
        children = set(run("pgrep", "-P", str(seen.proxy.pid)).split())
        (redirector,) = children - {str(pid_of(seen.proxy))}  # or a sudo that waits for it
        deeper = subprocess.run(["pgrep", "-P", redirector], capture_output=True, text=True, check=False).stdout
        os.kill(int(deeper or redirector), signal.SIGKILL)
        wait_for(lambda: not seen.proxy.alive())  # or it would see nothing, and not say so
        assert "exited" in seen.proxy.words()


LOOK_UP = """
import socket
labels = b"".join(bytes([len(label)]) + label for label in (b"13800138000", b"exmail", b"test"))
query = bytes.fromhex("123401000001000000000000") + labels + bytes.fromhex("0000010001")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(20)
    client.sendto(query, ("10.0.0.53", 53))
    client.recv(1000)
"""


def trusting(device: Host | Group, seen: Observed) -> None:
    """A client that knows no proxy, and trusts its certificates."""
    curl = ["curl", "-sS", "--max-time", "20", "--http2", "--cacert", str(seen.proxy.ca_pem)]
    for host, port in (("h2.test", 443), ("plain.test", 80)):
        scheme = "https" if port == 443 else "http"
        url = f"{scheme}://{host}/unaware"
        device.run(*curl, "--resolve", f"{host}:{port}:{SERVER}", "--data", "+8613800138000", url)
        upload = wait_for(lambda: [one for one in seen.uploads() if one.url == url])[0]  # noqa: B023 called at once
        assert seen.body(upload) == b"+8613800138000"
        assert upload.client
        assert upload.client.ip in (device.address, "10.0.0.1")


def raw(device: Host | Group, seen: Observed) -> None:
    """A protocol of its own on a port of its own."""
    say = "import socket, sys; s = socket.create_connection((sys.argv[1], 5222), 20); s.sendall(b'\\1push'); s.recv(99)"
    device.run(sys.executable, "-c", say, SERVER)
    upload = wait_for(lambda: [one for one in seen.uploads() if one.via == "tcp"])[0]
    assert seen.body(upload) == b"\1push"


def quic(ca: str) -> None:
    """HTTP/3 to one server, and a first packet of an unknown version: what came back, in words."""
    from aioquic.asyncio.client import connect

    from tests.lab.proxy.clients import Http3, http3

    async def talk() -> int:
        trusting = http3()
        trusting.load_verify_locations(ca)
        async with connect(SERVER_H3, 443, configuration=trusting, create_protocol=Http3) as client:
            assert isinstance(client, Http3)
            return (await client.post("/in-a-tunnel", b"+8613800138000"))[0]

    print(asyncio.run(talk()))
    first = bytes([0xC3]) + b"\xfa\xce\xb0\x02" + b"\x08" + b"TOSERVER" + b"\x05" + b"FROMC" + bytes(1190)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        client.sendto(first, (SERVER_H3, 443))
        answer = client.recv(2000)
    offers_1 = answer[1:5] == bytes(4) and answer.endswith(b"\0\0\0\1")
    print("VersionNegotiation" if offers_1 else answer.hex())


def main(name: str, folder: Path) -> None:
    os.unshare(os.CLONE_NEWNET)
    run("ip", "link", "set", "lo", "up")
    with ExitStack() as hosts, servers.running(folder) as upstream:
        scenes = {"exposure": exposure, "transparent": transparent, "wireguard": wireguard, "local": local}
        scenes[name](folder, upstream, hosts)


if __name__ == "__main__":
    if sys.argv[1] == "quic":
        quic(sys.argv[2])
    else:
        main(sys.argv[1], Path(sys.argv[2]))
