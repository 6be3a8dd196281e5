"""Programs bring captures of other tools in, and give recordings out."""

import json
import zipfile

import pytest

from appwitness.api import exchanging
from appwitness.api.archiving import pack
from appwitness.api.home import home
from appwitness.api.judging import judging
from appwitness.api.recording_names import opened
from appwitness.recording import verify
from appwitness.support.errors import DamagedRecording, UserError
from tests.api.given import ended
from tests.captures import har

PHONE = "+8613800138000"


def capture(folder, number=PHONE):
    """A HAR with one upload."""
    (folder / "capture.har").write_text(har("https://shop.test/", f"tel={number}"))
    return folder / "capture.har"


def test_a_capture_becomes_a_recording_with_what_was_on_the_device(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_RECORDINGS", str(tmp_path / "recordings"))
    known = exchanging.origin("com.example.shop", [f"phone_number={PHONE}"], case="12 O 3/26")
    made = exchanging.import_([capture(tmp_path)], known)
    assert made.path.parent == tmp_path / "recordings"
    assert made.path.name.endswith("-import-shop")
    assert made.counts == {"upload": 1, "access": 0, "gap": 0}
    assert opened(made.path).run.case == "12 O 3/26"
    assert [flow.data for flow in judging(db="sqlite://").report(made.path).flows] == ["phone_number"]
    with pytest.raises(UserError, match="There is no type 'phone'"):
        exchanging.values_of([f"phone={PHONE}"])


@pytest.mark.parametrize("packed", [False, True])
def test_values_in_har_are_tokens_unless_they_are_to_be_seen(tmp_path, packed):
    known = exchanging.origin("com.example.shop", [f"phone_number={PHONE}"])
    recording = exchanging.import_([capture(tmp_path)], known, output=tmp_path / "run").path
    given = opened(pack(recording).file if packed else recording)
    assert PHONE not in exchanging.har(given).text
    assert PHONE in exchanging.har(given, reveal=True).text


def test_a_bundle_has_all_that_a_stranger_needs_and_is_noted(tmp_path):
    recording = ended(tmp_path / "run")
    by = judging(db="sqlite://")
    exchanging.bundle(recording, tmp_path / "for-you.zip", by)
    with zipfile.ZipFile(tmp_path / "for-you.zip") as packed:
        assert {"report.html", "complaint-cn.md", "complaint-eu.md", "tools.json", "verify.py"} <= set(
            packed.namelist()
        )
    assert verify(tmp_path / "for-you.zip").ok
    (line,) = map(json.loads, (home() / "reveals.jsonl").read_text().splitlines())
    assert (line["verb"], line["what"]) == ("bundle", f"recording to {tmp_path / 'for-you.zip'}")
    (recording / "uploads.jsonl").write_bytes(b"")
    with pytest.raises(DamagedRecording, match="is not complete and intact"):
        exchanging.bundle(recording, tmp_path / "another.zip", by)
    assert not (tmp_path / "another.zip").exists()
