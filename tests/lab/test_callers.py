"""Who asked, and at which overload: calls that our proxy causes, methods that no app may call, streams of Conscrypt
in two class loaders."""

from __future__ import annotations

import pytest

from appwitness.agent.sources import Source, load
from appwitness.events import Connection, Transform, Upload
from tests.lab.answering import answering

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


def test_who_asked(play) -> None:
    card = Source(
        name="callers.Main.card", cls="callers.Main", method="card", data="password_token",
        values=[{"from": "return", "get": ["number"]}],
    )  # fmt: skip
    asked = [each for each in load() if each.name == "java.lang.System.getProperty"]
    with answering(tls=False) as port:
        played = play("callers.Main", [*asked, card], str(port), vm=["-Dhttp.agent=it"])
    recording = played.recording
    assert played.printed.splitlines() == ["CONNECT it", "GET it", "4111"]
    # The first of the two was asked for our proxy; the value of the card is no public method's.
    assert [(each.source, each.values[0].text) for each in played.accesses] == [
        ("java.lang.System.getProperty", "it"),
        ("callers.Main.card", "4111"),
    ]
    assert played.gaps == []
    uploads = list(recording.events(Upload))
    assert [(each.url, each.size, each.status) for each in uploads] == [
        (f"https://there.test/{name}{which}", 4, 200)
        for which in ("", "-again")
        for name in ("whole", "part", "single")
    ]
    ports = {each.local.port for each in recording.events(Connection)}
    assert {each.client.port if each.client else None for each in uploads} <= ports
    assert list(recording.events(Transform)) == []
