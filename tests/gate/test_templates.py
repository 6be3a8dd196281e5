"""The templates of docs/ci: their shell commands run as they stand, on recordings and on the lab device."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import pytest
import yaml
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

from appwitness.cli.verbs import main
from tests.recordings.written import RECORDINGS

ROOT = Path(__file__).parents[2]
CI = ROOT / "docs" / "ci"
CASE = str(RECORDINGS / "sent-before-consent")
ACTION: dict[str, Any] = yaml.safe_load((CI / "action.yml").read_text("utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
DEFAULTS = {name: each["default"] for name, each in ACTION["inputs"].items()}
GITLAB: dict[str, Any] = yaml.safe_load((CI / "gitlab.yml").read_text("utf-8"))
JENKINS = (CI / "Jenkinsfile").read_text("utf-8")
SHELL = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
"""How GitHub runs `shell: bash`; GitLab's runner sets the same two options."""


@pytest.fixture
def shell(tmp_path):
    """Runs a script in an empty folder, where appwitness is on the path."""

    def run(script: str, env: dict[str, str], code: int = 0) -> str:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        given = {"PATH": path, "HOME": str(tmp_path), "APPWITNESS_HOME": str(tmp_path / "home"), **env}
        done = subprocess.run([*SHELL, script], check=False, cwd=tmp_path, env=given, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    return run


def step(name: str, **inputs: str) -> tuple[str, dict[str, str]]:
    """A step of the action: its script, and its environment with these inputs."""
    values = {**DEFAULTS, **inputs}
    env = {
        variable: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: values[found[1]], text)
        for variable, text in STEPS[name].get("env", {}).items()
    }
    assert not any("${{" in text for text in env.values() if text != "${{ github.event.pull_request.number }}")
    assert "${{" not in STEPS[name]["run"]  # an expression in a script would run what a branch is called
    return STEPS[name]["run"], env


def test_the_gate_of_the_action_passes_on_what_was_accepted_and_fails_on_more(shell, tmp_path):
    shell(f"appwitness baseline write {CASE}", {})
    script, env = step("Gate", recordings=CASE)
    assert "Passed" in shell(script, env)
    script, env = step("Gate", recordings=CASE, baseline="", arguments="--baseline /dev/null")
    shell(script, env, code=2)
    (tmp_path / "appwitness-baseline.yml").unlink()
    script, env = step("Gate", recordings=CASE, **{"fail-on": "high"})
    shell(script, env, code=1)
    reports = tmp_path / DEFAULTS["reports"]
    (run,) = Sarif.model_validate_json((reports / "gate.sarif").read_text()).runs
    assert run.automationDetails.id == "appwitness/com.example.shop/accept/"
    assert {each.locations[0].physicalLocation.artifactLocation.uri for each in run.results} == {
        DEFAULTS["sarif-anchor"]
    }
    assert ET.parse(reports / "gate.xml").getroot().get("name") == "appwitness gate"
    assert json.loads((reports / "gate.json").read_text())["outcome"] == "failed"
    script, env = step("Summary")
    shell(script, env | {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})
    assert (tmp_path / "summary").read_text() == (reports / "gate.md").read_text()


class CodeHost(BaseHTTPRequestHandler):
    """The comments of a pull request, as GitHub's API has them."""

    comments: list[dict[str, Any]] = []

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        page, size = int(query["page"][0]), int(query["per_page"][0])
        self.answer(self.comments[(page - 1) * size : page * size])

    def do_POST(self):
        assert self.path == "/repos/we/app/issues/7/comments"
        self.comments.append({"id": len(self.comments) + 1, "user": {"type": "Bot"}, **self.body()})
        self.answer(self.comments[-1])

    def do_PATCH(self):
        comment = self.comments[int(self.path.rpartition("/")[2]) - 1]
        comment.update(self.body())
        self.answer(comment)

    def body(self):
        assert self.headers["Authorization"] == "Bearer t0ken"
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, tree):
        data = json.dumps(tree).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments):
        pass


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="no curl or jq here, which GitHub has")
@pytest.mark.parametrize("before", [0, 100, 250])
def test_the_comment_is_made_once_and_then_replaced(shell, tmp_path, before):
    CodeHost.comments = [
        {"id": n, "user": {"type": "User"}, "body": "<!-- appwitness-gate x -->"} for n in range(1, before + 1)
    ]
    with ThreadingHTTPServer(("127.0.0.1", 0), CodeHost) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        script, env = step("Comment", token="t0ken")
        host = f"http://127.0.0.1:{server.server_address[1]}"
        env |= {"NUMBER": "7", "GITHUB_API_URL": host, "GITHUB_REPOSITORY": "we/app"}
        (tmp_path / DEFAULTS["reports"]).mkdir()
        for verdict in ("first", "second"):
            (tmp_path / DEFAULTS["reports"] / "gate.md").write_text(
                f'<!-- appwitness-gate x -->\n### {verdict} "$(id)"\n'
            )
            shell(script, env)
        server.shutdown()
    assert [each["body"] for each in CodeHost.comments[before:]] == ['<!-- appwitness-gate x -->\n### second "$(id)"\n']
    assert [path.name for path in (tmp_path / DEFAULTS["reports"]).iterdir()] == ["gate.md"]


def test_the_job_of_gitlab(shell, tmp_path):
    job = GITLAB[".appwitness-gate"]
    env = {**job["variables"], "APPWITNESS_RECORDINGS_OF_BUILD": CASE, "APPWITNESS_HOME": str(tmp_path / "home")}
    shell("\n".join(job["script"]), env, code=1)
    made = {what: tmp_path / place for what, place in job["artifacts"]["reports"].items()}
    assert ET.parse(made["junit"]).getroot().findall(".//failure")
    issues = json.loads(made["codequality"].read_text())
    assert {"description", "check_name", "fingerprint", "severity", "location"} == set(issues[0])
    assert {each["severity"] for each in issues} <= {"info", "minor", "major", "critical", "blocker"}
    assert {each["location"]["path"] for each in issues} == {env["APPWITNESS_ANCHOR"]}


def jenkins(stage: str) -> str:
    """The script of a stage."""
    return textwrap.dedent(JENKINS.partition(f"stage('{stage}')")[2].partition("'''")[2].partition("'''")[0])


def test_the_stage_of_jenkins(shell, tmp_path):
    shutil.copytree(CASE, tmp_path / "recordings" / "refuse")
    shell(jenkins("Gate"), {}, code=1)
    assert ET.parse(tmp_path / "appwitness-reports/gate.xml").getroot().findall(".//failure")


@pytest.mark.slow
@pytest.mark.lab
def test_what_observes_first_does_so_on_a_device(shell, tmp_path):
    script, env = step("Observe", device="lab:circle", plans="refuse")
    shell(script, env)
    assert (tmp_path / "recordings" / "refuse" / "run.json").exists()
    script, env = step("Gate")
    shell(script, env, code=1)


@pytest.mark.slow
@pytest.mark.lab
def test_a_night_is_held_against_the_last_good_one(shell, tmp_path):
    script = (CI / "nightly.sh").read_text("utf-8")
    good = tmp_path / "nights" / "last-good"
    env = {"DEVICE": "lab:circle", "PLANS": "accept"}
    shell(script, env)
    first = good.resolve()
    assert "Passed" in shell(script, env)
    second = good.resolve()
    assert first != second
    assert (second / "diff.html").exists()
    assert "NEW, fails the build" in shell(script, env | {"PLANS": "refuse"}, code=1)
    assert good.resolve() == second


def commands() -> dict[str, list[str]]:
    """Template -> the calls of appwitness in it, each as one line."""
    scripts = {f"action {name}": each["run"] for name, each in STEPS.items() if "run" in each}
    scripts["gitlab"] = "\n".join(GITLAB[".appwitness-gate"]["script"])
    scripts |= {f"jenkins {stage}": jenkins(stage) for stage in ("Observe", "Gate")}
    scripts["nightly"] = (CI / "nightly.sh").read_text("utf-8")
    lines = {name: re.sub(r"\\\n\s*", " ", text) for name, text in scripts.items()}
    return {
        name: found for name, text in lines.items() if (found := re.findall(r"^\s*appwitness .*", text, re.MULTILINE))
    }


@pytest.mark.parametrize("name", commands())
def test_each_flag_exists(name):
    context = click.Context(main)
    for line in commands()[name]:
        verb = main.get_command(context, line.split()[1])
        assert verb, line
        options = {option for param in verb.params for option in param.opts}
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)) <= options


def test_each_input_is_used_and_documented():
    used = set(re.findall(r"inputs\.([\w-]+)", (CI / "action.yml").read_text("utf-8")))
    assert used == set(ACTION["inputs"])
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    for name, each in ACTION["inputs"].items():
        default = f"`{each['default']}`" if each["default"] else ""
        assert f"| `{name}` | {default} | {each['description'].rstrip('.')} |" in page
    workflow = yaml.safe_load((CI / "github-workflow.yml").read_text("utf-8"))
    (given,) = (each["with"] for each in workflow["jobs"]["gate"]["steps"] if "/docs/ci@" in each.get("uses", ""))
    assert set(given) <= set(ACTION["inputs"])


def test_nothing_that_holds_values_is_an_artifact():
    kept = [STEPS["Reports"]["with"]["path"], *GITLAB[".appwitness-gate"]["artifacts"]["paths"]]
    assert kept == ["${{ inputs.reports }}", "appwitness-reports"]
    assert "artifacts: 'appwitness-reports/*'" in JENKINS
