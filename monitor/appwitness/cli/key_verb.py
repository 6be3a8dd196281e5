"""The verb for the operator's key, which signs recordings: key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from appwitness.api.home import key_file, signer
from appwitness.cli.base import main
from appwitness.cli.terminal import err, out, plain
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.recording.signing import Signer


@main.group()
def key() -> None:
    """Make and show the key that signs your recordings.

    Where there is one, `observe`, `import` and `mark` sign each stamp with it. Whoever has its public part verifies
    that nothing was changed since: appwitness verify RECORDING --key FILE.
    """


@key.command()
@click.option("--agent", metavar="NAME", help="Sign with this Ed25519 key of your ssh agent, instead of a new one.")
def new(agent: str | None) -> None:
    """Make a key, or take one that your ssh agent holds; a token's too, as long as it asks for no touch."""
    from appwitness.recording import signing

    path = key_file()
    if agent is None:
        public = signing.new(path).public
    else:
        keys = signing.agent_keys()
        public = next((each for each, name in keys if agent in {name, signing.fingerprint(each)}), b"")
        if not public:
            there = ", ".join(name for _, name in keys) or "no Ed25519 key"
            raise UserError(f"The ssh agent has no Ed25519 key {agent!r}.", f"It has: {there}.")
        signing.keep(path, f"{signing.line(public, agent)}\n".encode())
    err.print(f"written: {plain(str(path))}")
    out.print(signing.fingerprint(public))


@key.command()
def show() -> None:
    """Print the fingerprint of your key, as reports name it, and where it is."""
    from appwitness.recording import signing

    out.print(f"{signing.fingerprint(_own().public)}  {plain(str(key_file()))}")


@key.command()
@click.option("--name", default="", help="Whose key it is, for the end of the line.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write. [default: stdout]")
def export(name: str, output: Path | None) -> None:
    """Print the public part of your key, to give to others: one line, as OpenSSH writes it."""
    from appwitness.recording import signing
    from appwitness.support import private_files

    row = signing.line(_own().public, " ".join(name.split()))
    if output is None:
        click.echo(row)
    else:
        private_files.write(output, f"{row}\n", mode=0o644)
        err.print(f"written: {plain(str(output))}")


def _own() -> Signer:
    own = signer()
    if own is None:
        raise UserError("There is no key yet.", "Make one: appwitness key new.")
    return own
