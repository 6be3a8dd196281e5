"""English texts of ours that were recorded are said in another language, and no others."""

from __future__ import annotations

import re
import string
import time

import pytest

from appwitness.reports import render
from appwitness.support.spoken import LITERAL, Spoken, heard, say
from tests import translations
from tests.reports import sample


def templates():
    for text in translations.translated():
        if isinstance(text, str) and "%" not in text and "}{" not in text:
            pieces = list(string.Formatter().parse(text))
            names = {name for _, name, _, _ in pieces if name}
            plain = not any(spec or conversion for _, _, spec, conversion in pieces)
            if names and plain and sum(len(literal) for literal, *_ in pieces) >= LITERAL:
                yield text, names


def test_every_template_is_known_again_by_what_was_made_of_it():
    there = list(templates())
    assert len(there) > 400
    said = [Spoken(text, **{name: f"x{name}1" for name in names}) for text, names in there]
    again = {english: heard(str(english), "zh") for english in said}
    others = {english: text for english, text in again.items() if text != say(english, "zh")}
    assert len(others) <= 4, others  # of two templates that fit, the one that says more
    assert all(re.search("[一-鿿]", text) for text in others.values())


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("The IMEI could not be read.", "无法读取 IMEI。"),
        ("contacts could not be planted: the device took 3 of 14", "未能植入 联系人：设备只接受了 14 项中的 3 项"),
        ("Without root, Google's advertising id could not be read.", "没有 root 权限，无法读取Google 广告标识。"),
        ("a note of somebody else's", "a note of somebody else's"),
        ("", ""),
    ],
)
def test_a_note_is_heard_with_what_stands_in_it(note, said):
    assert heard(note, "zh") == said
    assert heard(note, "en") == note


def test_a_text_of_a_stranger_takes_no_time():
    began = time.monotonic()
    for times in (90, 20_000):
        heard("could not be planted: " * times, "zh")
    assert time.monotonic() - began < 10


def test_notes_of_a_run_are_drawn_in_the_language_of_the_report():
    notes = ("The IMEI could not be read.", "what a stranger noted")
    report = sample.report()
    report = report.model_copy(update={"run": report.run.model_copy(update={"notes": notes})})
    chinese, english = (render(report, "html", lang=lang) for lang in ("zh", "en"))
    assert "<li>无法读取 IMEI。</li>" in chinese
    assert '<li lang="en">what a stranger noted</li>' in chinese
    assert all(f'<li lang="en">{note}</li>' in english for note in notes)
