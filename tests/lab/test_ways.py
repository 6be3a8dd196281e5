"""Every way in which an entry of the catalog can say what a call gives, on a class made for it."""

from __future__ import annotations

from typing import Any

import pytest

from appwitness.agent.sources import Source
from appwitness.events import Access, Gap

PLACE = "31.230416,121.473701"

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


@pytest.fixture
def run(play):
    """Play a step with some sources: its accesses, gaps and what the app printed."""

    def start(step: str, *sources: Source) -> tuple[list[Access], list[Gap], str]:
        played = play("ways.Main", sources, step, files=["ways", "kotlin"])
        return played.accesses, played.gaps, played.printed

    return start


def source(method, cls="ways.Main", data="phone_number", **fields) -> Source:
    return Source(name=f"{cls}.{method}", cls=cls, method=method, data=data, **fields)


def seen(accesses) -> list[tuple[str, str, list[str]]]:
    return [(a.source.split(".")[-1], a.outcome, [value.text for value in a.values]) for a in accesses]


GIVEN = [{"from": "return"}]
AS_PLACE = [{"from": "return", "as": "location"}]
LISTENER = {"object": "argument", "type": "ways.Main$Listener", "methods": {"onPlace": {"values": [{"from": 0, "as": "location"}]}}}  # fmt: skip  # noqa: E501


def test_a_call_that_concerns_nobody_is_let_through_as_if_there_were_no_hook(run):
    outer = source("outer", when={"argument": 0, "matches": ["^mine$"]}, values=GIVEN)
    accesses, _, _ = run("when", outer, source("inner", values=GIVEN))
    assert seen(accesses) == [("inner", "returned", ["+15550001"]), ("outer", "returned", ["+15550001"])]


def test_a_registration_that_is_no_access_but_its_deliveries_are(run):
    accesses, _, printed = run("register", source("register", data="location", follow=[LISTENER], quiet=True))
    assert "got 3.5" in printed
    assert seen(accesses) == [("register", "returned", ["3.5,4.5"])]


def test_a_value_that_no_source_gave_before_is_an_access_once(run):
    of_place = source(
        "getLatitude", cls="ways.Main$Place", data="location", unseen=True, values=[{"from": "this", "as": "location"}]
    )
    accesses, _, _ = run("unseen", source("place", data="location", values=AS_PLACE), of_place)
    assert seen(accesses) == [("place", "returned", [PLACE]), ("getLatitude", "returned", ["1.5,2.5"])]


def test_an_implementation_that_a_static_field_holds(run):
    number = source("number", cls="ways.Main$Numbers", implementations=["ways.Main$Service.API"], values=GIVEN)
    accesses, gaps, _ = run("field", number)
    assert seen(accesses) == [("number", "returned", ["+15550002"])]
    assert gaps == []


def test_what_getters_give_is_written_as_java_prints_it(run):
    getters = [{"from": "return", "get": ["isOn"]}, {"from": "return", "get": ["letter"]}]
    accesses, _, _ = run("flag", source("flag", values=getters))
    assert seen(accesses) == [("flag", "returned", ["true", "x"])]


def test_the_app_itself_in_a_pattern(run):
    others = source("about", when={"argument": 0, "matches": ["^(?!${app}$).+"]}, values=GIVEN)
    accesses, _, _ = run("about", others)
    assert seen(accesses) == [("about", "returned", ["ways.not"]), ("about", "returned", ["other"])]


def test_a_suspend_function_that_returns_at_once_and_one_that_resumes_later(run):
    place = {"only": "ways.Main$Place", "as": "location"}
    then = {
        "object": "argument",
        "type": "kotlin.coroutines.Continuation",
        "methods": {"resumeWith": {"values": [{"from": 0, **place}]}},
    }
    fields = {"data": "location", "values": [{"from": "return", **place}], "follow": [then]}
    accesses, gaps, printed = run("suspend", source("suspended", **fields), source("failing", **fields))
    assert printed.split() == ["resumed", "true", "resumed", "false"]
    assert seen(accesses) == [("suspended", "returned", [PLACE])] * 2
    assert gaps == []


def test_a_long_list_is_bounded_and_says_how_long_it_is(run):
    accesses, [gap], printed = run("long", source("many", data="installed_apps", values=GIVEN))
    assert printed.split() == ["1500"]
    [access] = accesses
    assert len(access.values) == 1000
    assert access.args == {"elements": 1500}
    assert (gap.subject, gap.why) == ("ways.Main.many", "overflow")
    assert "1500" in gap.detail


def test_lists_of_arrays_of_objects(run):
    accesses, _, _ = run("objects", source("nested", data="cell_tower", values=[{"from": "return", "get": ["getId"]}]))
    assert seen(accesses) == [("nested", "returned", ["1", "2", "3"])]


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


def test_each_form_of_a_value(run):
    sources = [source(name, values=[{"from": "return", **form}]) for name, (form, _) in FORMS.items()]
    made = source("$init", cls="ways.Main$Cell", values=[{"from": "this", "get": ["getId"]}])
    accesses, gaps, _ = run("forms", *sources, made)
    found = {each: texts for each, _, texts in seen(accesses) if each != "$init"}
    assert found == {name: texts for name, (_, texts) in FORMS.items()}
    assert [a.args for a in accesses if a.source.endswith(("counted", "countedMap"))] == [
        {"elements": 3},
        {"elements": 2},
    ]
    assert [texts for each, _, texts in seen(accesses) if each == "$init"] == [["9"]]
    assert gaps == []
