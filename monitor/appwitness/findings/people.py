"""Counts the people whose address book or call log entries were sent, and which of their details; also in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from appwitness.findings import Flow, Match, People, SentField

FIELDS = ("name", "phone_number", "email", "address")
"""Details in the order in which they are listed; others come after them."""
FEW = 3
"""Fewer people than this are taken to be picked by the user, as in "invite a friend": no address book was sent."""


def counted(
    matches: Iterable[Match], read: int, held: Iterable[str], *, told_apart: bool, picked: bool = False
) -> People:
    """The people whom these matches of one read identify.

    `read`: how many people the read returned; `held`: the kinds of detail that it returned about those sent;
    `told_apart`: whether it has names or contact ids; `picked`: whether it returned what the user had picked.
    """
    values: dict[str, dict[int, set[int | None]]] = defaultdict(lambda: defaultdict(set))
    named: set[int | None] = set()
    for match in matches:
        if match.person is not None:
            values[match.type][match.person].add(match.detail)
        elif match.type == "name":
            named.add(match.detail)
    kinds = sorted(values, key=_place)
    return People(
        sent=len({person for of_kind in values.values() for person in of_kind}),
        read=read,
        told_apart=told_apart,
        named=len(named),
        fields=tuple(
            SentField(type=kind, people=len(values[kind]), values=sum(map(len, values[kind].values())))
            for kind in kinds
        ),
        held=tuple(sorted(held, key=_place)),
        picked=picked,
    )


def combined(flows: Iterable[Flow]) -> People | None:
    """The people of several flows, taken from the read that identifies most people. An app may send one entry per
    upload, so flows of one read are counted together; whether two reads are about the same people, nobody knows.
    What the user picked is reported only if nothing else was sent."""
    by_read: dict[str, list[Flow]] = defaultdict(list)
    for flow in flows:
        if flow.people is not None:
            by_read[flow.access or ""].append(flow)
    made = [
        counted(
            (match for flow in group for match in flow.matches),
            max(flow.people.read for flow in group if flow.people),
            {kind for flow in group if flow.people for kind in flow.people.held},
            told_apart=all(flow.people.told_apart for flow in group if flow.people),
            picked=all(flow.people.picked for flow in group if flow.people),
        )
        for group in by_read.values()
    ]
    return max(made, key=weight, default=None)


def weight(people: People) -> tuple[bool, int, int, int]:
    """Sort key for which people to report: those that the user did not pick first, then by their number."""
    return not people.picked, people.sent, people.named, people.read


_FIELDS: dict[str, dict[str, tuple[str, str]]] = {
    "name": {"en": ("name", "names"), "zh": ("姓名", "姓名")},
    "phone_number": {"en": ("number", "numbers"), "zh": ("号码", "号码")},
    "email": {"en": ("e-mail address", "e-mail addresses"), "zh": ("电子邮箱地址", "电子邮箱地址")},
    "address": {"en": ("postal address", "postal addresses"), "zh": ("通讯地址", "通讯地址")},
    "account_id": {"en": ("account", "accounts"), "zh": ("账号", "账号")},
    "birthday": {"en": ("date", "dates"), "zh": ("日期", "日期")},
    "education_work": {"en": ("employer or school", "employers or schools"), "zh": ("单位或学校", "单位或学校")},
}
"""Details of people, singular and plural."""
_OTHER: dict[str, tuple[str, str]] = {"en": ("other detail", "other details"), "zh": ("其他信息", "其他信息")}


_PICKED = {"en": "what the user picked", "zh": "用户所选联系人"}
"""Replaces the name of the data type if the user picked the data."""


def picked(data: str, language: str) -> str:
    """A short name for what the user picked, by data type."""
    return _PICKED[language] if language == "en" or data == "device_contacts" else "用户所选内容"


def told(of: People | None, data: str, language: str) -> str:
    """Whose data was sent and which of their details, if it is about people; otherwise the data type."""
    if of is None:
        return data
    if language == "en":
        return _people_english(of, _PICKED["en"] if of.picked else f"the {data}")
    return _people_chinese(of, _PICKED["zh"] if of.picked else data)


def _people_english(of: People, data: str) -> str:
    if not of.sent:
        if not of.named:
            return f"details in {data} that identify nobody"
        if of.named == 1:
            return f"only the name of somebody who is also in {data}"
        return f"only the names of {of.named:,} people who are also in {data}"
    if not of.told_apart:
        found = " and ".join(_number_english(each) for each in of.fields)
        return f"{found} of {of.read:,} {'entry' if of.read == 1 else 'entries'} in {data}"
    said = "; ".join(filter(None, (", ".join(_field_english(of, each) for each in of.fields), _unsent(of, "en"))))
    if of.picked and of.sent == of.read:
        return f"data in {data} ({said})"
    return f"data of {'one' if of.sent == 1 else f'{of.sent:,}'} of {of.read:,} people in {data} ({said})"


def _number_english(field: SentField) -> str:
    one, many = _FIELDS.get(field.type, _OTHER)["en"]
    return f"one {one}" if field.values == 1 else f"{field.values:,} {many}"


def _field_english(of: People, field: SentField) -> str:
    one, many = _FIELDS.get(field.type, _OTHER)["en"]
    if of.sent == 1:
        return f"{'one ' if field.type != 'name' else ''}{one}" if field.values == 1 else f"{field.values:,} {many}"
    if field.type == "name" or field.values != field.people:
        several = f", {field.values:,} in all" if field.values != field.people else ""
        return f"{many} of {field.people:,}{several}"
    return f"one {one} each" if field.people == of.sent else f"one {one} each of {field.people:,}"


def _people_chinese(of: People, data: str) -> str:
    if not of.sent:
        return f"单独出现、同见于{data}的姓名 {of.named:,} 个" if of.named else f"{data}中不能识别个人的信息"
    if not of.told_apart:
        found = "、".join(f"{_FIELDS.get(each.type, _OTHER)['zh'][0]} {each.values:,} 个" for each in of.fields)
        return f"{data} {of.read:,} 条中的{found}"
    said = "；".join(filter(None, ("、".join(_field_chinese(of, each) for each in of.fields), _unsent(of, "zh"))))
    if of.picked and of.sent == of.read:
        return f"{data}的信息（{said}）"
    return f"{data} {of.read:,} 人中 {of.sent:,} 人的信息（{said}）"


def _field_chinese(of: People, field: SentField) -> str:
    name, _ = _FIELDS.get(field.type, _OTHER)["zh"]
    if of.sent == 1:
        return name if field.type == "name" and field.values == 1 else f"{name} {field.values:,} 个"
    if field.values != field.people:
        return f"{field.people:,} 人的{name}（共 {field.values:,} 个）"
    return f"{field.people:,} 人的{name}" if field.type == "name" else f"{field.people:,} 人的{name}各一个"


def _unsent(of: People, language: str) -> str:
    """Details that the read returned about these people and that were not found in what was sent."""
    names = [_FIELDS[kind][language][1] for kind in of.unsent if kind in _FIELDS]
    if not names:
        return ""
    return f"no {' and no '.join(names)} found" if language == "en" else f"未发现{'、'.join(names)}"


def label(of: People | None, data: str, language: str) -> str:
    """A short name for what was sent: the data type; for only a few people, how many out of how many."""
    if of is None:
        return data
    if of.picked:
        return _PICKED[language]
    if of.sent >= FEW:
        return data
    if not of.sent or not of.told_apart:
        return told(of, data, language)
    if language == "en":
        return f"{'one' if of.sent == 1 else of.sent} of {of.read:,} people in the {data}"
    return f"{data} {of.read:,} 人中的 {of.sent:,} 人"


def _place(kind: str) -> tuple[int, str]:
    return (FIELDS.index(kind) if kind in FIELDS else len(FIELDS), kind)
