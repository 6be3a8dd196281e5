"""Shell completion of devices, apps and catalog codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

type Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def those_of(values: Callable[[Any, click.Context], Iterable[tuple[str, str]]]) -> Completion:
    """Offer values that begin with what is typed, after the last comma of a list; `values` gets
    `appwitness.api.completing`.

    A shell has no place for an error: if one occurs, nothing is offered.
    """

    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, typed = incomplete.rpartition(",")
        try:
            found = list(values(_known(), ctx))
        except Exception:
            return []
        return [CompletionItem(before + comma + value, help=says) for value, says in found if value.startswith(typed)]

    return complete


def _known() -> ModuleType:
    """The module `appwitness.api.completing`, imported when Tab is first pressed."""
    from appwitness.api import completing

    return completing


def _device(ctx: click.Context) -> str | None:
    """The device named on the command line; None if none is."""
    named = ctx.get_parameter_source("device") is not ParameterSource.DEFAULT
    return ctx.params.get("device") if named else None


app_types = those_of(lambda known, _: known.app_types())
data_types = those_of(lambda known, _: known.data_types())
devices = those_of(lambda known, _: known.devices())
finding_types = those_of(lambda known, _: known.finding_types())
checklists = those_of(lambda known, _: known.checklists())
laws = those_of(lambda known, _: known.laws())
packages = those_of(lambda known, ctx: known.packages(_device(ctx)))
rules = those_of(lambda known, _: known.rules())
sample_apps = those_of(lambda known, _: known.sample_apps())
sources = those_of(lambda known, _: known.sources())
typed_values = those_of(lambda known, _: [(f"{code}=", says) for code, says in known.data_types()])


class WordsWithColons(BashComplete):
    """For Bash, which splits `lab:circle` and `--plan=refuse` at `:` and `=`, and replaces only the last part."""

    _head = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words as they were typed."""
        words: list[str] = []
        before, last = super().get_completion_args()
        for word in (*before, last):
            if words and word and (word[0] in ":=" or words[-1].endswith((":", "="))):
                words[-1] += word
            else:
                words.append(word)
        self._head = re.sub(r"[^:=]*$", "", words[-1])
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """The part that comes after what Bash has split off."""
        starts = (self._head[at:] for at in range(len(self._head)))
        typed = next((start for start in starts if item.value.startswith(start)), "")
        return f"{item.type},{item.value.removeprefix(typed)}"


add_completion_class(WordsWithColons)
