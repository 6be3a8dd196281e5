"""Reads catalog/native.yml: routes to personal data below the Java API, in C and over Binder."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry, Pattern

Reads = Literal[
    "property",
    "property_callback",
    "property_read",
    "file",
    "folder",
    "path",
    "interfaces",
    "ioctl",
    "netlink",
    "command",
    "call",
    "drm_bytes",
]


class Ask(CatalogEntry):
    """Which calls of a route concern personal data."""

    matches: Pattern = Field(description="found in the property, the path, the command line that the call names")
    data: str = Field(description="data type code")
    value: Pattern | None = Field(default=None, description="what of that which is read is a value; None: all of it")


class NativeRoute(CatalogEntry):
    """One function of a native library."""

    library: str = Field(description="as Android names it")
    function: str
    also: tuple[str, ...] = Field(default=(), description="other names of the same: one route, named by `function`")
    reads: Reads = Field(description="how a call is read, one in hooks/watch/routes.ts each")
    why: str = Field(description="why it matters, in one sentence")
    covers: tuple[str, ...] = Field(default=(), description="methods of the library in yardstick.csv that it sees")
    asks: tuple[Ask, ...] = Field(min_length=1)

    @property
    def name(self) -> str:
        """The name that accesses use."""
        return f"{self.library}!{self.function}"

    def plan(self) -> dict[str, Any]:
        """The entry in the form that the agent expects (hooks/plan.ts)."""
        return {
            "source": self.name,
            "library": self.library,
            "functions": (self.function, *self.also),
            "reads": self.reads,
            "asks": [ask.model_dump() for ask in self.asks],
        }


class Named(CatalogEntry):
    """Calls of an interface that return another kind of data than its other calls."""

    matches: Pattern = Field(description="found in `interface.method`")
    data: str = Field(description="data type code")


class Binder(CatalogEntry):
    """Transactions that the app's own code makes with system services."""

    source: str = Field(description="class and method, as accesses name it")
    why: str
    interfaces: dict[str, str] = Field(description="interface -> data type code")
    methods: tuple[Named, ...] = Field(default=(), description="the first that matches says the data type")

    def plan(self) -> dict[str, Any]:
        """The entry in the form that the agent expects (hooks/plan.ts)."""
        return {
            "source": self.source,
            "interfaces": self.interfaces,
            "methods": [named.model_dump() for named in self.methods],
        }


class Native(CatalogEntry):
    """catalog/native.yml."""

    routes: tuple[NativeRoute, ...]
    binder: Binder

    def plan(self) -> dict[str, Any]:
        """The entry in the form that the agent expects (hooks/plan.ts)."""
        return {"routes": [route.plan() for route in self.routes], "binder": self.binder.plan()}

    def sees(self) -> dict[tuple[str, str, str], str]:
        """The APIs of the yardstick (class, method, what) that it observes -> the name of the source."""
        routes = {(route.library, each, ""): route.name for route in self.routes for each in route.covers}
        cls, _, method = self.binder.source.rpartition(".")
        return routes | {(cls, method, interface): self.binder.source for interface in self.binder.interfaces}


def load() -> Native:
    """Load the catalog's native.yml. Raises FileError with file and line."""
    return yaml_files.parse(yaml_files.HERE / "native.yml", Native)
