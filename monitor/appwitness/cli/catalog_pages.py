"""The pages of one rule and of one source, as `list rules` and `list sources` show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from appwitness.api.hooked_apis import (
    Binder,
    Cover,
    FollowSpec,
    HookedEntry,
    HookedPage,
    NativeRoute,
    Source,
    ValueSpec,
)
from appwitness.api.reference import RulePage, condition_texts
from appwitness.reports.phrases import cited
from appwitness.reports.words import Words
from appwitness.support import site

WIDTH = 13
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
        "an observation of what the user was asked (or --assume-consent)",
        "对征求同意的观测（或 --assume-consent）",
    ),
}
"""Observers that a rule needs in order to judge."""
HEADS: Texts = {
    "needs": ("Does not judge without", "缺少下列观测时不作判断"),
    "kinds": ("Finding types", "发现类型"),
    "judges": ("Looks at", "判断对象"),
    "looks": ("Looks for", "判断条件"),
    "level": ("Level", "级别"),
    "where": ("where ", "若"),
    "at_most": ("Confidence", "可信度"),
    "up_to": ("at most {}", "最高为{}"),
    "preset": ("Preset", "频率预设"),
    "allows": (
        "more often than {allows} in {window} s; {of} ({source})",
        "{window} 秒内超过 {allows} 次；{of}（{source}）",
    ),
    "no_law": ("no law sets a number; this one is from the source named", "法律未规定具体数值，以上仅为其来源所述"),
    "why": ("Why", "说明"),
    "remedy": ("Remedy", "整改"),
    "passes": ("Not a finding", "不构成发现"),
    "articles": ("Articles", "法条"),
    "besides": ("Also rests on", "其他依据"),
    "state": (" (state of the law: {})", "（法律状态截至 {}）"),
}


@dataclass(frozen=True)
class RulePart:
    """One part of a rule's page: a head, and a text, a list, or both."""

    name: str
    """Key of its head in HEADS."""
    head: str
    text: str = ""
    items: tuple[str | tuple[str, str], ...] = ()
    """Texts; for an article, how it is cited and what it says."""
    apart: bool = False
    """Whether a blank line separates it from the part before it."""


def rule_page(known: RulePage, lang: str) -> str:
    """The page in a language, as plain text."""
    words = Words(lang)
    lines = [f"{known.rule.id} ({words(f'level_{known.rule.level}')})", known.rule.title[words.lang], ""]
    for part in rule_parts(known, lang):
        lines += [""] if part.apart else []
        lines.append(f"{part.head}{words('colon')}{part.text}".rstrip())
        for item in part.items:
            text, *more = [item] if isinstance(item, str) else item
            lines += [f"  - {text}", *(f"      {each}" for each in more)]
    if page := None if known.own else site.rule_page(known.rule.id, words.lang):
        lines += ["", page]
    return "\n".join(lines)


def rule_parts(known: RulePage, lang: str) -> Iterator[RulePart]:
    """The parts of the page below the title, in a language."""
    words, rule = Words(lang), known.rule
    say = _Say(words)
    if known.finding_types:
        kinds = (f"{kind.id} {words.of({'en': kind.en, 'zh': kind.zh})}" for kind in known.finding_types)
        yield say.part("kinds", "; ".join(kinds))
    yield say.part("judges", say.of(JUDGES[rule.on]))
    yield say.part("looks", "", condition_texts(rule.when, words))
    if rule.passes:
        yield say.part("passes", rule.passes[words.lang])
    yield say.part(
        "level",
        words(f"level_{rule.level}"),
        (
            f"{words(f'level_{raised.level}')}{words('comma')}{say.of(HEADS['where'])}"
            f"{words('comma').join(condition_texts(raised.when, words))}"
            for raised in rule.levels
        ),
    )
    if rule.needs:
        yield say.part("needs", words("comma").join(say.of(NEEDS[need]) for need in rule.needs))
    yield say.part("at_most", say.of(HEADS["up_to"]).format(words(f"confidence_{rule.at_most}")))
    if preset := known.preset:
        text = say.of(HEADS["allows"]).format(
            allows=preset.allows, window=f"{preset.window_s:g}", of=words.of(preset.of), source=preset.source
        )
        yield say.part("preset", f"{text}; {say.of(HEADS['no_law'])}")
    yield say.part("why", rule.why[words.lang], apart=True)
    yield say.part("remedy", rule.remedy[words.lang], apart=True)
    state = say.of(HEADS["state"]).format(known.law_as_of)
    for place, articles in known.articles:
        named = f"{words.of({'en': place.en, 'zh': place.zh})}{state}"
        told = ((cited(article, words), words.of(article.says)) for article in articles)
        yield say.part("articles", named, told, apart=True)
    if rule.references:
        yield say.part("besides", "; ".join(rule.references), apart=True)


class _Say:
    """Translates what a rule file says into words of one language."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def of(self, texts: tuple[str, str]) -> str:
        return texts[0] if self._words.lang == "en" else texts[1]

    def part(
        self, head: str, text: str, items: Iterable[str | tuple[str, str]] = (), *, apart: bool = False
    ) -> RulePart:
        return RulePart(head, self.of(HEADS[head]), text, tuple(items), apart)


def source_page(hooked: HookedPage) -> str:
    """The page of all sources with one name, and of the yardstick's APIs that they cover."""
    lines = [hooked.name]
    for each in hooked.entries:
        lines += ["", *_lines(_of(each))]
    own = [_yard(cover) for cover in hooked.covers if cover.state == "hooked"]
    lean: dict[str, list[str]] = {}
    for cover in hooked.covers:
        if cover.state == "lower_layer":
            lean.setdefault(cover.why or "", []).append(_yard(cover))
    if own:
        lines += ["", *_lines([("yardstick", own)])]
    for why, names in lean.items():
        lines += ["", *_lines([("also covers", names), ("because", [why])])]
    return "\n".join(lines)


def covered_page(cover: Cover) -> str:
    """The page of an API that has no source of its own: what covers it, or why nothing does."""
    parts = [
        ("yardstick", [f"{cover.yard.level}, {cover.yard.category}"]),
        ("state", [cover.state.replace("_", " ")]),
        ("seen by", [cover.by] if cover.by else []),
        ("because", [cover.why] if cover.why else []),
    ]
    return "\n".join([cover.yard.name, "", *_lines(parts)])


def _yard(cover: Cover) -> str:
    yard = cover.yard
    return f"{yard.name} ({yard.level}, {yard.category})"


def _lines(parts: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    for label, texts in parts:
        for at, text in enumerate(texts):
            yield f"  {label if at == 0 else '':{WIDTH}}{text}".rstrip()


def _of(each: HookedEntry) -> list[tuple[str, Sequence[str]]]:
    match each:
        case Source():
            return _source(each)
        case NativeRoute():
            return _route(each)
        case Binder():
            return [
                ("why", [each.why]),
                ("data", [f"{data}: {interface}" for interface, data in sorted(each.interfaces.items())]),
                ("value", ["none; args.code is the number of the transaction"]),
            ]


def _source(source: Source) -> list[tuple[str, Sequence[str]]]:
    hooked = [f"({', '.join(types)})" for types in source.overloads] if source.overloads else ["every overload"]
    only = []
    if source.when:
        what = "the object" if source.when.argument == "this" else f"argument {source.when.argument}"
        only = [f"{what}{_chain(source.when.get)} has {' or '.join(source.when.matches)}"]
    notes = [*([f"its class: from {', '.join(source.implementations)}"] if source.implementations else [])]
    if source.callback:
        notes.append("the system calls it on a class of the app")
    values = [*_values(source.values, source.data), *_follows(source.follow, source.data)]
    return [
        ("data", [source.data]),
        ("why", [source.why] if source.why else []),
        ("permission", [source.permission or "none"]),
        ("Android", [f"API {source.api}" if source.api else "every API level"]),
        ("hooked", [*hooked, *notes]),
        ("signature", source.shape),
        ("only when", only),
        ("value", values or ["none; only the call and its arguments are recorded"]),
        ("may lack", [source.optional] if source.optional else []),
    ]


def _values(values: Sequence[ValueSpec], data: str) -> Iterator[str]:
    for value in values:
        where = {"return": "what it returns", "this": "the object"}.get(str(value.of), f"argument {value.of}")
        of = f", of a {value.only}" if value.only else ""
        form = "" if value.form == "text" else f", as {value.form}"
        yield f"{value.type or data}: {where}{_chain(value.get)}{of}{form}"


def _chain(getters: Sequence[str]) -> str:
    return "".join(getter if getter.startswith(".") else f".{getter}()" for getter in getters)


def _follows(follows: Sequence[FollowSpec], data: str) -> Iterator[str]:
    for follow in follows:
        if follow.form == "cursor":
            kinds = {
                kind
                for table in follow.tables
                for column in table.columns.values()
                for kind in ([column] if isinstance(column, str) else column.values())
            }
            yield f"each cell that the app reads from the cursor: {', '.join(sorted(kinds))}"
            continue
        what = f"the {follow.type} that the app passes" if follow.object == "argument" else "what it returns"
        for method, step in follow.methods.items():
            for text in (*_values(step.values, data), *_follows(step.follow, data)):
                yield f"{what}, {method}: {text}"


def _route(route: NativeRoute) -> list[tuple[str, Sequence[str]]]:
    return [
        ("why", [route.why]),
        ("hooked", [", ".join((route.function, *route.also))]),
        ("read as", [route.reads]),
        ("data", [f"{ask.data}: {ask.matches or 'every call'}" for ask in route.asks]),
    ]
