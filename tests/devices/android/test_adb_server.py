"""Where the adb server is, as adb itself is told of it."""

from pathlib import Path

import pytest

import appwitness
from appwitness.devices.android import adb, container

MONITOR = Path(appwitness.__file__).parent


@pytest.mark.parametrize(
    ("said", "server", "here"),
    [
        ({}, ("127.0.0.1", 5037), True),
        ({"ADB_SERVER_SOCKET": "tcp:host.docker.internal:5037"}, ("host.docker.internal", 5037), False),
        ({"ADB_SERVER_SOCKET": "tcp:localhost:5099"}, ("localhost", 5099), True),
        ({"ADB_SERVER_SOCKET": "tcp:5099"}, ("127.0.0.1", 5099), True),
        ({"ADB_SERVER_SOCKET": "nonsense:1:2"}, ("127.0.0.1", 5037), True),
        ({"ANDROID_ADB_SERVER_PORT": "5038"}, ("127.0.0.1", 5038), True),
        ({"ANDROID_ADB_SERVER_PORT": "x"}, ("127.0.0.1", 5037), True),
        ({"ANDROID_ADB_SERVER_ADDRESS": "10.0.0.2"}, ("10.0.0.2", 5037), False),
        ({"ANDROID_ADB_SERVER_HOST": "10.0.0.3", "ANDROID_ADB_SERVER_PORT": "1"}, ("10.0.0.3", 1), False),
        ({"ADB_SERVER_SOCKET": "tcp:10.0.0.2:1", "ANDROID_ADB_SERVER_PORT": "2"}, ("10.0.0.2", 1), False),
    ],
)
def test_where_the_adb_server_is(monkeypatch, said, server, here):
    for name in ("ADB_SERVER_SOCKET", *(f"ANDROID_ADB_SERVER_{end}" for end in ("HOST", "ADDRESS", "PORT"))):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)

    assert (adb.server(), adb.is_here()) == (server, here)


def test_no_adb_server_is_ever_stopped():
    """It may be the host's, with devices that others use."""
    texts = [path.read_text("utf-8") for kind in ("py", "yml") for path in MONITOR.glob(f"**/*.{kind}")]
    assert not [text for text in texts if "kill-server" in text or "server_kill" in text]


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("tcp:host.docker.internal:5037", "the adb server of another machine, host.docker.internal:5037"),
        ("tcp:5037", "the host's adb server, 127.0.0.1:5037"),
    ],
)
def test_a_container_says_whose_adb_server_it_has(monkeypatch, tmp_path, server, told):
    """No process of it is adb, so that an adb server on this address is the host's."""
    monkeypatch.setenv("ADB_SERVER_SOCKET", server)
    monkeypatch.setattr(container, "PROCESSES", tmp_path)
    assert container.server().startswith(f"{told}: it sees")
