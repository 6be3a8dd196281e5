"""Rows are not people: who is counted as sent, against an oracle that looks at made-up address books and messages."""

from __future__ import annotations

import json
import random
import re
from typing import NamedTuple

import pytest
from msgspec import UNSET, structs

from appwitness.catalog.picked import was_picked
from appwitness.events import Access, Upload, Value
from appwitness.events.seen import see
from appwitness.findings.mask import Mask
from appwitness.findings.people import FEW, label, told
from appwitness.match import decode
from appwitness.match.linking import Joined, Linker
from tests.match.test_linking import at

FIRST = ("Anna", "Jürgen", "Priya", "Seán", "Camille", "Tomasz", "Ingeborg", "Oluwaseun", "Grace", "Miguel")
LAST = ("Kowalska", "Weissmüller", "Raghunathan", "O'Brien", "Laurent", "Wiśniewski", "Halvorsen", "Adeyemi")


class Friend(NamedTuple):
    """A person of a made-up address book."""

    name: str
    numbers: tuple[str, ...]
    mails: tuple[str, ...]


def a_book(pick: random.Random, size: int) -> list[Friend]:
    pairs = pick.sample([f"{first} {last}" for first in FIRST for last in LAST], size)
    return [
        Friend(
            name,
            tuple(f"+4915{at:03}{pick.randrange(10**5):05}{n}" for n in range(pick.choice((1, 1, 2)))),
            tuple(f"{name.split()[0].lower()}.{at}.{n}@mail.example" for n in range(pick.choice((0, 1, 2)))),
        )
        for at, name in enumerate(pairs)
    ]


def read_by(book: list[Friend], shape: str) -> Access:
    """What a read of a book returns: a row a person, or a row a detail (as of Data), with contact ids or not."""
    values: list[Value] = []
    row = 0
    for number, friend in enumerate(book):
        if shape == "people":
            own = [("phone_number", text) for text in friend.numbers] + [("email", text) for text in friend.mails]
            values += [Value(type=kind, text=text, row=row) for kind, text in (("name", friend.name), *own)]
            row += 1
            continue
        contact = str(number + 17) if shape == "details, with ids" else UNSET
        for kind, text in [
            ("", ""),
            *(("phone_number", t) for t in friend.numbers),
            *(("email", t) for t in friend.mails),
        ]:
            values.append(Value(type="name", text=friend.name, row=row, contact=contact))
            if kind:
                values.append(Value(type=kind, text=text, row=row, contact=contact))
            row += 1
    return Access(at=at(10), source="s", data="device_contacts", values=tuple(values), outcome="returned")


def sent(read: Access, document: object) -> list[Joined]:
    linker = Linker([])
    linker.add_access(see("accesses.jsonl:1", read, 0))
    upload = Upload(at=at(20), via="http")
    body = json.dumps(document, ensure_ascii=False).encode()
    return linker.link(see("uploads.jsonl:1", upload, 0), decode.leaves(upload, body))


def a_message(pick: random.Random, book: list[Friend]) -> tuple[object, set[str], dict[str, int]]:
    """A message, and from its lines alone: whom it identifies, and how many of them with which detail."""
    some = pick.sample(book, pick.randint(1, len(book)))
    match pick.choice(("names", "numbers", "both", "all", "greeting", "invitation", "mails")):
        case "names":
            who = {each.name for each in some} if len(some) >= 3 else set()
            return {"people": [{"name": each.name} for each in some]}, who, {"name": len(who)}
        case "numbers":
            listed = {"phones": [each.numbers[0] for each in some]}
            return listed, {each.name for each in some}, {"phone_number": len(some)}
        case "both":
            entries = [{"name": each.name, "phone": each.numbers[0]} for each in some]
            return {"c": entries}, {each.name for each in some}, {"name": len(some), "phone_number": len(some)}
        case "all":
            whole = [{"name": each.name, "phones": each.numbers, "mails": each.mails} for each in some]
            mailed = sum(bool(each.mails) for each in some)
            return {"c": whole}, {each.name for each in some}, {
                "name": len(some), "phone_number": len(some), **({"email": mailed} if mailed else {}),
            }  # fmt: skip
        case "greeting":
            return {"text": f"Happy birthday, {some[0].name}! See you soon."}, set(), {}
        case "invitation":
            one = some[0]
            return {"invite": {"name": one.name, "phone": one.numbers[0]}}, {one.name}, {"name": 1, "phone_number": 1}
        case _:
            having = [each for each in some if each.mails]
            return (
                {"mails": [each.mails[0] for each in having], "v": 1},
                {each.name for each in having},
                {"email": len(having)},
            )


@pytest.mark.parametrize("seed", range(60))
def test_as_many_people_as_the_message_identifies(seed):
    pick, shape = random.Random(seed), ("people", "details, with ids", "details")[seed % 3]
    book = a_book(pick, pick.randint(1, 12))
    document, who, details = a_message(pick, book)
    details = {kind: people for kind, people in details.items() if people}
    joins = sent(read_by(book, shape), document)
    if not joins:
        assert not who, document
        return
    ((people, rows),) = [(joined.people, joined.rows_read) for joined in joins]
    assert people is not None
    assert (people.sent, people.read) == (len(who), len(book)), (document, rows)
    assert {field.type: field.people for field in people.fields} == details
    said = told(people, "address book", "en")
    short = label(people, "address book", "en")
    assert (short == "address book") == (len(who) >= FEW), "few people are no address book"
    assert not re.search(r"\d+ of \d+ (?:entries|rows)", said), "people are counted, not rows"
    if len(who) > 1:
        assert f"{len(who)} of {len(book)} people" in said
        assert f"{len(book)} 人中 {len(who)} 人" in told(people, "通讯录", "zh")
    elif who:
        assert f"one of {len(book)} people" in said
    else:
        assert "only the name of somebody" in said or "only the names of" in said
    for kind, word in (("email", "e-mail"), ("phone_number", "number")):
        held = any(value.type == kind for value in read_by([f for f in book if f.name in who], shape).values)
        assert (f"no {word}" in said or f"and no {word}" in said) == (bool(who) and held and kind not in details)


def rows(*values: tuple[str, str, int], contacts: dict[int, str] | None = None) -> Access:
    made = [
        Value(type=kind, text=text, row=row, contact=(contacts or {}).get(row, UNSET)) for kind, text, row in values
    ]
    return Access(at=at(10), source="s", data="device_contacts", values=tuple(made), outcome="returned")


ONE, OTHER = "+4915112345678", "+4915187654321"


def two(one: str, other: str, numbers: tuple[str, str], contacts: dict[int, str] | None = None) -> Access:
    """Two rows, each with a name and a number."""
    of = ((one, numbers[0]), (other, numbers[1]))
    values = [(kind, text, row) for row, of_row in enumerate(of) for kind, text in zip(KINDS, of_row, strict=True)]
    return rows(*values, contacts=contacts)


KINDS = ("name", "phone_number")


@pytest.mark.parametrize(
    ("read", "people"),
    [
        (two("张伟", "张伟", (ONE, OTHER)), 2),
        (two("张伟", "张伟", (ONE, OTHER), {0: "7", 1: "7"}), 1),
        (two("Jürgen W.", "J. W.", (ONE, ONE)), 1),
        (two("J. W.", "J. W.", (ONE, "0151 12345678")), 1),
        (two("Al", "Bo", (ONE, ONE), {0: "7", 1: "8"}), 2),
        (two("Ingeborg Halvorsen", "Ingeborg Halvorsen", (ONE, OTHER)), 1),
    ],
)
def test_two_rows_are_one_person_where_the_recording_shows_it(read, people):
    (joined,) = sent(read, {"phones": [ONE]})
    assert joined.people is not None
    assert (joined.people.sent, joined.people.read) == (1, people)


def test_one_of_five_hundred():
    book = rows(*(each for n in range(500) for each in (("name", f"N{n}", n), ("phone_number", f"+49151{n:08}", n))))
    (joined,) = sent(book, {"invite": "+4915100000007"})
    assert label(joined.people, "address book", "en") == "one of 500 people in the address book"
    assert (
        told(joined.people, "address book", "en")
        == "data of one of 500 people in the address book (one number; no names found)"
    )


def test_numbers_without_names_are_counted_as_numbers():
    book = rows(*(("phone_number", f"+49151{n:08}", n) for n in range(15)))
    (joined,) = sent(book, {"phones": [f"+49151{n:08}" for n in range(9)]})
    assert told(joined.people, "address book", "en") == "9 numbers of 15 entries in the address book"


@pytest.mark.parametrize("document", [{"author": "Violet"}, {"text": "Hi Violet, how are you?"}, {"name": "Violet"}])
def test_a_lone_common_first_name_is_nobody_in_an_address_book(document):
    book = rows(("name", "Violet", 0), ("phone_number", ONE, 0), ("name", "Violet", 1), ("email", "v@mail.example", 1))
    for joined in sent(book, document):
        assert joined.people is not None
        assert joined.people.sent == 0
        assert all(match.namesake and match.confidence < 0.95 for match in joined.matches)


@pytest.mark.parametrize("target", ["content://contacts/people", "content://com.android.contacts.picker/sessions/7"])
@pytest.mark.parametrize("size", [1, 5])
def test_what_the_user_picked_is_told_as_that(target, size):
    book = a_book(random.Random(size), size)
    read = structs.replace(read_by(book, "people"), target=target)
    [joined] = sent(read, {"c": [{"name": each.name, "phone": each.numbers[0]} for each in book]})
    picked = "picker" in target
    assert joined.people is not None
    assert joined.people.picked == picked
    for language, own, other in (("en", "what the user picked", "address book"), ("zh", "用户所选联系人", "通讯录")):
        words = (told(joined.people, other, language), label(joined.people, other, language))
        assert all(((own if picked else other) in each) and ((other if picked else own) not in each) for each in words)


@pytest.mark.parametrize(
    ("data", "target", "picked"),
    [
        ("device_contacts", "content://0@com.android.providers.contacts.picker/sessions/0f1e2d3c-11", True),
        ("photos", "content://media/picker/0/com.android.providers.media.photopicker/media/1000000033", True),
        ("videos", "content://10@media/picker_get_content/10/com.google.android.apps.photos.cloudpicker/media/a", True),
        ("photos", "content://media/external/images/media/33", False),
        ("photos", "content://media/picker", False),
        ("device_contacts", "content://media/picker/0/a/media/1", False),
    ],
)
def test_what_was_picked_is_known_masked_too(data, target, picked):
    access = Access(at=at(0), app="a.b", data=data, source="s", outcome="returned", target=target)
    assert (was_picked(access), was_picked(Mask(()).event(access))) == (picked, picked)


def test_what_was_picked_and_does_not_identify_is_told_as_picked():
    row = Value(type="address", text="Hauptstraße 12, 10827 Berlin", row=0)
    read = Access(
        at=at(10), source="s", data="device_contacts", values=(row,), outcome="returned",
        target="content://0@com.android.providers.contacts.picker/sessions/7",
    )  # fmt: skip
    [joined] = sent(read, {"to": row.text})
    assert "what the user picked" in told(joined.people, "address book", "en")
