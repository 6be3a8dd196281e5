"""Predicts from an APK's network security configuration whether the app will accept the proxy's certificate for a host.

Checks in the app's own code (OkHttp's CertificatePinner, its own TrustManager, Flutter) are not in that file: the agent
tests them inside the app. Source: developer.android.com, "Network security configuration"; AOSP,
NetworkSecurityConfig.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal
from xml.etree.ElementTree import Element

from appwitness.devices.android.app.apk import Apk

USER_UNTIL = 23
"""Up to this target SDK, an app trusts user-installed CAs, unless it declares otherwise."""
CLEARTEXT_UNTIL = 27
"""Up to this target SDK, an app may send without TLS, unless it declares otherwise."""
TRANSPARENCY_FROM = 37
"""From this target SDK on, certificates must be in public transparency logs, unless the app declares otherwise."""
TRANSPARENCY_KNOWN = 36
"""The first API level of devices that check those logs."""
Outcome = Literal["system", "user", "pinned", "own"]


@dataclass(frozen=True)
class Anchors:
    """Sources of CA certificates: `system`, `user`, or a resource of the APK."""

    sources: frozenset[str]
    override_pins: frozenset[str] = frozenset()
    """Sources whose certificates are accepted regardless of pins."""


@dataclass(frozen=True)
class TrustSettings:
    """One base-config or domain-config; None in a field: inherited from the enclosing one."""

    anchors: Anchors | None = None
    cleartext: bool | None = None
    pins: frozenset[str] | None = None
    """Pinned keys: their SHA-256 in base64."""
    pins_until: date | None = None
    """From this day on, pins are ignored."""
    transparency: bool | None = None
    """Whether certificates must be in public transparency logs, which the proxy's never are."""


@dataclass(frozen=True)
class Domain:
    """A host with its settings, the innermost first."""

    host: str
    subdomains: bool
    settings: tuple[TrustSettings, ...]


@dataclass(frozen=True)
class NetworkSecurity:
    """Which certificates an APK declares that it accepts."""

    target_sdk: int
    debuggable: bool = False
    base: TrustSettings = field(default_factory=TrustSettings)
    domains: tuple[Domain, ...] = ()
    debug: Anchors | None = None
    """Sources that a debuggable app accepts for all hosts in addition."""


@dataclass(frozen=True)
class Expectation:
    """What to expect for one host."""

    host: str
    outcome: Outcome
    """`system`: the app accepts CAs in the system store; `user`: also user-installed ones; `pinned`: only these
    keys; `own`: only CAs in the APK."""
    cleartext: bool
    transparency: bool


def parse(
    tree: Element | None, target_sdk: int, *, debuggable: bool = False, cleartext: bool | None = None
) -> NetworkSecurity:
    """Parse a network security configuration. `tree`: the element network-security-config, None if the APK has none;
    `cleartext`: the manifest's usesCleartextTraffic, used only if it has none. Unknown elements and attributes are
    ignored."""
    if tree is None:
        return NetworkSecurity(target_sdk, debuggable, TrustSettings(cleartext=cleartext))
    base, debug = tree.find("base-config"), tree.find("debug-overrides")
    return NetworkSecurity(
        target_sdk,
        debuggable,
        TrustSettings() if base is None else _settings(base),
        tuple(domain for each in tree.findall("domain-config") for domain in _domains(each, ())),
        None if debug is None else _anchors(debug, override_pins=True),
    )


def predict(security: NetworkSecurity, host: str, on: date, api: int = 0) -> Expectation:
    """What to expect for a host on a given day, on a device with an API level (0: unknown, taken as the newest)."""
    chain = [*_of_host(security, host.lower().rstrip(".")), security.base]
    sources = {"system"} | ({"user"} if security.target_sdk <= USER_UNTIL else set())
    anchors = next((each.anchors for each in chain if each.anchors), Anchors(frozenset(sources)))
    if security.debuggable and security.debug is not None:
        anchors = Anchors(
            anchors.sources | security.debug.sources, anchors.override_pins | security.debug.override_pins
        )
    pinning = next((each for each in chain if each.pins is not None), TrustSettings())
    enforced = bool(pinning.pins) and not (pinning.pins_until and on >= pinning.pins_until)
    passes = anchors.override_pins if enforced else anchors.sources
    stores: tuple[Outcome, ...] = ("user", "system")
    outcome = next((store for store in stores if store in passes), "pinned" if enforced else "own")
    permitted = next((each.cleartext for each in chain if each.cleartext is not None), None)
    return Expectation(
        host,
        outcome,
        cleartext=security.target_sdk <= CLEARTEXT_UNTIL if permitted is None else permitted,
        transparency=(not api or api >= TRANSPARENCY_KNOWN) and _transparency(security, chain),
    )


def _transparency(security: NetworkSecurity, chain: list[TrustSettings]) -> bool:
    """Whether certificates must be in the logs: an explicit setting decides, else whether CAs other than the
    system's are accepted."""
    for each in chain:
        if each.transparency is not None:
            return each.transparency
        if each.anchors and each.anchors.sources - {"system"}:
            return False
    return security.target_sdk >= TRANSPARENCY_FROM


def refusals(config: Element | None, base: Apk, api: int = 0) -> Iterator[tuple[str, str]]:
    """Hosts for which the app will refuse the proxy on a device with that API level, each with the reason in one
    sentence."""
    security = parse(
        config, target_sdk=base.target_sdk or base.min_sdk, debuggable=base.debuggable, cleartext=base.cleartext
    )
    for host in dict.fromkeys(("other hosts", *(domain.host for domain in security.domains))):
        expected = predict(security, host, datetime.now(UTC).date(), api)
        if expected.outcome in ("pinned", "own"):
            what = "pins keys for" if expected.outcome == "pinned" else "accepts authorities of its own alone for"
            yield host, f"the app's network security configuration {what} {host}: expect refusals"
        elif expected.transparency:
            logged = "certificates that are in public transparency logs, which the proxy's are not"
            yield host, f"the app accepts for {host} only {logged}: expect refusals (NOT_ENOUGH_SCTS)"


def _of_host(security: NetworkSecurity, host: str) -> tuple[TrustSettings, ...]:
    """The settings of the most specific matching domain."""
    best: Domain | None = None
    for domain in security.domains:
        fits = host == domain.host or (domain.subdomains and host.endswith(f".{domain.host}"))
        if fits and (best is None or len(domain.host) > len(best.host)):
            best = domain
    return best.settings if best else ()


def _domains(config: Element, around: tuple[TrustSettings, ...]) -> list[Domain]:
    settings = (_settings(config), *around)
    found = [
        Domain((each.text or "").strip().lower(), _true(each.get("includeSubdomains")), settings)
        for each in config.findall("domain")
    ]
    return [*found, *(domain for inner in config.findall("domain-config") for domain in _domains(inner, settings))]


def _settings(config: Element) -> TrustSettings:
    cleartext, pins = config.get("cleartextTrafficPermitted"), config.find("pin-set")
    transparency = config.find("certificateTransparency")
    return TrustSettings(
        anchors=_anchors(config, override_pins=False),
        cleartext=None if cleartext is None else _true(cleartext),
        pins=None if pins is None else frozenset((pin.text or "").strip() for pin in pins.findall("pin")),
        pins_until=None if pins is None else _day(pins.get("expiration")),
        transparency=None if transparency is None else _true(transparency.get("enabled", "true")),
    )


def _anchors(config: Element, *, override_pins: bool) -> Anchors | None:
    anchors = config.find("trust-anchors")
    if anchors is None:
        return None
    sources = {each.get("src", ""): each.get("overridePins") for each in anchors.findall("certificates")}
    passing = (src for src, given in sources.items() if (override_pins if given is None else _true(given)))
    return Anchors(frozenset(sources), frozenset(passing))


def _true(value: str | None) -> bool:
    """Whether a value is true, as text or as the number that a compiled APK has for it."""
    return (value or "").lower() in ("true", "1", "-1", "0xffffffff")


def _day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value or "")
    except ValueError:
        return None
