"""What became of a finding from one set of runs to another: in a table, and laws of its fingerprint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.correlate.prior_knowledge import knowledge
from appwitness.findings.identity import identity
from appwitness.gate import Accepted, GatePolicy, gate, release
from tests.gate.runs import RULES, SOURCE, finding, gap, report

PHONE = finding()
CONTACTS = finding(rule="address-book-upload", data="device_contacts", host="api.weather.test", actor=None)


@pytest.fixture(scope="module")
def known():
    return knowledge().recipients


def decided(known, old, new, **policy):
    """What a gate says of `new` runs held against `old` ones."""
    return gate(new, release(old, {}), Accepted(), GatePolicy(**policy), known)


def changes(known, old, new, **policy):
    return {(one.behaviour.rule, one.behaviour.actor): one.change for one in decided(known, old, new, **policy).changes}


def one(known, old, new, **policy):
    (found,) = decided(known, old, new, **policy).changes
    return found


CASES = {
    "the same run twice": ([PHONE], [PHONE], "same", ()),
    "another line, another class of an obfuscated SDK": ([PHONE], [finding(code="a.b.c", line=7)], "same", ()),
    "the SDK's name is lost to obfuscation": ([PHONE], [finding(actor=None, code="a.b.c")], "same", ()),
    "no stack was seen": ([PHONE], [finding(actor="")], "same", ()),
    "another host of the recipient": ([PHONE], [finding(host="a17.adnet.test")], "same", ()),
    "a higher level": ([finding(level="medium")], [PHONE], "worse", ("level",)),
    "surer": ([finding(confidence="indicated")], [PHONE], "worse", ("confidence",)),
    "now after a refusal": ([PHONE], [finding(consent="refused")], "worse", ("consent",)),
    "consent was not observed": ([PHONE], [finding(consent="not_observed")], "same", ()),
    "now only with consent": ([finding(consent="refused")], [finding(consent="given")], "better", ()),
    "a lower level": ([PHONE], [finding(level="low")], "better", ()),
    "nothing": ([PHONE], [], "gone", ()),
    "another recipient": ([], [PHONE], "new", ()),
}


@pytest.mark.parametrize(("old", "new", "change", "rose"), CASES.values(), ids=CASES)
def test_change(known, old, new, change, rose):
    found = one(known, [report(*old)], [report(*new)])
    assert (found.change, found.rose) == (change, rose)


def test_one_sdk_more_is_exactly_its_findings_and_fails(known):
    added = [
        finding(actor="AdKit", host="kit.adkit.test"),
        finding(rule="read-before-consent", actor="AdKit", host=None),
    ]
    outcome = decided(known, [report(PHONE, CONTACTS)], [report(PHONE, CONTACTS, *added)])
    assert {one.behaviour.actor for one in outcome.changes if one.change == "new"} == {"AdKit"}
    assert [one.change for one in outcome.changes].count("same") == 2
    assert outcome.outcome == "failed"


def test_an_sdk_that_does_what_the_app_does_is_new_beside_it(known):
    assert changes(known, [report(CONTACTS)], [report(CONTACTS, replace_actor(CONTACTS, "AdKit"))]) == {
        ("address-book-upload", "app"): "same",
        ("address-book-upload", "AdKit"): "new",
    }


def replace_actor(of, actor):
    return of.model_copy(update={"sent_by": of.sent_by.model_copy(update={"owner": actor})})


def test_a_plan_that_did_not_show_it_is_worse_only_if_it_was_run_then(known):
    now = [report(PHONE), report(PHONE, plan="refuse", name="r2")]
    assert one(known, [report(PHONE), report(plan="refuse", name="r2")], now).rose == ("plan",)
    assert one(known, [report(PHONE)], now).change == "same"


def test_several_runs_of_a_side_are_one(known):
    old = [report(PHONE), report(name="r2")]
    assert one(known, old, [report(), report(PHONE, name="r2")]).change == "same"
    assert one(known, old, [report(), report(name="r2")]).change == "gone"


UNSEEN = {
    "the plan was not run": (report(plan="silent"), "plan"),
    "the host was pinned": (report(gaps=[gap("a.adnet.test")]), "recipient"),
    "the name it asked for was pinned": (report(gaps=[gap("203.0.113.7:443", sni="b.adnet.test")]), "recipient"),
    "the API was not hooked": (report(gaps=[gap(SOURCE, "hook_lost", "hook")]), "source"),
    "the agent was away": (report(gaps=[gap("agent", "detached", "hook")]), "process"),
    "nobody watched consent": (report(not_judged={"sent-before-consent": ("consent",)}), "observer"),
}  # fmt: skip


@pytest.mark.parametrize(("run", "why"), UNSEEN.values(), ids=UNSEEN)
def test_not_seen_because_not_watched(known, run, why):
    outcome = decided(known, [report(PHONE)], [run], strict=True)
    (found,) = outcome.changes
    assert found.change == "not_observable"
    assert [reason.why for reason in found.unobserved] == [why]
    assert outcome.outcome == "not_observable"
    # A further run of the plan that watched all of it says that it is gone.
    again = decided(known, [report(PHONE)], [run, report(name="r2")], strict=True)
    assert [one.change for one in again.changes] == ["gone"]
    assert again.outcome == "passed"


@pytest.mark.parametrize(
    ("allowed", "outcome"),
    [
        (("proxy:tls_refused:*.adnet.test",), "passed"),
        (("proxy:tls_refused:b.adnet.test",), "not_observable"),
        ((), "not_observable"),
    ],
)
def test_a_gap_that_is_allowed_does_not_end_a_strict_gate(known, allowed, outcome):
    told = decided(known, [report(PHONE)], [report(gaps=[gap("a.adnet.test")])], strict=True, allowed_gaps=allowed)
    assert [one.change for one in told.changes] == ["not_observable"]
    assert told.outcome == outcome
    assert told.gaps == (outcome != "passed")


def test_traffic_of_others_that_could_not_be_read_hides_nothing(known):
    assert one(known, [report(PHONE)], [report(gaps=[gap("api.weather.test")])]).change == "gone"


def test_a_rule_that_did_not_exist_then_fails_only_when_asked_to(known):
    old, new = [report(rules=RULES[1:])], [report(PHONE)]
    assert one(known, old, new).change == "new_rule"
    assert decided(known, old, new).outcome == "passed"
    assert decided(known, old, new, on_new_rules=True).outcome == "failed"
    assert [remark.what for remark in decided(known, old, new).remarks] == ["rules_changed"]


def test_another_version_of_the_tool_is_told_once(known):
    def of(version):
        one = report(PHONE)
        return [one.model_copy(update={"run": one.run.model_copy(update={"versions": {"appwitness": version}})})]

    told = decided(known, of("0.1.0"), of("0.2.0"))
    assert [(remark.what, remark.subject) for remark in told.remarks] == [("tool_changed", "0.1.0 > 0.2.0")]
    assert told.outcome == "passed"
    assert decided(known, of("0.2.0"), of("0.2.0")).remarks == ()


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [
        ({}, "failed"),
        ({"fail_on": "high"}, "passed"),
        ({"fail_on": "never"}, "passed"),
        ({"min_confidence": "proven"}, "passed"),
        ({"fail_on": "low", "min_confidence": "declared"}, "failed"),
    ],
)
def test_what_fails_a_build(known, policy, outcome):
    assert (
        decided(known, [report()], [report(finding(level="medium", confidence="corroborated"))], **policy).outcome
        == outcome
    )


def test_worse_passes_when_asked_to(known):
    old, new = [report(finding(level="medium"))], [report(PHONE)]
    assert decided(known, old, new).outcome == "failed"
    assert decided(known, old, new, on_worse=False).outcome == "passed"


@given(
    line=st.integers(1, 10**6),
    code=st.from_regex(r"[a-z]{1,8}(\.[a-zA-Z]{1,8}){1,4}", fullmatch=True),
    count=st.integers(1, 10**6),
    level=st.sampled_from(["high", "medium", "low", "info"]),
    consent=st.sampled_from(["given", "refused", "not_observed", None]),
)
def test_a_fingerprint_survives_another_run(line, code, count, level, consent):
    other = finding(line=line, code=code, level=level, consent=consent).model_copy(update={"count": count})
    assert identity(other, "com.example.weather") == identity(PHONE, "com.example.weather")


@given(part=st.sampled_from(["rule", "package", "data", "recipient", "actor"]), text=st.text(max_size=20))
def test_a_fingerprint_changes_with_each_part(part, text):
    before = identity(PHONE, "com.example.weather")
    after = before._replace(**{part: text})
    assert (after.id == before.id) == (getattr(before, part) == text)


def test_an_alias_is_the_package_that_it_stands_for(known):
    aliases = {"com.example.weather.debug": "com.example.weather"}
    new = [report(PHONE, package="com.example.weather.debug")]
    outcome = gate(new, release([report(PHONE)], aliases), Accepted(aliases=aliases), GatePolicy(), known)
    assert [one.change for one in outcome.changes] == ["same"]
    assert outcome.package == "com.example.weather"
