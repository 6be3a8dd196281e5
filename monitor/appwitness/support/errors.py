"""The error that users see: what happened, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from appwitness.support.spoken import Spoken, literal


class UserError(Exception):
    """Something that the user can fix.

    `what` is one sentence on what happened, `next_step` one on what to do about it. The command line prints both and
    exits with `exit_code` (see the table in cli.EXIT_CODES and docs/reference.md).
    """

    exit_code = 2

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(Spoken("{what} {next_step}", what=literal(what), next_step=literal(next_step)))
        self.what = what
        self.next_step = next_step

    @property
    def message(self) -> str:
        """Both sentences as one translatable text."""
        both: str = self.args[0]
        return both

    def __reduce__(self) -> tuple[Any, ...]:
        """Makes errors survive pickling between processes, whatever arguments their constructor takes."""
        return self.__class__.__new__, (self.__class__, *self.args), self.__dict__


class FileError(UserError):
    """A file that cannot be used as it is; names the file and, if known, the line (the first line is 1)."""

    def __init__(self, path: object, line: int | None, what: str, next_step: str) -> None:
        place = f"{path}:{line}" if line else str(path)
        super().__init__(Spoken("{place}: {what}", place=place, what=literal(what)), next_step)
        self.path = path
        self.line = line


class StoreError(UserError):
    """A database that does not answer, or not as it should; a later attempt may succeed."""


class DiskFullError(UserError):
    """A disk has no room for what was to be written; a later attempt may succeed."""


class SetupError(UserError):
    """The device, the proxy or the agent could not be started."""

    exit_code = 4


@contextmanager
def extra(name: str) -> Iterator[None]:
    """For imports from an extra of the package: raises SetupError when the extra is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise not_installed(str(error.name), name) from None


def not_installed(what: str, extra: str) -> SetupError:
    """The error for a module from an extra that is not installed."""
    return SetupError(Spoken("{what} is not installed.", what=what), how_to_install(extra))


def how_to_install(extra: str) -> str:
    """The next step for a missing extra. It gives pip the names of the extra's dependencies, never the package's
    own: until appwitness is published, anybody could register that name in a public index."""
    import re
    import shlex
    from importlib import metadata

    of_extra = re.compile(rf"""(\S+) *; *extra *== *['"]{re.escape(extra)}['"]""")
    named = [found[1] for line in metadata.requires("appwitness") or () if (found := of_extra.fullmatch(line))]
    return Spoken(
        "Install the `{part}` extra of appwitness: `python3 -m pip install {names}`.",
        part=extra,
        names=shlex.join(named),
    )


class Unhookable(SetupError):
    """The agent cannot be loaded into the app, or none of its hooks works there: only the app's traffic can be
    observed."""


class DamagedRecording(UserError):
    """A recording that does not match its stamps."""

    exit_code = 5
