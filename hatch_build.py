"""Builds what a wheel carries and a checkout needs: the agent (from hooks/) and the lab device's classes (from Java).

`python hatch_build.py` builds what is out of date; `--current` only says, by its exit code, whether all is current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
AGENT = Path("monitor/observe/agent.js")
LAB = Path("monitor/lab/lab.jar")


def is_current(target: Path, sources: Iterable[Path]) -> bool:
    """Whether `target` exists and is no older than any of `sources`."""
    return target.exists() and all(path.stat().st_mtime <= target.stat().st_mtime for path in sources)


class Build(BuildHookInterface[Any]):
    """Hatchling's hook: builds both before a wheel or an editable install is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and put addons/ into a wheel as monitor/addons (a checkout uses it where it is)."""
        build(Path(self.root))
        if version != "editable":
            build_data["force_include"][str(Path(self.root) / "addons")] = "monitor/addons"


def agent_sources(root: Path) -> list[Path]:
    """The files that the agent is built from."""
    return sorted(path for path in (root / "hooks").glob("*.ts"))


def lab_sources(root: Path) -> list[Path]:
    """The files that the lab device is built from."""
    return sorted((root / "monitor/lab/java").rglob("*.java"))


def build(root: Path) -> None:
    """Build the agent and the lab device where they are out of date."""
    build_agent(root)
    build_lab(root)


if __name__ == "__main__":
    if "--current" in sys.argv:
        sys.exit(
            not (is_current(ROOT / AGENT, agent_sources(ROOT)) and is_current(ROOT / LAB, lab_sources(ROOT)))
        )
    build(ROOT)
