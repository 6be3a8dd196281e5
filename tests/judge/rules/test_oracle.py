"""What rules and headlines may say of made-up runs: an oracle that looks at the lines alone decides."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Callable
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appwitness import catalog
from appwitness.correlate import correlate, knowledge, report
from appwitness.correlate.prior_knowledge import Knowledge
from appwitness.events import FILES
from appwitness.findings import CONFIDENCES, Finding, Flow, Report
from appwitness.recording import Recording
from appwitness.reports.verdict import sent, went
from appwitness.reports.words import Words
from appwitness.store import Store
from tests.recordings.builder.case import START, Case
from tests.recordings.builder.kinds import CHILDREN, POLICY
from tests.recordings.builder.reads import (
    AD,
    APPS,
    CHANNEL,
    CLIPBOARD,
    CONTACTS,
    DEVICE,
    FILLED,
    NUMBER,
    PEOPLE,
    POSITION,
    Read,
)
from tests.recordings.builder.tcf import consent_string
from tests.strategies import examples

READS = {read.data: read for read in (NUMBER, CONTACTS, DEVICE, AD, POSITION, CLIPBOARD)}
ALONE = {read.data: read for read in (APPS, CHANNEL)}
"""What is read in these runs, and not sent."""
FOLDER = Path(catalog.__file__).parent / "rules"
LABELS = {"given": "Agree", "refused": "Disagree", "withdrawn": "Withdraw my consent", "dismissed": "Close"}
HOSTS = ("https://api.shop.test/v1", "http://api.shop.test/v1", "https://graph.facebook.com/x")
HASHES = ("md5", "sha1", "sha256")

SCOPES = (
    "sensitive_separate", "third_party_separate", "cross_border_separate", "minor_guardian", "ads_tracking",
)  # fmt: skip
BUTTONS = {"Got it": None, "下一步": None, "同意(不同意请退出)": "given", "Agree or exit": "given", "Agree": "given"}
"""What else is touched, and the answer that it is."""
FORCED = ("同意(不同意请退出)", "Agree or exit")
PERMISSIONS = {
    "READ_CONTACTS": "device_contacts",
    "RECORD_AUDIO": "audio_recording",
    "READ_CALENDAR": "calendar_events",
    "ACCESS_FINE_LOCATION": "location",
    "READ_SMS": "sms_content",
}
"""Permissions, no two of one group, and what each is about."""
ACCOUNT = Read("android.accounts.AccountManager.getAccounts", "account_id", ("account_id", "shopper-4471-0093"))
"""Who is signed in; it goes beside other values."""
WIRE = {
    f"gdpr_consent={consent_string(range(1, 11), [1, 2])}": "given",
    f"gdpr_consent={consent_string()}": "refused",
    f"gpp=DBABMA~{consent_string(range(1, 11), [1, 2])}": "given",
    f"gpp=DBABMA~{consent_string()}": "refused",
    "gcs=G111": "given",
    "gcs=G100": "refused",
    "npa=1": "refused",
    "npa=0": None,
    "us_privacy=1YNN": None,
}
"""What a request says of the user's consent, and what that is: a string of TCF, one of GPP, Google's consent mode."""
ALL = READS | ALONE | {each.data: each for each in (FILLED, ACCOUNT)}
ADS = "https://bid.adnet.test/v2/request"
THIRD = ("graph.facebook.com", "bid.adnet.test")
SENSITIVE = (FILLED.data,)
NO_POLICY, OBSERVED = "", {"hooks": True, "proxy": True, "consent": True, "persona": "planted"}
CHOICES: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing said": (NO_POLICY, {}),
    "in China": (NO_POLICY, {"territory": "CN"}),
    "a map": (NO_POLICY, {"app_type": 1}),
    "declared": (POLICY, {}),
    "for children": (CHILDREN, {"territory": "CN"}),
}
"""What the tester said of the app: its policy.yml, and options."""
NAMED_BY_POLICY = ("phone_number", "shop.test")
NEEDED_BY_MAPS = ("location", "location_coarse")
"""国信办秘字〔2021〕14号, art. 5 (1)."""


@cache
def known(choice: str = "nothing said") -> Knowledge:
    policy, options = CHOICES[choice]
    if not policy:
        return knowledge(**options)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "policy.yml")
        path.write_text(policy)
        return knowledge(policy=path, **options)


Move = tuple[Any, ...]
"""What happens, and what it needs; each is some seconds after the one before."""
KINDS, FORMS = st.sampled_from(sorted(READS)), st.sampled_from(["plain", "plain", "no value", *HASHES])
SENT = (KINDS, FORMS, st.sampled_from(HOSTS), st.integers(1, 5))
AGREED: list[tuple[int, Move]] = [(1, ("ask",)), (1, ("tap", "given"))]
FIRST: list[list[tuple[int, Move]]] = [
    [],
    AGREED,
    [(1, ("ask",)), (1, ("tap", "refused"))],
    [(1, ("ask",)), (1, ("tap", "given")), (1, ("tap", "withdrawn"))],
]
MOVES = st.builds(
    lambda first, then: [*first, *then],
    st.sampled_from(FIRST),
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.one_of(
                st.just(("ask",)),
                st.tuples(st.just("tap"), st.sampled_from(sorted(LABELS))),
                st.tuples(st.just("read"), KINDS, st.sampled_from(["returned", "denied", "empty"])),
                st.tuples(st.just("phase"), st.sampled_from(["foreground", "background", "screen_off", "screen_on"])),
                st.tuples(st.just("sent"), *SENT),
                st.tuples(st.just("read and sent"), *SENT),
                st.tuples(st.just("read and sent"), *SENT),
            ),
        ),
        min_size=2,
        max_size=8,
    ),
)

ANSWERED = st.sampled_from(["given", "refused", "withdrawn"])
QUESTIONS = st.builds(
    lambda first, then: [*first, *then],
    st.sampled_from(
        [
            *FIRST,
            [(1, ("ask ticked", True)), (1, ("button", "Agree"))],
            [(1, ("button", "Got it"))],
            [(1, ("button", FORCED[0]))],
            [(1, ("ask",)), (1, ("tap", "refused")), (3, ("ask",)), (3, ("ask",)), (3, ("ask",))],
            [(1, ("kept",))],
            [(1, ("a day before",))],
        ]
    ),
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.one_of(
                st.tuples(st.just("ask ticked"), st.booleans()),
                st.tuples(st.just("button"), st.sampled_from(sorted(BUTTONS))),
                st.tuples(st.just("by itself"), st.booleans()),
                st.tuples(st.just("separate"), st.sampled_from(SCOPES), ANSWERED),
                st.tuples(st.just("separate"), st.just("ads_tracking"), ANSWERED),
                st.tuples(st.just("prompts"), st.lists(st.sampled_from(sorted(PERMISSIONS)), min_size=1, unique=True)),
                st.tuples(st.just("result"), st.sampled_from(["READ_CONTACTS", "READ_SMS"]), st.booleans()),
                st.tuples(st.just("nagged"), st.sampled_from(sorted(PERMISSIONS)), st.integers(1, 4)),
                st.tuples(st.just("claim"), st.sampled_from(["sdk_call", "preference"]), ANSWERED),
                st.tuples(st.just("wire"), st.sampled_from(sorted(WIRE))),
                st.tuples(st.just("wire"), st.sampled_from(sorted(WIRE))),
                st.tuples(st.just("often"), KINDS, st.integers(2, 30), st.integers(1, 40)),
                st.tuples(st.just("read"), st.sampled_from(sorted(ALONE)), st.just("returned")),
                st.tuples(st.just("phase"), st.sampled_from(["foreground", "background", "exited", "started"])),
                st.tuples(st.just("denied and ended"), st.sampled_from(sorted(PERMISSIONS)), st.integers(1, 9)),
                st.tuples(st.just("woken"), KINDS),
                st.tuples(st.just("together"), st.lists(st.sampled_from([DEVICE, AD, ACCOUNT, POSITION]), min_size=2),
                          st.sampled_from(HOSTS)),
                st.tuples(st.just("read and sent"), st.sampled_from([FILLED.data, AD.data, NUMBER.data]), FORMS,
                          st.sampled_from(HOSTS), st.just(1)),
            ),
        ),
        min_size=2,
        max_size=9,
    ),
)  # fmt: skip
"""Runs in which more is asked, answered, claimed and declared than the general question."""
STARTS = st.sampled_from(["launched", "launched", "started", "unseen"])
WATCHED = st.sampled_from([OBSERVED] * 4 + [OBSERVED | {"consent": False}, OBSERVED | {"hooks": False}])


def texts(data: str, people: int = 5) -> list[str]:
    """The values of a kind of data; of the address book those of its first people."""
    return [text for _, text, *row in ALL[data].values if not row or row[0] < people]


def formed(form: str, text: str) -> str:
    """A text in the form in which it is sent."""
    return hashlib.new(form, text.encode()).hexdigest() if form in HASHES else text


def ask_ticked(case: Case, at: int, ticked: bool) -> int:
    case.asked(at, ticked=ticked)
    return at


def touch(case: Case, at: int, label: str) -> int:
    ticked = [line.get("ticked") for line in case.lines.get("consent", ()) if line["signal"] == "dialog"][-1:] == [True]
    case.tapped(at, BUTTONS[label] or "requested", label, **({"ticked": True} if ticked else {}))
    return at


def press(case: Case, at: int, touched: bool) -> int:
    case.tapped(at, "given", "Agree", by="app", stack=["com.example.shop.Policy.skip(Policy.java:12)"])
    if touched:
        case.tapped(at + 0.001, "given", "Agree")
    return at


def separate(case: Case, at: int, scope: str, status: str) -> int:
    if status == "withdrawn":
        case.tapped(at, status, "Withdraw my consent", scope=scope)
        return at
    case.separately(at, scope, status, "A question of its own")
    return at + 1


def prompts(case: Case, at: int, names: list[str]) -> int:
    for name in names:
        case.prompted(at, name, [PERMISSIONS[name]])
    return at


def result(case: Case, at: int, name: str, granted: bool) -> int:
    case.answered(at, name, [PERMISSIONS[name]], granted)
    return at


def nag(case: Case, at: int, name: str, times: int) -> int:
    case.prompted(at, name, [PERMISSIONS[name]]).answered(at + 1, name, [PERMISSIONS[name]], False)
    for again in range(at + 5, at + 5 + 4 * times, 4):
        case.prompted(again, name, [PERMISSIONS[name]])
    return at + 5 + 4 * times


def deny_and_end(case: Case, at: int, name: str, after: int) -> int:
    case.prompted(at, name, [PERMISSIONS[name]]).answered(at + 1, name, [PERMISSIONS[name]], False)
    case.phase(at + 1 + after, "exited")
    return at + 1 + after


def wake(case: Case, at: int, data: str) -> int:
    case.phase(at, "background").phase(at + 1, "exited").phase(at + 60, "started").read(at + 65, READS[data])
    return at + 65


def claim(case: Case, at: int, signal: str, status: str) -> int:
    said = {"sdk_call": "com.umeng.commonsdk.UMConfigure.submitPolicyGrantResult", "preference": "privacy_agreed"}
    status = "given" if status == "given" else "refused"
    case.claimed(at, signal, status, said[signal] + ("=true" if status == "given" else "=false"))
    return at


def on_wire(case: Case, at: int, query: str) -> int:
    case.read(at, AD).sent(at + 1, f"{ADS}?{query}", {"v": texts(AD.data)}, by="com.adnet.sdk.Ad.load(Ad.java:7)")
    return at + 1


def read_often(case: Case, at: int, data: str, count: int, span: int) -> int:
    case.read(at, READS[data], count=count, until=at + span)
    return at + span


def send_together(case: Case, at: int, reads: list[Read], url: str) -> int:
    for read in reads:
        case.read(at, read)
    said = [text for read in reads for _, text, *_ in read.values]
    case.sent(at + 1, url, {"v": said}, by="com.example.shop.Net.post(Net.java:7)")
    return at + 1


def kept(case: Case, at: int) -> int:
    case.claimed(at, "preference", "given", "privacy_agreed=true", at_start=True)
    return at


def day_before(case: Case, at: int) -> int:
    case.tapped(-24 * 3600, "given", "Agree")
    return at


ASKING: dict[str, Callable[..., int]] = {
    "ask ticked": ask_ticked,
    "button": touch,
    "by itself": press,
    "separate": separate,
    "prompts": prompts,
    "result": result,
    "nagged": nag,
    "woken": wake,
    "denied and ended": deny_and_end,
    "claim": claim,
    "wire": on_wire,
    "often": read_often,
    "together": send_together,
    "kept": kept,
    "a day before": day_before,
}


def case_of(
    moves: list[tuple[int, Move]],
    start: str = "launched",
    watched: dict[str, Any] = OBSERVED,
    compared: bool = True,
) -> Case:
    """A run in which these things happen."""
    case, at = Case("made-up", "made up", plan="free"), 1
    case.run["observers"] = watched
    if compared:
        case.clocks_agree_to(1)
    else:
        case.run["clock_offset_ms"] = None
    if start == "launched":
        case.launched()
    elif start == "started":
        case.phase(0.1, "started")
    for pause, (what, *how) in moves:
        at += pause
        if what == "ask":
            case.asked(at)
        elif what == "tap":
            case.tapped(at, how[0], LABELS[how[0]])
        elif what == "read":
            read: Read = ALL[how[0]]
            case.read(at, read, outcome=how[1], values=None if how[1] == "returned" else ())
        elif what == "phase":
            case.phase(at, how[0])
        elif what in ASKING:
            at = ASKING[what](case, at, *how)
        else:
            data, form, url, people = how
            if what == "read and sent":
                case.read(at, ALL[data])
                at += 1
            said = ["nothing"] if form == "no value" else texts(data, people)
            said = [formed(form, text) for text in said]
            case.sent(at, url, {"v": said}, by="com.example.shop.Net.post(Net.java:7)")
    unwatched = [] if watched["consent"] else ["consent"]
    for kind in [*unwatched, *([] if watched["hooks"] else ["access", "connection", "phase"])]:
        case.lines.pop(kind, None)
    return case


class Lines:
    """The lines of a case, and what can be seen from them."""

    def __init__(self, case: Case, choice: str = "nothing said") -> None:
        self.of = {
            f"{FILES[kind]}:{number}": line
            for kind, of_kind in case.lines.items()
            for number, line in enumerate(of_kind, start=1)
        }
        self._bodies, self.choice = case.bodies, choice
        self.observed = {name for name, there in case.run["observers"].items() if there}
        self.compared = case.run["clock_offset_ms"] is not None
        self.uploads, self.consents = self._all("upload"), self._all("consent")
        self.questions = [line for line in self.consents if line["signal"] in ("dialog", "permission_prompt")]
        self.asks = [seconds(line) for line in self.questions if line["scope"] == "general_policy"]
        self.taps = self.answers("general_policy")
        self.kept = [line for line in self.consents if line.get("at_start") or seconds(line) < 0]

    def _all(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.of.values() if line["kind"] == kind]

    def answers(self, scope: str) -> list[tuple[float, str]]:
        """What the user answered to a question, and when: a button under a box that was ticked is no answer, nor one
        whose label is none, nor what the app presses."""
        found = []
        for line in self.consents:
            if line["signal"] != "tap" or line["by"] != "user" or line["scope"] != scope:
                continue
            status = BUTTONS.get(line["text"], line["status"])
            if status is not None and not (status == "given" and self.was_ticked(scope, seconds(line))):
                found.append((seconds(line), status))
        return found

    def was_ticked(self, scope: str, at: float) -> bool:
        """Whether the box of the last dialog of a scope was ticked when it came up."""
        shown = [line for line in self.questions if (line["signal"], line["scope"]) == ("dialog", scope)]
        shown = [line for line in shown if seconds(line) <= at]
        return bool(shown) and shown[-1].get("ticked") is True

    def may_be(self, state: str, at: float) -> bool:
        """Whether consent may be told as that at a moment."""
        if "consent" not in self.observed:
            return state == "not_observed"
        answers = [status for when, status in self.taps if when < at]
        asked = any(when < at for when in self.asks)
        # A label that is no answer may be all that is seen of a question.
        touches = [seconds(line) for line in self.consents if line["signal"] == "tap" and seconds(line) < at]
        since_yes = answers[len(answers) - answers[::-1].index("given") :] if "given" in answers else answers
        match state:
            case "not_shown":
                return not asked and not answers
            case "requested":
                return (asked or bool(touches)) and "given" not in answers[-1:]
            case "given":
                return "given" in answers and not {"refused", "withdrawn"} & set(since_yes)
            case "dismissed":
                # Who leaves the app leaves its question without an answer.
                left = [when for each in ("background", "exited") for when in self.phases(each) if when < at]
                asks = [*touches, *(ask for ask in self.asks if ask < at)]
                return state in since_yes or any(ask < when for ask in asks for when in left)
            case "refused" | "withdrawn":
                return state in since_yes
        return False

    def agreed(self, scope: str, at: float) -> bool:
        """Whether the last word on a question of its own was a yes, and nobody has said no to anything since."""
        answers = sorted((when, status) for each in (scope, "general_policy") for when, status in self.answers(each))
        said = [
            status for when, status in answers if when < at and (status != "given" or when in dict(self.answers(scope)))
        ]
        return said[-1:] == ["given"]

    def said_no(self, scope: str, at: float) -> bool:
        """Whether the user has said no to a question of its own, and no yes to it since."""
        said = [status for when, status in self.answers(scope) if when < at and status != "dismissed"]
        return said[-1:] in (["refused"], ["withdrawn"])

    def before(self, at: float, **fields: Any) -> list[dict[str, Any]]:
        """Consent lines of earlier that have these fields."""
        return [
            line
            for line in self.consents
            if seconds(line) < at and all(line.get(name) == value for name, value in fields.items())
        ]

    def phases(self, state: str) -> list[float]:
        """When app or screen came into a state."""
        return [seconds(line) for line in self.of.values() if line["kind"] == "phase" and line["state"] == state]

    def refused(self, at: float) -> bool:
        """Whether the user had said no before."""
        return any(status in ("refused", "withdrawn") for when, status in self.taps if when < at)

    def carried(self, upload: dict[str, Any], data: str) -> set[tuple[str, str]]:
        """The values of a kind of data in a body: in which form, and which."""
        said = set(json.loads(self._bodies[upload["body"]])["v"])
        return {(form, text) for form in ("plain", *HASHES) for text in texts(data) if formed(form, text) in said}

    def returned(self, data: str, before: float) -> bool:
        """Whether the app had read values of that kind."""
        return any(
            line["kind"] == "access" and line["data"] == data and line["outcome"] == "returned"
            for line in self.of.values() if line["kind"] == "access" and seconds(line) < before
        )  # fmt: skip

    def hidden(self, at: float) -> bool:
        """Whether the app was in the background, or the screen was off."""
        front, dark = True, False
        for line in self.of.values():
            if line["kind"] == "phase" and seconds(line) <= at:
                front = {"foreground": True, "background": False, "started": False}.get(line["state"], front)
                dark = {"screen_off": True, "screen_on": False}.get(line["state"], dark)
        return dark or not front

    def people(self, refs: list[str]) -> int:
        """How many people of the address book have their number in these uploads."""
        numbers = {text for kind, text, *_ in PEOPLE if kind == "phone_number"}
        return len({text for ref in refs for _, text in self.carried(self.of[ref], "device_contacts")} & numbers)


def seconds(line: dict[str, Any]) -> float:
    return moment(line["at"])


def moment(text: str) -> float:
    return (datetime.fromisoformat(text) - START).total_seconds()


Said = Callable[[Lines, dict[str, Any], str], bool]
"""Whether a rule may object to a line, about a kind of data."""


def late(lines: Lines, line: dict[str, Any], *states: str) -> bool:
    """Whether consent may have been one of these; between clocks that nobody compared it may have been any."""
    if line["kind"] == "upload" and not lines.compared and "consent" in lines.observed:
        return True
    return any(lines.may_be(state, seconds(line)) for state in states)


def apart(lines: Lines, line: dict[str, Any], scope: str) -> bool:
    """Whether a consent of its own may be said to be missing."""
    return not lines.compared or not lines.agreed(scope, seconds(line))


def under(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def outside(lines: Lines, data: str) -> bool:
    """Whether the type of app is known, and does not need a kind of data."""
    return lines.choice == "a map" and data not in NEEDED_BY_MAPS


def beside(lines: Lines, upload: dict[str, Any], *reads: Read) -> bool:
    """Whether a body carries one of these as well."""
    return any(lines.carried(upload, read.data) for read in reads)


def own_record(lines: Lines, upload: dict[str, Any], data: str) -> bool:
    """Whether the app's own record, or this or an earlier request, said no, and no answer was seen since."""
    at, ads = seconds(upload), data == AD.data
    noes = [
        seconds(line)
        for line in lines.consents
        if line["signal"] in ("preference", "sdk_call") and line["status"] == "refused"
    ]
    if ads:
        noes += [seconds(line) for line in lines.uploads if WIRE.get(line["url"].partition("?")[2]) == "refused"]
    slack = 0 if lines.compared else 1e9
    return any(
        no <= at + slack and (slack or not any(no < when <= at for when, status in lines.taps if status == "given"))
        for no in noes
    )


def often(lines: Lines, line: dict[str, Any]) -> bool:
    """Whether ten or more reads of a kind are there, two of them within two seconds."""
    times = []
    for each in lines.of.values():
        if each["kind"] == "access" and each["data"] == line["data"] and each["outcome"] == "returned":
            count, since = each.get("count", 1), seconds(each)
            until = moment(each["until"]) if "until" in each else since
            times += [since + (until - since) * number / max(count - 1, 1) for number in range(count)]
    times.sort()
    return len(times) >= 10 and any(second - first < 2.001 for first, second in pairwise(times))


def self_started(lines: Lines, at: float) -> bool:
    """Whether a process had started, and the app had not come to the foreground since."""
    began = [when for when in lines.phases("started") if when <= at]
    return bool(began) and not any(began[-1] <= when <= at for when in lines.phases("foreground"))


def claimed(lines: Lines, line: dict[str, Any]) -> bool:
    """Whether a request says that the user agreed."""
    return line["kind"] == "upload" and WIRE.get(line["url"].partition("?")[2]) == "given"


def of_consents(test: Callable[[Lines, dict[str, Any], float], bool]) -> Said:
    """A rule about a line of consents.jsonl and its moment."""
    return lambda lines, line, _: line["kind"] == "consent" and test(lines, line, seconds(line))


def nagged(lines: Lines, line: dict[str, Any], at: float) -> bool:
    """Whether the same question came up three times after a no to it."""
    fields = {"signal": line["signal"], "scope": line["scope"]}
    if line["signal"] == "permission_prompt":
        fields["text"] = line["text"]
        noes = [seconds(no) for no in lines.before(1e9, text=line["text"], status="refused")]
    else:
        noes = [when for when, status in lines.answers(line["scope"]) if status in ("refused", "withdrawn")]
    return len([ask for ask in lines.before(1e9, **fields) if any(no < seconds(ask) for no in noes)]) >= 3


def regranted(lines: Lines, line: dict[str, Any], at: float) -> bool:
    """Whether a permission was granted that had been denied, and nobody had prompted for it in between."""
    results = lines.before(at, signal="permission_result", text=line["text"])
    if (line["signal"], line["status"]) != ("permission_result", "given") or not results:
        return False
    asked = lines.before(at, signal="permission_prompt", text=line["text"])
    return results[-1]["status"] == "refused" and not any(seconds(ask) > seconds(results[-1]) for ask in asked)


def at_once(lines: Lines, line: dict[str, Any], at: float) -> bool:
    """Whether permissions of four groups were prompted for within a second."""
    near = [each for each in lines.before(1e9, signal="permission_prompt") if abs(seconds(each) - at) <= 1]
    return line in near and len({each["text"] for each in near}) >= 4


def no_choice(lines: Lines, line: dict[str, Any], at: float) -> bool:
    """Whether a label that is no clear answer was touched, and no clear one afterwards."""
    after = [when for when, status in lines.taps if when > at and status != "dismissed"]
    return line["signal"] == "tap" and BUTTONS.get(line["text"], "an answer") is None and not after


def unpressed(lines: Lines, line: dict[str, Any], at: float) -> bool:
    """Whether the app pressed Agree, and the user touched nothing at that moment."""
    touched = [seconds(each) for each in lines.consents if each["signal"] == "tap" and each["by"] == "user"]
    by_app = (line["signal"], line["by"], line["status"]) == ("tap", "app", "given")
    return by_app and not any(abs(when - at) < 0.2 for when in touched) and not agreed_surely(lines, at)


def agreed_surely(lines: Lines, at: float) -> bool:
    """Whether the last answer was a yes."""
    return [status for when, status in lines.taps if when < at and status != "dismissed"][-1:] == ["given"]


UNASKED = ("not_shown", "requested", "dismissed")
MAY: dict[str, Said] = {
    "read-before-consent": lambda lines, line, _: late(lines, line, *UNASKED),
    "read-after-refusal": lambda lines, line, _: late(lines, line, "refused"),
    "read-after-withdrawal": lambda lines, line, _: late(lines, line, "withdrawn"),
    "read-in-background": lambda lines, line, _: lines.hidden(seconds(line)) and late(lines, line, "given"),
    "read-never-sent": lambda lines, line, _: (
        not any(lines.carried(one, line["data"]) for one in lines.uploads) and late(lines, line, "given")
    ),
    "others-data-read": lambda lines, line, _: line["data"] == "device_contacts" and late(lines, line, "given"),
    "clipboard-read": lambda lines, line, data: data == "clipboard" and late(lines, line, "given"),
    "sent-before-consent": lambda lines, line, _: late(lines, line, *UNASKED),
    "sent-after-refusal": lambda lines, line, _: late(lines, line, "refused"),
    "sent-after-withdrawal": lambda lines, line, _: late(lines, line, "withdrawn"),
    "sent-in-background": lambda lines, line, _: lines.hidden(seconds(line)) and late(lines, line, "given"),
    "sent-in-cleartext": lambda lines, line, _: line["url"].startswith("http:") and line["tls"] is None,
    "weakly-hashed": lambda lines, line, data: (
        {form for form, _ in lines.carried(line, data)} <= set(HASHES) and late(lines, line, "given")
    ),
    "fixed-identifier-sent": lambda lines, line, data: data == DEVICE.data and late(lines, line, "given"),
    "identifiers-bridged": lambda lines, line, data: (
        data == DEVICE.data and beside(lines, line, AD, ACCOUNT) and late(lines, line, "given")
    ),
    "third-party-not-covered": lambda lines, line, _: (
        line["host"] in THIRD and late(lines, line, "given") and apart(lines, line, "third_party_separate")
    ),
    "sent-abroad": lambda lines, line, _: (
        line["host"] == "graph.facebook.com"
        and CHOICES[lines.choice][1].get("territory") == "CN"
        and late(lines, line, "given")
        and apart(lines, line, "cross_border_separate")
    ),
    "address-book-upload": lambda lines, line, data: data == "device_contacts",
    "installed-apps-read": lambda lines, line, _: line["data"] == APPS.data and late(lines, line, "given"),
    "local-channel": lambda lines, line, _: line["data"] == CHANNEL.data,
    "read-at-self-start": lambda lines, line, _: self_started(lines, seconds(line)),
    "read-outside-scope": lambda lines, line, _: outside(lines, line["data"]) and late(lines, line, "given"),
    "read-too-often": lambda lines, line, _: often(lines, line) and late(lines, line, "given"),
    "sent-outside-scope": lambda lines, line, data: outside(lines, data) and late(lines, line, "given"),
    "sensitive-without-separate-consent": lambda lines, line, data: (
        data in SENSITIVE and late(lines, line, "given") and apart(lines, line, "sensitive_separate")
    ),
    "ads-after-opt-out": lambda lines, line, data: (
        data == AD.data
        and late(lines, line, "given")
        and (not lines.compared or lines.said_no("ads_tracking", seconds(line)))
    ),
    "minors-data": lambda lines, line, _: lines.choice == "for children" and apart(lines, line, "minor_guardian"),
    "undeclared-data": lambda lines, line, data: bool(CHOICES[lines.choice][0]) and data != NAMED_BY_POLICY[0],
    "undeclared-recipient": lambda lines, line, data: (
        bool(CHOICES[lines.choice][0]) and data == NAMED_BY_POLICY[0] and not under(line["host"], NAMED_BY_POLICY[1])
    ),
    "declared-not-seen": lambda lines, line, data: (
        bool(CHOICES[lines.choice][0])
        and line["data"] != NAMED_BY_POLICY[0]
        and not lines.returned(NAMED_BY_POLICY[0], 1e9)
        and not any(lines.carried(one, NAMED_BY_POLICY[0]) for one in lines.uploads)
    ),
    "sent-against-own-record": own_record,
    "consent-claimed-on-wire": lambda lines, line, _: (
        claimed(lines, line)
        and (
            not lines.compared
            or not agreed_surely(lines, seconds(line))
            or lines.said_no("ads_tracking", seconds(line))  # the strings speak of advertising
        )
    ),
    "consent-claimed-without-action": of_consents(
        lambda lines, line, at: (
            line["signal"] in ("preference", "sdk_call") and line["status"] == "given" and not agreed_surely(lines, at)
        )
    ),
    "consent-from-earlier-run": of_consents(lambda lines, line, _: line in lines.kept and line["status"] == "given"),
    "repeated-prompts": of_consents(nagged),
    "permission-changed": of_consents(regranted),
    "permission-before-purpose": of_consents(
        lambda lines, line, at: (
            line["signal"] == "permission_prompt"
            and not any(
                each["signal"] == "dialog" or (each["signal"] == "tap" and each["by"] == "user")
                for each in lines.before(at)
            )
        )
    ),
    "bundled-permissions": of_consents(at_once),
    "forced-permission": of_consents(
        lambda lines, line, at: (
            (line["signal"], line["status"]) == ("permission_result", "refused")
            and any(0 <= when - at <= 5 for when in lines.phases("exited"))
        )
    ),
    "pre-ticked-consent": of_consents(
        lambda lines, line, at: (
            line["signal"] == "dialog" and line.get("ticked") is True and not agreed_surely(lines, at)
        )
    ),
    "invalid-consent-button": of_consents(no_choice),
    "forced-consent": of_consents(
        lambda lines, line, _: line["signal"] == "tap" and line["by"] == "user" and line["text"] in FORCED
    ),
    "agreed-by-itself": of_consents(unpressed),
    "no-first-run-notice": lambda lines, line, _: (
        not any(
            each["signal"] == "dialog" or (each["signal"], each["by"]) == ("tap", "user") for each in lines.consents
        )
        and bool(lines.phases("foreground") or lines.phases("background"))  # it left the foreground
    ),
}
"""Every rule; a rule that is not here was never thought about."""
RULES = {rule["id"]: rule for rule in (yaml.safe_load(path.read_text()) for path in FOLDER.glob("*.yml"))}
"""The files of the rules, as anybody reads them; YAML takes their `on` for true."""
OF_ANSWERS = {id_ for id_, rule in RULES.items() if rule[True] == "flow" and "consent" in rule["when"]}
"""Rules about uploads that rest on what the user had answered, on the other clock."""


def judged(case: Case, folder: Path, choice: str = "nothing said") -> Report:
    for name, data in case.files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    with Store("sqlite://") as store:
        recording = Recording.open(folder)
        correlate(recording, store, known(choice))
        return report(store, recording.run.id, known(choice))


def check_flow(lines: Lines, flow: Flow) -> None:
    """A flow: its value is in the upload, and a read of it that returned something came before."""
    upload = lines.of[flow.upload]
    found = lines.carried(upload, flow.data)
    for match in flow.matches:
        form = "plain" if match.variant == "plain" else match.variant.replace("-", "")
        assert any(form in (each, "plain") or each in form for each, _ in found), (match, found)
    assert found, flow
    assert flow.recipient.host == upload["host"]
    assert flow.access is None or lines.returned(flow.data, seconds(upload) + (0 if lines.compared else 1e9))
    assert not lines.compared or lines.may_be(flow.consent, seconds(upload)), (
        flow.consent,
        lines.asks,
        lines.taps,
        seconds(upload),
    )


def sureness(confidence: str) -> int:
    """0 is the surest."""
    return [str(each) for each in CONFIDENCES].index(confidence)


def check_finding(lines: Lines, finding: Finding, flows: dict[str, Flow]) -> None:
    """A finding: each line that it rests on is there, and is what the rule objects to."""
    for ref in finding.evidence:
        assert ref in lines.of, ref
    may, rule, data = MAY[finding.rule], RULES[finding.rule], finding.data or ""
    assert set(rule.get("needs", ())) <= lines.observed
    assert finding.level in {rule["level"], *(each["level"] for each in rule.get("levels", ()))}
    assert sureness(finding.confidence) >= sureness(rule.get("at_most", "proven"))
    if not lines.compared and finding.rule in OF_ANSWERS:
        assert sureness(finding.confidence) >= sureness("indicated"), finding
    uploads = [flows[name].upload for name in finding.flows]
    if rule[True] in ("consent", "claim", "run"):
        assert any(may(lines, lines.of[ref], data) for ref in finding.evidence), (finding, lines.consents)
        return
    read = rule[True] == "access"
    accused = [ref for ref in finding.evidence if ref.startswith("accesses.")] if read else uploads
    assert accused
    for ref in accused:
        line = lines.of[ref]
        assert may(lines, line, data), (finding.rule, ref, line["at"], lines.asks, lines.taps)
        if line["kind"] == "access":
            assert (line["outcome"], line["data"]) == ("returned", finding.data)
    if finding.rule == "address-book-upload":
        assert lines.people(uploads) >= 3
    if finding.people is not None:
        assert finding.people.sent <= lines.people(uploads)
        assert finding.people.read <= len(PEOPLE) // 2
    assert finding.recipient is None or {lines.of[ref]["host"] for ref in uploads} == {finding.recipient.host}


SPAN = r"((?:[\d.]+ (?:h|min|s|ms)\b ?)+)"
UNITS = {"h": 3600, "min": 60, "s": 1, "ms": 0.001}
PHRASES: dict[str, tuple[str, Said]] = {
    "to a recipient registered abroad, and no separate consent to that was observed": (
        "接收方注册地在境外，未观察到用户就此单独同意",
        MAY["sent-abroad"],
    ),
    "a third party, and no separate consent to that was observed": (
        "接收方为第三方，未观察到用户就此单独同意",
        MAY["third-party-not-covered"],
    ),
    "of an app for children, and no guardian's consent was observed": (
        "面向儿童的应用，未观察到监护人同意",
        MAY["minors-data"],
    ),
    "and no separate consent to that was observed": (
        "未观察到用户就此单独同意",
        MAY["sensitive-without-separate-consent"],
    ),
    "a third party that the policy does not name for it": ("隐私政策未就此列明该第三方", MAY["undeclared-recipient"]),
    "which the policy does not name": ("隐私政策未列明该信息", MAY["undeclared-data"]),
    "while the app's own record said that there was no consent": (
        "而应用自身记录表明未获同意",
        MAY["sent-against-own-record"],
    ),
    "outside the necessary scope of this type of app": ("超出该类应用的必要个人信息范围", MAY["sent-outside-scope"]),
    "after the user had opted out of personalised advertising": ("在用户关闭个性化广告之后", MAY["ads-after-opt-out"]),
    "an identifier that the user cannot reset": ("该标识用户无法重置", MAY["fixed-identifier-sent"]),
    "together with an advertising identifier or an account": (
        "与广告标识或账号一并发送",
        lambda lines, line, _: beside(lines, line, AD, ACCOUNT),
    ),
    "in a hash that can be reversed by trying values": ("其哈希可被穷举还原", MAY["weakly-hashed"]),
    "in the background or with the screen off": (
        "在后台或息屏状态下",
        lambda lines, line, _: lines.hidden(seconds(line)),
    ),
    "unencrypted": ("未加密", MAY["sent-in-cleartext"]),
    "data of other people": ("涉及他人信息", MAY["address-book-upload"]),
    "the clocks were not compared, so it is not known before or after which answer this was": (
        "时钟未经比对，与用户答复孰先孰后不明",
        lambda lines, line, _: not lines.compared,
    ),
    "and no question to the user was seen": (
        "未见向用户的询问",
        lambda lines, line, _: not any(ask < seconds(line) for ask in lines.asks),
    ),
    "while the question was not answered": (
        "询问尚未得到答复",
        lambda lines, line, _: lines.may_be("requested", seconds(line)),
    ),
}
"""What a headline may say besides what went where and how long before or after: in English, in Chinese, and of which
uploads."""


def in_seconds(span: str) -> float:
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+) (h|min|s|ms)\b", span))


def is_among(span: str, lengths: set[float]) -> bool:
    """Whether a span is one of these lengths of time, as far as its last digit goes."""
    last = 60 if " h" in span else 1 if "min" in span else 0.001 if "ms" in span else 0.1
    return any(abs(in_seconds(span) - length) <= last for length in lengths)


def spans(text: str) -> list[float]:
    """The lengths of time in a text."""
    return [in_seconds(span) for span in re.findall(SPAN, text)]


def check_headline(lines: Lines, found: Report) -> None:
    """Each sentence of the headline: how, what, to whom, and when against what the user was asked and answered."""
    for group in sent(found):
        english, chinese = (went(found, group, Words(language)) for language in ("en", "zh"))
        uploads = [lines.of[ref] for ref in {flow.upload for flow in group.flows}]
        moments = [seconds(upload) for upload in uploads]
        assert f" to {group.recipient.host}" in english
        assert f"发送至 {group.recipient.host}" in chinese
        hashed = all({form for form, _ in lines.carried(upload, group.data)} <= set(HASHES) for upload in uploads)
        assert ("(hashed" in english) == ("（哈希值" in chinese) == hashed
        people = re.search(r"data of (one|\d+) of (\d+) people", english)
        if people:
            assert int(people[1].replace("one", "1")) <= lines.people([flow.upload for flow in group.flows])
            assert int(people[2]) <= len(PEOPLE) // 2
        assert lines.compared or not re.search(f"{SPAN}(before|after)", english)
        assert sorted(spans(english)) == sorted(spans(chinese)), (english, chinese)
        for span in re.findall(f"{SPAN}before the user was asked", english):
            assert is_among(span, {ask - at for ask in lines.asks for at in moments})
        for span in re.findall(f"{SPAN}before an answer", english):
            assert is_among(span, {tap - at for tap, _ in lines.taps for at in moments})
        for span, label in re.findall(f"{SPAN}after “([^”]*)”", english):
            said = [seconds(line) for line in lines.consents if line["text"] == label]
            assert is_among(span, {at - since for since in said for at in moments}), english
            assert f"“{label}”（" in chinese
        left, there = english, chinese
        for phrase, (translated, may) in PHRASES.items():
            assert (phrase in left) == (translated in there), (phrase, english, chinese)
            if phrase in left:
                left, there = left.replace(phrase, ""), there.replace(translated, "")
                assert any(may(lines, line, group.data) for line in uploads), (english, lines.consents)


def check_all(case: Case, found: Report, choice: str = "nothing said") -> None:
    lines, flows = Lines(case, choice), {flow.id: flow for flow in found.flows}
    for flow in found.flows:
        check_flow(lines, flow)
    for finding in found.findings:
        check_finding(lines, finding, flows)
    check_headline(lines, found)


def test_every_rule_is_decided() -> None:
    assert set(MAY) == set(RULES) == {rule.id for rule in known().rules}


@settings(max_examples=examples(60))
@given(MOVES)
def test_nothing_is_said_that_the_lines_do_not_say(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[int, Move]]
) -> None:
    case = case_of(moves)
    check_all(case, judged(case, tmp_path_factory.mktemp("made")))


@example([*AGREED, (1, ("together", [DEVICE, POSITION], HOSTS[0]))], "nothing said", "launched", OBSERVED, True)
@settings(max_examples=examples(100))
@given(QUESTIONS, st.sampled_from(list(CHOICES)), STARTS, WATCHED, st.sampled_from([True, True, True, False]))
def test_nothing_is_said_of_questions_claims_and_policies_that_is_not_there(
    tmp_path_factory: pytest.TempPathFactory,
    moves: list[tuple[int, Move]],
    choice: str,
    start: str,
    watched: dict[str, Any],
    compared: bool,
) -> None:
    case = case_of(moves, start, watched, compared)
    check_all(case, judged(case, tmp_path_factory.mktemp("made"), choice), choice)
