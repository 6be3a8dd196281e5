"""Shows at once why a test failed: a run takes long there, and may never come to its summary."""

from __future__ import annotations

from typing import Any

import pytest


class ShownAtOnce:
    """Writes what a failed test has to say."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called where results come together, too, when other processes run the tests."""
        terminal: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.write_line(f"\n{report.nodeid}: {report.when}\n{report.longreprtext}")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch."""
    config.pluginmanager.register(ShownAtOnce(config))
