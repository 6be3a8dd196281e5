"""Campaigns of many apps on many devices: planning them, running them, and reading their results."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TextIO

from appwitness.api.home import database, home, index_key, recordings
from appwitness.support import private_files
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import Judging, Keep
    from appwitness.correlate.prior_knowledge import Knowledge
    from appwitness.fleet.hosting import Crew
    from appwitness.fleet.status import Status as Status
    from appwitness.fleet.worker import Host
    from appwitness.store import campaign_tables
    from appwitness.store.lists import ListPage
    from appwitness.store.models import When
    from appwitness.store.ranking import Basis
    from appwitness.store.ranking import By as By
    from appwitness.store.ranking import Ranked as Ranked
    from appwitness.store.runs import Runs

    type TableName = campaign_tables.Name


@dataclass(frozen=True)
class HostChoices:
    """The configuration of a host and of its runs."""

    name: str
    """Its name, unique among hosts."""
    devices: str = "all"
    """Serials, separated by commas; `all`: those ready now; `none`: only judge; `lab`, `lab2` ...: embedded devices."""
    label: Sequence[str] = ()
    """Labels for all devices (`NAME=VALUE`) or for one (`SERIAL/NAME=VALUE`)."""
    judges: int = 1
    """Number of processes that judge recordings."""
    recordings: str | None = None
    """A folder that every host can reach, or a bucket; None: the folder of recordings."""
    spool_bytes: int = 20 << 30
    """Maximum number of bytes of recordings that may wait on this machine while they cannot be uploaded."""
    judging: Mapping[str, Any] = field(default_factory=dict)
    """How recordings are judged: `rules`, and choices that `appwitness.report` takes."""
    keep: Keep | None = None
    """What the index keeps of recordings; None: conclusions."""


class FleetHost:
    """A host that is ready to make and judge runs."""

    def __init__(self, host: Host, crew: Crew) -> None:
        self._host = host
        self._crew = crew

    @property
    def devices(self) -> int:
        """Number of its devices."""
        return len(self._crew.devices)

    @property
    def judges(self) -> int:
        """Number of recordings it judges at once."""
        return self._crew.judges

    def serve(self, stop: Callable[[], bool] = lambda: False, *, ends: bool = False) -> None:
        """Make and judge runs until `stop()`, or, if it `ends`, until there is nothing left that it can do.

        Runs in progress at that moment are ended and wait to be made again.
        """
        from appwitness.fleet.hosting import over, serve

        host = replace(self._host, beat_s=1.0) if ends else self._host
        serve(host, self._crew, stop, lambda: ends and over(host, self._crew))


class Fleet:
    """The campaigns in a database: their runs, and the devices that make them."""

    def __init__(self, db: str | None = None) -> None:
        """`db`: SQLite file or SQLAlchemy URL; None: appwitness.sqlite in ~/.appwitness."""
        from appwitness.store.runs import Runs

        self._place = database(db)
        self._runs: Runs = Runs(self._place)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._runs.close()

    def plan(
        self,
        campaign: str,
        apps: Path,
        plans: Sequence[str],
        *,
        needs: str = "",
        seconds: float | None = None,
        elsewhere: bool = False,
    ) -> int:
        """Plan a run of each app in a CSV file under each plan; returns how many runs are new.

        `needs` are the requirements for a device, such as `api>=33 and rooted`. Each run ends after `seconds`, or when
        its app ends. `elsewhere`: files named in the table may lie outside its folder.

        Raises UserError for an invalid campaign name, FileError with the invalid line.
        """
        from appwitness.fleet.plan import Campaign

        return self._runs.plan(Campaign(campaign, plans, needs, seconds, elsewhere).runs(apps))

    def host(self, choices: HostChoices, campaign: str | None = None) -> FleetHost:
        """Prepare a host that works for one campaign, or for any.

        Raises UserError and FileError for invalid choices or files, SetupError for devices that are not there.
        """
        from appwitness.correlate.prior_knowledge import knowledge
        from appwitness.fleet.host_devices import chosen
        from appwitness.fleet.hosting import Crew
        from appwitness.fleet.judges import By
        from appwitness.fleet.objects import objects
        from appwitness.fleet.spool import Spool, folder_of
        from appwitness.fleet.worker import Host

        folder = folder_of(choices.name, home() / "fleet")
        knowledge(**choices.judging)  # raises for invalid choices before anything begins
        kept = objects(choices.recordings or recordings())
        host = Host(
            choices.name,
            self._runs,
            kept,
            Spool(folder, kept, choices.spool_bytes, self._runs.name),
            home() / "devices",
            threading.Event(),
            campaign=campaign,
        )
        keep = choices.keep or "conclusions"  # a campaign has too many lines to store twice
        by = By(self._place, choices.judging, keep, index_key(make=keep == "conclusions"))
        crew = Crew(chosen(choices.devices, choices.label), choices.judges, by)
        return FleetHost(host, crew)

    def status(self, campaign: str | None = None) -> Status:
        """The status of one campaign, or of all."""
        from appwitness.fleet.status import status

        return status(self._runs, campaign)

    def has_devices_of(self, host: str) -> bool:
        """Whether a host with devices has sent a heartbeat lately."""
        from appwitness.fleet.status import SILENT_S

        return any(slot.host == host and slot.silent_s < SILENT_S for slot in self._runs.devices())

    def retry(self, campaign: str, reason: str | None = None) -> int:
        """Plan again the runs that could not be observed, for any reason or only for one; returns how many."""
        return self._runs.retry(campaign, reason)

    def judge_again(self, campaign: str) -> int:
        """Queue judged runs for judging again, for example after a change of rules; returns how many."""
        return self._runs.judge_again(campaign)

    def pause(self, serial: str, *, rest: bool = True) -> None:
        """Pause a device (SERIAL or HOST/SERIAL) after its current run, or resume it.

        Raises UserError if no host has reported such a device.
        """
        if not self._runs.pause(serial, rest=rest):
            raise UserError(
                Spoken("No host has reported a device {serial}.", serial=serial),
                "`appwitness fleet status --json` lists them.",
            )


def needed_by(checklist: str, rules: Path | None = None) -> tuple[list[str], float]:
    """The plans that a checklist needs, and how many seconds each run must last; `rules`: the user's own rules.

    Raises UserError if there is no such list, FileError for an invalid file.
    """
    from appwitness.api.checklist_runs import seconds_of_all
    from appwitness.api.checklists import checklist as named
    from appwitness.correlate.prior_knowledge import knowledge

    which = named(checklist, knowledge(rules))
    return list(which.plans), seconds_of_all(which)


# results


class AppRanking(NamedTuple):
    """A ranking by number of apps, with its basis."""

    page: ListPage[Ranked]
    basis: Basis
    known: Knowledge
    """The catalog and the user's rules, for the names of rules and recipients."""
    moments: tuple[When, ...]
    """The `When` values that occur in its rows; empty if it ranks rules or findings, or is filtered by rule: a rule
    itself implies when."""


def ranking(
    by: By, filters: Mapping[str, str], *, top: int = 30, rules: Path | None = None, db: str | None = None
) -> AppRanking:
    """Rank recipients, SDKs, data types, rules, findings or apps by the number of apps they concern.

    Each filter selects one value, empty texts are ignored: campaign, recipient, sdk, data, rule, app. Raises UserError
    if the index cannot be used, FileError for invalid rules.
    """
    from appwitness.api.app_rankings import ranked
    from appwitness.correlate.prior_knowledge import knowledge
    from appwitness.store import Store

    known = knowledge(rules)
    with Store(database(db)) as store:
        page, basis, moments = ranked(store, known, by, filters, rows=top)
    told = tuple(each for each in moments if any(each in row.when for row in page.rows))
    return AppRanking(page, basis, known, told)


def write_csv(
    name: TableName, output: Path | TextIO, campaign: str | None = None, *, reveal: bool = False, db: str | None = None
) -> int:
    """Write a table of one campaign or of all as CSV: runs, findings, flows or recipients; returns the number of rows.

    Recipient names that look like personal data are masked, unless `reveal`. Raises UserError if the index or the file
    cannot be used.
    """
    from appwitness.fleet.exporting import write_csv
    from appwitness.store.campaign_tables import table

    rows = table(database(db), name, campaign)
    if not isinstance(output, Path):
        return write_csv(rows, output, reveal=reveal)
    with private_files.writing(output) as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
        return write_csv(rows, text, reveal=reveal)


def write_parquet(
    name: TableName, output: Path, campaign: str | None = None, *, reveal: bool = False, db: str | None = None
) -> int:
    """Write such a table as Parquet; returns the number of rows.

    Raises UserError as `write_csv` does, and if duckdb is missing.
    """
    from appwitness.fleet.exporting import write_parquet
    from appwitness.store.campaign_tables import table

    return write_parquet(table(database(db), name, campaign), output, reveal=reveal)


def write_letters(
    judging: Judging,
    output: Path,
    campaign: str | None = None,
    *,
    lang: str | None = None,
    template: Path | None = None,
    reveal: bool = False,
) -> int:
    """Write a ZIP with a draft letter for each recording with findings, in one folder per app; returns the number of
    letters.

    `lang` None: Chinese if China's law comes first, else English. `template` is Markdown with Jinja2; None: the
    built-in one. Raises UserError if the file already exists, and StoreError while recordings in a bucket cannot be
    reached.
    """
    from appwitness.fleet.exporting import LetterOptions, write_letters
    from appwitness.store.campaign_tables import table

    letter = LetterOptions(lang or judging.letters_lang, reveal, template)
    findings = table(database(judging.db), "findings", campaign)
    return write_letters(judging.store, judging.known, findings, output, letter)


def write_checklists(
    judging: Judging, name: str, output: Path, campaign: str | None = None, *, lang: str = "en", reveal: bool = False
) -> int:
    """Write a ZIP with a checklist for each version of each app, filled from its judged runs, as HTML and JSON, in one
    folder per app; returns the number of lists.

    `name` is a list of `appwitness.api.checklists`, or a file. Raises UserError if the file already exists, and
    StoreError while recordings in a bucket cannot be reached.
    """
    from appwitness.api.checklists import checklist, filled_from, render
    from appwitness.fleet.exporting import reports_by_app, write_packed
    from appwitness.store.campaign_tables import table

    which = checklist(name, judging.known)
    runs = table(database(judging.db), "runs", campaign)

    def lists() -> Iterator[tuple[str, str, str]]:
        for reports in reports_by_app(judging.store, judging.known, runs):
            app = reports[0].run.app
            filled = filled_from(which, reports, judging, reveal=reveal)
            stem = "-".join(filter(None, (which.id, app.version, (app.apk_sha256 or "")[:12])))
            for format in ("html", "json"):
                yield app.package, f"{stem}.{format}", render(filled, format, lang)

    return write_packed(output, lists()) // 2
