"""The model of catalog/laws.yml, and which articles each finding type touches."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from appwitness.catalog.entries import CatalogEntry
from appwitness.events import DataType
from appwitness.findings import Article, Party

LANGUAGES = ("en", "zh")
CHECK = {"en": "check before citing", "zh": "引用前请核对"}
"""Printed beside an article that was not compared with the official text."""

KindId = Annotated[str, Field(pattern=r"^F\d\d$")]


def _both(words: dict[str, str]) -> dict[str, str]:
    if set(words) != set(LANGUAGES) or not all(words.values()):
        raise ValueError("expected a text for each of en and zh")
    return words


def _known(words: dict[str, str]) -> dict[str, str]:
    if not set(words) <= set(LANGUAGES):
        raise ValueError("expected texts for en or zh only")
    return words


def _template(words: dict[str, str]) -> dict[str, str]:
    if any(text.count("{}") != 1 for text in _both(words).values()):
        raise ValueError("expected one {} where the article stands, in each of en and zh")
    return words


Words = Annotated[dict[str, str], AfterValidator(_both)]


class Jurisdiction(CatalogEntry):
    """Jurisdiction: cn, eu, us, uk, store."""

    code: str = Field(pattern=r"^[a-z]{2,8}$")
    en: str
    zh: str


class FindingType(CatalogEntry):
    """The kind of breach that a finding shows."""

    id: KindId
    code: str = Field(description="the same as a word: pre_consent_collection")
    en: str
    zh: str


class ArticleGroup(CatalogEntry):
    """A part of a law by which its articles are numbered: 3 in 3.1."""

    number: int
    en: str
    zh: str


class Provision(CatalogEntry):
    """One article of a law."""

    article: str = Field(description="number or name; unique in its law")
    cite: Annotated[dict[str, str], AfterValidator(_known)] = Field(
        default_factory=dict, description="as it is printed, by language, where that is not `article`"
    )
    group: int | None = Field(default=None, description="number of its group in the law")
    says: Words = Field(description="what it says, in our own words")
    kinds: tuple[KindId, ...] = Field(default=(), description="finding types that touch it; none: a right or a remedy")
    beyond: tuple[KindId, ...] = Field(
        default=(), description="for these types it asks for more than a finding shows, so findings do not name it"
    )
    data: tuple[DataType, ...] | None = Field(default=None, min_length=1, description="it speaks of these kinds only")
    party: Party | None = Field(default=None, description="it speaks of recipients of this kind only")
    provable: Literal["fully", "partly", "no"] | None = Field(
        default=None, description="whether API calls and traffic alone can prove a breach of it"
    )
    verify: bool = Field(default=False, description="not matched against the official text")

    @cached_property
    def named_for(self) -> frozenset[str]:
        """The finding types whose findings name it."""
        return frozenset(self.kinds).difference(self.beyond)


class ComparedText(CatalogEntry):
    """What the numbers and the sense of a law's articles were compared with."""

    at: date | None = Field(default=None, description="when; null: it was not compared")
    source: str | None = Field(
        default=None, alias="with", description="what was read: a text, a copy, an article on it"
    )
    lacks: Words | None = Field(default=None, description="what could not be compared")

    @model_validator(mode="after")
    def _tells(self) -> Self:
        if (self.at is None) != (self.source is None) or (self.at is None and self.lacks is None):
            raise ValueError("expected at and with, or what lacks")
        return self


class Law(CatalogEntry):
    """One law, notice, standard or store policy."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$")
    jurisdiction: str
    name: Words
    cites: Annotated[dict[str, str], AfterValidator(_template)] = Field(description="how it is cited; {}: the article")
    short: Annotated[str, Field(pattern=r"\{\}")] = Field(description="the same, short, for both languages in one")
    in_force: date | None = None
    compared: ComparedText | None = None
    groups: tuple[ArticleGroup, ...] = ()
    articles: tuple[Provision, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [each.article for each in self.articles]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{self.id}: article {', '.join(twice)} is there twice")
        numbers = {group.number for group in self.groups}
        lost = sorted({str(each.group) for each in self.articles if each.group is not None} - {*map(str, numbers)})
        if lost:
            raise ValueError(f"{self.id}: no such group: {', '.join(lost)}")
        return self

    def article(self, provision: Provision) -> Article:
        """One of its articles in the form that findings carry."""
        return Article(
            law=self.id,
            article=provision.article,
            jurisdiction=self.jurisdiction,
            citation={
                language: text.replace("{}", provision.cite.get(language, provision.article))
                for language, text in self.cites.items()
            },
            says=provision.says,
            verify=provision.verify,
        )


class Laws(CatalogEntry):
    """catalog/laws.yml."""

    as_of: date = Field(description="date of the state of the law that it gives")
    places: tuple[Jurisdiction, ...] = Field(alias="jurisdictions")
    kinds: tuple[FindingType, ...]
    laws: tuple[Law, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for law in self.laws:
            if law.jurisdiction not in self.jurisdictions:
                raise ValueError(f"{law.id}: no such jurisdiction: {law.jurisdiction}")
            unknown = sorted({kind for each in law.articles for kind in each.kinds} - self._kinds.keys())
            if unknown:
                raise ValueError(f"{law.id}: no such finding type: {', '.join(unknown)}")
            for each in law.articles:
                if not set(each.beyond) <= set(each.kinds):
                    raise ValueError(f"{law.id} {each.article}: beyond names a finding type that kinds does not")
        return self

    @cached_property
    def jurisdictions(self) -> tuple[str, ...]:
        """Every jurisdiction, in the order in which articles are printed."""
        return tuple(place.code for place in self.places)

    def kind(self, id_: str) -> FindingType:
        """The finding type with an id such as F01. Raises KeyError if the catalog does not have it."""
        return self._kinds[id_]

    def articles(
        self,
        kinds: Iterable[str],
        jurisdictions: Collection[str] = (),
        data: DataType | None = None,
        party: Party | None = None,
    ) -> tuple[Article, ...]:
        """The articles that findings of these types name, each once: by jurisdiction in the order given (none: all),
        then in the order of the file.

        `data` and `party`: the finding's data type and the party of its recipient; articles that cover only others are
        left out.
        """
        wanted = set(kinds)
        return tuple(
            article
            for place in jurisdictions or self.jurisdictions
            for provision, article in self._articles.get(place, ())
            if not wanted.isdisjoint(provision.named_for)
            and (data is None or provision.data is None or data in provision.data)
            and (party is None or provision.party in (None, party))
        )

    def provisions(self, kind: str, jurisdictions: Collection[str] = ()) -> tuple[tuple[Provision, Article], ...]:
        """Every article that touches a finding type, including those that its findings do not name."""
        return tuple(
            (provision, article)
            for place in jurisdictions or self.jurisdictions
            for provision, article in self._articles.get(place, ())
            if kind in provision.kinds
        )

    def references(self, articles: Iterable[Article]) -> tuple[str, ...]:
        """Articles as short lines, one for each law, for both languages at once: `个人信息保护法 PIPL art. 10, 13`."""
        lines: dict[str, list[str]] = {}
        for article in articles:
            check = f" [{CHECK['en']} {CHECK['zh']}]" if article.verify else ""
            lines.setdefault(article.law, []).append(article.article + check)
        return tuple(self._laws[law].short.replace("{}", ", ".join(names)) for law, names in lines.items())

    @cached_property
    def _articles(self) -> dict[str, list[tuple[Provision, Article]]]:
        """Jurisdiction -> its articles in the order of the file."""
        found: dict[str, list[tuple[Provision, Article]]] = {}
        for law in self.laws:
            found.setdefault(law.jurisdiction, []).extend((each, law.article(each)) for each in law.articles)
        return found

    @cached_property
    def _kinds(self) -> dict[str, FindingType]:
        return {kind.id: kind for kind in self.kinds}

    @cached_property
    def _laws(self) -> dict[str, Law]:
        return {law.id: law for law in self.laws}
