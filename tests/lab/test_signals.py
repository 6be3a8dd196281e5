"""What the agent sees of consent and phases in the sample apps, as lines of a recording."""

from dataclasses import replace

import pytest

from appwitness.agent.sources import load
from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels
from appwitness.devices.lab.lab_device import LabDevice
from appwitness.events import Consent, Screen, Touch
from appwitness.judge.consent import consents
from appwitness.observe.order import Order
from appwitness.observe.run import observe

LABELS = yaml_files.parse(yaml_files.HERE / "consent.yml", Labels)
pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run an app once for all the tests of this file."""
    folder = tmp_path_factory.mktemp("signals")
    made = {}

    def start(app, plan, **changes):
        key = (app, plan, *changes)
        if key not in made:
            name = "-".join(key)
            with LabDevice(app, plan, folder / f"work-{name}", cache=folder / "lab") as device:
                device.lab_app = replace(device.lab_app, **changes)
                made[key] = observe(device, folder / name, load(), Order(plan=plan, confdir=folder / "proxy"))
        return made[key]

    return start


def events(recording, kind):
    """In the order of their times; what screens say of consent with the consent lines."""
    if kind == "consent":
        return [each.event for each in consents([*recording.seen(Consent), *recording.seen(Screen)], LABELS)]
    return sorted((read.event for read in recording.read(kind)), key=lambda event: event.at)


def said(recording, *signals):
    return [
        (event.signal, event.status, event.scope, event.by, event.text)
        for event in events(recording, "consent")
        if event.signal in signals
    ]


def states(recording):
    return [(phase.state, phase.text) for phase in events(recording, "phase")]


def test_claims_of_the_app_come_before_anything_is_asked(run):
    recording = run("gems", "accept")
    claims = said(recording, "sdk_call", "preference", "iab_tcf", "iab_gpp")
    grant = "com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult"
    assert claims[0] == ("sdk_call", "given", "general_policy", "app", grant)
    assert [(signal, status, scope, by) for signal, status, scope, by, _ in claims[1:]] == [
        ("iab_tcf", "given", "ads_tracking", "app")
    ] * 2
    assert claims[1][4].startswith("IABTCF_TCString=CQ")
    assert claims[2][4] == "IABTCF_PurposeConsents=1111111111"
    first = events(recording, "consent")[0]
    assert any("com.example.gems.GemsApplication.onCreate" in frame for frame in first.stack)
    assert first.at < next(event.at for event in events(recording, "consent") if event.signal == "dialog")


def test_a_box_that_was_ticked_and_a_button_that_is_no_yes(run):
    events_of = [event for event in events(run("gems", "accept"), "consent") if event.signal in ("dialog", "tap")]
    assert [(event.signal, event.status, event.ticked) for event in events_of] == [
        ("dialog", "requested", True),
        ("tap", "requested", True),
        ("dialog", "dismissed", None),
    ]


def test_screens_are_recorded_as_they_are_read(run):
    screens = [each for each in events(run("gems", "accept"), "screen") if each.what != "page"]
    assert [(line.what, line.number, line.by) for line in screens] == [
        ("dialog", 1, "agent"), ("touch", None, "agent"), ("dismiss", 1, "agent"),
    ]  # fmt: skip
    assert screens[1].windows == screens[0].windows
    assert screens[1].touched == Touch(label="Got it", by="user")
    assert screens[0].windows[0].labels == ("Got it",)
    assert [check.checked for check in screens[0].windows[0].checks] == [True]


@pytest.mark.slow
def test_a_choice_of_its_own(run):
    assert said(run("quiz", "refuse"), "dialog", "tap") == [
        ("dialog", "requested", "general_policy", "app", "We value your privacy"),
        ("dialog", "requested", "ads_tracking", "app", "Personalised ads"),
        ("tap", "refused", "general_policy", "user", "Save selection"),
        ("tap", "refused", "ads_tracking", "user", "Save selection"),
    ]


def test_separate_consent_permission_and_withdrawal(run):
    assert [
        line[:4] for line in said(run("lanes", "withdraw"), "dialog", "tap", "permission_prompt", "permission_result")
    ] == [
        ("dialog", "requested", "general_policy", "app"),
        ("tap", "given", "general_policy", "user"),
        ("dialog", "requested", "sensitive_separate", "app"),
        ("tap", "given", "sensitive_separate", "user"),
        ("permission_prompt", "requested", "system_permission", "app"),
        ("permission_result", "given", "system_permission", "user"),
        ("tap", "withdrawn", "general_policy", "user"),
    ]


def test_permissions_of_one_request_stand_together(run):
    prompts = [event for event in events(run("torch", "silent"), "consent") if event.signal == "permission_prompt"]
    assert len(prompts) == 4
    assert {(event.at, event.note) for event in prompts} == {(prompts[0].at, "one of 4 asked at once")}
    assert said(run("torch", "silent"), "dialog", "permission_result") == []


def test_an_ordinary_start(run):
    assert states(run("gems", "accept"))[:3] == [("started", None), ("screen_on", None), ("foreground", None)]


@pytest.mark.slow
def test_started_by_a_broadcast_before_the_user_opens_the_app(run):
    recording = run("radio", "silent")
    assert states(recording)[:4] == [
        ("started", None),
        ("screen_on", None),
        ("mark", "started by a broadcast: android.intent.action.BOOT_COMPLETED"),
        ("foreground", None),
    ]
    [woken] = [access for access in events(recording, "access") if access.data == "android_id"]
    assert woken.at < next(phase.at for phase in events(recording, "phase") if phase.state == "foreground")


@pytest.mark.slow
def test_background_and_screen(run):
    recording = run("jogger", "accept")
    assert [state for state, _ in states(recording)] == [
        "started", "screen_on", "foreground", "background", "screen_off", "exited",
    ]  # fmt: skip
    off = next(phase.at for phase in events(recording, "phase") if phase.state == "screen_off")
    assert [access.at > off for access in events(recording, "access")] == [False, True]


def test_what_an_earlier_run_left_is_said_to_be_that(run):
    left = (("lanes.policy_agreed", "true"), ("lanes.theme", "dark"), ("lanes.IABUSPrivacy_String", "1YYN"))
    recording = run("lanes", "silent", preferences=left)
    present = [event for event in events(recording, "consent") if event.at_start]
    assert {(event.signal, event.status, event.text, event.by) for event in present} == {
        ("preference", "given", "policy_agreed=true", "app"),
        ("iab_gpp", "refused", "IABUSPrivacy_String=1YYN", "app"),
    }
    assert said(run("lanes", "withdraw"), "preference")[0][4] == "policy_agreed=true"


@pytest.mark.parametrize(
    ("app", "plan"),
    [
        ("gems", "accept"),
        ("lanes", "withdraw"),
        pytest.param("quiz", "refuse", marks=pytest.mark.slow),
        pytest.param("radio", "silent", marks=pytest.mark.slow),
    ],
)
def test_nothing_went_wrong_in_the_hooks(run, app, plan):
    assert [gap for gap in events(run(app, plan), "gap") if gap.subject != "sources"] == []


def test_the_type_of_the_app_is_in_the_recording(run):
    assert run("lanes", "withdraw").run.app_type == 1
    assert run("torch", "silent").run.app_type == 38
