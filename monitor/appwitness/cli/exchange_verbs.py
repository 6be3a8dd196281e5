"""The verbs that bring foreign files in and give recordings out: import, export, bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from appwitness.api import exchanging
from appwitness.api.recording_names import opened
from appwitness.cli.terminal import err, out, plain, write
from appwitness.cli.verbs import VerbJudging, case_options, checking_options, gathered, main, recording_argument
from appwitness.cli.writing import note_reveal
from appwitness.support import escape
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.exchanging import Origin


def _named(_context: click.Context, _option: click.Parameter, app: str | None) -> str:
    if not app:
        raise UserError(
            "Nobody can tell from a file which app it comes from.",
            "Say it: appwitness import capture.har --app com.example.shop.",
        )
    return app


@main.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@gathered(
    "origin",
    exchanging.origin,
    click.option("--app", metavar="PACKAGE", callback=_named, help="The app that they come from.  [required]"),
    click.option(
        "--value",
        "values",
        multiple=True,
        metavar="TYPE=VALUE",
        help="A value that was on the device, to look for (several times): phone_number=+8613800138000.",
    ),
    click.option(
        "--mapping",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="How to read another tool's hook log, as docs/hook-logs.md describes. [default: frooky's]",
    ),
    click.option(
        "--keys",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Key log (SSLKEYLOGFILE) of a packet capture, to decrypt its TLS.",
    ),
    click.option(
        "--device",
        "kind",
        type=click.Choice(["phone", "emulator", "lab", "unknown"]),
        default="unknown",
        show_default=True,
        help="Kind of device that they come from, as far as you know.",
    ),
    *case_options,
)
@click.option("--format", "format_", type=click.Choice(["har", "flows", "hooks", "pcap"]), help="[default: by content]")
@click.option("--output", type=click.Path(path_type=Path), help="Folder of the new recording.")
def import_(files: tuple[Path, ...], origin: Origin, format_: str | None, output: Path | None) -> None:
    """Turn captures of other tools into a recording, to judge what you already have.

    HAR 1.2 of browsers and proxies, mitmproxy's flow files, packet captures (PCAP, PCAPNG; needs tshark), and
    JSON of hooks (frooky's, or others by --mapping); packed with gzip or not, ordinary files only.
    Files of one run go together: the traffic, and what was read.
    """
    into, counts = exchanging.import_(files, origin, output=output, format=format_)
    names = {"upload": "upload", "access": "read", "gap": "gap"}
    out.print(f"{into}: " + ", ".join(f"{n:,} {names[what]}{'s' if n != 1 else ''}" for what, n in counts.items()))
    for note in opened(into).run.notes:
        out.print(plain(note))
    if not counts["access"] and not origin.persona:
        out.print("Nothing is looked for: name what was on the device, as in --value phone_number=+8613800138000.")
    out.print(f"What it comes to:             appwitness report {into}")
    out.print(f"If you know what was agreed:  appwitness mark consent given --at TIME --recording {into}")


@main.command("export")
@recording_argument
@click.option(
    "--format", "format_", type=click.Choice(["har"]), default="har", show_default=True, help="What to write."
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write. [default: stdout]")
@click.option("--reveal", is_flag=True, help="Give personal values as they were sent; tokens stand for them otherwise.")
def export(recording: Path, format_: str, output: Path | None, reveal: bool) -> None:
    """Give the uploads of a recording to other tools, as HAR 1.2 with WebSocket messages.

    Each personal value that was planted or read is replaced by a token of the same shape, as `share` does it; a body
    in which that cannot be done is left out. With --reveal, URLs, headers and bodies are as they were sent.
    """
    given = opened(recording)
    if reveal:
        note_reveal("export", [given.run.id], [(format_, output)])
    har = exchanging.har(given, reveal=reveal)
    write(escape.json(har.text), output)
    if har.left_out:
        err.print(f"[dim]{har.left_out:,} bodies are left out, as values in them could not be replaced[/]")


@main.command()
@recording_argument
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="New file, X.zip.")
@click.option("--reveal", is_flag=True, help="Show personal values in report and letters as they are.")
@checking_options
def bundle(recording: Path, output: Path, reveal: bool, judging: VerbJudging) -> None:
    """Pack a recording for a stranger, with what checks it.

    A ZIP of the recording, its report as HTML, drafts of letters to authorities, your public key, versions and digests
    of the tools, digests of all files, instructions, and verify.py, which checks all of it with Python and its package
    cryptography alone. Report and letters are masked unless --reveal; the recording is not.
    """
    exchanging.bundle(recording, output, judging, reveal=reveal)
    err.print(f"written: {plain(str(output))}; it has personal data in it")
