"""Words for the circumstances: phase, app type, frequency, country, what else was in the upload or may be missing."""

from __future__ import annotations

from appwitness.events import Ref
from appwitness.findings import Recipient
from appwitness.judge.rules.frequency import CallStretch, Preset
from appwitness.judge.rules.sentences.observed import moment
from appwitness.judge.rules.translations import Language

_PHASES: dict[str, dict[Language, str]] = {
    "before_start": {
        "en": "the app had started by itself and had not been opened",
        "zh": "应用系自行启动、尚未被用户打开",
    },
    "screen_off": {"en": "the screen was off", "zh": "设备处于息屏状态"},
    "background": {"en": "the app was in the background", "zh": "应用处于后台"},
    "foreground": {"en": "the app was in the foreground", "zh": "应用处于前台"},
}


def phase(name: str, ref: Ref | None, language: Language) -> str:
    """The state of the app or the screen, with the line that shows it."""
    words = _PHASES[name][language]
    if ref is None:
        return words
    return f"{words} ({ref})" if language == "en" else f"{words}（{ref}）"


def app_type(number: int, name: str, language: Language) -> str:
    """States that the necessary scope of the app's type does not include a data type."""
    if language == "en":
        return f"the necessary scope of app type {number} ({name}) does not name it"
    return f"第 {number} 类应用（{name}）的必要个人信息范围不包含该项信息"


def often(
    stretch: CallStretch, preset: Preset, who: str, owner: str | None, state: str | None, language: Language
) -> str:
    """How many calls in how long, by whom and in which phase, and the preset that they exceed; never stated as a
    legal limit."""
    during = _PHASES[state][language] if state else ""
    seconds = f"{(stretch.last - stretch.first).total_seconds():.0f}"
    if language == "en":
        by = f" by {who}{f' ({owner})' if owner else ''}" if who else ""
        return (
            f"{stretch.calls} times in {seconds} s{by}, from {moment(stretch.first)}{f' ({during})' if during else ''};"
            f" the preset {preset.id} of {preset.of['en']} allows {preset.allows} in {preset.window_s:g} s"
        )
    by = f"由 {who}{f'（{owner}）' if owner else ' '}" if who else ""
    return (
        f"自 {moment(stretch.first)} 起 {seconds} 秒内{by}共 {stretch.calls} 次{f'（{during}）' if during else ''}；"
        f"{preset.of['zh']}的预设 {preset.id} 为 {preset.window_s:g} 秒内 {preset.allows} 次"
    )


def country(to: Recipient, territory: str, language: Language) -> str:
    """Where the recipient is registered and what says so; where its servers are is not observed."""
    as_of = to.country_as_of
    if language == "en":
        said = {
            "declared": f"policy.yml places the recipient in {to.country}",
            "address_block": f"the server's block of addresses is registered in {to.country}",
        }.get(to.country_basis or "", f"the company behind this host is registered in {to.country}")
        return f"{said}{f' (as of {as_of})' if as_of else ''}, and the territory given is {territory}"
    said = {
        "declared": f"policy.yml 载明接收方位于 {to.country}",
        "address_block": f"服务器所属地址段的登记地为 {to.country}",
    }.get(to.country_basis or "", f"该主机所属公司的注册地为 {to.country}")
    return f"{said}{f'（截至 {as_of}）' if as_of else ''}，而所指定的地域为 {territory}"


def capture(uploads: int, language: Language) -> str:
    """States that it was found in none of the captured uploads, and how many these are."""
    if language == "zh":
        return f"本次运行捕获的 {uploads} 条上传中均未发现该信息"
    if uploads == 1:
        return "the one upload captured in the run was not found to carry it"
    return f"none of the {uploads} uploads captured in the run was found to carry it"
