"""Maps Android's AppOps to the data types whose recorded reads should explain them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from pydantic import Field, ValidationInfo, model_validator

from appwitness.catalog.entries import CatalogEntry
from appwitness.events import DataType


class Op(CatalogEntry):
    """One AppOps op, which Android records when it gives an app the data that the op guards."""

    op: str = Field(description="as AppOps prints it: FINE_LOCATION")
    data: tuple[DataType, ...] = Field(min_length=1, description="reads of these kinds explain it, the first names it")
    wide: bool = Field(
        default=False, description="noted for calls that give no personal data too: more of it than reads says nothing"
    )


class AppOps(CatalogEntry):
    """The content of catalog/devices/appops.yml."""

    ops: tuple[Op, ...]
    providers: tuple[str, ...] = Field(
        description="packages that ask the system only because the app asked them; a prefix where it ends with a dot"
    )

    @model_validator(mode="after")
    def _known(self, info: ValidationInfo) -> AppOps:
        names = [each.op for each in self.ops]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"named twice: {', '.join(twice)}")
        codes: Iterable[str] | None = (info.context or {}).get("data")
        if codes is not None and (strange := sorted({code for each in self.ops for code in each.data} - set(codes))):
            raise ValueError(f"unknown data types: {', '.join(strange)}")
        return self

    @cached_property
    def _by_name(self) -> dict[str, Op]:
        return {each.op: each for each in self.ops}

    def of(self, name: str | None) -> Op | None:
        """The op with that name; None for an op that guards no personal data."""
        return self._by_name.get(name or "")

    def is_provider(self, package: str) -> bool:
        """Whether a package only queries the system on behalf of an app."""
        return any(package == each or (each.endswith(".") and package.startswith(each)) for each in self.providers)
