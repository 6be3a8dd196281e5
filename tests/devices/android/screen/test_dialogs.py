"""What a screen asks is read from its hierarchy, whoever made it, and a plan touches the right button."""

from __future__ import annotations

import pytest

from appwitness.devices.android.screen import dialogs, hierarchy
from tests.devices.android.screen.hierarchies import HIERARCHY, dialog, node

APP = "com.example.app"
DISPLAY = (1080, 2400)
AOSP = "com.android.permissioncontroller"
GOOGLE = "com.google.android.permissioncontroller"


def read(xml, *, second=False):
    for seen in dialogs.foremost(hierarchy.windows(hierarchy.parse(xml), DISPLAY)):
        found = dialogs.read(seen, on_second_layer=second)
        if found is not None:
            return found
    return None


def touched(xml, plan, *, second=False):
    """Label of what is touched, the other thing that is done, or None where the screen asks nothing."""
    found = read(xml, second=second)
    if found is None:
        return None
    decision = dialogs.decide(found, plan)
    return decision.button.label if decision.button else decision.act


def permission(message, buttons, package=GOOGLE, ids=AOSP):
    return dialog(message, package=package, buttons={label: f"{ids}:id/{name}" for label, name in buttons.items()})


PERMISSIONS = {
    "7, packageinstaller": (
        permission(
            "Allow Circle to access your contacts?",
            {"Deny": "permission_deny_button", "Allow": "permission_allow_button"},
            "com.google.android.packageinstaller",
            "com.android.packageinstaller",
        ),
        "CONTACTS", "Allow", "Deny",
    ),
    "8, asked again, with a box": (
        dialog(
            "Allow Circle to take pictures and record video?",
            package="com.android.packageinstaller",
            boxes={"Don't ask again": False},
            buttons={
                "DENY": "com.android.packageinstaller:id/permission_deny_button",
                "ALLOW": "com.android.packageinstaller:id/permission_allow_button",
            },
        ),
        "CAMERA", "ALLOW", "DENY",
    ),
    "10, location": (
        permission(
            "Allow Skies to access this device’s location?",
            {
                "Allow all the time": "permission_allow_always_button",
                "Allow only while using the app": "permission_allow_foreground_only_button",
                "Deny": "permission_deny_button",
            },
        ),
        "LOCATION", "Allow only while using the app", "Deny",
    ),
    "11, once": (
        permission(
            "Allow Memo to record audio?",
            {
                "While using the app": "permission_allow_foreground_only_button",
                "Only this time": "permission_allow_one_time_button",
                "Deny": "permission_deny_button",
            },
        ),
        "MICROPHONE", "While using the app", "Deny",
    ),
    "12, precise or approximate": (
        HIERARCHY.format(
            node(
                "",
                node("Allow Skies to access this device’s location?", id="permission_message", package=GOOGLE),
                node("Precise", id=f"{AOSP}:id/permission_location_accuracy_radio_fine", package=GOOGLE,
                     cls="android.widget.RadioButton", clickable=True, checkable=True, checked=True),
                node("Approximate", id=f"{AOSP}:id/permission_location_accuracy_radio_coarse", package=GOOGLE,
                     cls="android.widget.RadioButton", clickable=True, checkable=True),
                node("While using the app", id=f"{AOSP}:id/permission_allow_foreground_only_button", package=GOOGLE,
                     cls="android.widget.Button", clickable=True),
                node("Don’t allow", id=f"{AOSP}:id/permission_deny_button", package=GOOGLE,
                     cls="android.widget.Button", clickable=True),
                package=GOOGLE, at=(60, 700, 1020, 1700),
            )
        ),
        "LOCATION", "While using the app", "Don’t allow",
    ),
    "13, notifications": (
        permission(
            "Allow Circle to send you notifications?",
            {"Allow": "permission_allow_button", "Don’t allow": "permission_deny_button"},
        ),
        "NOTIFICATIONS", "Allow", "Don’t allow",
    ),
    "14, photos": (
        permission(
            "Allow Circle to access photos and videos on this device?",
            {
                "Select photos and videos": "permission_allow_selected_button",
                "Allow all": "permission_allow_all_button",
                "Don’t allow": "permission_deny_button",
            },
        ),
        "READ_MEDIA", "Allow all", "Don’t allow",
    ),
    "11, from while in use to always": (
        permission(
            "Allow Jogger to access this device’s location all the time?",
            {
                "Allow all the time": "permission_allow_always_button",
                "Keep “While the app is in use”": "permission_no_upgrade_button",
            },
        ),
        "ACCESS_BACKGROUND_LOCATION", "Allow all the time", "Keep “While the app is in use”",
    ),
    "asked twice, never again": (
        permission(
            "Allow Circle to make and manage phone calls?",
            {"Allow": "permission_allow_button", "Don’t allow": "permission_deny_and_dont_ask_again_button"},
        ),
        "PHONE", "Allow", "Don’t allow",
    ),
    "OneUI": (
        permission(
            "Allow Circle to access your calendar?",
            {"Allow": "permission_allow_button", "Don't allow": "permission_deny_button"},
            "com.samsung.android.permissioncontroller",
            "com.android.permissioncontroller",
        ),
        "CALENDAR", "Allow", "Don't allow",
    ),
    "MIUI": (
        permission(
            "是否允许“圈子”访问联系人？",
            {
                "拒绝": "permission_deny_button_2",
                "本次运行允许": "permission_allow_onetime_button",
                "仅在使用中允许": "permission_allow_foreground_only_button",
            },
            "com.lbe.security.miui",
            "com.lbe.security.miui",
        ),
        "CONTACTS", "仅在使用中允许", "拒绝",
    ),
    "MIUI, without ids": (
        dialog("获取位置信息", package="com.lbe.security.miui", buttons={"拒绝": "", "仅在使用中允许": ""}),
        "LOCATION", "仅在使用中允许", "拒绝",
    ),
    "EMUI": (
        dialog(
            "是否允许“圈子”读取通话记录？", package="com.huawei.systemmanager",
            buttons={
                "禁止": "com.huawei.systemmanager:id/btn_forbbid", "允许": "com.huawei.systemmanager:id/btn_allow",
            },
        ),
        "CALL_LOG", "允许", "禁止",
    ),
    "ColorOS": (
        dialog(
            "是否允许“圈子”拍摄照片和录制视频？", package="com.oplus.securitypermission",
            buttons={"使用时允许": "android:id/button1", "拒绝": "android:id/button2"},
        ),
        "CAMERA", "使用时允许", "拒绝",
    ),
    "Vivo": (
        dialog(
            "是否允许“圈子”发送短信？", package="com.vivo.permissionmanager", buttons={"允许": "", "不允许": ""},
        ),
        "SMS", "允许", "不允许",
    ),
    "German": (
        permission(
            "Zulassen, dass Kreis auf deine Kontakte zugreift?",
            {"Zulassen": "permission_allow_button", "Nicht zulassen": "permission_deny_button"},
        ),
        "CONTACTS", "Zulassen", "Nicht zulassen",
    ),
    "Japanese, by a maker's dialog": (
        dialog(
            "位置情報へのアクセスを許可しますか？", package="com.android.settings",
            buttons={"許可": "", "許可しない": ""},
        ),
        "LOCATION", "許可", "許可しない",
    ),
    "of something unknown": (
        permission("Allow Circle to fly?", {"Allow": "permission_allow_button", "Deny": "permission_deny_button"}),
        None, "Allow", "Deny",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PERMISSIONS)
def test_a_question_about_a_permission(name):
    xml, group, accepts, refuses = PERMISSIONS[name]
    found = read(xml)
    assert found is not None
    assert (found.kind, found.group and found.group.name) == ("permission", group)
    assert touched(xml, "accept") == accepts
    assert touched(xml, "withdraw") == accepts
    assert touched(xml, "refuse") == refuses
    assert touched(xml, "silent") == "leave"


ASKING = "We and our partners use your personal data."
CONSENTS = {
    "a pair": (dialog("Privacy policy", ASKING, buttons={"Agree": "", "Disagree": ""}), "Agree", "Disagree"),
    "the clearest no": (
        dialog("Your privacy", ASKING, buttons={"Accept all": "", "Necessary only": "", "Reject all": ""}),
        "Accept all", "Reject all",
    ),
    "necessary only": (
        dialog("Your privacy", ASKING, buttons={"Accept all": "", "Necessary only": ""}),
        "Accept all", "Necessary only",
    ),
    "no way to refuse but the second layer": (
        dialog("Your privacy", ASKING, buttons={"Manage options": "", "Consent": ""}), "Consent", "Manage options",
    ),
    "no way to refuse at all": (dialog("Privacy policy", ASKING, buttons={"I agree": ""}), "I agree", "back"),
    "put off": (dialog("Privacy policy", ASKING, buttons={"Accept": "", "Not now": ""}), "Accept", "Not now"),
    "guest": (
        dialog("隐私政策", "请阅读《隐私政策》", buttons={"同意并继续": "", "仅浏览": ""}), "同意并继续", "仅浏览",
    ),
    "Chinese": (
        dialog(
            "用户协议和隐私政策", "请你务必审慎阅读《用户协议》和《隐私政策》",
            buttons={"不同意并退出": "", "同意": ""},
        ),
        "同意", "不同意并退出",
    ),
    "a box first": (
        dialog("Privacy policy", ASKING, boxes={"I have read and agree": False}, buttons={"Agree": "", "Exit": ""}),
        "I have read and agree", "Exit",
    ),
    "OneTrust": (
        dialog(
            "Cookies", "Text of theirs.",
            buttons={
                "Alles klar": "com.a:id/btn_accept_cookies", "Nö": "com.a:id/btn_reject_cookies",
                "Mehr": "com.a:id/cookies_setting_button",
            },
        ),
        "Alles klar", "Nö",
    ),
    "OneTrust without a reject button": (
        dialog("x", buttons={"Fine": "com.a:id/btn_accept_cookies", "Which": "com.a:id/cookies_setting_button"}),
        "Fine", "Which",
    ),
    "Didomi in a web page": (
        HIERARCHY.format(
            node("", node("", node("Consent", cls="android.view.View"),
                 node("OK then", cls="android.widget.Button", clickable=True, id="didomi-notice-agree-button"),
                 node("Never", cls="android.widget.Button", clickable=True, id="didomi-notice-disagree-button"),
                 cls="android.webkit.WebView", at=(0, 0, 1080, 2400)), at=(0, 0, 1080, 2400))
        ),
        "OK then", "Never",
    ),
    "Cookiebot in a web page": (
        dialog(
            "This site uses cookies", full=True,
            buttons={
                "Go": "CybotCookiebotDialogBodyLevelButtonLevelOptinAllowAll",
                "No go": "CybotCookiebotDialogBodyButtonDecline",
            },
        ),
        "Go", "No go",
    ),
    "Google UMP, a web page without ids": (
        HIERARCHY.format(
            node("", node("", node("App asks for your consent to use your personal data to:", cls="android.view.View"),
                 node("Personalised advertising, with our partners", cls="android.view.View"),
                 node("Consent", cls="android.widget.Button", clickable=True),
                 node("Do not consent", cls="android.widget.Button", clickable=True),
                 node("Manage options", cls="android.widget.Button", clickable=True),
                 cls="android.webkit.WebView", at=(0, 0, 1080, 2400)), at=(0, 0, 1080, 2400))
        ),
        "Consent", "Do not consent",
    ),
    "Usercentrics, whose buttons share ids": (
        dialog("Privacy", ASKING, buttons={"Accept All": "com.a:id/ucButtonText", "Deny": "com.a:id/ucButtonText"}),
        "Accept All", "Deny",
    ),
    "Compose: the label is in a child": (
        HIERARCHY.format(
            node("", node("Your privacy", cls="android.widget.TextView"), node(ASKING),
                 node("", node("Accept all"), cls="android.view.View", clickable=True, at=(0, 900, 1080, 1000)),
                 node("", node("Reject all"), cls="android.view.View", clickable=True, at=(0, 1000, 1080, 1100)),
                 cls="androidx.compose.ui.platform.ComposeView", clickable=True, at=(0, 0, 1080, 2400))
        ),
        "Accept all", "Reject all",
    ),
    "Flutter: descriptions, in lines": (
        HIERARCHY.format(
            node("", node("", description=f"Privacy policy\n{ASKING}", cls="android.view.View"),
                 node("", description="Agree", cls="android.view.View", clickable=True, at=(0, 900, 1080, 1000)),
                 node("", description="Decline", cls="android.view.View", clickable=True, at=(0, 1000, 1080, 1100)),
                 cls="android.view.View", at=(0, 0, 1080, 2400))
        ),
        "Agree", "Decline",
    ),
    "de": (
        dialog("Wir schätzen Ihre Privatsphäre", "Wir und unsere Partner verarbeiten personenbezogene Daten.",
               buttons={"Alle akzeptieren": "", "Alle ablehnen": "", "Einstellungen": ""}),
        "Alle akzeptieren", "Alle ablehnen",
    ),
    "fr": (
        dialog("Votre vie privée", "Nos partenaires traitent vos données personnelles.",
               buttons={"Tout accepter": "", "Continuer sans accepter": ""}),
        "Tout accepter", "Continuer sans accepter",
    ),
    "ja": (
        dialog("プライバシーポリシー", "個人情報を取り扱います", buttons={"同意する": "", "同意しない": ""}),
        "同意する", "同意しない",
    ),
    "ko": (dialog("개인정보 처리방침", "개인정보를 수집합니다", buttons={"동의": "", "거부": ""}), "동의", "거부"),
    "es": (dialog("Tu privacidad", "Tratamos datos personales.", buttons={"Aceptar todo": "", "Rechazar todo": ""}),
           "Aceptar todo", "Rechazar todo"),
    "pt": (dialog("Sua privacidade", "Tratamos dados pessoais.", buttons={"Aceitar tudo": "", "Rejeitar": ""}),
           "Aceitar tudo", "Rejeitar"),
    "it": (dialog("La tua privacy", "Trattiamo dati personali.", buttons={"Accetta tutto": "", "Rifiuta tutto": ""}),
           "Accetta tutto", "Rifiuta tutto"),
    "ru": (dialog("Политика конфиденциальности", "Обработка персональных данных",
                  buttons={"Принять": "", "Отклонить": ""}),
           "Принять", "Отклонить"),
    "ar": (dialog("سياسة الخصوصية", "نعالج بياناتك الشخصية", buttons={"أوافق": "", "رفض": ""}), "أوافق", "رفض"),
    "hi": (dialog("गोपनीयता नीति", "हम व्यक्तिगत डेटा लेते हैं", buttons={"सहमत": "", "असहमत": ""}), "सहमत", "असहमत"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONSENTS)
def test_a_consent_dialog(name):
    xml, accepts, refuses = CONSENTS[name]
    found = read(xml)
    assert found is not None
    assert found.kind == "consent"
    assert touched(xml, "accept") == accepts
    assert touched(xml, "refuse") == refuses
    assert touched(xml, "silent") == "leave"
    assert touched(xml, "free") == "leave"


SECOND = {
    "reject all": (dialog("Purposes", boxes={"Ads": True}, buttons={"Reject all": "", "Save": ""}), "Reject all"),
    "a choice that is on": (dialog("Purposes", boxes={"Ads": True, "X": False}, buttons={"Save": ""}), "Ads"),
    "all off": (
        dialog("Purposes", boxes={"Ads": False}, buttons={"Accept all": "", "Confirm choices": ""}),
        "Confirm choices",
    ),
    "no more than a text": (dialog("About us", buttons={"Close": ""}, full=True), None),
}


@pytest.mark.parametrize("name", SECOND)
def test_the_second_layer(name):
    xml, refuses = SECOND[name]
    assert touched(xml, "refuse", second=True) == refuses


OTHERS = {
    "a screen of the app": (dialog("Circle", buttons={"Feed": "", "Accept": ""}, full=True), None, None),
    "a dialog of the app": (dialog("How do you like it?", buttons={"Later": "", "Five stars": ""}), "other", "Later"),
    "one without a way out": (dialog("New version", buttons={"Update": ""}), "other", "back"),
    "it does not respond": (
        dialog("Circle isn't responding", package="android",
               buttons={"Close app": "android:id/aerr_close", "Wait": "android:id/aerr_wait"}),
        "system", "Wait",
    ),
    "it has stopped": (
        dialog("Circle has stopped", package="android", buttons={"Close app": "android:id/aerr_close"}),
        "system", "Close app",
    ),
    "the words of a permission in an app's own name": (
        dialog("Let us see your contacts?", buttons={"Allow": "", "Deny": ""}), "other", "Deny",
    ),
    "nothing": (HIERARCHY.format(""), None, None),
    "the status bar": (dialog("12:00", package="com.android.systemui", buttons={"Wi-Fi": ""}, full=True), None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_question_of_consent(name):
    xml, kind, does = OTHERS[name]
    found = read(xml)
    assert (found and found.kind) == kind
    assert touched(xml, "accept") == touched(xml, "refuse") == does


def test_a_question_about_a_permission_comes_first_whatever_the_order():
    app = node(
        "", node("Agree", clickable=True, cls="android.widget.Button"), node("Privacy policy"), at=(0, 0, 1080, 2400)
    )
    bar = node("", node("12:00"), package="com.android.systemui", at=(0, 0, 1080, 80))
    asks = permission("Allow it?", {"Allow": "permission_allow_button", "Deny": "permission_deny_button"})
    inner = asks.partition('<hierarchy rotation="0">')[2].removesuffix("</hierarchy>")
    for order in (app + inner + bar, bar + inner + app, inner + app + bar):
        found = read(HIERARCHY.format(order))
        assert found is not None
        assert found.kind == "permission"


HOSTILE = {
    "no XML": "UI hierchary dumped to: /dev/tty",
    "empty": "",
    "cut": '<hierarchy><node text="a"',
    "a bomb": '<!DOCTYPE h [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><hierarchy><node text="&b;"/></hierarchy>',
    "a file": '<!DOCTYPE h [<!ENTITY x SYSTEM "file:///etc/passwd">]><hierarchy><node text="&x;"/></hierarchy>',
    "too deep": "<hierarchy>" + '<node text="a">' * 2000 + "</node>" * 2000 + "</hierarchy>",
    "too many": "<hierarchy>" + '<node text="a"/>' * 20_000 + "</hierarchy>",
    "too large": "<hierarchy>" + " " * (9 << 20) + "</hierarchy>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_hierarchy_is_refused(name):
    with pytest.raises(hierarchy.BadTree):
        hierarchy.parse(HOSTILE[name])


@pytest.mark.parametrize(
    "bounds", ["", "[0,0][0,0]", "[9,9][1,1]", "[-5,-5][-1,-1]x", "[99999999999,0][1,1]", "no bounds"]
)
def test_what_has_no_place_on_the_screen_is_not_touched(bounds):
    xml = dialog("Privacy policy", ASKING, buttons={"Disagree": "", "Agree": ""})
    before, after = xml.split('text="Agree"')
    hidden = 'text="Agree"' + after.replace(
        after[after.index('bounds="') : after.index('" />')], f'bounds="{bounds}', 1
    )
    assert touched(before + hidden, "accept") != "Agree"


def test_a_long_text_is_cut_and_a_long_label_is_no_button_of_consent():
    xml = dialog("Privacy policy", "a" * 100_000, buttons={"Agree " * 50: "", "Disagree": ""})
    found = read(xml)
    assert found is not None
    assert max(map(len, found.seen.texts)) <= hierarchy.MOST_CHARACTERS
    assert touched(xml, "accept") == "back"


@pytest.mark.parametrize(
    ("xml", "gone", "path", "next_"),
    [
        (dialog("Circle", buttons={"Settings": "", "Feed": ""}, full=True), (), (), "Settings"),
        (
            dialog("Circle", buttons={"More": "", "Privacy settings": "", "Settings": ""}, full=True),
            (),
            (),
            "Privacy settings",
        ),
        (
            dialog("Privacy", buttons={"Privacy settings": "", "Withdraw consent": ""}, full=True),
            (),
            (),
            "Withdraw consent",
        ),
        (dialog("我的", buttons={"设置": "", "首页": ""}, full=True), (), (), "设置"),
        (dialog("Circle", buttons={"Settings": "", "Feed": ""}, full=True), ("Settings",), (), None),
        (dialog("Circle", buttons={"Settings": "", "Gear": ""}, full=True), (), ("Gear", "Stop it"), "Gear"),
        (dialog("Circle", buttons={"Feed": ""}, full=True), (), (), None),
    ],
)
def test_the_way_to_where_consent_is_taken_back(xml, gone, path, next_):
    (seen,) = hierarchy.windows(hierarchy.parse(xml), DISPLAY)
    found = dialogs.way_back(seen, gone, path)
    assert (found and found.label) == next_


def test_the_groups_of_dialogs_have_permissions_that_the_catalog_knows():
    from appwitness.agent.consent_signals import load

    words = load()
    assert [group.name for group in dialogs.known().permission.groups] == list(words.permission_groups)
    for name, members in words.permission_groups.items():
        if name != "NOTIFICATIONS":
            assert {f"android.permission.{member}" for member in members} <= set(words.permissions), name


@pytest.mark.parametrize("number", [100, 2400])
def test_what_stands_beside_thousands_of_boxes_is_read_once(monkeypatch, number):
    row = [part for each in range(number) for part in (node("x" * 400), node("", checkable=True))]
    tree = hierarchy.parse(HIERARCHY.format(node("", *row)))
    walks = []
    under = hierarchy.Tree.under

    def counted(self, at):
        walks.append(at)
        return under(self, at)

    monkeypatch.setattr(hierarchy.Tree, "under", counted)
    (seen,) = hierarchy.windows(tree, DISPLAY)
    assert len(seen.boxes) == number
    assert len(walks) < 10
    assert sum(len(box.label) for box in seen.boxes) <= number * hierarchy.MOST_BESIDE
