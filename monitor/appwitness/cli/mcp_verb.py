"""The verb `mcp`: a Model Context Protocol server over stdin and stdout, for assistants."""

from __future__ import annotations

from pathlib import Path

import click
import cloup

from appwitness.api.home import recordings, signer
from appwitness.cli.local_words import tr
from appwitness.cli.terminal import err, plain
from appwitness.cli.verbs import VerbJudging, fault_note, judging_options, judging_words, main
from appwitness.support.errors import extra


@main.command()
@cloup.option_group(
    "Options",
    click.option(
        "--allow-actions",
        is_flag=True,
        help="Also offer tools that act: start and stop runs, mark consent, import captures. They are not listed "
        "otherwise.",
    ),
    click.option(
        "--folder",
        "folders",
        multiple=True,
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="A folder in which the assistant may name recordings, captures, APKs and baselines. Repeatable. "
        "[default: this folder and the folder of recordings]",
    ),
)
@judging_options
def mcp(allow_actions: bool, folders: tuple[Path, ...], judging: VerbJudging) -> None:
    """Let an assistant query findings and evidence, by the Model Context Protocol (MCP) over stdin and stdout.

    An assistant starts it: give it the command `appwitness mcp`. Values are always masked. Text that apps, servers or
    files made up is marked as untrusted in each answer. Runs that the assistant started end with the server.
    """
    from appwitness.api.browsing import Browsing
    from appwitness.api.live_runs import LiveRuns
    from appwitness.mcp.allowed_paths import AllowedPaths

    with extra("mcp"):
        from appwitness.mcp.assistant_tools import AssistantTools
        from appwitness.mcp.mcp_server import server
    folder = recordings().absolute()
    made: list[Browsing] = []

    def index() -> Browsing:
        if not made:
            made.append(Browsing(judging.store, judging.known, None, signer()))
        return made[0]

    with LiveRuns(judging_words()) as runs:
        allowed = AllowedPaths(folders or (Path.cwd(), folder))
        tools = AssistantTools(judging, allowed, folder, runs, index)
        err.print(plain(tr("MCP server on stdin and stdout; it may read {allowed}", allowed=allowed)))
        server(tools, actions=allow_actions, fault=fault_note).run("stdio")
