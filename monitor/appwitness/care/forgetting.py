"""Selects the lines and bodies to remove from a recording: all, those of given kinds of line, or those that hold given
values."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from appwitness.care.replacing import Replacing
from appwitness.catalog.withheld import is_placeholder
from appwitness.events import FILES, Access, AppIdentity, DeviceIdentity, Ref, Run, Transform, Upload, Value
from appwitness.match.decode import leaves_of
from appwitness.recording import Forgotten, ReadLine, Recording, packing, verify
from appwitness.recording.files import NotAFile, folder, reading
from appwitness.recording.seal import BODIES, MADE_BY, Before, named_bodies
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

KEPT = (
    *("v", "id", "app_type", "plan", "observers", "hooks", "started", "ended", "versions", "probe", "shared"),
    *("clock_offset_ms", "clock_uncertainty_ms", "clock_drift_ms", "clock", "unpin", "unpinned", "sockets_watched"),
    *("campaign", "install_ms", "times", "unhooked", "tried", *MADE_BY),
)
"""Fields of run.json that stay when a whole recording is forgotten, besides the app and the kind of device: they
hold no personal values, or the first stamp binds them."""
FORGOTTEN = "forgotten"
"""Replaces a string of run.json in which a value was found."""
SHORTEST = 4
"""Minimum length of a value that is also searched for literally."""
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"\0\0\0")
"""First bytes of pictures and films, whose content cannot be searched."""
type Reads = Callable[[], Iterator[ReadLine]]
"""Reads the lines of a recording, without tombstones; may be called repeatedly."""
_DIGEST = re.compile(rb"[0-9a-f]{64}")


@dataclass(frozen=True)
class ToForget:
    """What is to be forgotten in a recording."""

    given: Recording
    """The recording: a folder, or an archive that is unpacked for this and then replaced."""
    lines: dict[str, frozenset[int]]
    """kind -> line numbers; kinds without such lines are left out."""
    bodies: tuple[str, ...]
    """Names in bodies/."""
    run: Run | None
    """The new run.json; None when it stays unchanged."""
    before: Before
    unsearched: tuple[Ref, ...] = ()
    """Lines and bodies that could not be searched completely; they stay."""
    left: tuple[str, ...] = ()
    """Fields of run.json that hold one of the values but stay: most of them are in the first stamp too."""

    def __bool__(self) -> bool:
        return bool(self.lines or self.bodies or self.run)

    @property
    def count(self) -> int:
        """Number of lines to forget."""
        return sum(map(len, self.lines.values()))

    def forget(self, reason: str | None = None) -> Forgotten:
        """Forget permanently. Raises UserError when that is not possible now."""
        folder_ = self.given.unpacked()
        what = folder_.forget(self.lines, self.bodies, self.run, before=self.before, reason=reason)
        if self.given.archive:
            packing.write_again(folder_.path, self.given.archive.file)
        return what


def to_forget(recording: Recording, values: Collection[Value] = (), kinds: Collection[str] = ()) -> ToForget:
    """Select what must be removed from a recording: what holds one of the `values`, or else the lines of `kinds`, or
    else everything. Nothing is changed yet.

    Raises UserError while the run is going on, for an encrypted recording or a bundle, and for a value that identifies
    nobody.
    """
    if recording.is_encrypted:
        raise UserError(
            Spoken("{place} is encrypted, and does not name its other recipients.", place=recording.place),
            "Decrypt it (appwitness pack), forget the data in that copy, and pack it with --encrypt-to for all "
            "recipients.",
        )
    if recording.archive and recording.archive.is_bundle:
        raise UserError(
            Spoken("{place} is a bundle, which is never changed.", place=recording.place),
            "Forget the data in the recording that the bundle was made from, delete the bundle, and make it again.",
        )
    if recording.going_on:
        raise UserError(Spoken("{path} is being recorded.", path=recording.path), "Forget it when the run has ended.")

    def reads() -> Iterator[ReadLine]:
        return (read for kind in FILES for read in recording.read(kind, finished=True) if not read.forgotten)

    before = verify(recording.path).before
    if values:
        return _holding(recording, reads, values, before)
    gone = {read.ref for read in reads() if not kinds or read.kind in kinds}
    if kinds:
        bodies: set[str] = set()
        _close(reads, gone, bodies)
        return ToForget(recording, _numbers(reads, gone), _present(recording, bodies), None, before)
    run = _bare(recording.run)
    return ToForget(
        recording, _numbers(reads, gone), _present(recording, None), run if run != recording.run else None, before
    )


def _bare(run: Run) -> Run:
    """run.json reduced to the fact that the run took place: which app, on which kind of device."""
    app = AppIdentity(**{name: value for name, value in run.app if name in AppIdentity.model_fields})
    device = DeviceIdentity(
        serial=FORGOTTEN,
        model=run.device.model,
        release=run.device.release,
        api_level=run.device.api_level,
        kind=run.device.kind,
    )
    return Run(app=app, device=device, **{name: getattr(run, name) for name in KEPT})


def _numbers(reads: Reads, gone: Collection[Ref]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for read in reads():
        if read.ref in gone:
            found.setdefault(read.kind, set()).add(read.position.line)
    return {kind: frozenset(numbers) for kind, numbers in found.items()}


def _close(reads: Reads, gone: set[Ref], bodies: set[str]) -> None:
    """Add bodies that no remaining line refers to, and lines that contain the digest of a removed body: a guess at
    the body could be confirmed by its digest."""
    before = -1
    while before != len(gone) + len(bodies):
        before = len(gone) + len(bodies)
        gone |= {read.ref for read in reads() if any(each.decode() in bodies for each in _DIGEST.findall(read.raw))}
        kept = {name for read in reads() if read.ref not in gone for name in named_bodies(read.raw)}
        bodies |= {name for read in reads() if read.ref in gone for name in named_bodies(read.raw)} - kept


def _present(recording: Recording, bodies: Collection[str] | None) -> tuple[str, ...]:
    """The given bodies that exist, or all that exist (None), including those that killed writers left."""
    names: list[str] = []
    with suppress(FileNotFoundError), folder(recording.path, BODIES) as here:
        names = os.listdir(here)  # noqa: PTH208 a folder that is open
    return tuple(sorted(name for name in names if bodies is None or name in bodies))


class _Search:
    """Searches lines and bodies of a recording for values, with our own matcher and literally."""

    def __init__(self, recording: Recording, values: Iterable[Value]) -> None:
        self.recording = recording
        apps = {recording.run.app.package, *(read.app for read in recording.events(Access) if read.app)}
        self.replacing = Replacing(values, recording.seen(Transform), apps, recording.body)
        self.texts = [each.text.encode("utf-8", "replace") for each in values if len(each.text) >= SHORTEST]

    def data(self, data: bytes, hint: str = "") -> bool | None:
        """Whether the bytes hold one of the values; None when they could not be searched completely."""
        if any(data.find(text) >= 0 for text in self.texts):
            return True
        if data[:4].startswith(PICTURES):
            return None
        hits = self.replacing.found(leaves_of(data, hint, narrow=self.replacing.narrow))
        return None if hits is None else bool(hits)

    def upload(self, upload: Upload) -> tuple[bool | None, bool | None]:
        """The same for an upload as a whole, and for its body alone."""
        body = self.recording.body_view(upload.body) if upload.body else None
        if body and any(body.find(text) >= 0 for text in self.texts):
            return True, True
        hits = self.replacing.in_upload(upload, body)
        if hits is None:
            return None, None
        return bool(hits), any(hit.leaf.path.startswith("$") for hit in hits)

    def run(self, tree: Any) -> Any:
        """run.json, or a part of it, with each string that holds a value replaced."""
        match tree:
            case str():
                return FORGOTTEN if self.data(tree.encode("utf-8", "replace")) else tree
            case dict():
                return {name: self.run(value) for name, value in tree.items()}
            case list():
                return [self.run(value) for value in tree]
        return tree


def _holding(recording: Recording, reads: Reads, values: Collection[Value], before: Before) -> ToForget:
    """Select what holds one of the values, in any form and encoding that our matcher knows."""
    for value in values:
        if is_placeholder(value):
            raise UserError(
                Spoken("{text!r} is a placeholder, which identifies nobody.", text=value.text),
                "Name a value of a person.",
            )
    search = _Search(recording, values)
    gone: set[Ref] = set()
    bodies: set[str] = set()
    unsearched: set[Ref] = set()
    bodies_of_uploads: set[str] = set()
    for read in reads():
        found = search.data(read.raw, "application/json")
        if isinstance(upload := read.event, Upload):
            inside, in_body = search.upload(upload)
            found = found or inside
            bodies_of_uploads |= {upload.body} if upload.body else set()
            bodies |= {upload.body} if upload.body and in_body else set()
        if found:
            gone.add(read.ref)
        elif found is None or read.size > len(read.raw) + 1:
            unsearched.add(read.ref)
    for name in set(_present(recording, None)) - bodies_of_uploads:
        found = _in_body(search, name)
        if found:
            bodies.add(name)
        elif found is None:
            unsearched.add(f"{BODIES}/{name}")
    _close(reads, gone, bodies)
    unsearched -= gone | {f"{BODIES}/{name}" for name in bodies}
    run = _run_without(recording.run, search)
    told = (tuple(sorted(unsearched)), tuple(_left(recording.run, search)))
    return ToForget(recording, _numbers(reads, gone), _present(recording, bodies), run, before, *told)


def _left(run: Run, search: _Search) -> Iterator[str]:
    tree = run.model_dump(mode="json", include={*KEPT, "app"})
    return (name for name, value in tree.items() if search.run(value) != value)


def _in_body(search: _Search, name: str) -> bool | None:
    """Whether a file of bodies/, whatever its name, holds a value; None when it could not be searched completely."""
    try:
        with reading(search.recording.path, BODIES, name) as file:
            return search.data(file.read())
    except (FileNotFoundError, NotAFile):
        return False


def _run_without(run: Run, search: _Search) -> Run | None:
    tree = run.model_dump(mode="json")
    made = {name: value if name in KEPT or name == "app" else search.run(value) for name, value in tree.items()}
    made["persona"] = [each for each in made["persona"] if each["text"] != FORGOTTEN]
    return Run.model_validate(made) if made != tree else None
