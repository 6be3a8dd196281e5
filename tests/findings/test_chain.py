"""The chain of inferences of a finding, as an expert states it: each step from its lines, and what would refute it."""

import json
import re

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.correlate import knowledge, report_on
from appwitness.findings.chain import Chains
from appwitness.findings.identity import identity
from appwitness.findings.mask import masked
from appwitness.recording import Recording
from appwitness.reports import render
from appwitness.reports.explain import shown, told
from appwitness.reports.phrases import steps
from appwitness.reports.words import Words
from appwitness.store import Store
from tests.exchange.test_observed import APP, NUMBER, VALUE, entry
from tests.recordings.written import RECORDINGS
from tests.reports import sample


@pytest.fixture(scope="module")
def report_of(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("index") / "index.sqlite")
    known = knowledge()
    yield lambda case: report_on(Recording.open(RECORDINGS / case), store, known)
    store.close()


def chain_of(report, rule):
    return Chains(report).of(next(finding for finding in report.findings if finding.rule == rule))


def codes(chain):
    return [step.says.code for step in chain]


@pytest.mark.parametrize(
    ("case", "rule", "expected"),
    [
        (  # proven, hashed, before the answer
            "sent-before-consent", "sent-before-consent",
            ["read_by", "as_variant", "found", "carried_by", "order_unmeasured", "asked", "asked_later",
             "order_unmeasured"],
        ),
        (  # the read of the same, against an answer of the same clock
            "sent-before-consent", "read-before-consent",
            ["read_by", "as_variant", "found", "carried_by", "order_unmeasured", "asked", "asked_later",
             "order_one_clock"],
        ),
        (  # corroborated: too close to be in order
            "simultaneous-read-and-upload", "sent-before-consent",
            ["read_by", "as_read", "found", "carried_by", "order_open", "asked", "order_certain"],
        ),
        (  # indicated: nobody saw a read
            "planted-value-without-access", "sent-before-consent",
            ["planted_not_read", "as_form", "found", "carrier_unknown", "asked", "order_unmeasured"],
        ),
        (  # a rule that does not ask for consent
            "weakly-hashed", "weakly-hashed",
            ["read_by", "turned_by_app", "found", "carried_by", "order_unmeasured", "answered", "order_unmeasured"],
        ),
        ("sent-in-cleartext", "sent-in-cleartext",
         ["read_by", "as_variant", "found", "carried_by", "in_cleartext", "order_unmeasured"]),
        ("read-after-refusal", "read-after-refusal", ["read_by", "answered", "order_one_clock"]),
        (  # a mark on the host's clock, a read on the device's, an upload on the host's
            "mark-corrected", "read-after-refusal",
            ["read_by", "as_read", "found", "carried_by", "order_unmeasured", "answered", "order_unmeasured"],
        ),
        (
            "mark-corrected", "sent-after-refusal",
            ["read_by", "as_read", "found", "carried_by", "order_unmeasured", "answered", "order_one_clock"],
        ),
        ("no-first-run-notice", "read-before-consent", ["read_by", "unasked"]),
        ("sent-after-withdrawal", "sent-after-withdrawal",
         ["read_by", "as_read", "found", "carrier_unknown", "order_unmeasured", "answered", "order_unmeasured"]),
        ("third-party-not-covered", "third-party-not-covered",
         ["read_by", "as_read", "found", "carried_by", "order_unmeasured", "answered", "order_unmeasured",
          "separate_unseen"]),
        ("pre-ticked-consent", "pre-ticked-consent", ["rests_on", "line_says"]),
    ],
)  # fmt: skip
def test_each_step_follows_from_lines(report_of, case, rule, expected):
    assert codes(chain_of(report_of(case), rule)) == expected


def test_a_later_answer_is_named_with_the_order_that_makes_it_later(report_of):
    *_, later, order = chain_of(report_of("sent-before-consent"), "sent-before-consent")
    assert later.says.model_extra == {
        "ref": "consents.jsonl:2", "signal": "tap", "state": "given", "label": "Agree",
    }  # fmt: skip
    assert order.says.model_extra == {"first": "uploads.jsonl:1", "second": "consents.jsonl:2", "gap_ms": 1500.0}
    assert order.unless[0].model_extra == {"gap_ms": 1500.0}


def test_a_flow_has_the_steps_of_all_rules_that_object_to_it(report_of):
    report = report_of("third-party-not-covered")
    (flow,) = [each for each in report.flows if each.recipient.party == "third"]
    assert codes(Chains(report).of_flow(flow))[-1] == "separate_unseen"


def test_lines_of_the_same_time_are_in_no_order():
    report = sample.report()
    flow = next(flow for flow in report.flows if flow.access)
    chain = Chains(report).of_flow(flow.model_copy(update={"access_at": flow.at}))
    assert "order_same_time" in codes(chain)


def test_every_number_of_the_found_step_is_that_of_the_recording(report_of):
    report = report_of("sent-before-consent")
    found = next(step for step in chain_of(report, "sent-before-consent") if step.says.code == "found")
    match = report.flows[0].matches[0]
    said = found.says.model_extra
    assert (said["path"], said["start"], said["end"], said["steps"]) == (
        "$.ph",
        match.start,
        match.end,
        ["json", "hex"],
    )
    assert found.unless[0].model_extra == {"sha256": report.evidence["uploads.jsonl:1"].body}


@pytest.mark.parametrize(
    ("case", "variant", "algorithm"),
    [("fixed-identifier-sent", "encrypted", "AES/CBC/PKCS5Padding"), ("weakly-hashed", "md5", "MD5")],
)
def test_what_the_app_turned_names_the_line_that_shows_it(report_of, case, variant, algorithm):
    chain = chain_of(report_of(case), case)
    turned = next(step for step in chain if step.says.code == "turned_by_app")
    said = {"variant": variant, "lines": ["transforms.jsonl:1"], "algorithms": [algorithm]}
    assert turned.says.model_extra == said


def test_an_import_without_hooks_says_that_reads_and_consent_were_not_observed(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    har = tmp_path / "captured.har"
    entries = [entry(1, "https://ads.example.net/v1/track", json.dumps({"phone": NUMBER}))]
    har.write_text(
        json.dumps({"log": {"version": "1.2", "creator": {"name": "P", "version": "5"}, "entries": entries}})
    )
    words = ["import", str(har), *VALUE, "--app", APP, "--output", str(tmp_path / "r")]
    assert CliRunner().invoke(main, words).exit_code == 0
    explained = CliRunner().invoke(main, ["explain", str(tmp_path / "r"), "f1", "--json"]).stdout
    assert [step["says"]["code"] for step in json.loads(explained)["chain"]] == [
        "reads_unwatched", "as_read", "found", "carrier_unwatched", "consent_unwatched",
    ]  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_all_chains_can_be_said_and_hold_no_personal_value(lang):
    report = masked(sample.report())
    chains = Chains(report)
    words = Words(lang)
    sentences = [step for finding in report.findings for step in steps(chains.of(finding), words)]
    sentences += [step for flow in report.flows for step in steps(chains.of_flow(flow), words)]
    text = "\n".join(part for step in sentences for part in step)
    assert len(sentences) > 20
    assert not [value for value in sample.secrets(sample.report()) if value in text]
    assert not re.search(r"[{}]", text)
    if lang == "zh":
        assert not re.search(r"\b(the|wrong|not|came|by)\b", text)


def test_it_is_in_the_json_report_and_folded_on_the_page():
    tree = json.loads(render(sample.report(), "json"))
    chains = [finding["chain"] for finding in tree["findings"]]
    assert all(chains)
    assert {"says", "unless"} == set(chains[0][0])
    page = render(sample.report(), "html")
    assert page.count('<ol class="chain">') >= 3
    assert page.index('<details class="more evidence">') < page.index('<ol class="chain">')
    assert "How this was concluded" not in render(sample.report(), "text")


def test_a_fingerprint_of_a_recording_is_explained_by_the_same_chain(report_of):
    report = report_of("sent-before-consent")
    finding = report.findings[0]
    which = identity(finding, report.run.app.package).id
    (known,) = shown(report, which, {}, "r")
    assert codes(known.chain) == codes(Chains(report).of(finding))
    assert "  1. read at accesses.jsonl:1" in told(which, [known])
    assert json.loads(told(which, [known], as_json=True))["known_from"][0]["chain"][0]["says"]["code"] == "read_by"
