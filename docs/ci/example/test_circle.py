"""Circle, a sample app of the lab device, under two answers of its user. What it is known to do is in the baseline."""

import pytest


@pytest.mark.appwitness(plan="refuse")
def test_after_a_no_it_does_what_is_known(appwitness_run):
    with appwitness_run() as run:
        run.wait(upload_to="sync.friendgraph.test")
        run.wait()
    assert {finding.rule for finding in run.findings} >= {"sent-after-refusal", "address-book-upload"}


@pytest.mark.appwitness(plan="accept")
def test_after_a_yes_it_does_what_is_known(appwitness_run):
    with appwitness_run() as run:
        run.wait(upload_to="api.circle.test")
        run.wait()
    assert "sent-after-refusal" not in {finding.rule for finding in run.findings}


@pytest.mark.xfail(reason="Circle sends the address book whatever the user says", strict=True)
@pytest.mark.forbidden_flow(data="device_contacts")
@pytest.mark.appwitness(plan="refuse")
def test_the_address_book_stays_on_the_device(appwitness_run):
    with appwitness_run() as run:
        run.wait()
