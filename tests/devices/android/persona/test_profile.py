"""A persona that is made up is like no other and passes for real; one from a file fits, or the error names its line."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import phonenumbers
import pytest

from appwitness.catalog.withheld import is_placeholder
from appwitness.devices.android.persona.content import rows
from appwitness.devices.android.persona.picture import jpeg
from appwitness.devices.android.persona.profile import Persona, PlannedPosition, load, made
from appwitness.events import Upload, Value
from appwitness.events.seen import see
from appwitness.match import decode
from appwitness.match.belief.placeholders import is_of_a_service
from appwitness.match.linking import Linker
from appwitness.support.errors import FileError

RUNS = [f"{number:08x}" for number in range(20)]


def texts(persona: Persona) -> set[tuple[str, str]]:
    """Type and text of each canary."""
    of_contacts = {
        pair
        for contact in persona.contacts
        for pair in (
            ("name", contact.name),
            *(("phone_number", number) for number in contact.numbers),
            *(("email", mail) for mail in contact.mails),
        )
    }
    assert persona.place is not None
    assert persona.photo is not None
    return {
        *of_contacts,
        *(("phone_number", call.number) for call in persona.calls),
        *(("phone_number", message.number) for message in persona.messages),
        *(("sms_content", message.text) for message in persona.messages),
        *(("calendar_events", event.title) for event in persona.appointments),
        *(("calendar_events", event.notes or "") for event in persona.appointments),
        ("location", persona.place.text),
        ("location", persona.photo.text),
        ("device_name", persona.device_name or ""),
    }


def test_the_same_for_the_same_run() -> None:
    assert made("5ca1ab1e") == made("5ca1ab1e")


def test_no_canary_is_a_placeholder_or_anybodys() -> None:
    for run in RUNS:
        persona = made(run)
        for type_, text in texts(persona):
            value = Value(type=type_, text=text)
            assert not is_placeholder(value), value
            assert not is_of_a_service(value), value
            if type_ == "phone_number":
                assert phonenumbers.is_valid_number(phonenumbers.parse(text)), text
            if type_ == "email":
                assert text.isascii()
                assert text.endswith("@example.net")
        names = [contact.name for contact in persona.contacts]
        assert sum(name.isascii() or "ö" in name for name in names) == len(names) / 2


def test_runs_share_next_to_nothing() -> None:
    """Of 20 runs with some 80 canaries each; of the numbers there are 143,000, and two runs may have one in common."""
    seen: dict[tuple[str, str], int] = {}
    for run in RUNS:
        for text in texts(made(run)):
            seen[text] = seen.get(text, 0) + 1
    assert sum(count > 1 for count in seen.values()) <= 10
    assert all(count == 1 for (type_, _), count in seen.items() if type_ not in ("phone_number", "name"))


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("contacts:\n- name: A\n  number: 1\n", 3, "contacts.0.number"),
        ("contacts:\n- name: ''\n", 2, "contacts.0.name"),
        ("place:\n  latitude: 91\n  longitude: 0\n", 2, "place.latitude"),
        ("contacts:\n- name: [\n", 3, "not YAML"),
        ('{"calls": [\n {"number": "1",\n  "kind": "lost"}]}', 3, "calls.0.kind"),
        ("{}", 1, "nothing to plant"),
        ('device_name: "a\\0b"\n', 1, "NUL"),
    ],
)
def test_a_file_that_does_not_fit(tmp_path: Path, text: str, line: int, what: str) -> None:
    path = tmp_path / "persona.yml"
    path.write_text(text)

    with pytest.raises(FileError) as raised:
        load(path)

    assert raised.value.line == line
    assert what in raised.value.what


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "persona.json"
    path.write_text(made("5ca1ab1e").model_dump_json(indent=1))

    assert load(path) == made("5ca1ab1e")


def test_rows_of_any_text_come_back() -> None:
    hostile = [
        "",
        ", data1=",
        "Row: 1 _id=",
        "a\nb",
        "a\nRow: 1 _id=3, data1=x\nRow: 6 _id=, data1=y",
        "NULL",
        "\n\n",
    ]
    known = [str(number * 3 + 5) for number in range(len(hostile))]
    said = "\n".join(f"Row: {number} _id={known[number]}, data1={text}" for number, text in enumerate(hostile))

    assert [(row["_id"], row["data1"]) for row in rows(said, ("_id", "data1"), known)] == [
        (row, text) for row, text in zip(known, hostile, strict=True)
    ]
    assert rows("No result found.", ("_id",), ()) == []


@pytest.mark.parametrize(
    "place", [(52.520008, 13.404954), (-33.868812, 151.209295), (0.000001, -179.999999), (-90, 180)]
)
def test_a_photo_says_where_it_was_taken(place: tuple[float, float]) -> None:
    """As this program's own reader of EXIF has it."""
    picture = jpeg(PlannedPosition(latitude=place[0], longitude=place[1]))

    upload = Upload(at=datetime(2026, 1, 1, tzinfo=UTC), via="http", host="example.net", size=len(picture))
    read = {
        leaf.path.rsplit(".", 1)[-1]: leaf.text
        for leaf in decode.leaves(upload, picture).leaves
        if ".gps." in leaf.path
    }

    assert picture.endswith(b"\xff\xd9")
    assert (float(read["lat"] or "nan"), float(read["lon"] or "nan")) == pytest.approx(place, abs=1e-6)


def test_each_canary_is_proof_by_itself() -> None:
    """The linker believes each where an upload carries it alone, also the number in its other form and as a digest."""
    for type_, text in sorted(texts(made("5ca1ab1e"))):
        linker = Linker([Value(type=type_, text=text)])
        sent = [text, hashlib.sha256(text.encode()).hexdigest()]
        sent += [text.replace(" ", "").replace("-", "")] if type_ == "phone_number" else []
        for form in sent:
            body = json.dumps({"field": form}).encode()
            upload = Upload(at=datetime(2026, 1, 1, tzinfo=UTC), via="http", type="application/json", size=len(body))

            assert linker.link(see("uploads.jsonl:1", upload, 0), decode.leaves(upload, body)), (type_, form)
