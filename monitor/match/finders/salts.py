"""Digests whose salt or key is in the upload itself: of a value and of a field beside it, of two values together, or of
a value and the app's name."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, permutations
from typing import NamedTuple

from monitor.events import Value
from monitor.findings import Why, because
from monitor.match import variants
from monitor.match.decode import Leaf
from monitor.match.decode.walk.pieces import GUESSES
from monitor.match.hits import Hit, hit_at, last_key, root_of
from monitor.match.reads import Key
from monitor.match.variants.digests import DIGESTS

ALGORITHMS = {16: "md5", 20: "sha1", 32: "sha256", 64: "sha512"}
"""Bytes of a digest -> which one it may be."""
WRITTEN = (("hex",), ("base64",), ("base32",))
"""The last step to the bytes of what may be a digest."""
SALT_KEY = re.compile(
    r"salt|nonce|rand|seed|secret|token|pepper|(?:app|api|client|public|access)[_.-]?(?:key|id)|^(?:k|key|r|n|s|rnd|t|ts)$"
    r"|time|stamp|pkg|package|bundle"
)
"""Keys of what may be a salt or a key."""
SALT = range(2, 65)
"""Bytes of one."""
NO_DIGEST = re.compile(
    r"session|request|trace|span|parent|correlation|message|event|transaction|install|^[rsem]?id$|_sid$"
)
"""Keys of ids that are drawn at random each time, and are no digests."""
MOST_SALTS, MOST_TOGETHER = 12, 12
"""Fields that are tried as salts, and values that are tried together: of 12, some thousand digests are taken."""
LEAST_BITS = 24.0
"""What a value must say."""
MOST = 4_000
"""Digests that are taken for one upload at most, some 3 ms; forms of more values are not tried at all."""
REMEMBERED = 4_096
BETWEEN = (b"", b"_", b":", b"-", b"|", b"&", b",", b"#")
"""What may stand between two parts."""
FORMS = frozenset(("as_given", "lower", "upper", "e164", "international", "national", "significant", "digits", "bare"))
"""Normal forms that somebody may have hashed."""
OF_DEVICES = frozenset(("id", "imei", "mac", "number", "text"))
"""Kinds of values that may be hashed together, texts only as serial numbers."""


class _Form(NamedTuple):
    """One value in one normal form."""

    key: Key
    kind: str
    name: str
    data: bytes


class _Salt(NamedTuple):
    """A text that may have been hashed with a value, and where it was found."""

    where: str
    """Empty: it is the name of the app."""
    data: bytes


class Salts:
    """The values of one recording, for digests that no table holds."""

    def __init__(self) -> None:
        self._alone: list[_Form] = []
        self._of_rows: list[_Form] = []
        self._known: dict[Key, bool] = {}
        self._tried: set[tuple[frozenset[bytes], tuple[_Salt, ...], int, int]] = set()
        """What was asked and not found: apps send the same again and again."""

    def add(self, key: Key, *, alone: bool) -> None:
        """Look for a value from now on; those that were read alone, not in a row of many, are tried first."""
        if key in self._known and self._known[key] >= alone:
            return
        self._known[key] = alone
        value = Value(type=key[0], text=key[1])
        kind = variants.kind_of(value)
        if kind == "location" or variants.bits_of(key[1]) < LEAST_BITS:
            return
        known = self._alone if alone else self._of_rows
        if len(known) > MOST:
            return  # there are too many to try any
        known.extend(
            _Form(key, kind, name, text.encode("utf-8", "replace"))
            for name, text in variants.FORMS[kind](key[1])
            if name in FORMS
        )

    def find(
        self,
        leaves: Sequence[Leaf],
        explained: Iterable[Hit],
        apps: Iterable[str],
        wanted: Callable[[Key], bool],
    ) -> list[Hit]:
        """Every value that was hashed with a field of these leaves, with another value, or with the name of one of the
        apps. `explained`: what was found already; `wanted`: whether a value may be in the upload at all."""
        known = {_place(hit.leaf) for hit in explained if hit.strong}
        asked = {leaf.data: leaf for leaf in reversed(leaves) if _may_be_digest(leaf) and _place(leaf) not in known}
        if not asked or not self._known:
            return []
        salts = _salts(leaves, asked.values())
        salts += [_Salt("", app.encode("utf-8", "replace")) for app in apps]
        alone, of_rows = (_few(forms, wanted) for forms in (self._alone, self._of_rows))
        tried = (frozenset(asked), tuple(salts), len(alone), len(of_rows))
        if tried in self._tried:
            return []
        if len(self._tried) >= REMEMBERED:
            self._tried.clear()
        inputs = chain(_salted(alone, salts), _together(list(filter(_is_of_device, alone))), _salted(of_rows, salts))
        hits = list(_hashed(asked, inputs))
        if not hits:
            self._tried.add(tried)
        return hits


def _few(forms: list[_Form], wanted: Callable[[Key], bool]) -> list[_Form]:
    """Those that are wanted, in an order that does not depend on when they became known; none of too many."""
    if len(forms) > MOST:
        return []
    forms.sort()
    return [form for form in forms if wanted(form.key)]


def _hashed(asked: dict[bytes, Leaf], inputs: Iterable[_Input]) -> Iterator[Hit]:
    """Whatever of these inputs one of the digests was taken of."""
    algorithms = [ALGORITHMS[size] for size in sorted({len(raw) for raw in asked})]
    for forms, data, where, secret in islice(inputs, MOST // len(algorithms)):
        for algorithm in algorithms:
            raw = hmac.digest(secret, data, algorithm) if secret else DIGESTS[algorithm](data)
            if raw in asked:
                yield from _hits(forms, f"{'hmac' if secret else 'salted'}_{algorithm}", where, asked[raw])


def _may_be_digest(leaf: Leaf) -> bool:
    if leaf.text is not None or len(leaf.data) not in ALGORITHMS or leaf.decoding[-1:] not in WRITTEN:
        return False
    return not NO_DIGEST.search(last_key(leaf.path))


def _place(leaf: Leaf) -> tuple[str, int, int]:
    return root_of(leaf.path), leaf.start, leaf.end


def _salts(leaves: Sequence[Leaf], asked: Iterable[Leaf]) -> list[_Salt]:
    """Texts of an upload whose keys say that they may be salts, each once."""
    paths = {leaf.path for leaf in asked}
    found: dict[bytes, _Salt] = {}
    for leaf in leaves:
        if (
            leaf.text is None
            or len(leaf.data) not in SALT
            or leaf.path in paths
            or not NO_TEXTS.isdisjoint(leaf.decoding[-1:])
        ):
            continue
        if SALT_KEY.search(last_key(leaf.path)):
            found.setdefault(leaf.data, _Salt(leaf.path, leaf.data))
    return sorted(found.values(), key=lambda salt: not SURE_KEY.search(last_key(salt.where)))[:MOST_SALTS]


SURE_KEY = re.compile(r"salt|nonce|secret|pepper|key")
"""Keys of those that are tried first."""
NO_TEXTS = GUESSES | {"separators", "base85"}
"""Steps that only guess."""


_Input = tuple[tuple[_Form, ...], bytes, str | None, bytes]
"""Values, what a digest may have been taken of, where the salt is (None: they are each other's), and the key of a MAC;
empty: a digest. A plain tuple, for there are thousands."""


def _salted(forms: Sequence[_Form], salts: Sequence[_Salt]) -> Iterator[_Input]:
    """The ways that are most usual first, each for all values."""
    for number, way in enumerate(WAYS):
        for where, salt in salts:
            for form in forms:
                yield (form,), way(form.data, salt), where, b""
        if number == 1:
            for where, salt in salts:
                for form in forms:
                    yield (form,), form.data, where, salt


def _md5(data: bytes) -> bytes:
    return DIGESTS["md5"](data).hex().encode()


WAYS: tuple[Callable[[bytes, bytes], bytes], ...] = (
    lambda value, salt: value + salt,
    lambda value, salt: salt + value,
    lambda value, salt: _md5(value) + salt,
    lambda value, salt: salt + value + salt,
    lambda value, salt: salt + _md5(value),
    *(lambda value, salt, between=between: value + between + salt for between in BETWEEN[1:]),
    *(lambda value, salt, between=between: salt + between + value for between in BETWEEN[1:]),
)
"""How a value and a salt are put together before a digest is taken of them."""


def _is_of_device(form: _Form) -> bool:
    return form.name == "as_given" and form.kind in OF_DEVICES and (form.kind != "text" or "device" in form.key[0])


def _together(forms: Sequence[_Form]) -> Iterator[_Input]:
    """Two values, and three without anything between them, in any order."""
    forms = forms[:MOST_TOGETHER]
    for pair in permutations(forms, 2):
        for between in BETWEEN:
            yield pair, between.join([form.data for form in pair]), None, b""
    for three in permutations(forms[: MOST_TOGETHER // 2], 3):
        yield three, b"".join([form.data for form in three]), None, b""


def _hits(forms: Sequence[_Form], name: str, where: str | None, leaf: Leaf) -> Iterator[Hit]:
    raw, keyed = leaf.data, name.startswith("hmac")
    if where is None:
        said = because(Why.TAKEN_WITH_VALUE)
    elif where:
        said = because(Why.KEYED_WITH_FIELD if keyed else Why.TAKEN_WITH_FIELD, path=where)
    else:
        said = because(Why.KEYED_WITH_APP if keyed else Why.TAKEN_WITH_APP)
    for form in forms:
        value = Value(type=form.key[0], text=form.key[1])
        bits = variants.bits_of(form.data.decode("utf-8", "replace"))
        variant = variants.Variant(name, form.name, "leaf", raw, "none", bits)
        hit = hit_at(form.key, value, form.kind, variant, leaf, 0, len(raw), "", len(raw))
        yield hit._replace(reasons=(*hit.reasons, said))
