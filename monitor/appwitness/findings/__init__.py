"""The models of conclusions: matches, flows, findings, and the report that holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta
from pydantic import Field, SkipValidation, model_validator

from appwitness.events import Count, DataType, Event, Gap, Observers, Part, Record, Ref, Run, Scope, Time, Value
from appwitness.events.refs import Refs
from appwitness.events.seen import Seen, host_time
from appwitness.findings.lanes import ShownEvidence
from appwitness.findings.surroundings import Context

ConsentName = Literal[
    "not_observed",
    "not_shown",
    "requested",
    "given",
    "refused",
    "withdrawn",
    "dismissed",
    "basic_only",
    "partial",
    "expired",
    "unseen_answer",
]
"""not_observed: nobody watched whether the user was asked, as in a foreign capture; not_shown: somebody watched and
saw no question; basic_only: only the basic function was accepted (a no to everything else); partial: part of what
was asked was accepted (used in general, never for a single data type); expired: what was accepted has been replaced
by a new text, not yet answered; unseen_answer: a question was shown and disappeared, and its answer was not seen."""
Moment = Literal["before_answer", "after_refusal", "after_withdrawal", "after_yes", "not_observed"]
MOMENTS: Mapping[ConsentName, Moment] = {
    "not_shown": "before_answer",
    "requested": "before_answer",
    "dismissed": "before_answer",
    "expired": "before_answer",
    "refused": "after_refusal",
    "basic_only": "after_refusal",
    "withdrawn": "after_withdrawal",
    "given": "after_yes",
    "partial": "after_yes",
    "not_observed": "not_observed",
    "unseen_answer": "not_observed",
}
"""State of consent -> which answer was in force; not_observed: nobody saw whether there was one."""
Need = Literal["hooks", "proxy", "consent"]
"""An observer of run.json."""
Party = Literal["first", "third", "unknown"]
CountryBasis = Literal["company", "address_block", "declared"]
"""The basis of a country: where the company is registered; where the block of the server's address is registered
(which says nothing about where the server is); what the maker declares."""
Level = Literal["high", "medium", "low", "info"]
Confidence = Literal["proven", "corroborated", "indicated", "declared"]
"""proven: two independent observers (the hook saw the read, the wire carried the value); corroborated: one observer
and supporting circumstances; indicated: one observer; declared: somebody's claim, or an assumption of the operator."""
Assumption = Literal["none", "given"]
"""What an operator assumes if nobody observed consent: none: the user agreed to nothing; given: the user agreed to
the privacy policy."""

LEVELS: tuple[Level, ...] = ("high", "medium", "low", "info")
"""Worst first."""
CONFIDENCES: tuple[Confidence, ...] = ("proven", "corroborated", "indicated", "declared")
"""Most certain first."""


@dataclass(frozen=True)
class Threshold:
    """Which findings count against a build."""

    fail_on: Level | Literal["never"] = "info"
    """This level and worse."""
    min_confidence: Confidence = "declared"
    """This confidence and higher."""

    def counts(self, level: Level, confidence: Confidence) -> bool:
        """Whether a finding of this level and confidence counts."""
        if self.fail_on == "never":
            return False
        sure = CONFIDENCES.index(confidence) <= CONFIDENCES.index(self.min_confidence)
        return sure and LEVELS.index(level) <= LEVELS.index(self.fail_on)


class Why(StrEnum):
    """What speaks for a conclusion or against it; reports/reasons.yml has the sentences of each code in both
    languages."""

    # how a value appears in an upload: from the finder
    WHOLE_DIGEST = "whole_digest"
    BYTES = "bytes"
    DIGITS = "digits"
    DIGITS_AND_VERSION = "digits_and_version"
    CHARACTERS = "characters"
    KEY = "key"
    IN_PARTS = "in_parts"
    CUT_ANYWHERE = "cut_anywhere"
    KEYS = "keys"
    NO_KEYS = "no_keys"
    SHORT_DIGESTS = "short_digests"
    TAKEN_WITH_FIELD = "taken_with_field"
    TAKEN_WITH_APP = "taken_with_app"
    TAKEN_WITH_VALUE = "taken_with_value"
    KEYED_WITH_FIELD = "keyed_with_field"
    KEYED_WITH_APP = "keyed_with_app"
    APP_TURNED_IT = "app_turned_it"
    # how a place appears there
    PLACE = "place"
    PLACE_IN_NOTATION = "place_in_notation"
    PLACE_IN_BYTES = "place_in_bytes"
    LATITUDE = "latitude"
    LONGITUDE = "longitude"
    AXES_BESIDE = "axes_beside"
    AXES_IN_TEXT = "axes_in_text"
    AXES_BY_KEY = "axes_by_key"
    AXES_BY_KEYS_OF_PARTS = "axes_by_keys_of_parts"
    AXES_SWAPPED = "axes_swapped"
    FIELDS_BESIDE = "fields_beside"
    AXES_IN_UPLOAD = "axes_in_upload"
    BYTES_BESIDE = "bytes_beside"
    BYTES_APART = "bytes_apart"
    LATITUDE_FIRST = "latitude_first"
    LONGITUDE_FIRST = "longitude_first"
    CELL = "cell"
    CELL_OF_LEVEL = "cell_of_level"
    CELL_OF_RESOLUTION = "cell_of_resolution"
    CELL_IN_TEXT = "cell_in_text"
    TILE = "tile"
    TILE_COLUMN = "tile_column"
    # why it is believed, and what speaks against it: from match/belief
    TOGETHER = "together"
    PARTNER = "partner"
    OWN_KEY = "own_key"
    OWN_FIELD = "own_field"
    IN_DESCRIPTION = "in_description"
    ALL_BUT_SALT = "all_but_salt"
    LISTED = "listed"
    MANY_NAMES = "many_names"
    PASSED_OVER = "passed_over"
    ANOTHER_BESIDE = "another_beside"
    NAME_ALONE = "name_alone"
    GUESSED = "guessed"
    NO_PROOF = "no_proof"
    SHARED = "shared"
    CITY_CENTRE = "city_centre"
    NO_CHANCE = "no_chance"
    CHANCE_TINY = "chance_tiny"
    CHANCE = "chance"
    # which of several reads is named
    READ_LAST = "read_last"
    READ_SIMULTANEOUS = "read_simultaneous"
    READ_UNORDERED = "read_unordered"
    READ_OTHER = "read_other"
    READ_LATER = "read_later"
    # who owns a recipient
    NO_HOST = "no_host"
    POLICY_SAYS = "policy_says"
    DECLARED_OWN = "declared_own"
    THE_DEVICE = "the_device"
    LOCAL_ADDRESS = "local_address"
    BARE_ADDRESS = "bare_address"
    LOCAL_NAME = "local_name"
    SHARED_DOMAIN = "shared_domain"
    SAME_MAKER = "same_maker"
    PACKAGE_BACKWARDS = "package_backwards"
    SHARED_LABEL = "shared_label"
    KNOWN_RECIPIENT = "known_recipient"
    HOSTED = "hosted"
    NOTHING_IN_COMMON = "nothing_in_common"
    # the steps of a chain of inferences: from findings/chain.py
    READ_BY = "read_by"
    PLANTED_NOT_READ = "planted_not_read"
    DECLARED_NOT_READ = "declared_not_read"
    READS_UNWATCHED = "reads_unwatched"
    RESTS_ON = "rests_on"
    LINE_SAYS = "line_says"
    AS_READ = "as_read"
    AS_FORM = "as_form"
    AS_VARIANT = "as_variant"
    TURNED = "turned"
    TURNED_BY_APP = "turned_by_app"
    FOUND = "found"
    FOUND_SHARED = "found_shared"
    ROWS_FOUND = "rows_found"
    PEOPLE_FOUND = "people_found"
    CARRIED_BY = "carried_by"
    WRITTEN_BY = "written_by"
    CARRIER_UNKNOWN = "carrier_unknown"
    CARRIER_UNWATCHED = "carrier_unwatched"
    IN_CLEARTEXT = "in_cleartext"
    UNANSWERED = "unanswered"
    ARRIVED = "arrived"
    ORDER_CERTAIN = "order_certain"
    ORDER_ONE_CLOCK = "order_one_clock"
    ORDER_OPEN = "order_open"
    ORDER_SAME_TIME = "order_same_time"
    ORDER_UNMEASURED = "order_unmeasured"
    ORDER_UNCOMPARED = "order_uncompared"
    ASKED = "asked"
    ANSWERED = "answered"
    CONSENT_ASSUMED = "consent_assumed"
    CONSENT_UNWATCHED = "consent_unwatched"
    CONSENT_UNORDERED = "consent_unordered"
    UNASKED = "unasked"
    STATE_ONLY = "state_only"
    SEPARATE_UNSEEN = "separate_unseen"
    ASKED_LATER = "asked_later"
    # what would refute a step
    ANOTHER_READ = "another_read"
    SOURCE_UNHOOKED = "source_unhooked"
    SOURCE_ELSEWHERE = "source_elsewhere"
    READ_FORGED = "read_forged"
    SENT_TO_APP = "sent_to_app"
    NOT_OF_DEVICE = "not_of_device"
    LINE_MISREAD = "line_misread"
    SAME_TEXT = "same_text"
    SAME_NAME = "same_name"
    RECOMPUTED = "recomputed"
    TURNED_OTHERWISE = "turned_otherwise"
    BODY_DIFFERS = "body_differs"
    BYTES_DIFFER = "bytes_differ"
    ANOTHER_NAMED = "another_named"
    ANOTHER_PORT = "another_port"
    ANOTHER_SOCKET = "another_socket"
    ANOTHER_PROCESS = "another_process"
    TUNNELLED = "tunnelled"
    CLOCKS_FURTHER = "clocks_further"
    CLOCKS_APART = "clocks_apart"
    CLOCK_SET = "clock_set"
    TOUCH_MISREAD = "touch_misread"
    MARK_WRONG = "mark_wrong"
    ASSISTANT_WRONG = "assistant_wrong"
    CLAIM_FALSE = "claim_false"
    ANSWERED_BEFORE = "answered_before"
    ANSWER_UNSEEN = "answer_unseen"
    IN_A_GAP = "in_a_gap"
    # what the monitor itself changed and caused: from findings/audit.py
    AUDIT_IMPORTED = "audit_imported"
    WRAPPED = "wrapped"
    UNHOOKED = "unhooked"
    UNTRIED = "untried"
    PROBE_PASSED = "probe_passed"
    PROBE_FAILED = "probe_failed"
    PROBE_UNRECORDED = "probe_unrecorded"
    PLAYED = "played"
    UNPINNED = "unpinned"
    NOT_UNPINNED = "not_unpinned"
    UNPIN_UNRECORDED = "unpin_unrecorded"
    PROXIED = "proxied"
    REDIRECTED = "redirected"
    PLANTED = "planted"
    CHANGES_UNRECORDED = "changes_unrecorded"
    CHANGES_SO_FAR = "changes_so_far"
    UNCHANGED = "unchanged"
    ALL_UNDONE = "all_undone"
    NOT_UNDONE = "not_undone"
    REQUESTS_UNRECORDED = "requests_unrecorded"
    NO_REQUESTS = "no_requests"
    ASKED_TIME = "asked_time"
    FETCHED_FRIDA = "fetched_frida"
    TRIED_PROXY = "tried_proxy"
    NO_CONTROL = "no_control"
    CONTROL_AGREES = "control_agrees"
    CONTROL_DIFFERS = "control_differs"


AGAINST = frozenset(
    (
        *(Why.NO_KEYS, Why.CUT_ANYWHERE, Why.MANY_NAMES, Why.PASSED_OVER, Why.ANOTHER_BESIDE, Why.NAME_ALONE),
        *(Why.GUESSED, Why.NO_PROOF, Why.AXES_IN_UPLOAD, Why.SHARED, Why.CITY_CENTRE, Why.NO_CHANCE),
    )
)
"""Reasons that speak against a match, or weaken it."""


class Reason(Record):
    """Why something was concluded: a code, and the fields for its sentence."""

    code: Why


def because(code: Why, **fields: str | float | list[str]) -> Reason:
    """A reason; `fields` fill the blanks of its sentence."""
    return Reason.model_validate({"code": code, **fields})


class Inference(Record):
    """One step of the chain from lines of the recording to a finding (findings/chain.py)."""

    says: Reason = Field(description="what was concluded, from which lines")
    unless: tuple[Reason, ...] = Field(default=(), description="what would refute it, each an observation to be made")


class Match(Record):
    """One variant of one value, found at one leaf of an upload."""

    type: DataType = Field(description="type of the value: phone_number, name, location ...")
    value: str = Field(description="the value as the API returned it; masked unless revealed")
    variant: str = Field(description="what it had been turned into: plain, sha256, salted_md5, encrypted ...")
    of: str | None = Field(default=None, description="the normal form that was turned: as_given, e164, national ...")
    decoding: tuple[str, ...] = Field(default=(), description="steps from the stored bytes to the leaf: gzip, json ...")
    path: str = Field(description="where: `$.u.h[3]` in a body, `url.query.lat`, `headers.cookie.uid`")
    start: int = Field(description="first byte in the stored body; for url.* in the URL, for headers.* in the value")
    end: int = Field(description="byte after the last")
    confidence: float = Field(
        ge=0,
        le=1,
        description="1 minus the chance that it is coincidence; of a value that very many have, only a rating",
    )
    row: int | None = Field(default=None, description="row of the access, for values of a cursor")
    person: int | None = Field(
        default=None, description="whose it is, of the people whom the upload identifies: the first of their rows"
    )
    detail: int | None = Field(
        default=None, description="in rows about people, the same number is the same value, in whatever notation"
    )
    before: str = Field(default="", description="text of the leaf before the found text, at most 60 characters")
    found: str = Field(default="", description="the text of the leaf that is the value in this form")
    after: str = Field(default="", description="text of the leaf after it, at most 60 characters")
    reasons: tuple[Reason, ...] = Field(
        default=(), description="how it stands there, why it is believed and what speaks against that, in this order"
    )
    namesake: bool = Field(
        default=False, description="a name with nothing of its row beside it: it may be another person's who has it too"
    )
    evidence: tuple[Ref, ...] = Field(
        default=(), description="transforms by which the app turned the value into what it sent, the outermost first"
    )

    @property
    def shared(self) -> bool:
        """Whether so many people have the value that no chance of coincidence can be computed."""
        return any(reason.code == Why.SHARED for reason in self.reasons)


class SentField(Record):
    """One kind of detail about the people whose data was found in uploads."""

    type: DataType
    people: int = Field(description="how many of those people it was found of")
    values: int = Field(description="how many different ones; the same as people: one each")


class People(Record):
    """The people in an address book, call log and the like whom uploads identify: by a number, an e-mail address, or
    a name in a list of names. Several rows may belong to one person."""

    sent: int = Field(description="how many of them were identified")
    read: int = Field(description="how many the read returned, at most")
    told_apart: bool = Field(
        default=True,
        description="the read has names or contact ids; else each number may be of one person or of the same",
    )
    named: int = Field(default=0, description="names found by themselves, which identify nobody")
    fields: tuple[SentField, ...] = Field(default=(), description="what was found of those that were identified")
    held: tuple[DataType, ...] = Field(default=(), description="what the read returned of these")
    picked: bool = Field(
        default=False, description="the read gave what the user had picked in a picker of the system, and nothing else"
    )

    @property
    def unsent(self) -> tuple[DataType, ...]:
        """Details that the read returned about these people and that were not found in uploads."""
        found = {field.type for field in self.fields}
        return tuple(kind for kind in self.held if kind not in found)


class Recipient(Record):
    """Who received an upload."""

    host: str
    key: str = Field(
        default="",
        description="one name for all its hosts: first domain of a known recipient, else the registrable domain, "
        "else the host; `ip` of an address",
    )
    name: str | None = None
    party: Party = "unknown"
    country: str | None = Field(default=None, description="ISO 3166 code; null: not known, and never guessed")
    country_basis: CountryBasis | None = None
    country_as_of: str | None = Field(default=None, description="date of the data that says so, or its version")
    reason: Reason | None = Field(default=None, description="why this party")


class ConsentStatus(Record):
    """What the user had been asked and had decided at one moment."""

    state: ConsentName = "not_shown"
    assumed: bool = Field(default=False, description="nobody observed it: the operator assumed it")
    by: Literal["user", "operator", "assistant", "app"] | None = None
    ref: Ref | None = Field(default=None, description="the consent line that made it so; null when nothing was shown")
    at: Time | None = Field(default=None, description="time of that line, on the host's clock")
    corrected: tuple[Ref, ...] = Field(
        default=(), description="lines since replaced or retracted that concern it, and those that did so: evidence"
    )
    unordered: bool = Field(
        default=False,
        description="one of several that may have held: lines of a clock that nobody compared speak of it",
    )

    @property
    def told(self) -> ConsentName:
        """The state that a report may state."""
        return "not_observed" if self.unordered else self.state


class Article(Record):
    """One article of a law, standard or store policy that a finding touches (catalog/laws.yml)."""

    law: str = Field(description="id of the law: CN-PIPL, EU-GDPR, PLAY, MASWE")
    article: str = Field(description="number or name of the article, as it is cited")
    jurisdiction: str = Field(description="cn, eu, us, uk, br, in or store")
    citation: dict[str, str] = Field(description="law and article as printed, by language: en, zh")
    says: dict[str, str] = Field(default_factory=dict, description="what it says, in our own words, by language")
    verify: bool = Field(default=False, description="not matched against the official text: check before citing")


class Code(Record):
    """The code at one end of a flow: the innermost frame outside the platform."""

    code: str = Field(description="com.example.sdk.Sync.send")
    owner: str | None = Field(default=None, description="whose it is, where that is known: the name of an SDK's maker")
    ref: Ref = Field(description="the line that has the stack")


class Carrier(Record):
    """What carried an upload: the app's connection, and the code that wrote on it."""

    ref: Ref | None = Field(default=None, description="the line that opened the socket or began to write on it")
    by: Literal["name", "port", "host", "agent"] = Field(
        description="name: the agent led it to the proxy under a name of its own; port: the socket's port is the one "
        "that the proxy saw; host: by host, time and size, where an emulator or a tunnel changes ports; agent: the "
        "agent saw it written"
    )
    confidence: float = Field(ge=0, le=1, description="1 by name and port; less by host")
    app: str | None = None
    pid: int | None = None
    code: Code | None = Field(default=None, description="null: the stack shows only the platform's own threads")


class Flow(Record):
    """An access and an upload joined by at least one match."""

    id: str = Field(description="f1, f2 ... in order of upload and access")
    access: Ref | None = Field(default=None, description="null: a persona value was found, no access was observed")
    upload: Ref
    connection: Ref | None = Field(default=None, description="the socket that carried the upload")
    data: DataType
    consent: ConsentName
    consent_assumed: bool = Field(default=False, description="nobody observed it: the operator assumed it")
    consent_unordered: bool = Field(
        default=False,
        description="it was observed, by a clock that was not compared with the upload's: what held then is not known",
    )
    recipient: Recipient
    matches: tuple[Match, ...]
    at: Time = Field(description="time of the upload, on the host's clock")
    access_at: Time | None = Field(default=None, description="time of the access, on the host's clock")
    earlier: int = Field(default=0, description="further accesses before the upload that returned the same values")
    rows: int | None = Field(default=None, description="k: rows of the access of which a value was found in the upload")
    rows_read: int | None = Field(default=None, description="n: how many rows the access returned")
    entries: int | None = Field(
        default=None, description="how many rows the values found are of, at the least: one value may be in several"
    )
    people: People | None = Field(default=None, description="whose data it was, where the rows are about people")
    cleartext: bool = Field(default=False, description="the upload was not protected by TLS")
    via: str = Field(default="http", description="how it left the device: http, websocket, sms, intent ...")
    other_readers: bool = Field(
        default=False, description="other code had read the same value: nobody knows from which read it comes"
    )
    unanswered: bool = Field(
        default=False, description="no answer to the upload was recorded: whether it arrived is not known"
    )
    untied: bool = Field(
        default=False,
        description="no socket, process or transform ties the upload to the app: another app may have sent it",
    )
    carrier: Carrier | None = Field(default=None, description="what carried the upload; null: not known")
    other_app: bool = Field(
        default=False, description="no socket of the observed app carried it: no finding rests on it"
    )
    uncertainty_ms: float | None = Field(
        default=0,
        description="how wrong its time may be against what the agent saw; 0: one clock, or not recorded; null: the"
        " clocks were not compared",
    )
    clock: Literal["host", "device"] = Field(
        default="host", description="whose clock its time was of, before it was set right"
    )
    simultaneous: bool = Field(
        default=False,
        description="closer to the read than the clocks may be wrong: nobody knows which was first",
    )

    @property
    def picked(self) -> bool:
        """Whether it carries what the user had picked in a picker of the system."""
        return self.people is not None and self.people.picked


class Finding(Record):
    """The result of a rule for some flows or accesses."""

    id: str = Field(
        default="",
        description="the same in every run that shows the same: v2:3f9c01ab52de (findings/identity.py); several "
        "findings of one report may have it",
    )
    rule: str
    level: Level
    confidence: Confidence
    title: dict[str, str] = Field(description="by language: en, zh")
    detail: dict[str, str] = Field(default_factory=dict, description="one sentence of facts, by language")
    data: DataType | None = None
    recipient: Recipient | None = None
    consent: ConsentName | None = None
    consent_assumed: bool = Field(default=False, description="it rests on the operator's --assume-consent")
    consent_unordered: bool = Field(
        default=False, description="what held then is not known: the clocks of device and host were not compared"
    )
    read_by: Code | None = Field(
        default=None,
        description="the code that read it, in all that the finding stands for; null: not known, or several",
    )
    sent_by: Code | None = Field(default=None, description="the code that sent it there; null: not known, or several")
    people: People | None = Field(default=None, description="whose data was sent in all its flows together")
    count: int = Field(default=1, description="how many accesses or flows the finding stands for")
    flows: tuple[str, ...] = Field(
        default=(), description="those it is about; of a read: those that carried its values"
    )
    evidence: tuple[Ref, ...] = Field(description="lines to check by hand, the telling ones first; at most 20")
    all_evidence: Refs = Field(default=Refs(), description="every line that it rests on, in the same order")
    kinds: tuple[str, ...] = Field(default=(), description="finding types of catalog/laws.yml: F01, F02 ...")
    articles: tuple[Article, ...] = Field(
        default=(), description="the articles that the finding touches, of the laws chosen"
    )
    references: tuple[str, ...] = Field(default=(), description="the same as words, and what else the rule rests on")
    uncovered: tuple[Ref, ...] = Field(
        default=(),
        description="lines that it rests on and no intact stamp covers; empty in a recording without any stamp",
    )
    chain: tuple[Inference, ...] = Field(
        default=(), description="inferences of the first of what it is about, in order; made for the JSON report"
    )


class JudgedRule(Record):
    """A rule that was applied to the recording, whether or not it found anything."""

    id: str = Field(description="name of its file in catalog/rules: sent-before-consent")
    level: Level
    title: dict[str, str] = Field(description="by language: en, zh")
    help: dict[str, str] = Field(default_factory=dict, description="what it means and what to do, by language")
    needs: tuple[Need, ...] = Field(default=(), description="the observers that it rests on")
    separate: Scope | None = Field(default=None, description="scope of the consent that it wants separately")
    kinds: tuple[str, ...] = Field(default=(), description="finding types of catalog/laws.yml: F01, F02 ...")
    references: tuple[str, ...] = Field(default=(), description="what it rests on: articles of laws and standards")
    own: bool = Field(default=False, description="a rule of the user's own, which may replace one of the catalog")


class Declared(Record):
    """One row of observed compared with declared: what was seen of one data type, and what the maker declares about
    it."""

    data: DataType
    recipient: str | None = Field(default=None, description="host or declared name; null: read, not sent")
    picked: bool = Field(default=False, description="it is what the user had picked in a picker of the system")
    observed: int = Field(description="accesses or flows seen; 0: declared, and not seen in this run")
    declared: bool
    purpose: str | None = Field(default=None, description="as declared")
    evidence: tuple[Ref, ...] = Field(default=(), description="the first lines that show it")


class Counted(Part, kw_only=True, frozen=True):
    """What the system counted, and how much of it hooks or proxy recorded."""

    by: Annotated[
        Literal["appops", "location", "netstats", "control"],
        Meta(description="which part of the system counted, or the run without hooks"),
    ]
    what: Annotated[
        Literal["reads", "bytes", "host", "less", "seconds"],
        Meta(
            description="host: bytes to a host that was contacted without hooks only; less: bytes of messages without "
            "hooks and with them; seconds: how long the app ran"
        ),
    ]
    subject: Annotated[
        str, Meta(description="what it counted: an op of AppOps, a provider of places, bytes over networks, a host")
    ]
    data: Annotated[DataType | None, Meta(description="kind of data, of reads")] = None
    counted: Count
    recorded: Count
    allowed: Annotated[Count, Meta(description="bytes that connections need besides what is recorded")] = 0

    @property
    def unseen(self) -> int:
        """How much of it was certainly not recorded."""
        return max(0, self.counted - self.recorded - self.allowed)


class ReportedGap(Gap, kw_only=True, frozen=True, tag="gap"):
    """A gap and the line that records it (null: found while reading, such as a line that does not parse)."""

    unsaid: ClassVar[tuple[str, ...]] = (*Gap.unsaid, "counted")

    ref: Ref | None = None
    counted: Annotated[Counted | None, Meta(description="how much was missed")] = None


class OutsideTime(Record):
    """What a time-stamp token says: the stamp existed at this time."""

    stamp: Ref = Field(description="the stamp: seal.jsonl:1")
    at: Time
    stamped: Time | None = Field(default=None, description="the time that the stamp itself has")
    trusted: bool = Field(default=False, description="an authority that was named as trusted has signed it")


class ForgottenLines(Record):
    """Lines that became tombstones, according to a stamp."""

    stamp: Ref = Field(description="the stamp: seal.jsonl:9")
    at: Time
    lines: int
    reason: str | None = Field(description="why, in the words of whoever did it")


class Seal(Record):
    """The result of recomputing the stamps of a recording: whether it is still what was stamped."""

    outcome: Literal["intact", "intact_up_to", "altered", "never_stamped"] = Field(
        description="intact: all of it is what its stamps say; intact_up_to: so far as they reach; `uncovered` came "
        "later; altered: `difference` names the first; never_stamped: nothing vouches for it"
    )
    ok: bool = Field(description="everything is what its stamps say")
    stamps: int
    digest: str | None = Field(
        default=None, description="sha256 of the last stamp's line, which vouches for all before"
    )
    at: Time | None = Field(default=None, description="time of the last stamp")
    files: dict[str, tuple[int, str]] = Field(description="for each file: lines stamped, and their sha256")
    late: int = Field(default=0, description="lines after the last stamp, which it does not cover")
    uncovered: dict[str, int] = Field(default_factory=dict, description="the same of each file that has some")
    difference: str | None = Field(
        default=None, description="the first that differs: `accesses.jsonl:17`, `bodies/<sha256>`, `run.json`"
    )
    how: str | None = Field(default=None, description="how it differs, in English")
    signed: int = Field(default=0, description="stamps with a signature that matches")
    keys: tuple[str, ...] = Field(default=(), description="fingerprints of the keys that signed: SHA256:...")
    tokens: tuple[OutsideTime, ...] = Field(
        default=(), description="time-stamp tokens over stamps, each with what is known of who signed it"
    )
    trusted: dict[str, str] | None = Field(
        default=None,
        description="the keys that stamps were checked against, fingerprint -> whose; null: none was named, so whose "
        "keys they are was not checked",
    )
    forgotten: tuple[ForgottenLines, ...] = Field(default=(), description="what was removed on purpose")


Lane = SkipValidation[Sequence[Seen[Event]]]
"""Lines of one kind in the order of their file, for the timeline."""


class DataEdition(Record):
    """Which edition of the data that ages (recipients, laws) a recording was judged by."""

    edition: int = Field(description="counts up")
    date: date
    source: str | None = Field(default=None, description="where it comes from, as its maker says; null: the package")
    key: str | None = Field(default=None, description="fingerprint of the key that signed it; null: the package")


class Report(Record):
    """Everything that a reader is told about one recording; reports/ renders it."""

    v: Literal[1] = 1
    recording: str = Field(description="id of the run")
    run: Run
    flows: tuple[Flow, ...] = ()
    findings: tuple[Finding, ...] = ()
    gaps: tuple[ReportedGap, ...] = Field(default=(), description="what could not be observed in this run")
    coverage: dict[str, Any] = Field(
        default_factory=dict, description="counts: lines of each kind, unreadable lines, sources installed and absent"
    )
    observers: Observers = Field(
        default_factory=Observers,
        description="who watched, as run.json and the lines say: an operator's marks are observed consent, and a"
        " foreign file without a read or an upload has observed none",
    )
    assumed_consent: Assumption | None = Field(
        default=None, description="what the operator assumed where nobody observed consent"
    )
    rules: tuple[JudgedRule, ...] = Field(default=(), description="every rule that judged, in order of id")
    not_judged: dict[str, tuple[Need, ...]] = Field(
        default_factory=dict, description="id of each rule that could not judge -> what it needs and nobody observed"
    )
    catalog: DataEdition | None = Field(
        default=None,
        description="edition of the data that ages by which it was judged; null: not known",
    )
    laws: tuple[str, ...] = Field(default=(), description="jurisdictions that articles were chosen for; empty: all")
    app_type: int | None = Field(default=None, description="number of the type of app that it was judged by")
    territory: str | None = Field(default=None, description="where the users are, as the tester said: else is abroad")
    declared: tuple[Declared, ...] = Field(
        default=(), description="observed against declared, when the tester gave a policy.yml"
    )
    verified: Seal | None = Field(
        default=None, description="what recomputing the stamps came to; null: they were not checked for this report"
    )
    audit: tuple[Reason, ...] = Field(
        default=(),
        description="what the monitor itself changed and caused, as far as it is recorded; made for the JSON report",
    )
    limits: tuple[ReportedGap, ...] = Field(
        default=(), description="what no run on this device can show, as it has no such class or method; no gap"
    )
    answered: tuple[ConsentName, ...] = Field(
        default=(), description="what the user was seen to answer to what the app asked, each once, in order of time"
    )
    path: str | None = Field(default=None, exclude=True, description="the recording's folder, for commands to copy")
    consents: Lane = Field(default=(), exclude=True, description="for the timeline")
    answers: tuple[ConsentStatus, ...] = Field(
        default=(), exclude=True, description="how the answer to the privacy policy changed, in order of time"
    )
    replaced: dict[Ref, tuple[Ref, ...]] = Field(
        default_factory=dict, exclude=True, description="consent lines that no longer count, and what was said of each"
    )
    phases: Lane = Field(default=(), exclude=True, description="for the timeline")
    evidence: SkipValidation[Mapping[Ref, Event]] = Field(
        default_factory=dict[Ref, Event],
        exclude=True,
        description="the lines that findings and flows name, for the page",
    )
    accesses: Lane = Field(default=(), exclude=True, description="for the timeline")
    uploads: Lane = Field(default=(), exclude=True, description="for the timeline")
    screens: Lane = Field(default=(), exclude=True, description="those that show a question or its answer")
    contexts: SkipValidation[Mapping[str, tuple[Context, ...]]] = Field(
        default_factory=dict, exclude=True, description="id of a flow -> what stands around its matches, for the page"
    )

    def line(self, ref: Ref, *kinds: type[Event]) -> Event | None:
        """A line in `evidence`, if it is of one of these kinds; lines of other kinds are not prepared for display."""
        lines = self.evidence.lines if isinstance(self.evidence, ShownEvidence) else self.evidence
        return self.evidence[ref] if isinstance(lines.get(ref), kinds) else None

    def host_time(self, event: Event) -> datetime:
        """When a line of this recording was written, on the host's clock."""
        return host_time(event, self.run.clock_offset_ms)

    @model_validator(mode="before")
    @classmethod
    def _who_watched(cls, data: Any) -> Any:
        """Default for observers: what run.json says, if nobody has checked it against the lines."""
        if isinstance(data, dict) and "observers" not in data and isinstance(data.get("run"), Run):
            return {**data, "observers": data["run"].observers}
        return data


Pattern = Literal[
    "regardless", "before_answer", "not_observed", "after_refusal", "after_withdrawal", "only_after_yes", "after_yes"
]
"""How an observation depends on the user's answer: in every run although the answers differ; while no answer was in
force; while nobody observed consent; after a no (including basic function only); after a yes was withdrawn; only after
a yes, and not in the runs without one; after a yes, if no run without one was compared."""


Answer = Literal["yes", "no", "withdrawn", "none", "not_observed"]


class Occurrence(Record):
    """One run in which a row of the comparison occurred, under one state of consent."""

    recording: str = Field(description="id of the run")
    consent: ConsentName = Field(description="the consent at that moment, for this kind of data")
    count: int = Field(description="calls or flows")
    at: Time = Field(description="time of the first, on the host's clock")
    ref: Ref = Field(description="line of the first: an access, or the upload of a flow")


class ComparedRow(Record):
    """Values of one data type that one API returned or one recipient received, and in which runs, after which
    answer."""

    what: Literal["read", "sent"]
    data: DataType
    values: tuple[Value, ...] = Field(description="those that behave alike; masked unless revealed")
    source: str | None = Field(default=None, description="API that returned them; null: found, and no read was seen")
    recipient: Recipient | None = Field(default=None, description="null for reads")
    seen: tuple[Occurrence, ...] = Field(description="in order of runs and of time; a run without one did not show it")
    patterns: tuple[Pattern, ...]


class Sighted(Record):
    """What one run sent in a field that changed with the persona."""

    recording: str
    ref: Ref = Field(description="the first upload with this text")
    text: str = Field(description="masked unless revealed")


class Candidate(Record):
    """A request field whose text changed with the persona, although none of its values was found in it."""

    host: str
    method: str
    path: str = Field(description="path of the URL; `*` stands for segments that look like ids")
    leaf: str = Field(description="where in the upload: `$.u.h`, `url.query.d`, `headers.x-token`")
    confidence: Literal["indicated"] = "indicated"
    steady: bool = Field(description="two runs of one persona, or two uploads of one run, carried the same text")
    seen: tuple[Sighted, ...]


class ComparedRun(Record):
    """One of the compared runs."""

    recording: str = Field(description="name of its recording in the index: its id, where no other has that")
    run: Run
    answers: tuple[ConsentName, ...] = Field(
        description="the user's answers to the privacy policy, as observed, in order"
    )
    answer: Answer = Field(description="the last word of the user among them; where there is none, that of the plan")
    persona: int = Field(description="runs with the same number had the same values planted; from 1")
    findings: int
    gaps: int
    verified: Seal | None = Field(default=None, description="as in the run's own report")


class Comparison(Record):
    """The same scenario with different answers or different personas, compared side by side."""

    v: Literal[1] = 1
    package: str
    runs: tuple[ComparedRun, ...]
    differ: tuple[Literal["version", "apk", "device", "persona"], ...] = Field(
        description="what besides the answers was not the same in all runs"
    )
    rows: tuple[ComparedRow, ...]
    candidates: tuple[Candidate, ...] = ()
    assumed_consent: Assumption | None = Field(
        default=None, description="what the operator assumed where nobody observed consent"
    )


def report_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `appwitness report --format json`."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Report.model_json_schema(mode="serialization")}


def comparison_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `appwitness compare --format json`."""
    tree = Comparison.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **tree}
