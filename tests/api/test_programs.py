"""What the command line can do, a program can do by `import appwitness`."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

import appwitness
from tests.captures import har
from tests.recordings.written import RECORDINGS


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(RECORDINGS / "sent-before-consent", tmp_path / "run")


@pytest.fixture
def imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.har").write_text(har(), "utf-8")
    values = ["phone_number=+8613800138000"]
    return appwitness.import_captures("a.har", "com.example.shop", values=values, output="new")


def test_a_recording_is_read_line_by_line(run, tmp_path):
    for name in (run, str(run)):
        recording = appwitness.Recording(name)
        (upload,) = recording.events(appwitness.Upload)
        assert upload.host == "api.shop.test"
        assert [each.status for each in recording.events(appwitness.Consent)] == ["requested", "given"]
        assert next(recording.events(appwitness.Access)).values[0].type == "phone_number"
    for kind in ("Connection", "Gap", "Phase", "Screen", "Transform", "Witness"):
        assert list(recording.events(getattr(appwitness, kind))) is not None
    with pytest.raises(appwitness.UserError, match="missing"):
        _ = appwitness.Recording("nothing").run


def test_an_archive_is_read_as_a_folder_is(imported):
    from appwitness.api import archiving

    packed = archiving.pack(imported.path).file
    assert appwitness.Recording(str(packed)).run == imported.run


def test_it_is_marked_and_explained(run):
    finding = appwitness.report(run).findings[0]
    why = appwitness.explain(run, finding.id)
    assert [each.id for each in why.findings] == [finding.id]
    assert why.flows[0].matches[0].reasons
    assert why.chain
    assert "+8613800138000" not in why.text
    assert finding in appwitness.explain(run, "f1").findings
    for wrong in ("f9", "v2:000000000000"):
        with pytest.raises(appwitness.UserError):
            appwitness.explain(run, wrong)
    at = datetime(2026, 3, 14, 9, 0, 0, 700_000, UTC)
    made = appwitness.mark(str(run), "refused", text="Disagree", at=at)
    assert (made.ref, made.line.by) == ("consents.jsonl:3", "operator")
    assert "sent-after-refusal" in {each.rule for each in appwitness.report(run).findings}


def test_runs_are_compared(run):
    comparison, reports = appwitness.compare([run, RECORDINGS / "clean-consent-first"])
    assert comparison.package == "com.example.shop"
    assert len(reports) == 2


def test_evidence_is_verified_shared_and_forgotten(imported):
    folder = imported.path
    assert appwitness.verify(folder).outcome == "intact"
    assert appwitness.share(folder, "copy").values == 1
    assert "+8613800138000" in (folder / "run.json").read_text("utf-8")
    assert appwitness.forget(folder, dry_run=True) == {str(folder): 0}
    assert "+8613800138000" in (folder / "run.json").read_text("utf-8")
    assert appwitness.forget([folder], reason="asked for") == {str(folder): 0}
    assert "+8613800138000" not in (folder / "run.json").read_text("utf-8")
    assert appwitness.verify(folder).ok
    with pytest.raises(appwitness.UserError, match="You have not said what to forget"):
        appwitness.forget()
    with pytest.raises(appwitness.UserError, match="no kind of line"):
        appwitness.forget(kinds=["no"], older_than=timedelta(1))


def test_what_an_app_does_is_written_down(run):
    written = appwitness.baseline(run, write_to="appwitness-baseline.yml")
    assert {each.id for each in written.findings} == {each.id for each in appwitness.report(run).findings}
    held = appwitness.baseline_update("appwitness-baseline.yml", [run])
    assert not held.differing
    assert sorted(held.updated().findings, key=str) == sorted(written.findings, key=str)
    assert appwitness.gate(run).outcome == "passed"


def test_a_fleet_is_planned_and_looked_at(tmp_path):
    (tmp_path / "apps.csv").write_text("app\nlab:circle\n", "utf-8")
    with appwitness.Fleet(str(tmp_path / "db")) as fleet:
        assert fleet.plan("c", tmp_path / "apps.csv", ["accept", "refuse"]) == 2
        assert fleet.status("c").as_json()
