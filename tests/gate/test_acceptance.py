"""What a gate promises, on real runs of the lab device's apps: Circle, twice, and Vault, which pins.

The same on recordings that were written for it, and all else: test_gating.py.
"""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main

pytestmark = [pytest.mark.slow, pytest.mark.lab]


def appwitness(*arguments, code=None):
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert code is None or result.exit_code == code, result.output
    return result.output if code is None else result.stdout


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Recordings of the lab device: Circle twice, Vault as it is, and Vault whose pinned host is refused."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APPWITNESS_HOME", str(folder / "home"))
        for name, app, options in (
            ("circle", "circle", ("--repeat", "2")),
            ("vault", "vault", ()),
            ("pinned", "vault", ("--block-refused",)),
        ):
            arguments = ("observe", "--device", f"lab:{app}", "--plan", "accept", *options, "--fail-on", "never")
            appwitness(*arguments, "--output", folder / name, code=0)
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def changes(*arguments, code):
    told = json.loads(appwitness("gate", *arguments, "--format", "json", code=code))
    return [
        (one["change"], (one["now"] or one["was"])["rule"], (one["now"] or one["was"])["actor"])
        for one in told["changes"]
    ]


def of(*kinds, among):
    return [one for one in among if one[0] in kinds]


def test_the_same_app_twice_has_nothing_new_and_nothing_gone(runs):
    appwitness("baseline", "write", runs / "circle-1", code=0)
    found = changes(runs / "circle-2", code=0)
    assert found
    assert not of("new", "gone", "worse", among=found)


def test_a_host_that_cannot_be_read_now_is_not_observable_and_not_gone(runs):
    appwitness("baseline", "write", runs / "vault", code=0)
    before = Path("appwitness-baseline.yml").read_text()
    assert "vault" in before
    found = changes(runs / "pinned", code=0)
    assert ("not_observable", "sent-before-consent", "app") in found
    assert not of("new", "gone", among=found)
    appwitness("gate", runs / "pinned", "--strict", code=3)


def test_code_hosts_get_the_same_alerts_twice(runs):
    def alerts(recording):
        anchor = ("--sarif-anchor", "app/AndroidManifest.xml")
        (run,) = json.loads(appwitness("gate", recording, "--format", "sarif", *anchor, code=1))["runs"]
        return run["automationDetails"]["id"], sorted(
            (each["ruleId"], each["partialFingerprints"]["appwitness/v2"], json.dumps(each["locations"]))
            for each in run["results"]
        )

    assert alerts(runs / "circle-1") == alerts(runs / "circle-2")
