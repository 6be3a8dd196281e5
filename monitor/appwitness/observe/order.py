"""The options of one run: what to observe, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from appwitness.events import DeviceImage, ObtainedApp
from appwitness.recording.files import FREE_BYTES
from appwitness.recording.quota import MAX_BYTES
from appwitness.recording.signing import Signer

PlanName = Literal["accept", "refuse", "silent", "withdraw", "free"]


Say = Callable[[str], object]
"""Reports progress to the caller of the run, as a short phrase."""


@dataclass(frozen=True)
class RunCaller:
    """The caller of a run."""

    stop: Callable[[], bool] = lambda: False
    """Whether the run is to end; called ten times a second."""
    say: Say = lambda _: None
    warn: Say = lambda _: None
    live: Callable[[], object] = lambda: None
    """Called when the app runs and is observed, and again after a restart."""


NOBODY = RunCaller()


@dataclass(frozen=True)
class Order:
    """What to observe and how."""

    plan: PlanName = "free"
    """How the user, or the player who acts as the user, answers."""
    listen: str = "127.0.0.1"
    """Address that the proxy listens on."""
    port: int = 0
    """Port of the proxy; 0 takes a free one."""
    mode: str = "auto"
    """The traffic mode (devices/traffic_modes.py)."""
    device_address: str | None = None
    """Address of the device, for a proxy that listens beyond this machine: only this address is admitted."""
    seconds: float | None = None
    """End after this many seconds; None: when the app ends or `stop` says so."""
    operator: str | None = None
    """Who is responsible for the run; None: the login name."""
    case: str | None = None
    """Number of the case for which the run is made."""
    place: str | None = None
    """Where the run is made."""
    equipment: str | None = None
    """The equipment, in addition to what run.json says about the device."""
    obtained: ObtainedApp | None = None
    """Where the app came from."""
    image: DeviceImage | None = None
    """The image that the device runs."""
    campaign: str | None = None
    """The campaign that the run is made for."""
    app_type: int | None = None
    """Number of the app type; None: as the device reports it."""
    judged_by: Mapping[str, str] = field(default_factory=dict)
    """Versions of the parts that will match and judge, by name, for run.json."""
    hooks: bool | None = None
    """Inject the agent (True), or record only traffic and what the device itself sees (False); None: inject it if
    possible, otherwise continue with traffic only."""
    control: Path | None = None
    """The recording of a control run without hooks, whose results are reported beside this run's."""
    isolate_crash: bool = False
    """If a hook crashes the app and its last moment does not name it, restart the app up to 11 times to find it."""
    confdir: Path = Path("~/.appwitness/proxy")
    """Where the proxy keeps its certificate authority."""
    signer: Signer | None = None
    """Signs the stamps; None: they are not signed."""
    tsa: tuple[str, ...] = ()
    """URLs of the time-stamp authorities to ask at the beginning and at the end."""
    crash_s: float = 5.0
    """An app that crashes within this many seconds after its hooks were installed is restarted without the source
    that caused it."""
    unpin: bool = False
    """Make the app accept the proxy's certificate even if it checks more than the device does."""
    max_bytes: int = MAX_BYTES
    """Largest size of the recording in bytes; beyond it bodies are not stored, and gaps say so."""
    free_bytes: int = FREE_BYTES
    """Bytes that stay free on the recording's disk."""
    pass_refused: bool = True
    """When the app refuses the proxy's certificate for a host, let later connections to that host through
    undecrypted: the agent records their plaintext at the TLS library."""
