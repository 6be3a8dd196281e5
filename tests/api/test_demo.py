"""Which runs a demo makes, and when one is as expected."""

import pytest

from appwitness.api.demo import DEMO, EVERYTHING, DemoRun, demo_runs
from appwitness.api.expected import load
from appwitness.support.errors import UserError


@pytest.mark.parametrize(
    ("only", "everything", "runs"),
    [
        ((), False, DEMO),
        ((), True, EVERYTHING),
        (("circle",), False, (("circle", "refuse"),)),
        (("gems",), False, tuple(run for run in EVERYTHING if run[0] == "gems")),
        (("skies",), True, tuple(run for run in EVERYTHING if run[0] == "skies")),
    ],
)
def test_the_runs_of_a_demo(only, everything, runs):
    assert tuple((run.app, run.plan) for run in demo_runs(only, everything=everything)) == runs


def test_a_run_is_as_expected_when_nothing_is_missing_and_nothing_is_new():
    run = DemoRun("circle", "refuse")
    assert (run.device, run.title) == ("lab:circle", "Circle (social network)")
    expected = load()["circle"]["refuse"]
    assert run.is_as_expected(expected)
    assert not run.is_as_expected(expected[1:])
    assert not run.is_as_expected((*expected, expected[0]))
    of_people = next(each for each in expected if each.went)
    more = of_people.model_copy(update={"went": "data of 15 of 15 people in the address book (names of 15)"})
    assert not run.is_as_expected(tuple(more if each is of_people else each for each in expected))


def test_an_app_that_there_is_not():
    with pytest.raises(UserError, match="no sample app nope"):
        demo_runs(("nope",))
