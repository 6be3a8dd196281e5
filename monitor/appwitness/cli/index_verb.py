"""The verb that cares for the index as a whole: index upgrade."""

from __future__ import annotations

import sys

from appwitness.api import judging as judged
from appwitness.cli.judge_verbs import in_turn, jobs_option
from appwitness.cli.terminal import err, out, plain
from appwitness.cli.verbs import VerbJudging, judging_options, main


@main.group()
def index() -> None:
    """Build the index anew from its recordings."""


@index.command()
@jobs_option
@judging_options
def upgrade(jobs: int, judging: VerbJudging) -> None:
    """Build the index anew when another version of appwitness made it.

    The new one is built beside it from the recordings where they were, judged as the options say, and takes its place
    when it is whole: until then the old one is as it was. What was set aside before, when another verb met an index of
    another version, is read in too. Recordings that cannot be read are named; then the old index is kept. What was
    interrupted goes on when it is started again.
    """
    done = judged.upgrade(
        judging, jobs, watch=in_turn, kept=lambda name: err.print(f"the old index is kept: {plain(name)}")
    )
    out.print(f"the index has {done.recordings:,} recordings; {len(done.lost):,} could not be read")
    sys.exit(2 if done.lost else 0)
