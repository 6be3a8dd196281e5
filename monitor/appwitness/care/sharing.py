"""Makes a copy of a recording for sharing: tokens replace personal values, and other text stays only in fields that
a table lists as safe."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from appwitness.care.replacing import MOST_BYTES, Replacing
from appwitness.care.shaping import Shaper
from appwitness.events import (
    FILES,
    KINDS,
    Access,
    Blob,
    Check,
    Endpoint,
    Event,
    Gap,
    Ref,
    Run,
    Screen,
    SharedCopy,
    Touch,
    Transform,
    Upload,
    Value,
    dump,
    made,
    tombstone,
    tree,
)
from appwitness.findings.places import closed
from appwitness.recording import Recording, verify
from appwitness.recording.lines import Appender
from appwitness.recording.signing import Signer
from appwitness.support.errors import DamagedRecording, UserError
from appwitness.support.spoken import Spoken

NO_LINE = b'"left out of the shared copy"'
"""Replaces a line that does not fit the contract, so that later lines keep their numbers."""
EMPTY = Blob(b64="")
CHOICES = frozenset(name for kind in (*KINDS, Endpoint, Touch, Check, Value) for name in closed(kind)) - {"text"}
"""Fields of lines that cannot hold arbitrary text, so they are not searched for values."""
OF_RUN = frozenset(
    {"v", "id", "plan", "kind", "at", "undone", "sha256", "apk_sha256", "certificate_sha256", "format", "started"}
    | {"ended", "observers", "hooks", "clock", "unpinned", "package", "tried"}
)
"""The corresponding fields of run.json."""


class Shared(NamedTuple):
    """The result of copying a recording."""

    path: Path
    values: int
    """Number of distinct values in the original."""
    left_out: tuple[Ref, ...]
    """Lines whose body is not in the copy."""


def shared(original: Path, into: Path, signer: Signer | None = None) -> Shared:
    """Copy the recording at `original` to the new folder `into`, with each personal value replaced by a token.

    Raises UserError while the run is going on and when `into` is not empty, DamagedRecording when the recording does
    not match its stamps.
    """
    with Recording.open(original) as recording:
        if recording.going_on:
            raise UserError(
                Spoken("{original} is being recorded.", original=original), "Share it when the run has ended."
            )
        checked = verify(original)
        if checked.outcome == "altered":
            raise DamagedRecording(
                Spoken("{original} does not match its stamps.", original=original),
                Spoken("See what differs: appwitness verify {original}", original=original),
            )
        return _Copy(recording, checked.last).write(into, signer)


class _Copy:
    def __init__(self, recording: Recording, seal: str | None) -> None:
        self.recording = recording
        self.run = recording.run
        self.seal = seal
        reads = [seen.event for seen in recording.seen(Access)]
        self.values = {
            (value.type, value.text): value
            for value in (*self.run.persona, *(one for read in reads for one in read.values))
        }
        apps = {self.run.app.package, *(read.app for read in reads if read.app)}
        self.replacing = Replacing(self.values.values(), recording.seen(Transform), apps, recording.body)
        self.shaper = Shaper(self.replacing.tokens, self.replacing.values)
        self.bodies: list[bytes] = []
        """Bodies of the copy that are still to be stored."""
        self.left_out: dict[Ref, Gap] = {}

    def write(self, into: Path, signer: Signer | None) -> Shared:
        """Make the copy."""
        with Recording.create(into, self._run(), signer=signer) as copy:
            for kind, name in FILES.items():
                with _appending(into / name) as append:
                    for read in self.recording.read(kind, finished=True):
                        if read.forgotten:
                            append(tombstone(kind, None))
                            continue
                        line = NO_LINE if (event := read.event) is None else dump(self._line(read.ref, event)).encode()
                        for data in self.bodies:
                            copy.put_body(data)
                        self.bodies.clear()
                        append(line)
            copy.append_all(self.left_out.values())
            copy.stamp(final=self.run.ended is not None)
        return Shared(into, len(self.values), tuple(self.left_out))

    def _run(self) -> Run:
        tokens = self.replacing.tokens
        run = self.shaper.run(Run.model_validate(self._any("", None, self.run.model_dump(mode="json"), OF_RUN)))
        device = run.device.model_copy(update={"serial": self.shaper.hide(run.device.serial)})
        shared_ = SharedCopy(of=self.run.id, seal=self.seal, at=datetime.now(UTC))
        persona = tuple(tokens.of(value) for value in self.run.persona)
        return run.model_copy(
            update={"id": f"{self.run.id}-shared", "persona": persona, "shared": shared_, "device": device}
        )

    def _line(self, ref: Ref, event: Event) -> Event:
        """A line with its values replaced; of the rest, only what may be copied."""
        match event:
            case Upload():
                return self._upload(ref, event)
            case Transform():
                return self.shaper.event(self._transform(event))
            case Access():
                values = tuple(self.replacing.tokens.of(value) for value in event.values)
                event = event.model_copy({"values": values, "args": self._args(event.args)})
            case Screen():
                event = self._screen(ref, event)
            case Gap() if event.body:
                event = event.model_copy({"body": self._body(ref, event, event.body)})
        kept = CHOICES | {"values", "args"} if isinstance(event, Access) else CHOICES
        return self.shaper.event(made(type(event), self._any(ref, event, tree(event), kept)))

    def _any(self, ref: Ref, event: Event | None, value: Any, kept: Container[str]) -> Any:
        """A part of a line or of run.json with its values replaced."""
        match value:
            case str():
                return self._text(value)
            case dict() if value.keys() == {"b64"}:
                return {"b64": ""}
            case dict() if value.keys() == {"body", "size"}:
                if event is not None:
                    self._leave_out(ref, event, "a body")
                return {"b64": ""}
            case dict():
                return {key: each if key in kept else self._any(ref, event, each, kept) for key, each in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._any(ref, event, each, kept) for each in value]
        return value

    def _text(self, text: str) -> str:
        """A text with its values replaced; if that fails, a meaningless text of the same shape, or an empty one."""
        replacing = self.replacing
        if (replaced := replacing.text(text)) is not None:
            return replaced
        scrambled = replacing.tokens.scrambled(text)
        return scrambled if replacing.text(scrambled) == scrambled else ""

    def _args(self, args: dict[str, Any] | None) -> dict[str, Any] | None:
        if args is None:
            return None
        try:
            text = json.dumps(args, ensure_ascii=False).encode("utf-8", "replace")
            found = json.loads(self.replacing.data(text, "application/json") or b"{}")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _transform(self, event: Transform) -> Transform:
        """The call without its bytes: a key would undo a cipher, and a value may be split over several calls."""
        none = {name: None if getattr(event, name) is None else EMPTY for name in ("key", "iv")}
        return event.model_copy(
            {"input": EMPTY, "output": EMPTY, "thread": event.thread and self._text(event.thread)} | none
        )

    def _screen(self, ref: Ref, event: Screen) -> Screen:
        """The line without pictures, since their content cannot be searched."""
        tree_ = self._body(ref, event, event.tree) if event.tree else None
        if event.image or event.film:
            self._leave_out(ref, event, "a picture or film")
        return event.model_copy({"tree": tree_, "image": None, "film": None})

    def _body(self, ref: Ref, event: Event, digest: str) -> str | None:
        """Digest of the copied version of a body that belongs to no upload; None when it is left out."""
        data = self.recording.body(digest)
        replaced = self.replacing.data(data) if data is not None and len(data) <= MOST_BYTES else None
        replaced = None if replaced is None else self.shaper.body(replaced)
        if replaced is None:
            self._leave_out(ref, event, "a body")
            return None
        self.bodies.append(replaced)
        return hashlib.sha256(replaced).hexdigest()

    def _upload(self, ref: Ref, upload: Upload) -> Upload:
        replacing = self.replacing
        body = self.recording.body(upload.body) if upload.body and upload.size <= MOST_BYTES else None
        replaced = replacing.body(upload, body) if body is not None else None
        replaced = None if replaced is None else self.shaper.body(replaced)
        url = upload.url and replacing.url(upload)
        if upload.url and not url:
            url = self._scrambled_url(upload)
        headers = tuple(  # decoding skips headers that only describe the message, so each is also searched as a text
            (self._text(name), self._text(replacing.header(upload, name, value) or ""))
            for name, value in upload.headers
        )
        if body is not None and replaced is not None and len(replaced) != len(body):
            headers = tuple(
                (name, str(len(replaced)) if name.lower() == "content-length" else value) for name, value in headers
            )
        fields = self._any(ref, upload, tree(upload), CHOICES | {"url", "headers"})
        made_ = self.shaper.event(made(Upload, fields).model_copy({"url": url, "headers": headers}))
        if replaced is not None and replacing.in_upload(made_, replaced) != []:
            replaced = None  # a value that is complete only when URL, headers and body are taken together
        if replacing.in_upload(made_, None) != []:
            made_ = made_.model_copy({"url": None, "headers": ()})
        if replaced is None:
            if upload.body:
                self._leave_out(ref, upload, "the body")
            return made_.model_copy({"body": None, "truncated": made_.truncated or bool(upload.body)})
        self.bodies.append(replaced)
        return made_.model_copy({"body": hashlib.sha256(replaced).hexdigest(), "size": len(replaced)})

    def _scrambled_url(self, upload: Upload) -> str | None:
        """The URL with everything after its host scrambled."""
        found = re.match(r"(?:\w+:)?//[^/?#@]*(?=[/?#]|$)", upload.url or "")
        if found is None:
            return None
        rest = (upload.url or "")[found.end() :]
        url = found.group() + self.replacing.tokens.scrambled(rest)
        return self.replacing.url(upload.model_copy({"url": url}))

    def _leave_out(self, ref: Ref, event: Event, what: str) -> None:
        """Record a gap for a body that the original line refers to and that is left out of the copy."""
        self.left_out[ref] = Gap(
            at=event.at,
            app=event.app,
            where="correlate",
            subject=ref,
            why="body_truncated",
            detail=f"{what} of this line is left out of the shared copy: values in it could not be replaced",
        )


@contextmanager
def _appending(path: Path) -> Iterator[Callable[[bytes], object]]:
    appender = Appender(path)
    try:
        yield lambda line: appender.append((line,))
    finally:
        appender.close()
