"""The page of one rule in words that a lawyer can read: what it looks for, why, what to do, whose law it touches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from appwitness.api.reference import Condition, RulePage, Separate
from appwitness.reports.phrases import cited
from appwitness.reports.words import Words

Texts = dict[str, tuple[str, str]]
"""Name -> English and Chinese."""

JUDGES: Texts = {
    "access": ("reads of personal data", "对个人信息的读取"),
    "flow": ("personal data that left the device", "离开设备的个人信息"),
    "consent": ("what the user was asked and answered", "对用户的询问与用户的答复"),
    "claim": ("what the app says of the user's consent", "应用对用户同意情况的声称"),
    "run": ("the run as a whole", "整个运行过程"),
}
CONDITIONS: Texts = {
    "consent": ("the user's consent at that moment: {}", "当时的用户同意状态：{}"),
    "separate": ("the separate consent at that moment ({scope}): {}", "当时的单独同意（{scope}）：{}"),
    "data": ("the kind of data: {}", "数据类型：{}"),
    "phase": ("the app at that moment: {}", "应用当时的状态：{}"),
    "scope": (
        "the kind of data is {} of what the type of app needs (--app-type)",
        "数据类型{}该类应用的必要个人信息范围（--app-type）",
    ),
    "soon_s": (
        "what the user had decided was decided at most {} s before",
        "用户的决定作出于此前 {} 秒之内",
    ),
    "declared": (
        "the maker's declaration says nothing of this kind of data (--policy)",
        "开发者的声明未提及此类数据（--policy）",
    ),
    "recipient_declared": (
        "the maker declares this kind of data, but not for this recipient (--policy)",
        "开发者声明了此类数据，但未声明向该接收方提供（--policy）",
    ),
    "sensitive": ("the kind of data is sensitive by law, whatever its use", "依法属于敏感个人信息（不论用途）"),
    "others": ("it is data about other people than the user", "属于用户以外他人的个人信息"),
    "fixed": ("it is an identifier that the user cannot reset", "属于用户无法重置的标识符"),
    "ordinary": (
        "it is what every app sees of the device and its state, which alone tells of nobody",
        "属于任何应用均可获知的设备信息及状态，单独不足以识别个人",
    ),
    "guessable": (
        "there are so few possible values that a digest is undone by trying",
        "可能的取值很少，其哈希可被穷举还原",
    ),
    "audience": ("the app is made for: {} (--policy)", "应用面向：{}（--policy）"),
    "party": ("the recipient: {}", "接收方：{}"),
    "cleartext": ("the message was sent in cleartext: {}", "以明文发送：{}"),
    "confidence": ("the value was found with a certainty of at least {}", "找到该值的确定度不低于 {}"),
    "record": (
        "the app's own record was by then that there is no consent to it, and no answer of the user was seen since",
        "应用自身的记录当时表明未获同意，且其后未观察到用户的答复",
    ),
    "abroad": (
        "the recipient's country is known and is not where the users are (--territory)",
        "已知接收方所在国家或地区，且不在用户所在地域（--territory）",
    ),
    "hashed": ("it was sent only as digests made without a key", "仅以无密钥的哈希形式发送"),
    "with_": ("the same message also carries: {}", "同一报文还含有：{}"),
    "sent": ("this kind of data was in no message of the run", "该次运行的任何报文中均未出现此类数据"),
    "without": ("nothing in the call stack begins with: {}", "调用栈中没有以下列名称开头的帧：{}"),
    "signal": ("what was observed: {}", "观测到的信号：{}"),
    "status": ("what it said: {}", "其含义：{}"),
    "by": ("said by: {}", "作出者：{}"),
    "label": ("the label that was touched: {}", "所点击的按钮文字：{}"),
    "ticked": ("a box was ticked already: {}", "复选框已预先勾选：{}"),
    "unasked": ("nobody had been prompted for this permission", "此前未就该权限提示过用户"),
    "together": ("permissions of at least {} groups were asked for within one second", "一秒内请求了至少 {} 组权限"),
    "ended_within_s": ("the app ended by itself within {} s", "应用在 {} 秒内自行退出"),
    "purpose": ("no dialog or notice had been shown before", "此前未展示任何弹窗或提示"),
    "answered": (
        "no clear answer to the same question came later in the run",
        "之后的运行中没有对同一问题的明确答复",
    ),
    "earlier_run": (
        "it shows consent of an earlier run, or the run does and nothing was shown in it: this was no clean install",
        "显示的是此前运行的同意，或该次运行含有此类同意且未展示任何内容，即并非全新安装",
    ),
    "says": ("what is claimed: {}", "所声称的内容：{}"),
    "kind": ("the kind of claim: {}", "声称的形式：{}"),
    "on_wire": ("the claim was found in a message that left the device: {}", "该声称出现在离开设备的报文中：{}"),
    "rows": ("entries of at least {} different people went to one recipient", "至少 {} 人的条目发送至同一接收方"),
    "times": ("it happened at least {} times", "至少发生 {} 次"),
    "often": ("one caller read more often than this preset allows: {}", "同一调用方的读取频率超过预设：{}"),
    "never": (
        "no dialog, notice or answer in the whole run, and something was read",
        "整个运行过程中没有弹窗、提示或答复，却有读取",
    ),
}
"""What each condition of a rule file says; {} is what the file asks for."""
VALUES: Texts = {
    "inside": ("inside", "属于"),
    "outside": ("outside", "超出"),
    "background": ("in the background", "在后台"),
    "screen_off": ("with the screen off", "屏幕关闭"),
    "before_start": ("not opened yet (started by itself)", "尚未打开（自启动）"),
    "children": ("children", "儿童"),
    "user": ("the user", "用户"),
    "operator": ("the operator", "操作人"),
    "app": ("the app", "应用"),
    "refuse": ("a no", "拒绝"),
    "basic": ("the basic function only", "仅基本功能"),
    "agree": ("a yes", "同意"),
    "later": ('no answer yet, as "Not now"', "尚未作答，如“以后再说”"),
    "forced": ('a yes under pressure, as "Agree or exit"', "受迫的同意，如“同意(不同意请退出)”"),
    "unticked": ("a yes without ticking the box", "未勾选复选框即同意"),
    "pre_ticked": ("a yes with the box ticked beforehand", "复选框已预先勾选的同意"),
    "bundled": ("one touch that agrees to everything at once", "一次点击同意全部事项"),
    "ambiguous": ('neither yes nor no, as "Got it"', "不构成同意，如“知道了”"),
    "given": ("consent was given", "已同意"),
    "refused": ("consent was refused", "已拒绝"),
    "unknown": ("unclear", "不明"),
}
NEEDS: Texts = {
    "hooks": ("hooks that log reads", "记录读取的钩子"),
    "proxy": ("a capture of what was sent", "对发送内容的捕获"),
    "consent": (
        "that what the user was asked was observed (or --assume-consent)",
        "对征求同意的观测（或 --assume-consent）",
    ),
}
"""Without which a rule does not judge."""
HEADS: Texts = {
    "needs": ("Does not judge without", "缺少下列观测时不作判断"),
    "kinds": ("Finding types", "发现类型"),
    "judges": ("Looks at", "判断对象"),
    "looks": ("Looks for", "判断条件"),
    "level": ("Level", "级别"),
    "where": ("where", "若"),
    "at_most": ("Confidence", "可信度"),
    "up_to": ("at most {}", "最高为{}"),
    "preset": ("Preset", "频率预设"),
    "allows": (
        "more often than {allows} in {window} s; {of} ({source})",
        "{window} 秒内超过 {allows} 次；{of}（{source}）",
    ),
    "no_law": ("no law names a number: it is whose it says", "法律未规定具体数值，以上仅为其来源所述"),
    "why": ("Why", "说明"),
    "remedy": ("Remedy", "整改"),
    "articles": ("Articles", "法条"),
    "besides": ("Also rests on", "其他依据"),
    "state": ("state of the law: {}", "法律状态截至 {}"),
}


def page(known: RulePage, lang: str) -> str:
    """The page in a language, as plain text."""
    return "\n".join(_lines(known, Words(lang)))


def _lines(known: RulePage, words: Words) -> Iterator[str]:
    say, rule = _Say(words), known.rule
    yield f"{rule.id} ({words(f'level_{rule.level}')})"
    yield rule.title[words.lang]
    yield ""
    if known.finding_types:
        kinds = (f"{kind.id} {words.of({'en': kind.en, 'zh': kind.zh})}" for kind in known.finding_types)
        yield say.row("kinds", "; ".join(kinds))
    yield say.row("judges", say.of(JUDGES[rule.on]))
    yield say.row("looks", "")
    for text in say.condition(rule.when):
        yield f"  - {text}"
    yield say.row("level", words(f"level_{rule.level}"))
    for raised in rule.levels:
        asked = words("comma").join(say.condition(raised.when))
        yield f"  - {words(f'level_{raised.level}')}{words('comma')}{say.of(HEADS['where'])} {asked}"
    if rule.needs:
        yield say.row("needs", words("comma").join(say.of(NEEDS[need]) for need in rule.needs))
    yield say.row("at_most", say.of(HEADS["up_to"]).format(words(f"confidence_{rule.at_most}")))
    if preset := known.preset:
        text = say.of(HEADS["allows"]).format(
            allows=preset.allows, window=f"{preset.window_s:g}", of=words.of(preset.of), source=preset.source
        )
        yield say.row("preset", f"{text}; {say.of(HEADS['no_law'])}")
    yield from ("", say.row("why", rule.why[words.lang]), "", say.row("remedy", rule.remedy[words.lang]))
    if known.articles:
        yield ""
        yield f"{say.of(HEADS['articles'])} ({say.of(HEADS['state']).format(known.law_as_of)})"
    for place, articles in known.articles:
        yield f"  {words.of({'en': place.en, 'zh': place.zh})}"
        for article in articles:
            yield f"  - {cited(article, words)}"
            yield f"      {words.of(article.says)}"
    if rule.references:
        yield from ("", say.row("besides", "; ".join(rule.references)))


class _Say:
    """Turns what a rule file says into words of one language."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def of(self, texts: tuple[str, str]) -> str:
        return texts[0] if self._words.lang == "en" else texts[1]

    def row(self, head: str, text: str) -> str:
        return f"{self.of(HEADS[head])}{self._words('colon')}{text}".rstrip()

    def condition(self, condition: Condition) -> list[str]:
        """One text for each name that is asked for."""
        named = ((name, getattr(condition, name)) for name in type(condition).model_fields)
        return [self._one(name, value) for name, value in named if value is not None]

    def _one(self, name: str, value: Any) -> str:
        text = self.of(CONDITIONS[name])
        if isinstance(value, Separate):
            scope = self._words(f"scope_{value.scope}")
            return text.format(self._joined("consent", value.consent), scope=scope)
        if name == "confidence":
            return text.format(f"{value:.0%}")
        if isinstance(value, float):
            return text.format(f"{value:g}")
        if isinstance(value, tuple):
            return text.format(self._joined(name, value))
        return text.format(self._value(name, value))

    def _joined(self, name: str, values: Sequence[str]) -> str:
        return " / ".join(self._value(name, value) for value in values)

    def _value(self, name: str, value: Any) -> str:
        match name:
            case "data" | "with_":
                return self._words.data(value)
            case "consent" | "status":
                return self._words(f"consent_{value}")
            case "party" | "signal":
                return self._words(f"{name}_{value}")
            case _ if value is True or value is False:
                return self.of(("yes", "是") if value else ("no", "否"))
            case _:
                return self.of(VALUES[value]) if value in VALUES else str(value)
