"""A run by an operator who has a key, encrypted when it is over: signed, read, and nothing is left in plain."""

import pyrage
import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.recording import encryption


def appwitness(*arguments, code=0):
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.lab
@pytest.mark.slow
def test_a_run_is_signed_and_encrypted(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    fingerprint = appwitness("key", "new").splitlines()[-1]
    appwitness("key", "export", "--output", "op.pub")
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "id").write_text(str(identity))
    order = ("observe", "--device", "lab:corner", "--plan", "accept", "--fail-on", "never", "--output", "r")
    encrypt = ("--encrypt-to", identity.to_public())
    (tmp_path / "r.zip.age").write_text("of before")
    assert "r.zip.age already exists" in appwitness(*order, *encrypt, code=2)
    (tmp_path / "r.zip.age").unlink()
    assert "appwitness verify r.zip.age" in appwitness(*order, *encrypt)
    assert {each.name for each in tmp_path.iterdir()} == {"home", "id", "op.pub", "r.zip.age"}
    assert not list((tmp_path / "home").glob("*.sqlite*"))
    monkeypatch.setenv(encryption.IDENTITY, str(tmp_path / "id"))
    assert "intact" in appwitness("verify", "r.zip.age", "--key", "op.pub")
    assert f"every stamp is signed by {fingerprint}" in " ".join(appwitness("report", "r.zip.age").split())
    appwitness("pack", "r.zip.age")
    appwitness("verify", "r.zip", "--key", "op.pub")
