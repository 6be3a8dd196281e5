"""Rules: what else triggers each, and what else nearly does, than its two recordings (tests/recordings)."""

import random
import re
from typing import Any

import pytest

from appwitness.events import EARLIEST, LATEST, Consent, Phase, Value
from appwitness.findings import People, SentField
from tests.judge.scenario import LAWS, RULES, Scenario

POLICY = {
    "first_party": ["shop.test"],
    "data": [{"type": "phone_number"}],
    "recipients": [{"name": "Umeng", "hosts": ["umeng.com"], "data": ["phone_number"]}],
}
NAMED = {"first_party": ["shop.test"], "data": [{"type": "phone_number"}, {"type": "location"}]}
MICROPHONE = "android.permission.RECORD_AUDIO"
FINE = "android.permission.ACCESS_FINE_LOCATION"
COARSE = "android.permission.ACCESS_COARSE_LOCATION"
CONTACTS = "android.permission.READ_CONTACTS"
CAMERA = "android.permission.CAMERA"
CALENDAR = "android.permission.READ_CALENDAR"
PASTE = ("android.content.ClipboardManager.getPrimaryClip(C.java:1)", "android.widget.TextView.paste(TextView.java:1)")
OWN = ("android.x.Y.get(Y.java:1)", "com.example.shop.Start.load(Start.java:31)")
SDK = ("android.x.Y.get(Y.java:1)", "com.umeng.analytics.Agent.collect(Agent.java:9)")


def agreed(**known):
    scenario = Scenario(**known)
    scenario.says(0, "given")
    return scenario


def opened(**known):
    scenario = agreed(**known)
    scenario.phase(0.1, "started")
    scenario.phase(0.4, "foreground")
    return scenario


def answered(status, **more):
    def tell(scenario):
        scenario.says(1, status, **more)

    return tell


def reads(*args, **more):
    return lambda scenario: scenario.reads(5, *args, **more)


def sends(data="phone_number", host="api.shop.test", **more):
    return lambda scenario: scenario.sends(6, scenario.reads(5, data), host, data, **more)


def recorded(second, kind="preference", says="refused", **more):
    """The app's own word on what the user answered."""
    more = {"path": "privacy_accepted", "text": "false", "record": True, **more}
    return lambda scenario: scenario.claims(second, kind, says, **more)


def apart(scope, status):
    return lambda scenario: scenario.separately(2, scope, status)


def listed(data, entries, **more):
    values = tuple(Value(type=data, text=f"entry {row}", row=row) for row in range(entries))
    return lambda scenario: scenario.reads(5, data, values=values, source="a.B.c", **more)


PICKED = "content://com.android.contacts.picker/sessions/0f1e2d3c"
BOOK = "content://com.android.contacts/data"
OWN_PICKER = "content://com.example.shop.contacts.picker/sessions/1"


def contacts(entries, target):
    values = tuple(Value(type="name", text=f"Person {row}", row=row) for row in range(entries))
    return lambda scenario: scenario.reads(5, "device_contacts", values=values, target=target)


def shares(sent, *, picked, host="api.shop.test"):
    """Uploads entries of the address book, or of what the user picked."""

    def tell(scenario):
        access = scenario.reads(5, "device_contacts", rows=sent, target=PICKED if picked else BOOK)
        people = People(sent=sent, read=sent, fields=(SentField(type="name", people=sent, values=sent),), picked=picked)
        scenario.sends(6, access, host, "device_contacts", rows=sent, people=people)
        flow = scenario.flows[-1]
        persons = [
            match.model_copy(update={"type": "name", "person": match.row, "detail": match.row})
            for match in flow.matches
        ]
        scenario.flows[-1] = flow.model_copy(update={"matches": tuple(persons)})

    return tell


def together(*kinds):
    def tell(scenario):
        for kind in kinds:
            scenario.sends(6, scenario.reads(5, kind), data=kind)
            scenario.uploads -= 1
        scenario.uploads += 1

    return tell


def prompts(*seconds_and_names):
    def tell(scenario):
        for second, name in seconds_and_names:
            scenario.prompted(second, name)

    return tell


class Told:
    """Steps that a scenario takes later: `it.asked(3)` is a step that calls its `asked(3)`."""

    def __getattr__(self, verb):
        return lambda *args, **more: lambda scenario: getattr(scenario, verb)(*args, **more)


it = Told()
BASIC = it.says(1, "refused", text="仅浏览")
FRESH = {"start": Scenario}
MAPS, MESSAGES = {"app_type": 1}, {"app_type": 4}
"""Types of app that need the position, and that do not."""


def run(*steps, start=agreed, **known):
    scenario = start(**known)
    for step in steps:
        step(scenario)
    return scenario


def hashed(variant, data="phone_number"):
    def tell(scenario):
        scenario.sends(6, scenario.reads(5, data), data=data)
        flow = scenario.flows[-1]
        matches = tuple(match.model_copy(update={"variant": variant}) for match in flow.matches)
        scenario.flows[-1] = flow.model_copy(update={"matches": matches})

    return tell


def many(count, seconds, **more):
    return lambda scenario: scenario.reads(5, until=5 + seconds, count=count, **more)


def nags(times, name=MICROPHONE):
    def tell(scenario):
        scenario.prompted(3, name)
        scenario.answered(4, name, "refused")
        for number in range(times):
            scenario.prompted(10 + number, name)

    return tell


# What the user picked in the system's picker is handed over; whether it may be sent is another question.
CASES: dict[str, list[tuple[Any, ...]]] = {
    "read-after-refusal": [
        ("the address book", [answered("refused"), contacts(5, BOOK)], "high indicated"),
        ("picked", [answered("refused"), contacts(5, PICKED)], ""),
    ],
    "read-before-consent": [
        ("the policy changed", [answered("given"), reads()], ""),
        (
            "the policy changed, not yet answered",
            [answered("given"), it.asked(3, text="隐私政策更新"), reads()],
            "low indicated",
        ),
    ],
    "sent-before-consent": [
        (
            "the policy changed, not yet answered",
            [answered("given"), it.asked(3, text="隐私政策更新"), sends()],
            "low proven",
        )
    ],
    "read-after-withdrawal": [
        ("the address book", [answered("withdrawn"), contacts(5, BOOK)], "high indicated"),
        ("picked", [answered("withdrawn"), contacts(5, PICKED)], ""),
        ("withdrawn", [answered("withdrawn"), reads()], "high indicated"),
        ("refused", [answered("refused"), reads()], ""),
    ],
    "sent-after-withdrawal": [("withdrawn", [answered("withdrawn"), sends()], "high proven")],
    "sent-after-refusal": [
        ("withdrawn", [answered("withdrawn"), sends()], ""),
        ("basic function, type unknown", [BASIC, sends()], "low indicated"),
        ("basic function, and no type of app needs it", [BASIC, sends("device_id_imei")], "high indicated"),
        ("basic function, outside its scope", [BASIC, sends("location")], "high proven", MESSAGES),
        ("basic function, inside its scope", [BASIC, sends("location")], "", MAPS),
        ("picked, and sent against a no", [answered("refused"), shares(1, picked=True)], "high proven"),
        ("picked, and agreed to", [shares(1, picked=True)], ""),
        ("picked in the basic function", [BASIC, shares(1, picked=True)], "low indicated"),
        ("the address book in the basic function", [BASIC, shares(1, picked=False)], "high indicated"),
    ],
    "read-outside-scope": [
        ("basic function", [BASIC, reads("location")], "medium indicated", MESSAGES),
        ("inside", [reads("location")], "", MAPS),
        ("type unknown", [reads("location")], ""),
    ],
    "sent-outside-scope": [("outside", [sends("location")], "low proven", MESSAGES)],
    "read-never-sent": [
        ("no upload was captured at all", [reads("location")], ""),
        ("sent, though not of this call", [reads("location"), sends("location")], ""),
        ("a hook was not installed", [reads("location"), sends(), it.gap(4, "hook", "class_absent")], "info indicated"),
        ("within the scope", [reads("location"), sends()], "", MAPS),
    ],
    "read-too-often": [
        ("ten times a second", [many(100, 10, stack=SDK)], "low indicated"),
        ("every three seconds", [many(100, 300, stack=SDK)], ""),
        ("nine in a row", [many(9, 1, stack=SDK)], ""),
    ],
    "read-in-background": [
        ("left, and outside the scope", [it.phase(4, "background"), reads("location")], "medium indicated", MESSAGES),
        ("not known", [reads()], ""),
        ("left later", [it.phase(9, "background"), reads()], ""),
        ("screen off", [it.phase(4, "screen_off"), reads()], "low indicated"),
    ],
    "sent-in-background": [("left", [it.phase(4, "background"), sends()], "low proven")],
    "sent-abroad": [
        ("at home", [sends(host="ulogs.umeng.com")], "", {"territory": "CN"}),
        ("no territory", [sends(host="app-measurement.com")], ""),
        ("within the EEA", [sends(host="adjust.com")], "", {"territory": "FR"}),
        (
            "separately refused",
            [apart("cross_border_separate", "refused"), sends(host="app-measurement.com")],
            "high corroborated",
            {"territory": "CN"},
        ),
    ],
    "sensitive-without-separate-consent": [("race, by the GDPR", [sends("race")], "medium corroborated")],
    "minors-data": [
        ("no guardian", [sends()], "medium corroborated", {"policy": {"audience": "children"}}),
        ("for everybody", [sends()], "", {"policy": {}}),
    ],
    "ads-after-opt-out": [
        ("to its own server", [apart("ads_tracking", "refused"), sends("advertising_id")], "medium corroborated"),
        ("nobody opted out", [sends("advertising_id", "bid.adnet.test")], ""),
        ("another identifier", [apart("ads_tracking", "refused"), sends()], ""),
    ],
    "undeclared-data": [
        ("not named", [sends("location")], "medium corroborated", {"policy": POLICY}),
        ("no policy", [sends("location")], ""),
    ],
    "undeclared-recipient": [
        ("not named", [sends(host="bid.adnet.test")], "medium corroborated", {"policy": POLICY}),
        ("the maker's own", [sends()], "", {"policy": POLICY}),
        ("the kind is not named at all", [sends("location", "bid.adnet.test")], "", {"policy": POLICY}),
    ],
    "declared-not-seen": [
        ("read, not sent", [reads("location"), sends(host="ads.test")], "", {"policy": NAMED}),
        ("sent", [sends("location"), sends()], "", {"policy": NAMED}),
        ("not read, not sent", [sends()], "info indicated", {"policy": NAMED}),
        ("no policy", [sends()], ""),
        ("nothing captured", [reads()], "", {"policy": NAMED}),
        (
            "read, and a form of what is sent",
            [reads("location"), sends()],
            "info indicated",
            {"policy": NAMED | {"only_sent": True}},
        ),
        ("calls were lost", [sends(), it.gap(4, "hook", "overflow")], "", {"policy": NAMED}),
        ("a limit of the device", [sends(), it.gap(4, "hook", "class_absent")], "info indicated", {"policy": NAMED}),
        ("a connection that was not read", [sends(), it.gap(4, "proxy", "tls_refused")], "", {"policy": NAMED}),
    ],
    "weakly-hashed": [
        ("a digest of a digest", [hashed("sha1_of_md5")], "low proven"),
        ("of what nobody can guess", [hashed("md5", "android_id")], ""),
    ],
    "identifiers-bridged": [
        ("in one upload", [together("android_id", "advertising_id")], "medium proven"),
        ("without an advertising identifier", [together("android_id", "location")], ""),
    ],
    "fixed-identifier-sent": [("IMEI", [sends("device_id_imei")], "low proven")],
    "clipboard-read": [
        ("looked into", [listed("clipboard", 1, stack=OWN)], "low indicated"),
        ("outer frames unknown", [listed("clipboard", 1, stack=OWN, stack_cut="long")], ""),
        ("stack left out", [listed("clipboard", 1, stack=(), stack_cut="thinned")], ""),
    ],
    "local-channel": [
        ("an identifier", [listed("local_channel", 1)], "medium indicated"),
        ("another kind", [listed("clipboard", 1, stack=PASTE)], ""),
    ],
    "installed-apps-read": [("the list", [listed("installed_apps", 5)], "low indicated")],
    "others-data-read": [
        ("one entry", [listed("call_log", 1)], ""),
        ("the user's own calendar", [listed("calendar_events", 5)], ""),
        ("the address book", [contacts(5, BOOK)], "low indicated"),
        ("entries that the user picked", [contacts(5, PICKED)], ""),
        ("a provider of the app's own that calls itself a picker", [contacts(5, OWN_PICKER)], "low indicated"),
    ],
    "address-book-upload": [
        ("the address book", [shares(5, picked=False)], "medium proven"),
        ("five entries that the user picked", [shares(5, picked=True)], ""),
    ],
    "third-party-not-covered": [
        ("picked, to a third party", [shares(1, picked=True, host="umeng.com")], "medium corroborated")
    ],
    "permission-before-purpose": [
        ("first of all", [prompts((1, CAMERA))], "low indicated", FRESH),
        (
            "the notice was in an earlier run",
            [answered("given"), it.says(-3600, "given"), prompts((0.2, CAMERA))],
            "",
            FRESH,
        ),
    ],
    "forced-permission": [
        ("ended", [it.answered(5, CAMERA, "refused"), it.phase(7, "exited")], "medium indicated"),
        ("ended much later", [it.answered(5, CAMERA, "refused"), it.phase(17, "exited")], ""),
        ("allowed, and ended", [it.answered(5, CAMERA, "given"), it.phase(7, "exited")], ""),
        (
            "the observer ended it",
            [
                it.answered(5, CAMERA, "refused"),
                it.phase(7, "mark", text="observation ended"),
                it.phase(7.1, "exited", text="killed"),
            ],
            "",
        ),
    ],
    "repeated-prompts": [
        ("three times", [nags(3)], "medium indicated"),
        (
            "denied by the system at once, unseen",
            [
                it.answered(4, CAMERA, "refused"),
                *(
                    lambda scenario, n=n: (scenario.prompted(n, CAMERA), scenario.answered(n + 0.05, CAMERA, "refused"))
                    for n in range(10, 16)
                ),
            ],
            "",
        ),
        ("twice", [nags(2)], ""),
        ("the policy", [answered("refused"), *(it.asked(n) for n in (3, 4, 5))], "medium indicated", FRESH),
        ("the policy, before any answer", [*(it.asked(n) for n in (3, 4, 5, 6))], "", FRESH),
        ("one, drawn again and again", [answered("refused"), *(it.asked(3 + n / 5) for n in range(9))], "", FRESH),
        (
            "drawn anew, by closing and opening it",
            [
                answered("refused"),
                *(
                    lambda scenario, n=n: (
                        scenario.asked(3 + n / 2),
                        scenario.says(3.1 + n / 2, "dismissed", by="app", signal="dialog"),
                    )
                    for n in range(6)
                ),
            ],
            "",
            FRESH,
        ),
        (
            "closed by the user each time",
            [
                answered("refused"),
                *(
                    lambda scenario, n=n: (
                        scenario.asked(3 + n / 2),
                        scenario.says(3.1 + n / 2, "dismissed", signal="dialog"),
                    )
                    for n in range(6)
                ),
            ],
            "medium indicated",
            FRESH,
        ),
    ],
    "bundled-permissions": [
        ("four at once", [prompts((3, FINE), (3.2, CONTACTS), (3.4, CAMERA), (3.9, CALENDAR))], "low indicated"),
        ("one after the other", [prompts((3, FINE), (6, CONTACTS), (9, CAMERA), (12, CALENDAR))], ""),
    ],
    "permission-changed": [
        (
            "found granted",
            [prompts((3, FINE)), it.answered(4, FINE, "refused"), it.answered(60, FINE, "given")],
            "low indicated",
        )
    ],
    "invalid-consent-button": [
        ("got it", [it.asked(1), it.says(2, "requested", text="知道了")], "medium indicated", FRESH),
        (
            "got it, then a clear yes",
            [it.says(2, "requested", text="知道了"), it.says(5, "given", text="同意")],
            "",
            FRESH,
        ),
        (
            "got it, then a clear no",
            [it.says(2, "requested", text="OK"), it.says(5, "refused", text="不同意")],
            "",
            FRESH,
        ),
        ("a clear yes", [answered("given", text="同意")], "", FRESH),
        ("put off", [it.asked(1), it.says(2, "given", text="以后再说")], "", FRESH),
    ],
    "pre-ticked-consent": [
        ("ticked", [it.asked(1, ticked=True)], "medium indicated", FRESH),
        ("not known", [it.asked(1)], "", FRESH),
    ],
    "no-first-run-notice": [
        ("nothing shown", [it.phase(1, "foreground"), reads()], "medium indicated", FRESH),
        ("nobody saw the app", [reads()], "", FRESH),
        ("nothing read", [it.phase(1, "foreground")], "", FRESH),
    ],
    "consent-claimed-without-action": [
        ("a guessed setting", [it.claims(1, "preference")], "low indicated", FRESH),
        ("asked and given", [it.claims(1)], ""),
    ],
    "consent-claimed-on-wire": [
        ("never asked", [it.claims(3, "gcs", host="app-measurement.com")], "medium indicated", FRESH),
        ("a flag of the device", [answered("refused"), it.claims(3, "lmt", host="bid.adnet.test")], "", FRESH),
        ("given", [it.claims(3, "tcf", host="bid.adnet.test", scope="ads_tracking", purposes=("1", "3"))], ""),
        (
            "given, but no to profiles",
            [
                apart("ads_tracking", "refused"),
                it.claims(3, "tcf", host="bid.adnet.test", scope="ads_tracking", purposes=("1", "3")),
            ],
            "high proven",
        ),
        (
            "given, no to profiles, and none claimed",
            [
                apart("ads_tracking", "refused"),
                it.claims(3, "tcf", host="bid.adnet.test", scope="ads_tracking", purposes=("1", "7")),
            ],
            "",
        ),
    ],
    "consent-from-earlier-run": [
        ("a day before", [it.says(-86400, "given", text="Agree")], "info indicated", FRESH),
        ("in this run", [], ""),
    ],
    "read-at-self-start": [
        (
            "woken after it had ended",
            [it.phase(60, "exited"), it.phase(1800, "started"), it.reads(1801)],
            "medium indicated",
            {"start": opened},
        )
    ],
    "sent-against-own-record": [
        ("a stored no, nothing seen", [recorded(2), sends()], "medium indicated", FRESH),
        ("a yes after it", [recorded(0), answered("given"), sends()], "", FRESH),
        ("a no that was seen tells more", [answered("refused"), recorded(2), sends()], "", FRESH),
        (
            "another word of the app is a yes",
            [recorded(1, says="given", path="user.agreed"), recorded(2), sends()],
            "",
            FRESH,
        ),
        (
            "a yes of its own, taken back",
            [recorded(0.9, says="given"), recorded(1, says="given", path="user.agreed"), recorded(2), sends()],
            "medium indicated",
            FRESH,
        ),
        ("found at start, and answered since", [answered("given"), recorded(3, at_start=True), sends()], "", FRESH),
        ("found at start", [recorded(3, at_start=True), sends()], "medium indicated", FRESH),
        ("written later", [recorded(7), sends()], "", FRESH),
        ("how something is set", [recorded(2, record=False), sends()], "", FRESH),
        ("about advertising, and the number", [recorded(2, "npa", scope="ads_tracking"), sends()], "", FRESH),
        (
            "about advertising",
            [recorded(2, "npa", scope="ads_tracking"), sends("oaid", "bid.adnet.test")],
            "medium indicated",
        ),
    ],
    "agreed-by-itself": [
        ("pressed by code", [it.asked(1), answered("given", by="app", text="Agree")], "medium indicated", FRESH),
        ("no yes", [answered("given", by="app", text="Got it")], "", FRESH),
        ("after a yes", [answered("given", by="app", text="Agree")], ""),
        ("of another app", [answered("given", by="app", text="Agree", app="com.other.app")], "", FRESH),
    ],
    "forced-consent": [
        ("agree or exit", [answered("given", text="Agree or exit")], "medium indicated", FRESH),
        ("同意(不同意请退出)", [answered("given", text="同意(不同意请退出)")], "medium indicated", FRESH),
        ("不同意并退出", [answered("refused", text="不同意并退出")], "", FRESH),
    ],
}


@pytest.mark.parametrize(
    ("rule", "steps", "found", "known"),
    [
        pytest.param(rule, steps, found, *known or [{}], id=f"{rule}: {name}")
        for rule, cases in CASES.items()
        for name, steps, found, *known in cases
    ],
)
def test_each_rule(rule, steps, found, known):
    assert [f"{each.level} {each.confidence}" for each in run(*steps, **known).of(rule)] == [found][: bool(found)]


@pytest.mark.parametrize(
    ("rule", "step", "level"),
    [
        ("read-before-consent", reads("android_id"), "medium"),
        ("read-before-consent", reads("device_model_os"), "low"),
        ("sent-before-consent", sends("android_id"), "high"),
        ("sent-before-consent", sends("device_model_os"), "low"),
        ("sent-before-consent", sends("network_state", "bid.adnet.test"), "low"),
    ],
)
def test_what_every_app_sees_of_the_device_weighs_little(rule, step, level):
    (finding,) = run(step, start=Scenario).of(rule)
    assert finding.level == level


def every_run():
    for cases in CASES.values():
        for _, steps, _, *known in cases:
            yield run(*steps, **dict(*known))


def test_every_rule_is_triggered_here_or_by_a_sample_app():
    here = {rule for rule, cases in CASES.items() if any(found for _, _, found, *_ in cases)}
    assert {rule.id for rule in RULES} == here | {"sent-in-cleartext"}


def test_every_sentence_is_whole_and_says_no_verdict():
    verdict = re.compile(r"illegal|unlawful|violat|违法|违规|非法|侵权", re.IGNORECASE)
    for scenario in every_run():
        for finding in scenario.findings():
            for language, text in finding.detail.items():
                assert not re.search(r"[{}]|  |None|；；|;;|，，|\. \.|；。|\(\)|（）", text), text
                assert not verdict.search(text)
                assert text.endswith("." if language == "en" else "。")
                assert (re.search("[\u4e00-\u9fff]", re.sub("[“（(].*?[”）)]", "", text)) is None) == (language == "en")


def test_the_order_of_the_lines_does_not_matter():
    chance = random.Random(1)
    for told, mixed in zip(every_run(), every_run(), strict=True):
        for lines in (mixed.flows, mixed.accesses, mixed.consents, mixed.phases, mixed.claimed):
            chance.shuffle(lines)
        assert mixed.findings() == told.findings()


def test_a_finding_names_the_lines_of_its_circumstances():
    scenario = agreed(app_type=4, policy=POLICY)
    left = scenario.phase(4, "background")
    access = scenario.reads(5, "location")
    (finding,) = scenario.of("read-in-background")
    assert finding.evidence == (access, "consents.jsonl:1", left)

    scenario = Scenario()
    first = scenario.prompted(1, FINE)
    others = [scenario.prompted(1, name) for name in (CONTACTS, CAMERA, CALENDAR)]
    notice = scenario.asked(2)
    (bundled,) = scenario.of("bundled-permissions")
    assert bundled.evidence == (first, *others)
    early = scenario.of("permission-before-purpose")[0]
    assert notice in early.evidence

    scenario = agreed()
    denied = scenario.answered(5, CAMERA, "refused")
    ended = scenario.phase(6, "exited")
    (forced,) = scenario.of("forced-permission")
    assert forced.evidence == (denied, ended)


def test_lines_of_the_first_and_the_last_moment_there_is():
    scenario = Scenario(offset_s=3600)
    scenario.sends(6, scenario.reads(5))
    for when in (EARLIEST, LATEST):
        told = Consent(at=when, signal="dialog", status="requested", by="app")
        scenario.consents.append((f"consents.jsonl:{len(scenario.consents) + 1}", told))
        scenario.phases.append((f"phases.jsonl:{len(scenario.phases) + 1}", Phase(at=told.at, state="foreground")))
    assert {each.rule for each in scenario.findings()} >= {"sent-before-consent"}


def test_a_correction_is_in_the_evidence():
    scenario = Scenario()
    marked = scenario.says(1, "given", by="operator", signal="operator")
    corrected = scenario.says(1, "refused", by="operator", signal="operator", corrects=marked)
    access = scenario.reads(5)
    (finding,) = scenario.of("read-after-refusal")
    assert finding.evidence == (access, corrected, marked)
    assert f"{marked}" in finding.detail["en"]


def test_what_an_earlier_run_left_makes_nothing_proven():
    scenario = Scenario()
    scenario.says(0.1, "given", by="app", signal="preference", text="agreed=true", note="present at start")
    scenario.sends(6, scenario.reads(5))
    assert {(each.rule, each.confidence) for each in scenario.findings()} == {
        ("consent-from-earlier-run", "indicated"),
        ("read-before-consent", "indicated"),
        ("sent-before-consent", "indicated"),
    }


def test_articles_are_those_of_the_laws_chosen_and_of_the_apps_type():
    scenario = run(reads("location"), app_type=4)
    (finding,) = [each for each in scenario.findings(laws=LAWS) if each.rule == "read-outside-scope"]
    assert finding.kinds == ("F05",)
    assert finding.articles[0].article == "5(4)"
    assert any("PIPL" in line for line in finding.references)
    (finding,) = [each for each in scenario.findings(laws=LAWS, jurisdictions=("eu",)) if each.kinds == ("F05",)]
    assert {article.jurisdiction for article in finding.articles} == {"eu"}


CONTRARY = [
    ("a mark a second after the tap", ("given", 1), ("refused", 2), "refused", True),
    ("a tap a second after the mark", ("refused", 2), ("given", 1), "refused", True),
    ("a mark of the same", ("refused", 1), ("refused", 2), "refused", False),
    ("a mark a minute later", ("given", -59), ("refused", 2), "refused", False),
]


@pytest.mark.parametrize(
    ("tap", "mark", "state", "contrary"), [pytest.param(*case[1:], id=case[0]) for case in CONTRARY]
)
def test_a_tap_against_a_mark_of_the_same_seconds_is_said_and_never_proven(tap, mark, state, contrary):
    scenario = Scenario()
    tapped = scenario.says(tap[1], tap[0])
    marked = scenario.says(mark[1], mark[0], by="operator", signal="operator")
    if not contrary:
        assert tap[1] < mark[1]
    scenario.sends(6, scenario.reads(5))
    found = scenario.of("sent-after-refusal")
    assert [(each.consent, each.confidence) for each in found] == [(state, "corroborated" if contrary else "proven")]
    assert ("contradict each other" in found[0].detail["en"]) == contrary
    assert ("相互矛盾" in found[0].detail["zh"]) == contrary
    assert not contrary or {tapped, marked} <= set(found[0].evidence)


def test_the_app_s_own_record_is_quoted():
    scenario = Scenario()
    ref = scenario.claims(2, "preference", "refused", path="privacy_accepted", text="false", record=True)
    scenario.sends(6, scenario.reads(5))
    [found] = scenario.of("sent-against-own-record")
    assert (
        "its own record said that there was no consent: a stored setting (privacy_accepted=false)" in found.detail["en"]
    )
    assert ref in found.evidence


def test_what_was_picked_and_what_was_not_are_two_findings():
    scenario = run(answered("refused"), shares(5, picked=False), shares(1, picked=True))
    book, picked = scenario.of("sent-after-refusal")
    assert (book.count, picked.count) == (1, 1)
    assert "5 of 5 people in the address book" in book.detail["en"]
    for language, own, other in (("en", "what the user picked", "address book"), ("zh", "用户所选联系人", "通讯录")):
        assert own in picked.detail[language]
        assert other not in picked.detail[language]


def test_before_any_question_only_the_pick_is_no_early_read():
    scenario = Scenario()
    contacts(5, PICKED)(scenario)
    assert not scenario.of("read-before-consent")
    contacts(5, BOOK)(scenario)
    assert scenario.of("read-before-consent")
