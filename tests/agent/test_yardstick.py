"""How the sources cover the yardstick, and that what covers the rest names what is there."""

import pytest

from appwitness.agent import native_routes
from appwitness.agent.sources import Source, load
from appwitness.agent.yardstick import (
    LEVELS,
    STATES,
    Absent,
    Beside,
    Lower,
    Yard,
    beside,
    covered,
    seeing,
    table,
    yardstick,
)

SOURCES = load()
BELOW = native_routes.load()
KNOWN = beside()
COVERS = covered(yardstick(), SOURCES, BELOW, KNOWN)


def test_the_yardstick_is_whole():
    levels = [level for yard in yardstick() for level in yard.levels]
    assert {level: levels.count(level) for level in LEVELS} == {"must": 199, "full": 495, "wide": 696, "gaps": 134}


@pytest.mark.parametrize("lower", KNOWN.lower_layer, ids=lambda lower: f"{lower.cls} by {lower.by}")
def test_a_lower_layer_is_a_source_that_exists(lower):
    named = {lower.seen_by(yard) for yard in yardstick() if lower.holds(yard)}
    assert named - seeing(SOURCES, BELOW) == set()


@pytest.mark.parametrize("group", [*KNOWN.lower_layer, *KNOWN.not_here], ids=lambda group: group.cls)
def test_an_entry_speaks_of_something_in_the_yardstick(group):
    assert any(group.holds(yard) for yard in yardstick())


def test_routes_cover_what_the_yardstick_has():
    named = {(route.library, each, "") for route in BELOW.routes for each in route.covers}
    assert named - {(yard.cls, yard.method, yard.what) for yard in yardstick()} == set()


def source(cls, method, **fields):
    return Source(name=f"{cls}.{method}", cls=cls, method=method, data="location", **fields)


def yard(cls, method, what=""):
    return Yard("location", cls, method, what, "must")


@pytest.mark.parametrize(
    ("one", "state", "by"),
    [
        (yard("a.B", "own"), "hooked", "a.B.own"),
        (yard("a.B", "asked", "content://x/1"), "hooked", "a.B.asked"),
        (yard("a.B", "asked", "content://y/1"), "missing", None),
        (yard("a.Low", "any"), "lower_layer", "a.B.own"),
        (yard("a.Lost", "any"), "missing", None),
        (yard("a.Above", "own"), "lower_layer", "a.B.own"),
        (yard("a.Above", "other"), "missing", None),
        (yard("a.Server", "any"), "lower_layer", "android.os.BinderProxy.transactNative android.content.IClipboard"),
        (yard("a.Listener", "onHeard"), "hooked", "a.B.listen"),
        (yard("a.Listener", "onNothing"), "missing", None),
        (yard("a.Field", "SERIAL"), "not_here", None),
        (yard("a.Field", "other"), "missing", None),
        (yard("libc.so", "getifaddrs"), "hooked", "libc.so!getifaddrs"),
        (
            yard("android.os.BinderProxy", "transactNative", "android.content.IClipboard"),
            "hooked",
            "android.os.BinderProxy.transactNative",
        ),
        (yard("android.os.BinderProxy", "transactNative", "android.content.INothing"), "missing", None),
    ],
)
def test_how_one_api_is_covered(one, state, by):
    listener = {
        "object": "argument",
        "type": "a.Listener",
        "methods": {"onHeard": {"values": [{"from": 0}]}, "onNothing": {}},
    }
    sources = [
        source("a.B", "own"),
        source("a.B", "asked", when={"argument": 0, "matches": ["^content://x/"]}),
        source("a.B", "listen", follow=[listener]),
    ]
    known = Beside(
        lower_layer=(
            Lower.model_validate({"class": r"a\.Low", "by": "a.B.own", "why": "it ends there"}),
            Lower.model_validate({"class": r"a\.Lost", "by": "a.B.gone", "why": "it ends there"}),
            Lower.model_validate({"class": r"a\.Above", "by": "a.B.*", "why": "the class that has the body"}),
            Lower.model_validate(
                {
                    "class": r"a\.Server",
                    "by": "android.os.BinderProxy.transactNative android.content.IClipboard",
                    "why": "on the other side of the binder",
                }
            ),
        ),
        not_here=(Absent.model_validate({"class": r"a\.Field", "methods": ["SERIAL"], "why": "a field"}),),
    )
    [cover] = covered([one], sources, BELOW, known)
    assert (cover.state, cover.by) == (state, by)


def test_the_table_adds_up():
    counted = table(COVERS)
    for counts in (*counted["levels"].values(), *counted["categories"].values()):
        assert counts["total"] == sum(counts[state] for state in STATES)
    assert len(counted["missing"]) == sum(counts["missing"] for counts in counted["categories"].values())
