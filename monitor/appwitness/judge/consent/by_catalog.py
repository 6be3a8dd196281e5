"""Interprets recorded permissions and consent claims by the current catalog; pure.

Recordings hold the raw facts: names of permissions, keys and values of stores, arguments of SDK calls. So a better
catalog reinterprets old recordings. Facts that early recordings lack stay as they were interpreted then.
"""

from __future__ import annotations

from appwitness.catalog.labels import Labels
from appwitness.events import Consent, ConsentState
from appwitness.events.seen import Seen
from appwitness.judge.iab import tcf

_STORED = ("preference", "iab_tcf", "iab_gpp")


def understood(seen: Seen[Consent], words: Labels) -> Seen[Consent] | None:
    """The line, completed by what the catalog knows about it; None for a call that says nothing about consent."""
    line = _meant(seen.event, words)
    return None if line is None else seen._replace(event=line)


def _meant(line: Consent, words: Labels) -> Consent | None:
    match line.signal:
        case "permission_prompt" | "permission_result":
            data = words.guarded(line.text or "")
            return line if data is None else line.model_copy(update={"data": data})
        case "sdk_call" if line.by == "app" and line.value is not None:
            call = words.calls.get(line.text or "")
            status = call.status(line.value) if call else "requested"
            return None if call is None or status == "requested" else _claim(line, status=status, scope=call.scope)
        case signal if signal in _STORED and line.by == "app":
            key, _, value = (line.text or "").partition("=")
            entry = words.preference(key)
            if entry is None:
                return line
            status = _tcf_status(value) if entry.form == "tcf" else entry.status(value)
            return _claim(line, signal=entry.signal, status=status, scope=entry.scope)
        case _:
            return line


def _claim(line: Consent, **fields: str) -> Consent:
    return line.model_copy(update=fields)


def _tcf_status(text: str) -> ConsentState:
    """The state that a TC string claims: given if it names an agreed purpose, refused if it names none, requested if
    it is unreadable."""
    try:
        return "given" if tcf.read(text).purposes else "refused"
    except ValueError:
        return "requested"
