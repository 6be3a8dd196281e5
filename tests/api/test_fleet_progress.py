"""How far campaigns are, for whoever looks on: runs by state and pool, what failed, and which devices are there."""

import pytest

from appwitness.api.browsing import Browsing
from appwitness.api.fleet_progress import (
    Runs,
    by_campaign,
    choices_of_runs,
    failures,
    fitting_devices,
    is_silent,
    progress,
    prometheus,
    runs_of,
    status,
)
from appwitness.correlate import knowledge
from appwitness.store import Store
from appwitness.support.errors import UserError
from tests.web import serving

KNOWN = knowledge()


@pytest.fixture
def fleet(tmp_path):
    serving.campaign(tmp_path / "index.sqlite", "r")
    with Store(tmp_path / "index.sqlite") as store:
        index = Browsing(store, KNOWN)
        assert index.has_fleet
        fleet = index.fleet
        assert fleet is not None
        assert index.fleet is fleet
        yield fleet


def test_pools_are_summed_up(fleet: Runs):
    told = status(fleet, serving.CAMPAIGN)
    whole = progress(told, told.pools)
    assert (whole.planned, whole.leased, whole.recorded, whole.judged, whole.unobservable) == (1, 1, 0, 1, 1)
    assert (whole.total, whole.findings, whole.stuck, whole.eta_s) == (4, 2, 1, None)
    able = progress(told, [pool for pool in told.pools if not pool.pool])
    assert able.eta_s is not None
    assert by_campaign(status(fleet)) == {serving.CAMPAIGN: list(told.pools)}


def test_a_campaign_that_there_is_not_is_said(fleet: Runs):
    with pytest.raises(UserError, match="no campaign x"):
        status(fleet, "x")


def test_devices_are_told_by_what_they_have(fleet: Runs):
    told = status(fleet, serving.CAMPAIGN)
    assert {slot.serial for slot in fitting_devices(told)} == {"R58", "old phone"}
    assert not any(map(is_silent, told.devices))


def test_runs_are_listed_and_failures_named(fleet: Runs):
    (failed,) = failures(fleet, serving.CAMPAIGN)
    assert (failed.reason, failed.runs, failed.example.note) == ("usage", 1, serving.NOTE)
    assert runs_of(fleet, serving.CAMPAIGN, {"state": "judged"}).total == 1
    assert runs_of(fleet, serving.CAMPAIGN, {"text": "bold"}).total == 2
    assert sorted(choices_of_runs(fleet, serving.CAMPAIGN)["plan"]) == ["accept", "refuse"]


def test_figures_are_zeros_without_a_fleet(fleet: Runs):
    assert 'appwitness_runs{campaign="night",state="judged"} 1' in prometheus(fleet).splitlines()
    assert "appwitness_superseded_recordings 0" in prometheus(None).splitlines()
