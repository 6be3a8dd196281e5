"""Hides personal values in a whole report, so that no format can forget to: masked once, then rendered."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

import msgspec
import phonenumbers

from appwitness.events import Access, Blob, Change, Part, Record, Run, Upload, Value
from appwitness.findings import Finding, Flow, Match, Reason, Report
from appwitness.findings.surroundings import Context, Contexts, Stretch

HIDDEN = "***"
EXCERPT_CHARACTERS = 60
"""Match.before and Match.after hold at most this many characters; a longer leaf was cut there."""
SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key", "x-auth-token"}
)

_STRUCTURE = frozenset(
    {
        # Names of our own or of the contract: closed choices, references to lines, digests. A short value (a contact
        # named "1") must not eat into them.
        "v", "kind", "app", "pid", "id", "outcome", "data", "op", "algorithm", "transport", "via", "status", "signal",
        "scope", "by", "where", "why", "state", "ref", "rule", "level", "confidence", "variant", "of", "decoding",
        "flows", "evidence", "references", "upload", "access", "connection", "body", "type", "title", "party",
        "country", "plan", "versions", "device", "rules", "operator", "recording", "consent", "name", "count", "row",
        "country_basis", "country_as_of", "code", "notation", "grid", "precision", "role", "lines", "step",
        "image", "tree", "film",
    }
)  # fmt: skip
_CODE = frozenset({"stack", "thread", "source", "subject", "host", "domain", "package", "label", "platform"})
"""Names out of the app or the network: a contact called "Circle" does not hide `api.circle.test`."""

_DIGEST = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{32,}(?![0-9A-Za-z])")
_MAIL = re.compile(r"[\w.+-]+@(?=[\w-]+\.)", re.ASCII)
_NUMBER_RUN = re.compile(r"(?<![\w.])\+?\d(?:[ ().-]{0,2}\d){6,}|\d{7,}")
_DECIMAL = re.compile(r"(?<![\d.])(-?\d{1,3}\.\d)\d{2,}(?![\d.])")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_RUN = re.compile(r"[\w+/-]{16,}={0,2}", re.ASCII)
_EDGE = '"&=<>{}[]|;\n'
"""Where a text may be cut without leaving a piece of a value: not at a space, comma or hyphen, which names have."""


def mask_value(type_: str, text: str) -> str:
    """One value with as much left as tells it from others: `+86138****8000`, `a***@example.org`, `31.2**,121.4**`."""
    text = text.strip()
    shown = _by_type(type_, text) if text else HIDDEN
    return HIDDEN if text in shown else shown


def _by_type(type_: str, text: str) -> str:
    if "@" in text and type_ in ("email", "account_id"):
        return f"{text[0]}{HIDDEN}{text[text.rindex('@') :]}"
    if type_ in ("location", "location_coarse"):
        parts = [re.match(r"\s*-?\d+(?:\.\d)?", part) for part in text.split(",")]
        if parts and all(parts):
            return ",".join(f"{part.group().strip()}**" for part in parts if part)
        return HIDDEN
    if type_ == "phone_number":
        return _phone(text)
    if type_ == "name":
        return f"{text[0]}*"
    if type_ in ("address", "sms_content", "message_content", "clipboard"):
        return f"{text[:2]}{HIDDEN}"
    return _ends(text)


def _phone(text: str) -> str:
    digits = re.sub(r"[^\d]", "", text)
    plus = "+" if text.startswith("+") else ""
    if len(digits) >= 11:
        return f"{plus}{digits[:-8]}****{digits[-4:]}"
    return plus + _ends(digits)


def _ends(text: str) -> str:
    """The first two and the last two characters, of a text so long that they do not tell the rest."""
    if len(text) >= 8:
        return f"{text[:2]}****{text[-2:]}"
    return f"{text[:1]}{HIDDEN}" if len(text) > 2 else HIDDEN


def shortened(digest: str) -> str:
    """A digest with so few characters left that the numbers it may stand for cannot be tried out against it."""
    return f"{digest[:4]}…{digest[-2:]}"


def _encoded(run: str) -> str:
    """A run of characters shortened, if it looks like base64 and not like words."""
    mixed = re.search("[0-9]", run) and re.search("[A-Z]", run) and re.search("[a-z]", run)
    return shortened(run) if mixed else run


@lru_cache(maxsize=65536)
def _national(text: str) -> str | None:
    """The digits that every way of writing a phone number has in common."""
    digits = re.sub(r"\D", "", text)
    if text.strip().startswith("+"):
        try:
            return str(phonenumbers.parse(text).national_number)
        except phonenumbers.NumberParseException:
            pass
    return digits.lstrip("0") or None


def _forms(value: Value) -> Iterator[str]:
    """The plain forms in which a value may stand in a text that a report shows."""
    text = value.text.strip()
    bare = [text, re.sub(r"\s+", "", text)]
    if value.type == "phone_number":
        national = _national(text)
        bare += [re.sub(r"\D", "", text)] + ([national] if national else [])
    if value.type in ("location", "location_coarse"):
        parts = [part.strip() for part in text.split(",")]
        for part in parts:
            bare += _degrees(part)
    for form in bare:
        yield form
        yield quote(form)
        yield quote_plus(form)
        yield form.encode("unicode_escape").decode("ascii")
        data = form.encode()
        if len(data) >= 4:
            yield base64.b64encode(data).decode().rstrip("=")
            yield base64.urlsafe_b64encode(data).decode().rstrip("=")
            yield data.hex()


def _degrees(text: str) -> Iterator[str]:
    """One coordinate as it may be written: cut or rounded to two decimals and more, or as a whole number."""
    if not re.fullmatch(r"-?\d{1,3}\.\d+", text):
        return
    exact = Decimal(text.lstrip("-"))
    for places in range(2, 9):
        for rounding in (ROUND_DOWN, ROUND_HALF_UP):
            shown = exact.quantize(Decimal(1).scaleb(-places), rounding)
            yield str(shown)
            if places >= 4:
                yield str(shown.scaleb(places).to_integral())
    yield text.lstrip("-")
    yield text


def _fold(text: str) -> str:
    """Lower case, position by position (`str.lower` may change the length)."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


class Mask:
    """Finds the known values in texts. A form of less than 3 ASCII characters is too common to be looked for."""

    def __init__(self, values: Iterable[Value]) -> None:
        self._forms: dict[str, str] = {}
        self._lengths: dict[str, list[int]] = {}
        self._long: list[str] = []
        self._cache: dict[tuple[str, bool, bool], str] = {}
        self.learn(values)

    def learn(self, values: Iterable[Value]) -> None:
        """Mask these values too from now on."""
        self._cache.clear()
        for value in {(value.type, value.text): value for value in values}.values():
            masked = mask_value(value.type, value.text)
            if len(value.text) > EXCERPT_CHARACTERS // 2:
                self._long.append(value.text)
            for form in _forms(value):
                if len(form) >= 3 or (len(form) == 2 and not form.isascii()):
                    self._add(_fold(form), self._shown(form, value, masked))

    @staticmethod
    def _shown(form: str, value: Value, masked: str) -> str:
        if form == value.text:
            return masked
        if value.type == "phone_number" and form.isdigit():
            shown = _phone(form)
        elif value.type in ("location", "location_coarse"):
            shown = mask_value(value.type, form) if "." in form else _ends(form)
        else:
            shown = masked
        return HIDDEN if form in shown else shown

    def _add(self, form: str, shown: str) -> None:
        self._forms.setdefault(form, shown)
        lengths = self._lengths.setdefault(form[:2], [])
        if len(form) not in lengths:
            lengths.append(len(form))
            lengths.sort(reverse=True)

    def known(self, text: str, code: bool = False) -> str:
        """`text` with every known value masked; `code` (a stack) leaves forms that are one ASCII word alone."""
        key = (text, code, False)
        if key not in self._cache:
            self._cache[key] = self._known(text, code)
        return self._cache[key]

    def _known(self, text: str, code: bool) -> str:
        for value in self._long:
            if len(text) > 5 and text in value:
                return HIDDEN
        folded = _fold(text)
        out: list[str] = []
        at = 0
        while at < len(text):
            for length in self._lengths.get(folded[at : at + 2], ()):
                form = folded[at : at + length]
                shown = self._forms.get(form)
                if shown is not None and self._stands(folded, at, form, code):
                    out.append(shown)
                    at += length
                    break
            else:
                out.append(text[at])
                at += 1
        return "".join(out)

    @staticmethod
    def _stands(text: str, at: int, form: str, code: bool) -> bool:
        """Whether a form found at a place is likely to be the value there, not a piece of another word."""
        if code and form.isascii() and form.isalpha():
            return False
        if not form.isascii() or len(form) >= 7:
            return True
        before, after = text[at - 1 : at], text[at + len(form) : at + len(form) + 1]
        if form[0].isdigit() and form[-1].isdigit():
            return not (before.isdigit() or after.isdigit())
        return len(form) >= 5 or not ((before.isascii() and before.isalnum()) or (after.isascii() and after.isalnum()))

    def excerpt(self, text: str) -> str:
        """What came out of an upload or a call: known values, and whatever looks like one that we do not know."""
        key = (text, False, True)
        if key not in self._cache:
            self._cache[key] = self._excerpt(text)
        return self._cache[key]

    def _excerpt(self, text: str) -> str:
        text = _DIGEST.sub(lambda found: shortened(found.group()), self.known(text))
        text = _MAIL.sub(lambda found: f"{found.group()[0]}{HIDDEN}@", text)
        text = _RUN.sub(lambda found: _encoded(found.group()), text)
        text = _DECIMAL.sub(lambda found: f"{found.group(1)}**", text)
        return _NUMBER_RUN.sub(
            lambda found: found.group() if _ADDRESS.fullmatch(found.group()) else _phone(found.group()), text
        )

    def url(self, url: str) -> str:
        """A URL whose query keeps its names and none of its values, without user and fragment."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return HIDDEN
        host = parts.netloc.rpartition("@")[2]
        query = "&".join(
            f"{self.excerpt(name)}={HIDDEN}" if equals else HIDDEN
            for name, equals, _ in (pair.partition("=") for pair in parts.query.split("&"))
        )
        return urlunsplit(
            (
                parts.scheme,
                self.known(host),
                self.excerpt(parts.path),
                query if parts.query else "",
                HIDDEN if parts.fragment else "",
            )
        )

    def header(self, name: str, value: str) -> tuple[str, str]:
        """A header; cookies and credentials are hidden whole."""
        if name.lower() in SECRET_HEADERS:
            return name, HIDDEN
        return name, self.url(value) if value.startswith(("http://", "https://")) else self.excerpt(value)

    def match(self, match: Match) -> Match:
        """A match with its value, the found text and the text around it masked."""
        return match.model_copy(
            update={
                "value": mask_value(match.type, match.value),
                "path": self.excerpt(match.path),
                "before": self._around(match.before, cut_left=True),
                "found": self._found(match),
                "after": self._around(match.after, cut_left=False),
                "reasons": tuple(map(self._record, match.reasons)),
                **self._extra(match),
            }
        )

    def _found(self, match: Match) -> str:
        found = match.found
        if re.fullmatch(r"[0-9a-fA-F]{16,}", found):
            return shortened(found)
        masked = self.excerpt(found)
        if masked != found:
            return masked
        return mask_value(match.type, found) if found else ""

    def context(self, context: Context) -> Context:
        """What stands around a match: fields and paths like excerpts, bytes of values not at all."""
        fields = (
            each.model_copy(
                update={
                    "path": self.excerpt(each.path),
                    "text": self._around(each.text, cut_left=False) if each.cut else self.excerpt(each.text),
                }
            )
            for each in context.fields
        )
        stages = (each.model_copy(update={"path": self.excerpt(each.path)}) for each in context.stages)
        return context.model_copy(
            update={
                "fields": tuple(fields),
                "stages": tuple(stages),
                "stretches": tuple(map(self._stretch, context.stretches)),
            }
        )

    def _stretch(self, stretch: Stretch) -> Stretch:
        """Bytes between fields may be shown, as long as they hold nothing that looks like a value: a key may be one."""
        text = stretch.data.decode("utf-8", "replace")
        if stretch.what == "structure" and "\ufffd" not in text and self.excerpt(text) == text:
            return stretch
        return stretch.model_copy(update={"data": b"\0" * len(stretch.data), "hidden": True})

    def _around(self, text: str, cut_left: bool) -> str:
        """The text beside a found one; a word torn by the cut may be a piece of another value, and is dropped."""
        if len(text) < EXCERPT_CHARACTERS:
            return self.excerpt(text)
        if cut_left:
            start = next((i for i, c in enumerate(text) if c in _EDGE), len(text))
            return "…" + self.excerpt(text[max(start, self._torn(text, cut_left)) :])
        end = next((i for i in range(len(text), 0, -1) if text[i - 1] in _EDGE), 0)
        return self.excerpt(text[: min(end, len(text) - self._torn(text, cut_left))]) + "…"

    def _torn(self, text: str, cut_left: bool) -> int:
        """How many characters at the cut are the end, or the beginning, of a long value."""
        edge = text[:4] if cut_left else text[-4:]
        for value in self._long:
            if edge not in value:
                continue
            for size in range(min(len(value), len(text)), 3, -1):
                if text.startswith(value[-size:]) if cut_left else text.endswith(value[:size]):
                    return size
        return 0

    def event[R: Record | Part](self, record: R) -> R:
        """A line of the recording, or another record, masked."""
        masked: R = self._record(record)
        return masked

    def _record(self, record: Any) -> Any:
        if isinstance(record, Match):
            return self.match(record)
        if isinstance(record, Value):
            return record.model_copy(update={"text": mask_value(record.type, record.text)})
        if isinstance(record, Reason):
            extra = record.model_extra or {}
            return record.model_copy(update={name: self._field(name, value) for name, value in extra.items()})
        if isinstance(record, Blob):
            return record if record.b64 is None else Blob(b64="")
        fields = msgspec.structs.asdict(record) if isinstance(record, Part) else record.__dict__
        changes = {name: self._field(name, value) for name, value in fields.items()} | self._extra(record)
        if isinstance(record, Upload):
            changes["url"] = self.url(record.url) if record.url and "//" in record.url else self._any(record.url)
            changes["headers"] = tuple(self.header(name, value) for name, value in record.headers)
        return record.model_copy(update=changes)

    def _field(self, name: str, value: Any) -> Any:
        if isinstance(value, Record | Part):
            return self._record(value)
        if name in _STRUCTURE or isinstance(value, int | float):
            return value
        if name in _CODE:
            return self._code(value)
        return self._any(value)

    def _extra(self, record: Record | Part) -> dict[str, Any]:
        """Fields that this version does not know: nothing can be told of them, so all of them is masked."""
        return {name: self._any(value) for name, value in (getattr(record, "model_extra", None) or {}).items()}

    def _code(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.known(value, code=True)
        return tuple(self.known(frame, code=True) for frame in value) if isinstance(value, tuple) else value

    def _any(self, value: Any) -> Any:
        match value:
            case Record() | Part():
                return self._record(value)
            case str():
                return self.excerpt(value)
            case bool():
                return value
            case int() | float():
                return value if (masked := self.excerpt(str(value))) == str(value) else masked
            case dict():
                return {self.known(str(key)): self._any(item) for key, item in value.items()}
            case list() | tuple():
                return type(value)(self._any(item) for item in value)
            case _:
                return value

    def flow(self, flow: Flow) -> Flow:
        """A flow with its matches masked, and what stands of a value in the name of its recipient."""
        matches = tuple(self.match(match) for match in flow.matches)
        return flow.model_copy(update={"matches": matches, "recipient": self.event(flow.recipient)})

    def finding(self, finding: Finding) -> Finding:
        """A finding with its facts and its recipient masked."""
        detail = {lang: self.known(text) for lang, text in finding.detail.items()}
        recipient = finding.recipient and self.event(finding.recipient)
        return finding.model_copy(update={"detail": detail, "recipient": recipient})

    def run(self, run: Run) -> Run:
        """The run with its persona masked, and what stands of it in names of imported files, changes and notes."""
        files = tuple(file.model_copy(update={"name": self.known(file.name)}) for file in run.source)
        told: dict[str, Any] = {"persona": tuple(self._record(value) for value in run.persona), "source": files}
        if run.changes:  # a run that does not record them stays one
            told["changes"] = tuple(self._change(each) for each in run.changes)
        return run.model_copy(update=told | {"notes": tuple(map(self.known, run.notes))})

    def _change(self, change: Change) -> Change:
        before = change.before and self.excerpt(change.before)
        return change.model_copy(update={"what": self.known(change.what), "before": before})


def known_values(report: Report) -> Iterator[Value]:
    """Every value that the report could show: planted, read, or found."""
    yield from report.run.persona
    for event in (*report.evidence.values(), *(seen.event for seen in report.accesses)):
        if isinstance(event, Access):
            yield from event.values
    for flow in report.flows:
        for match in flow.matches:
            yield Value(type=match.type, text=match.value)


def masked(report: Report) -> Report:
    """The same report with every personal value masked, wherever it shows."""
    mask = Mask(known_values(report))
    return report.model_copy(
        update={
            "run": mask.run(report.run),
            "flows": tuple(map(mask.flow, report.flows)),
            "findings": tuple(map(mask.finding, report.findings)),
            "gaps": tuple(mask.event(gap) for gap in report.gaps),
            "limits": tuple(mask.event(gap) for gap in report.limits),
            "declared": tuple(
                each.model_copy(update={"recipient": each.recipient and mask.known(each.recipient, code=True)})
                for each in report.declared
            ),
            "coverage": {key: _coverage(mask, value) for key, value in report.coverage.items()},
            "evidence": {ref: mask.event(event) for ref, event in report.evidence.items()},
            **{
                lane: tuple(seen._replace(event=mask.event(seen.event)) for seen in getattr(report, lane))
                for lane in ("consents", "phases", "accesses", "uploads", "screens")
            },
            "contexts": Contexts(
                lambda: {name: tuple(map(mask.context, each)) for name, each in report.contexts.items()}
            ),
        }
    )


def _coverage(mask: Mask, value: Any) -> Any:
    """Counts by name: names of hosts and sources, which may hold a value but are not excerpts."""
    if isinstance(value, dict):
        return {mask.known(str(key), code=True): _coverage(mask, item) for key, item in value.items()}
    return mask.known(value) if isinstance(value, str) else value
