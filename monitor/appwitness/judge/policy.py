"""Compares what an app's maker declares, as a tester wrote it down in policy.yml, with what was observed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from appwitness.catalog.entries import CatalogEntry
from appwitness.catalog.picked import was_picked
from appwitness.catalog.withheld import was_withheld
from appwitness.events import Access, DataType, Ref
from appwitness.events.seen import Seen
from appwitness.findings import Declared, Flow, Party
from appwitness.judge.recipients import RecipientTable, clean_host, is_device

EVIDENCE = 5
"""Maximum number of lines that a row of the table names."""


def _host(text: str) -> str:
    host = clean_host(text.removeprefix("*.").strip("."))
    if not host or set("/ @?") & set(text):
        raise ValueError(f"{text!r} is not a domain; expected one such as example.com")
    return host


def _kind(code: str, info: ValidationInfo) -> str:
    if info.context and code not in info.context["data"]:
        raise ValueError(f"{code!r} is not a data type; `appwitness list data-types` lists them")
    return code


def _app_type(name: int | str, info: ValidationInfo) -> int | str:
    if info.context:
        info.context["app_types"].of(name)
    return name


Kind = Annotated[DataType, AfterValidator(_kind)]
"""The code of a data type."""
Host = Annotated[str, AfterValidator(_host)]
"""A domain; it covers itself and every domain below it."""
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""The ISO 3166 code of a country, such as CN."""
Prefix = Annotated[str, Field(pattern=r"^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)*$")]
"""A prefix of class names that ends before a dot."""


class DeclaredData(CatalogEntry):
    """A data type that the privacy policy says is collected."""

    type: Kind
    purposes: tuple[str, ...] = ()
    sensitive_separate: bool = Field(default=False, description="it says that a separate consent is asked for")


class DeclaredRecipient(CatalogEntry):
    """A recipient of data according to the privacy policy."""

    name: str
    hosts: tuple[Host, ...] = ()
    party: Party | None = Field(default=None, description="first: belongs to the maker")
    country: Country | None = None
    purposes: tuple[str, ...] = ()
    data: tuple[Kind, ...] = Field(min_length=1)


class DeclaredSdk(CatalogEntry):
    """An SDK on the maker's list. Declared data may also go to the SDK's hosts; if `data` is given, only that."""

    name: str
    packages: tuple[Prefix, ...] = Field(min_length=1)
    party: Party | None = None
    country: Country | None = None
    hosts: tuple[Host, ...] = Field(default=(), description="besides those that the catalog knows of its packages")
    purposes: tuple[str, ...] = ()
    data: tuple[Kind, ...] | None = Field(default=None, description="left out: any kind that is declared at all")


class Policy(CatalogEntry):
    """A tester's policy.yml: what is declared for one app. What it leaves out is not declared.

    Context for validation: `data`, the codes of data_types.yml, and `app_types`.
    """

    app_type: Annotated[int | str, AfterValidator(_app_type)] | None = Field(
        default=None, description="number or name of the type of app"
    )
    territory: Country | None = Field(default=None, description="where the users are: elsewhere is abroad")
    audience: Literal["general", "children"] = "general"
    first_party: tuple[Host, ...] = Field(default=(), description="domains of the app's maker")
    data: tuple[DeclaredData, ...] = ()
    recipients: tuple[DeclaredRecipient, ...] = ()
    sdks: tuple[DeclaredSdk, ...] = ()
    only_sent: bool = Field(
        default=False,
        description="it is a store's form: of what leaves the device, whoever gets it; reads are no part of it",
    )

    @property
    def codes(self) -> frozenset[DataType]:
        """Every data type that it names."""
        listed = (each.data or () for each in self.receivers)
        return frozenset({each.type for each in self.data}.union(*listed))

    @property
    def receivers(self) -> tuple[DeclaredRecipient | DeclaredSdk, ...]:
        """Every declared recipient of data."""
        return (*self.recipients, *self.sdks)

    def recipient(self, host: str) -> DeclaredRecipient | DeclaredSdk | None:
        """The declared recipient that a host belongs to, by the longest matching domain; None if there is none."""
        named = [
            (len(domain), each) for each in self.receivers for domain in each.hosts if _below(clean_host(host), domain)
        ]
        return max(named, key=lambda pair: pair[0])[1] if named else None

    def declares(self, data: DataType, host: str | None = None) -> bool:
        """Whether a data type is declared at all; with `host`, whether it is declared to go there.

        What goes to the maker's own domains is collected, not passed on, and needs no recipient. For a host that is
        known to be the maker's but is missing from `first_party`, leave `host` out.
        """
        if host is None or self.only_sent or any(_below(clean_host(host), domain) for domain in self.first_party):
            return data in self.codes
        match self.recipient(host):
            case DeclaredRecipient(data=listed):
                return data in listed
            case DeclaredSdk(data=listed):
                return data in (self.codes if listed is None else listed)
            case None:
                return False

    def purpose(self, data: DataType, host: str | None = None) -> str | None:
        """The declared purpose: the recipient's if it has one, otherwise that of the data type."""
        receiver = self.recipient(host) if host else None
        purposes = receiver.purposes if receiver and receiver.purposes else ()
        purposes = purposes or tuple(text for each in self.data if each.type == data for text in each.purposes)
        return ", ".join(purposes) or None

    def with_hosts(self, table: RecipientTable) -> Policy:
        """A copy with the hosts that the catalog knows for the SDKs, found by their packages."""
        sdks = []
        for sdk in self.sdks:
            known = [each for prefix in sdk.packages if (each := table.of_frame(prefix))]
            hosts = dict.fromkeys((*sdk.hosts, *(host for each in known for host in each.hosts)))
            sdks.append(sdk.model_copy(update={"hosts": tuple(hosts)}))
        return self.model_copy(update={"sdks": tuple(sdks)})


def declared(policy: Policy, accesses: Iterable[Seen[Access]], flows: Iterable[Flow]) -> tuple[Declared, ...]:
    """Observed compared with declared, row by row: what was read, what was sent to whom, then what was declared but not
    seen.

    There is a row for each data type that an API returned (recipient null), each data type and host that it went to,
    each declared type that was neither read nor sent, and each type that a declared recipient did not get in this run.
    Data sent to the device itself did not leave it. What the user picked has rows of its own.
    """
    read: dict[DataType, list[Ref]] = {}
    for ref, _, _, access in accesses:
        if access.outcome == "returned" and access.values and not (was_withheld(access) or was_picked(access)):
            read.setdefault(access.data, []).extend([ref] * access.count)
    sent: dict[tuple[DataType, str, bool], list[Flow]] = {}
    for flow in flows:
        if not is_device(flow.recipient.host):
            sent.setdefault((flow.data, flow.recipient.host, flow.picked), []).append(flow)
    rows = [
        Declared(
            data=data,
            observed=len(refs),
            declared=policy.declares(data),
            purpose=policy.purpose(data),
            evidence=tuple(dict.fromkeys(refs))[:EVIDENCE],
        )
        for data, refs in sorted(read.items())
        if not policy.only_sent
    ]
    for (data, host, picked), found in sorted(sent.items()):
        own = found[0].recipient.party == "first"
        rows.append(
            Declared(
                data=data,
                recipient=host,
                picked=picked,
                observed=len(found),
                declared=policy.declares(data, None if own else host),
                purpose=policy.purpose(data, host),
                evidence=tuple(dict.fromkeys(flow.upload for flow in found))[:EVIDENCE],
            )
        )
    seen = {data for data, *_ in sent} | (set() if policy.only_sent else read.keys())
    rows += [
        Declared(data=each.type, observed=0, declared=True, purpose=policy.purpose(each.type))
        for each in policy.data
        if each.type not in seen
    ]
    reached = {(data, receiver.name) for data, host, _ in sent if (receiver := policy.recipient(host))}
    rows += [
        Declared(
            data=data,
            recipient=each.name,
            observed=0,
            declared=True,
            purpose=", ".join(each.purposes) or None,
        )
        for each in policy.recipients
        for data in each.data
        if (data, each.name) not in reached
    ]
    return tuple(rows)


def _below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
