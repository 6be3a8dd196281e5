"""Everything known before a recording is read: the catalog, the user's rules and policy, and the chosen options."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict, Unpack

from appwitness.catalog import editions, yaml_files
from appwitness.catalog.app_ops import AppOps
from appwitness.catalog.editions import Edition
from appwitness.catalog.labels import Labels
from appwitness.events import Run
from appwitness.findings import Assumption
from appwitness.judge.app_types import AppType, AppTypes
from appwitness.judge.claims import ClaimTable
from appwitness.judge.data_types import DataTypes
from appwitness.judge.laws import Laws
from appwitness.judge.play_form import PlayForm, WrongForm, policy_of
from appwitness.judge.policy import Policy
from appwitness.judge.recipients import Recipients, RecipientTable
from appwitness.judge.rules import Frequency, Rule
from appwitness.match.native.library import LIBRARY, SEARCH_ABI
from appwitness.match.native.sieve import LARGE
from appwitness.match.variants.digests import DIGESTS
from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken


@dataclass(frozen=True)
class Knowledge:
    """What the catalog and the user say: the rules, the law, who is who on the network, and what the maker declares."""

    rules: tuple[Rule, ...]
    recipients: RecipientTable
    data_types: DataTypes
    laws: Laws
    app_types: AppTypes
    frequency: Frequency
    labels: Labels
    claims: ClaimTable
    app_ops: AppOps
    first_party: tuple[str, ...] = ()
    policy: Policy | None = None
    app_type: AppType | None = None
    """Chosen by the user or the policy; None: what run.json says."""
    jurisdictions: tuple[str, ...] = ()
    """The jurisdictions whose articles findings name, in this order; empty: all."""
    territory: str | None = None
    """Country of the users (ISO 3166): everywhere else is abroad."""
    assume_consent: Assumption | None = None
    """What the operator assumes if nobody observed consent."""
    addresses_as_of: str | None = None
    """Date of the data on address blocks."""
    edition: Edition | None = None
    """The edition of the data that ages."""
    digest: str = ""
    """sha256 over all of it and the running code (`versions`): if it differs, recordings are judged again."""
    own_rules: frozenset[str] = frozenset()
    """Ids of the rules that are the user's own."""

    def type_of(self, run: Run) -> AppType | None:
        """The type of app that a run is checked against. Raises UserError if run.json names an unknown one."""
        return self.app_type or (self.app_types.of(run.app_type) if run.app_type is not None else None)

    def recipients_of(self, run: Run) -> Recipients:
        """Who is who, from the perspective of this run's app."""
        return Recipients(
            self.recipients,
            run.app.package,
            self.first_party,
            declared=self.policy.recipient if self.policy else None,
            addresses_as_of=self.addresses_as_of,
        )


class KnowledgeChoices(TypedDict, total=False):
    """What a user chooses for judging; it overrides what the policy says."""

    first_party: Sequence[str]
    """Domains of the app's maker."""
    laws: Sequence[str]
    """Jurisdictions; empty: all."""
    app_type: str | int | None
    """Number or name of the type of app."""
    policy: Path | None
    """File with what the app's maker declares."""
    territory: str | None
    """Country of the users."""
    assume_consent: Assumption | None


def knowledge(rules: Path | None = None, **choices: Unpack[KnowledgeChoices]) -> Knowledge:
    """Read the catalog, the user's own folder of `rules`, and the policy file.

    Raises FileError with file and line, and UserError for an unknown jurisdiction or type of app.
    """
    first_party, laws = choices.get("first_party", ()), choices.get("laws", ())
    app_type, policy = choices.get("app_type"), choices.get("policy")
    assume_consent = choices.get("assume_consent")
    rule_files = list(yaml_files.files("rules", rules))
    edition = editions.in_effect()
    table = editions.file("recipients.yml", edition)
    (types_file,) = yaml_files.files("data_types.yml")
    laws_file = editions.file("laws.yml", edition)
    (app_types_file,) = yaml_files.files("app_types.yml")
    (frequency_file,) = yaml_files.files("frequency.yml")
    (labels_file,) = yaml_files.files("consent.yml")
    (claims_file,) = yaml_files.files("claims.yml")
    (app_ops_file,) = yaml_files.files("devices/appops.yml")
    data_types = yaml_files.parse(types_file, DataTypes)
    known_laws = yaml_files.parse(laws_file, Laws)
    app_types = yaml_files.parse(app_types_file, AppTypes)
    frequency = yaml_files.parse(frequency_file, Frequency)
    recipients = yaml_files.parse(table, RecipientTable)
    declared = read_policy(policy, data_types, app_types).with_hosts(recipients) if policy else None
    if app_type is None and declared:
        app_type = declared.app_type
    chosen = app_types.of(app_type) if app_type is not None else None
    territory = choices.get("territory") or (declared.territory if declared else None)
    ours = (table, types_file, laws_file, app_types_file, frequency_file, labels_file, claims_file, app_ops_file)
    said = [
        *(["rule", sha256_of(path)] for path in rule_files),
        *([path.name, sha256_of(path)] for path in ours),
        ["policy", policy and sha256_of(policy)],
        [sorted(first_party), list(laws), chosen and chosen.number, territory, assume_consent, versions()],
    ]
    names = {
        "data": data_types.codes,
        "kinds": {kind.id for kind in known_laws.kinds},
        "presets": {preset.id for preset in frequency.presets},
    }
    from_files = _rules(rule_files, names)
    return Knowledge(
        rules=tuple(rule for rule, _ in from_files),
        recipients=recipients,
        data_types=data_types,
        laws=known_laws,
        app_types=app_types,
        frequency=frequency,
        labels=yaml_files.parse(labels_file, Labels),
        claims=yaml_files.parse(claims_file, ClaimTable),
        app_ops=yaml_files.parse(app_ops_file, AppOps, {"data": data_types.codes}),
        first_party=(*first_party, *(declared.first_party if declared else ())),
        policy=declared,
        app_type=chosen,
        jurisdictions=_jurisdictions(laws, known_laws),
        territory=territory,
        assume_consent=assume_consent,
        addresses_as_of=_addresses_as_of(),
        edition=edition,
        digest=hashlib.sha256(json.dumps(said).encode()).hexdigest(),
        own_rules=frozenset(rule.id for rule, file in from_files if file.parent != yaml_files.HERE / "rules"),
    )


@cache
def versions() -> tuple[str, ...]:
    """The versions of everything that matches and judges, and so may change the result: our code, its compiled part,
    Python, the digests that its OpenSSL offers, and every library that we require."""
    code = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        code.update(f"{path.relative_to(root)} {sha256_of(path)}\n".encode())
    required = {re.split(r"[^\w.-]", line)[0] for line in importlib.metadata.requires("appwitness") or ()}
    libraries = []
    for name in sorted(required):
        with suppress(importlib.metadata.PackageNotFoundError):  # needed only by another system or an extra
            libraries.append(f"{name} {version_of(importlib.metadata.distribution(name))}")
    ours = (importlib.metadata.version("appwitness"), code.hexdigest(), search_version())
    return (*ours, sys.version, *DIGESTS, *libraries)


def version_of(library: importlib.metadata.Distribution) -> str:
    """The version of a library: parsing all that its metadata says would take four times as long."""
    found = re.search("^Version: (.+)$", library.read_text("METADATA") or "", re.MULTILINE)
    return found[1] if found else library.version


def search_version() -> str:
    """The version of the compiled search: its interface, the size in bytes from which a text is sifted, the digest
    of its file."""
    return f"{SEARCH_ABI}, from {LARGE} bytes on, {sha256_of(Path(LIBRARY))}"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(yaml_files.bytes_of(path)).hexdigest()


def read_policy(path: Path, data_types: DataTypes, app_types: AppTypes) -> Policy:
    """A tester's policy.yml, or Google Play's data safety form as CSV. Raises FileError with the line that is wrong."""
    if path.suffix.lower() == ".csv":
        return _play_form(path, data_types)
    return yaml_files.parse(
        path,
        Policy,
        known={"data": data_types.codes, "app_types": app_types},
        hint="`appwitness list policy` prints one to compare with.",
    )


def _play_form(path: Path, data_types: DataTypes) -> Policy:
    form = yaml_files.parse(next(yaml_files.files("play_form.yml")), PlayForm)
    try:
        return policy_of(yaml_files.text_of(path), form, data_types)
    except WrongForm as error:
        hint = Spoken("Export it in the Play console: App content, Data safety, Export to CSV.")
        raise FileError(path, error.line, Spoken("{error}.", error=error), hint) from None


def _rules(files: Iterable[Path], known: Mapping[str, Collection[str]]) -> list[tuple[Rule, Path]]:
    """The rules by name, each with its file."""
    # An organisation's own rule replaces ours with the same id.
    parsed = {rule.id: (rule, path) for path in files if (rule := yaml_files.parse(path, Rule, known))}
    return [parsed[id_] for id_ in sorted(parsed)]


def _jurisdictions(chosen: Iterable[str], laws: Laws) -> tuple[str, ...]:
    codes = tuple(dict.fromkeys(chosen))
    unknown = [code for code in codes if code not in laws.jurisdictions]
    if unknown:
        raise UserError(
            Spoken("There are no laws of {unknown}.", unknown=", ".join(unknown)),
            Spoken("Choose from {jurisdictions}: --law cn,eu.", jurisdictions=", ".join(laws.jurisdictions)),
        )
    return codes


def _addresses_as_of() -> str:
    """The date of the built-in data on address blocks; the version of the package if the date is missing.

    iptocc is rebuilt each night from the lists of the registries; its bill of materials has the date.
    """
    for file in importlib.metadata.files("iptocc") or ():
        if file.name.endswith(".cyclonedx.json"):
            built = json.loads(file.read_text("utf-8")).get("metadata", {}).get("timestamp", "")
            if built:
                return str(built)[:10]
    return f"iptocc {importlib.metadata.version('iptocc')}"
