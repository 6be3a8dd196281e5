"""A campaign: a table of apps, and the plans under which each of them runs, expanded to runs."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from appwitness.devices.embedded import KIND, is_embedded, sample_app
from appwitness.fleet.pools import pool
from appwitness.store.fleet_tables import Planned
from appwitness.support import given_files
from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken

COLUMNS = ("app", "needs", "persona", "app_type", "first_party", "seconds")
"""Columns of the app table; only `app` is required."""
_PACKAGE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+")
LARGEST = 16 << 20
"""Largest app table, in bytes."""
_PACKED = (".apk", ".apks", ".apkm", ".xapk")


@dataclass(frozen=True)
class Campaign:
    """The name of a campaign, and the plans under which its apps are run."""

    name: str
    plans: Sequence[str]
    needs: str = ""
    """Requirements of every app, in addition to its own."""
    seconds: float | None = None
    elsewhere: bool = False
    """Whether a table may name files outside its folder; not by default, as the table may come from a stranger."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", self.name):
            raise UserError(
                Spoken("{name!r} cannot be the name of a campaign.", name=self.name),
                "Use up to 60 of the letters A-Z a-z 0-9 . _ and -.",
            )

    def runs(self, table: Path) -> Iterator[Planned]:
        """The runs of the apps in a CSV file, in the order of the file. Raises FileError with the line of an invalid
        entry."""
        lines = csv.DictReader(io.StringIO(given_files.text(table, LARGEST).removeprefix("\ufeff"), newline=""))
        try:
            names = lines.fieldnames or []
            if "app" not in names or (unknown := sorted(set(names) - set(COLUMNS))):
                wrong = (
                    Spoken("there is no column named {name!r}.", name=unknown[0])
                    if "app" in names
                    else Spoken("there is no column `app`.")
                )
                raise FileError(table, 1, wrong, Spoken("Columns are {columns}.", columns=", ".join(COLUMNS)))
            for row in lines:
                try:
                    if None in row or None in row.values():
                        raise UserError(
                            "it does not have as many fields as the first line.", "Write each app on one line."
                        )
                    yield from self._of({name: value.strip() for name, value in row.items()}, table.parent)
                except UserError as error:
                    raise FileError(table, lines.line_num, error.what, error.next_step) from None
        except csv.Error as error:
            raise FileError(
                table, lines.line_num + 1, Spoken("not CSV: {error}.", error=error), "Write each app on one line."
            ) from None

    def _of(self, row: dict[str, str], folder: Path) -> Iterator[Planned]:
        named = row["app"]
        app, package, apk = self._app(named, folder)
        needs = [f"kind={KIND}" if is_embedded(app) else f"kind!={KIND}", self.needs, row.get("needs", "")]
        persona = str(self._file(folder / row["persona"], folder)) if row.get("persona") else None
        options = {name: row[name] for name in ("app_type", "first_party", "seconds") if row.get(name)}
        if self.seconds is not None:
            options.setdefault("seconds", f"{self.seconds:g}")
        label = re.sub(r"[^A-Za-z0-9._-]", "-", package)[:60]
        options_, pool_ = json.dumps(options), pool(" and ".join(filter(None, needs)))
        for plan in self.plans:
            key = json.dumps([self.name, app, plan, persona])
            yield Planned(
                id=f"{self.name}-{label}-{plan}-{hashlib.sha256(key.encode()).hexdigest()[:12]}",
                campaign=self.name, app=app, package=package, apk=apk, plan=plan, persona=persona,
                options=options_, pool=pool_,
            )  # fmt: skip

    def _app(self, named: str, folder: Path) -> tuple[str, str, str | None]:
        """The app's identity, its readable name, and the file to install."""
        if is_embedded(named) and re.fullmatch("[a-z]+", sample_app(named)):
            return named, named, None
        path = folder / named
        if path.suffix in _PACKED or (named and "\0" not in named and path.is_dir()):
            real = self._file(path, folder)
            return self._digest(real), path.stem, str(real)
        if not _PACKAGE.fullmatch(named):
            todo = Spoken("Write an APK, .apks, .apkm, .xapk, a folder of splits, or a package.")
            raise UserError(Spoken("{named!r} is not an app.", named=named), todo)
        return named, named, None

    def _digest(self, path: Path) -> str:
        """SHA-256 of a file; for a folder, of the names and digests of its files."""
        if path.is_dir():
            files = [each for each in path.iterdir() if each.is_file()]
            inside = sorted((each.name, self._digest(self._file(each, path))) for each in files)
            return hashlib.sha256(json.dumps(inside).encode()).hexdigest()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _file(self, path: Path, folder: Path) -> Path:
        """The resolved file or folder; it must be in `folder` unless the operator allows others."""
        try:
            real = path.resolve() if self.elsewhere else given_files.beside(path, folder)
            kind = real.stat().st_mode
        except (OSError, ValueError, RuntimeError):
            raise UserError(
                Spoken("there is no {path}.", path=path), "Name files from the folder of the table."
            ) from None
        except FileError:
            todo = Spoken("Put it beside the table, or allow files elsewhere: --files-elsewhere.")
            raise UserError(
                Spoken("{path} points outside the folder {folder}.", path=path, folder=folder.resolve()), todo
            ) from None
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
            raise UserError(
                Spoken("{path} is not a regular file.", path=path), "Name an APK, an archive or a folder of splits."
            )
        return real
