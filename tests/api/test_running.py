"""A run on the lab device that a program drives; and what is refused before anything comes up."""

import pytest

import appwitness
from appwitness.api.devices import chosen


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.mark.lab
@pytest.mark.slow
def test_a_block_drives_a_run(tmp_path):
    with appwitness.observe(device="lab:circle", plan="refuse", output=tmp_path / "run", case="12 O 3/26") as run:
        assert (run.package, run.serial) == ("com.example.circle", "lab")
        assert str(run.proxy).startswith("127.0.0.1:")
        first = run.wait(upload_to="circle.test")
        marked = run.mark("general_policy", "refused", note="for a test")
        assert run.wait(upload_to="circle.test") != first
        run.wait()
        with pytest.raises(TimeoutError, match=r"it sent to api\.circle\.test, sync"):
            run.wait(upload_to="nowhere.test")
    assert str(first).startswith("uploads.jsonl:")
    assert str(marked).startswith("consents.jsonl:")
    assert {"sent-after-refusal", "address-book-upload"} <= {finding.rule for finding in run.findings}
    assert run.report.run.case == "12 O 3/26"
    assert run.report.verified
    assert run.report.verified.ok
    assert {one.change for one in run.diff.changes} == {"new"}
    run.check(fail_on="never")
    with pytest.raises(appwitness.Failed, match="NEW high, proven"):
        run.check()


@pytest.mark.lab
@pytest.mark.slow
def test_what_goes_wrong_in_the_block_ends_the_run(tmp_path):
    with pytest.raises(ZeroDivisionError), appwitness.observe(plan="silent", output=tmp_path / "run"):
        _ = 1 / 0
    assert appwitness.Recording.open(tmp_path / "run").run.ended


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"device": "lab:toaster"}, "has no app 'toaster'"),
        ({"app": "app.apk"}, "has its app built in"),
        ({"device": "emulator-5554"}, "Which app should be observed"),
        ({"device": "emulator-5554", "app": "nowhere.apk"}, "There is no nowhere.apk"),
        ({"laws": ["xx"]}, "There are no laws of xx"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, given, says):
    with pytest.raises(appwitness.UserError, match=says), appwitness.observe(output=tmp_path / "run", **given):
        pytest.fail("the block was entered")


@pytest.mark.parametrize("call", [appwitness.report, appwitness.gate, appwitness.observe])
def test_a_keyword_that_there_is_not_is_an_error(call):
    with pytest.raises(TypeError, match="unknown keyword: law"), call("recording", law="eu") as _:
        pytest.fail("the block was entered")


def test_workers_take_their_devices_in_turn():
    assert [chosen("lab:circle,lab:skies", number).name for number in range(3)] == [
        "lab:circle",
        "lab:skies",
        "lab:circle",
    ]
    assert chosen("lab:circle", 3).name == "lab:circle"
