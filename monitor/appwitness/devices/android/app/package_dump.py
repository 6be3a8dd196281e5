"""Parses `dumpsys package PKG` for one app, Android 7 to 16; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PERMISSION = re.compile(r"^\s+([\w.]+): granted=(true|false)(?:, flags=\[ ?([^\]]*)\])?", re.MULTILINE)


@dataclass(frozen=True)
class PackageDump:
    """The parts of the dump that concern the app."""

    own: str
    """The app's own part; empty if it is missing."""
    shared: str | None = ""
    """The part on the user ID that it shares with other apps of its maker, where their permissions are kept. None:
    it shares one, but the part is missing."""

    @classmethod
    def of(cls, said: str, package: str) -> PackageDump:
        """Parse the whole output `said` for one package."""
        own = _part(said, rf"  Package \[{re.escape(package)}\]", r"  Package \[")
        shared = re.search(r"sharedUser=SharedUserSetting\{\w+ ([\w.]+)/\d+\}", own)
        if not shared:
            return cls(own)
        return cls(own, _part(said, rf"  SharedUser \[{re.escape(shared[1])}\]", r"  SharedUser \[") or None)

    def of_user(self, user: int) -> str:
        """What the dump says about the app for one user of the device, followed by the shared part."""
        found = (
            re.search(rf"^\s+User {user}:.*?(?=^\s+User \d+:|\Z)", part, re.MULTILINE | re.DOTALL)
            for part in (self.own, self.shared or "")
        )
        return "\n".join(match[0] for match in found if match)

    def runtime(self, user: int) -> dict[str, tuple[bool, str]] | None:
        """Each runtime permission: whether it is granted, and the flags that say who decided.

        None: the dump has nothing on that user, so nothing is known.
        """
        of_user = self.of_user(user)
        if not of_user or self.shared is None:
            return None
        lines = section(of_user, "runtime permissions:") or []
        return {
            name: (granted == "true", flags or "") for name, granted, flags in _PERMISSION.findall("\n".join(lines))
        }

    def installed(self) -> list[str]:
        """Permissions granted at installation, for all users."""
        lines = [
            *(section(self.own, "install permissions:") or []),
            *(section(self.shared or "", "install permissions:") or []),
        ]
        return [line.split(":")[0].strip() for line in lines if "granted=true" in line]

    def requested(self) -> list[str]:
        """Permissions that the app requests."""
        return [line.split(":")[0].strip() for line in section(self.own, "requested permissions:") or []]


def section(dump: str, title: str) -> list[str] | None:
    """The lines indented below a title, for each occurrence of it; None: it does not occur."""
    found: list[str] | None = None
    inside = -1
    for line in dump.splitlines():
        depth = len(line) - len(line.lstrip())
        if line.strip() == title:
            found, inside = found or [], depth
        elif depth <= inside:
            inside = -1
        elif inside >= 0 and found is not None:
            found.append(line)
    return found


def _part(said: str, heading: str, next_one: str) -> str:
    found = re.search(rf"^{heading}.*?(?=^{next_one}|^\S|\Z)", f"{said}\n", re.MULTILINE | re.DOTALL)
    return found[0] if found else ""
