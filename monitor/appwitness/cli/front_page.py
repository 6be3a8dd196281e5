"""The verbs by group, and what `appwitness --help` prints about them. It imports next to nothing, so that the help
appears at once."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # type checkers treat it as true; importing typing would take longer than all else here
if TYPE_CHECKING:
    from collections.abc import Callable

ABOUT = "Prove whether an Android app sent personal data without consent."
MORE = "Try `appwitness demo`. More: `appwitness VERB --help`, `appwitness --version`."
GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Observe": {
        "demo": ("observe_verbs", "Run the sample apps on the lab device and judge them."),
        "devices": ("device_verbs", "List the connected devices and what each can do."),
        "doctor": ("device_verbs", "Check whether a device can be observed; name what to fix."),
        "observe": ("observe_verbs", "Record one run of an app and judge it while it runs."),
        "checklist": ("checklist_verb", "Make the runs that a checklist needs, then fill it."),
        "mark": ("mark_verb", "Note in a recording what the user was asked and decided."),
        "undo": ("device_verbs", "Undo what a run left changed on a device."),
        "pair": ("device_verbs", "Pair with a phone over Wi-Fi."),
    },
    "Read": {
        "report": ("read_verbs", "Report what was found in a recording."),
        "explain": ("read_verbs", "Explain why a flow was flagged, or what a fingerprint is."),
        "compare": ("read_verbs", "Compare runs of one app that differ in the user's answers."),
        "web": ("read_verbs", "Show the recordings of the index in a browser."),
        "mcp": ("mcp_verb", "Let an assistant query findings and evidence (MCP)."),
        "import": ("read_verbs", "Turn captures of other tools into a recording."),
        "export": ("read_verbs", "Write the uploads of a recording for other tools (HAR)."),
    },
    "Build": {
        "gate": ("gate_verbs", "Fail a build that shows findings that nobody accepted."),
        "diff": ("gate_verbs", "Show what one release does that another did not."),
        "baseline": ("gate_verbs", "Write down what an app is known to do."),
        "waive": ("gate_verbs", "Accept a finding for a limited time, or check what was accepted."),
    },
    "Evidence": {
        "verify": ("evidence_verbs", "Check the stamps of a recording and name what differs."),
        "key": ("evidence_verbs", "Make and show the key that signs your recordings."),
        "timestamp": ("evidence_verbs", "Have time-stamp authorities date a recording."),
        "bundle": ("evidence_verbs", "Pack a recording for a third party, with a program to verify it."),
        "pack": ("evidence_verbs", "Pack a recording into one file, encrypted if you like."),
        "share": ("evidence_verbs", "Copy a recording and replace every personal value."),
        "forget": ("evidence_verbs", "Remove personal data; the recordings still verify."),
    },
    "More": {
        "fleet": ("fleet_verbs", "Run many apps on many devices, under several plans."),
        "list": ("list_verbs", "List rules, laws, sources, data types, app types, schemas."),
        "index": ("index_verbs", "Read recordings into the index, or build it anew."),
        "catalog": ("catalog_verb", "Show or update catalog data that ages: recipients, laws."),
        "config": ("index_verbs", "Show which options are in effect, and where each was set."),
    },
}
"""Group of --help -> its verbs -> the module that has the verb, imported when it is called, and what --help says."""
VERBS = {verb: entry for group in GROUPS.values() for verb, entry in group.items()}


def page(tr: Callable[[str], str] = str, colon: str = ":") -> str:
    """What `appwitness --help` prints, in the language that `tr` translates into."""
    longest = max(map(len, VERBS))
    lines = [f"{tr('Usage:')} appwitness [OPTIONS] COMMAND [ARGS]...", "", f"  {tr(ABOUT)}", ""]
    for title, verbs in GROUPS.items():
        lines += [f"{tr(title)}{colon}", *(f"  {verb:{longest}}  {tr(says)}" for verb, (_, says) in verbs.items())]
    return "\n".join([*lines, "", tr(MORE), ""])


def language() -> str:
    """The language of the user's locale: zh, otherwise en."""
    named = (os.environ.get(name) for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if (next(filter(None, named), "")).lower().startswith("zh") else "en"
