"""A ranking tells by which moments its apps are counted, and what it rests on."""

import pytest

from appwitness.api.app_rankings import hosts_of, ranked
from appwitness.api.browsing import Browsing
from appwitness.correlate import knowledge
from appwitness.store import Store
from appwitness.store.models import WHEN
from appwitness.store.ranking import AppCount
from tests.store.test_ranking import found, keep, sent

KNOWN = knowledge()


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "index.sqlite") as store:
        keep(store, "1", [sent()], [found()])
        keep(store, "2", [sent(), sent("stats.test")], app="com.example.b")
        yield store


def test_recipients_are_ranked_by_apps(store):
    told = ranked(store, KNOWN, "recipient", {})
    assert [(row.of["recipient"], row.apps) for row in told.page.rows] == [("ads.test", 2), ("stats.test", 1)]
    assert told.basis.able == AppCount(2, 2)
    assert told.moments == WHEN
    assert len(ranked(store, KNOWN, "recipient", {}, page=2, rows=1).page.rows) == 1
    assert hosts_of(store, "ads.test") == ["in.ads.test"]
    index = Browsing(store, KNOWN)
    assert index.ranking("recipient", {}) == told
    assert index.hosts_of("nobody.test") == []


@pytest.mark.parametrize(("by", "filters"), [("rule", {}), ("finding", {}), ("data", {"rule": "sent-before-consent"})])
def test_a_rule_says_itself_when_it_was(store, by, filters):
    told = ranked(store, KNOWN, by, filters)
    assert told.moments == ()
    assert told.page.total == 1
