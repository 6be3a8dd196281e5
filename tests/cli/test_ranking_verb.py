"""`fleet ranking` over recordings made by hand: figures, what they rest on, and values hidden in names of hosts."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.correlate import correlate
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.recording import Recording
from appwitness.reports.ranking_words import masked
from appwitness.store import Store
from tests.web import serving


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Two runs that send numbers, one of them to a host with the number in its name, and one that sends nothing."""
    folder = tmp_path_factory.mktemp("ranking")
    known = knowledge()
    with Store(folder / "index.sqlite") as store:
        for name, hosts in (("one", ["a.test"]), ("two", ["a.test", "n8613800000007"]), ("three", [])):
            run = serving.run(name, ended=serving.START + timedelta(minutes=1))
            recording = Recording.create(folder / name, run)
            recording.append(serving.read(7, serving.START + timedelta(seconds=1)))
            for number, host in enumerate(hosts):
                at = serving.START + timedelta(seconds=2 + number)
                recording.append(serving.upload(recording, 7, at, host, carries=True))
            correlate(recording, store, known)
    return str(folder / "index.sqlite")


def ranked(index, *options):
    done = CliRunner().invoke(main, ["fleet", "ranking", "--db", index, *options])
    assert done.exit_code == 0, done.output
    return done.output


def test_figures_and_what_they_rest_on(index):
    said, head, first, *_ = ranked(index).splitlines()
    assert said == (
        "These figures are based on 1 app in 2 runs. Left out, because they could not have shown it: "
        "1 run without a recorded upload."
    )
    assert head.split() == ["apps", "of", "runs", "unasked", "recipient"]
    assert first.split() == ["1", "1", "2", "1", "a.test"]
    assert "应用" in ranked(index, "--lang", "zh")
    assert "1 more" in ranked(index, "--top", "1")


def test_rules_are_named(index):
    assert "Personal data was sent" in ranked(index, "--by", "rule", "--recipient", "a.test")


def test_the_same_as_json_and_without_values(index):
    told = json.loads(ranked(index, "--format", "json"))
    assert told["rows"][0]["of"] == {"recipient": "a.test"}
    assert told["basis"]["left"] == {"nothing_sent": 1}
    assert told["total"] == 2
    assert "8613800000007" not in ranked(index) + ranked(index, "--format", "json")


def test_an_sdk_is_named_if_the_catalog_knows_it_or_by_its_package():
    assert masked("sdk", "Sentry") == "Sentry"
    assert masked("sdk", "com.friendgraph.sdk") == "com.friendgraph.sdk"
    assert masked("sdk", "Ann Lee") == "*** ***"
