"""Masks personal values in a whole report before it is rendered, so that no format can forget to."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, cast
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

import msgspec
import phonenumbers

from appwitness.events import (
    Access,
    AppIdentity,
    Blob,
    Change,
    DeviceIdentity,
    Part,
    Record,
    Run,
    SharedCopy,
    SourceFile,
    Upload,
    Value,
)
from appwitness.findings import Finding, Flow, Match, Reason, Report, places
from appwitness.findings.hashed_texts import HashedTexts
from appwitness.findings.lanes import ShownEvidence, ShownLines, values_of
from appwitness.findings.places import Way
from appwitness.findings.spellings import readings
from appwitness.findings.surroundings import Context, Contexts, Neighbour, Stretch
from appwitness.support import vocabulary

HIDDEN = "***"
EXCERPT_CHARACTERS = 60
"""Maximum length of Match.before and Match.after, in characters; a longer leaf was truncated."""
SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key", "x-auth-token"}
)

_PLACES = frozenset({"location", "location_coarse"})
"""Types of values that are positions."""
LANES = ("consents", "phases", "accesses", "uploads", "screens")
"""Fields of a report that hold lines."""
_OURS = frozenset(
    {
        "kind", "id", "outcome", "op", "via", "status", "signal", "scope", "by", "where", "why", "state", "ref",
        "rule", "level", "confidence", "flows", "evidence", "references", "upload",
        "access", "connection", "body", "title", "party", "country", "plan", "rules", "recording", "consent",
        "country_basis", "country_as_of", "notation", "grid", "precision", "role", "lines", "step", "help",
        "all_evidence", "uncovered", "kinds", "articles", "way", "clock",
    }
)  # fmt: skip
"""Fields of conclusions that hold our own names, closed choices, references to lines, or digests. A short value (a
contact named "1") must not mask parts of them."""
_NAMES = frozenset(
    {"source", "subject", "host", "domain", "package", "label", "platform", "key", "path", "rest", "first", "second",
     "to", "who", "names", "name", "app", "owner", "recipient", "agent", "last", "joined", "part", "algorithms",
     "code", "actor"}
)  # fmt: skip
"""Fields of conclusions that hold names from the app, the network, or the makers in our catalog."""

_KEY = re.compile(r'(?<=")[A-Za-z_][\w.-]{0,40}(?="\s*:)|(?:(?<=[?&;{,\s])|^)[A-Za-z_][\w.-]{0,40}(?==)')
"""Names of fields, in JSON and in forms."""
_QUOTED = re.compile("“.*”", re.DOTALL)
"""What a sentence quotes, from the first quotation mark to the last: a label may contain quotation marks itself."""
BEGINNINGS = (8, 4, 2)
"""Prefix lengths, in letters and digits, by which values in other spellings are looked up: each value by the longest
that fits."""
SHORT_WORD, SHORTEST_WORD, LONG_WORD, NEVER = 4, 6, 8, 1 << 20
"""Minimum number of letters that a one-word value needs to be recognised: in decoded readings, in the text itself,
and backwards; NEVER excludes such values."""
FEW = 300
"""Up to this many values are looked for one by one in a text; a lookup by their beginnings takes as long."""
_EDGE = '"&=<>{}[]|;\n'
"""Where a text may be cut without leaving part of a value: not at a space, comma or hyphen, which names contain."""


def changed[R: Record | Part](record: R, **ways: Callable[[Any], Any]) -> R:
    """The record with these fields replaced by their functions' results: tuples element by element, empty values
    unchanged."""

    def put(value: Any, way: Callable[[Any], Any]) -> Any:
        return tuple(map(way, value)) if isinstance(value, tuple) else way(value) if value else value

    return cast(R, record.model_copy(update={name: put(getattr(record, name), way) for name, way in ways.items()}))


def mask_value(type_: str, text: str) -> str:
    """One value with just enough left to distinguish it from others: `+86138****8000`, `a***@example.org`,
    `31.2**,121.4**`."""
    text = text.strip()
    shown = _by_type(type_, text) if text else HIDDEN
    return HIDDEN if text in shown else shown


def _by_type(type_: str, text: str) -> str:
    if "@" in text and type_ in ("email", "account_id"):
        return f"{text[0]}{HIDDEN}{text[text.rindex('@') :]}"
    if type_ in _PLACES:
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
    """The first two and the last two characters, if the text is long enough that these do not reveal the rest."""
    if len(text) >= 8:
        return f"{text[:2]}****{text[-2:]}"
    return f"{text[:1]}{HIDDEN}" if len(text) > 2 else HIDDEN


def shortened(digest: str) -> str:
    """A digest with so few characters left that candidate values cannot be tried against it."""
    return f"{digest[:4]}…{digest[-2:]}"


@lru_cache(maxsize=65536)
def _national(text: str) -> str | None:
    """The digits that every spelling of a phone number has in common."""
    digits = re.sub(r"\D", "", text)
    if text.strip().startswith("+"):
        try:
            return str(phonenumbers.parse(text).national_number)
        except phonenumbers.NumberParseException:
            pass
    return digits.lstrip("0") or None


def _forms(value: Value) -> Iterator[str]:
    """The plain forms in which a value may appear in a text that a report shows."""
    text = value.text.strip()
    bare = [text, re.sub(r"\s+", "", text)]
    if value.type == "phone_number":
        national = _national(text)
        bare += [re.sub(r"\D", "", text)] + ([national] if national else [])
    if value.type in _PLACES:
        parts = [part.strip() for part in text.split(",")]
        for part in parts:
            bare += _degrees(part)
    for form in dict.fromkeys(bare):
        yield form
        if not _UNQUOTED.fullmatch(form):
            yield quote(form)
            yield quote_plus(form)
            yield form.encode("unicode_escape").decode("ascii")
        data = form.encode()
        if len(data) >= 4:
            letters = base64.b64encode(data).decode().rstrip("=")
            yield letters
            yield letters.translate(_SAFE_IN_URLS)
            yield data.hex()


_SAFE_IN_URLS = str.maketrans("+/", "-_")
_UNQUOTED = re.compile(r"[A-Za-z0-9._-]*")
"""Characters that need no escaping in a URL or between quotes."""


def _degrees(text: str) -> Iterator[str]:
    """One coordinate as it may be written: truncated or rounded to two or more decimals, or as a whole number."""
    if not re.fullmatch(r"-?\d{1,3}\.\d+", text):
        return
    whole, _, fraction = text.lstrip("-").partition(".")
    for decimals in range(2, 9):
        cut = int(whole + fraction[:decimals].ljust(decimals, "0"))
        rounded = cut + (int(fraction[decimals : decimals + 1] or 0) >= 5)
        for number in (cut, rounded):
            digits = f"{number:0{decimals + 1}}"
            yield f"{digits[:-decimals]}.{digits[-decimals:]}"
            if decimals >= 4:
                yield str(number)
    yield text.lstrip("-")
    yield text


def _fold(text: str) -> str:
    """Lower case, position by position (`str.lower` may change the length)."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


class Mask:
    """Finds the known values in texts. A form of fewer than 3 ASCII characters is too common to be looked for."""

    def __init__(self, values: Iterable[Value]) -> None:
        self.forms: dict[str, str] = {}
        """Each form of a known value -> its text when masked."""
        self._places = HashedTexts()
        """The forms of positions: a location listener receives thousands, each with some fifty forms."""
        self._lengths: dict[str, list[int]] = {}
        self._long: list[str] = []
        self._flat: dict[int, dict[str, set[tuple[str, bool]]]] = {}
        """Values as letters and digits only, by the length of a prefix (BEGINNINGS), then by the prefix."""
        self._few: list[tuple[str, bool]] | None = []
        """All values in `_flat`, if there are at most FEW; otherwise None."""
        self._known: set[tuple[str, str]] = set()
        self._cache: dict[tuple[str, Any], str] = {}
        self._alike: dict[tuple[object, ...], Access] = {}
        self.learn(values)

    def learn(self, values: Iterable[Value]) -> None:
        """Mask these values too from now on."""
        new = {key: value for value in values if (key := (value.type, value.text)) not in self._known}
        if not new:
            return
        self._known.update(new)
        self._cache.clear()
        self._alike.clear()
        for value in new.values():
            masked = mask_value(value.type, value.text)
            if len(value.text) > EXCERPT_CHARACTERS // 2:
                self._long.append(value.text)
            forms = [form for form in _forms(value) if len(form) >= 3 or (len(form) == 2 and not form.isascii())]
            if value.type in _PLACES:
                self._add_places(set(map(_fold, forms)))
            else:
                for form in forms:
                    if (folded := _fold(form)) not in self.forms:
                        self._add(folded, self._shown(form, value, masked))
            for flat, is_word in _flats(value):
                length = next(each for each in BEGINNINGS if each <= len(flat))
                self._flat.setdefault(length, {}).setdefault(flat[:length], set()).add((flat, is_word))
        if self._few is not None:
            flats = [value for of_length in self._flat.values() for values in of_length.values() for value in values]
            self._few = flats if len(flats) <= FEW else None

    @staticmethod
    def _shown(form: str, value: Value, masked: str) -> str:
        if form == value.text:
            return masked
        shown = _phone(form) if value.type == "phone_number" and form.isdigit() else masked
        return HIDDEN if form in shown else shown

    @staticmethod
    def _shown_place(form: str) -> str:
        """A form of a position, masked."""
        shown = mask_value("location", form) if "." in form else _ends(form)
        return HIDDEN if form in shown else shown

    def _add(self, form: str, shown: str) -> None:
        self.forms[form] = sys.intern(shown)
        self._note_length(form)

    def _add_places(self, forms: set[str]) -> None:
        self._places.update(forms)
        for form in forms:
            self._note_length(form)

    def _note_length(self, form: str) -> None:
        lengths = self._lengths.setdefault(form[:2], [])
        if len(form) not in lengths:
            lengths.append(len(form))
            lengths.sort(reverse=True)

    def known(self, text: str, code: bool = False) -> str:
        """`text` with every known value masked; `code` (a stack): except forms that are a single ASCII word."""
        return self._kept(
            text,
            ("known", code),
            lambda: "".join(piece if masked is None else masked for piece, masked in self._pieces(text, code)),
        )

    def _kept(self, text: str, how: Any, make: Callable[[], str]) -> str:
        if (text, how) not in self._cache:
            self._cache[text, how] = make()
        return self._cache[text, how]

    def _pieces(self, text: str, code: bool = False) -> list[tuple[str, str | None]]:
        """The text in pieces, each with its replacement if it is a value, otherwise None."""
        if any(len(text) > 5 and text in value for value in self._long):
            return [(text, HIDDEN)]
        folded = _fold(text)
        out: list[tuple[str, str | None]] = []
        start = at = 0
        while at < len(text):
            for length in self._lengths.get(folded[at : at + 2], ()):
                form = folded[at : at + length]
                shown = self.forms.get(form)
                if shown is None and form in self._places:
                    shown = self._shown_place(text[at : at + length])
                if shown is not None and self._stands(folded, at, form, code):
                    out += [(text[start:at], None), (text[at : at + length], shown)]
                    start = at = at + length
                    break
            else:
                at += 1
        return [*out, (text[start:], None)]

    def hide(self, _piece: str) -> str:
        """The replacement for a piece that may not be shown."""
        return HIDDEN

    def value(self, _piece: str, masked: str) -> str:
        """The replacement for a known value."""
        return masked

    def _is_spelt(self, text: str, code: bool) -> bool:
        """Whether the text contains a known value in another spelling; in code, values that are a single word of
        letters do not count."""
        if not self._flat:
            return False
        if self._holds(_flat(text), NEVER if code else SHORTEST_WORD):
            return True
        plain, backwards = _flat(text), text[::-1]
        return any(
            self._holds(_flat(read), LONG_WORD if read == backwards else SHORT_WORD, but=plain)
            for read in readings(text)
        )

    def _holds(self, flat: str, least: int, but: str = "") -> bool:
        """Whether `flat` contains a known value that is not in `but`; a value that is a single word counts only with at
        least `least` letters."""
        return any(
            known in flat and (len(known) >= least or not is_word) and known not in but
            for known, is_word in self._candidates(flat)
        )

    def _candidates(self, flat: str) -> Iterable[tuple[str, bool]]:
        """The values that may be in a text of letters and digits only: all if they are few, otherwise those whose
        beginning is in it."""
        if self._few is not None:
            return self._few
        return (
            value
            for length, values in self._flat.items()
            for begins in values.keys() & {flat[at : at + length] for at in range(len(flat) - length + 1)}
            for value in values[begins]
        )

    def by(self, way: Way, text: str, *, code: bool = False) -> str:
        """A text with its values masked and the rest shown as `way` allows (see `places`); the text is hidden entirely
        if it contains a value in another spelling."""

        def make() -> str:
            pieces = self._pieces(text, code)
            shown = "".join(
                way(piece, self.hide) if masked is None else self.value(piece, masked) for piece, masked in pieces
            )
            return self.hide(text) if self._is_spelt(shown if len(pieces) > 1 else text, code) else shown

        return self._kept(text, (way, code), make)

    def name(self, text: str) -> str:
        """A name in code or of a field, masked."""
        return self.by(vocabulary.name, text, code=True)

    def host(self, text: str) -> str:
        """The name of a host, masked."""
        return self.by(vocabulary.host, text, code=True)

    def code_of_data(self, text: str) -> str:
        """The code of a data type, which is one of our catalog's."""
        return self.by(vocabulary.sifted, text, code=True)

    def stated(self, text: str) -> str:
        """What an operator says about a run for reports to show."""
        return self.by(places.stated, text)

    def sentence(self, text: str) -> str:
        """A sentence of ours; what it quotes is somebody else's text."""
        return self.by(_sentence, text, code=True)

    @staticmethod
    def _stands(text: str, at: int, form: str, code: bool) -> bool:
        """Whether a form found at a position is likely to be the value, not part of another word."""
        if code and form.isascii() and form.isalpha():
            return False
        if not form.isascii() or len(form) >= 7:
            return True
        before, after = text[at - 1 : at], text[at + len(form) : at + len(form) + 1]
        if form[0].isdigit() and form[-1].isdigit():
            return not (before.isdigit() or after.isdigit())
        return len(form) >= 5 or not ((before.isascii() and before.isalnum()) or (after.isascii() and after.isalnum()))

    def excerpt(self, text: str) -> str:
        """An excerpt of an upload or a call, in which our own words, the names of fields, and punctuation stay."""
        return self._kept(text, "excerpt", lambda: "".join(self._excerpts(text)))

    def _excerpts(self, text: str) -> Iterator[str]:
        for piece, masked in self._pieces(text):
            if masked is not None:
                yield self.value(piece, masked)
                continue
            at = 0
            for key in _KEY.finditer(piece):
                yield vocabulary.sifted(piece[at : key.start()], self.hide)
                yield self.name(key.group())
                at = key.end()
            yield vocabulary.sifted(piece[at:], self.hide)

    def url(self, url: str) -> str:
        """A URL without user and fragment, whose query keeps its names but none of its values."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return HIDDEN
        host = parts.netloc.rpartition("@")[2]
        query = "&".join(
            f"{self.name(name)}={HIDDEN}" if equals else HIDDEN
            for name, equals, _ in (pair.partition("=") for pair in parts.query.split("&"))
        )
        return urlunsplit(
            (
                parts.scheme,
                self.host(host),
                self.excerpt(parts.path),
                query if parts.query else "",
                HIDDEN if parts.fragment else "",
            )
        )

    def header(self, name: str, value: str) -> tuple[str, str]:
        """A header; cookies and credentials are hidden entirely."""
        name = vocabulary.header_name(name, self.hide)
        if name.lower() in SECRET_HEADERS:
            return name, HIDDEN
        if name.lower() == "content-type":
            return name, self.by(vocabulary.content_type, value)
        return name, self.url(value) if value.startswith(("http://", "https://")) else self.excerpt(value)

    def of_value(self, value: Value) -> Value:
        """A value of a read or of the persona, masked."""
        return value.model_copy({"type": self.code_of_data(value.type), "text": mask_value(value.type, value.text)})

    def match(self, match: Match) -> Match:
        """A match with its value, the found text and the text around it masked."""
        return self._copied(
            match,
            {
                "type": self.code_of_data(match.type),
                "value": mask_value(match.type, match.value),
                "path": self.name(match.path),
                **{name: self._field(name, getattr(match, name)) for name in ("variant", "of", "decoding")},
                "before": self._around(match.before, cut_left=True),
                "found": self._found(match),
                "after": self._around(match.after, cut_left=False),
                "reasons": tuple(map(self._record, match.reasons)),
            },
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
        """The surroundings of a match: fields and paths masked like excerpts, bytes of values hidden."""

        def field(each: Neighbour) -> Neighbour:
            text = partial(self._around, cut_left=False) if each.cut else self.excerpt
            return changed(each, path=self.name, text=text)

        return changed(
            context, fields=field, stages=lambda each: changed(each, path=self.name), stretches=self._stretch
        )

    def _stretch(self, stretch: Stretch) -> Stretch:
        """Hide the bytes, unless they are between fields and nothing in them looks like a value: a key may be one."""
        text = stretch.data.decode("utf-8", "replace")
        if stretch.what == "structure" and "\ufffd" not in text and self.excerpt(text) == text:
            return stretch
        return stretch.model_copy(update={"data": b"\0" * len(stretch.data), "hidden": True})

    def _around(self, text: str, cut_left: bool) -> str:
        """The text beside a found one; a word cut off at the edge may be part of another value and is dropped."""
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
        return cast(R, self._access(record) if isinstance(record, Access) else self._record(record))

    def _access(self, access: Access) -> Access:
        """A read, masked: what thousands of reads have in common is masked once."""
        if access.args is not None:
            return cast(Access, self._record(access))
        alike = tuple(getattr(access, name) for name in _ALIKE)
        masked = self._alike.get(alike)
        if masked is None:
            masked = self._alike[alike] = self._record(access)
        return masked.model_copy({name: self._of_line(Access, name, getattr(access, name)) for name in _DIFFERING})

    def _record(self, record: Any) -> Any:
        if isinstance(record, Match):
            return self.match(record)
        if isinstance(record, Value):
            return self.of_value(record)
        if isinstance(record, Reason):
            extra = record.model_extra or {}
            shown = {name: self._field(name, value) for name, value in extra.items()}
            return record if shown == extra else record.model_copy(update=shown)
        if isinstance(record, Blob):
            return record if record.b64 is None else Blob(b64="")
        if isinstance(record, Part):
            changes = {
                name: self._of_line(type(record), name, value) for name, value in msgspec.structs.asdict(record).items()
            }
        else:
            changes = {name: self._field(name, value) for name, value in record.__dict__.items()}
        if isinstance(record, Upload):
            changes["url"] = self.url(record.url) if record.url and "//" in record.url else self._any(record.url)
            changes["headers"] = tuple(self.header(name, value) for name, value in record.headers)
        return record.model_copy(update=changes) if isinstance(record, Part) else self._copied(record, changes)

    def _of_line(self, kind: type[Part], name: str, value: Any) -> Any:
        """A field of a line, masked as `places` says."""
        if name in places.closed(kind):
            return self._number(value) if type(value) is int else value
        way = places.way_of(kind, name)
        return self._in(value, lambda text: self.by(way, text, code=way in _OF_CODE))

    def _number(self, number: int) -> int:
        """The number, or 0 if it is a known value."""
        return number if abs(number) < 100_000 or self.known(str(number)) == str(number) else 0

    def _in(self, value: Any, show: Callable[[str], str]) -> Any:
        """A text, or each text in a tuple, shown by `show`; anything else by the default rule."""
        match value:
            case str():
                return show(value)
            case tuple():
                return tuple(self._in(each, show) for each in value)
            case _:
                return self._any(value)

    def _field(self, name: str, value: Any) -> Any:
        """A field of a conclusion, masked."""
        if isinstance(value, Record | Part):
            return self._record(value)
        if name in _OURS or isinstance(value, int | float):
            return value
        if name in ("decoding", "variant", "of"):
            return self._in(value, lambda text: self.by(vocabulary.step, text, code=True))
        if name in ("data", "type", "held"):
            return self._in(value, self.code_of_data)
        return (
            self._in(value, self.host if name in ("host", "domain") else self.name)
            if name in _NAMES
            else (self._any(value))
        )

    def _copied[R: Record](self, record: R, changes: Mapping[str, Any]) -> R:
        """The record with changed fields; fields unknown to this version may hold anything, so they are masked
        completely."""
        changes = {name: value for name, value in changes.items() if value != record.__dict__[name]}
        if not (changes or record.__pydantic_extra__):
            return record
        made = record.model_copy(update=changes)
        if made.__pydantic_extra__:
            unknown = {self.name(name): self._any(value) for name, value in made.__pydantic_extra__.items()}
            made.__pydantic_extra__.clear()
            made.__pydantic_extra__.update(unknown)
        return made

    def _any(self, value: Any) -> Any:
        match value:
            case Record() | Part():
                return self._record(value)
            case str():
                return self.excerpt(value)
            case bool() | None:
                return value
            case int() | float():
                return value if value in (0, 1, -1) else HIDDEN
            case dict():
                return {self.name(str(key)): self._any(item) for key, item in value.items()}
            case list() | tuple():
                return type(value)(self._any(item) for item in value)
            case _:
                return value

    def flow(self, flow: Flow) -> Flow:
        """A flow with its matches masked, and any value in its recipient's name."""
        return changed(flow, matches=self.match, recipient=self.event, data=self.code_of_data, carrier=self.event)

    def finding(self, finding: Finding, lang: str | None = None) -> Finding:
        """A finding with its facts and its recipient masked; `lang`: the facts in this language alone, if it has
        them."""

        def told(texts: dict[str, str]) -> dict[str, str]:
            wanted = {lang: texts[lang]} if lang and texts.get(lang) else texts
            return {each: self.sentence(text) for each, text in wanted.items()}

        return changed(
            finding,
            detail=told,
            data=self.code_of_data,
            **dict.fromkeys(("recipient", "read_by", "sent_by"), self.event),
        )

    def _stated(self, value: str | Record) -> str | Record:
        if isinstance(value, str):
            return self.stated(value)
        return self._copied(value, {name: self.stated(text) for name, text in value.__dict__.items() if text})

    def run(self, run: Run) -> Run:
        """The run with its app, its times and counts, and what its operator says; everything else is masked as free
        text."""
        told: dict[str, Any] = {}
        for name, value in run.__dict__.items():
            if (
                name not in run.model_fields_set
                or name in _OF_RUN
                or isinstance(value, bool | int | float | datetime)
                or value is None
            ):
                continue
            told[name] = self._stated(value) if name in _STATED else self._of_run(value)
        return self._copied(run, told)

    def _of_run(self, value: Any) -> Any:
        match value:
            case AppIdentity() | DeviceIdentity():
                facts = {self.name(name): self._fact(fact) for name, fact in value.facts.items()}
                named = {
                    name: self.stated(text)
                    for name, text in value.__dict__.items()
                    if isinstance(text, str) and name not in ("kind", "apk_sha256", "certificate_sha256")
                }
                return self._copied(value, named | {"facts": facts})
            case SourceFile():
                tool = value.tool and self.name(value.tool)
                return self._copied(value, {"name": self.name(value.name), "tool": tool})
            case Change():
                before = value.before and self.excerpt(value.before)
                what = self.by(vocabulary.told, value.what)
                return self._copied(value, {"what": what, "before": before})
            case SharedCopy():
                return self._copied(value, {})
            case Part():
                return self._record(value)
            case Record():
                free = value.__dict__.keys() - places.closed_of(type(value))
                return self._copied(value, {name: self._of_run(getattr(value, name)) for name in free})
            case str():
                return self.by(places.subject, value)
            case dict():
                return {self.name(str(name)): self._fact(each) for name, each in value.items()}
            case list() | tuple():
                return type(value)(self._of_run(each) for each in value)
        return value

    def _fact(self, value: Any) -> Any:
        """One of the facts about a device or a package: names of architectures, versions, digests."""
        match value:
            case str():
                return value if _FACT.fullmatch(value) and self.stated(value) == value else self.name(value)
            case bool() | int() | float() | None:
                return self._number(value) if type(value) is int else value
            case dict():
                return {self.name(str(name)): self._fact(each) for name, each in value.items()}
            case list() | tuple():
                return type(value)(self._fact(each) for each in value)
        return self._any(value)


_DIFFERING = ("at", "arrived", "boot_ms", "count", "until")
_ALIKE = tuple(name for name in Access.__struct_fields__ if name not in _DIFFERING)
"""Fields of a read that differ each time, and those that many reads share."""
_OF_CODE = frozenset({vocabulary.name, vocabulary.host, places.subject})
"""Functions for names in code and of hosts: a contact called "Circle" does not hide `api.circle.test`."""
_STATED = frozenset({"operator", "case", "place", "equipment", "obtained", "image", "campaign", "root"})
"""Texts of run.json that an operator supplies for reports to show."""
_OF_RUN = frozenset({"v", "id", "plan"})
_FACT = re.compile(r"v?\d{1,3}(?:\.\d{1,4}){0,4}|[0-9a-f]{64}|(?:arm64-v8a|armeabi(?:-v7a)?|x86(?:_64)?|,)+")


def _sentence(text: str, hide: vocabulary.Hide) -> str:
    quoted = _QUOTED.search(text)
    if quoted is None:
        return _unquoted(text, hide)
    before, after = _unquoted(text[: quoted.start()], hide), _unquoted(text[quoted.end() :], hide)
    return f"{before}“{vocabulary.permission(quoted.group()[1:-1], hide)}”{after}"


def _unquoted(text: str, hide: vocabulary.Hide) -> str:
    return re.sub(r"[\x00-\x7f]+", lambda found: vocabulary.name(found.group(), hide), text)


_NEITHER = re.compile(r"[\W_]+")
"""Characters that are neither letters nor digits."""


def _flat(text: str) -> str:
    """Letters and digits only, in lower case."""
    return _NEITHER.sub("", text.casefold())


def _flats(value: Value) -> Iterator[tuple[str, bool]]:
    """A value as letters and digits only, if long enough to be found in other spellings; and whether it is a single
    word of letters, as names in code are."""
    forms = {value.text.strip(), _national(value.text) or "" if value.type == "phone_number" else ""}
    if value.type in _PLACES:
        forms |= set(value.text.split(","))
    for form in forms:
        flat, is_word = _flat(form), form.isascii() and form.isalpha()
        if len(flat) >= 6 or (len(flat) >= 2 and not flat.isascii()) or (len(flat) >= 4 and is_word):
            yield flat, is_word


def known_values(report: Report) -> Iterator[Value]:
    """Every value that the report could show: planted, read, or found."""
    yield from report.run.persona
    for event in report.evidence.values():
        if isinstance(event, Access):
            yield from event.values
    yield from values_of(report.accesses)
    for flow in report.flows:
        for match in flow.matches:
            yield Value(type=match.type, text=match.value)


def mask_of(*reports: Report) -> Mask:
    """A mask for every value that these reports could show."""
    return Mask(value for report in reports for value in known_values(report))


def masked(report: Report, mask: Mask | None = None, lang: str | None = None) -> Report:
    """The same report with every personal value masked, wherever it occurs; `mask`: the report's own, if it exists
    already; `lang`: the only language in which its findings are to be told."""
    mask = mask or mask_of(report)
    shown = changed(
        report,
        run=mask.run,
        flows=mask.flow,
        findings=lambda each: mask.finding(each, lang),
        declared=lambda each: changed(each, recipient=mask.host, purpose=mask.excerpt),
        coverage=lambda counts: {key: _coverage(mask, value) for key, value in counts.items()},
        evidence=lambda lines: ShownEvidence(lines, mask.event),
        **dict.fromkeys(("gaps", "limits"), mask.event),
    )
    lanes = {name: ShownLines(getattr(report, name), mask.event) for name in LANES}
    contexts = Contexts(lambda: {name: tuple(map(mask.context, each)) for name, each in report.contexts.items()})
    return shown.model_copy(update={"contexts": contexts, **lanes})


def _coverage(mask: Mask, value: Any) -> Any:
    """Counts by name, with the names of hosts and sources masked."""
    if isinstance(value, dict):
        return {mask.by(places.subject, str(key), code=True): _coverage(mask, item) for key, item in value.items()}
    return mask.by(vocabulary.told, value) if isinstance(value, str) else value
