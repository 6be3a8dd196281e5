"""What a shared copy keeps besides tokens: text that `findings/places.py` allows, and only the shape of everything
else."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any
from urllib.parse import quote_plus, unquote_plus, urlsplit, urlunsplit

from appwitness.care.pseudonyms import Tokens
from appwitness.care.replacing import MOST_BYTES, unpacked
from appwitness.events import Part, Record, Value
from appwitness.findings.mask import Mask
from appwitness.match import variants
from appwitness.support import vocabulary

DEEPEST = 4
"""Deepest nesting of encodings (base64 in JSON in base64 ...) that is shaped."""
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')
_FORM = re.compile(r"[^\s=&{}\[\]<>]+=[^\s&{}\[\]<>]*(?:&[^\s=&{}\[\]<>]*(?:=[^\s&{}\[\]<>]*)?)*")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_DIGEST = re.compile(r"[0-9A-Fa-f]{16,}|[A-Za-z0-9+/_-]{22,}={0,2}")


class Shaper(Mask):
    """Replaces text with text of the same shape; tokens, which have already replaced values, are kept."""

    def __init__(self, tokens: Tokens, values: Iterable[Value]) -> None:
        values = list(values)
        self._tokens = tokens
        self._made = [tokens.of(value) for value in values]
        self._before = Mask(values)
        super().__init__(self._made)

    def hide(self, piece: str) -> str:
        """A meaningless text of the same shape."""
        return self._tokens.scrambled(piece)

    def value(self, piece: str, masked: str) -> str:
        """The token, unchanged."""
        return piece

    def of_value(self, value: Value) -> Value:
        """A value, already replaced by a token, with a data type that the catalog knows."""
        return value.model_copy({"type": self.code_of_data(value.type)})

    def _is_spelt(self, text: str, code: bool) -> bool:
        return self._before._is_spelt(text, code)  # noqa: SLF001 (as its subclass)

    def _number(self, number: int) -> int:
        return self._before._number(number)  # noqa: SLF001 (as its subclass)

    def _any(self, value: Any) -> Any:
        match value:
            case str():
                return self.text(value)
            case bool() | None | Record() | Part():
                return super()._any(value)
            case int() | float():
                return json.loads(self._literal(json.dumps(value)))
            case dict():
                return {self.name(str(key)): self._any(item) for key, item in value.items()}
        return super()._any(value)

    def url(self, url: str) -> str:
        """A URL with its host masked as hosts are, and its path and query shaped."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return self.text(url)
        query = self.form(parts.query) if parts.query else ""
        return urlunsplit(
            (parts.scheme, self.host(parts.netloc), self.text(parts.path), query, self.text(parts.fragment))
        )

    def header(self, name: str, value: str) -> tuple[str, str]:
        """A header: its name if it is in wide use, its value shaped."""
        shown = vocabulary.header_name(name, self.hide)
        ways = {"content-type": vocabulary.content_type, "host": vocabulary.host}
        if shown.lower() in ("content-length", "content-encoding", "transfer-encoding"):
            return shown, value if value.isdigit() else self.by(vocabulary.step, value)
        if (way := ways.get(shown.lower())) is not None:
            return shown, self.by(way, value, code=way is vocabulary.host)
        return shown, self.url(value) if value.startswith(("http://", "https://")) else self.text(value)

    def text(self, text: str, depth: int = 0) -> str:
        """A text, shaped part by part if it is JSON, a form or base64."""
        if _DIGEST.fullmatch(text) and text.rstrip("=").lower() in self._digests:
            return text
        if text[:1] in ("{", "[") and _is_json(text):
            return _LITERAL.sub(lambda found: self._literal(found.group(), depth + 1), text)
        if depth < DEEPEST and _FORM.fullmatch(text):
            return self.form(text, depth + 1)
        return self.by(vocabulary.sifted, self._inner(text, depth)) if depth < DEEPEST else self.hide(text)

    def form(self, text: str, depth: int = 0) -> str:
        """The pairs of a form or a query string, each part shaped."""
        return "&".join("=".join(self._pair(part, depth) for part in pair.split("=", 1)) for pair in text.split("&"))

    def _pair(self, part: str, depth: int) -> str:
        plain = unquote_plus(part)
        shaped = self.text(plain, max(depth, 1))
        return shaped if plain == part else quote_plus(shaped)

    def _literal(self, literal: str, depth: int = 0) -> str:
        if not literal.startswith('"'):
            if any(masked for _, masked in self._pieces(literal)):
                return literal
            shaped = re.sub(r"\d+", lambda found: self.hide(found.group()), literal)
            return re.sub(r"^(-?)0(?=\d)", r"\g<1>1", shaped)
        plain = json.loads(literal, strict=False)
        shaped = self.text(plain, depth)
        if shaped == plain:
            return literal
        return json.dumps(shaped, ensure_ascii=literal.isascii())

    def _inner(self, text: str, depth: int) -> str:
        """The text with its base64 and hex runs shaped inside, if they hold tokens."""

        def put(found: re.Match[str]) -> str:
            run = found.group()
            for decode, encode in _CODECS:
                try:
                    inner = decode(run)
                except ValueError:
                    continue
                if any(masked for _, masked in self._pieces(inner)):
                    self.forms.setdefault(encoded := encode(self.text(inner, depth + 1)), encoded)
                    self._keep(encoded)
                    return encoded
            return run

        return _RUN.sub(put, text)

    def _keep(self, form: str) -> None:
        """From now on, keep a form that we made, wherever it occurs."""
        self._add(form.casefold() if len(form.casefold()) == len(form) else form, form)

    @cached_property
    def _digests(self) -> frozenset[str]:
        """Digests of tokens in the ways they may be written."""
        raws = {raw for value in self._made for _, _, raw, _ in variants.digests_of(value)}
        written = {raw.hex() for raw in raws}
        for raw in raws:
            written |= {base64.b64encode(raw).decode().rstrip("=").lower()}
            written |= {base64.urlsafe_b64encode(raw).decode().rstrip("=").lower()}
        return frozenset(written)

    def body(self, data: bytes) -> bytes | None:
        """A text body, possibly gzip-compressed, shaped; None when its content cannot be read."""
        if data.startswith(b"\x1f\x8b"):
            plain = unpacked(data)
            shaped = self.body(plain) if plain is not None and not plain.startswith(b"\x1f\x8b") else None
            return None if shaped is None else gzip.compress(shaped, mtime=0)
        if len(data) > MOST_BYTES or b"\0" in data:
            return None
        try:
            return self.text(data.decode()).encode()
        except UnicodeDecodeError:
            return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _padded(run: str) -> str:
    bare = run.rstrip("=")
    return bare + "=" * (-len(bare) % 4)


type Codec = tuple[Callable[[str], str], Callable[[str], str]]
_CODECS: tuple[Codec, ...] = (
    (
        lambda run: base64.b64decode(_padded(run), validate=True).decode(),
        lambda text: base64.b64encode(text.encode()).decode(),
    ),
    (
        lambda run: base64.urlsafe_b64decode(_padded(run)).decode(),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    ),
    (lambda run: bytes.fromhex(run).decode(), lambda text: text.encode().hex()),
)
