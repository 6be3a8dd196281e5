"""Programs ask where a fingerprint is known from."""

from appwitness.api import accepting
from appwitness.api.accepting import in_baseline, in_recordings
from appwitness.api.gating import GatedRuns
from appwitness.api.judging import judging
from tests.recordings.written import RECORDINGS

SHOWS, CLEAN = RECORDINGS / "sent-after-refusal", RECORDINGS / "clean-untouched"


def test_a_finding_is_known_from_recordings_and_from_the_baseline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    by = judging(db="sqlite://")
    fingerprint = accepting.fingerprint(f"{SHOWS}:1", GatedRuns(), by)
    (found,) = in_recordings(fingerprint, [CLEAN, SHOWS], by, {})
    assert (found.where, found.identity.rule) == (f"{SHOWS}:1", "sent-after-refusal")
    assert list(in_baseline(fingerprint)) == []
    file = tmp_path / "appwitness-baseline.yml"
    accepting.write_baseline(file, accepting.baseline([SHOWS], GatedRuns(), by))
    (listed,) = in_baseline(fingerprint)
    assert listed.identity == found.identity
    line = int(listed.where.rpartition(":")[2])
    assert fingerprint in file.read_text("utf-8").splitlines()[line - 1]
    assert list(in_baseline(fingerprint, file)) == [listed]
