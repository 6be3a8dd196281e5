"""Deprecated names of verbs: they work in this release, and stderr names the replacement."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from typing import Any

import click

from appwitness.cli.local_words import tr

RENAMED = {
    ("app-types",): ("list", "app-types"),
    ("correlate",): ("index", "correlate"),
    ("data-types",): ("list", "data-types"),
    ("laws",): ("list", "laws"),
    ("policy",): ("list", "policy"),
    ("rules", "list"): ("list", "rules"),
    ("rules", "show"): ("list", "rules"),
    ("rules",): ("list", "rules"),
    ("schema",): ("list", "schema"),
    ("sources", "list"): ("list", "sources"),
    ("sources", "show"): ("list", "sources"),
    ("sources",): ("list", "sources"),
    ("waivers", "check"): ("waive", "--check"),
    ("waivers",): ("waive", "--check"),
}
"""Old name -> new name; if two fit, the first is used."""


def current(args: list[str], *, say: bool) -> list[str]:
    """The words of a command line with the verb's new name; with `say`, stderr names it."""
    for old, new in RENAMED.items():
        if tuple(args[: len(old)]) == old:
            if say:
                click.echo(
                    tr(
                        "`appwitness {old}` is now `appwitness {new}`; the old name stops working with the next "
                        "release.",
                        old=" ".join(old),
                        new=" ".join(new),
                    ),
                    err=True,
                )
            _rename_environment(old, new)
            return [*new, *args[len(old) :]]
    return args


def near(name: str, verbs: Iterable[str]) -> str | None:
    """The new name of a verb whose old name is closer to this one than any of `verbs`; None: there is none."""
    old = {before[0]: " ".join(after) for before, after in RENAMED.items()}
    nearest = difflib.get_close_matches(name, [*verbs, *old], n=1)
    return next((old[each] for each in nearest if each in old), None)


def _rename_environment(old: tuple[str, ...], new: tuple[str, ...]) -> None:
    """Make APPWITNESS_CORRELATE_DB apply to `index correlate`, unless the variable with the new name is set."""
    before, after = ("_".join(("APPWITNESS", *_verb(words), "")).upper().replace("-", "_") for words in (old, new))
    for name, value in list(os.environ.items()):
        if name.startswith(before):
            os.environ.setdefault(after + name.removeprefix(before), value)


def _verb(words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word[0] != "-"]


def by_new_names(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a settings file, with those of old verbs moved below the new names."""
    renamed = dict(tables)
    for old, new in RENAMED.items():
        holder: Any = tables
        for word in old:
            holder = holder.get(word) if isinstance(holder, Mapping) else None
        if not isinstance(holder, Mapping):
            continue
        renamed.pop(old[0], None)
        inner = {key: value for key, value in holder.items() if (*old, key) not in RENAMED}
        there = renamed
        for word in _verb(new):
            there[word] = dict(held) if isinstance(held := there.get(word), Mapping) else {}
            there = there[word]
        there |= {key: value for key, value in inner.items() if key not in there}
    return renamed
