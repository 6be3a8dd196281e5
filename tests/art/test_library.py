"""Android's library, where the bench changes it, answers as Android's does."""

from __future__ import annotations

import pytest

from tests.art.conftest import Run

pytestmark = pytest.mark.timeout(120)

SAID = """\
used: One/of One One/of One
the rest was not read anew: true
another case: Two/of Two Two/of Two
gone: none none
alias gone: Three/of Three none
attribute gone: null
back: Two/of Two Two/of Two
services: 3
"""


def test_services_are_found_as_entries_come_and_go(play: Run) -> None:
    played = play("library")
    assert (played.printed, played.code) == (SAID, 0), played.log[-2000:]
