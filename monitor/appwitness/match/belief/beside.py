"""What stands beside a name in an upload: members of its object, entries of its list, cells of its row."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from appwitness.match.belief.contacts import Contact, contacts_in, contacts_of
from appwitness.match.belief.steps import WORDS, Tokens, tokens_of, xml_rows
from appwitness.match.decode import DECODERS, Leaf
from appwitness.match.hits import Hit


class ContactText(NamedTuple):
    """A readable number or address, and where it stands."""

    kind: Contact
    text: str
    tokens: Tokens
    path: str


class HitNeighbours(NamedTuple):
    """What stands beside a hit: the numbers and addresses of its row, and where in the upload this row is."""

    told: list[ContactText]
    roots: list[Tokens]
    region: str = ""
    """The row, if it is part of a text."""


OTHER_READINGS = frozenset(one.name for one in DECODERS if one.guess or one.another_reading)
"""Decoding steps that guess, or that read bytes a second time in another way: what they yield contradicts no name."""
LEVELS = 6
"""Maximum number of steps from the object that is a row to a number in it."""
MOST = 200
"""An object with more numbers and addresses than this is not a single person's."""
ACROSS = "*"
"""A step that stands for any step: entries with the same index in parallel lists."""


class Rows:
    """The readable numbers and addresses of an upload, by the row that they stand in."""

    def __init__(self, leaves: Sequence[Leaf], named: Iterable[Hit]) -> None:
        self._xml = xml_rows(leaves)
        readable = {
            (leaf.path, leaf.start, kind): ContactText(kind, text, self.tokens_of(leaf), leaf.path)
            for leaf in leaves
            if leaf.text is not None and OTHER_READINGS.isdisjoint(leaf.decoding)
            for kind, text in contacts_of(leaf.text, leaf.path)
        }
        self.told = list(readable.values())
        self._under: dict[Tokens, list[ContactText]] = defaultdict(list)
        self._across: dict[tuple[Tokens, str | int], list[ContactText]] = defaultdict(list)
        for told in self.told:
            for end in range(max(1, len(told.tokens) - LEVELS), len(told.tokens)):
                self._under[told.tokens[:end]].append(told)
            if isinstance(told.tokens[-1], int) and len(told.tokens) > 2:
                self._across[told.tokens[:-2], told.tokens[-1]].append(told)
        self._lists: dict[Tokens, dict[str | int, list[ContactText]]] = {}
        self._many = Counter(self.tokens_of(hit.leaf) for hit in {id(hit.leaf): hit for hit in named}.values())
        in_texts = any(_region(hit) for hit in named)
        if in_texts and not self.told:
            self.told = [ContactText("phone", "", (), "")]  # so that texts are searched

    def tokens_of(self, leaf: Leaf) -> Tokens:
        """The path of a leaf, with an index for each of several elements of the same name."""
        return self._xml.get((leaf.path, leaf.start), None) or tokens_of(leaf.path)

    def place_of(self, hit: Hit) -> HitNeighbours:
        """What stands in the row of a hit."""
        if region := _region(hit):
            path = hit.leaf.path
            return HitNeighbours([ContactText(kind, text, (), path) for kind, text in contacts_in(region)], [], region)
        tokens = self.tokens_of(hit.leaf)
        if isinstance(tokens[-1], int):
            return self._in_list(tokens)
        if self._many[tokens] > 1:  # several elements of one name, which nothing tells apart
            return HitNeighbours([], [])
        root = tokens[:-1]
        while len(root) > 1 and _is_of_names(root, hit):
            root = root[:-1]
        role = _role(tokens, len(root))
        under = self._under.get(root, ())
        told = [
            one
            for one in (under if len(under) <= MOST else ())
            if _is_beside(one, len(root), hit) and _role(one.tokens, len(root)) in (role, "")
        ]
        return HitNeighbours(told, [root])

    def _in_list(self, tokens: Tokens) -> HitNeighbours:
        """What stands beside a name in a list: the list is one row, or has one person after the other, or is
        parallel to others."""
        root, at = tokens[:-1], tokens[-1]
        assert isinstance(at, int)
        if root not in self._lists:
            entries: dict[str | int, list[ContactText]] = defaultdict(list)
            for one in self._under.get(root, ()):
                if len(one.tokens) == len(tokens):
                    entries[one.tokens[-1]].append(one)
            self._lists[root] = entries
        row = self._lists[root]
        if row:
            if max(Counter(one.kind for entry in islice(row.values(), 8) for one in entry).values()) == 1:
                return HitNeighbours([one for entry in row.values() for one in entry], [root])
            near = (at - 1, at + 1)  # one person after the other
            return HitNeighbours(
                [one for place in near for one in row.get(place, ())], [(*root, place) for place in near]
            )
        step = [one for one in self._across.get((tokens[:-2], at), ()) if one.tokens[:-1] != root]
        return HitNeighbours(step, [(*tokens[:-2], ACROSS, at)])


def _is_beside(told: ContactText, depth: int, hit: Hit) -> bool:
    """Whether a number is a member of the object at this depth, or of a list or object in it for contact data:
    another object may be another person's."""
    inner = told.tokens[depth:-1]
    if told.path == hit.leaf.path:
        return False
    names = [one for one in inner if isinstance(one, str)]
    return not inner or (bool(names) and all(_tells_contact(name) for name in names))


CONTACTS = re.compile(r"phone|mobile|tel|mail|address|addr|contact_?(?:info|method|way)|number|地址|电话|手机|邮箱")


def _tells_contact(name: str) -> bool:
    return bool(CONTACTS.search(name.lower()))


NAMES = re.compile(r"(?:^|_)names?$|name$|姓名")


def _is_of_names(root: Tokens, hit: Hit) -> bool:
    """Whether an object or list holds the parts of a name, so that the row is what encloses it."""
    if isinstance(root[-1], int):
        return len(root) > 2 and isinstance(root[-2], str) and bool(NAMES.search(root[-2].lower()))
    own = root[-1].lower()
    return bool(NAMES.search(own)) or (own == "n" and "vcard" in hit.decoding)


ROLES = frozenset(
    (
        *("user", "my", "own", "self", "owner", "account", "login", "sender", "from", "inviter", "caller", "author"),
        *(
            "contact",
            "friend",
            "to",
            "receiver",
            "recipient",
            "consignee",
            "invitee",
            "callee",
            "emergency",
            "guardian",
        ),
        *(
            "support",
            "service",
            "help",
            "hotline",
            "company",
            "merchant",
            "shop",
            "store",
            "seller",
            "office",
            "driver",
        ),
        *("courier", "agent", "doctor", "parent", "spouse", "partner", "referrer", "billing", "publisher", "developer"),
    )
)
"""Words of keys that say whose data it is: `sender_name` does not belong to `receiver_phone`."""


def _role(tokens: Tokens, depth: int) -> str:
    """The role of the person that a key names; empty if it names none."""
    for token in tokens[depth:]:
        if isinstance(token, str):
            for word in WORDS.findall(token):
                if word.lower() in ROLES:
                    return str(word.lower())
    return ""


ENDS = ("\n", "\x1e", ";", "|")
"""Separators between the rows of a text; the first one that it contains counts."""


def _region(hit: Hit) -> str:
    """The row of a text in which a hit stands; empty if the hit is all of its leaf."""
    text = hit.leaf.text
    if text is None or not (hit.before or hit.after):
        return ""
    data = hit.leaf.data
    if hit.leaf.exact:
        start, end = hit.start - hit.leaf.start, hit.end - hit.leaf.start
    else:
        around = data.find((hit.before + hit.found + hit.after).encode())
        if around < 0:
            return ""
        start = around + len(hit.before.encode())
        end = start + len(hit.found.encode())
    mark = next((one.encode() for one in ENDS if one in text), b"\n")
    first, last = data.rfind(mark, 0, start) + 1, data.find(mark, end)
    return data[max(first, start - ROW_BYTES) : last if 0 <= last < end + ROW_BYTES else end + ROW_BYTES].decode(
        "utf-8", "ignore"
    )


ROW_BYTES = 1000
