"""Tests of names beside which somebody else's number or address stands, in every shape that a row may have."""

from __future__ import annotations

import hashlib
import json
import plistlib
import urllib.parse
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import cbor2
import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.events import Upload
from appwitness.events.seen import see
from appwitness.match import decode
from tests.match.test_linking import access, at, linker
from tests.unseen.containers import field

NAME, HERS, MAIL, HOME = "Violet", "+15550142233", "violet.k@uni.example", "12 Harbour Road, Leeds"
OTHERS, ANOTHER, ELSEWHERE = "+4930901820", "violet@other.example", "Lindenstraße 5, Berlin"
CONTACTS = access(
    10,
    *(("name", NAME, 0), ("phone_number", HERS, 0), ("email", MAIL, 0), ("address", HOME, 0)),
    *(("name", "Robert", 1), ("phone_number", "+15550148877", 1)),
    *(("name", "Maximilian Oberhauser", 2), ("phone_number", "+4915123456789", 2)),
    data="device_contacts",
)

Row = dict[str, str]
Shape = Callable[[list[Row]], tuple[bytes, str]]


def js(tree: Any) -> tuple[bytes, str]:
    return json.dumps(tree, ensure_ascii=False).encode(), "application/json"


def form(pairs: list[tuple[str, str]]) -> tuple[bytes, str]:
    return urllib.parse.urlencode(pairs).encode(), "application/x-www-form-urlencoded"


def xml(rows: list[Row]) -> tuple[bytes, str]:
    inner = "".join(
        f"<contact>{''.join(f'<{key}>{escape(text)}</{key}>' for key, text in row.items())}</contact>" for row in rows
    )
    return f"<contacts>{inner}</contacts>".encode(), "application/xml"


def attributes(rows: list[Row]) -> tuple[bytes, str]:
    inner = "".join(f"<contact {' '.join(f'{key}={json.dumps(text)}' for key, text in row.items())}/>" for row in rows)
    return f"<contacts>{inner}</contacts>".encode(), "application/xml"


def cards(rows: list[Row]) -> tuple[bytes, str]:
    keys = {"name": "FN", "phone": "TEL;TYPE=CELL", "email": "EMAIL", "address": "ADR"}
    lines = "".join(
        "".join(("BEGIN:VCARD\r\n", *(f"{keys[key]}:{text}\r\n" for key, text in row.items()), "END:VCARD\r\n"))
        for row in rows
    )
    return lines.encode(), "text/vcard"


def multipart(rows: list[Row]) -> tuple[bytes, str]:
    (row,) = rows
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n' for key, text in row.items()
    )
    return f"{parts}--b--\r\n".encode(), "multipart/form-data; boundary=b"


def messages(rows: list[Row]) -> tuple[bytes, str]:
    numbers = {"name": 1, "phone": 2, "email": 3, "address": 4}
    inner = (b"".join(field(numbers[key], text.encode()) for key, text in row.items()) for row in rows)
    return b"".join(field(1, row) for row in inner), "application/x-protobuf"


def parallel(rows: list[Row]) -> Any:
    return {f"{key}s": [row.get(key, "") for row in rows] for key in dict.fromkeys(key for row in rows for key in row)}


def numbered(rows: list[Row], key_of: Callable[[str, int], str]) -> list[tuple[str, str]]:
    return [(key_of(key, number), text) for number, row in enumerate(rows) for key, text in row.items()]


SHAPES: dict[str, Shape] = {
    "objects": js,
    "objects in an object": lambda rows: js({"data": {"contacts": rows}}),
    "documents in a text": lambda rows: js({"payload": json.dumps({"contacts": rows})}),
    "lines of documents": lambda rows: (b"\n".join(js(row)[0] for row in rows), "application/x-ndjson"),
    "lists of lists": lambda rows: js({"contacts": [list(row.values()) for row in rows]}),
    "lists in step": lambda rows: js({"book": parallel(rows)}),
    "lists of columns": lambda rows: js({"contacts": list(parallel(rows).values())}),
    "numbers in lists of objects": lambda rows: js(
        [{key: text if key == "name" else [{"number": text}] for key, text in row.items()} for row in rows]
    ),
    "parts of a name": lambda rows: js(
        [{key: {"first": text} if key == "name" else text for key, text in row.items()} for row in rows]
    ),
    "names in lists": lambda rows: js(
        [
            {f"{key}s": [{"value" if key != "name" else "displayName": text}] for key, text in row.items()}
            for row in rows
        ]
    ),
    "a form as PHP nests it": lambda rows: form(numbered(rows, lambda key, number: f"contacts[{number}][{key}]")),
    "a form with dots": lambda rows: form(numbered(rows, lambda key, number: f"contacts.{number}.{key}")),
    "a form with numbers": lambda rows: form(numbered(rows, lambda key, number: f"{key}{number + 1}")),
    "a form with numbers inside": lambda rows: form(numbered(rows, lambda key, number: f"contact_{number}_{key}")),
    "msgpack": lambda rows: (msgpack.packb({"contacts": rows}), "application/msgpack"),
    "cbor": lambda rows: (cbor2.dumps({"contacts": rows}), "application/cbor"),
    "a property list": lambda rows: (plistlib.dumps({"contacts": rows}), "application/x-plist"),
    "protobuf": messages,
    "elements": xml,
    "attributes": attributes,
    "vcards": cards,
    "lines": lambda rows: js({"contacts": "\n".join(",".join(row.values()) for row in rows)}),
    "cells": lambda rows: js({"contacts": ";".join(",".join(row.values()) for row in rows)}),
    "a form": lambda rows: form(list(rows[0].items())),
    "a form of parts": multipart,
}
ONE_ROW = ("a form", "a form of parts")
FIELDS = ("phone", "email", "address")
WITHOUT_KEYS = ("lists of lists", "lists of columns", "protobuf", "lines", "cells")
"""Where nothing says that a text is an address, and names are believed beside the rest of their row only."""


def found(body: bytes, type_: str, known: Any = None, **more: Any) -> dict[str, bool]:
    """Names that were found -> whether they may be namesakes'."""
    sent = Upload(at=at(20), via="http", type=type_, size=len(body), **more)
    joins = (known or linker(CONTACTS)).link(see("uploads.jsonl:1", sent, 0), decode.leaves(sent, body or None))
    matches = [match for one in joins for match in one.matches if match.type == "name"]
    return {match.value: match.namesake for match in matches}


def several(shape: str, first: Row) -> list[Row]:
    """The row, and before and behind it another with a number of its own, where the shape has several."""
    if shape in ONE_ROW:
        return [first]
    rows = [{"name": "Carol"}, first, {"name": "Dieter"}]
    return [{**dict.fromkeys(first, ""), **row, **_filled(row, first, number)} for number, row in enumerate(rows)]


def _filled(row: Row, like: Row, number: int) -> Row:
    made = {
        "phone": f"+4420794600{number}1",
        "email": f"p{number}@mail.example",
        "address": f"{number}7 High Street, York",
    }
    return {} if row is like else {key: made[key] for key in like if key in made}


@pytest.mark.parametrize(
    ("shape", "what"),
    [(shape, what) for shape in SHAPES for what in FIELDS if what != "address" or shape not in WITHOUT_KEYS],
)
def test_a_short_name_beside_somebody_elses_number_or_address_is_another_person(shape, what):
    text = {"phone": OTHERS, "email": ANOTHER, "address": ELSEWHERE}[what]
    assert found(*SHAPES[shape](several(shape, {"name": NAME, what: text}))) == {}


@pytest.mark.parametrize("shape", [name for name in SHAPES if name not in ONE_ROW])
def test_the_rest_of_her_row_elsewhere_does_not_make_it_her(shape):
    """Her own number is in the upload as well, in a row of its own without a name."""
    rows = [{"name": "Carol", "phone": HERS}, {"name": NAME, "phone": OTHERS}]
    assert found(*SHAPES[shape](rows)) == {}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("what", "text"), [("phone", HERS), ("email", MAIL)])
def test_her_own_number_or_address_beside_it_makes_it_her(shape, what, text):
    assert found(*SHAPES[shape](several(shape, {"name": NAME, what: text}))) == {NAME: False}


OWN = {
    "another number too": {"phone": OTHERS, "email": MAIL},
    "her number hashed": {"phone": hashlib.sha256(HERS.encode()).hexdigest(), "email": ANOTHER},
    "another notation": {"phone": "(555) 014-2233"},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("beside", OWN.values(), ids=OWN)
def test_one_of_her_own_is_enough(shape, beside):
    assert found(*SHAPES[shape](several(shape, {"name": NAME, **beside}))).get(NAME) is False


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"phone": hashlib.sha256(b"+4930901820").hexdigest()},
        {"phone": "+49******20"},
        {"phone": "****1820"},
        {"phone": ""},
        {"email": "a***@other.example"},
        {"phone_id": "4930901820", "phone_verified_at": "1773479000000", "contact_count": "12345678"},
        {"address": "aa:bb:cc:dd:ee:ff", "ip_address": "192.168.31.177"},
        {"version": "1.2.3", "ts": "1773479000", "seq": "88231002", "price": "1234567.50"},
        {"user_phone": OTHERS},
        {"support_email": "help@shop.example"},
        {"spouse": {"name": "Carl", "phone": OTHERS}},
    ],
    ids=lambda beside: ",".join(beside) or "nothing",
)
def test_what_is_not_readable_or_of_somebody_else_contradicts_nothing(beside):
    assert found(*js({"contacts": [{"name": NAME, **beside}]})) == {NAME: True}


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({"contact": NAME}, {NAME: True}),
        ({"contact": NAME, "other": {"phone": HERS}}, {NAME: False}),
        ({"contact": hashlib.sha256(b"violet").hexdigest()}, {NAME: True}),
        ({"contact": hashlib.sha256(b"violet").hexdigest(), "phone": OTHERS}, {}),
        ({"contact": "Maximilian Oberhauser"}, {"Maximilian Oberhauser": False}),
        ({"contact": "Maximilian Oberhauser", "phone": OTHERS}, {"Maximilian Oberhauser": True}),
        ({"sender_name": NAME, "receiver_phone": OTHERS}, {NAME: True}),
        ({"sender_name": NAME, "sender_phone": OTHERS}, {}),
        ({"user_name": "Zoe", "contact_name": NAME, "contact_phone": HERS}, {NAME: False}),
    ],
)
def test_a_short_name_alone_may_be_anybodys(document, names):
    assert found(*js(document)) == names


def test_in_the_address_of_a_request_too():
    query = "https://a.example/x?name=Violet&phone="
    assert found(b"", "", url=query + urllib.parse.quote(OTHERS)) == {}
    assert found(b"", "", url=query + urllib.parse.quote(HERS)) == {NAME: False}
    headers = (("x-contact-name", NAME), ("x-contact-phone", OTHERS))
    assert found(b"", "", headers=headers) == {}


def test_a_list_of_names_most_of_which_are_known_is_of_these_people():
    names = ["Violet", "Robert", "Cleopatra", "Dorothy", "Emilia"]
    known = linker(access(10, *(("name", name, row) for row, name in enumerate(names)), data="device_contacts"))
    assert found(*js({"friends": names}), known) == dict.fromkeys(names, False)
    feed = [*names[:3], *(f"Person{number}" for number in range(9))]
    assert found(*js({"authors": feed}), known) == dict.fromkeys(names[:3], True)
    assert found(*js({"friends": ", ".join(names[:3])}), known) == dict.fromkeys(names[:3], False)


def test_a_number_that_was_read_apart_from_names_may_be_hers():
    """Names and numbers of an address book come from two queries; the user's own number is nobody else's."""
    names = access(10, ("name", NAME, 0), data="device_contacts")
    numbers = access(11, ("phone_number", OTHERS, 0), data="device_contacts")
    own = access(11, ("phone_number", OTHERS, None))
    row = {"name": NAME, "phone": OTHERS}
    assert found(*js(row), linker(names)) == {}
    assert list(found(*js(row), linker(names, numbers))) == [NAME]
    assert list(found(*js(row), linker(CONTACTS, own))) == [NAME]
    assert list(found(*js(row), linker(CONTACTS, persona=[("phone_number", OTHERS)]))) == [NAME]
    assert found(*js(row), linker(CONTACTS, numbers)) == {NAME: True}
    assert found(*js({**row, "phone": "+15550148877"}), linker(CONTACTS)) == {}


def test_in_a_line_of_text_only_what_takes_the_place_of_her_own_contradicts():
    assert found(*js({"contact": f'"{NAME}" <{ANOTHER}>'})) == {}
    assert found(*js({"contact": f'"Robert" <{ANOTHER}>'})) == {"Robert": True}
    assert found(*js({"contact": "Robert", "email": ANOTHER})) == {}


def test_all_rows_that_bear_the_name_count():
    second = access(11, ("name", NAME, 0), ("phone_number", OTHERS, 0), data="device_contacts")
    assert found(*js({"name": NAME, "phone": OTHERS}), linker(CONTACTS, second)) == {NAME: False}
    assert found(*js({"name": NAME, "phone": "+33612345678"}), linker(CONTACTS, second)) == {}


NOT_DECODED = ("lists in step", "lists of columns", "numbers in lists of objects", "parts of a name", "names in lists")
"""Where a number that nobody read is so far from the name that it is passed over in a large upload."""


@pytest.mark.parametrize("shape", [name for name in SHAPES if name not in ONE_ROW])
@pytest.mark.parametrize("phone", [OTHERS, HERS])
def test_in_a_large_upload_too_of_which_only_what_may_matter_is_decoded(shape, phone):
    rows = [{"name": f"Person {row}", "phone": f"+4420794{row:05d}"} for row in range(400)]
    rows.insert(200, {"name": NAME, "phone": phone})
    body, type_ = SHAPES[shape]([*rows, {"name": "Nobody", "phone": HERS}])
    known = linker(CONTACTS)
    sent = Upload(at=at(20), via="http", type=type_, size=len(body))
    joins = known.link(see("uploads.jsonl:1", sent, 0), decode.leaves(sent, body, narrow=known.narrow))
    assert {match.value: match.namesake for one in joins for match in one.matches if match.type == "name"} == (
        {NAME: False} if phone == HERS else {NAME: True} if shape in NOT_DECODED else {}
    )


ROWS = st.lists(
    st.tuples(
        st.sampled_from([NAME, "Robert", "Carol", "Dieter", "Violetta"]),
        st.sampled_from([HERS, "+15550148877", OTHERS, "+33612345678"]),
    ),
    min_size=1,
    max_size=6,
)


@given(rows=ROWS, shape=st.sampled_from([name for name in SHAPES if name not in ONE_ROW]))
def test_in_any_book_exactly_those_rows_are_hers_in_which_her_number_stands(rows, shape):
    """Whatever stands around, a name is found where one of the rows is its own, and nowhere else."""
    book = [{"name": name, "phone": phone} for name, phone in rows]
    names = found(*SHAPES[shape](book))
    own = {NAME: HERS, "Robert": "+15550148877"}
    assert set(names) == {name for name, phone in rows if own.get(name) == phone}
