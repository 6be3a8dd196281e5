"""Every way in which an entry of the catalog can say what a call gives, on a class made for it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from appwitness.agent.sources import Source
from appwitness.events import Access, Gap

PLACE = "31.230416,121.473701"

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


def source(method, cls="ways.Main", data="phone_number", **fields) -> Source:
    return Source(name=f"{cls}.{method}", cls=cls, method=method, data=data, **fields)


def seen(accesses) -> list[tuple[str, str, list[str]]]:
    return [(a.source.split(".")[-1], a.outcome, [value.text for value in a.values]) for a in accesses]


GIVEN = [{"from": "return"}]
AS_PLACE = [{"from": "return", "as": "location"}]
LISTENER = {"object": "argument", "type": "ways.Main$Listener", "methods": {"onPlace": {"values": [{"from": 0, "as": "location"}]}}}  # fmt: skip  # noqa: E501
PLACES = {"only": "ways.Main$Place", "as": "location"}
RESUMED = {
    "object": "argument",
    "type": "kotlin.coroutines.Continuation",
    "methods": {"resumeWith": {"values": [{"from": 0, **PLACES}]}},
}
COROUTINE: dict[str, Any] = {"data": "location", "values": [{"from": "return", **PLACES}], "follow": [RESUMED]}
FORMS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "bytes": ({"as": "hex"}, ["0a1bff00"]),
    "address": ({"as": "mac"}, ["0a:1b:ff:00"]),
    "utf8": ({}, ["\u00e9t\u00e9"]),
    "map": ({}, ["one", "two"]),
    "set": ({"get": ["getId"]}, ["7", "8"]),
    "field": ({"get": [".inner", ".name"]}, ["inside"]),
    "array": ({"get": ["toString"]}, ["Cell[id=1]", "Cell[id=2]"]),
    "counted": ({"as": "count"}, []),
    "countedMap": ({"as": "count"}, []),
}
STEPS: dict[str, list[Source]] = {
    "when": [
        source("outer", when={"argument": 0, "matches": ["^mine$"]}, values=GIVEN),
        source("inner", values=GIVEN),
    ],
    "register": [source("register", data="location", follow=[LISTENER], quiet=True)],
    "unseen": [
        source("place", data="location", values=AS_PLACE),
        source(
            "getLatitude",
            cls="ways.Main$Place",
            data="location",
            unseen=True,
            values=[{"from": "this", "as": "location"}],
        ),
    ],
    "field": [source("number", cls="ways.Main$Numbers", implementations=["ways.Main$Service.API"], values=GIVEN)],
    "flag": [source("flag", values=[{"from": "return", "get": ["isOn"]}, {"from": "return", "get": ["letter"]}])],
    "about": [source("about", when={"argument": 0, "matches": ["^(?!${app}$).+"]}, values=GIVEN)],
    "suspend": [source("suspended", **COROUTINE), source("failing", **COROUTINE)],
    "long": [source("many", data="installed_apps", values=GIVEN)],
    "objects": [source("nested", data="cell_tower", values=[{"from": "return", "get": ["getId"]}])],
    "forms": [
        *(source(name, values=[{"from": "return", **form}]) for name, (form, _) in FORMS.items()),
        source("$init", cls="ways.Main$Cell", values=[{"from": "this", "get": ["getId"]}]),
    ],
}


@pytest.fixture(scope="module")
def run(play):
    """One process takes all steps: accesses and gaps of the sources of one, and what the app printed at it."""
    every = [each for sources in STEPS.values() for each in sources]
    played = play("ways.Main", every, *STEPS, files=["ways", "kotlin"])
    printed = dict(re.findall(r"^step (\w+)\n(.*?)(?=^step |\Z)", played.printed, re.MULTILINE | re.DOTALL))
    assert {gap.subject for gap in played.gaps} <= {each.name for each in every}

    def of(step: str) -> tuple[list[Access], list[Gap], str]:
        names = {each.name for each in STEPS[step]}
        accesses = [each for each in played.accesses if each.source in names]
        return accesses, [each for each in played.gaps if each.subject in names], printed[step]

    return of


def test_a_call_that_concerns_nobody_is_let_through_as_if_there_were_no_hook(run):
    accesses, _, _ = run("when")
    assert seen(accesses) == [("inner", "returned", ["+15550001"]), ("outer", "returned", ["+15550001"])]


def test_a_registration_that_is_no_access_but_its_deliveries_are(run):
    accesses, _, printed = run("register")
    assert "got 3.5" in printed
    assert seen(accesses) == [("register", "returned", ["3.5,4.5"])]


def test_a_value_that_no_source_gave_before_is_an_access_once(run):
    accesses, _, _ = run("unseen")
    assert seen(accesses) == [("place", "returned", [PLACE]), ("getLatitude", "returned", ["1.5,2.5"])]


def test_an_implementation_that_a_static_field_holds(run):
    accesses, gaps, _ = run("field")
    assert seen(accesses) == [("number", "returned", ["+15550002"])]
    assert gaps == []


def test_what_getters_give_is_written_as_java_prints_it(run):
    accesses, _, _ = run("flag")
    assert seen(accesses) == [("flag", "returned", ["true", "x"])]


def test_the_app_itself_in_a_pattern(run):
    accesses, _, _ = run("about")
    assert seen(accesses) == [("about", "returned", ["ways.not"]), ("about", "returned", ["other"])]


def test_a_suspend_function_that_returns_at_once_and_one_that_resumes_later(run):
    accesses, gaps, printed = run("suspend")
    assert printed.split() == ["resumed", "true", "resumed", "false"]
    assert seen(accesses) == [("suspended", "returned", [PLACE])] * 2
    assert gaps == []


def test_a_long_list_is_bounded_and_says_how_long_it_is(run):
    accesses, [gap], printed = run("long")
    assert printed.split() == ["1500"]
    [access] = accesses
    assert len(access.values) == 1000
    assert access.args == {"elements": 1500}
    assert (gap.subject, gap.why) == ("ways.Main.many", "overflow")
    assert "1500" in gap.detail


def test_lists_of_arrays_of_objects(run):
    accesses, _, _ = run("objects")
    assert seen(accesses) == [("nested", "returned", ["1", "2", "3"])]


def test_each_form_of_a_value(run):
    accesses, gaps, _ = run("forms")
    found = {each: texts for each, _, texts in seen(accesses) if each != "$init"}
    assert found == {name: texts for name, (_, texts) in FORMS.items()}
    assert [a.args for a in accesses if a.source.endswith(("counted", "countedMap"))] == [
        {"elements": 3},
        {"elements": 2},
    ]
    assert [texts for each, _, texts in seen(accesses) if each == "$init"] == [["9"]]
    assert gaps == []
