"""Tells whose rows a read returned, and which of these people an upload identifies: several rows may be one person."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from appwitness.events import DataType, Value
from appwitness.match.belief.contradiction import SEVERAL, is_of_many
from appwitness.match.belief.placeholders import is_of_a_service
from appwitness.match.hits import STRONG_BITS, Hit
from appwitness.match.reads import Key
from appwitness.match.variants import bits_of

OWN = frozenset(("phone_number", "email"))
"""Kinds of value that belong to one person: two rows with the same value are that person's, and it identifies its
owner."""
SHARED = frozenset(("address", "account_id"))
"""Kinds of value that identify a person if only that person has the value, and it is too long to be a coincidence."""
OF_PEOPLE = OWN | {"name"}
PLACE = re.compile(r"\[\d+\]")
"""An index in a list: `$.people[3].name` and `$.people[4].name` are in one list."""


class Persons:
    """The people that the rows of one read are about.

    Two rows are one person's if the recording shows it: the same contact id, number or e-mail address, or the same
    distinctive name. Rows that share a common name may be one person's or several people's: they count as one when
    people found are counted (`sent`), and as several when people read are counted (`read`), so that neither count
    overstates what was sent.
    """

    def __init__(self, rows: Mapping[int, frozenset[Key]], contacts: Mapping[int, str]) -> None:
        """`contacts`: the contact id of each row for which the app requested it."""
        self.read = len(set(_joined(rows, contacts, short_names=False).values()))
        self.told_apart = bool(contacts) or any(kind == "name" for keys in rows.values() for kind, _ in keys)
        """Whether the read tells at all which rows are one person's."""
        self._of_row = _joined(rows, contacts, short_names=True)
        self._of_key: dict[Key, set[int]] = defaultdict(set)
        self._held: dict[int, set[str]] = defaultdict(set)
        for row, keys in rows.items():
            for key in keys:
                self._of_key[key].add(self._of_row[row])
                self._held[self._of_row[row]].add(key[0])
        numbers: dict[tuple[str, str], int] = {}
        self.details = {key: numbers.setdefault(_same(key), len(numbers)) for key in sorted(self._of_key)}
        """Each value with a number, which all notations of the same value share."""

    def sent(self, hits: Mapping[Key, list[Hit]]) -> dict[Key, int]:
        """The found values of people whom the upload identifies, each with the number of its person.

        A number or an e-mail address identifies its owner, and a name beside it counts as well. Names alone count only
        as a list: in a sentence or under `author`, a name may be anybody's.
        """
        by_person: dict[int, list[Key]] = defaultdict(list)
        for key, of_key in hits.items():
            people = self._of_key.get(key, set())
            if (len(people) == 1 or (people and key[0] in OWN)) and any(not hit.namesake for hit in of_key):
                by_person[min(people)].append(key)  # a number that several people share belongs to at least one of them
        identified = {person for person, keys in by_person.items() if any(_identifies(key, hits[key]) for key in keys)}
        lists: dict[str, set[int]] = defaultdict(set)
        for person, keys in by_person.items():
            for hit in (hit for key in keys if key[0] == "name" for hit in hits[key] if not hit.namesake):
                lists[PLACE.sub("", hit.leaf.path)].add(person)
        for members in lists.values():
            if len(members) >= SEVERAL:
                identified |= members
        return {key: person for person in identified for key in by_person[person]}

    def held(self, people: Iterable[int]) -> tuple[str, ...]:
        """The kinds of values that the read returned about these people."""
        return tuple(sorted({kind for person in people for kind in self._held[person]}))


def persons_of(data: DataType, rows: Mapping[int, frozenset[Key]], contacts: Mapping[int, str]) -> Persons | None:
    """The people of the rows of a read; None if the rows are not about people, or hold more than data about them:
    messages, events."""
    kinds = {kind for keys in rows.values() for kind, _ in keys}
    if kinds.isdisjoint(OF_PEOPLE) or data in kinds:
        return None
    return Persons(rows, contacts)


def entries(rows: Mapping[int, frozenset[Key]], hits: Iterable[Key]) -> int:
    """Minimum number of rows that the found values come from: a value in several rows counts once."""
    found = frozenset(hits)
    joined = _Groups(row for row, keys in rows.items() if not keys.isdisjoint(found))
    first: dict[Key, int] = {}
    alone: dict[Key, int] = defaultdict(int)
    for row in joined.of:
        for key in rows[row] & found:
            joined.join(first.setdefault(key, row), row)
            alone[key] += 1
    own = sum(any(alone[key] == 1 for key in rows[row] & found) for row in joined.of)
    return max(own, len({joined.root(row) for row in joined.of}))


class _Groups:
    """Rows in groups, each named by its first row."""

    def __init__(self, rows: Iterable[int]) -> None:
        self.of = {row: row for row in sorted(rows)}

    def root(self, row: int) -> int:
        while self.of[row] != row:
            self.of[row] = row = self.of[self.of[row]]
        return row

    def join(self, one: int, other: int) -> None:
        first, last = sorted((self.root(one), self.root(other)))
        self.of[last] = first


def _joined(rows: Mapping[int, frozenset[Key]], contacts: Mapping[int, str], *, short_names: bool) -> dict[int, int]:
    """Row -> the first row of the same person. Different contact ids are different people, whatever else they share."""
    groups = _Groups(rows)
    first: dict[tuple[str, str, str], int] = {}
    for row in groups.of:
        contact = contacts.get(row, "")
        if contact:
            groups.join(first.setdefault(("contact", contact, ""), row), row)
        for kind, text in rows[row]:
            if kind in OWN or (kind == "name" and (short_names or bits_of(text) >= STRONG_BITS)):
                groups.join(first.setdefault((*_same((kind, text)), contact), row), row)
    return {row: groups.root(row) for row in groups.of}


def _same(key: Key) -> tuple[str, str]:
    """A value independent of its notation; a phone number as its last nine digits, after country code and trunk
    prefix."""
    kind, text = key
    if kind == "phone_number":
        return kind, "".join(char for char in text if char.isdecimal())[-9:]
    return kind, "".join(text.split()).casefold()


def _identifies(key: Key, hits: list[Hit]) -> bool:
    kind, text = key
    if kind in OWN:
        return not is_of_a_service(Value(type=kind, text=text))
    return kind in SHARED and any(hit.strong and not is_of_many(key, hit) for hit in hits)
