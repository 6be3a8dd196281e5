"""The checklists that testers work through, and how one is filled from recordings of an app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import Judging
    from appwitness.correlate.prior_knowledge import Knowledge
    from appwitness.findings import Report
    from appwitness.findings.filled_checklist import FilledChecklist
    from appwitness.judge.checklist_items import Checklist, GivenOption

ListName = Literal["cn-164", "cn-191", "eu-audit", "masvs-privacy"]
NAMES: tuple[ListName, ...] = get_args(ListName)
"""The lists in catalog/checklists; a test compares the two."""
FORMATS = ("text", "json", "html")


def checklist(name: str, known: Knowledge) -> Checklist:
    """A list by its name in NAMES, or one from a file. Raises UserError if it is neither, FileError for an invalid
    file."""
    from appwitness.catalog import yaml_files
    from appwitness.judge.checklist_items import Checklist

    path = next(iter(yaml_files.files(f"checklists/{name}.yml")), Path()) if name in NAMES else Path(name)
    if name not in NAMES and not path.is_file():
        raise UserError(
            Spoken("There is no checklist {name!r}, and no such file.", name=name),
            Spoken("Name a file, or one of {names}.", names=", ".join(NAMES)),
        )
    names: dict[str, Any] = {"rules": {rule.id for rule in known.rules}, "data": known.data_types.codes}
    hint = Spoken("Compare it with an existing list: appwitness checklist show cn-164.")
    read = yaml_files.parse(path, Checklist, names, hint)
    try:
        return read.worded(known.laws)
    except ValueError as error:
        raise FileError(path, None, Spoken("{error}.", error=error), hint) from None


def checklists(known: Knowledge) -> Iterator[Checklist]:
    """The lists of the catalog."""
    return (checklist(name, known) for name in NAMES)


def items_of(name: str) -> frozenset[str]:
    """The item numbers of a list in NAMES."""
    from appwitness.catalog import yaml_files

    tree = yaml_files.tree(next(yaml_files.files(f"checklists/{name}.yml")))
    return frozenset(item["item"] for group in tree["groups"] for item in group["items"])


def source_of(name: str) -> str:
    """The text of a list in NAMES, as a starting point for one's own. Raises UserError if there is no such list."""
    from appwitness.catalog import yaml_files

    if name not in NAMES:
        raise UserError(
            Spoken("There is no checklist {name!r}.", name=name), Spoken("Name one of {names}.", names=", ".join(NAMES))
        )
    return yaml_files.text_of(next(yaml_files.files(f"checklists/{name}.yml")))


def filled(which: Checklist, recordings: Sequence[Path], judging: Judging, *, reveal: bool = False) -> FilledChecklist:
    """A list filled from recordings of one version of one app; values in it are masked unless `reveal`.

    Raises UserError for recordings of several apps or versions, and for a recording named twice.
    """
    from appwitness.api.judging import see_that_another_run

    reports = [judging.report(path) for path in recordings]
    for number, report in enumerate(reports):
        see_that_another_run(number, recordings, reports)
        _see_that_same_version(recordings[number], report, recordings[0], reports[0])
    return filled_from(which, reports, judging, reveal=reveal)


def filled_from(
    which: Checklist, reports: Sequence[Report], judging: Judging, *, reveal: bool = False
) -> FilledChecklist:
    """The same as `filled`, from reports of different runs of one version of one app."""
    from appwitness.findings.mask import masked
    from appwitness.gate.checklist_filling import fill

    given: list[GivenOption] = []
    if judging.known.policy is not None:
        given.append("policy")
    if all(report.app_type is not None for report in reports):
        given.append("app_type")
    if judging.known.territory is not None:
        given.append("territory")
    shown = fill(which, reports if reveal else [masked(report) for report in reports], given)
    return shown.model_copy(update={"masked": not reveal})


def _see_that_same_version(path: Path, report: Report, first_path: Path, first: Report) -> None:
    one, other = report.run.app, first.run.app
    for field, what in (("version", "version"), ("version_code", "version code"), ("apk_sha256", "APK")):
        mine, theirs = getattr(one, field), getattr(other, field)
        if None not in (mine, theirs) and mine != theirs:
            raise UserError(
                Spoken(
                    "{path} and {first_path} differ in the {what} of {package}: {mine}, {theirs}.",
                    path=path,
                    first_path=first_path,
                    what=what,
                    package=one.package,
                    mine=mine,
                    theirs=theirs,
                ),
                "A list is about one version: name recordings of the same one.",
            )


def render(filled: FilledChecklist, format: str, lang: str = "en") -> str:
    """A filled list in one of FORMATS. Raises UserError for a format or a language that does not exist."""
    from appwitness.reports.checklist import render

    if format not in FORMATS:
        raise UserError(
            Spoken("There is no checklist format {format!r}.", format=format),
            Spoken("Choose one of {formats}.", formats=", ".join(FORMATS)),
        )
    return render(filled, format, lang)
