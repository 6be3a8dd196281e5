"""What screens say of consent: a no is not a yes, "Got it" is neither, and what nobody saw is no answer."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels, Phrases
from appwitness.events import Screen, Touch, Window, made
from appwitness.events.seen import see
from appwitness.judge.consent import Observed, ScreenReader, Timeline, consents, screens

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LABELS = yaml_files.parse(yaml_files.HERE / "consent.yml", Labels)
APP = "com.example"
POLICY = {
    "texts": ["Privacy policy", "We use your contacts and location as our privacy policy says."],
    "labels": ["Agree", "Disagree"],
}
HOME = {"texts": ["Circle"], "labels": ["Settings", "Feed"]}


class Hooks:
    """Tells what the hooks see, a second apart, and keeps what that means."""

    by: Literal["host", "agent"] = "agent"

    def __init__(self):
        self.reader = ScreenReader(LABELS, APP)
        self.lines = []
        self.events = []
        self.now = AT

    def __call__(self, what, *windows, after=1.0, **fields):
        self.now += timedelta(seconds=after)
        line = Screen(
            at=self.now, app=APP, pid=7, what=what, windows=tuple(made(Window, each) for each in windows), by=self.by,
            why="change", **fields,
        )  # fmt: skip
        self.lines.append(see(f"screens.jsonl:{len(self.lines) + 1}", line, 0))
        self.events += [each.event for each in self.reader.read(self.lines[-1])]

    def dialog(self, id, **on):
        self("dialog", on, number=id)

    def page(self, **on):
        self("page", on)

    def closed(self, id, how):
        self(how, number=id)

    def tap(self, label, *, on=POLICY, by="user", ticked=None, id=None, checks=None):
        on = {**on, "checks": checks} if checks is not None else on
        self("touch", on, touched=Touch(label=label, by=by, ticked=ticked, id=id))

    def at(self, seconds, scope="general_policy"):
        """The state so many seconds after the beginning, of all that was told."""
        told = Timeline(consents(self.lines, LABELS, APP), labels=LABELS, observed=Observed(APP))
        return told.at(AT + timedelta(seconds=seconds), scope=scope).state

    @property
    def said(self):
        return [(event.signal, event.status, event.by) for event in self.events]


@pytest.fixture
def screen():
    return Hooks()


def test_asked_and_agreed(screen):
    screen.dialog(id=1, **POLICY)
    screen.tap("Agree")
    screen.closed(id=1, how="dismiss")
    assert screen.said == [("dialog", "requested", "app"), ("tap", "given", "user")]
    assert [event.text for event in screen.events] == ["Privacy policy", "Agree"]
    assert {(event.scope, event.app, event.pid) for event in screen.events} == {("general_policy", "com.example", 7)}


def test_asked_and_refused(screen):
    screen.dialog(id=1, **POLICY)
    screen.tap("Disagree")
    screen.closed(id=1, how="dismiss")
    assert screen.said[1:] == [("tap", "refused", "user")]


def test_got_it_is_not_consent(screen):
    on = {"texts": POLICY["texts"], "labels": ["Got it"]}
    screen.dialog(id=1, **on)
    screen.tap("Got it", on=on)
    screen.closed(id=1, how="dismiss")
    assert screen.said == [("dialog", "requested", "app"), ("tap", "requested", "user"), ("dialog", "dismissed", "app")]
    assert screen.events[1].note == "not a clear yes or no"


def test_the_back_key_is_a_dismissal_by_the_user(screen):
    screen.dialog(id=1, **POLICY)
    screen.closed(id=1, how="cancel")
    screen.closed(id=1, how="dismiss")
    assert screen.said[1:] == [("dialog", "dismissed", "user")]


def test_an_app_that_presses_its_own_button_is_not_the_user(screen):
    screen.dialog(id=1, **POLICY)
    screen.tap("Agree", by="app")
    assert screen.said[1:] == [("tap", "given", "app")]


def test_basic_function_only_is_a_refusal(screen):
    on = {"texts": ["隐私政策", "请阅读"], "labels": ["同意", "仅浏览"]}
    screen.tap("仅浏览", on=on)
    assert screen.said == [("tap", "refused", "user")]
    assert screen.events[0].note == "basic function only"


def test_a_yes_beside_an_empty_box_is_not_one(screen):
    box = {"text": "I have read and agree to the Privacy Policy", "checked": False}
    screen.tap("Agree", checks=[box])
    screen.tap("Agree", checks=[{**box, "checked": True}])
    assert [event.status for event in screen.events] == ["requested", "given"]


@pytest.mark.parametrize(
    "other",
    [
        {"texts": ["Delete this photo?"], "labels": ["OK", "Cancel"]},
        {"texts": ["Friend request", "Ann wants to be your friend"], "labels": ["Accept", "Decline"]},
        {"texts": ["Rate us"], "labels": ["No thanks", "Continue"]},
        {"texts": [], "labels": []},
    ],
)
def test_other_dialogs_say_nothing(screen, other):
    screen.dialog(id=1, **other)
    for label in other["labels"]:
        screen.tap(label, on=other)
    screen.closed(id=1, how="cancel")
    assert screen.events == []


def test_a_screen_without_a_heading_is_known_by_its_words_and_its_buttons(screen):
    screen.dialog(id=1, texts=["Our partners and vendors use your data."], labels=["Accept all", "Reject all"])
    assert screen.said == [("dialog", "requested", "app")]


def test_a_full_screen_that_is_no_dialog(screen):
    screen.tap(
        "同意并继续", on={"texts": ["欢迎", "请阅读《隐私政策》和《用户协议》"], "labels": ["同意并继续", "不同意"]}
    )
    assert screen.said == [("tap", "given", "user")]


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("Before we begin.", "general_policy"),
        ("We need your separate consent for face data.", "sensitive_separate"),
        ("需要您单独同意处理敏感个人信息", "sensitive_separate"),
        ("个人信息将向第三方提供", "third_party_separate"),
        ("您的信息将出境", "cross_border_separate"),
        ("For children: parental consent is needed.", "minor_guardian"),
        ("See personalised ads.", "ads_tracking"),
    ],
)
def test_scope(screen, text, scope):
    on = {"texts": ["Privacy notice", text], "labels": ["Agree", "Disagree"]}
    screen.dialog(id=1, **on)
    screen.tap("Agree", on=on)
    assert [event.scope for event in screen.events] == [scope, scope]


def test_a_withdrawal(screen):
    screen.tap("Withdraw consent", on={"texts": ["Settings"], "labels": ["Withdraw consent"]})
    assert screen.said == [("tap", "withdrawn", "user")]


BOX = {"text": "I have read and agree to the Privacy Policy", "checked": True}
CHOICES = {
    "texts": ["Your privacy", "Choose what we may do."],
    "labels": ["Reject all", "Save selection", "Accept all"],
    "checks": [
        {"text": "Personalised ads", "checked": True},
        {"text": "Transfer outside the EU", "checked": False},
        {"text": "Night mode", "checked": True},
    ],
}


def test_a_box_that_was_ticked_when_it_appeared(screen):
    screen.dialog(id=1, **POLICY, checks=[BOX])
    screen.dialog(id=2, **POLICY, checks=[{**BOX, "checked": False}])
    screen.dialog(id=3, **POLICY)
    assert [event.ticked for event in screen.events] == [True, False, None]
    screen.tap("Agree", checks=[BOX])
    assert screen.events[-1].ticked is True


@pytest.mark.parametrize(
    ("label", "whole", "ads", "abroad"),
    [
        ("Save selection", "given", "given", "refused"),
        ("Accept all", "given", "given", "given"),
        ("Reject all", "refused", "refused", "refused"),
    ],
)
def test_choices_of_their_own(screen, label, whole, ads, abroad):
    screen.dialog(id=1, **CHOICES)
    asked = len(screen.events)
    screen.tap(label, on=CHOICES)
    assert [(event.scope, event.ticked) for event in screen.events[:asked]] == [
        ("general_policy", None),
        ("ads_tracking", True),
        ("cross_border_separate", False),
    ]
    assert {event.scope: event.status for event in screen.events[asked:]} == {
        "general_policy": whole,
        "ads_tracking": ads,
        "cross_border_separate": abroad,
    }


def test_nothing_chosen_is_a_no(screen):
    on = {**CHOICES, "checks": [{"text": "Personalised ads", "checked": False}]}
    screen.tap("Save selection", on=on)
    assert [event.status for event in screen.events] == ["refused", "refused"]
    assert screen.events[0].note == "0 of 1 choices allowed"


def test_a_choice_that_is_ticked_by_hand_is_no_answer_yet(screen):
    screen.tap("Personalised ads", on=CHOICES, ticked=False)
    assert screen.events == []


def test_a_switch_of_the_settings(screen):
    on = {"texts": ["Settings"], "labels": [], "checks": [{"text": "Personalised ads", "checked": True}]}
    screen.tap("Personalised ads", on=on, ticked=True)
    screen.tap("Personalised ads", on=on, ticked=False)
    screen.tap("Night mode", on=on, ticked=True)
    assert [(event.status, event.scope) for event in screen.events] == [
        ("withdrawn", "ads_tracking"),
        ("given", "ads_tracking"),
    ]


def test_a_policy_that_names_everything_is_about_the_policy(screen):
    text = "Our privacy policy tells which sensitive personal data we share with third parties."
    on = {"texts": ["Privacy policy", text], "labels": ["Agree", "Disagree"]}
    screen.dialog(id=1, **on)
    screen.dialog(id=2, **{**on, "texts": ["Sensitive personal information", text]})
    assert [event.scope for event in screen.events] == ["general_policy", "sensitive_separate"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["隐私政策更新", "请阅读"], "隐私政策更新"),
        (["Privacy policy", "We have updated our privacy policy."], "Privacy policy: updated our privacy policy"),
        (["Privacy policy", "We use your contacts."], "Privacy policy"),
    ],
)
def test_a_policy_that_has_changed_says_so(screen, texts, said):
    screen.dialog(id=1, texts=texts, labels=["Agree", "Disagree"])
    assert [event.text for event in screen.events] == [said]


def test_a_full_screen_asks_once_however_often_it_comes_back(screen):
    box = {"text": "我已阅读并同意", "checked": False}
    on = {"texts": ["欢迎", "请阅读《隐私政策》"], "labels": ["登录"], "checks": [box]}
    screen.page(**on)
    screen.page(texts=["Settings", "Privacy policy"], labels=["Back"])
    screen.tap("不同意", on={**on, "labels": ["不同意", "登录"]})
    screen.page(**on)
    assert screen.said == [("dialog", "requested", "app"), ("dialog", "gone", "app"), ("tap", "refused", "user")]
    assert screen.events[0].ticked is False
    assert screen.at(60) == "refused"


def test_a_withdrawal_where_the_policy_is_named_too(screen):
    settings = {"texts": ["Settings", "Privacy policy"], "labels": ["Withdraw consent", "Back"]}
    screen.page(**settings)
    screen.tap("Withdraw consent", on=settings)
    ask = {"texts": ["Withdraw consent?", "We delete your personal data."], "labels": ["Cancel", "OK"]}
    screen.dialog(id=1, **ask)
    assert screen.at(3.5) == "not_shown"
    screen.tap("OK", on=ask)
    assert screen.said == [("tap", "withdrawn", "user"), ("dialog", "requested", "app"), ("tap", "withdrawn", "user")]
    assert (screen.at(3.5), screen.at(4)) == ("not_shown", "withdrawn")


# A question that goes without an answer that was seen.


def test_a_dialog_that_the_app_takes_away_after_a_touch_that_no_hook_saw(screen):
    screen.dialog(id=1, **POLICY)
    screen("dismiss", number=1, after=10)
    assert screen.said == [("dialog", "requested", "app"), ("dialog", "gone", "app")]
    # The app may have taken a moment to take it away.
    assert [screen.at(each) for each in (1, 8.9, 9, 11)] == ["requested", "requested", "unseen_answer", "unseen_answer"]


def test_words_that_nobody_knows_are_no_answer_that_was_seen(screen):
    screen.dialog(id=1, **POLICY)
    screen.tap("Zgadzam się")
    screen.closed(id=1, how="dismiss")
    assert screen.at(60) == "unseen_answer"


def test_a_page_in_whose_place_another_stands(screen):
    screen.page(**POLICY)
    screen("page", HOME, after=30)
    assert (screen.at(0.5), screen.at(1), screen.at(60)) == ("not_shown", "unseen_answer", "unseen_answer")
    screen.page(**POLICY)
    assert screen.said[-1] == ("dialog", "requested", "app")
    assert screen.at(60) == "requested"


def test_while_a_dialog_stands_it_is_unanswered(screen):
    screen.dialog(id=1, **POLICY)
    assert screen.at(3600) == "requested"


class Outside(Hooks):
    """Tells what is seen on the screen from outside, and what a plan touches."""

    by: Literal["host", "agent"] = "host"

    def look(self, *windows, after=1.0, since=None):
        """`since`: for so many seconds what the last look showed was not seen any more."""
        gone = None if since is None else self.now + timedelta(seconds=after - since)
        self("look", *windows, after=after, since=gone)


@pytest.fixture
def outside():
    return Outside()


def test_a_question_that_is_answered_by_a_hand_that_nobody_sees(outside):
    outside.look(POLICY)
    outside.look(HOME, after=20, since=0.5)
    assert [outside.at(each) for each in (1, 18, 19, 60)] == ["requested"] * 2 + ["unseen_answer"] * 2
    [_, gone] = outside.events
    assert (gone.text, gone.clock, gone.at) == ("Privacy policy", "host", AT + timedelta(seconds=18.5))


def test_a_question_that_stands_is_unanswered_as_long_as_somebody_looks(outside):
    for _ in range(3):
        outside.look(POLICY, after=5)
    assert outside.said == [("dialog", "requested", "app")]
    assert (outside.at(14), outside.at(16)) == ("requested", "requested")
    told = Timeline(consents(outside.lines, LABELS, APP, AT + timedelta(minutes=5)), labels=LABELS)
    assert [told.at(AT + timedelta(seconds=each)).state for each in (15, 16)] == ["requested", "unseen_answer"]


def test_what_a_plan_touches_is_an_answer_that_was_seen(outside):
    outside.look(POLICY)
    outside.tap("Disagree", by="plan")
    outside.look(HOME, since=0.3)
    assert outside.said == [("dialog", "requested", "app"), ("tap", "refused", "user")]
    assert outside.at(60) == "refused"


def test_a_touch_of_a_plan_that_is_no_answer_closes_the_question_without_one(outside):
    on = {"texts": POLICY["texts"], "labels": ["Got it", "Later"]}
    outside.look(on)
    outside.tap("Got it", on=on, by="plan")
    outside.look(HOME, since=0.3)
    assert outside.at(60) == "dismissed"


def test_the_back_key_of_a_plan_closes_it_without_an_answer(outside):
    outside.look(POLICY)
    outside("cancel", POLICY)
    outside.look(HOME, since=0.3)
    assert outside.said[-1] == ("dialog", "dismissed", "user")


def test_choices_that_a_plan_opens_are_the_same_question(outside):
    second = {"texts": ["Choose"], "labels": ["Save choices"], "checks": [{"text": "Analytics", "checked": False}]}
    outside.look({**POLICY, "labels": ["Accept all", "Manage options"]})
    outside.tap("Manage options", on={**POLICY, "labels": ["Accept all", "Manage options"]}, by="plan")
    outside.look(second, since=0.3)
    assert outside.at(3) == "requested"
    outside.tap("Save choices", on=second, by="plan")
    assert outside.said[-1] == ("tap", "refused", "user")


def test_an_app_that_is_left_has_answered_nothing(outside):
    outside.look(POLICY)
    outside.look({"package": "com.android.launcher", **HOME}, since=0.3)
    assert outside.at(60) == "requested"
    outside.look(HOME, after=30)
    assert outside.at(60) == "unseen_answer"


def test_the_buttons_of_a_consent_platform_are_known_by_their_ids(outside):
    on = {"texts": ["Twoja prywatność"], "labels": ["Zgadzam się", "Nie"], "ids": ["didomi-notice-agree-button"]}
    outside.look(on)
    outside.tap("Zgadzam się", on=on, by="plan", id="didomi-notice-agree-button")
    assert outside.said == [("dialog", "requested", "app"), ("tap", "given", "user")]


def test_another_apps_windows_ask_nothing_of_this_one(outside):
    outside.look({"package": "com.android.chrome", **POLICY})
    assert outside.events == []


def test_what_hooks_saw_of_an_answer_is_not_gone_from_outside(screen, outside):
    screen.dialog(id=1, **POLICY)
    outside.look(POLICY, after=1.5)
    screen.tap("Disagree")
    screen.closed(id=1, how="dismiss")
    outside.look(HOME, after=2, since=0.4)
    lines = [*screen.lines, *(each._replace(ref=f"screens.jsonl:{each.number + 50}") for each in outside.lines)]
    told = Timeline(consents(lines, LABELS, APP), labels=LABELS, observed=Observed(APP))
    assert [step.state for step in told.steps()] == ["requested", "refused"]
    assert told.at(AT + timedelta(seconds=60)).state == "refused"


def test_a_word_list_that_has_the_words_reads_an_old_recording_anew(screen):
    on = {"texts": ["Polityka prywatności", "Zbieramy dane."], "labels": ["Zgadzam się", "Odmawiam"]}
    screen.dialog(id=1, **on)
    screen.tap("Odmawiam", on=on)
    assert screen.at(60) == "not_shown"
    more = {"titles": "Polityka prywatności", "agree": "Zgadzam się", "refuse": "Odmawiam"}
    words = {name: {**getattr(LABELS, name), "pl": (word,)} for name, word in more.items()}
    labels = Labels(**{**LABELS.model_dump(), **words})
    told = Timeline(consents(screen.lines, labels, APP), labels=labels, observed=Observed(APP))
    assert [(step.state, step.ref) for step in told.steps()] == [
        ("requested", "screens.jsonl:1"), ("refused", "screens.jsonl:2"),
    ]  # fmt: skip


def test_a_window_that_never_ends_is_read_as_far_as_windows_go(screen):
    screen.dialog(id=1, texts=["Privacy policy", "x " * 10_000, *["nothing"] * 5000], labels=["Agree", *["b"] * 5000])
    screen.tap("Agree", on={"texts": [*["nothing"] * 5000, "Privacy policy"], "labels": ["Agree"]})
    assert screen.said == [("dialog", "requested", "app")]


def many(number, length=20):
    return [f"{'agree ' * (length // 6)}{each}" for each in range(number)]


@pytest.mark.parametrize(
    "windows",
    [
        [{"checks": [{"text": text, "checked": True} for text in many(screens.MOST_ITEMS + 1)]}],
        [{"labels": many(screens.MOST_ITEMS + 1)}],
        [{"texts": ["x" * (screens.MOST_CHARACTERS + 1)]}],
        [{"texts": many(900, 400), "labels": many(900, 400)}],
        [HOME] * (screens.MOST_ITEMS + 1),
        [{"labels": many(900)}] * 30,
    ],
)
def test_of_a_screen_of_thousands_of_boxes_a_part_is_read_and_that_is_known(windows):
    look = Screen(
        at=AT, app=APP, what="look", windows=tuple(made(Window, each) for each in windows), by="host", why="change"
    )
    reader = ScreenReader(LABELS, APP)
    assert reader.leaves_out(look)
    kept, _ = reader.bounded(look)
    texts = [text for each in kept for text in (*each.texts, *each.labels, *each.ids, *(c.text for c in each.checks))]
    assert sum(map(len, texts)) <= screens.MOST_READ
    assert not reader.leaves_out(Screen(at=AT, app=APP, what="look", windows=tuple(kept[:2]), by="host", why="change"))


def test_what_is_asked_is_read_in_spite_of_what_stands_beside_it():
    seen = Outside()
    seen("look", {**POLICY, "texts": [*POLICY["texts"], *many(3000, 400)]})
    assert seen.at(1) == "requested"
    assert seen.reader.leaves_out(seen.lines[-1].event)
    assert not seen.reader.leaves_out(
        Screen(at=AT, app=APP, what="look", windows=(made(Window, POLICY),), by="host", why="change")
    )


def test_words_beside_a_phrase_are_put_in_their_form_once(monkeypatch):
    negations = LABELS.negations
    calls = []
    of = Phrases.of

    def counted(words):
        calls.append(words)
        return of(words)

    monkeypatch.setattr(Phrases, "of", counted)
    for number in range(50):
        negations.turn("a phrase of a test", (f"not a phrase of a test {number}",))
    assert len(calls) == 1
