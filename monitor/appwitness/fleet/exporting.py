"""Exports a campaign: tables as CSV or Parquet, letters and checklists for each app."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from appwitness.correlate import report_on
from appwitness.correlate.currency import is_same
from appwitness.correlate.reporting import indexed_report
from appwitness.fleet.objects import recording_at
from appwitness.recording import packing
from appwitness.reports import render
from appwitness.reports.ranking_words import WAYS, masked
from appwitness.store import Store
from appwitness.store.campaign_tables import CampaignTable
from appwitness.support import escape
from appwitness.support.errors import UserError, how_to_install
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:
    from appwitness.correlate.prior_knowledge import Knowledge
    from appwitness.findings import Report

SQL_TYPES = {str: "VARCHAR", int: "BIGINT", bool: "BOOLEAN"}


def write_csv(table: CampaignTable, file: TextIO, *, reveal: bool = False) -> int:
    """Write a table as CSV (RFC 4180, with a header, UTF-8); returns its number of rows.

    Text that a spreadsheet would run as a formula gets a leading apostrophe. Text from recordings is masked where it
    looks like personal data, for example in the name of a recipient, unless `reveal`.
    """
    out = csv.writer(file)
    out.writerow(table.columns)
    count = 0
    for count, row in enumerate(_shown(table, reveal), 1):  # noqa: B007
        out.writerow(escape.cell(value) for value in row)
    return count


def write_parquet(table: CampaignTable, output: Path, *, reveal: bool = False) -> int:
    """Write a table as Parquet; returns its number of rows. Raises UserError when duckdb is missing or cannot write
    it."""
    try:
        import duckdb
    except ModuleNotFoundError:
        raise UserError("Parquet needs duckdb.", how_to_install("fleet")) from None
    try:
        with tempfile.TemporaryDirectory(prefix=".appwitness-", dir=output.parent) as room:
            between, made = Path(room) / "table.csv", Path(room) / "table.parquet"
            with between.open("w", encoding="utf-8", newline="") as file:
                out = csv.writer(file, quoting=csv.QUOTE_NOTNULL)  # distinguishes empty text from null
                out.writerow(table.columns)
                count = 0
                for count, row in enumerate(_shown(table, reveal), 1):  # noqa: B007
                    out.writerow(row)
            with duckdb.connect(
                config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
            ) as engine:
                read = engine.read_csv(
                    str(between), header=True, delimiter=",", quotechar='"', escapechar='"', na_values="",
                    columns={name: SQL_TYPES[kind] for name, kind in table.columns.items()}, auto_detect=False,
                    allow_quoted_nulls=False, max_line_size=1 << 26,
                )  # fmt: skip
                read.write_parquet(str(made), compression="zstd")
            made.chmod(0o600)
            made.replace(output)
    except (OSError, duckdb.Error) as error:
        why = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise UserError(
            Spoken("{output} cannot be written: {why}.", output=output, why=why),
            "Name a file in a folder that you may write to.",
        ) from None
    return count


@dataclass(frozen=True)
class LetterOptions:
    """Options of letters."""

    lang: str
    reveal: bool = False
    template: Path | None = None


def write_letters(store: Store, known: Knowledge, findings: CampaignTable, output: Path, letter: LetterOptions) -> int:
    """Write a ZIP with a complaint letter for each recording that has a finding above level info, in a folder for each
    app; returns the number of letters.

    Raises UserError when the file exists already, and StoreError while recordings in a bucket cannot be reached.
    """
    wanted = {row["recording"]: row["package"] for row in _named(findings) if row["level"] != "info"}

    def letters() -> Iterator[tuple[str, str, str]]:
        for recording, package in wanted.items():
            report = _report(store, known, recording)
            text = render(report, "complaint", reveal=letter.reveal, lang=letter.lang, template=letter.template)
            yield package, f"{recording}.md", text

    return write_packed(output, letters())


def reports_by_app(store: Store, known: Knowledge, runs: CampaignTable) -> Iterator[list[Report]]:
    """The reports of judged runs, in a list for each version of each app.

    Raises StoreError while recordings in a bucket cannot be reached.
    """
    of: dict[tuple[str, str], list[str]] = {}
    for row in _named(runs):
        if row["indexed"] is not None:
            of.setdefault((row["package"], row["app"]), []).append(row["indexed"])
    for recordings in of.values():
        versions: dict[tuple[object, ...], list[Report]] = {}
        for report in (_report(store, known, each) for each in recordings):
            app = report.run.app
            versions.setdefault((app.package, app.version, app.version_code, app.apk_sha256), []).append(report)
        yield from versions.values()


def write_packed(output: Path, texts: Iterable[tuple[str, str, str]]) -> int:
    """Write a ZIP of texts, given as folder name, file name and content; returns their number.

    Raises UserError when the file exists already.
    """
    count = 0
    with packing.created(output) as file, zipfile.ZipFile(file, "w") as packed:
        taken: set[str] = set()
        for count, (folder, own, text) in enumerate(texts, 1):  # noqa: B007
            safe = (re.sub(r"[^A-Za-z0-9._-]", "_", each).lstrip(".") for each in (folder, own))
            name = "/".join(each or "_" for each in safe)
            if name.casefold() in taken:  # names that differ only in case or in characters that were replaced
                stem, _, ending = name.rpartition(".")
                name = f"{stem}-{hashlib.sha256(own.encode()).hexdigest()[:12]}.{ending}"
            taken.add(name.casefold())
            packing.add(packed, name, io.BytesIO(text.encode()))
    return count


def _named(table: CampaignTable) -> Iterator[dict[str, Any]]:
    """The rows as dictionaries: column name -> value."""
    return (dict(zip(table.columns, row, strict=True)) for row in table.rows)


def _report(store: Store, known: Knowledge, recording: str) -> Report:
    """The report of a recording, with the result of verification if the recording still exists."""
    held = store.held(recording)
    opened = recording_at(held.path) if held else None
    if opened and held and is_same(opened, held):
        return report_on(opened, store, known)
    return indexed_report(store, recording, known)


def _shown(table: CampaignTable, reveal: bool) -> Iterator[tuple[Any, ...]]:
    """The rows, with masked values unless `reveal`."""
    names = {number: name for number, name in enumerate(table.columns) if name in WAYS}
    if reveal or not names:
        yield from table.rows
        return
    known: dict[tuple[str, str], str | None] = {}
    for row in table.rows:
        values = list(row)
        for number, name in names.items():
            if (value := values[number]) is not None:
                if (name, value) not in known:
                    known[name, value] = masked(name, value)
                values[number] = known[name, value]
        yield tuple(values)
