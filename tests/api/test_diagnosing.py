"""What programs ask before a run: would it work on this device?"""

import pytest

from appwitness.api import diagnosing, reference
from appwitness.devices.android import adb
from appwitness.devices.android.faults import fault
from appwitness.support.errors import UserError


def test_the_lab_device_is_diagnosed_like_any_other():
    diagnosis = diagnosing.diagnose("lab:circle")
    assert (diagnosis.device, diagnosis.kind) == ("lab:circle", "lab")
    assert [each.check for each in diagnosis.results] == ["reached", "java", "classes", "frida", "ptrace"]
    assert set(diagnosis.model_dump(mode="json")) == set(reference.schema("doctor")["properties"])


def test_there_is_nothing_to_export_of_the_lab_device(tmp_path):
    with pytest.raises(UserError, match="no Android device to export"):
        diagnosing.export(diagnosing.diagnose("lab:circle"), tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_an_app_that_it_does_not_have_is_an_error():
    with pytest.raises(UserError, match="has no app 'nope'"):
        diagnosing.diagnose("lab:nope")


def test_that_no_device_is_there_is_a_result(monkeypatch, tmp_path):
    def nobody():
        raise fault("no-device", kind="")

    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path))
    monkeypatch.setattr(adb, "devices", nobody)
    diagnosis = diagnosing.diagnose()
    assert (diagnosis.device, diagnosis.worst, diagnosis.results[-1].code) == (None, "fault", "no-device")
    with pytest.raises(UserError, match="no Android device to export"):
        diagnosing.export(diagnosis, tmp_path / "x.zip")
