"""What the verbs share: the group, the exit codes, common options, and the report of a recording."""

from __future__ import annotations

import functools
import importlib
import io
import os
import re
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click
import cloup
from click.core import ParameterSource

from appwitness.api import judging as api
from appwitness.api import verifying
from appwitness.api.home import home
from appwitness.api.recording_names import fetched, read_encrypted_with
from appwitness.cli import completion, front_page, renamed_verbs, settings
from appwitness.cli.front_page import VERBS, language
from appwitness.cli.local_words import LocalContext, have_click_say_it, paragraphs, tr
from appwitness.support import private_files, site, this_build
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import Keep, Progress
    from appwitness.findings import Report, Threshold

EXIT_CODES = {
    0: "done; no findings, or none that fails a build",
    1: "done; there are findings, or one that fails a build",
    2: "wrong usage, or a file or database that cannot be used as it is",
    3: "no findings, but something could not be observed (only with --strict)",
    4: "the device, the proxy or the agent did not come up, or went down during the run",
    5: "verify: the recording does not match its stamps, or something other than a mark was added after its end",
    70: "internal error, which is our fault; the message names a file to send with your report",
    130: "interrupted before there was a result",
}
"""What each exit code means for every verb; docs/reference.md shows this table and a test compares the two."""


LONGEST_TRACEBACK = 100_000


class ReaderGone(Exception):
    """The reader of our output is gone, as in `appwitness report ... | head`: that is not an error."""


@contextmanager
def _read_on() -> Iterator[None]:
    """Raise ReaderGone when the reader of a pipe goes away: click would exit with 1, which here means findings."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ReaderGone from None


class _Inert(io.TextIOWrapper):
    """A stream on which no output acts as a command to a build server, whichever verb or library writes it."""

    def write(self, text: str, /) -> int:
        """Write the text; anything in it that a build server would take as a command is made inert."""
        from appwitness.support import escape

        super().write(escape.inert(text))
        return len(text)


@contextmanager
def _inert_streams() -> Iterator[None]:
    """Replace standard output and error by `_Inert` streams while a verb runs."""
    before = sys.stdout, sys.stderr
    made = [
        _Inert(stream.buffer, stream.encoding, stream.errors, line_buffering=True, write_through=stream.write_through)
        if isinstance(stream, io.TextIOWrapper)
        else stream
        for stream in before
    ]
    sys.stdout, sys.stderr = made
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in made:
            if isinstance(stream, _Inert):
                with suppress(OSError, ValueError):
                    stream.flush()
                stream.detach()


class VerbCommand(cloup.Command):
    """A verb; adds the options that control output and, if it reads recordings, the one that decrypts them."""

    context_class = LocalContext

    def __init__(self, *args: Any, params: list[click.Parameter] | None = None, **kwargs: Any) -> None:
        given = list(params or ())
        formats = {name for each in given if "--format" in each.opts for name in getattr(each.type, "choices", ())}
        self._json_is_a_format = "json" in formats and not any("--json" in each.opts for each in given)
        if self._json_is_a_format:
            given.append(click.Option(["--json"], is_flag=True, expose_value=False, help="The same as --format json."))
        reads = any(
            isinstance(each, click.Argument) and each.name in ("recording", "recordings", "old") for each in given
        )
        super().__init__(*args, params=[*given, *_everywhere(reads=reads)], **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as cloup does; `--json` is a format if the verb has formats."""
        settings.name_variables(self, ctx.auto_envvar_prefix)
        return super().parse_args(ctx, json_as_format(args) if self._json_is_a_format else args)

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence of its help, in the user's language."""
        short = super().get_short_help_str(limit)
        return short if language() == "en" else re.split("(?<=。)", tr(paragraphs(self.help or "")[0]))[0]


def json_as_format(args: list[str]) -> list[str]:
    """The words of a command line with `--json` replaced by a format; what comes after `--` are arguments."""
    end = args.index("--") if "--" in args else len(args)
    return [*("--format=json" if each == "--json" else each for each in args[:end]), *args[end:]]


class VerbsOfAVerb(cloup.Group):
    """A verb with verbs of its own."""

    command_class = VerbCommand
    group_class: type = type  # groups below a verb are such groups, too
    context_class = LocalContext


class VerbGroup(VerbsOfAVerb):
    """Loads only the verb that is called, and turns whatever ends it into a message and an exit code of EXIT_CODES;
    no traceback reaches a user."""

    group_class = VerbsOfAVerb

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order of --help."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A verb, whose module is imported now."""
        if cmd_name in VERBS:
            importlib.import_module(f"appwitness.cli.{VERBS[cmd_name][0]}")
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve as cloup does, and also accept a verb's old name."""
        return super().resolve_command(ctx, renamed_verbs.current(args, say=not ctx.resilient_parsing))

    def handle_bad_command_name(
        self, bad_name: str, valid_names: list[str], error: click.UsageError
    ) -> click.UsageError:
        """Suggest as cloup does, out of the names of all verbs, loaded or not, and their old names."""
        if now := renamed_verbs.near(bad_name, VERBS):
            return click.NoSuchCommand(
                bad_name, f"{error.message} {tr('Did you mean {now!r}?', now=now)}", ctx=error.ctx
            )
        return super().handle_bad_command_name(bad_name, list(VERBS), error)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the front page; its last line names the two options, so that everything fits on one screen."""
        formatter.write(front_page.page(tr, ":" if language() == "en" else "："))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and end with an exit code of EXIT_CODES."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # for characters that the terminal's encoding lacks
        have_click_say_it()
        with _inert_streams():
            code = self._main(*args, **kwargs)
        sys.exit(code if isinstance(code, int) else 0)

    def _main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            _see_that_it_is_text(args[0] if args else kwargs.get("args"))
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except UserError as error:
            page = site.fault_page(getattr(error, "code", None), language())
            _tell("error", error.what, error.next_step, *([page] if page else []))
            code = error.exit_code
        except click.ClickException as error:
            error.show()
            code = WRONG_USAGE
        except (KeyboardInterrupt, click.Abort):
            click.echo(tr("interrupted"), err=True)
            code = INTERRUPTED
        except ReaderGone:
            code = INTERRUPTED
        except OSError as error:
            code = _unusable(error)
        except Exception as error:
            code = _fault(error)
        return code

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """As click does; this is where --help and --version are printed."""
        with _read_on():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does."""
        with _read_on():
            return super().invoke(ctx)


WRONG_USAGE, INTERNAL, INTERRUPTED = 2, 70, 130


def _tell(what: str, *lines: str) -> None:
    from appwitness.cli.terminal import err, plain

    err.alarm(f"[bold red]{tr(what)}[/]{tr(': ')}" + "\n".join(plain(tr(line)) for line in lines))


def _see_that_it_is_text(arguments: Sequence[str] | None) -> None:
    for each in sys.argv[1:] if arguments is None else arguments:
        if not each.isascii() and each != each.encode("utf-8", "replace").decode():
            raise UserError(
                Spoken("{each!a} is not text in UTF-8.", each=each), "Rename the file, or type the argument again."
            )


def _unusable(error: OSError) -> int:
    """Report an OSError: most likely a file that the user named is missing or not readable."""
    if error.filename is None:
        return _fault(error)
    _tell("error", f"{os.fsdecode(error.filename)}: {error.strerror or error}.")
    return WRONG_USAGE


def _fault(error: Exception) -> int:
    """Print one line for the user; the traceback goes to a private file for whoever fixes it."""
    _tell("internal error", fault_note(error))
    return INTERNAL


def fault_note(error: Exception) -> str:
    """What a user is told about an internal error; its traceback goes to a private file, which is named."""
    lines = traceback.TracebackException.from_exception(error, max_group_depth=3)
    text = "".join(lines.format())
    name = f"appwitness-error-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.txt"
    where = Spoken("with a description of what you did")
    for folder in (home(), Path.cwd()):
        with suppress(OSError, UserError):
            private_files.folder(folder) if not folder.is_dir() else None
            private_files.write(folder / name, text[-LONGEST_TRACEBACK:])
            where = Spoken("with the file {file}", file=folder / name)
            break
    return Spoken("{error}. Please report it {where}.", error=type(error).__name__, where=where)


def _everywhere(*, reads: bool) -> Iterator[click.Option]:
    """The options of every verb; for one that reads recordings, also how to decrypt them."""
    if reads:
        yield click.Option(
            ["--identity"],
            type=FILE,
            expose_value=False,
            callback=_identity,
            help="Your identity, which decrypts recordings: the file of age-keygen, or an SSH private key. "
            "[default: APPWITNESS_IDENTITY in the environment]",
        )
    yield click.Option(
        ["--color"],
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        expose_value=False,
        callback=_of_terminal,
        help="When to use colours; auto: on a terminal, unless NO_COLOR is set.",
    )
    yield click.Option(
        ["-q", "--quiet"],
        is_flag=True,
        expose_value=False,
        callback=_of_terminal,
        help="Print results and errors only.",
    )


def _identity(_context: click.Context, _option: click.Parameter, path: Path | None) -> None:
    if path is not None:
        read_encrypted_with(path)


def _of_terminal(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    from appwitness.cli.terminal import choose, err, plain

    chosen = ctx.meta.setdefault("terminal", {"color": "auto", "quiet": False})
    chosen[option.name] = value
    ctx.color = choose(**chosen)
    if option.name == "quiet" and (path := ctx.meta.get("settings")):
        # a file that sets quiet cannot hide that it exists
        by_file = ctx.get_parameter_source("quiet") is ParameterSource.DEFAULT_MAP
        say = err.alarm if by_file else err.print
        say(tr("[dim]options of {path} are in effect (`appwitness config` shows them)[/]", path=plain(str(path))))


def _say_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        commit = this_build.commit()
        click.echo(f"appwitness, version {this_build.version()}" + (f" (commit {commit})" if commit else ""))
        context.exit()


@cloup.group(
    cls=VerbGroup,
    help=front_page.ABOUT,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "auto_envvar_prefix": settings.ENVIRONMENT,
    },
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_say_version,
    help="Show the version and the commit it was built from.",
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Take the options of the settings file for the verb that was called."""
    verb = ctx.invoked_subcommand or ""
    command = main.get_command(ctx, verb)
    if command and verb != "config" and (found := settings.find()):
        settings.check(found, VERBS)
        defaults = found.defaults(verb, command)
        ctx.default_map = {verb: defaults}
        ctx.meta["settings"] = found.path if defaults else None


FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NEW_FILE = click.Path(path_type=Path, dir_okay=False)
FILE_OR_FOLDER = click.Path(path_type=Path, exists=True)
ANY_PATH = click.Path(path_type=Path)
output_option = click.option("--output", type=NEW_FILE, help="File to write. [default: stdout]")
db_option = click.option(
    "--db",
    metavar="URL",
    help="The index: an SQLite file or a SQLAlchemy URL. [default: appwitness.sqlite in ~/.appwitness]",
)
rules_option = click.option(
    "--rules",
    type=FILE_OR_FOLDER,
    help="File or folder with rules of your own, in addition to ours.",
)
law_option = click.option(
    "--law",
    "laws",
    metavar="CODES",
    callback=lambda _context, _option, text: _codes(text),
    shell_complete=completion.laws,
    help="Whose law findings name, separated by commas: cn, eu, us, uk, br, in, store. [default: all]",
)
format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The format to write.",
)


lang_option = click.option(
    "--lang",
    type=click.Choice(["en", "zh"]),
    default=language,
    show_default="that of the locale",
    help="The language to write.",
)
reveal_option = click.option("--reveal", is_flag=True, help="Show personal values, which are masked otherwise.")


def _aliases(_context: click.Context, _option: click.Parameter, pairs: Sequence[str]) -> dict[str, str]:
    wrong = next((pair for pair in pairs if not all(pair.partition("="))), None)
    if wrong is not None:
        raise UserError(
            Spoken("--package-alias {wrong!r} does not name two packages.", wrong=wrong), "Write com.app.debug=com.app."
        )
    return dict(pair.split("=", 1) for pair in pairs)


alias_option = click.option(
    "--package-alias",
    "aliases",
    multiple=True,
    metavar="NAME=PACKAGE",
    callback=_aliases,
    help="A package name that stands for another: com.app.debug=com.app. Repeatable.",
)
case_options = (
    click.option(
        "--operator", metavar="NAME", help="Who is responsible for the recording. [default of a run: login name]"
    ),
    click.option("--case", metavar="NUMBER", help="Number of the case that the recording belongs to."),
    click.option("--place", metavar="TEXT", help="Where the recording is made."),
    click.option("--equipment", metavar="TEXT", help="What the recording is made with: host, phone, network."),
    click.option("--app-store", metavar="TEXT", help="Where the app came from: Google Play, F-Droid, its maker."),
    click.option("--app-account", metavar="TEXT", help="Account of the store that the app was fetched with."),
    click.option("--app-link", metavar="URL", help="Link that the app was fetched from."),
    click.option("--app-obtained", metavar="TIME", help="When the app was fetched."),
    click.option("--image-link", metavar="URL", help="Link of the image that the device runs."),
    click.option("--image-sha256", metavar="HEX", help="SHA-256 of that image."),
)
"""What the operator says about a new recording; reports print it, and the first stamp binds it."""
OBTAINED = {"app_store": "store", "app_account": "account", "app_link": "link", "app_obtained": "at"}
IMAGE = {"image_link": "link", "image_sha256": "sha256"}
"""Options -> fields of run.json."""


def of_case(given: dict[str, Any], *, ask: bool = False) -> dict[str, Any]:
    """The options of a verb, with those on the source of the app and the device's image in the form of run.json.

    `ask`: on a terminal, if there is a case, the user is asked for the missing ones. Raises UserError for an invalid
    digest.
    """
    from appwitness.events import DeviceImage, ObtainedApp

    if ask and given.get("case") and sys.stdin.isatty():
        for option in (*OBTAINED, *IMAGE):
            given[option] = given.get(option) or click.prompt(
                tr(_ASKED[option]), default="", show_default=False, err=True
            )
    app = {field: given.pop(option, None) or None for option, field in OBTAINED.items()}
    image = {field: given.pop(option, None) or None for option, field in IMAGE.items()}
    if image["sha256"] and not re.fullmatch("[0-9a-f]{64}", image["sha256"]):
        raise UserError(
            Spoken("--image-sha256 {image!r} is not a SHA-256.", image=image["sha256"]),
            "Write its 64 hexadecimal digits.",
        )
    return given | {
        "obtained": ObtainedApp(**app) if any(app.values()) else None,
        "image": DeviceImage(**image) if any(image.values()) else None,
    }


_ASKED = {
    "app_store": "Where the app came from (store)",
    "app_account": "Account of the store",
    "app_link": "Link",
    "app_obtained": "When it was fetched",
    "image_link": "Link of the device's image",
    "image_sha256": "SHA-256 of the image",
}
"""Questions to the user; an empty answer leaves the field out."""


class RecordingPath(click.Path):
    """The folder or archive of a recording, or its address in a bucket, from which it is fetched while the verb
    runs."""

    def __init__(self, *, exists: bool = False) -> None:
        super().__init__(exists=exists, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert as click does. Raises UserError for an address where there is nothing."""
        if ctx is None or "://" not in str(value):
            return super().convert(value, param, ctx)
        return ctx.with_resource(fetched(str(value)))


recording_argument = click.argument("recording", type=RecordingPath())


def _addresses(_context: click.Context, _option: click.Parameter, urls: tuple[str, ...]) -> tuple[str, ...]:
    if urls:
        verifying.see_that_all_are_authorities(urls)
    return urls


def tsa_option(*, required: bool = False) -> Callable[[Verb], Verb]:
    """The option that names time-stamp authorities to ask."""
    return click.option(
        "--tsa",
        multiple=True,
        required=required,
        metavar="URL",
        callback=_addresses,
        help="A time-stamp authority (RFC 3161) to date the recording. Repeatable.",
    )


def _codes(text: str | None) -> tuple[str, ...]:
    codes = tuple(code.strip().lower() for code in (text or "").split(","))
    if text is not None and not all(codes):
        raise UserError(
            Spoken("--law {text!r} has an empty code.", text=text),
            "Write codes with commas: --law cn,eu.",
        )
    return codes if text is not None else ()


def _country(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[A-Za-z]{2}", text):
        raise UserError(
            Spoken("--territory {text!r} is not a country code.", text=text),
            "Give its code of two letters: --territory CN.",
        )
    return text.upper() if text else None


def size(option: str, text: str) -> int:
    """A size in bytes. Raises UserError for anything else."""
    found = re.fullmatch(r"(\d{1,12})([kmgt]?)b?", text.strip().lower())
    if found is None:
        raise UserError(Spoken("{option} {text!r} is not a size.", option=option, text=text), "Write it as 500m or 4g.")
    return int(found[1]) << 10 * " kmgt".index(found[2] or " ")


type Verb = Callable[..., None]


def gathered(into: str, make: Callable[..., Any], *options: Callable[[Verb], Verb]) -> Callable[[Verb], Verb]:
    """Give a verb all of these options as one argument, `into`: what `make` returns for them, passed by name."""

    def decorate(verb: Verb) -> Verb:
        @functools.wraps(verb)
        def run(**given: Any) -> None:
            verb(**{into: make(**{name: given.pop(name) for name in names})}, **given)

        others = len(getattr(verb, "__click_params__", ()))
        wrapped: Any = run
        for option in reversed(options):
            wrapped = option(wrapped)
        names = [param.name for param in wrapped.__click_params__[others:]]
        return run

    return decorate


@dataclass(frozen=True)
class VerbJudging(api.Judging):
    """How recordings are judged, in the form that a verb uses."""

    strict: bool = False
    """Whether gaps alone change the exit code too."""

    def report(self, path: Path, _progress: Progress = api.quiet) -> Report:
        """The same, with a progress bar on stderr."""
        from appwitness.cli.terminal import progress

        with progress() as show:
            return super().report(path, show)

    def summary(self, path: Path, threshold: Threshold | None = None) -> int:
        """Print the text report of a recording; returns the exit code for it."""
        from appwitness.reports import render

        report = self.report(path)
        click.echo(render(report, "text", lang=language()))
        return self.exit_code(report, threshold=threshold)

    def exit_code(self, *reports: Report, threshold: Threshold | None = None) -> int:
        """The exit code for reports: findings that count come before gaps, and gaps count only if `strict`. Without
        a `threshold`, all findings count."""
        if any(
            threshold is None or threshold.counts(finding.level, finding.confidence)
            for report in reports
            for finding in report.findings
        ):
            return 1
        return 3 if self.strict and any(report.gaps for report in reports) else 0


def _judging(
    db: str | None,
    index: Keep | None,
    strict: bool,
    key: Sequence[Path] = (),
    trust: Sequence[Path] = (),
    **chosen: Any,
) -> VerbJudging:
    by = api.judging(db=db, index=index, keys=(*key, *trust), authorities=chosen.pop("tsa_cert", ()), **chosen)
    return VerbJudging(by.known, by.db, by.keep, by.trust, strict)


JUDGING = (
    cloup.option_group(
        "Index",
        db_option,
        click.option(
            "--index",
            type=click.Choice(["lines", "conclusions"]),
            help="What the index keeps of each recording: its lines too, or only the conclusions, with values masked. "
            "[default: lines; conclusions in an index that has nothing else]",
        ),
    ),
    cloup.option_group(
        "Judging",
        rules_option,
        click.option(
            "--first-party",
            multiple=True,
            metavar="DOMAIN",
            help="A domain that belongs to the app's maker. Repeatable.",
        ),
        law_option,
        click.option(
            "--app-type",
            metavar="TYPE",
            shell_complete=completion.app_types,
            help="Type of the app, by number or name, which says what data it needs (`appwitness list app-types`).",
        ),
        click.option(
            "--policy",
            type=FILE,
            help="File of what the app's maker declares (`appwitness list policy` prints an example), or Google Play's "
            "data safety form as the console exports it (.csv).",
        ),
        click.option(
            "--territory",
            metavar="COUNTRY",
            callback=lambda _context, _option, text: _country(text),
            help="Where the users are, such as CN or EU; a recipient elsewhere is abroad.",
        ),
        click.option(
            "--assume-consent",
            type=click.Choice(["none", "given"]),
            help="What to assume where nobody observed what the user was asked, as in an import: no consent, or "
            "consent to the privacy policy. The report says so. [default: no assumption]",
        ),
        click.option("--strict", is_flag=True, help="Exit with 3 if there are gaps but no finding that fails."),
    ),
)
judging_options = gathered("judging", _judging, *JUDGING)
"""How a user has recordings judged; the verb gets it as `judging`."""


def judging_words() -> list[str]:
    """The judging options on this verb's command line, as words for the command line of another verb."""
    context = click.get_current_context()
    words: list[str] = []
    names = {param.name for option in JUDGING for param in _params(option)}
    for param in context.command.params:
        given = context.params.get(str(param.name))
        source = context.get_parameter_source(str(param.name))
        if param.name not in names or source is click.core.ParameterSource.DEFAULT or not given:
            continue
        if getattr(param, "is_flag", False):
            words.append(param.opts[0])
        elif param.multiple:
            words += [f"{param.opts[0]}={each}" for each in given]
        else:
            words.append(f"{param.opts[0]}={','.join(given) if isinstance(given, tuple) else given}")
    return words


def _params(option: Callable[[Verb], Verb]) -> list[click.Parameter]:
    def verb() -> None:
        """Takes the options."""

    option(verb)
    return list(getattr(verb, "__click_params__", ()))


TRUST = cloup.option_group(
    "Signatures and time-stamps",
    click.option(
        "--key",
        type=FILE,
        multiple=True,
        help="File with the operator's public key, which must have signed each stamp. Repeatable: any one of them "
        "will do.",
    ),
    click.option("--trust", type=FILE, multiple=True, help="File with several public keys, one per line."),
    click.option(
        "--tsa-cert",
        type=FILE,
        multiple=True,
        help="File with certificates of time-stamp authorities (PEM or DER), one of which must have signed each token.",
    ),
)
"""Whose stamps and tokens a recording must have."""
trust_options = gathered("trust", lambda key, trust, tsa_cert: verifying.trust((*key, *trust), tsa_cert), TRUST)
"""The verb gets it as `trust`."""
checking_options = gathered("judging", _judging, *JUDGING, TRUST)
"""The same as judging_options, for verbs that can also check whose stamps they are."""


def level_options(fail_on: str, min_confidence: str) -> tuple[Callable[[Verb], Verb], ...]:
    """The options that say which findings fail a build, with these defaults."""
    return (
        click.option(
            "--fail-on",
            type=click.Choice(["high", "medium", "low", "info", "never"]),
            default=fail_on,
            show_default=True,
            help="The lowest level that fails.",
        ),
        click.option(
            "--min-confidence",
            type=click.Choice(["proven", "corroborated", "indicated", "declared"]),
            default=min_confidence,
            show_default=True,
            help="The lowest confidence that fails.",
        ),
    )


def _threshold(**options: Any) -> Threshold:
    from appwitness.findings import Threshold

    return Threshold(**options)


threshold_options = gathered(
    "threshold", _threshold, cloup.option_group("Which findings fail", *level_options("info", "declared"))
)
"""Which findings of a report count; the verb gets it as `threshold`."""


def listen(address: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Raises UserError if it cannot listen."""
    try:
        family = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((address, port), family=family)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UserError(
            Spoken("Cannot listen on {address} port {port}: {why}.", address=address, port=port, why=why),
            "Name another --port; 0 takes a free one.",
        ) from None


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """End a run cleanly on Ctrl-C, or on the SIGTERM of a build server; a second one ends it at once."""
    seen = threading.Event()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        if seen.is_set():
            raise KeyboardInterrupt
        seen.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen.is_set
    finally:
        for number, action in before.items():
            signal.signal(number, action)
