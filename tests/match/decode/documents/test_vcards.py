"""Tests of vCards: each property is a leaf under its name, where it stands; several cards are told apart."""

from __future__ import annotations

from appwitness.match import decode

CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Kowalska;Anna\\;Maria;;;\r\nFN:Anna Kowalska\r\n{more}END:VCARD\r\n"


def leaves(text):
    return {leaf.path: leaf for leaf in decode.leaves_of(text.encode()).leaves if leaf.decoding == ("vcard",)}


def test_properties_stand_under_their_names():
    text = CARD.format(more="item1.TEL;TYPE=CELL:+123\r\n")
    found = leaves(text)
    assert {path: leaf.text for path, leaf in found.items()} == {
        "$.n.family_name": "Kowalska",
        "$.n.given_name": "Anna\\;Maria",
        "$.n.name": "Kowalska;Anna\\;Maria;;;",
        "$.fn": "Anna Kowalska",
        "$.tel": "+123",
    }
    for leaf in found.values():
        assert leaf.exact
        assert text[leaf.start : leaf.end] == leaf.text


def test_several_cards_are_told_apart():
    found = leaves(CARD.format(more="") + CARD.format(more="").replace("Anna Kowalska", "Jan Nowak"))
    assert (found["$[0].fn"].text, found["$[1].fn"].text) == ("Anna Kowalska", "Jan Nowak")


def test_a_card_that_breaks_off_is_read_as_far_as_it_goes():
    assert leaves("BEGIN:VCARD\nFN:Anna Kowal")["$.fn"].text == "Anna Kowal"
    assert leaves("BEGIN:VCARD\n") == {}
