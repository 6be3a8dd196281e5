"""Scripts of the agent's modules with another entry point, for a process of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

from hatch_build import AGENT, build_agent

ROOT = Path(__file__).parents[2]
RACES = Path(__file__).parent / "races"


def copied(folder: Path) -> Path:
    """A copy of hooks/ in a new folder."""
    stage = folder / "stage"
    shutil.copytree(ROOT / "hooks", stage / "hooks", ignore=shutil.ignore_patterns("node_modules"))
    (stage / AGENT).parent.mkdir(parents=True)
    return stage


def slowed(folder: Path) -> str:
    """The agent, in which threads wait at named points (races/)."""
    stage = copied(folder)
    shutil.copy(RACES / "points.ts", stage / "hooks/out/points.ts")
    shutil.copy(RACES / "points.h", stage / "hooks/native/points.h")
    return build_agent(stage).read_text("utf-8")


def bundled(stage: Path, agent: str) -> str:
    """The script, with `agent` in the place of agent.ts."""
    (stage / "hooks/agent.ts").write_text(agent, "utf-8")
    return build_agent(stage).read_text("utf-8")
