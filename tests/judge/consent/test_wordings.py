"""What labels, switches and dialogs say in nine languages, by tables that were written apart from the catalog."""

from datetime import UTC, datetime, timedelta

import pytest

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels
from appwitness.events import Check, Consent
from appwitness.events.seen import see
from appwitness.judge.consent import Observed, Timeline, consents
from tests.judge.consent.test_screens import Hooks

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
LABELS = yaml_files.parse(yaml_files.HERE / "consent.yml", Labels)

YES = """
同意 | 我同意 | 同意并继续使用 | 接受全部Cookie | Agree to all | I accept | Yes, I agree | Allow all cookies
Alle akzeptieren | Ich stimme zu | Tout accepter | Je suis d'accord | Accetta tutti | Aceptar todas
Aceitar tudo | 同意する | すべて同意する | 모두 동의 | 동의하고 시작하기 | Accept and close
Accepter et fermer | Akzeptieren und schließen
"""
UNDER_PRESSURE = """
不同意上述条款无法使用，我同意 | 我同意，不同意将无法继续使用本应用 | 如不同意请卸载本应用，同意
同意（拒绝将无法使用） | 已阅读并同意，否则无法使用 | 必须同意才能继续 | 不同意则不能使用，我已知晓并同意
I agree (otherwise you cannot use the app) | If you do not agree, the app will close. Agree
You cannot use the app unless you agree | Disagree and the app will close. I agree | Accept or quit
Zustimmen oder App beenden | Accepter ou quitter | Aceptar o salir | Accetta o esci | Aceitar ou sair
同意する(同意しない場合は終了します) | 동의(동의하지 않으면 앱이 종료됩니다)
"""
NO_YES = """
Accept none | Agree to none | I agree to nothing | 无需同意，直接进入 | 不必同意直接使用
Continue without accepting | Continue without consenting | No need to agree, continue | I can't agree
I cannot accept this | I will not agree | Never agree | I don't want to accept | 不想同意 | 不愿意接受
我不能同意 | 无法接受 | 请勿同意 | 不再同意 | Weiter ohne Zustimmung | Weiter ohne Einwilligung
Ich stimme nicht zu | Nicht einverstanden | Keine akzeptieren | Continuer sans consentir | Je n'accepte pas
N'accepter aucun | Pas d'accord | Continuar sin consentir | No consiento | No estoy de acuerdo
Aceptar ninguna | Continua senza acconsentire | Non sono d'accordo | Accetta nessuno | Continuar sem consentir
Não consinto | Aceitar nenhum | 同意せずに続ける | 同意なしで続行 | 同意できない | 동의 없이 계속
동의하지 않고 계속 | 동의 안함 | 수락하지 않음 | Only strictly necessary | Accept only necessary cookies
Akzeptiere nur notwendige Cookies | Uniquement les cookies nécessaires | Solo cookies necesarias
Solo cookie tecnici | Apenas essenciais | 必要なCookieのみ | 필수 쿠키만 허용 | 不不同意 | Don't reject
I do not decline | 不拒绝 | 并非不同意 | 没有不同意 | Nicht ablehnen | Ne pas refuser | No rechazar
Non rifiutare | Não recusar | 拒否しない | 거부하지 않음
未经同意 | 仅同意基本功能 | 只同意基本功能
"""
"""Whatever else these are, and some are a no, none of them is a yes."""
NO = """
不同意 | 我不同意 | 全部拒绝 | Reject all cookies | I do not agree | No, reject | No, decline all
Ne rien accepter | Rien accepter | Aucun accepter | Keinen Cookies zustimmen | Nichts zustimmen | Nada aceptar
Nulla accetto | Niente accettare | Nada aceitar | Ninguna acepto
Accept none | Alle Cookies ablehnen | Nein, ablehnen | Tout refuser | Non, refuser | Rechazar todas
No, rechazar | Rifiuta tutti | No, rifiuta | Recusar tudo | Não, recusar | すべて拒否する | 모두 거부
Je refuse | Continue without accepting | 不想同意 | Never agree | Alles ablehnen | Rejeter tout | Denegar todo
Nega tutto | Negar tudo
"""
NO_NO = """
Don't reject | I do not decline | 不拒绝 | 并非不同意 | 没有不同意 | Nicht ablehnen | Ne pas refuser
No rechazar | Non rifiutare | Não recusar | 拒否しない | 거부하지 않음 | 无需同意，直接进入
No need to agree, continue
"""
"""Double negatives, and what nobody was asked to decide: no refusal."""
OPTS_OUT = """
关闭个性化广告 | 禁用个性化广告 | 限制广告跟踪 | 不允许广告跟踪 | 拒绝个性化广告 | 不向我展示个性化广告
停止定向广告 | 退出个性化广告 | Disable personalised ads | Limit ad tracking | Opt out of personalized ads
Opt-out of interest-based ads | Do not sell my data | Do Not Sell My Personal Information
Do Not Sell or Share My Personal Information | Turn off ad personalization | Don't use my advertising ID
No targeted advertising | Block ad tracking | Non-personalised ads only | Opt out of sale
Personalisierte Werbung deaktivieren | Keine personalisierte Werbung | Ad-Tracking einschränken
Personalisierte Anzeigen ausschalten | Désactiver les publicités personnalisées
Limiter le suivi publicitaire | Ne pas vendre mes données | S'opposer à la publicité ciblée
Desactivar anuncios personalizados | No vender mis datos | Limitar el seguimiento de anuncios
Disattiva annunci personalizzati | Non vendere i miei dati | Limita il tracciamento pubblicitario
Desativar anúncios personalizados | Não vender meus dados | Limitar rastreamento de anúncios
パーソナライズド広告をオフにする | 広告トラッキングを制限する | パーソナライズ広告を許可しない
関心に基づく広告を無効にする | 関心に基づく広告を表示しない | 관심 기반 광고 끄기 | 关闭基于兴趣的广告
Gepersonaliseerde advertenties uitschakelen | Wyłącz spersonalizowane reklamy | Stäng av anpassade annonser
Kişiselleştirilmiş reklamları kapat | Tắt quảng cáo được cá nhân hóa | Nonaktifkan iklan yang dipersonalisasi
إيقاف الإعلانات المخصصة
個人情報を販売しない | 맞춤형 광고 끄기 | 광고 추적 제한 | 맞춤 광고 사용 안함 | 개인정보 판매 거부
"""
OPTS_IN = """
个性化广告 | 允许个性化广告 | 开启个性化广告 | 不限制广告跟踪 | 不关闭个性化广告 | Personalised ads
Allow ad tracking | Enable targeted advertising | Do not limit ad tracking | Don't disable personalised ads
You may sell my data | Personalisierte Werbung | Personalisierte Werbung nicht deaktivieren
Publicités personnalisées | Ne pas limiter le suivi publicitaire | Anuncios personalizados
No limitar el seguimiento de anuncios | Annunci personalizzati | Non disattivare gli annunci personalizzati
Anúncios personalizados | パーソナライズド広告 | 広告トラッキングを制限しない | 맞춤형 광고
광고 추적을 제한하지 않음 | 関心に基づく広告 | Gepersonaliseerde advertenties | Spersonalizowane reklamy
"""
WITHDRAWS = [
    ("Withdraw consent", "Withdraw consent?", "Cancel", "Withdraw"),
    ("撤回同意", "确定要撤回同意吗？", "再想想", "确认撤回"),
    ("撤回授权", "提示", "取消", "确定"),
    ("注销账号", "注销账号后数据将被删除", "我再想想", "确认注销"),
    ("Einwilligung widerrufen", "Wirklich?", "Abbrechen", "Ja"),
    ("Retirer mon consentement", "Confirmation", "Annuler", "Confirmer"),
    ("Retirar consentimiento", "¿Está seguro?", "Cancelar", "Sí"),
    ("Revoca consenso", "Sei sicuro?", "Annulla", "Conferma"),
    ("Retirar consentimento", "Tem certeza?", "Cancelar", "Sim"),
    ("同意を撤回する", "確認", "キャンセル", "撤回する"),
    ("동의 철회", "동의를 철회하시겠습니까?", "취소", "철회하기"),
]


def labels(table):
    return [label.strip() for line in table.strip().splitlines() for label in line.split("|")]


def touched(label, status="given", **fields):
    """The states of the policy and of advertising, and why, after a question and a touch on the label."""
    lines = [
        Consent(at=START, signal="dialog", status="requested", by="app"),
        Consent(at=START + timedelta(seconds=1), signal="tap", status=status, by="user", text=label, **fields),
    ]
    told = Timeline([see(f"consents.jsonl:{number}", line, 0) for number, line in enumerate(lines, 1)], labels=LABELS)
    later = START + timedelta(seconds=2)
    return told.at(later).state, told.at(later, scope="ads_tracking").state, told.readings()[-1].why


def test_the_tables_are_long():
    assert sum(len(labels(table)) for table in (YES, UNDER_PRESSURE, NO_YES, NO, NO_NO, OPTS_OUT, OPTS_IN)) > 220


@pytest.mark.parametrize("label", labels(YES))
def test_a_yes(label):
    assert touched(label)[0] == "given"
    assert not LABELS.forces(label)


@pytest.mark.parametrize("label", labels(UNDER_PRESSURE))
def test_a_yes_under_pressure_is_told_as_one(label):
    assert touched(label) == ("given", "not_shown", "forced")


@pytest.mark.parametrize("label", labels(NO_YES))
def test_no_yes(label):
    assert touched(label)[0] in {"refused", "dismissed", "requested", "basic_only"}
    assert not LABELS.forces(label)


@pytest.mark.parametrize("label", labels(NO))
def test_a_no(label):
    assert touched(label)[0] == touched(label, "refused")[0] == "refused"


@pytest.mark.parametrize("label", labels(NO_NO))
def test_no_refusal(label):
    assert touched(label)[0] != "refused"


@pytest.mark.parametrize("label", labels(OPTS_OUT))
def test_an_opt_out_on_is_a_no_and_off_a_yes_and_neither_is_about_the_policy(label):
    assert not LABELS.allows(Check(text=label, checked=True))
    assert LABELS.allows(Check(text=label, checked=False))
    screen, on = Hooks(), {"texts": ["Settings"], "labels": [], "checks": [{"text": label, "checked": False}]}
    screen.tap(label, on=on, ticked=False)
    assert [(line.status, line.scope) for line in screen.events] == [("refused", "ads_tracking")]
    screen.tap(label, on=on, ticked=True)
    assert [(line.status, line.scope) for line in screen.events][1:] == [("given", "ads_tracking")]
    assert screen.at(9) == "not_shown"
    for status in ("given", "refused", "withdrawn"):
        assert touched(label, status)[:2] == ("requested", "withdrawn" if status == "withdrawn" else "refused")


@pytest.mark.parametrize("label", labels(OPTS_IN))
def test_what_lets_it_happen_on_is_a_yes_and_off_a_no(label):
    assert LABELS.allows(Check(text=label, checked=True))
    assert not LABELS.allows(Check(text=label, checked=False))


@pytest.mark.parametrize("label", ["关闭个性化广告", "Limit ad tracking", "Werbetracking begrenzen"])
def test_an_opt_out_beside_the_buttons_of_a_question(label):
    def saved(shown, checked, button):
        screen, box = Hooks(), {"text": label, "checked": checked}
        on = {"texts": ["Privacy policy", "..."], "labels": ["Save selection", "Accept all"], "checks": [box]}
        screen.dialog(id=1, **{**on, "checks": [{**box, "checked": shown}]})
        screen.tap(button, on=on)
        return screen.at(9, "ads_tracking")

    assert saved(False, True, "Save selection") == "refused"
    assert saved(True, False, "Save selection") == "given"
    assert saved(True, True, "Accept all") == "given"


def test_an_opt_out_that_was_left_off_is_no_yes():
    screen, box = Hooks(), {"text": "Limit ad tracking", "checked": False}
    on = {"texts": ["Privacy policy", "..."], "labels": ["Save selection", "Reject all"], "checks": [box]}
    screen.dialog(id=1, **on)
    screen.tap("Save selection", on=on)
    assert screen.at(9, "ads_tracking") == "requested"


@pytest.mark.parametrize(
    "label", [opener for opener, *_ in WITHDRAWS] + ["Withdraw my consent now", "I withdraw my consent"]
)
def test_what_takes_consent_back_is_no_yes(label):
    assert LABELS.choice(label) != "agree"
    assert touched(label)[0] != "given"


@pytest.mark.parametrize(
    "label",
    [
        "同意（可随时撤回同意）",
        "Agree (you can withdraw consent at any time)",
        "Accepter (retirer le consentement ici)",
    ],
)
def test_a_yes_that_says_how_to_take_it_back_is_a_yes(label):
    assert LABELS.choice(label) in ("agree", None)
    assert touched(label)[0] == "given"


# Withdrawals: opened, cancelled, confirmed.


def asked_back(opener, heading, cancel, confirm, *, kind="dialog"):
    screen = Hooks()
    screen.dialog(id=1, texts=["Privacy policy", "..."], labels=["Agree", "Disagree"])
    screen.tap("Agree")
    screen.closed(id=1, how="dismiss")
    screen.tap(opener, on={"texts": ["Settings"], "labels": [opener, "About"]})
    on = {"texts": [heading, "Some features will stop."], "labels": [cancel, confirm]}
    if kind == "dialog":
        screen.dialog(id=2, **on)
    else:
        screen.page(**on)
    return screen, on


def lines_of(screen):
    """What the screens say, as lines of consents.jsonl."""
    return [see(f"consents.jsonl:{n}", line, 0) for n, line in enumerate(screen.events, 1)]


@pytest.mark.parametrize("kind", ["dialog", "page"])
@pytest.mark.parametrize(("opener", "heading", "cancel", "confirm"), WITHDRAWS)
def test_a_withdrawal_counts_when_it_is_confirmed(opener, heading, cancel, confirm, kind):
    screen, on = asked_back(opener, heading, cancel, confirm, kind=kind)
    assert screen.at(60) == "given"
    screen.tap(cancel, on=on)
    assert screen.at(60) == "given"
    screen, on = asked_back(opener, heading, cancel, confirm, kind=kind)
    screen.tap(confirm, on=on)
    assert (screen.at(5.5), screen.at(6)) == ("given", "withdrawn")
    told = Timeline(lines_of(screen), labels=LABELS, observed=Observed("com.example"))
    assert told.at(screen.now).state == "withdrawn"


@pytest.mark.parametrize("how", ["cancel", "dismiss", None])
def test_a_question_about_taking_back_that_is_left_takes_nothing_back(how):
    screen, _ = asked_back("Withdraw consent", "Are you sure?", "Cancel", "Withdraw")
    if how:
        screen.closed(id=2, how=how)
    assert screen.at(60) == "given"
    said = [(line.signal, line.status) for line in screen.events[-1:]]
    assert said == [("dialog", {"cancel": "dismissed", "dismiss": "gone", None: "requested"}[how])]


@pytest.mark.parametrize(("opener", "heading", "cancel", "confirm"), WITHDRAWS)
@pytest.mark.parametrize("status", ["dismissed", "refused", "withdrawn"])
def test_a_withdrawal_that_is_cancelled_in_lines_of_consent(opener, heading, cancel, confirm, status):
    def line(second, status, text, signal="tap", by="user"):
        return Consent(at=START + timedelta(seconds=second), signal=signal, status=status, by=by, text=text)

    yes, opened = line(1, "given", "Agree"), line(10, "withdrawn", opener)
    ask, cancelled = line(11, "requested", f"{opener}?", "dialog", "app"), line(13, status, cancel)
    confirmed = line(13, "given", confirm)
    for lines in ([yes, opened, ask, cancelled], [yes, opened, cancelled]):
        told = Timeline([see(f"consents.jsonl:{n}", each, 0) for n, each in enumerate(lines, 1)], labels=LABELS)
        assert [told.at(START + timedelta(seconds=second)).state for second in (5, 12, 20)] == ["given"] * 3
    lines = [yes, opened, ask, confirmed]
    told = Timeline([see(f"consents.jsonl:{n}", each, 0) for n, each in enumerate(lines, 1)], labels=LABELS)
    assert [told.at(START + timedelta(seconds=second)).state for second in (12, 20)] == ["given", "withdrawn"]


def test_a_withdrawal_without_a_question_counts_at_once():
    screen = Hooks()
    screen.tap("Agree")
    screen.tap("Withdraw consent", on={"texts": ["Settings"], "labels": ["Withdraw consent"]})
    screen.dialog(id=3, texts=["Your consent has been withdrawn."], labels=["OK"])
    assert screen.at(2) == screen.at(60) == "withdrawn"


# Two observers.


def test_two_observers_that_contradict_each_other_are_told():
    def line(second, status, text, **fields):
        return Consent(**{"signal": "tap", "by": "user", "text": text, **fields}, status=status, at=START + second)

    second = timedelta(seconds=1)
    tap = line(second, "refused", "Disagree")
    others = [
        line(2 * second, "given", None, signal="operator", by="operator"),
        line(2 * second, "given", "Agree", clock="host"),
    ]
    for other in others:
        told = Timeline([see(f"consents.jsonl:{n}", each, 0) for n, each in enumerate((tap, other), 1)], labels=LABELS)
        assert [(reading.ref, ref) for reading, ref in told.contradictions()] == [
            ("consents.jsonl:1", "consents.jsonl:2")
        ]
        assert told.against((now := told.at(START + 3 * second)).ref, now.state) == ("consents.jsonl:1",)
    agreeing = line(2 * second, "refused", None, signal="operator", by="operator")
    assert not Timeline([see("consents.jsonl:1", tap, 0), see("consents.jsonl:2", agreeing, 0)]).contradictions()


def test_a_button_whose_id_and_label_contradict_each_other_is_no_answer():
    screen = Hooks()
    on = {"texts": ["Privacy policy"], "labels": ["Reject all"], "ids": ["onetrust-banner-sdk"]}
    screen.tap("Reject all", on=on, id="onetrust-accept-btn-handler")
    assert screen.said == [("tap", "requested", "user")]


def test_screens_and_lines_are_read_alike():
    screen, on = asked_back("撤回同意", "提示", "取消", "确定")
    screen.tap("取消", on=on)
    told = Timeline(consents(screen.lines, LABELS, "com.example"), labels=LABELS, observed=Observed("com.example"))
    assert told.at(screen.now).state == "given"
