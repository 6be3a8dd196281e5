"""Finds digests whose salt or key is in the upload itself: of a value with a field beside it, of two values
together, or of a value with the app's name."""

from __future__ import annotations

import hmac
import re
from bisect import insort
from collections.abc import Container, Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice, permutations
from typing import NamedTuple

from appwitness.events import Value
from appwitness.findings import Why, because
from appwitness.match import variants
from appwitness.match.decode import DECODERS, Leaf
from appwitness.match.hits import Hit, all_of, hit_at, how_found, last_key, root_of
from appwitness.match.look import JoinedLeaves
from appwitness.match.reads import Key
from appwitness.match.search import Search
from appwitness.match.variants.digests import DIGESTS

ALGORITHMS = {16: "md5", 20: "sha1", 32: "sha256", 64: "sha512"}
"""Size of a digest in bytes -> its possible algorithm."""
WRITTEN = (("hex",), ("base64",), ("base32",))
"""The last decoding step that yields the bytes of a possible digest."""
SALT_KEY = re.compile(
    r"salt|nonce|rand|seed|secret|token|pepper|(?:app|api|client|public|access)[_.-]?(?:key|id)|^(?:k|key|r|n|s|rnd|t|ts)$"
    r"|time|stamp|pkg|package|bundle"
)
"""Keys of possible salts or keys."""
SALT = range(2, 65)
"""Sizes of a salt in bytes."""
NO_DIGEST = re.compile(
    r"session|request|trace|span|parent|correlation|message|event|transaction|install|^[rsem]?id$|_sid$"
)
"""Keys of ids that are random each time, and not digests."""
MOST_SALTS, MOST_TOGETHER = 12, 12
"""Maximum number of fields that are tried as salts, and of values that are tried together: for 12, some thousand
digests are computed."""
LEAST_BITS = 24.0
"""Minimum bits of a value."""
MOST = 4_000
"""Maximum number of forms of values, read alone or in rows; if there are more, none of them is tried."""
MOST_DIGESTS = 800
"""Maximum number of digests computed for one upload, each in less than half a microsecond; the salts share them.
Digests with the app's name or with another value are computed once."""
REMEMBERED = 64
"""Number of salts whose digests are cached: apps send the same ones again and again."""
BETWEEN = (b"", b"_", b":", b"-", b"|", b"&", b",", b"#")
"""What may stand between two parts."""
FORMS = frozenset(("as_given", "lower", "upper", "e164", "international", "national", "significant", "digits", "bare"))
"""Normal forms that an app may have hashed."""
OF_DEVICES = frozenset(("id", "imei", "mac", "number", "text"))
"""Kinds of values that may be hashed together; of texts, only serial numbers."""


class _Form(NamedTuple):
    """One value in one normal form; sorts by how usual the form is."""

    rank: int
    key: Key
    kind: str
    name: str
    data: bytes
    md5: bytes
    """Its MD5 in hex."""


class _Salt(NamedTuple):
    """A text that may have been hashed with a value, and where it was found."""

    where: str
    data: bytes


class _Table:
    """Digests, and what each was computed from."""

    def __init__(self) -> None:
        self._raw: list[bytes] = []
        self._of: list[tuple[Sequence[_Form | tuple[_Form, ...]], str]] = []

    def add(self, raw: Sequence[bytes], of: Sequence[_Form | tuple[_Form, ...]], name: str) -> None:
        """Add digests, each with the value or values that it was computed from, and the name of the variant."""
        self._raw += raw
        self._of.append((of, name))

    @cached_property
    def _numbers(self) -> dict[bytes, int]:
        return dict(zip(self._raw, range(len(self._raw)), strict=True))

    def get(self, raw: bytes) -> tuple[tuple[_Form, ...], str] | None:
        """The values that a digest was computed from, and the name of the variant; None if it is unknown."""
        number = self._numbers.get(raw)
        if number is None:
            return None
        forms, name = next(islice(((forms, name) for of, name in self._of for forms in of), number, None))
        return (forms,) if isinstance(forms, _Form) else forms, name


class Salts:
    """The values of one recording, for digests that are in no table of the index."""

    def __init__(self) -> None:
        self._alone: list[_Form] = []
        self._of_rows: list[_Form] = []
        self._known: dict[Key, bool] = {}
        self._basis: Hashable = None
        """What `_forms` were selected by."""
        self._forms: tuple[list[_Form], ...] = ()
        self._tables: dict[tuple[bytes | None, str, int], _Table] = {}
        """Digests of `_forms`, by salt (None: of several values together), algorithm and limit."""

    def add(self, key: Key, value: Value) -> None:
        """Look for a value from now on; values that were read alone, not in a row of many, are tried first."""
        alone = value.row is None
        if key in self._known and self._known[key] >= alone:
            return
        self._known[key] = alone
        kind = variants.kind_of(value)
        if kind == "location" or variants.bits_of(key[1]) < LEAST_BITS:
            return
        known = self._alone if alone else self._of_rows
        if len(known) > MOST:
            return  # so many that none is tried
        forms = ((name, text) for name, text in variants.FORMS[kind](key[1]) if name in FORMS)
        for rank, (name, text) in enumerate(forms):
            data = text.encode("utf-8", "replace")
            # sorted, so that it does not matter when they became known
            insort(known, _Form(rank, key, kind, name, data, DIGESTS["md5"](data).hex().encode()))

    def find(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """Every value that was hashed with a field of an upload, with another value, or with the name of one of the
        apps, unless another finder explains the digest."""
        asked = {leaf.data: leaf for leaf in reversed(look.leaves) if _may_be_digest(leaf)}
        if not asked or not self._known:
            return
        known = {_place(hit.leaf) for hit in search.hits if hit.strong}
        asked = {raw: leaf for raw, leaf in asked.items() if _place(leaf) not in known}
        salts = _salts(look.leaves, asked.values())
        basis = search.unread, len(self._alone), len(self._of_rows)
        if basis != self._basis:
            self._basis = basis
            self._forms = tuple(_few(forms, search.unread) for forms in (self._alone, self._of_rows))
            self._tables.clear()
        room = MOST_DIGESTS // max(1, len(salts) * len({len(raw) for raw in asked}))
        ways = [(salt.where, salt.data, room) for salt in salts]
        ways += [("", app.encode("utf-8", "replace"), MOST_DIGESTS) for app in search.apps]
        for raw, leaf in asked.items():
            for where, salt, most in (*ways, (None, None, 0)):
                if made := self._table(salt, ALGORITHMS[len(raw)], most).get(raw):
                    yield from _hits(*made, where, leaf)
                    break

    def _table(self, salt: bytes | None, algorithm: str, most: int) -> _Table:
        """The digests of the values with a salt, or of several values together."""
        table = self._tables.pop((salt, algorithm, most), None)
        if table is None:
            of = self._forms
            table = _together(of[0], algorithm) if salt is None else _salted(of, salt, algorithm, most)
            if len(self._tables) >= REMEMBERED:
                del self._tables[next(iter(self._tables))]
        self._tables[salt, algorithm, most] = table
        return table


def _few(forms: list[_Form], unread: Container[Key]) -> list[_Form]:
    """The forms that may be tried, in order; none if there are too many."""
    if len(forms) > MOST:
        return []
    return list(islice((form for form in forms if form.key not in unread), MOST_DIGESTS))


def _may_be_digest(leaf: Leaf) -> bool:
    if leaf.text is not None or len(leaf.data) not in ALGORITHMS or leaf.decoding[-1:] not in WRITTEN:
        return False
    return not NO_DIGEST.search(last_key(leaf.path))


def _place(leaf: Leaf) -> tuple[str, int, int]:
    return root_of(leaf.path), leaf.start, leaf.end


def _salts(leaves: Sequence[Leaf], asked: Iterable[Leaf]) -> list[_Salt]:
    """Texts of an upload whose keys suggest that they are salts, each once."""
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
"""Keys of salts that are tried first."""
NO_TEXTS = frozenset(one.name for one in DECODERS if one.guess or one.no_salt)
"""Decoding steps that only guess, or whose output is never taken for a salt."""


def _salted(of: Iterable[list[_Form]], salt: bytes, algorithm: str, room: int) -> _Table:
    """Digests of values with one salt; the most usual ways to combine the two come first."""
    table, digest = _Table(), DIGESTS[algorithm]
    for known in of:
        for number, (before, after, of_md5) in enumerate(_ways(salt)):
            if not (forms := known[:room]):
                break
            room -= len(forms)
            raw = [digest(before + (form.md5 if of_md5 else form.data) + after) for form in forms]
            table.add(raw, forms, f"salted_{algorithm}")
            if number == 1:  # an HMAC is as usual as a salt before or after the value
                forms = known[:room]
                room -= len(forms)
                keyed = hmac.new(salt, digestmod=algorithm)  # many times faster than `hmac.digest` for each
                table.add([_mac(keyed.copy(), form.data) for form in forms], forms, f"hmac_{algorithm}")
    return table


def _mac(keyed: hmac.HMAC, data: bytes) -> bytes:
    keyed.update(data)
    return keyed.digest()


def _ways(salt: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """What stands before and after a value in the input of a digest, and whether the value's MD5 takes its place."""
    yield b"", salt, False
    yield salt, b"", False
    yield b"", salt, True
    yield salt, salt, False
    yield salt, b"", True
    yield from ((b"", between + salt, False) for between in BETWEEN[1:])
    yield from ((salt + between, b"", False) for between in BETWEEN[1:])


def _is_of_device(form: _Form) -> bool:
    return form.name == "as_given" and form.kind in OF_DEVICES and (form.kind != "text" or "device" in form.key[0])


def _together(forms: Iterable[_Form], algorithm: str) -> _Table:
    """Digests of two values, and of three with nothing between them, in any order."""
    table, digest = _Table(), DIGESTS[algorithm]
    forms = list(filter(_is_of_device, forms))[:MOST_TOGETHER]
    some = [*permutations(forms, 2), *permutations(forms[: MOST_TOGETHER // 2], 3)]
    for between in BETWEEN:
        of = [one for one in some if len(one) == 2 or not between]
        table.add([digest(between.join([form.data for form in one])) for one in of], of, f"salted_{algorithm}")
    return table


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
        reasons = (*how_found(variant, ""), said)
        yield hit_at(form.key, value, variant, all_of(leaf), len(raw), reasons=reasons)
