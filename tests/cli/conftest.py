"""Each test of the command line has a home, a folder of recordings and a current folder of its own."""

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("APPWITNESS_RECORDINGS", str(tmp_path / "recordings"))
    monkeypatch.chdir(tmp_path)
