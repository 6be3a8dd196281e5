"""What the configuration of a gadget says of how to use it, whatever is in that file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.devices.android.app.gadget_config import GadgetConfig


@pytest.mark.parametrize(
    ("interaction", "config", "problem"),
    [
        ({"type": "listen"}, GadgetConfig(), None),
        ({"type": "listen", "address": "0.0.0.0", "port": 5000}, GadgetConfig(endpoint="tcp:5000"), None),
        ({"type": "listen", "address": "unix:frida:x"}, GadgetConfig(endpoint="localabstract:frida:x"), None),
        ({"type": "listen", "on_load": "resume", "token": "t"}, GadgetConfig(token="t", waits=False), None),
        ({"type": "listen", "certificate": "c.pem"}, GadgetConfig(encrypted=True), "TLS"),
        ({"type": "script", "path": "a.js"}, GadgetConfig("script"), "'script'"),
        ({"type": "connect", "port": 27052}, GadgetConfig("connect", "tcp:27052"), "'connect'"),
        ({"type": "listen", "port": "soon"}, None, None),
        ({"type": "listen", "port": 70000}, None, None),
        ("listen", None, None),
        (None, None, None),
    ],
)
def test_what_it_says(interaction: Any, config: GadgetConfig | None, problem: str | None) -> None:
    found = GadgetConfig.parse(json.dumps({"interaction": interaction}).encode())
    assert found == config
    if found is not None:
        assert (found.problem is None) == (problem is None)
        assert problem is None or problem in str(found.problem)


@given(
    st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_a_file_that_says_something_else_is_none(data: bytes) -> None:
    assert GadgetConfig.parse(data) is None
