"""Installs newer catalog data from a signed file, offline, and tells which edition is in effect."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BaseModel, Field

from appwitness.catalog import editions, yaml_files
from appwitness.catalog.editions import AGES
from appwitness.catalog.editions import Edition as Edition
from appwitness.catalog.entries import CatalogEntry
from appwitness.support import given_files, private_files
from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.judge.laws import Laws
    from appwitness.judge.recipients import RecipientTable

NAMESPACE = "appwitness-catalog"
"""The namespace of signatures: `ssh-keygen -Y sign -n appwitness-catalog -f KEY FILE`."""
LONGEST_SIGNATURE = 10_000
WHOLE = Spoken("Get the file again from where it came from; nothing was changed.")


class CatalogUpdate(CatalogEntry):
    """An update file."""

    layout: int
    edition: Annotated[int, Field(ge=1, le=1_000_000_000)]
    date: date
    source: Annotated[str, Field(min_length=1, max_length=200)]
    files: Annotated[dict[str, str], Field(min_length=1)] = Field(description="name in the catalog -> its whole text")


class AgingFile(NamedTuple):
    """A catalog file that goes out of date, in the version in effect."""

    name: str
    as_of: str | None
    """The date that the file states as its own."""
    updated: bool


def held() -> tuple[Edition, list[AgingFile]]:
    """The edition in effect, and its files. Raises FileError if an installed update is damaged."""
    edition = editions.in_effect()
    files = []
    for name in AGES:
        tree = yaml_files.tree(editions.file(name))
        files.append(AgingFile(name, str(tree["as_of"]) if "as_of" in tree else None, name in edition.files))
    return edition, files


def update(path: Path, keys: Sequence[Path] = ()) -> Edition:
    """Install an update from a file. Its signature is in FILE.sig beside it, made by a key of the package or of `keys`.

    Returns the edition now in effect. Raises FileError and UserError if the update is refused; nothing has changed
    then.
    """
    data = given_files.read(path, yaml_files.LARGEST)
    signer = _signer(path, data, keys)
    digest = hashlib.sha256(data).hexdigest()
    made = yaml_files.parse_text(path, data.decode("utf-8", "replace"), CatalogUpdate, hint=WHOLE)
    before = editions.in_effect()
    if before.sha256 == digest:
        return before
    _see_that_it_follows(path, made, before)
    for name, text in made.files.items():
        if name not in AGES:
            raise FileError(
                path,
                None,
                Spoken("an update may not replace {name!r}; only {ages}.", name=name[:100], ages=", ".join(AGES)),
                WHOLE,
            )
        _see_that_it_fits(path, name, text)
    stays = {name: yaml_files.text_of(editions.file(name, before)) for name in before.files.keys() - made.files.keys()}
    files = {**stays, **made.files}
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    edition = Edition(**made.model_dump(exclude={"files"}), key=signer, sha256=digest, files=digests)
    return _put(edition, files)


def _signer(path: Path, data: bytes, keys: Iterable[Path]) -> str:
    """The fingerprint of the key that signed the update. Raises FileError or UserError if the key is not trusted."""
    from appwitness.recording import signing

    beside = path.with_name(f"{path.name}.sig")
    if not given_files.is_there(beside):
        raise FileError(
            path, None, Spoken("its signature, {name}, is not beside it.", name=beside.name), "Get both files."
        )
    armoured = given_files.text(beside, LONGEST_SIGNATURE)
    found = signing.fingerprint(signing.signer_of(data, armoured, NAMESPACE, beside))
    trusted: set[str] = set()
    for place in keys:
        trusted |= signing.trusted(given_files.text(place, LONGEST_SIGNATURE), place).keys()
    with suppress(FileError):  # the package's file has no key before the first release
        trusted |= signing.trusted(editions.KEYS.read_text("utf-8"), editions.KEYS).keys()
    if not trusted:
        what = Spoken("This build of appwitness trusts no key for updates of its catalog.")
        raise UserError(what, "Name the file of a public key that you trust: --key FILE.")
    if found not in trusted:
        what = Spoken("it is signed by {found}, which is not a trusted key.", found=found)
        raise FileError(path, None, what, "If you trust that key, name its file: --key FILE.")
    return found


def _see_that_it_follows(path: Path, made: CatalogUpdate, before: Edition) -> None:
    ours = editions.of_package()
    if made.layout != ours.layout:
        what = Spoken(
            "it is for another version of appwitness (layout {layout}, not {ours}).",
            layout=made.layout,
            ours=ours.layout,
        )
        raise FileError(path, None, what, "Get the one for this version, or update appwitness.")
    if made.edition <= before.edition or made.date < before.date:
        what = Spoken(
            "it is edition {edition} of {date}, no newer than {before}, which is in use.",
            edition=made.edition,
            date=made.date,
            before=before,
        )
        raise FileError(path, None, what, "There is nothing to do: the edition in use is as new, or newer.")


def _see_that_it_fits(path: Path, name: str, text: str) -> None:
    """Raise FileError unless a file of the update is valid and still has every entry of the current one that
    findings rely on."""
    from appwitness.devices.android.frida.frida_release import KnownBuilds
    from appwitness.devices.android.screen.dialogs import KnownDialogs
    from appwitness.judge.laws import Laws
    from appwitness.judge.recipients import RecipientTable

    kinds: dict[str, tuple[type[BaseModel], Callable[[Any], set[str]]]] = {
        "recipients.yml": (RecipientTable, _of_recipients),
        "laws.yml": (Laws, _of_laws),
        "devices/dialogs.yml": (KnownDialogs, lambda read: set(_leaves(read.model_dump(mode="json")))),
        "devices/frida_builds.yml": (KnownBuilds, lambda read: {f"{file} {sha}" for file, sha in read.builds.items()}),
    }
    model, stays = kinds[name]
    there = Path(f"{path}: {name}")
    after = yaml_files.parse_text(there, text, model, hint=WHOLE)
    before = yaml_files.parse(editions.file(name), model)
    if gone := sorted(stays(before) - stays(after)):
        what = Spoken(
            "it leaves out entries that are there: {gone}{more}.",
            gone=", ".join(gone[:3])[:200],
            more=" ..." if len(gone) > 3 else "",
        )
        raise FileError(
            there, None, what, "An update adds and corrects entries; only a release of appwitness removes them."
        )


def _of_recipients(table: RecipientTable) -> set[str]:
    """The domains and code prefixes that an update must keep; it may assign one to another recipient."""
    return {*table.by_host, *table.by_code, *(f"generic {each}" for each in table.generic)}


def _of_laws(laws: Laws) -> set[str]:
    """The names that rules, checklists and command lines refer to."""
    articles = {f"{law.id} {each.article}" for law in laws.laws for each in law.articles}
    return {*laws.jurisdictions, *(kind.id for kind in laws.kinds), *articles}


def _leaves(plain: Any, at: str = "") -> Iterable[str]:
    """All scalar values of a file, each prefixed with its path."""
    if isinstance(plain, Mapping):
        for key, value in plain.items():
            yield from _leaves(value, f"{at}.{key}" if at else str(key))
    elif isinstance(plain, list):
        for value in plain:
            yield from _leaves(value, at)
    elif plain is not None:
        yield f"{at}: {plain}"


def _put(edition: Edition, files: Mapping[str, str]) -> Edition:
    """Write the files first, then the edition that names them: a concurrent reader gets either the old edition or
    the new."""
    there = editions.kept(edition)
    shutil.rmtree(there, ignore_errors=True)  # left by an update that was killed
    for name, text in files.items():
        private_files.folder((there / name).parent)
        private_files.write(there / name, text)
    plain = edition.model_dump(mode="json", exclude_none=True)
    mine = editions.folder() / f".{secrets.token_hex(4)}"
    private_files.write(mine, "".join(f"{name}: {yaml_files.quoted(value)}\n" for name, value in plain.items()))
    mine.replace(editions.folder() / "edition.yml")
    return edition
