"""Whose code a stack is of: as the agent says, and by names where no agent was there."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from appwitness.catalog import yaml_files
from appwitness.judge.code import code_of, method_of
from appwitness.judge.recipients import RecipientTable
from appwitness.reports.frames import caller

TABLE = yaml_files.parse(next(yaml_files.files("recipients.yml")), RecipientTable)
WEBVIEW, GMS = "com.google.android.webview", "com.google.android.gms"
OWN = "com.example.A.on"
GET = "java.net.Socket.connect(Socket.java:1)"


class Line(NamedTuple):
    stack: tuple[str, ...]
    owners: tuple[str | None, ...] = ()


def line(*frames: tuple[str, str | None]) -> Line:
    return Line(tuple(f"{name}(F.java:1)" for name, _ in frames), tuple(owner for _, owner in frames))


@pytest.mark.parametrize(
    ("seen", "method", "owner"),
    [
        # What a vendor adds to the boot classes has any name it likes.
        (line(("miui.util.Ids.get", "platform"), ("com.example.A.run", "app")), "com.example.A.run", None),
        (line(("com.samsung.android.Sdk.get", "platform"), ("oplus.Looper.loop", "platform")), None, None),
        # An app by a maker of phones, or with the platform's names, is an app.
        (line(("com.android.mms.A.b", "app"), ("java.lang.Thread.run", "platform")), "com.android.mms.A.b", None),
        (line(("com.samsung.notes.Sync.send", "app")), "com.samsung.notes.Sync.send", None),
        # WebView and modules of Google Play services run in the app's process; the app's code that calls comes first.
        (line(("WV.xY.run", WEBVIEW), ("android.webkit.A.b", "platform"), (OWN, "app")), OWN, None),
        (line(("WV.xY.run", WEBVIEW), ("java.lang.Thread.run", "platform")), "WV.xY.run", WEBVIEW),
        (line(("m.abc.a", GMS), ("java.lang.Thread.run", "platform")), "m.abc.a", GMS),
        # The same name in the app's own loader is Cronet in the app: a library, which calls on behalf of others.
        (line(("org.chromium.net.A.b", "app"), (OWN, "app")), OWN, None),
        (line(("okhttp3.A.b", "app"), ("org.bouncycastle.tls.A.b", "app"), ("java.A.b", "platform")), None, None),
        # Of what nobody knows, the name tells; of what has no owners at all, too: an import, an early recording.
        (line(("java.lang.Thread.run", None), ("com.example.A.run", None)), "com.example.A.run", None),
        (Line((GET, "com.android.mms.A.b(A.java:1)", "WV.xY.run(F.java:1)")), "WV.xY.run", None),
        (Line((GET,)), None, None),
        (Line(()), None, None),
    ],
)  # fmt: skip
def test_the_code_that_wanted_it(seen: Line, method: str | None, owner: str | None) -> None:
    assert method_of(seen) == method
    code = code_of("accesses.jsonl:1", seen, None)
    assert (code.code, code.owner) == (method, owner) if code else method is None
    found = caller(seen.stack, seen.owners)
    assert (found.name if found else None) == method
    assert not found or found.package == owner


def test_a_known_maker_is_named_before_the_package() -> None:
    seen = line(("com.umeng.analytics.A.b", GMS))
    code = code_of("accesses.jsonl:1", seen, TABLE)
    assert code
    assert code.owner == "友盟 Umeng"
