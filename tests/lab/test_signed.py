"""A run of the lab device by an operator who has a key is signed from its first stamp to its last."""

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main


def appwitness(*arguments, code=0):
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.lab
@pytest.mark.slow
def test_a_run_is_signed(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    fingerprint = appwitness("key", "new").splitlines()[-1]
    appwitness("key", "export", "--output", "op.pub")
    appwitness("observe", "--device", "lab:corner", "--plan", "accept", "--fail-on", "never", "--output", "r")
    assert "intact" in appwitness("verify", "r", "--key", "op.pub")
    assert f"every stamp is signed by {fingerprint}" in " ".join(appwitness("report", "r").split())
    appwitness("mark", "note", "seen by me", "--recording", "r")
    appwitness("verify", "r", "--key", "op.pub")
