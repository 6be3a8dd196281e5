"""Starts the proxy program addons/capture.py for one recording, and stops it without losing a line of the recording."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from appwitness.support.errors import SetupError
from appwitness.support.spoken import Spoken

START_S = 60.0
"""Time limit for the proxy to start listening; its first start creates a certificate authority."""
STOP_S = 10.0
"""Time limit for the proxy to hand over what is still queued; then it is killed."""
WRITE_S = 20.0
"""Time limit for the writer to get everything onto disk after that; then the run goes on without waiting."""
WORDS = 8
"""Number of last lines of the proxy's stderr that an error message quotes."""


def capture_py() -> Path:
    """The file of the program: beside the package in a checkout, inside it when installed. Raises SetupError if it is
    missing."""
    package = Path(__file__).resolve().parent
    for place in (package / "addons", package.parents[1] / "addons"):
        if (place / "capture.py").is_file():
            return place / "capture.py"
    raise SetupError("The proxy's program addons/capture.py is missing.", "Reinstall appwitness.")


def _ways_in(mode: str) -> dict[str, str]:
    """mitmproxy's settings for a mode. Connections that the agent redirects arrive by SOCKS5; the user name identifies
    each."""
    return {"mode": "socks5", "proxyauth": "true"} if mode == "redirect" else {"mode": mode}


@dataclass(frozen=True)
class ProxyAddress:
    """Where a proxy listens, and who may use it."""

    listen: str = "127.0.0.1"
    port: int = 0
    """0: any free port."""
    mode: str = "regular"
    """How traffic reaches it (devices/traffic_modes.py)."""
    admit: Sequence[str] = ()
    """Addresses that may use it besides this machine's own."""


class Proxy(AbstractContextManager["Proxy"]):
    """The proxy of one run, in its own process. It listens within the context, or between `start` and `stop`.

    `hosts` maps a host, or `host:port`, to the address and port to connect to. `upstream_ca` is a PEM file of the
    authorities that servers are checked against instead of the usual ones.
    """

    def __init__(
        self,
        recording: Path,
        door: ProxyAddress = ProxyAddress(),
        *,
        hosts: Mapping[str, tuple[str, int]] | None = None,
        confdir: Path,
        upstream_ca: Path | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.host = door.listen
        """Address it listens on."""
        self.port = door.port
        """Port it listens on; the real one once started."""
        self.ca_pem = confdir / "mitmproxy-ca-cert.pem"
        """Certificate of the authority that the device must trust."""
        self.wireguard: str | None = None
        """WireGuard configuration for the device, once started in that mode. It contains the device's private key."""
        self._recording = recording
        settings = {
            "recording": str(recording.absolute()),
            "confdir": str(confdir.absolute()),
            "listen_host": door.listen,
            "listen_port": str(door.port),
            **_ways_in(door.mode),
            "admit": ",".join(door.admit),
            "hosts": ",".join(f"{name}={address}:{at}" for name, (address, at) in (hosts or {}).items()),
            **({"ssl_verify_upstream_trusted_ca": str(upstream_ca.absolute())} if upstream_ca else {}),
            **(options or {}),
        }
        self._settings = [f"{name}={value}" for name, value in settings.items() if value]
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._written = threading.Event()

    def start(self) -> None:
        """Start the proxy; returns once it listens. Raises SetupError with the end of its stderr if it does not."""
        if self._process is not None:
            raise RuntimeError("started twice")
        # (-O would save a sixth of the time, but mitmproxy 12 parses QUIC's first packet inside an `assert`.)
        command = [sys.executable, str(capture_py()), "--until-eof"]
        for setting in self._settings:
            command += ["--set", setting]
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 unlike a pipe, a file needs no reader; closed in stop
        # A process group of its own: Ctrl-C in the terminal reaches only us, and the proxy ends last. The end of its
        # stdin tells it if we die.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, start_new_session=True
        )
        try:
            where = json.loads(self._first_line())
        except BaseException:
            self.stop()
            raise
        self.ca_pem, self.wireguard = Path(where["ca"]), where.get("wireguard")
        if where["port"] is not None:
            self.host, self.port = where["host"], where["port"]

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process id, once started."""
        return None if self._process is None else self._process.pid

    def words(self) -> str:
        """The last lines it wrote to stderr."""
        if self._stderr is None:
            return ""
        self._stderr.seek(0)
        lines = [line for line in self._stderr.read().decode("utf-8", "replace").splitlines() if line.strip()]
        return "\n".join(lines[-WORDS:])

    def stop(self) -> None:
        """End the proxy; returns once it has ended and every line is written. May be called twice.

        A disk that hangs is waited for no longer than WRITE_S; a message on stderr then says so.
        """
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
            # The writer (addons/disk/writer.py) outlives the proxy until everything is on disk; only then may others
            # finish the recording.
            if not self._written.wait(WRITE_S):
                print(f"appwitness: the disk is slow: {self._recording} is not complete yet.", file=sys.stderr)
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None

    def restart(self, mode: str | None = None) -> None:
        """Start it again on the same port, after it ended unexpectedly or to change its mode. Raises SetupError."""
        self.stop()
        settings = dict(setting.split("=", 1) for setting in self._settings)
        if mode is not None:
            settings = {name: value for name, value in settings.items() if name not in ("mode", "proxyauth")}
            settings |= _ways_in(mode)
        settings["listen_port"] = str(self.port)
        self._settings = [f"{name}={value}" for name, value in settings.items()]
        self.start()

    def _first_line(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        out = self._process.stdout
        lines: queue.Queue[bytes] = queue.Queue()
        written = self._written = threading.Event()

        def listen() -> None:
            with out:
                lines.put(out.readline())
                out.read()  # its writer has the same stdout: this returns when both have ended
            written.set()

        threading.Thread(target=listen, daemon=True).start()
        try:
            line = lines.get(timeout=START_S)
        except queue.Empty:
            raise SetupError(
                Spoken(
                    "The proxy did not listen within {start_s:.0f} seconds. {what}", start_s=START_S, what=self.words()
                ),
                "Try again when the machine is less busy.",
            ) from None
        if not line:
            self._process.wait()
            raise SetupError(
                Spoken("The proxy did not start: {what}", what=self.words() or "it printed no message"),
                "Fix that (another port, a folder that can be written) and try again.",
            )
        return line

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
