"""Reads catalog/tls.yml (TLS functions that see plaintext) and catalog/unpinning.yml (checks that are bypassed)."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any, Literal, Self

import trustme
from pydantic import Field, model_validator

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry

_KEY_IDENTIFIER = re.compile(rb"\x06\x03\x55\x1d\x0e\x04(.)\x04(.)", re.DOTALL)
"""The extension SubjectKeyIdentifier in a certificate (DER), up to the identifier: RFC 5280, 4.2.1.2."""


class Owner(CatalogEntry):
    """Finds the socket that a stream belongs to."""

    field: str = Field(description="field of the stream that holds it")
    type: str = Field(description="type of that field")


class SocketStreams(CatalogEntry):
    """A socket with streams: write(byte[], int, int) and read(byte[], int, int)."""

    library: str
    out: str = Field(description="class of the stream that the app writes to")
    in_: str = Field(alias="in", description="class of the stream that it reads from")
    owner: Owner
    untested: str | None = Field(default=None, description="why the lab device cannot play it")


class Engine(CatalogEntry):
    """An engine with wrap and unwrap."""

    library: str
    cls: str = Field(alias="class")
    untested: str | None = Field(default=None, description="why the lab device cannot play it")


class TlsLibraries(CatalogEntry):
    """catalog/tls.yml."""

    sockets: tuple[SocketStreams, ...]
    engines: tuple[Engine, ...]

    def plan(self, proxy_key: str | None) -> dict[str, Any]:
        """The entry in the form that the agent expects (hooks/plan.ts)."""
        return {
            "sockets": [each.model_dump(by_alias=True, exclude={"untested"}) for each in self.sockets],
            "engines": [{"library": each.library, "cls": each.cls} for each in self.engines],
            "proxy_key": proxy_key,
        }


class Given(CatalogEntry):
    """Where an object of a class of the app appears."""

    cls: str = Field(alias="class")
    method: str
    argument: int


class With(CatalogEntry):
    """The app's call with other arguments."""

    with_: dict[int, Literal[True] | None] = Field(alias="with")


class Proceed(CatalogEntry):
    """Calls `proceed()` of an argument instead of the app's code."""

    proceed: int


class CertificateCheck(CatalogEntry):
    """A certificate check in Java, and its replacement."""

    cls: str = Field(alias="class")
    method: str
    does: Literal["accept", "this"] | With | Proceed
    given_to: Given | None = None
    untested: str | None = Field(default=None, description="why the lab device cannot play it")


class NativeCheck(CatalogEntry):
    """A certificate check in a native library."""

    function: str
    argument: int | None = Field(default=None, description="index of an argument to replace")
    callback: int | None = Field(default=None, description="by a callback that returns this; null: by nothing")
    gives: int | None = Field(default=None, description="what it returns instead")

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.argument is None and self.gives is None:
            raise ValueError("has neither `argument` nor `gives`")
        return self


class Checks(CatalogEntry):
    """catalog/unpinning.yml."""

    java: tuple[CertificateCheck, ...]
    native: tuple[NativeCheck, ...]

    def plan(self) -> dict[str, Any]:
        """The entry in the form that the agent expects (hooks/plan.ts)."""
        return {
            "java": [
                {
                    "cls": check.cls,
                    "method": check.method,
                    "does": check.does if isinstance(check.does, str) else check.does.model_dump(by_alias=True),
                    "given_to": check.given_to and check.given_to.model_dump(),
                }
                for check in self.java
            ],
            "native": [check.model_dump() for check in self.native],
        }


NO_CHECKS: dict[str, Any] = {"java": [], "native": []}
"""The plan of a run that changes nothing in the app."""


def libraries() -> TlsLibraries:
    """The catalog's TLS libraries. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "tls.yml", TlsLibraries)


def checks() -> Checks:
    """The catalog's certificate checks. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "unpinning.yml", Checks)


def leaf_for(ca_pem: Path, host: str) -> str | None:
    """A certificate for a host as the proxy would make one, followed by its CA's (PEM), for testing an app's trust
    check. None if the CA's key is not beside `ca_pem`, as mitmproxy keeps it (mitmproxy-ca.pem)."""
    try:
        both = ca_pem.with_name("mitmproxy-ca.pem").read_bytes()
        authority = trustme.CA.from_pem(ca_pem.read_bytes(), both)
    except (OSError, ValueError):
        return None
    leaf = authority.issue_cert(host, key_type=trustme.KeyType.RSA).cert_chain_pems[0].bytes()
    return (leaf + authority.cert_pem.bytes()).decode()


def key_of(ca_pem: Path) -> str | None:
    """Key identifier of a CA certificate (PEM), in hex, which every certificate that this CA signs names. None if there
    is none, or the file does not exist. Parsed by hand: one field is not worth a library."""
    try:
        der = ssl.PEM_cert_to_DER_cert(ca_pem.read_text("ascii").strip())
    except (OSError, ValueError):
        return None
    found = _KEY_IDENTIFIER.search(der)
    if found is None:
        return None
    return der[found.end() : found.end() + found[2][0]].hex()
