"""Where the adb server is, as adb itself is told of it; and one whose answers break off."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import appwitness
from appwitness.devices.android import adb, container
from appwitness.devices.android.faults import DeviceFault

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


SERIAL = "127.0.0.1:5555"
OK = b"OKAY"


def block(text: str) -> bytes:
    return f"{len(text):04x}{text}".encode()


ANSWERS = [
    ("shell,v2:", OK + b"\1\3\0\0\0all" + b"\3\1\0\0\0\0"),
    ("shell:", OK + b"all\n\nexit=0\n"),
    ("host:version", OK + block("0029")),
    ("host:devices", OK + block(f"{SERIAL}\tdevice\n")),
    ("host:tport:", OK + b"\1\0\0\0\0\0\0\0"),
    ("reverse:list-forward", OK + block("host-5 tcp:9 tcp:9\n")),
    ("host:list-forward", OK + block(f"{SERIAL} tcp:9 tcp:9\n")),
    ("features", OK + block("shell_v2,cmd")),
    ("sync:", OK + b"STAT" + bytes(12) + OK + b"DATA\3\0\0\0allDONE\0\0\0\0"),
]


@contextlib.contextmanager
def cut(monkeypatch, query: str, size: int, v2: bool = True) -> Iterator[None]:
    """An adb server that ends the connection after so many bytes of its answer to a query."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(server.getsockname()[1]))
    open_ = True

    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            while head := connection.recv(4):
                asked = connection.recv(int(head, 16)).decode()
                text = next(text for name, text in ANSWERS if name in asked)
                if "features" in asked and not v2:
                    text = OK + block("cmd")
                if asked == "sync:":
                    sync(connection, text if query != "sync:" else text[:size])
                    return
                if query in asked:
                    connection.sendall(text[:size])
                    return
                connection.sendall(text)
                if "shell" in asked:
                    return

    def sync(connection: socket.socket, text: bytes) -> None:
        connection.sendall(text[:4])
        if len(text) <= 4:
            return
        said = connection.recv(4)
        if said == b"STAT":
            connection.sendall(text[4:20])
            connection.recv(100)
        elif said == b"SEND":
            while b"DONE" not in connection.recv(1000):
                pass
            connection.sendall(text[20:24])
        else:
            connection.recv(100)
            connection.sendall(text[24:])

    def serve() -> None:
        while open_:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        open_ = False
        thread.join()
        server.close()


CALLS = {
    "devices": (adb.devices, "host:devices"),
    "there": (lambda: adb.Adb(SERIAL).there(), "host:devices"),
    "shell": (lambda: adb.Adb(SERIAL).shell("id"), "shell,v2:"),
    "features": (lambda: adb.Adb(SERIAL).shell("id"), "features"),
    "transport": (lambda: adb.Adb(SERIAL).shell("id"), "host:tport:"),
    "forwarded": (lambda: adb.Adb(SERIAL).forwarded(), "host:list-forward"),
    "reversed": (lambda: adb.Adb(SERIAL).reversed(), "reverse:list-forward"),
    "pull": (lambda: adb.Adb(SERIAL).pull("/x"), "sync:"),
    "push": (lambda: adb.Adb(SERIAL).push(b"all", "/x"), "sync:"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("size", [0, 2, 4, 6, 9, 14])
def test_an_answer_that_breaks_off_is_a_fault_of_the_device(monkeypatch, call, size):
    ask, query = CALLS[call]
    whole = len(next(text for name, text in ANSWERS if name == query))
    size = {"pull": 24 + size - 4, "push": 4 + size}.get(call, size) if size >= 4 else size
    with cut(monkeypatch, query, min(size, whole - 1)), pytest.raises(DeviceFault) as raised:
        ask()
    assert raised.value.code in ("device-lost", "adb-server-unreachable")
    assert (raised.value.code == "device-lost") is (query != "host:devices")


@pytest.mark.parametrize("size", [0, 4, 8, 12])
def test_so_is_the_output_of_an_old_shell(monkeypatch, size):
    with cut(monkeypatch, "shell:", size, v2=False), pytest.raises(DeviceFault) as raised:
        adb.Adb(SERIAL).shell("id")
    assert raised.value.code == "device-lost"


@pytest.mark.parametrize("v2", [True, False])
def test_whole_answers_are_read(monkeypatch, v2):
    with cut(monkeypatch, "nothing", 0, v2):
        device = adb.Adb(SERIAL)
        assert device.shell("id").out == "all"
        assert device.forwarded() == [9]
        assert device.reversed() == [9]
        assert device.there()
        device.push(b"all", "/x")
        assert device.pull("/x") == b"all"


def test_one_adb_server_is_started_for_all_threads_and_quietly(monkeypatch, tmp_path, capfd):
    log, program = tmp_path / "log", tmp_path / "adb"
    program.write_text(f'#!/bin/sh\necho "$@" >>{log}\nsleep 0.2\necho "* daemon not running; starting now"\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("ADBUTILS_ADB_PATH", str(program))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
    with pytest.raises(DeviceFault) as raised:
        adb.devices()
    assert raised.value.code == "adb-server-unreachable"
    assert "starting now" in raised.value.what
    assert log.read_text() == f"-P {port} start-server\n"
    assert capfd.readouterr() == ("", "")
