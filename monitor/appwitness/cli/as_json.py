"""`--json`: a verb's output as one JSON document on stdout, in the same way for every verb."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from appwitness.support import escape

json_option = click.option("--json", "as_json", is_flag=True, help="Print the output as one JSON document.")


def document(told: Mapping[str, Any]) -> None:
    """Write the only document of a verb. It may contain paths, times and records."""
    click.echo(escape.json(json.dumps({"v": 1, **told}, indent=1, ensure_ascii=False, default=_plain)))


def _plain(value: Any) -> Any:
    match value:
        case Path():
            return str(value)
        case datetime():
            from appwitness.events import format_time

            return format_time(value)
        case date():
            return value.isoformat()
        case set() | frozenset():
            return sorted(value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {each.name: getattr(value, each.name) for each in fields(value)}
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
