"""The page of one rule in words that a lawyer can read: what it looks for, why, what to do, whose law it touches."""

from __future__ import annotations

from collections.abc import Iterator

from appwitness.api.reference import RulePage, condition_texts
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
    for text in condition_texts(rule.when, words):
        yield f"  - {text}"
    yield say.row("level", words(f"level_{rule.level}"))
    for raised in rule.levels:
        asked = words("comma").join(condition_texts(raised.when, words))
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
