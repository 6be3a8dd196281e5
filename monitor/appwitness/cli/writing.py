"""Writes any number of output formats in one call, each to its own file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cloup

from appwitness.api import home
from appwitness.cli.verbs import Verb, VerbCommand, gathered, json_as_format, reveal_option
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken


class Paired(VerbCommand):
    """A verb with any number of `--format X --output F` pairs: an --output belongs to the --format before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the pairs out of the arguments and put them into `ctx.meta["outputs"]`."""
        outputs: list[tuple[str | None, Path | None]] = []
        rest: list[str] = []
        words = iter(json_as_format(args))
        for word in words:
            name, equals, value = word.partition("=")
            if word == "--":
                rest += [word, *words]
            elif name == "--format":
                outputs.append((self._format(value if equals else next(words, "")), None))
            elif name == "--output":
                file = value if equals else next(words, "")
                if not file:
                    raise UserError("--output names no file.", "Write --format sarif --output report.sarif.")
                last = outputs.pop()[0] if outputs and outputs[-1][1] is None else None
                outputs.append((last, Path(file)))
            else:
                rest.append(word)
        pairs = [(name or self._by_name(file), file) for name, file in _paired(outputs)]
        for format_, path in pairs:
            see_that_they_fit(format_, path)
        ctx.meta["outputs"] = pairs
        return super().parse_args(ctx, rest)

    @property
    def _formats(self) -> Sequence[str]:
        (choice,) = (param.type for param in self.params if "--format" in param.opts)
        assert isinstance(choice, click.Choice)
        return list(choice.choices)

    def _format(self, name: str) -> str:
        if name not in self._formats:
            raise UserError(
                Spoken("There is no format {name!r}.", name=name),
                Spoken("Choose one of {formats}.", formats=", ".join(self._formats)),
            )
        return name

    def _by_name(self, file: Path | None) -> str:
        """The format that the file's extension implies; text if it implies none."""
        return implied(file, self._formats) or "text"


ENDS = {
    ".html": ("html", "complaint-html"),
    ".htm": ("html", "complaint-html"),
    ".json": ("json", "sarif", "gitlab"),
    ".sarif": ("sarif",),
    ".xml": ("junit",),
    ".md": ("markdown", "complaint", "text"),
    ".txt": ("text", "markdown", "complaint"),
    ".csv": ("csv",),
    ".parquet": ("parquet",),
}
"""Extension of a file -> the formats that fit it; the first is used unless a --format says otherwise."""


def implied(file: Path | None, formats: Sequence[str]) -> str | None:
    """The one of these formats that the file's extension implies; None: none of them."""
    name = ENDS.get(file.suffix.lower(), (None,))[0] if file else None
    return name if name in formats else None


def see_that_they_fit(name: str, file: Path | None) -> None:
    """Raise UserError for a file whose extension implies another format."""
    fitting = ENDS.get(file.suffix.lower()) if file else None
    if file is not None and fitting and name not in fitting:
        end = next((end for end, formats in ENDS.items() if formats[0] == name), ".txt")
        raise UserError(
            Spoken("--format {name} does not fit the name {name_2}.", name=name, name_2=file.name),
            Spoken("Leave --format out, or name the file {name}.", name=file.with_suffix(end).name),
        )


def _paired(outputs: Sequence[tuple[str | None, Path | None]]) -> list[tuple[str | None, Path | None]]:
    match outputs:
        case [(None, Path() as file), (str() as format_, None)]:  # one of each, in the other order
            return [(format_, file)]
        case []:
            return [("text", None)]
    if sum(file is None for _, file in outputs) > 1:
        raise UserError("Two formats go to standard output.", "Give all but one of them its own --output.")
    return list(outputs)


def write_as(name: str, text: str, file: Path | None) -> None:
    """Write a report in one of the formats; SARIF is split into several files if one would be larger than code hosts
    accept."""
    from appwitness.cli.terminal import write

    if name == "sarif" and file is not None:
        from appwitness.reports.sarif import files_of

        for part, of_part in files_of(text, file):
            write(of_part, part)
    else:
        write(text, file)


@dataclass(frozen=True)
class Output:
    """What is written, and where."""

    outputs: Sequence[tuple[str, Path | None]]
    """Formats, each with its file; None: standard output."""
    lang: str | None
    reveal: bool
    template: Path | None = None
    sarif_anchor: str | None = None
    with_gone: bool = False
    verbose: bool = False


def note_reveal(verb: str, recordings: Iterable[str], outputs: Sequence[tuple[str, Path | None]]) -> None:
    """Log that values are about to be written unmasked. `outputs` are the formats, each with its file.

    Raises UserError if this cannot be logged; the values must not be written then.
    """
    what = ", ".join(f"{name} to {'standard output' if file is None else file.absolute()}" for name, file in outputs)
    home.note_reveal(verb, recordings, what)


def output_options(
    formats: Sequence[str], *others: Callable[[Verb], Verb], lang: str = "that of the locale"
) -> Callable[[Verb], Verb]:
    """The options of a `Paired` verb, which gets them as `as_`; `lang` is what the help gives as the default."""

    def make(*, _format: None, _output: None, **fields: Any) -> Output:
        return Output(click.get_current_context().meta["outputs"], **fields)

    return gathered(
        "as_",
        make,
        cloup.option_group(
            "Output",
            # Paired removes these two from the arguments; they are declared here for --help.
            click.option(
                "--format",
                "_format",
                type=click.Choice(formats),
                help="The format to write. Repeatable. [default: text]",
            ),
            click.option(
                "--output",
                "_output",
                metavar="FILE",
                help="File for the --format before it. Without one, the file's name says the format: x.html. "
                "[default: stdout]",
            ),
            click.option("--lang", type=click.Choice(["en", "zh"]), help=f"The language to write. [default: {lang}]"),
            reveal_option,
            *others,
        ),
    )
