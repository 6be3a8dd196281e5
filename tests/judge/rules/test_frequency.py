"""How often is too often: stretches of calls, folded lines, callers and phases apart."""

import pytest

from appwitness.judge.rules.frequency import POINTS, CallStretch, longest, spread
from tests.judge.scenario import FREQUENCY, Scenario, at

OWN = ("android.x.Y.get(Y.java:1)", "com.example.shop.Start.load(Start.java:31)")
SDK = ("android.x.Y.get(Y.java:1)", "com.umeng.analytics.Agent.collect(Agent.java:9)")


def often(count, seconds, stack):
    scenario = Scenario()
    scenario.says(0, "given")
    scenario.reads(5, until=5 + seconds, count=count, stack=stack)
    return scenario


FREQUENT = [
    ("no call", [], None),
    ("one call", [(0, 1)], None),
    ("two calls, far apart", [(0, 1), (2.1, 1)], None),
    ("two calls within the window", [(0, 1), (1.9, 1)], (2, 0, 1.9)),
    ("once every two seconds", [(0, 1), (2, 1), (4, 1)], (3, 0, 4)),
    ("two calls at once", [(0, 2)], (2, 0, 0)),
    ("a chain", [(0, 1), (1, 1), (2, 1), (3, 1), (9, 1)], (4, 0, 3)),
    ("two chains: the longer", [(0, 1), (1, 1), (60, 1), (61, 1), (62, 1)], (3, 60, 62)),
    ("in any order", [(3, 1), (1, 1), (2, 1)], (3, 1, 3)),
]


@pytest.mark.parametrize(("calls", "expected"), [pytest.param(*case[1:], id=case[0]) for case in FREQUENT])
def test_the_longest_stretch(calls, expected):
    preset = FREQUENCY.by_id["scenes-2-s"]
    found = longest(preset, [(at(second), count) for second, count in calls])
    wanted = expected and CallStretch(expected[0], at(expected[1]), at(expected[2]))
    assert found == wanted


@pytest.mark.parametrize("count", [2, 3, 120, 1000, 1001, 123_456])
def test_a_folded_line_is_spread_over_its_time(count):
    moments = spread(at(0), at(60), count)
    assert sum(calls for _, calls in moments) == count
    assert (moments[0][0], moments[-1][0]) == (at(0), at(60))
    assert len(moments) == min(count, POINTS)
    assert moments == sorted(moments)


CALLERS = [
    ("an SDK", SDK, "by com.umeng (友盟 Umeng)"),
    ("the app", OWN, "by com.example.shop,"),
    ("nobody knows", ("android.x.Y.get(Y.java:1)",), "times in 10 s, from"),
]


@pytest.mark.parametrize(("stack", "says"), [pytest.param(*case[1:], id=case[0]) for case in CALLERS])
def test_who_called_too_often(stack, says):
    (finding,) = often(100, 10, stack).of("read-too-often")
    assert says in finding.detail["en"]
    assert "100 times in 10 s" in finding.detail["en"]
    assert "camille" in finding.detail["en"]
    assert finding.count == 100


def test_callers_and_phases_are_counted_apart():
    scenario = Scenario()
    scenario.says(0, "given")
    scenario.reads(1, until=2, count=9, stack=SDK)
    scenario.reads(1, until=2, count=9, stack=OWN)
    assert scenario.of("read-too-often") == []
    scenario.phase(10, "background")
    scenario.reads(11, until=12, count=9, stack=SDK)
    assert scenario.of("read-too-often") == []
    scenario.reads(13, until=14, count=9, stack=SDK)
    assert [each.count for each in scenario.of("read-too-often")] == [18]
