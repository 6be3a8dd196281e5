"""The baseline: the accepted behaviours of a release, as one file in the app's repository."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from appwitness.catalog import yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.findings.gate_decision import Behaviour, Gated, Made
from appwitness.gate.behaviours import ReleaseSide
from appwitness.support.errors import FileError
from appwitness.support.spoken import Spoken

NAME = "appwitness-baseline.yml"
HEAD = "# Written by `appwitness baseline`: what this app is known to do, one finding per line; no personal data.\n"
HINT = "Fix the line, or write the file anew: appwitness baseline write."


class Baseline(CatalogEntry):
    """The content of the file."""

    version: Literal[1] = 1
    app: str = Field(description="package of the app")
    made: Made
    accepted: str | None = Field(default=None, description="why what was new was last accepted")
    findings: tuple[Behaviour, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Baseline:
        ids = [each.id for each in self.findings]
        twice = next((name for name in ids if ids.count(name) > 1), None) if len(set(ids)) < len(ids) else None
        if twice:
            raise ValueError(f"{twice} is listed twice; after a merge, run `appwitness baseline merge`")
        return self


def read(path: Path) -> Baseline:
    """Read the file as it is. Raises FileError with the line that is wrong."""
    if CONFLICT.search(yaml_files.text_of(path)):
        raise FileError(
            path,
            None,
            "it has the marks of a merge conflict.",
            Spoken("Run: appwitness baseline merge {path}.", path=path),
        )
    return yaml_files.parse(path, Baseline, hint=HINT)


def text(baseline: Baseline) -> str:
    """The text of the file for a baseline: sorted, one finding per line, the same bytes for the same content."""
    lines = [HEAD, f"version: {baseline.version}\n", f"app: {_flow(baseline.app)}\n", "made:\n"]
    made = baseline.made.model_dump(mode="json")
    lines += [f"  {name}: {_flow(value)}\n" for name, value in made.items() if value is not None]
    if baseline.accepted:
        lines.append(f"accepted: {_flow(baseline.accepted)}\n")
    ordered = sorted(baseline.findings, key=lambda each: (each.rule, each.data or "", each.recipient or "", each.id))
    lines.append("findings:\n" if ordered else "findings: []\n")
    for each in ordered:
        dumped = each.model_dump(mode="json", exclude={"people"})
        fields = {name: value for name, value in dumped.items() if value not in (None, [])}
        lines.append(f"  - {_flow(fields)}\n")
    return "".join(lines)


def _flow(tree: Any) -> str:
    """A value as one line of YAML: JSON with unquoted keys, and with unquoted text where possible."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{name}: {_flow(value)}" for name, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(_flow, tree)) + "]"
    if isinstance(tree, str) and re.fullmatch(r"[a-z][a-z_.]*[a-z]", tree) and tree not in _OTHER_MEANING:
        return tree
    return yaml_files.quoted(tree)


_OTHER_MEANING = frozenset({"null", "true", "false", "yes", "no", "on", "off"})
"""Words that YAML does not read as text."""


def of(now: ReleaseSide, package: str, accepted: str | None = None) -> Baseline:
    """A baseline of everything that these runs show."""
    return Baseline(
        app=package, made=now.made, accepted=accepted, findings=tuple(shown.behaviour for shown in now.shown.values())
    )


def updated(old: Baseline, changes: Iterable[Gated], made: Made, accept_new: str | None) -> Baseline:
    """`old` without the behaviours that are gone, and with the improved ones updated. New and worse ones are taken over
    only if `accept_new` gives a reason. Those that could not be observed stay: a partial run removes nothing."""
    kept: list[Behaviour] = []
    for each in changes:
        now, was = each.now, each.was
        if was is None:
            kept += [now] if now and accept_new else []
        elif now is None:
            kept += [] if each.change == "gone" else [was]
        elif each.change == "not_observable" or (each.change == "worse" and not accept_new):
            kept.append(was)  # with lines missing, an improvement may only be apparent
        else:
            # A plan that was not run this time stays listed.
            plans = {*now.plans, *(plan for plan in was.plans if plan not in made.plans)}
            kept.append(now.model_copy(update={"plans": tuple(sorted(plans))}))
    return Baseline(
        app=old.app,
        made=made.model_copy(
            update={
                "plans": tuple(sorted({*old.made.plans, *made.plans})),
                "rule_ids": tuple(sorted({*old.made.rule_ids, *made.rule_ids})) if not accept_new else made.rule_ids,
            }
        ),
        accepted=accept_new or old.accepted,
        findings=tuple(kept),
    )


CONFLICT = re.compile(r"^<{7} .*?^={7}$.*?^>{7} [^\n]*$", re.MULTILINE | re.DOTALL)
_SIDES = re.compile(
    r"^<{7} [^\n]*\n(?P<ours>.*?)(?:^\|{7}[^\n]*\n.*?)?^={7}\n(?P<theirs>.*?)^>{7} [^\n]*\n?", re.MULTILINE | re.DOTALL
)


def merged(path: Path) -> Baseline:
    """Merge both sides of a file in conflict: every finding of either side; if a finding is on both, the newer run's
    version.

    Raises FileError if there is no conflict, or a side is not a baseline.
    """
    conflict = yaml_files.text_of(path)
    if not CONFLICT.search(conflict):
        raise FileError(path, None, "it has no merge conflict.", "There is nothing to do.")
    ours, theirs = (
        yaml_files.parse_text(path, _SIDES.sub(rf"\g<{side}>", conflict), Baseline, hint=HINT)
        for side in ("ours", "theirs")
    )
    older, newer = sorted((ours, theirs), key=lambda each: str(each.made.at or ""))
    findings = {each.id: each for each in older.findings} | {each.id: each for each in newer.findings}
    return newer.model_copy(
        update={
            "findings": tuple(findings.values()),
            "made": newer.made.model_copy(update={"plans": tuple(sorted({*older.made.plans, *newer.made.plans}))}),
        }
    )
