"""What a verb imports: only what it needs, so that it answers at once."""

import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest

import appwitness.cli
from appwitness.cli.verbs import VERBS, main
from tests.recordings.written import RECORDINGS

HEAVY = ("frida", "sqlalchemy", "mitmproxy", "pydantic", "rich", "jinja2", "starlette", "uvicorn", "yaml", "adbutils")


def imported(*arguments):
    """The top-level packages in memory when the verb ends."""
    program = f"""
import sys
from appwitness.cli.verbs import main
try:
    main({arguments!r})
except SystemExit as end:
    assert end.code in (0, None), end.code
print(*{{name.partition(".")[0] for name in sys.modules}}, file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(ended.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["report", "--help"]])
def test_help_needs_nothing_but_click(arguments):
    loaded = imported(*arguments)
    assert "click" in loaded
    assert not loaded & (set(HEAVY) - ({"rich"} if arguments[0] == "report" else set()))


def test_a_report_needs_neither_a_device_nor_a_browser(tmp_path):
    """It is a recording without findings, for exit code 0."""
    loaded = imported("report", str(RECORDINGS / "clean-untouched"), "--db", str(tmp_path / "db"))
    assert "sqlalchemy" in loaded
    assert not loaded & {"frida", "mitmproxy", "jinja2", "starlette", "uvicorn", "adbutils", "uiautomator2"}


def test_every_verb_is_in_the_table_and_fits_its_line():
    for path in Path(appwitness.cli.__file__).parent.glob("*.py"):
        if path.stem != "__main__":
            importlib.import_module(f"appwitness.cli.{path.stem}")
    assert set(main.commands) == set(VERBS)
    assert list(VERBS) == sorted(VERBS)
    help_ = main.get_help(click.Context(main, info_name="appwitness"))
    for verb, (module, says) in VERBS.items():
        assert main.commands[verb].callback.__module__ == f"appwitness.cli.{module}"
        assert f"{verb:10}  {says}\n" in f"{help_}\n"
