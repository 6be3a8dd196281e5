"""The verb for the operator's key, which signs recordings: key."""

from __future__ import annotations

from pathlib import Path

import click

from appwitness.api import verifying
from appwitness.api.home import key_file
from appwitness.cli.terminal import err, out, plain
from appwitness.cli.verbs import main
from appwitness.support import private_files


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
    fingerprint = verifying.new_key(agent)
    err.print(f"written: {plain(str(key_file()))}")
    out.print(fingerprint)


@key.command()
def show() -> None:
    """Print the fingerprint of your key, as reports name it, and where it is."""
    out.print(f"{verifying.own_fingerprint()}  {plain(str(key_file()))}")


@key.command()
@click.option("--name", default="", help="Whose key it is, for the end of the line.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write. [default: stdout]")
def export(name: str, output: Path | None) -> None:
    """Print the public part of your key, to give to others: one line, as OpenSSH writes it."""
    row = verifying.public_line(name)
    if output is None:
        click.echo(row)
    else:
        private_files.write(output, f"{row}\n", mode=0o644)
        err.print(f"written: {plain(str(output))}")
