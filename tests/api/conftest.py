"""For all tests of what programs call: a home of their own."""

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("APPWITNESS_HOME", str(home))
    for name in ("APPWITNESS_DB", "APPWITNESS_DB_FILE", "APPWITNESS_RECORDINGS", "APPWITNESS_IDENTITY"):
        monkeypatch.delenv(name, raising=False)
    return home
