"""Identifies the owner of a host: the app's maker, a third party or unknown; always with the reason.

In order: domains that the tester declared first-party; the device itself; addresses; the package, read backwards as a
domain, or a part of it (`com.example.circle` owns `circle.test`); the table of known recipients; hosting platforms,
whose names do not identify the customer; everything else is a third party. What the tester's policy.yml says about a
recipient overrides all of these.

A country always comes with its basis: declared; where a known company is registered (not for hosting platforms: their
seat says nothing about the customer who receives the data); where the block of the server's address is registered.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Protocol

from iptocc import country_code
from publicsuffixlist import PublicSuffixList
from pydantic import Field

from appwitness.catalog.entries import CatalogEntry
from appwitness.findings import Party, Reason, Recipient, Why, because

_REGIONS = frozenset({"EU", "AP", "ZZ"})
"""What the registries write for a block that belongs to no single country."""
Role = Literal[
    "ads", "analytics", "attribution", "consent", "crash", "hosting", "login", "map", "messaging", "payment",
    "platform", "push", "risk", "speech",
]  # fmt: skip
Suffix = Annotated[str, Field(pattern=r"^(xn--)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)+$")]
Prefix = Annotated[str, Field(pattern=r"^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)*$")]


class KnownRecipient(CatalogEntry):
    """One known recipient: facts that its maker publishes."""

    name: str
    company: str | None = Field(default=None, description="legal name, where we are sure of it")
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(
        default=None, description="ISO 3166 code of where the company is seated; says nothing about its servers"
    )
    role: Role
    hosts: tuple[Suffix, ...] = Field(default=(), description="domains; each stands for itself and all below it")
    code: tuple[Prefix, ...] = Field(default=(), description="prefixes of its classes inside apps")


class RecipientTable(CatalogEntry):
    """catalog/recipients.yml."""

    as_of: date | None = Field(default=None, description="date of the state of companies and countries")
    recipients: tuple[KnownRecipient, ...]
    lab: tuple[KnownRecipient, ...] = Field(default=(), description="those that only the sample apps talk to")
    generic: tuple[str, ...] = Field(default=(), description="parts of package names that name nobody")

    @cached_property
    def by_host(self) -> dict[str, KnownRecipient]:
        """Domain -> recipient."""
        return {host: known for known in (*self.recipients, *self.lab) for host in known.hosts}

    @cached_property
    def by_code(self) -> dict[str, KnownRecipient]:
        """Prefix of class names -> recipient."""
        return {prefix: known for known in (*self.recipients, *self.lab) for prefix in known.code}

    def of_host(self, host: str) -> KnownRecipient | None:
        """The recipient at a (clean) host, by the longest known domain; None if it is unknown."""
        return next((self.by_host[name] for name in _domains(host) if name in self.by_host), None)

    def name_of(self, host: str) -> str | None:
        """The name of the recipient at a (clean) host; None if it is unknown."""
        known = self.of_host(host)
        return known.name if known else None

    def of_frame(self, frame: str) -> KnownRecipient | None:
        """The owner of a stack frame's code, by the longest known prefix; None if it is unknown."""
        name = frame.partition("(")[0]
        return next((self.by_code[prefix] for prefix in _prefixes(name) if prefix in self.by_code), None)


class Declaration(Protocol):
    """What a policy.yml says about one recipient."""

    @property
    def name(self) -> str:
        """The name, as declared."""

    @property
    def party(self) -> Party | None:
        """First party, third party or unknown; None: not declared."""

    @property
    def country(self) -> str | None:
        """ISO 3166 code; None: not declared."""


class Recipients:
    """Identifies recipients for one app. `first_party`: domains that the tester knows to be the maker's; `declared`:
    looks up what a policy.yml says about a host; `addresses_as_of`: date of the data on address blocks."""

    def __init__(
        self,
        table: RecipientTable,
        package: str,
        first_party: Sequence[str] = (),
        declared: Callable[[str], Declaration | None] | None = None,
        addresses_as_of: str | None = None,
    ) -> None:
        self._table = table
        self._package = package
        self._own = {domain for name in first_party if (domain := clean_host(name.removeprefix("*.").strip(".")))}
        self._declared = declared
        self._addresses_as_of = addresses_as_of
        self._domain = registrable(".".join(reversed(package.lower().split("."))))
        self._labels = _labels(package, table.generic)
        self._answers: dict[tuple[str, str | None], Recipient] = {}

    def of(self, host: str, address: str | None = None) -> Recipient:
        """The recipient behind a host name or address; port and case are ignored.

        `address` is that of the server that received the upload: its block determines the country if nothing else does.
        """
        key = (host, address)
        if key not in self._answers:
            self._answers[key] = self._find(clean_host(host), address)
        return self._answers[key]

    def _find(self, host: str, address: str | None) -> Recipient:
        if not host:
            return Recipient(host="", reason=because(Why.NO_HOST))
        declared = self._declared(host) if self._declared else None
        known = self._table.of_host(host)
        party, reason = self._party(host, known)
        if declared and declared.party:
            party, reason = declared.party, because(Why.POLICY_SAYS, name=declared.name)
        return Recipient(
            host=host,
            key=recipient_key(host, known),
            name=known.name if known else declared.name if declared else None,
            party=party,
            reason=reason,
            **self._country(host, known, declared, address),
        )

    def _country(
        self, host: str, known: KnownRecipient | None, declared: Declaration | None, address: str | None
    ) -> dict[str, Any]:
        if declared and declared.country:
            return {"country": declared.country, "country_basis": "declared"}
        if known and known.country and known.role != "hosting":
            as_of = str(self._table.as_of) if self._table.as_of else None
            return {"country": known.country, "country_basis": "company", "country_as_of": as_of}
        country = None if is_device(host) else country_of_block(host) or country_of_block(address or "")
        if country is None:
            return {}
        return {"country": country, "country_basis": "address_block", "country_as_of": self._addresses_as_of}

    def _party(self, host: str, known: KnownRecipient | None) -> tuple[Party, Reason]:
        declared = next((name for name in _domains(host) if name in self._own), None)
        if declared:
            return "first", because(Why.DECLARED_OWN, domain=declared)
        if is_device(host):
            return "first", because(Why.THE_DEVICE)
        address = _address(host)
        if address is not None:
            local = address.is_private or address.is_link_local
            return "unknown", because(Why.LOCAL_ADDRESS if local else Why.BARE_ADDRESS)
        domain = registrable(host)
        if "." not in host or host.endswith((".local", ".internal", ".lan")):
            return "unknown", because(Why.LOCAL_NAME)
        if domain is None:
            return "unknown", because(Why.SHARED_DOMAIN, host=host)
        if known and self._same_maker(known):
            return "first", because(Why.SAME_MAKER, name=known.name, package=self._package, domain=str(self._domain))
        if domain == self._domain:
            return "first", because(Why.PACKAGE_BACKWARDS, domain=domain, package=self._package)
        # A label further down may name a product ("com.example.umeng"): it does not make a known SDK the app's maker.
        label = domain.partition(".")[0].replace("-", "")
        if label in self._labels and not (known and known.role != "hosting"):
            return "first", because(Why.SHARED_LABEL, domain=domain, package=self._package, label=label)
        if known and known.role != "hosting":
            return "third", because(Why.KNOWN_RECIPIENT, name=known.name, role=known.role)
        platform = known.name if known else _platform(host)
        if platform:
            return "unknown", because(Why.HOSTED, platform=platform)
        return "third", because(Why.NOTHING_IN_COMMON, domain=domain, package=self._package)

    def _same_maker(self, known: KnownRecipient) -> bool:
        """Whether the app and the recipient's code are under one company domain: com.baidu.*, com.facebook.*."""
        return self._domain is not None and any(
            registrable(".".join(reversed(prefix.lower().split(".")))) == self._domain for prefix in known.code
        )


def clean_host(host: str) -> str:
    """A host in its canonical spelling: lower case, ASCII (IDNA), without port, brackets or final dot."""
    host = host.strip().lower()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    host = host.rstrip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return host
    return host


@cache
def is_device(host: str) -> bool:
    """Whether a (clean) host is the device itself."""
    address = _address(host)
    if address is not None:
        return address.is_loopback or address.is_unspecified
    return host == "localhost" or host.endswith(".localhost")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # Python 3.12 does not see through ::ffff:127.0.0.1.
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def recipient_key(host: str, known: KnownRecipient | None) -> str:
    """One name for all hosts of a recipient: the first domain of a known one, otherwise the registrable domain,
    otherwise the host; `ip` for an address. `host` is clean; `known` is its recipient (`RecipientTable.of_host`)."""
    if _address(host) is not None:
        return "ip"
    return known.hosts[0] if known and known.role != "hosting" else registrable(host) or host


@cache
def country_of_block(text: str) -> str | None:
    """The country (ISO 3166) where an address block is registered, by the registries' own lists, which ship with
    iptocc.

    None for anything but a public address, and for blocks that are registered for a whole region.
    """
    address = _address(text)
    if address is None or not address.is_global:
        return None
    country = country_code(str(address))
    return None if country in _REGIONS else country


@cache
def _suffixes(only_icann: bool) -> PublicSuffixList:
    # The list is part of the package: nothing is fetched.
    return PublicSuffixList(only_icann=only_icann)


def registrable(host: str) -> str | None:
    """The domain that somebody registered: `circle.test` for `api.circle.test`; None for a single label or a bare
    suffix."""
    domain = _suffixes(only_icann=False).privatesuffix(host)
    return str(domain) if domain else None


def _platform(host: str) -> str | None:
    """The platform that assigns names below a suffix in the private part of the public suffix list: `github.io` for
    `somebody.github.io`; None for others."""
    suffix = _suffixes(only_icann=False).publicsuffix(host)
    return str(suffix) if suffix != _suffixes(only_icann=True).publicsuffix(host) else None


def _labels(package: str, generic: Iterable[str]) -> frozenset[str]:
    """The parts of a package that can name its maker: not `com` or `io.github`, not `app`, not `b`."""
    backwards = ".".join(reversed(package.lower().split(".")))
    suffix = _suffixes(only_icann=False).publicsuffix(backwards)
    own = backwards.removesuffix(str(suffix)).strip(".") if suffix else backwards
    parts = {re.sub(r"[_-]", "", part) for part in own.split(".")}
    return frozenset(part for part in parts if len(part) > 1) - frozenset(generic)


def _domains(host: str) -> Iterator[str]:
    """A host and the domains above it, the longest first."""
    while host:
        yield host
        host = host.partition(".")[2]


def _prefixes(name: str) -> Iterator[str]:
    """A class name and its prefixes, the longest first."""
    while name:
        yield name
        name = name.rpartition(".")[0]
