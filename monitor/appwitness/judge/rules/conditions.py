"""The conditions that a rule file may use: each is a function that makes a test, with its declaration."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field

from appwitness.catalog.entries import CatalogEntry, known_names
from appwitness.catalog.labels import Labels
from appwitness.events import DataType, Gap, Signal, is_limit
from appwitness.events.seen import shifted
from appwitness.findings import ConsentName, Party
from appwitness.judge.claims import ClaimKind
from appwitness.judge.clock_order import surely
from appwitness.judge.consent import TAKING_BACK, Clock
from appwitness.judge.rules.condition_registry import JudgedRun, Test, always_holds, condition, never_holds
from appwitness.judge.rules.facts import RunFacts
from appwitness.judge.rules.grouping import FindingGroup
from appwitness.judge.rules.sightings import Sighting
from appwitness.judge.rules.sightings import rows as count_rows

SeparateScope = Literal[
    "sensitive_separate",
    "third_party_separate",
    "cross_border_separate",
    "minor_guardian",
    "ads_tracking",
    "system_permission",
]
PhaseName = Literal["background", "screen_off", "before_start"]
LabelKind = Literal["refuse", "basic", "agree", "ambiguous", "later", "forced", "bundled", "unticked", "pre_ticked"]
DataTypes = Annotated[tuple[DataType, ...], Field(min_length=1), known_names("data", "catalog/data_types.yml")]
ConsentNames = Annotated[tuple[ConsentName, ...], Field(min_length=1)]
EEA = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO EU EEA".split()  # noqa: SIM905
)
"""Countries that do not count as abroad from one another: GDPR art. 44 is about countries outside the area."""
_DIGEST = re.compile(r"(?:md\d|sha|sm3|ripemd|blake|uuid_v3|crc32|adler32|murmur|hash_code)", re.IGNORECASE)
_KEYED = re.compile(r"mac|salted|encrypted", re.IGNORECASE)
LABELLED = frozenset({"tap", "operator"})
"""Signals whose text is a label that somebody chose."""
ANSWERS = frozenset({"given", "refused", "basic_only", "withdrawn", "partial"})
_HIDING = frozenset(
    {
        "tls_refused",
        "not_decrypted",
        "protocol_unsupported",
        "body_truncated",
        "overflow",
        "quota",
        "decode_limit",
        "detached",
        "missed",
    }
)
_UNHOOKED = frozenset({"process_not_instrumented", "forgotten"})


class Separate(CatalogEntry):
    """The decision that the user must have made in a separate scope."""

    scope: SeparateScope
    consent: ConsentNames


# Conditions are tested in this order, so cheap and selective ones come first.


@condition(
    on=("access", "flow", "consent", "claim"),
    description="the general consent at that moment; of a consent line: its scope's just before",
    says=("the user's consent at that moment: {}", "当时的用户同意状态：{}"),
    named="consent",
    needs=("consent",),
)
def consent(states: tuple[ConsentName, ...], run: JudgedRun) -> Test:
    wanted = frozenset(states)
    return lambda each: each.is_in(wanted)


@condition(
    on=("access", "flow", "consent"),
    description="the kind of data is one of these",
    says=("the kind of data: {}", "数据类型：{}"),
    named="data",
)
def data(codes: DataTypes, run: JudgedRun) -> Test:
    wanted = frozenset(codes)
    return lambda each: each.data in wanted


@condition(
    on=("access", "flow"),
    description="the app was in one of these",
    says=("the app at that moment: {}", "应用当时的状态：{}"),
    choices={
        "background": ("in the background", "在后台"),
        "screen_off": ("with the screen off", "屏幕关闭"),
        "before_start": ("not opened yet (started by itself)", "尚未打开（自启动）"),
    },
)
def phase(phases: Annotated[tuple[PhaseName, ...], Field(min_length=1)], run: JudgedRun) -> Test:
    return lambda each: any(holding(name, each) for name in phases)


@condition(
    on=("access", "flow"),
    description="the kind of data is not (or is) in the necessary scope of the app's type, if known",
    says=(
        "the kind of data is {} what the type of app needs (--app-type)",
        "数据类型{}该类应用的必要个人信息范围（--app-type）",
    ),
    choices={"inside": ("inside", "属于"), "outside": ("outside", "超出")},
)
def scope(where: Literal["outside", "inside"], run: JudgedRun) -> Test:
    type_ = run.facts.app_type
    if type_ is None:
        return never_holds
    return lambda each: each.data is not None and type_.covers(each.data) == (where == "inside")


@condition(
    on=("access", "flow"),
    description="the tester's policy.yml says nothing of this kind of data",
    says=(
        "the maker's declaration does not mention this kind of data (--policy)",
        "开发者的声明未提及此类数据（--policy）",
    ),
)
def declared(_: Literal[False], run: JudgedRun) -> Test:
    policy = run.facts.policy
    if policy is None:
        return never_holds
    codes = policy.codes
    return lambda each: each.data is not None and each.data not in codes


@condition(
    on=("access", "flow"),
    description="sensitive by law whatever its use",
    says=("the kind of data is sensitive by law, whatever its use", "依法属于敏感个人信息（不论用途）"),
)
def sensitive(_: Literal[True], run: JudgedRun) -> Test:
    return _of_kinds(run, lambda kind: kind.pipl_sensitive is True or kind.gdpr_art9 not in (False, "possible"))


@condition(
    on=("access", "flow"),
    description="data about other people than the user",
    says=("it is data about people other than the user", "属于用户以外他人的个人信息"),
)
def others(_: Literal[True], run: JudgedRun) -> Test:
    return _of_kinds(run, lambda kind: kind.others)


@condition(
    on=("access", "flow"),
    description="an identifier that the user cannot reset",
    says=("it is an identifier that the user cannot reset", "属于用户无法重置的标识符"),
)
def fixed(_: Literal[True], run: JudgedRun) -> Test:
    return _of_kinds(run, lambda kind: kind.fixed)


@condition(
    on=("access", "flow"),
    description="what every app sees of the device and its state; alone it identifies nobody",
    says=(
        "it is what every app sees of the device and its state, which alone identifies nobody",
        "属于任何应用均可获知的设备信息及状态，单独不足以识别个人",
    ),
)
def ordinary(_: Literal[True], run: JudgedRun) -> Test:
    return _of_kinds(run, lambda kind: kind.ordinary)


@condition(
    on=("access", "flow"),
    description="so few possible values that a digest is reversed by trying them",
    says=(
        "there are so few possible values that a digest is reversed by trying them",
        "可能的取值很少，其哈希可被穷举还原",
    ),
)
def guessable(_: Literal[True], run: JudgedRun) -> Test:
    return _of_kinds(run, lambda kind: kind.guessable)


@condition(
    on=("access", "flow"),
    description="whom the app is made for, by policy.yml",
    says=("the app is made for: {} (--policy)", "应用面向：{}（--policy）"),
    choices={"children": ("children", "儿童")},
)
def audience(whom: Literal["children"], run: JudgedRun) -> Test:
    policy = run.facts.policy
    return always_holds if policy is not None and policy.audience == whom else never_holds


# Conditions on flows.


@condition(
    on=("flow",),
    description="the recipient is one of these",
    says=("the recipient: {}", "接收方：{}"),
    named="party",
)
def party(parties: tuple[Party, ...], run: JudgedRun) -> Test:
    return lambda each: each.flow is not None and each.flow.recipient.party in parties


@condition(
    on=("flow",),
    description="it is (not) what the user had picked in a picker of the system (catalog/picked.yml)",
    says=("it is what the user had picked: {}", "属于用户在系统选择器中所选：{}"),
)
def picked(wanted: bool, run: JudgedRun) -> Test:
    return lambda each: each.flow is not None and each.picked == wanted


@condition(
    on=("flow",),
    description="policy.yml names this kind of data, but not for this recipient",
    says=(
        "the maker declares this kind of data, but not for this recipient (--policy)",
        "开发者声明了此类数据，但未声明向该接收方提供（--policy）",
    ),
)
def recipient_declared(_: Literal[False], run: JudgedRun) -> Test:
    policy = run.facts.policy
    if policy is None:
        return never_holds
    codes = policy.codes
    to = cache(policy.declares)
    return lambda each: each.data is not None and each.data in codes and not to(each.data, each.what)


@condition(
    on=("flow",),
    description="the upload was (not) protected by TLS",
    says=("the message was sent in cleartext: {}", "以明文发送：{}"),
)
def cleartext(wanted: bool, run: JudgedRun) -> Test:
    return lambda each: each.flow is not None and each.flow.cleartext == wanted


@condition(
    on=("flow",),
    description="the best match is at least this certain",
    says=("the value was found with a certainty of at least {:.0%}", "找到该值的确定度不低于 {:.0%}"),
)
def confidence(least: Annotated[float, Field(ge=0, le=1)], run: JudgedRun) -> Test:
    return lambda each: each.certainty >= least


@condition(
    on=("flow",),
    description="the recipient's country is known and not the territory that the tester named",
    says=(
        "the recipient's country is known and is not where the users are (--territory)",
        "已知接收方所在国家或地区，且不在用户所在地域（--territory）",
    ),
)
def abroad(_: Literal[True], run: JudgedRun) -> Test:
    home = run.facts.territory
    if home is None:
        return never_holds
    inside = EEA if home in EEA else frozenset({home})
    return lambda each: (
        each.flow is not None and each.flow.recipient.country is not None and each.flow.recipient.country not in inside
    )


@condition(
    on=("flow",),
    description="every match is a digest made without a key",
    says=("it was sent only as digests made without a key", "仅以无密钥的哈希形式发送"),
)
def hashed(_: Literal[True], run: JudgedRun) -> Test:
    return lambda each: (
        each.flow is not None
        and bool(each.flow.matches)
        and all(is_bare_digest(match.variant) for match in each.flow.matches)
    )


@condition(
    on=("flow",),
    description="the app's own record was by then that there is no consent to it; no yes was seen since, and no no",
    says=(
        "the app itself had recorded by then that there was no consent to it, and no answer by the user was seen since",
        "应用自身的记录当时表明未获同意，且其后未观察到用户的答复",
    ),
)
def record(_: Literal["refused"], run: JudgedRun) -> Test:
    return lambda each: each.record is not None


@condition(
    on=("flow",),
    description="the same upload also carries one of these kinds",
    says=("the same message also carries: {}", "同一报文还含有：{}"),
    named="data",
    others=True,
)
def with_(kinds: DataTypes, run: JudgedRun) -> Test:
    wanted = frozenset(kinds)
    together = run.sightings.together
    return lambda each: bool((together.get(each.ref, frozenset()) - {each.data}) & wanted)


@condition(
    on=("access", "flow", "claim"),
    description="a separate consent at that moment",
    says=("the separate consent at that moment ({scope}): {}", "当时的单独同意（{scope}）：{}"),
    named="consent",
    needs=("consent",),
)
def separate(asked: Separate, run: JudgedRun) -> Test:
    wanted = frozenset(asked.consent)
    timeline = run.facts.timeline
    return lambda each: surely(
        timeline.around(each.at, each.clock, each.uncertainty_ms, each.data, asked.scope), wanted
    )


@condition(
    on=("access", "flow"),
    description="what the user had decided was decided at most so many seconds before",
    says=("the user had decided at most {:g} s before", "用户的决定作出于此前 {:g} 秒之内"),
)
def soon_s(seconds: Annotated[float, Field(gt=0)], run: JudgedRun) -> Test:
    soon = timedelta(seconds=seconds)
    return lambda each: each.status.at is not None and each.at - each.status.at <= soon


# Conditions on accesses.


@condition(
    on=("access",),
    description="no upload of the run carries this kind of data, though uploads were captured and nothing that is"
    " known hides one; not of what the app's type, where that is known, needs",
    says=("this kind of data was in no message of the run", "该次运行的任何报文中均未出现此类数据"),
    needs=("proxy",),
    whole_run=True,
    others=True,
)
def sent(_: Literal[False], run: JudgedRun) -> Test:
    if not saw_uploads(run.facts):
        return never_holds
    kinds = run.sightings.sent
    type_ = run.facts.app_type
    return lambda each: (
        each.access is not None
        and each.data not in kinds
        and not any(value.type in kinds for value in each.access.values)
        and (type_ is None or not type_.covers(each.access.data))
    )


@condition(
    on=("access",),
    description="no frame of the stack begins with one of these",
    says=("nothing in the call stack begins with: {}", "调用栈中没有以下列名称开头的帧：{}"),
)
def without(frames: Annotated[tuple[str, ...], Field(min_length=1)], run: JudgedRun) -> Test:
    # A truncated stack does not show which frames were absent.
    return lambda each: (
        each.access is not None
        and each.access.stack_cut is None
        and not any(frame.startswith(frames) for frame in each.access.stack)
    )


# Conditions on consent lines.


@condition(on=("consent",), says=("what was observed: {}", "观测到的信号：{}"), named="signal")
def signal(signals: Annotated[tuple[Signal, ...], Field(min_length=1)], run: JudgedRun) -> Test:
    return lambda each: each.consent is not None and each.consent.signal in signals


@condition(on=("consent",), says=("what it said: {}", "其含义：{}"), named="consent")
def status(states: ConsentNames, run: JudgedRun) -> Test:
    return lambda each: each.consent is not None and each.consent.status in states


@condition(
    on=("consent",),
    says=("said by: {}", "作出者：{}"),
    choices={
        "user": ("the user", "用户"),
        "operator": ("the operator", "操作人"),
        "assistant": ("an assistant", "助手程序"),
        "app": ("the app", "应用"),
    },
)
def by(
    who: Annotated[tuple[Literal["user", "operator", "assistant", "app"], ...], Field(min_length=1)], run: JudgedRun
) -> Test:
    return lambda each: each.consent is not None and each.consent.by in who


@condition(
    on=("consent",),
    description="list of catalog/consent.yml that the label is in, or why a yes is none",
    says=("the label that was touched: {}", "所点击的按钮文字：{}"),
    choices={
        "refuse": ("a no", "拒绝"),
        "basic": ("the basic function only", "仅基本功能"),
        "agree": ("a yes", "同意"),
        "later": ('no answer yet, such as "Not now"', "尚未作答，如“以后再说”"),
        "forced": ('a yes under pressure, such as "Agree or exit"', "受迫的同意，如“同意(不同意请退出)”"),
        "unticked": ("a yes without ticking the box", "未勾选复选框即同意"),
        "pre_ticked": ("a yes with the box ticked beforehand", "复选框已预先勾选的同意"),
        "bundled": ("one touch that agrees to everything at once", "一次点击同意全部事项"),
        "ambiguous": ('neither yes nor no, such as "Got it"', "不构成同意，如“知道了”"),
    },
)
def label(kinds: Annotated[tuple[LabelKind, ...], Field(min_length=1)], run: JudgedRun) -> Test:
    labels = run.facts.labels or Labels()
    return lambda each: (
        each.consent is not None
        and each.consent.signal in LABELLED
        and (each.why in kinds or (each.why not in TAKING_BACK and labels.choice(each.consent.text or "") in kinds))
    )


@condition(
    on=("consent",),
    description="a box was ticked already",
    says=("a box was ticked already: {}", "复选框已预先勾选：{}"),
)
def ticked(wanted: bool, run: JudgedRun) -> Test:
    return lambda each: each.consent is not None and each.consent.ticked is wanted


@condition(
    on=("consent",),
    description="a permission has another result than before, and nobody had prompted for it since",
    says=("nobody had been prompted for this permission", "此前未就该权限提示过用户"),
    needs=("consent",),
)
def unasked(_: Literal[True], run: JudgedRun) -> Test:
    prompted = run.sightings.prompted

    def test(each: Sighting) -> bool:
        before = each.status.at
        if each.consent is None or each.consent.signal != "permission_result" or before is None:
            return False
        prompts = prompted.get(each.what, [])
        since = bisect_right(prompts, each.at, key=lambda prompt: prompt.at)
        return not since or prompts[since - 1].at <= before

    return test


@condition(
    on=("consent",),
    description="prompts for this many groups of permissions within one second",
    says=("permissions of at least {} groups were requested within one second", "一秒内请求了至少 {} 组权限"),
)
def together(number: Annotated[int, Field(ge=2)], run: JudgedRun) -> Test:
    return lambda each: len(run.sightings.asked_with(each)) >= number


@condition(
    on=("consent",),
    description="the app ended by itself within so many seconds",
    says=("the app ended by itself within {:g} s", "应用在 {:g} 秒内自行退出"),
)
def ended_within_s(seconds: Annotated[float, Field(gt=0)], run: JudgedRun) -> Test:
    within = timedelta(seconds=seconds)
    return lambda each: run.facts.phases.exit_after(each.at, within) is not None


@condition(
    on=("consent",),
    description="no dialog or notice had been shown before",
    says=("no dialog or notice had been shown before", "此前未展示任何弹窗或提示"),
    needs=("consent",),
)
def purpose(_: Literal[False], run: JudgedRun) -> Test:
    first: dict[Clock, datetime] = {}
    for notice in run.sightings.notices:
        first.setdefault(notice.clock, notice.at)
    bound_ms = run.facts.clock_uncertainty_ms
    return lambda each: all(
        shifted(each.at, 0 if clock == each.clock else bound_ms) < at for clock, at in first.items()
    )


@condition(
    on=("consent",),
    description="no clear answer to the same question came later in the run",
    says=("no clear answer to the same question came later in the run", "之后的运行中没有对同一问题的明确答复"),
    needs=("consent",),
    whole_run=True,
)
def answered(_: Literal[False], run: JudgedRun) -> Test:
    @cache
    def last(scope: str) -> datetime | None:
        steps = run.facts.timeline.steps(scope)
        return max((step.at for step in steps if step.state in ANSWERS and step.at), default=None)

    def test(each: Sighting) -> bool:
        if each.consent is None:
            return False
        answer = last(each.consent.scope)
        return answer is None or (not math.isinf(each.uncertainty_ms) and answer < each.at)

    return test


@condition(
    on=("consent", "access", "flow", "claim"),
    description="it shows consent of an earlier run, so that this was no clean install; of other things: such"
    " consent is there, and nothing was shown in this run",
    says=(
        "it shows consent from an earlier run, or the run has such consent and nothing was shown: not a clean install",
        "显示的是此前运行的同意，或该次运行含有此类同意且未展示任何内容，即并非全新安装",
    ),
)
def earlier_run(_: Literal[True], run: JudgedRun) -> Test:
    return lambda each: (
        each.earlier or (each.consent is None and each.status.state == "not_shown" and run.sightings.carried_over)
    )


# Conditions on claims.


@condition(
    on=("claim",),
    says=("what is claimed: {}", "所声称的内容：{}"),
    choices={
        "given": ("consent was given", "已同意"),
        "refused": ("consent was refused", "已拒绝"),
        "unknown": ("unclear", "不明"),
    },
)
def says(
    what: Annotated[tuple[Literal["given", "refused", "unknown"], ...], Field(min_length=1)], run: JudgedRun
) -> Test:
    return lambda each: each.claim is not None and each.claim.says in what


@condition(on=("claim",), says=("the kind of claim: {}", "声称的形式：{}"))
def kind(kinds: Annotated[tuple[ClaimKind, ...], Field(min_length=1)], run: JudgedRun) -> Test:
    return lambda each: each.claim is not None and each.claim.kind in kinds


@condition(
    on=("claim",),
    description="the claim was found in an upload (or in the app)",
    says=("the claim was found in a message that left the device: {}", "该声称出现在离开设备的报文中：{}"),
    needs=lambda wire: ("proxy",) if wire else (),
)
def on_wire(wire: bool, run: JudgedRun) -> Test:
    return lambda each: each.claim is not None and (each.claim.host is not None) == wire


# Conditions on the run.


@condition(
    on=("run",),
    description="no dialog, notice or answer in the whole run, and something was read",
    says=(
        "no dialog, notice or answer in the whole run, and something was read",
        "整个运行过程中没有弹窗、提示或答复，却有读取",
    ),
    needs=("hooks", "consent"),
    whole_run=True,
)
def never(_: Literal["dialog"], run: JudgedRun) -> Test:
    # If nobody saw the app come to the foreground, nobody would have seen a dialog either.
    return never_holds if run.sightings.notices or not run.facts.phases.shown else always_holds


@condition(
    on=("run",),
    description="the tester's policy.yml names kinds of data of which nothing was observed, with no gap",
    says=(
        "the maker's declaration names data that was never observed in the run (--policy)",
        "开发者的声明列明了整个运行过程中均未观测到的信息（--policy）",
    ),
    needs=("hooks", "proxy"),
    whole_run=True,
)
def never_seen(_: Literal["declared"], run: JudgedRun) -> Test:
    facts = run.facts
    saw_reads = not facts.observers.hooks_failed and not any(map(hides_reads, facts.gaps))
    return always_holds if run.sightings.unseen and saw_reads and saw_uploads(facts) else never_holds


@condition(
    on=("access", "flow"),
    description="entries of this many different people were read, or went to one recipient in all its uploads",
    says=("entries of at least {} different people went to one recipient", "至少 {} 人的条目发送至同一接收方"),
    of_groups=True,
)
def rows(least: Annotated[int, Field(ge=1)], group: FindingGroup) -> bool:
    return count_rows(group.members)[0] >= least


@condition(
    on=("access", "consent"),
    description="a group has at least this many",
    says=("it happened at least {} times", "至少发生 {} 次"),
    of_groups=True,
)
def times(least: Annotated[int, Field(ge=1)], group: FindingGroup) -> bool:
    return group.count >= least


@condition(
    on=("access",),
    description="one caller, in one phase of the app, exceeded this preset",
    says=("one caller read more often than this preset allows: {}", "同一调用方的读取频率超过预设：{}"),
    of_groups=True,
)
def often(preset: Annotated[str, known_names("presets", "catalog/frequency.yml")], group: FindingGroup) -> bool:
    return group.preset is not None and group.preset.id == preset


def _of_kinds(run: JudgedRun, wanted: Callable[[Any], bool]) -> Test:
    types = run.facts.data_types
    codes = frozenset(each.code for each in types.items if wanted(each)) if types else frozenset()
    return lambda each: each.data in codes


def saw_uploads(facts: RunFacts) -> bool:
    """Whether uploads were captured and none is known to be missing."""
    return bool(facts.uploads) and not any(map(hides_uploads, facts.gaps))


def hides_uploads(gap: Gap) -> bool:
    """Whether something that was sent may be missing because of this gap."""
    return gap.where in ("proxy", "correlate") and gap.why in _HIDING


def hides_reads(gap: Gap) -> bool:
    """Whether something that was read may be missing because of this gap."""
    return (gap.where == "hook" and not is_limit(gap)) or gap.why in _UNHOOKED


def holding(name: PhaseName, sighting: Sighting) -> bool:
    """Whether the app or the screen was known to be in this state."""
    match name:
        case "before_start":
            return not sighting.phase.ever_foreground
        case "background":
            return sighting.phase.foreground is False
        case "screen_off":
            return sighting.phase.screen_on is False


def is_bare_digest(variant: str) -> bool:
    """Whether a variant is a digest, or a digest of a digest, without key or salt."""
    return bool(_DIGEST.match(variant)) and not _KEYED.search(variant)
