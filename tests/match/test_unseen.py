"""Tests of breadth: values sent in ways that nobody tuned for are found, and clean traffic stays clean."""

from __future__ import annotations

from tests import unseen
from tests.unseen import clean

LEAST: dict[unseen.Grade, float] = {"ordinary": 0.98, "provable": 0.95, "hard": 0.5}


def test_values_are_found_whichever_way_they_were_sent():
    outcome = unseen.measure(seed=3, each=1)
    names = {grade: [name for name in outcome.wanted if unseen.WAYS[name].grade == grade] for grade in LEAST}
    assert len(names["ordinary"]) > 800
    assert len(names["provable"]) > 80
    missed = [f"{case.way.name}: {case.value.text}" for case in outcome.missed]
    for grade, least in LEAST.items():
        assert outcome.recall(grade) >= least, missed
    assert outcome.wrong == []


def test_nothing_is_found_in_clean_traffic():
    assert list(clean.wrong(seed=5, uploads=400)) == []
