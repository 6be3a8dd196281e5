"""What an APK's network security configuration lets expect for a host."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from appwitness.devices.android.app import apk
from appwitness.devices.android.app.network_security import parse, predict, refusals
from tests.adb.rig import make_apk

PINNED = '<pin-set{}><pin digest="SHA-256">7HIpactkIAq2Y49orFOOQKurWxmmSFZhBCoQYcRhJ3Y=</pin></pin-set>'
DOMAIN = '<domain includeSubdomains="true">a.test</domain>'


@pytest.mark.parametrize(
    ("config", "target", "debuggable", "host", "expected"),
    [
        (None, 23, False, "a.test", "user cleartext"),
        (None, 24, False, "a.test", "system cleartext"),
        (None, 28, False, "a.test", "system"),
        ("", 34, False, "a.test", "system"),
        ('<base-config cleartextTrafficPermitted="true"/>', 34, False, "a.test", "system cleartext"),
        (
            '<base-config><trust-anchors><certificates src="user"/></trust-anchors></base-config>',
            34, False, "b", "user",
        ),
        (
            '<base-config><trust-anchors><certificates src="@raw/ca"/></trust-anchors></base-config>',
            23, False, "b", "own cleartext",
        ),
        (f"<domain-config>{DOMAIN}{PINNED.format('')}</domain-config>", 34, False, "a.test", "pinned"),
        (f"<domain-config>{DOMAIN}{PINNED.format('')}</domain-config>", 34, False, "x.A.test.", "pinned"),
        (f"<domain-config>{DOMAIN}{PINNED.format('')}</domain-config>", 34, False, "xa.test", "system"),
        (f"<domain-config><domain>a.test</domain>{PINNED.format('')}</domain-config>", 34, False, "x.a.test", "system"),
        (
            f"<domain-config>{DOMAIN}{PINNED.format(' expiration="2026-01-01"')}</domain-config>",
            34, False, "a.test", "system",
        ),
        (
            f"<domain-config>{DOMAIN}{PINNED.format(' expiration="2026-01-02"')}</domain-config>",
            34, False, "a.test", "pinned",
        ),
        (f"<domain-config>{DOMAIN}<pin-set/></domain-config>", 34, False, "a.test", "system"),
        # What is most precise counts, wherever it stands; inner ones inherit.
        (
            f'<domain-config>{DOMAIN}{PINNED.format("")}<domain-config><domain>in.a.test</domain><trust-anchors>'
            '<certificates src="system" overridePins="true"/></trust-anchors></domain-config></domain-config>',
            34, False, "in.a.test", "system",
        ),
        (
            f'<domain-config>{DOMAIN}{PINNED.format("")}<domain-config><domain>in.a.test</domain></domain-config>'
            "</domain-config>",
            34, False, "in.a.test", "pinned",
        ),
        # Debug overrides count in debuggable apps alone, and pass pins.
        (
            f'<debug-overrides><trust-anchors><certificates src="user"/></trust-anchors></debug-overrides>'
            f"<domain-config>{DOMAIN}{PINNED.format('')}</domain-config>",
            34, True, "a.test", "user",
        ),
        (
            f'<debug-overrides><trust-anchors><certificates src="user"/></trust-anchors></debug-overrides>'
            f"<domain-config>{DOMAIN}{PINNED.format('')}</domain-config>",
            34, False, "a.test", "pinned",
        ),
        ('<base-config><certificateTransparency enabled="true"/></base-config>', 36, False, "a.test", "system logged"),
        (None, 36, False, "a.test", "system"),
        (None, 37, False, "a.test", "system logged"),
        ('<base-config><certificateTransparency enabled="false"/></base-config>', 37, False, "a.test", "system"),
        (
            '<base-config><trust-anchors><certificates src="system"/><certificates src="user"/></trust-anchors>'
            "</base-config>", 37, False, "a.test", "user",
        ),
        (
            '<base-config><certificateTransparency enabled="true"/></base-config><domain-config>'
            f'{DOMAIN}<trust-anchors><certificates src="system"/><certificates src="@raw/ca"/></trust-anchors>'
            "</domain-config>", 36, False, "a.test", "system",
        ),
        (
            f'<domain-config>{DOMAIN}<certificateTransparency enabled="true"/><trust-anchors>'
            '<certificates src="user"/></trust-anchors></domain-config>', 36, False, "a.test", "user logged",
        ),
        (
            f'<domain-config cleartextTrafficPermitted="0xffffffff">{DOMAIN}</domain-config>',
            34, False, "a.test", "system cleartext",
        ),
    ],
)  # fmt: skip
def test_what_to_expect(config: str | None, target: int, debuggable: bool, host: str, expected: str) -> None:
    whole = f"<network-security-config>{config}</network-security-config>"
    tree = None if config is None else ElementTree.fromstring(whole)

    found = predict(parse(tree, target, debuggable=debuggable), host, date(2026, 1, 1))

    words = [found.outcome, *["cleartext"] * found.cleartext, *["logged"] * found.transparency]
    assert " ".join(words) == expected


def test_the_manifest_says_cleartext_where_there_is_no_configuration() -> None:
    assert predict(parse(None, 34, cleartext=True), "a.test", date(2026, 1, 1)).cleartext
    assert not predict(parse(None, 24, cleartext=False), "a.test", date(2026, 1, 1)).cleartext
    empty = ElementTree.fromstring("<network-security-config/>")
    assert not predict(parse(empty, 34, cleartext=True), "a.test", date(2026, 1, 1)).cleartext


def test_a_device_that_does_not_know_the_logs_does_not_look_into_them() -> None:
    security = parse(None, 37)
    assert [predict(security, "a.test", date(2026, 1, 1), api).transparency for api in (0, 35, 36, 37)] == [
        True, False, True, True,
    ]  # fmt: skip


def test_what_will_be_refused_names_the_logs(tmp_path: Path) -> None:
    told = refusals(None, apk.read(make_apk.apk(tmp_path / "a.apk", target=37)), 37)
    assert [(host, "NOT_ENOUGH_SCTS" in why) for host, why in told] == [("other hosts", True)]
    assert not list(refusals(None, apk.read(make_apk.apk(tmp_path / "b.apk", target=36)), 37))
