"""The runs that a checklist needs, on the lab device, and the list that they fill."""

import json

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main


@pytest.mark.slow
def test_the_plans_of_a_list_are_run_and_fill_it(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    out = tmp_path / "list.json"
    words = ["checklist", "run", "cn-164", "--device", "lab:circle", "--recordings", tmp_path / "runs", "--output", out]
    words += ["--seconds", "8"]
    done = CliRunner().invoke(main, [*map(str, words), "--db", str(tmp_path / "db.sqlite")])
    assert done.exit_code == 1, done.output
    tree = json.loads(out.read_text("utf-8"))
    assert [run["plan"] for run in tree["runs"]] == ["silent", "refuse", "accept", "withdraw"]
    states = {item["item"]: item["state"] for group in tree["groups"] for item in group["items"]}
    # Circle reads before its question is answered. It runs for less than a minute, so that nothing counts as unseen.
    assert states["1.1.2"] == "fail"
    assert "nothing_seen" not in states.values()
