"""content {insert|query|update|delete|call|read} --uri URI ...: the providers' tables are SQLite files in /data/rig.

As Android's: it ends with 0 whatever happens, what went wrong is on stderr or in the output, and one value cannot be
told from the next in a row that it prints. State: `no_providers` lists authorities that are not there, `shell_refused`
those that refuse adb's user (the call log, as its package has no permission for it)."""

import os
import re
import sys
import urllib.parse
from typing import Any

import providers

TYPES: dict[str, Any] = {"b": lambda text: int(text == "true"), "s": str, "i": int, "l": int, "f": float, "d": float}
NULL_SINCE = 29
"""API level from which on a binding may be null (`name:n:`)."""
LONG_SINCE = 26
"""API level from which on whole numbers are printed with more than 32 bits."""


class Usage(Exception):
    """What the parser of the command refuses."""


def main(arguments, state):
    try:
        verb, options = parse(list(arguments), state["api"])
    except (Usage, ValueError) as error:
        print(f"usage: adb shell content [subcommand] [options]\n\n[ERROR] {error}")
        return 0
    uri = urllib.parse.urlsplit(options["--uri"])
    try:
        if uri.netloc in state.get("no_providers", ()):
            raise providers.Refused("java.lang.IllegalStateException", f"Could not find provider: {uri.netloc}")
        if os.getuid() and uri.netloc in state.get("shell_refused", ["call_log"]):
            raise providers.Refused("java.lang.SecurityException", f"Permission Denial: opening {uri.netloc}, uid=2000")
        provider = providers.of(uri.netloc, state, options["--user"])
        asked = providers.Asked(
            path=uri.path.strip("/"),
            query=dict(urllib.parse.parse_qsl(uri.query)),
            where=options.get("--where"),
            values=options["--bind"],
        )
        with provider:
            run(verb, provider, asked, options, state["api"])
    except providers.Refused as error:
        print(f"Error while accessing provider:{uri.netloc}\n{error}\n\tat android.os.Parcel...", file=sys.stderr)
    return 0


def run(verb, provider, asked, options, api):
    match verb:
        case "insert":
            provider.insert(asked)
        case "update":
            provider.update(asked)
        case "delete":
            provider.delete(asked)
        case "query":
            columns, rows = provider.query(asked, options.get("--projection"), options.get("--sort"))
            if not rows:
                print("No result found.")
            for number, row in enumerate(rows):
                print(
                    f"Row: {number} "
                    + ", ".join(f"{name}={cell(value, api)}" for name, value in zip(columns, row, strict=True))
                )
        case "call":
            print(f"Result: {provider.call(options['--method'], options.get('--arg'))}")


def cell(value, api):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return "BLOB"
    if isinstance(value, int) and api < LONG_SINCE:
        return str((value + (1 << 31)) % (1 << 32) - (1 << 31))
    return str(value)


def parse(words, api):
    verb = words.pop(0) if words else ""
    allowed = {
        "insert": {"--bind"},
        "update": {"--bind", "--where"},
        "delete": {"--where"},
        "query": {"--projection", "--where", "--sort"},
        "call": {"--method", "--arg", "--extra"},
    }.get(verb)
    if allowed is None:
        raise Usage(f"Unsupported operation: {verb}")
    options: dict[str, Any] = {"--user": 0, "--bind": {}}
    while words:
        name = words.pop(0)
        if name not in {"--uri", "--user", *allowed}:
            raise Usage(f"Unsupported argument: {name}")
        value = words.pop(0) if words else ""
        if name in ("--bind", "--extra"):
            found = re.match(r"([^:]*):([^:]*):(.*)\Z", value, re.DOTALL)
            if not found:
                raise Usage(f"Binding not well formed: {value}")
            if found[2] == "n" and api >= NULL_SINCE:
                options["--bind"][found[1]] = None
            elif found[2] in TYPES:
                options["--bind"][found[1]] = TYPES[found[2]](found[3])
            else:
                raise Usage(f"Unsupported type: {found[2]}")
            continue
        if not value or value.startswith("--"):
            raise Usage(f"No value for argument: {name}")
        options[name] = int(value) if name == "--user" else value
    if "--uri" not in options:
        raise Usage("Content provider URI not specified. Did you specify --uri argument?")
    if verb in ("insert", "update") and not options["--bind"]:
        raise Usage("Bindings not specified. Did you specify --bind argument(s)?")
    return verb, options
