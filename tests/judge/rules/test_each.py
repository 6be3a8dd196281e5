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


def nags(scenario, times, name=MICROPHONE):
    scenario.prompted(3, name)
    scenario.answered(4, name, "refused")
    for number in range(times):
        scenario.prompted(10 + number, name)
    return scenario


CASES: list[tuple[Any, ...]] = [
    # After the answer was changed, or made without force.
    ("read-before-consent", "the policy changed", [answered("given"), reads()], None),
    (
        "read-before-consent",
        "the policy changed, not yet answered",
        [answered("given"), lambda scenario: scenario.asked(3, text="隐私政策更新"), reads()],
        ("low", "indicated"),
    ),
    (
        "sent-before-consent",
        "the policy changed, not yet answered",
        [answered("given"), lambda scenario: scenario.asked(3, text="隐私政策更新"), sends()],
        ("low", "proven"),
    ),
    ("read-after-withdrawal", "withdrawn", [answered("withdrawn"), reads()], ("high", "indicated")),
    ("read-after-withdrawal", "refused", [answered("refused"), reads()], None),
    ("sent-after-withdrawal", "withdrawn", [answered("withdrawn"), sends()], ("high", "proven")),
    ("sent-after-refusal", "withdrawn", [answered("withdrawn"), sends()], None),
    # The basic function only.
    (
        "sent-after-refusal",
        "basic function, type unknown",
        [answered("refused", text="仅浏览"), sends()],
        ("low", "indicated"),
    ),
    (
        "sent-after-refusal",
        "basic function, and no type of app needs it",
        [answered("refused", text="仅浏览"), sends("device_id_imei")],
        ("high", "indicated"),
    ),
    (
        "sent-after-refusal",
        "basic function, outside its scope",
        [answered("refused", text="仅浏览"), sends("location")],
        ("high", "proven"),
        {"app_type": 4},
    ),
    (
        "sent-after-refusal",
        "basic function, inside its scope",
        [answered("refused", text="仅浏览"), sends("location")],
        None,
        {"app_type": 1},
    ),
    (
        "read-outside-scope",
        "basic function",
        [answered("refused", text="仅浏览"), reads("location")],
        ("medium", "indicated"),
        {"app_type": 4},
    ),
    # Scope.
    ("read-outside-scope", "inside", [reads("location")], None, {"app_type": 1}),
    ("read-outside-scope", "type unknown", [reads("location")], None),
    ("sent-outside-scope", "outside", [sends("location")], ("low", "proven"), {"app_type": 4}),
    # Read, never sent.
    ("read-never-sent", "no upload was captured at all", [reads("location")], None),
    ("read-never-sent", "sent, though not of this call", [reads("location"), sends("location")], None),
    (
        "read-never-sent",
        "a hook was not installed",
        [reads("location"), sends(), lambda scenario: scenario.gap(4, "hook", "class_absent")],
        ("info", "indicated"),
    ),
    ("read-never-sent", "within the scope", [reads("location"), sends()], None, {"app_type": 1}),
    # How often.
    ("read-too-often", "ten times a second", [many(100, 10, stack=SDK)], ("low", "indicated")),
    ("read-too-often", "every three seconds", [many(100, 300, stack=SDK)], None),
    ("read-too-often", "nine in a row", [many(9, 1, stack=SDK)], None),
    # In what state.
    (
        "read-in-background",
        "left, and outside the scope",
        [lambda scenario: scenario.phase(4, "background"), reads("location")],
        ("medium", "indicated"),
        {"app_type": 4},
    ),
    ("read-in-background", "not known", [reads()], None),
    ("read-in-background", "left later", [lambda scenario: scenario.phase(9, "background"), reads()], None),
    (
        "read-in-background",
        "screen off",
        [lambda scenario: scenario.phase(4, "screen_off"), reads()],
        ("low", "indicated"),
    ),
    ("sent-in-background", "left", [lambda scenario: scenario.phase(4, "background"), sends()], ("low", "proven")),
    # To whom.
    ("sent-abroad", "at home", [sends(host="ulogs.umeng.com")], None, {"territory": "CN"}),
    ("sent-abroad", "no territory", [sends(host="app-measurement.com")], None),
    ("sent-abroad", "within the EEA", [sends(host="adjust.com")], None, {"territory": "FR"}),
    (
        "sent-abroad",
        "separately refused",
        [apart("cross_border_separate", "refused"), sends(host="app-measurement.com")],
        ("high", "corroborated"),
        {"territory": "CN"},
    ),
    ("sensitive-without-separate-consent", "race, by the GDPR", [sends("race")], ("medium", "corroborated")),
    ("minors-data", "no guardian", [sends()], ("medium", "corroborated"), {"policy": {"audience": "children"}}),
    ("minors-data", "for everybody", [sends()], None, {"policy": {}}),
    (
        "ads-after-opt-out",
        "to its own server",
        [apart("ads_tracking", "refused"), sends("advertising_id")],
        ("medium", "corroborated"),
    ),
    ("ads-after-opt-out", "nobody opted out", [sends("advertising_id", "bid.adnet.test")], None),
    ("ads-after-opt-out", "another identifier", [apart("ads_tracking", "refused"), sends()], None),
    # What is declared.
    ("undeclared-data", "not named", [sends("location")], ("medium", "corroborated"), {"policy": POLICY}),
    ("undeclared-data", "no policy", [sends("location")], None),
    (
        "undeclared-recipient",
        "not named",
        [sends(host="bid.adnet.test")],
        ("medium", "corroborated"),
        {"policy": POLICY},
    ),
    ("undeclared-recipient", "the maker's own", [sends()], None, {"policy": POLICY}),
    (
        "undeclared-recipient",
        "the kind is not named at all",
        [sends("location", "bid.adnet.test")],
        None,
        {"policy": POLICY},
    ),
    ("declared-not-seen", "read, not sent", [reads("location"), sends(host="ads.test")], None, {"policy": NAMED}),
    ("declared-not-seen", "sent", [sends("location"), sends()], None, {"policy": NAMED}),
    ("declared-not-seen", "not read, not sent", [sends()], ("info", "indicated"), {"policy": NAMED}),
    ("declared-not-seen", "no policy", [sends()], None),
    ("declared-not-seen", "nothing captured", [reads()], None, {"policy": NAMED}),
    (
        "declared-not-seen",
        "read, and a form of what is sent",
        [reads("location"), sends()],
        ("info", "indicated"),
        {"policy": NAMED | {"only_sent": True}},
    ),
    (
        "declared-not-seen",
        "calls were lost",
        [sends(), lambda scenario: scenario.gap(4, "hook", "overflow")],
        None,
        {"policy": NAMED},
    ),
    (
        "declared-not-seen",
        "a limit of the device",
        [sends(), lambda scenario: scenario.gap(4, "hook", "class_absent")],
        ("info", "indicated"),
        {"policy": NAMED},
    ),
    (
        "declared-not-seen",
        "a connection that was not read",
        [sends(), lambda scenario: scenario.gap(4, "proxy", "tls_refused")],
        None,
        {"policy": NAMED},
    ),
    # In what form, and with what.
    ("weakly-hashed", "a digest of a digest", [hashed("sha1_of_md5")], ("low", "proven")),
    ("weakly-hashed", "of what nobody can guess", [hashed("md5", "android_id")], None),
    ("identifiers-bridged", "in one upload", [together("android_id", "advertising_id")], ("medium", "proven")),
    ("identifiers-bridged", "without an advertising identifier", [together("android_id", "location")], None),
    ("fixed-identifier-sent", "IMEI", [sends("device_id_imei")], ("low", "proven")),
    # What of whom.
    ("clipboard-read", "looked into", [listed("clipboard", 1, stack=OWN)], ("low", "indicated")),
    ("clipboard-read", "outer frames unknown", [listed("clipboard", 1, stack=OWN, stack_cut="long")], None),
    ("clipboard-read", "stack left out", [listed("clipboard", 1, stack=(), stack_cut="thinned")], None),
    ("local-channel", "an identifier", [listed("local_channel", 1)], ("medium", "indicated")),
    ("local-channel", "another kind", [listed("clipboard", 1, stack=PASTE)], None),
    ("installed-apps-read", "the list", [listed("installed_apps", 5)], ("low", "indicated")),
    ("others-data-read", "one entry", [listed("call_log", 1)], None),
    ("others-data-read", "the user's own calendar", [listed("calendar_events", 5)], None),
    # What the user picked in the system's picker is handed over; whether it may be sent is another question.
    ("others-data-read", "the address book", [contacts(5, BOOK)], ("low", "indicated")),
    ("others-data-read", "entries that the user picked", [contacts(5, PICKED)], None),
    (
        "others-data-read",
        "a provider of the app's own that calls itself a picker",
        [contacts(5, OWN_PICKER)],
        ("low", "indicated"),
    ),
    *(
        (rule, f"{name}, {status}", [answered(status), contacts(5, target)], found)
        for rule, status, level in (
            ("read-after-refusal", "refused", "high"),
            ("read-after-withdrawal", "withdrawn", "high"),
        )
        for name, target, found in (("the address book", BOOK, (level, "indicated")), ("picked", PICKED, None))
    ),
    ("address-book-upload", "the address book", [shares(5, picked=False)], ("medium", "proven")),
    ("address-book-upload", "five entries that the user picked", [shares(5, picked=True)], None),
    (
        "sent-after-refusal",
        "picked, and sent against a no",
        [answered("refused"), shares(1, picked=True)],
        ("high", "proven"),
    ),
    ("sent-after-refusal", "picked, and agreed to", [shares(1, picked=True)], None),
    (
        "sent-after-refusal",
        "picked in the basic function",
        [answered("refused", text="仅浏览"), shares(1, picked=True)],
        ("low", "indicated"),
    ),
    (
        "sent-after-refusal",
        "the address book in the basic function",
        [answered("refused", text="仅浏览"), shares(1, picked=False)],
        ("high", "indicated"),
    ),
    (
        "third-party-not-covered",
        "picked, to a third party",
        [shares(1, picked=True, host="umeng.com")],
        ("medium", "corroborated"),
    ),
    # Questions, claims and starts.
    ("permission-before-purpose", "first of all", [prompts((1, CAMERA))], ("low", "indicated"), {"start": Scenario}),
    (
        "permission-before-purpose",
        "the notice was in an earlier run",
        [answered("given"), lambda scenario: scenario.says(-3600, "given"), prompts((0.2, CAMERA))],
        None,
        {"start": Scenario},
    ),
    (
        "forced-permission",
        "ended",
        [lambda scenario: scenario.answered(5, CAMERA, "refused"), lambda scenario: scenario.phase(7, "exited")],
        ("medium", "indicated"),
    ),
    (
        "forced-permission",
        "ended much later",
        [lambda scenario: scenario.answered(5, CAMERA, "refused"), lambda scenario: scenario.phase(17, "exited")],
        None,
    ),
    (
        "forced-permission",
        "allowed, and ended",
        [lambda scenario: scenario.answered(5, CAMERA, "given"), lambda scenario: scenario.phase(7, "exited")],
        None,
    ),
    (
        "forced-permission",
        "the observer ended it",
        [
            lambda scenario: scenario.answered(5, CAMERA, "refused"),
            lambda scenario: scenario.phase(7, "mark", text="observation ended"),
            lambda scenario: scenario.phase(7.1, "exited", text="killed"),
        ],
        None,
    ),
    ("repeated-prompts", "three times", [lambda scenario: nags(scenario, 3)], ("medium", "indicated")),
    (
        "repeated-prompts",
        "denied by the system at once, unseen",
        [
            lambda scenario: scenario.answered(4, CAMERA, "refused"),
            *(
                lambda scenario, n=n: (scenario.prompted(n, CAMERA), scenario.answered(n + 0.05, CAMERA, "refused"))
                for n in range(10, 16)
            ),
        ],
        None,
    ),
    ("repeated-prompts", "twice", [lambda scenario: nags(scenario, 2)], None),
    (
        "repeated-prompts",
        "the policy",
        [answered("refused"), *(lambda scenario, n=n: scenario.asked(n) for n in (3, 4, 5))],
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    (
        "repeated-prompts",
        "the policy, before any answer",
        [*(lambda scenario, n=n: scenario.asked(n) for n in (3, 4, 5, 6))],
        None,
        {"start": Scenario},
    ),
    (
        "bundled-permissions",
        "four at once",
        [prompts((3, FINE), (3.2, CONTACTS), (3.4, CAMERA), (3.9, CALENDAR))],
        ("low", "indicated"),
    ),
    (
        "bundled-permissions",
        "one after the other",
        [prompts((3, FINE), (6, CONTACTS), (9, CAMERA), (12, CALENDAR))],
        None,
    ),
    (
        "permission-changed",
        "found granted",
        [
            prompts((3, FINE)),
            lambda scenario: scenario.answered(4, FINE, "refused"),
            lambda scenario: scenario.answered(60, FINE, "given"),
        ],
        ("low", "indicated"),
    ),
    (
        "invalid-consent-button",
        "got it",
        [lambda scenario: scenario.asked(1), lambda scenario: scenario.says(2, "requested", text="知道了")],
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    (
        "invalid-consent-button",
        "got it, then a clear yes",
        [
            lambda scenario: scenario.says(2, "requested", text="知道了"),
            lambda scenario: scenario.says(5, "given", text="同意"),
        ],
        None,
        {"start": Scenario},
    ),
    (
        "invalid-consent-button",
        "got it, then a clear no",
        [
            lambda scenario: scenario.says(2, "requested", text="OK"),
            lambda scenario: scenario.says(5, "refused", text="不同意"),
        ],
        None,
        {"start": Scenario},
    ),
    ("invalid-consent-button", "a clear yes", [answered("given", text="同意")], None, {"start": Scenario}),
    (
        "pre-ticked-consent",
        "ticked",
        [lambda scenario: scenario.asked(1, ticked=True)],
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    ("pre-ticked-consent", "not known", [lambda scenario: scenario.asked(1)], None, {"start": Scenario}),
    (
        "no-first-run-notice",
        "nothing shown",
        [lambda scenario: scenario.phase(1, "foreground"), reads()],
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    ("no-first-run-notice", "nobody saw the app", [reads()], None, {"start": Scenario}),
    (
        "no-first-run-notice",
        "nothing read",
        [lambda scenario: scenario.phase(1, "foreground")],
        None,
        {"start": Scenario},
    ),
    (
        "consent-claimed-without-action",
        "a guessed setting",
        [lambda scenario: scenario.claims(1, "preference")],
        ("low", "indicated"),
        {"start": Scenario},
    ),
    ("consent-claimed-without-action", "asked and given", [lambda scenario: scenario.claims(1)], None),
    (
        "consent-claimed-on-wire",
        "never asked",
        [lambda scenario: scenario.claims(3, "gcs", host="app-measurement.com")],
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    (
        "consent-claimed-on-wire",
        "a flag of the device",
        [answered("refused"), lambda scenario: scenario.claims(3, "lmt", host="bid.adnet.test")],
        None,
        {"start": Scenario},
    ),
    (
        "consent-claimed-on-wire",
        "given",
        [lambda scenario: scenario.claims(3, "tcf", host="bid.adnet.test", scope="ads_tracking", purposes=("1", "3"))],
        None,
    ),
    (
        "consent-claimed-on-wire",
        "given, but no to profiles",
        [
            apart("ads_tracking", "refused"),
            lambda scenario: scenario.claims(
                3, "tcf", host="bid.adnet.test", scope="ads_tracking", purposes=("1", "3")
            ),
        ],
        ("high", "proven"),
    ),
    (
        "consent-claimed-on-wire",
        "given, no to profiles, and none claimed",
        [
            apart("ads_tracking", "refused"),
            lambda scenario: scenario.claims(
                3, "tcf", host="bid.adnet.test", scope="ads_tracking", purposes=("1", "7")
            ),
        ],
        None,
    ),
    (
        "consent-from-earlier-run",
        "a day before",
        [lambda scenario: scenario.says(-86400, "given", text="Agree")],
        ("info", "indicated"),
        {"start": Scenario},
    ),
    ("consent-from-earlier-run", "in this run", [], None),
    (
        "read-at-self-start",
        "woken after it had ended",
        [
            lambda scenario: scenario.phase(60, "exited"),
            lambda scenario: scenario.phase(1800, "started"),
            lambda scenario: scenario.reads(1801),
        ],
        ("medium", "indicated"),
        {"start": opened},
    ),
    (
        "sent-against-own-record",
        "a stored no, nothing seen",
        [recorded(2), sends()],
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    ("sent-against-own-record", "a yes after it", [recorded(0), answered("given"), sends()], None, {"start": Scenario}),
    (
        "sent-against-own-record",
        "a no that was seen tells more",
        [answered("refused"), recorded(2), sends()],
        None,
        {"start": Scenario},
    ),
    (
        "sent-against-own-record",
        "another word of the app is a yes",
        [
            recorded(1, says="given", path="user.agreed"),
            recorded(2),
            sends(),
        ],
        None,
        {"start": Scenario},
    ),
    (
        "sent-against-own-record",
        "a yes of its own, taken back",
        [
            recorded(0.9, says="given"),
            recorded(1, says="given", path="user.agreed"),
            recorded(2),
            sends(),
        ],
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    (
        "sent-against-own-record",
        "found at start, and answered since",
        [
            answered("given"),
            recorded(3, at_start=True),
            sends(),
        ],
        None,
        {"start": Scenario},
    ),
    (
        "sent-against-own-record",
        "found at start",
        [recorded(3, at_start=True), sends()],
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    ("sent-against-own-record", "written later", [recorded(7), sends()], None, {"start": Scenario}),
    (
        "sent-against-own-record",
        "how something is set",
        [recorded(2, record=False), sends()],
        None,
        {"start": Scenario},
    ),
    (
        "sent-against-own-record",
        "about advertising, and the number",
        [
            recorded(2, "npa", scope="ads_tracking"),
            sends(),
        ],
        None,
        {"start": Scenario},
    ),
    (
        "sent-against-own-record",
        "about advertising",
        [
            recorded(2, "npa", scope="ads_tracking"),
            sends("oaid", "bid.adnet.test"),
        ],
        ("medium", "indicated"),
    ),
    (
        "agreed-by-itself",
        "pressed by code",
        [
            lambda scenario: scenario.asked(1),
            answered("given", by="app", text="Agree"),
        ],
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    ("agreed-by-itself", "no yes", [answered("given", by="app", text="Got it")], None, {"start": Scenario}),
    ("agreed-by-itself", "after a yes", [answered("given", by="app", text="Agree")], None),
    (
        "agreed-by-itself",
        "of another app",
        [
            answered("given", by="app", text="Agree", app="com.other.app"),
        ],
        None,
        {"start": Scenario},
    ),
    (
        "forced-consent",
        "agree or exit",
        [answered("given", text="Agree or exit")],
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    (
        "forced-consent",
        "同意(不同意请退出)",
        [answered("given", text="同意(不同意请退出)")],
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    ("forced-consent", "不同意并退出", [answered("refused", text="不同意并退出")], None, {"start": Scenario}),
    (
        "repeated-prompts",
        "one, drawn again and again",
        [
            answered("refused"),
            *(lambda scenario, n=n: scenario.asked(3 + n / 5) for n in range(9)),
        ],
        None,
        {"start": Scenario},
    ),
    (
        "repeated-prompts",
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
        None,
        {"start": Scenario},
    ),
    (
        "repeated-prompts",
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
        ("medium", "indicated"),
        {"start": Scenario},
    ),
    (
        "invalid-consent-button",
        "put off",
        [
            lambda scenario: scenario.asked(1),
            lambda scenario: scenario.says(2, "given", text="以后再说"),
        ],
        None,
        {"start": Scenario},
    ),
]


@pytest.mark.parametrize(
    ("rule", "steps", "expected", "known"),
    [pytest.param(case[0], case[2], case[3], (*case, {})[4], id=f"{case[0]}: {case[1]}") for case in CASES],
)
def test_each_rule(rule, steps, expected, known):
    found = run(*steps, **known).of(rule)
    assert [(each.level, each.confidence) for each in found] == ([expected] if expected else [])


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
    for case in CASES:
        yield run(*case[2], **(*case, {})[4])


def test_every_rule_is_triggered_here_or_by_the_sample_apps():
    here = {case[0] for case in CASES if case[3]}
    samples = {"read-after-refusal", "address-book-upload", "sent-in-cleartext", "third-party-not-covered"}
    assert {rule.id for rule in RULES} == here | samples


def test_every_sentence_is_whole_and_says_no_verdict():
    verdict = re.compile(r"illegal|unlawful|violat|违法|违规|非法|侵权", re.IGNORECASE)
    for scenario in every_run():
        for finding in scenario.findings():
            for language, text in finding.detail.items():
                assert not re.search(r"[{}]|  |None|；；|;;|，，|\. \.|；。|\(\)|（）", text), text
                assert not verdict.search(text)
                assert text.endswith("." if language == "en" else "。")
                assert (re.search("[\u4e00-\u9fff]", re.sub("[“（(].*?[”）)]", "", text)) is None) == (language == "en")


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_lines_does_not_matter(seed):
    for told, mixed in zip(every_run(), every_run(), strict=True):
        chance = random.Random(seed)
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
