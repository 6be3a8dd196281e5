"""Where named hosts really are, as the option says it."""

from __future__ import annotations

import pytest
from mitmproxy import exceptions

from addons.record import hosts


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("circle.test=127.0.0.1:8443", ("circle.test", ("127.0.0.1", 8443))),
        ("Circle.test:443=[::1]:1", ("circle.test:443", ("::1", 1))),
    ],
)
def test_places_of_hosts(entry: str, place: tuple[str, tuple[str, int]]) -> None:
    assert hosts.place_of(entry) == place


@pytest.mark.parametrize("entry", ["circle.test", "circle.test=", "=127.0.0.1:1", "a=b", "a=b:c", "a=b:70000"])
def test_places_that_are_none(entry: str) -> None:
    with pytest.raises(exceptions.OptionsError, match="is not name=address:port"):
        hosts.place_of(entry)
