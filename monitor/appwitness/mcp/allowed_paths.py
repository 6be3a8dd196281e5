"""Restricts an assistant's paths to the files and folders that the operator allows; links out of them are refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from appwitness.support.errors import UserError


class AllowedPaths:
    """Folders below which paths may be named."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(dict.fromkeys(folder.resolve() for folder in folders))

    def __call__(self, name: str) -> Path:
        """The path that a text names, links followed. Raises UserError when it leads out, or nothing is there."""
        try:
            path = Path(name).expanduser().resolve()
            there = path.exists()
        except (OSError, RuntimeError, ValueError):
            raise UserError(f"{name!r} is no path.", f"Name something in {self}.") from None
        if not any(path.is_relative_to(folder) for folder in self.folders):
            raise UserError(
                f"{name} is outside the folders that may be read.",
                f"Name something in {self}, or have the operator start `appwitness mcp` with --folder.",
            )
        if not there:
            raise UserError(f"There is no {name}.", f"Name something in {self}.")
        return path

    def __str__(self) -> str:
        return ", ".join(map(str, self.folders))
