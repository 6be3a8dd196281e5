"""Reads an index for browsing, including recordings that are still being made."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from appwitness.api.app_rankings import By, RankedApps, hosts_of, ranked
from appwitness.api.integrity_badges import Badge as Badge
from appwitness.api.integrity_badges import IntegrityBadges
from appwitness.api.judging import ComparedRuns, Judging
from appwitness.api.marking import MarkDetails, consent
from appwitness.api.recorded_lines import RecordedLines
from appwitness.api.upload_decoding import TakenApart, taken_apart
from appwitness.care import reveals
from appwitness.correlate import Knowledge, correlate, differences, indexed_report, report
from appwitness.correlate.currency import find, is_same
from appwitness.correlate.report_context import around
from appwitness.events import FILES, Access, ConsentState, Event, Ref, Run, Upload, Value
from appwitness.events.refs import Refs
from appwitness.events.seen import Seen, holds, number_of
from appwitness.exchange import har
from appwitness.findings import LEVELS, Flow, Report
from appwitness.findings.mask import Mask, known_values, masked
from appwitness.findings.surroundings import Context
from appwitness.fleet.objects import recording_at
from appwitness.judge.compare import compare
from appwitness.judge.rules import Rule
from appwitness.recording import START, Position, ReadLine, Recording
from appwitness.recording.signing import Signer
from appwitness.reports.page.sections import picture_type
from appwitness.store import Store
from appwitness.store.campaigns import has_fleet
from appwitness.store.lists import ROWS as ROWS
from appwitness.store.lists import AppRuns as AppRuns
from appwitness.store.lists import Carried as Carried
from appwitness.store.lists import FindingFields as FindingFields
from appwitness.store.lists import ListedRecording as ListedRecording
from appwitness.store.lists import ListPage as ListPage
from appwitness.store.lists import Lists, paged
from appwitness.store.lists import RuleCount as RuleCount
from appwitness.store.lists import SentCount as SentCount
from appwitness.store.lists import SentMatch as SentMatch
from appwitness.store.lists import State as State
from appwitness.store.runs import Runs
from appwitness.support import private_files
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

REMEMBERED = 8
"""Maximum number of recordings whose prepared data is cached."""
MOST_COMPARED = 8
MOST_MADE = 6
"""Maximum number of prepared parts of pages that are cached for one recording."""
MOST_ENTERED = 1_000
"""A finding about more lines than this is not entered line by line in `FindingsByLine`."""
LARGEST_PICTURE = 64 << 20
"""Largest picture or film, in bytes."""


def _copied(file: str, to: str) -> None:
    """Copy a regular file of a recording; links, pipes and the like are skipped, as they do not belong to one."""
    if stat.S_ISREG(os.lstat(file).st_mode):
        shutil.copyfile(file, to, follow_symlinks=False)


class FindingsByLine:
    """The numbers, from 1, of the findings that rest on a line."""

    def __init__(self, findings: Sequence[FindingFields], uploads: Mapping[str, Ref]) -> None:
        """`uploads`: the id of each flow -> its upload."""
        self._few: dict[Ref, list[int]] = {}
        self._many: list[tuple[int, Refs]] = []
        """Findings about more than MOST_ENTERED lines."""
        for number, finding in enumerate(findings, start=1):
            lines = finding.all_evidence
            sent = dict.fromkeys(uploads[name] for name in finding.flows if name in uploads)
            if len(lines) > MOST_ENTERED:
                self._many.append((number, lines))
                sent = dict.fromkeys(ref for ref in sent if ref not in lines)
            else:
                sent = dict.fromkeys(lines) | sent
            for ref in sent:
                self._few.setdefault(ref, []).append(number)

    def of(self, ref: Ref) -> list[int]:
        """The numbers of the findings that rest on one line."""
        return sorted([*self._few.get(ref, ()), *(number for number, lines in self._many if ref in lines)])

    def numbers(self, file: str) -> Iterator[int]:
        """The number of each line in a file that a finding rests on; some are yielded several times."""
        yield from (number_of(ref) for ref in self._few if ref.startswith(file))
        for _, lines in self._many:
            yield from lines.by_file().get(file, ())


class Carries(NamedTuple):
    """The findings and flows of one recording, by line."""

    findings: list[FindingFields]
    flows: list[Carried]
    about: FindingsByLine
    of: dict[Ref, list[Carried]]
    """Line of a read or an upload -> its flows."""


class NumberedFinding(NamedTuple):
    """A finding, and its number in the recording, from 1."""

    number: int
    finding: FindingFields


class CountedRule(NamedTuple):
    """A rule, with its number of findings and of recordings."""

    rule: Rule
    findings: int
    recordings: int


@dataclass
class _Kept:
    """Data prepared for the pages of one recording."""

    mask: Mask
    lines: dict[str, RecordedLines]
    turn: threading.RLock = field(default_factory=threading.RLock)
    """Lets one page at a time use the data, as it grows while in use."""
    accesses: Position = START
    """Position up to which the mask has learned the values of reads."""
    unreadable: tuple[State, bool] | None = None
    concluded: tuple[State, Carries] | None = None
    report: tuple[State, bool, Report] | None = None
    made: tuple[State, dict[object, Any]] | None = None


@dataclass
class Browsing:
    """Browses one index. Results that take long are cached for the recordings requested last.

    Every method that takes the id of a recording raises UserError if the index has no recording with that id.
    """

    store: Store
    known: Knowledge
    reveals: Path | None = None
    """The folder with the log of reveals; None: every value is masked."""
    signer: Signer | None = None
    """Signs marks."""
    lists: Lists = field(init=False)
    """Lists over all recordings: the recordings themselves, recipients, the findings of a rule."""
    badges: IntegrityBadges = field(init=False)

    def __post_init__(self) -> None:
        self.lists = Lists(self.store)
        self.badges = IntegrityBadges()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._turn = threading.RLock()
        self._fleet: Runs | None = None
        self._opened: Recording | None = None
        """The last recording opened: an archive stays unpacked until another is requested."""

    def check(self) -> None:
        """Check that the index answers. Raises UserError if it does not."""
        self.store.check()

    def note_reveal(self, recordings: Iterable[str], what: str, by: str | None) -> None:
        """Log that values of these recordings are about to be shown unmasked: in which form, and requested from where.

        Raises UserError if that cannot be logged; nothing may be shown then. Without `reveals`, nothing is logged.
        """
        if self.reveals:
            reveals.note(self.reveals, "web", recordings, what, by)

    # adding recordings to the index

    def take_in(self, path: Path) -> str:
        """Read a recording into the index and judge it; returns its name there. Raises UserError if it is not a
        recording."""
        recording = Recording.open(path)
        correlate(recording, self.store, self.known)
        return find(recording, self.store)[0]

    def name_of(self, path: Path) -> str | None:
        """The name of a recording in the index; None if the index has nothing of it."""
        with suppress(UserError):
            name, held = find(Recording.open(path), self.store)
            return name if held else None
        return None

    # all recordings

    @property
    def has_fleet(self) -> bool:
        """Whether a campaign was planned in this database."""
        return self._fleet is not None or has_fleet(self.store)

    @property
    def fleet(self) -> Runs | None:
        """The campaigns in this database; None if none was planned. Raises UserError if another version of
        appwitness planned them."""
        with self._turn:
            if self._fleet is None and has_fleet(self.store):
                self._fleet = Runs(self.store.place)
            return self._fleet

    def rules(self) -> list[CountedRule]:
        """All rules, those with findings in the most recordings first."""
        counts = self.lists.rules()
        counted = (CountedRule(rule, *counts.get(rule.id, (0, 0))) for rule in self.known.rules)
        return sorted(counted, key=lambda each: -each.recordings)

    def rule(self, name: str) -> Rule:
        """The rule with this id. Raises UserError if there is none."""
        found = next((each for each in self.known.rules if each.id == name), None)
        if found is None:
            raise UserError(Spoken("There is no rule {name}.", name=name), "`appwitness list rules` lists them.")
        return found

    def references(self, rule: Rule) -> list[str]:
        """The references of a rule: articles of the chosen laws, then its own."""
        laws = self.known.laws
        return [*laws.references(laws.articles(rule.kinds, self.known.jurisdictions)), *rule.references]

    def ranking(self, by: By, filters: Mapping[str, str], page: int = 1) -> RankedApps:
        """A page of a ranking over apps; see `appwitness.api.app_rankings.ranked`."""
        return ranked(self.store, self.known, by, filters, page)

    def hosts_of(self, recipient: str) -> list[str]:
        """Some of the recipient's hosts that received something, sorted by name."""
        return hosts_of(self.store, recipient)

    def compared(self, recordings: Iterable[str]) -> ComparedRuns:
        """Compare recordings of one app: what is read and sent whatever the user answers.

        Raises UserError for recordings of several apps, for fewer than two, and for more than MOST_COMPARED.
        """
        ids = list(dict.fromkeys(recordings))
        if not 2 <= len(ids) <= MOST_COMPARED:
            raise UserError(
                Spoken("You named {ids} runs.", ids=len(ids)),
                Spoken("Choose two runs of one app, or up to {most_compared}.", most_compared=MOST_COMPARED),
            )
        reports = [report(self.store, id_, self.known) for id_ in ids]
        if len({each.run.app.package for each in reports}) > 1:
            raise UserError("These are runs of several apps.", "Choose runs of one app.")
        folders = [Path(each.path or "") for each in reports]
        there = all(folder.exists() and self._open(id_) for folder, id_ in zip(folders, ids, strict=True))
        found = differences(folders, reports) if there else ()
        return ComparedRuns(compare(reports, found, self.known.labels), reports)

    @cached_property
    def judging(self) -> Judging:
        """The settings for judging, for operations that work as on the command line."""
        return Judging(self.known, str(self.store.place))

    # one recording

    def badge(self, recording: str, wait_s: float = 0.0) -> Badge | None:
        """The integrity badge of a recording, from `IntegrityBadges.of`; None if it is in a bucket or still in
        progress."""
        address = self.store.address(recording)
        if "://" in address or self.is_live(recording):
            return None
        return self.badges.of(recording, Path(address), lambda: self._is_there(recording), wait_s)

    def place(self, recording: str) -> Path:
        """The path of a recording. Raises UserError if it is gone or in a bucket."""
        address = self.store.address(recording)
        if "://" in address:
            raise UserError(
                Spoken("{recording} is in a bucket.", recording=recording),
                Spoken("Use the command line: appwitness ... {address}.", address=address),
            )
        if not self._is_there(recording):
            raise UserError(
                Spoken("{recording} is gone, or cannot be reached.", recording=recording),
                "Only what the index holds of it is left.",
            )
        return Path(address)

    def turn_of(self, recording: str | None) -> AbstractContextManager[Any]:
        """A lock under which one thread at a time uses a recording's data. None: data of no particular recording,
        which needs no lock."""
        return nullcontext() if recording is None else self._of(recording).turn

    def state(self, recording: str) -> State:
        """The index's state for a recording: data prepared in another state may be outdated."""
        state = self.lists.state(recording)
        if state is None:
            self.store.run(recording)  # raises if there is none
            raise UserError(
                Spoken("There is no recording {recording}.", recording=recording),
                "Run `appwitness index correlate RECORDING` first.",
            )
        return state

    def run(self, recording: str) -> Run:
        """The run of a recording, unmasked."""
        return self.store.run(recording)

    def is_live(self, recording: str) -> bool:
        """Whether the run is in progress."""
        return self.store.run(recording).ended is None and going_on(self.store.path(recording))

    def is_unreadable(self, recording: str) -> bool:
        """Whether a recording has a line that breaks the contract; such a recording is not clean."""
        state, kept = self.state(recording), self._of(recording)
        if kept.unreadable is None or kept.unreadable[0] != state:
            reads = (read for kind in FILES for read in self.store.read(recording, kind))
            kept.unreadable = (state, any(read.event is None for read in reads))
        return kept.unreadable[1]

    def mask(self, recording: str) -> Mask:
        """A mask for every value of a recording known so far."""
        kept = self._of(recording)
        values: dict[tuple[str, str], Value] = {}  # without duplicates: most of a million reads repeat values
        for read in self.store.read(recording, "access", kept.accesses):
            kept.accesses = read.position
            for value in _values(read):
                values.setdefault((value.type, value.text), value)
        if values:
            kept.mask.learn(values.values())
        return kept.mask

    def lines(self, recording: str, kind: str) -> RecordedLines:
        """The lines of one kind that the index has now."""
        found = self._of(recording).lines.setdefault(kind, RecordedLines(self.store, recording, kind))
        found.update()
        return found

    def line(self, recording: str, kind: str, number: int) -> Seen[Event] | None:
        """One line of a kind; None if there is no line with that number, or it breaks the contract."""
        return next(iter(self.lists.seen(recording, kind, [number])), None)

    def flows(self, recording: str, *, access: Ref | None = None, upload: Ref | None = None) -> list[Flow]:
        """The flows of a recording, optionally only those of one read or one upload."""
        return self.store.flows(recording, access=access, upload=upload)

    def concluded(self, recording: str, state: State) -> Carries:
        """The findings and flows in this state of the index."""
        kept = self._of(recording)
        if kept.concluded is None or kept.concluded[0] != state:
            findings, flows = self.lists.findings(recording), self.lists.flows(recording)
            of: dict[Ref, list[Carried]] = {}
            for flow in flows:
                for ref in filter(None, (flow.access, flow.upload)):
                    of.setdefault(ref, []).append(flow)
            about = FindingsByLine(findings, {flow.id: flow.upload for flow in flows})
            kept.concluded = (state, Carries(findings, flows, about, of))
        return kept.concluded[1]

    def report(self, recording: str, state: State, *, reveal: bool) -> Report:
        """The whole report in this state, masked unless `reveal`."""
        kept = self._of(recording)
        if kept.report is None or kept.report[:2] != (state, reveal):
            whole = report(self.store, recording, self.known)
            if not reveal:
                mask = self.mask(recording)
                mask.learn(known_values(whole))
                whole = masked(whole, mask)
            kept.report = (state, reveal, whole)
        return kept.report[2]

    def made[T](self, recording: str, state: State, what: object, make: Callable[[], T]) -> T:
        """The cached result of `make` in this state, for data that takes long, such as a timeline; `what` identifies
        it. At most MOST_MADE results are kept."""
        kept = self._of(recording)
        if kept.made is None or kept.made[0] != state:
            kept.made = (state, {})
        known = kept.made[1]
        if what not in known:
            while len(known) >= MOST_MADE:
                del known[next(iter(known))]
            known[what] = make()
        found: T = known[what]
        return found

    def checked_report(self, recording: str) -> Report:
        """The unmasked report and, if the recording is there, what its stamps vouch for.

        Raises UserError if a different recording is in its place.
        """
        return indexed_report(self.store, recording, self.known)

    def har(self, recording: str) -> str:
        """The uploads as HAR, unmasked. Raises UserError if the recording is gone."""
        opened = self._open(recording)
        if opened is None:
            raise UserError(
                Spoken("{recording} is gone, or cannot be reached.", recording=recording),
                "Only what the index holds of it is left.",
            )
        return har.write(opened)

    def taken_apart(self, recording: str, upload: Upload, flows: Sequence[Flow]) -> TakenApart:
        """The leaves of an upload, and which of them carry the matches of these flows."""
        opened = self._open(recording) if upload.body else None
        body = opened.body_view(upload.body) if opened and upload.body else None
        return taken_apart(upload, body, (match for flow in flows for match in flow.matches))

    def around(self, recording: str, flow: Flow) -> tuple[Context, ...]:
        """The context of a flow's matches in its upload, unmasked; empty if the recording is gone."""
        known = next((each for each in self.flows(recording, upload=flow.upload) if each.id == flow.id), None)
        seen = self.line(recording, "upload", number_of(flow.upload))
        opened = self._open(recording)
        if known is None or opened is None or seen is None or not holds(seen, Upload):
            return ()
        return around(known, seen.event, opened)

    def picture(self, recording: str, name: str) -> tuple[bytes, str] | None:
        """A picture or film of the screen, by the name of its body, with its media type from its first bytes; None
        if it is missing, neither picture nor film, or larger than LARGEST_PICTURE."""
        opened = self._open(recording)
        data = opened.body_view(name) if opened else None
        if data is None or len(data) > LARGEST_PICTURE:
            return None
        type_ = picture_type(data) or ("video/mp4" if data[4:8] == b"ftyp" else None)
        return (bytes(data[: len(data)]), type_) if type_ else None

    # marks

    def may_be_marked(self, recording: str) -> bool:
        """Whether the recording can be marked: its folder is still there."""
        return self._folder(recording) is not None

    def to_mark(self, recording: str) -> Recording:
        """Open a recording so that `appwitness.api.marking` can add marks. Raises UserError if its folder is gone."""
        folder = self._folder(recording)
        if folder is None:
            raise UserError(
                Spoken("The folder of {recording} is gone.", recording=recording),
                "Only what the index holds of it is left: it cannot be marked.",
            )
        return Recording.open(folder, signer=self.signer)

    def mark(self, recording: Recording, status: ConsentState, said: MarkDetails, corrects: str = "") -> None:
        """Record what the user was asked or decided. Raises as `appwitness.api.marking.consent` does."""
        consent(recording, status, said, self.known.data_types, self.known.labels, corrects)

    def would_change(
        self, recording: Recording, status: ConsentState, said: MarkDetails, corrects: str = ""
    ) -> list[tuple[str, int, int]]:
        """What a mark would change: (rule, findings now, findings with the mark) for each rule whose count differs.
        The recording is not changed: a copy is marked and judged."""
        name, _ = find(recording, self.store)
        before = Counter(finding.rule for finding in self.store.findings(name))
        with tempfile.TemporaryDirectory(prefix="appwitness-mark-", dir=private_files.roomy()) as beside:
            copy = Path(beside) / recording.path.name
            shutil.copytree(recording.path, copy, symlinks=True, copy_function=_copied)
            with Recording.open(copy) as marked, Store("sqlite://") as index:
                self.mark(marked, status, said, corrects)
                after = Counter(finding.rule for finding in correlate(marked, index, self.known).findings)
        return [(rule, before[rule], after[rule]) for rule in sorted(before | after) if before[rule] != after[rule]]

    def judge_again(self, recording: Recording) -> None:
        """Judge a recording after marks were added; one still in progress is judged by whoever follows it."""
        if not recording.going_on:
            correlate(recording, self.store, self.known)

    # private

    def _folder(self, recording: str) -> Path | None:
        """The folder of a recording; None if it is an archive, gone, or replaced by another recording."""
        folder, held = self.store.path(recording), self.store.held(recording)
        if held is None or not (folder / "run.json").is_file():
            return None
        with suppress(UserError):
            return folder if is_same(Recording.open(folder), held) else None
        return None

    def _is_there(self, recording: str) -> bool:
        held = self.store.held(recording)
        with suppress(UserError):
            return held is not None and is_same(Recording.open(Path(held.path)), held)
        return False

    def _open(self, recording: str) -> Recording | None:
        """Open a recording in its present state; None if it is gone, unreachable, or replaced by another recording."""
        held = self.store.held(recording)
        try:
            opened = recording_at(held.path) if held else None
            self._opened = opened if opened and held and is_same(opened, held) else None
        except UserError:
            self._opened = None
        return self._opened

    def _of(self, recording: str) -> _Kept:
        with self._turn:
            kept = self._kept.get(recording)
            if kept is None:
                kept = self._kept[recording] = _Kept(Mask(self.store.run(recording).persona), {})
            self._kept.move_to_end(recording)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
            return kept


class _Read(msgspec.Struct):
    """The part of a read that a mask needs."""

    values: tuple[Value, ...] = ()


_READ = msgspec.json.Decoder(_Read)


def _values(read: ReadLine) -> tuple[Value, ...]:
    """The values that a read returned."""
    try:
        return _READ.decode(read.raw).values
    except (msgspec.DecodeError, UnicodeDecodeError):  # it has nulls, or breaks the contract
        return read.event.values if isinstance(read.event, Access) else ()


def going_on(path: str | Path) -> bool:
    """Whether a process is recording into a folder right now."""
    try:
        return Recording(Path(path)).going_on
    except (OSError, UserError):  # gone, or an archive
        return False


def matching(findings: Sequence[FindingFields], filters: Mapping[str, str], page: int = 1) -> ListPage[NumberedFinding]:
    """One page of the findings of a recording, grouped by data type and recipient; the group with the worst finding
    comes first.

    `filters`: `rule` and `level` must be equal, `host` must occur in the recipient's host; empty texts are ignored.
    """
    wanted = [each for each in in_order(findings) if _fits(each.finding, filters)]
    page, start = paged(page, len(wanted))
    return ListPage(tuple(wanted[start : start + ROWS]), page, len(wanted))


def in_order(findings: Sequence[FindingFields]) -> list[NumberedFinding]:
    """The findings of a recording, grouped by data type and recipient; worst group first, and worst finding first in
    each.

    Their numbers are those in the recording.
    """
    numbered = (NumberedFinding(number, each) for number, each in enumerate(findings, start=1))
    groups: dict[tuple[str, str], list[NumberedFinding]] = {}
    for each in sorted(numbered, key=lambda each: LEVELS.index(each.finding.level)):
        groups.setdefault(group_of(each.finding), []).append(each)
    return [each for group in groups.values() for each in group]


def group_of(finding: FindingFields) -> tuple[str, str]:
    """The data type and the host that a finding is about; empty if it is about none."""
    return finding.data or "", finding.recipient.host if finding.recipient else ""


def _fits(finding: FindingFields, filters: Mapping[str, str]) -> bool:
    host = finding.recipient.host if finding.recipient else ""
    return (
        filters.get("rule", "") in ("", finding.rule)
        and filters.get("level", "") in ("", finding.level)
        and filters.get("host", "").lower() in host.lower()
    )
