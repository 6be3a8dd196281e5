"""Restricts an assistant's paths to the files and folders that the operator allows; links out of them are refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken


class AllowedPaths:
    """Folders in which paths may be given."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(dict.fromkeys(folder.resolve() for folder in folders))

    def __call__(self, name: str) -> Path:
        """Resolve a path. Raises UserError when it leads out of the folders or nothing is there."""
        try:
            path = Path(name).expanduser().resolve()
            there = path.exists()
        except (OSError, RuntimeError, ValueError):
            raise UserError(
                Spoken("{name!r} is not a path.", name=name), Spoken("Name something in {folders}.", folders=self)
            ) from None
        if not any(path.is_relative_to(folder) for folder in self.folders):
            raise UserError(
                Spoken("{name} is outside the folders that may be read.", name=name),
                Spoken(
                    "Name something in {folders}, or have the operator start `appwitness mcp` with --folder.",
                    folders=self,
                ),
            )
        if not there:
            raise UserError(
                Spoken("There is no {name}.", name=name), Spoken("Name something in {folders}.", folders=self)
            )
        return path

    def __str__(self) -> str:
        return ", ".join(map(str, self.folders))
