"""Each plan of each sample app gives exactly the findings of lab/expected.yml; one app's, twice in a row."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from appwitness.agent.sources import load as sources
from appwitness.api import checklists
from appwitness.api.demo import EVERYTHING, PLANS
from appwitness.api.expected import failing_items, load, shown
from appwitness.api.judging import Judging
from appwitness.correlate import correlate
from appwitness.devices.lab.lab_device import LabDevice
from appwitness.observe.order import Order
from appwitness.observe.run import observe
from appwitness.recording import Recording, verify
from appwitness.store import Store

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

TIMES = {("circle", "accept"): 2}
"""Runs of an app under a plan; one of the others."""
AT_ONCE = 3
"""Runs side by side: most of a run is waiting."""
LAWFUL = ("corner", "lanes")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """All runs, begun at once and awaited one by one: (app, plan) -> its recordings."""
    folder = tmp_path_factory.mktemp("plans")
    known = sources()

    def record(app, plan, nth):
        path = folder / f"{app}-{plan}-{nth}"
        with LabDevice(app, plan, folder / f"work-{app}-{plan}-{nth}", cache=folder / "lab") as device:
            return observe(device, path, known, Order(plan=plan, confdir=folder / "proxy"))

    first = record("corner", "silent", "first")  # makes the authorities, launchers and truststores that all share
    assert verify(first.path).ok
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures: dict[tuple[str, str], list[Future[Recording]]] = {
            (app, plan): [pool.submit(record, app, plan, nth) for nth in range(TIMES.get((app, plan), 1))]
            for app, plan in EVERYTHING
        }
        yield futures
        for future in (one for those in futures.values() for one in those):
            future.cancel()


def findings(recording, known, tmp_path):
    return correlate(recording, Store(tmp_path / f"{recording.path.name}.sqlite"), known).findings


@pytest.mark.slow
@pytest.mark.parametrize(("app", "plan"), EVERYTHING)
def test_exactly_the_expected_findings(runs, known, tmp_path, app, plan):
    recordings = [future.result() for future in runs[app, plan]]
    expected = [load()[app][plan]] * TIMES.get((app, plan), 1)
    assert [shown(findings(recording, known, tmp_path)) for recording in recordings] == expected
    assert all(verify(recording.path).ok for recording in recordings)
    assert {recording.run.plan for recording in recordings} == {plan}


@pytest.mark.slow
@pytest.mark.parametrize("app", sorted(load()))
def test_exactly_the_expected_items_of_checklists_fail(runs, known, tmp_path, app):
    judging = Judging(known, db=str(tmp_path / "i.sqlite"))
    reports = [judging.report(runs[app, plan][0].result().path) for plan in PLANS]
    filled = {
        name: checklists.filled_from(checklists.checklist(name, known), reports, judging) for name in checklists.NAMES
    }
    assert {
        name: tuple(item.item for item in each.items if item.state == "fail") for name, each in filled.items()
    } == failing_items()[app]
    for each in filled.values():  # of a run of seconds nothing is concluded from silence
        assert not [item.item for item in each.items if item.state == "nothing_seen"]


def test_the_table_names_each_app_and_plan_and_no_rule_that_there_is_not(known):
    assert {(app, plan) for app, plans in load().items() for plan in plans} == set(EVERYTHING)
    named = {one.rule for plans in load().values() for those in plans.values() for one in those}
    assert named <= {rule.id for rule in known.rules}
    assert len(named) >= 20
    assert {app: set(lists) for app, lists in failing_items().items()} == {app: set(checklists.NAMES) for app in load()}


@pytest.mark.parametrize("app", LAWFUL)
def test_the_lawful_apps_give_nothing_under_any_plan(app):
    assert load()[app] == dict.fromkeys(PLANS, ())
