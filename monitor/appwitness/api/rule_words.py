"""What the conditions of a rule look for, in words of one language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported late, so that `import appwitness` and --help answer at once
    from appwitness.judge.rules.condition_registry import DeclaredCondition, Text
    from appwitness.judge.rules.model import Condition
    from appwitness.reports.words import Words

TRUTH: dict[bool, Text] = {True: ("yes", "是"), False: ("no", "否")}


def condition_texts(condition: Condition, words: Words) -> list[str]:
    """One text for each condition that a rule, or one of its levels, names; in the order in which they are tested."""
    return [_text(declared, value, words) for declared, value in condition.asked]


def _text(declared: DeclaredCondition, value: Any, words: Words) -> str:
    from appwitness.judge.rules.conditions import Separate

    text = _of(declared.says, words)
    if isinstance(value, Separate):
        return text.format(_value(declared, value.consent, words), scope=words(f"scope_{value.scope}"))
    return text.format(_value(declared, value, words))


def _value(declared: DeclaredCondition, value: Any, words: Words) -> Any:
    """What a file asks for as the text shows it; numbers are left to the text."""
    match value:
        case tuple():
            return " / ".join(str(_value(declared, each, words)) for each in value)
        case bool():
            return _of(TRUTH[value], words)
        case str() if declared.named == "data":
            return words.data(value)
        case str() if declared.named:
            return words(f"{declared.named}_{value}")
        case str() if value in declared.choices:
            return _of(declared.choices[value], words)
        case _:
            return value


def _of(text: Text, words: Words) -> str:
    return text[0] if words.lang == "en" else text[1]
