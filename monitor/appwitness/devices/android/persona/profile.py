"""A persona: the person whose data is put on a device for one run, from the user's file or generated."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry

CONTACTS = 20
"""Number of generated contacts: each row takes the device 0.3 to 1 second, as it starts a Java process."""
MOST_CONTACTS = 50
LONGEST = 2000
"""Maximum number of characters of a text; real messages are shorter."""


def _plantable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL cannot be put on a device")
    if text != text.strip() or "\r" in text:
        raise ValueError("must not begin or end with white space, nor have a carriage return: adb does not keep them")
    text.encode()  # raises for a lone surrogate
    return text


Text = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_plantable)]


class Contact(CatalogEntry):
    """A person in the address book."""

    name: Text
    numbers: tuple[Text, ...] = Field(default=(), max_length=5)
    mails: tuple[Text, ...] = Field(default=(), max_length=5)


class Call(CatalogEntry):
    """An entry in the call log."""

    number: Text
    name: Text | None = None
    kind: str = Field(default="incoming", pattern="^(incoming|outgoing|missed)$")
    seconds: int = Field(default=60, ge=0, le=86_400)
    minutes_ago: int = Field(default=60, ge=1, le=525_600)


class TextMessage(CatalogEntry):
    """A text message that the device received."""

    number: Text
    text: Text


class Appointment(CatalogEntry):
    """A calendar entry, one hour long."""

    title: Text
    place: Text | None = None
    notes: Text | None = None
    hours_ahead: int = Field(default=24, ge=-8760, le=8760)


class PlannedPosition(CatalogEntry):
    """A position in degrees (WGS-84)."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)

    @property
    def text(self) -> str:
        """As the text of a Value: six decimals, ten centimetres."""
        return f"{self.latitude:.6f},{self.longitude:.6f}"


class Persona(CatalogEntry):
    """The data to plant on the device; what is left out is not planted."""

    contacts: tuple[Contact, ...] = Field(default=(), max_length=MOST_CONTACTS)
    calls: tuple[Call, ...] = Field(default=(), max_length=20)
    messages: tuple[TextMessage, ...] = Field(default=(), max_length=10)
    appointments: tuple[Appointment, ...] = Field(default=(), max_length=20)
    place: PlannedPosition | None = Field(default=None, description="where the device is")
    photo: PlannedPosition | None = Field(default=None, description="where a photo in DCIM/Camera says it was taken")
    clipboard: Text | None = Field(
        default=None, description="a text that was copied; planted with what reads the screen"
    )
    device_name: Annotated[Text, Field(max_length=60)] | None = None

    @model_validator(mode="after")
    def _is_something(self) -> Self:
        if not any(value for _, value in self):
            raise ValueError("nothing to plant; to plant nothing, run with --no-persona")
        return self


def load(path: Path) -> Persona:
    """Load a persona from a YAML or JSON file. Raises FileError with the file and the invalid line."""
    return yaml_files.parse(path, Persona, hint="docs/devices.md has an example of such a file.")


GIVEN = ("Anouk", "Bastian", "Corentin", "Dagny", "Eluned", "Fiachra", "Gudrun", "Hamish", "Ilse", "Jorun", "Katell")
STARTS = (
    *("Bar", "Car", "Dol", "Fen", "Gal", "Hol", "Kel", "Lor"),
    *("Mar", "Nor", "Pel", "Ros", "Sel", "Tor", "Ver", "Wil"),
)
MIDDLES = ("an", "av", "ed", "el", "em", "er", "ev", "in", "ir", "ol", "on", "or", "ul", "un", "ur", "yn")
ENDS = (
    *("bach", "berg", "by", "croft", "dal", "ev", "feld", "gard"),
    *("holm", "ick", "lund", "quist", "rud", "ström", "wick"),
)
FAMILIES = ("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "宇文", "长孙")
CHARACTERS = "彦霁屿珩砚筠翊澜晞樾衍骁芮昀泓漪璟穗骞韫"
SUBJECTS = ("Dentist", "Tax adviser", "Physiotherapy", "Parents' evening", "Job interview", "Blood test")
STREETS = ("Birkenweg", "Quai des Ormes", "Harbour Row", "Lindgatan", "Via dei Tigli", "Old Mill Lane")
PLACES = ((52.52, 13.405), (48.857, 2.352), (53.349, -6.26), (59.329, 18.069), (40.417, -3.704), (45.464, 9.19))
"""City centres; a persona is within a kilometre or two of one."""


def made(run: str) -> Persona:
    """Generate a persona that only this run has; the same `run` gives the same persona.

    Telephone numbers are from ranges that regulators reserve for fiction (`numbers`), mail addresses from the domain
    example.net, which nobody can own (RFC 2606); half of the names are in Latin letters, half in Chinese.
    """
    chance = random.Random(f"appwitness {run}")  # noqa: S311 a persona is no secret, and must be reproducible
    number = numbers(chance)
    names = _names(chance)
    contacts = []
    for _ in range(CONTACTS):
        name = next(names)
        mail = f"{_ascii(name.split()[0]) or 'post'}.{_token(chance)}@example.net"
        contacts.append(Contact(name=name, numbers=(next(number),), mails=(mail,)))
    code = f"{chance.randrange(10**6):06d}"
    place, photo = (
        PlannedPosition(
            latitude=round(lat + chance.uniform(-0.02, 0.02), 6), longitude=round(lon + chance.uniform(-0.02, 0.02), 6)
        )
        for lat, lon in chance.sample(PLACES, 2)
    )
    return Persona(
        contacts=tuple(contacts),
        calls=(
            Call(
                number=contacts[0].numbers[0], name=contacts[0].name, seconds=chance.randrange(31, 2000), minutes_ago=95
            ),
            Call(number=next(number), kind="missed", seconds=0, minutes_ago=chance.randrange(200, 900)),
            Call(number=next(number), kind="outgoing", seconds=chance.randrange(31, 900), minutes_ago=2100),
        ),
        messages=(
            TextMessage(
                number=next(number), text=f"Your parcel {_token(chance).upper()} is at the kiosk. Code {code}."
            ),
            TextMessage(number=next(number), text=f"Rendez-vous {_token(chance)} confirmed for Tuesday, 8.40."),
        ),
        appointments=(
            Appointment(
                title=f"{chance.choice(SUBJECTS)} with {next(names)}",
                place=f"{chance.choice(STREETS)} {chance.randrange(100, 999)}",
                notes=f"Reference {_token(chance).upper()}",
                hours_ahead=chance.randrange(20, 200),
            ),
        ),
        place=place,
        photo=photo,
        device_name=f"{next(names).split()[0]}'s phone {_token(chance)[:4]}",
        clipboard=f"Tracking number {_token(chance).upper()}",
    )


def numbers(chance: random.Random) -> Iterator[str]:
    """Endless telephone numbers without repeats, from ranges that are never assigned to anybody and yet count as valid.

    555-0100 to 555-0199 of area codes of the United States (NANPA), 01 99 00, 02 61 91, 03 53 01, 04 65 71 and 05 36 49
    in France (ARCEP), 5550 and 7010 in Australia (ACMA): 143,000 in all. Ranges that libphonenumber calls invalid are
    left out, since an app may leave out such contacts too.
    """
    given: set[str] = set()
    while True:
        kind = chance.randrange(3)
        if kind == 0:
            number = f"+1 {chance.choice(AREAS)}-555-01{chance.randrange(100):02d}"
        elif kind == 1:
            number = f"+33 {chance.choice(FRANCE)} {chance.randrange(100):02d} {chance.randrange(100):02d}"
        else:
            number = f"+61 {chance.choice('2378')} {chance.choice(('5550', '7010'))} {chance.randrange(10_000):04d}"
        if number not in given and not _monotonous(number):
            given.add(number)
            yield number


AREAS = (
    *(201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231),
    *(234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304, 305, 307),
    *(308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330, 334, 336, 337, 339, 347, 351),
    *(352, 360, 361, 386, 401, 402, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 417, 419, 423, 424, 425),
    *(501, 502, 503, 504, 505, 507, 508, 509, 510, 512, 513, 515, 516, 517, 518, 520, 530, 540, 541, 559, 561, 562),
)
"""Area codes of the United States."""
FRANCE = ("1 99 00", "2 61 91", "3 53 01", "4 65 71", "5 36 49")


def _monotonous(number: str) -> bool:
    """Whether the last four digits are those that anybody would type as an example."""
    digits = "".join(filter(str.isdigit, number))[-4:]
    return len(set(digits)) == 1 or digits in "0123456789"


def _names(chance: random.Random) -> Iterator[str]:
    """Endless invented names without repeats, alternately Latin and Chinese, so that none matches a real contact."""
    given: set[str] = set()
    latin = True
    while True:
        if latin:
            family = chance.choice(STARTS) + chance.choice(MIDDLES) + chance.choice(ENDS)
            name = f"{chance.choice(GIVEN)} {family}"
        else:
            name = chance.choice(FAMILIES) + "".join(chance.sample(CHARACTERS, 2))
        if name not in given:
            given.add(name)
            latin = not latin
            yield name


def _token(chance: random.Random) -> str:
    """Eight letters and digits that form no word: about 38 bits."""
    return "".join(chance.choice("bcdfghjkmnpqrstvwxz23456789") for _ in range(8))


def _ascii(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalpha())
