"""A run that is encrypted when it is over: what is left of it in plain, and that it is read."""

import pyrage
import pytest

from appwitness.recording import encryption, verify
from tests.lab.test_signed import appwitness


@pytest.mark.lab
@pytest.mark.slow
def test_a_run_is_encrypted(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "id").write_text(str(identity))
    order = ("observe", "--device", "lab:corner", "--plan", "accept", "--fail-on", "never", "--output", "r")
    encrypt = ("--encrypt-to", identity.to_public())
    (tmp_path / "r.zip.age").write_text("of before")
    assert "There is r.zip.age already" in appwitness(*order, *encrypt, code=2)
    (tmp_path / "r.zip.age").unlink()
    said = appwitness(*order, *encrypt)
    assert "appwitness verify r.zip.age" in said
    assert {each.name for each in tmp_path.iterdir()} == {"home", "id", "r.zip.age"}
    assert not list((tmp_path / "home").glob("*.sqlite*"))
    monkeypatch.setenv(encryption.IDENTITY, str(tmp_path / "id"))
    assert verify(tmp_path / "r.zip.age").outcome == "intact"
