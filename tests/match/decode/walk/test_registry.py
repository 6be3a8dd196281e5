"""Tests of the registry: a decoder says all about itself, and a number says when it is tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from appwitness.match import decode
from appwitness.match.belief.beside import OTHER_READINGS
from appwitness.match.belief.support import STRUCTURED
from appwitness.match.decode.walk import pieces
from appwitness.match.finders.salts import NO_TEXTS

ABOUT = {"order": 5, "guess": False, "sieve": "guess", "seen_in": "a test"}


@pytest.fixture
def registry(monkeypatch):
    """The registry, as it was again afterwards."""
    monkeypatch.setattr(pieces, "DECODERS", list(pieces.DECODERS))
    monkeypatch.setattr(pieces, "GUESSES", set(pieces.GUESSES))
    yield pieces
    pieces.decoders_by_byte.cache_clear()


@pytest.mark.parametrize("missing", sorted(ABOUT))
def test_a_decoder_that_does_not_say_all_is_refused(registry, missing):
    with pytest.raises(TypeError, match=missing):
        registry.decoder("odd", "text", **{key: one for key, one in ABOUT.items() if key != missing})
    assert "odd" not in {one.name for one in registry.DECODERS}


@pytest.mark.parametrize("wrong", [{"sieve": "sometimes"}, {"seen_in": " "}, {"order": decode.DECODERS[0].order}])
def test_a_decoder_that_says_what_cannot_be_is_refused(registry, wrong):
    with pytest.raises(ValueError, match="odd"):
        registry.decoder("odd", "text", **{**ABOUT, **wrong})(lambda piece, room: None)
    assert "odd" not in {one.name for one in registry.DECODERS}


def test_the_order_is_the_numbers_not_that_of_registration(registry):
    tried = []
    for order in (7, 3, 5):
        one = registry.decoder(f"odd {order}", "any", **{**ABOUT, "order": order})
        one(lambda piece, room, order=order: tried.append(order))
    decode.leaves_of(b"a text of some words; and a mark")
    assert tried == [3, 5, 7]
    orders = [one.order for one in registry.DECODERS]
    assert orders == sorted(set(orders))


def test_a_decoder_is_tried_where_its_look_sees_something(registry):
    tried = []

    @registry.decoder("odd", "text", **ABOUT)
    @registry.holds(rb"#[0-9]")
    def odd(piece, room):
        tried.append(piece.data)

    decode.leaves_of(b"one two #three; four")
    decode.leaves_of(b"one two #3; four")
    assert tried == [b"one two #3; four"]


def test_what_guesses_is_known_by_the_steps(registry):
    registry.decoder("odd", "text", **{**ABOUT, "guess": True})(lambda piece, room: None)
    assert "odd" in registry.GUESSES


def test_what_a_decoder_says_of_its_steps_is_told_once():
    assert {"plist", "protobuf"} <= STRUCTURED
    assert {"decimal", *decode.GUESSES} <= OTHER_READINGS
    assert {"base85", *decode.GUESSES} <= NO_TEXTS
    for known in (STRUCTURED, OTHER_READINGS, NO_TEXTS):
        assert known < {one.name for one in decode.DECODERS}


@pytest.mark.parametrize("flag", ["structured", "another_reading", "no_salt"])
def test_decoders_of_one_name_say_the_same_of_their_steps(flag):
    said = {(one.name, getattr(one, flag)) for one in decode.DECODERS}
    assert len(said) == len({name for name, _ in said})


def test_each_file_with_a_decoder_is_imported():
    folder = Path(decode.__file__).parent
    files = {path for path in folder.rglob("*.py") if "\n@decoder(" in path.read_text("utf-8")}
    named = {".".join((decode.__name__, *path.relative_to(folder).with_suffix("").parts)) for path in files}
    assert named == {one.decode.__module__ for one in decode.DECODERS}
