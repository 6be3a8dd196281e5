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
"""Tells whoever started the run what happens, in one clause."""


@dataclass(frozen=True)
class RunCaller:
    """Whoever started a run."""

    stop: Callable[[], bool] = lambda: False
    """Whether it is to end; asked ten times a second."""
    say: Say = lambda _: None
    warn: Say = lambda _: None
    live: Callable[[], object] = lambda: None
    """Called when the app runs and is observed; again where it is started again."""


NOBODY = RunCaller()


@dataclass(frozen=True)
class Order:
    """What to observe and how."""

    plan: PlanName = "free"
    """What the user, or who plays him, answers."""
    listen: str = "127.0.0.1"
    """Address that the proxy listens on."""
    port: int = 0
    """Port of the proxy; 0 takes a free one."""
    mode: str = "auto"
    """How the device's traffic comes to the proxy (modes.py)."""
    device_address: str | None = None
    """Address that the device has for a proxy that listens on more than this machine: it alone is let in."""
    seconds: float | None = None
    """End after this long; None: when the app ends or `stop` says so."""
    operator: str | None = None
    """Who is responsible for the run; None takes the login name."""
    case: str | None = None
    """Number of the case that the run is made for."""
    place: str | None = None
    """Where it is made."""
    equipment: str | None = None
    """What it is made with, beside what run.json says of the device."""
    obtained: ObtainedApp | None = None
    """Where the app came from."""
    image: DeviceImage | None = None
    """The image that the device runs."""
    campaign: str | None = None
    """The campaign that it is made for."""
    app_type: int | None = None
    """Number of the type of app; None: what the device knows of it."""
    judged_by: Mapping[str, str] = field(default_factory=dict)
    """What will match and judge, for the versions of run.json: by name, which of it."""
    hooks: bool | None = None
    """Bring the agent into the app (True), or record traffic alone and what the device itself sees (False); None:
    bring it in where that can be done, else go on with traffic alone."""
    control: Path | None = None
    """The recording of a run without hooks, made before: what was seen in it is told beside this one."""
    isolate_crash: bool = False
    """Where the app dies of a hook that its last moment did not name, start it again, up to 11 times, to find it."""
    confdir: Path = Path("~/.appwitness/proxy")
    """Where the proxy keeps its certificate authority."""
    signer: Signer | None = None
    """Who signs the stamps; None: nobody does."""
    tsa: tuple[str, ...] = ()
    """Addresses of the time-stamp authorities that are asked for their time at the beginning and at the end."""
    crash_s: float = 5.0
    """An app that dies this soon after its hooks came up is started again without the source that it died of."""
    unpin: bool = False
    """Make the app accept the proxy's certificate where it checks more than the device does."""
    max_bytes: int = MAX_BYTES
    """How large the recording may become: then bodies are no longer stored, and gaps say so."""
    free_bytes: int = FREE_BYTES
    """How much of its disk stays free."""
    pass_refused: bool = True
    """When the app refuses the proxy's certificate for a host, let it through to that host undecrypted from then on:
    the agent records what it writes at the TLS library."""
