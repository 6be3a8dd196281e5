"""Rule files of an organisation: what another file of the catalog must have, and what can be asked of what."""

from typing import get_args, get_type_hints

import pytest

from appwitness.correlate.prior_knowledge import knowledge
from appwitness.events import Consent, Signal
from appwitness.support.errors import FileError

ORGANISATION = """\
id: mine
on: access
level: low
title: {en: T, zh: 题}
why: {en: W, zh: 因}
remedy: {en: R, zh: 法}
when:
  data: [location]
  scope: outside
detail:
  en: "The {data} was read {when}; {app_type}."
  zh: "{data}{when}{app_type}"
"""

UNKNOWN = [
    ("data: [location]", "data: [lokation]", 8, r"lokation: unknown name; catalog/data_types.yml lists the known ones"),
    ("scope: outside", "often: hourly", 9, r"hourly: unknown name; catalog/frequency.yml lists the known ones"),
    ("level: low", "level: low\nkinds: [F99]", 4, r"F99: unknown name; catalog/laws.yml lists the known ones"),
    ("scope: outside", "scope: beside", 9, "when.scope"),
    ("scope: outside", "phase: [asleep]", 9, "when.phase.0"),
    ("scope: outside", "phase: []", 9, "when.phase"),
    ("scope: outside", "says: [given]", 7, "says: not possible in a rule on accesses; expected `on: claim`"),
    ("scope: outside", "ticked: true", 7, "expected `on: consent`"),
    ("scope: outside", "never: dialog", 7, "expected `on: run`"),
    ("scope: outside", "party: [third]", 7, "expected `on: flow`"),
]


@pytest.mark.parametrize(("old", "new", "line", "says"), UNKNOWN)
def test_a_name_that_no_catalog_has_is_an_error_with_its_line(tmp_path, old, new, line, says):
    assert old in ORGANISATION
    (tmp_path / "mine.yml").write_text(ORGANISATION.replace(old, new, 1), "utf-8")
    with pytest.raises(FileError, match=says) as error:
        knowledge(tmp_path)
    assert (error.value.path, error.value.line) == (tmp_path / "mine.yml", line)


def test_an_organisations_rule_is_read_with_all_that_the_catalog_has(tmp_path):
    (tmp_path / "mine.yml").write_text(ORGANISATION, "utf-8")
    assert "mine" in {rule.id for rule in knowledge(tmp_path).rules}


def test_a_rule_knows_every_signal_that_there_is():
    assert set(get_args(Signal)) == set(get_args(get_type_hints(Consent)["signal"]))
