"""A program whose main method returns ends as it does without hooks: ART destroys itself then."""

import pytest

from tests.art.conftest import Run


@pytest.mark.parametrize("pause_ms", [0, 300, 900, 1200])
def test_it_ends_when_its_main_method_returns(play: Run, pause_ms: int) -> None:
    """900: while the agent is about to leave compiled code again."""
    played = play("brief", [], str(pause_ms), wait_s=30)
    assert (played.code, played.printed, played.gaps) == (0, "done\n", []), played.log[-2000:]
