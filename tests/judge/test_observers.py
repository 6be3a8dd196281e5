"""Who watched: of a live run what run.json says, of a foreign file what its lines show; the one count of sources."""

import pytest

from appwitness.events import Observers, Run, count_sources, observers_of
from appwitness.events.seen import see
from appwitness.judge.consent import Observed, Timeline
from appwitness.judge.observers import gaps, watched
from tests.judge.scenario import START, Scenario

LIVE = Observers(hooks=True, proxy=True, consent=True)
HAR = observers_of(["har"], declared=False)
BOTH = observers_of(["hooks", "flows"], declared=True)


def run(**more):
    device = {"serial": "x", "kind": "lab"}
    return Run.model_validate({"id": "r", "app": {"package": "a.b"}, "device": device, "started": START, **more})


@pytest.mark.parametrize(
    ("observers", "accesses", "uploads", "missing"),
    [
        (LIVE, 0, 0, []),  # who watched live was there when nothing happened, too
        (Observers(), 0, 0, ["reads", "uploads", "consent"]),  # nothing came up
        (Observers(), 1, 1, ["consent"]),  # a line is there, so somebody saw it
        (HAR, 0, 0, ["reads", "uploads", "consent"]),
        (HAR, 0, 3, ["reads", "consent"]),
        (BOTH, 0, 3, ["consent"]),  # values to look for were declared
        (BOTH, 2, 0, ["uploads", "consent"]),
    ],
)
def test_what_a_clean_result_lacks(observers, accesses, uploads, missing):
    of = run(observers=observers)
    seen = watched(of, accesses, uploads, Timeline([], observed=Observed(watched=observers.consent)))
    assert [gap.subject for gap in gaps(of, seen, Timeline([])) if gap.why == "not_observed"] == missing


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, LIVE),
        ({"persona": [{"type": "name", "text": "A"}]}, LIVE.model_copy(update={"persona": "planted"})),
        ({"imported": [{"file": "a.har", "format": "har", "sha256": "0" * 64}]}, HAR),
        ({"imported": []}, observers_of([], declared=False)),
        ({"source": [{"name": "a", "sha256": "0" * 64, "format": "pcap"}]}, HAR),
        ({"observers": {"hooks": True}}, Observers(hooks=True)),
    ],
)
def test_a_recording_that_does_not_say_is_read_as_what_it_was(more, expected):
    assert run(**more).observers == expected


def marked(scope="general_policy", by="operator", signal="operator"):
    scenario = Scenario()
    scenario.says(5, "refused", scope=scope, by=by, signal=signal)
    return scenario.consents


@pytest.mark.parametrize(
    ("lines", "assumed", "general", "separate"),
    [
        ([], None, "not_observed", "not_observed"),
        ([], "none", "not_shown", "not_shown"),
        ([], "given", "given", "not_observed"),
        (marked(), None, "refused", "not_observed"),  # an operator's mark speaks of its own scope
        (marked(), "given", "refused", "not_observed"),  # what was observed goes before
        (marked(by="user", signal="tap"), None, "refused", "not_shown"),  # hooks see every question
        (marked(scope="third_party_separate"), None, "not_observed", "refused"),
        (
            marked(scope="system_permission", by="user", signal="permission_result"),
            None,
            "not_observed",
            "not_observed",
        ),
        (marked(by="app", signal="sdk_call"), None, "not_observed", "not_observed"),  # a mere claim
    ],
)
def test_consent_that_nobody_watched(lines, assumed, general, separate):
    seen = [see(ref, line, 0) for ref, line in lines]
    timeline = Timeline(seen, observed=Observed(watched=False, assumed=assumed))
    at = START.replace(hour=10)
    assert (timeline.at(at).state, timeline.at(at, None, "third_party_separate").state) == (general, separate)
    assert timeline.at(at).assumed == (assumed is not None and not lines)


def test_the_count_of_sources_adds_up():
    states = {"a": "installed", "b": "waiting", "c": "class_absent", "d": "overload_absent", "e": "failed", "f": "odd"}
    count = count_sources(states)
    assert (count.known, count.installed, count.waiting, count.absent, count.failed) == (6, 1, 1, 2, 2)
