"""A report as the correlator would make it: a social app that takes the address book before the user has answered."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from appwitness.events import (
    Access,
    AppIdentity,
    Connection,
    Consent,
    DeviceIdentity,
    Endpoint,
    Gap,
    Phase,
    Run,
    Tls,
    Upload,
    Value,
)
from appwitness.events.seen import see
from appwitness.findings import (
    Article,
    Declared,
    Finding,
    Flow,
    JudgedRule,
    Match,
    Recipient,
    Report,
    ReportedGap,
    Why,
    because,
)
from appwitness.findings.people import counted
from appwitness.judge.consent import Timeline

START = datetime(2026, 3, 14, 1, 20, 0, tzinfo=UTC)
APP = "com.example.circle"
OWN = Value(type="phone_number", text="+8613800138000")
PLACE = Value(type="location", text="31.230416,121.473701")
ANDROID_ID = Value(type="android_id", text="64f051c20ca1dc00")
PEOPLE = [
    ("诸葛强浩", "+8613912345678", "zhuge.qianghao@example.org"),
    ("程华", "+8613788693191", "chenghua@example.cn"),
    ("李华霞", "+8615656300309", "huaxia.li@example.org"),
    ("王小明", "13651820377", "xiaoming_w@example.com"),
    ("欧阳娜娜", "+8618616354209", "nana.ouyang@example.org"),
    ("Anna-Maria Kowalska", "+48601234567", "anna-maria.k922@uczelnia.example"),
    ("Jürgen Groß", "+4915123456789", "j.gross@example.de"),
    ("Seán O'Brien", "+353861234567", "sean.obrien@example.ie"),
    ("Priya Raghunathan", "+919812345670", "priya.r@example.in"),
    ("Léa Lefèvre", "+33612345678", "lea.lefevre@example.fr"),
    ("田中さくら", "+819012345678", "sakura.tanaka@example.jp"),
    ("Wei Zhang", "+16505550142", "wei.zhang@example.com"),
]

FRAMEWORK = [
    "android.os.Handler.dispatchMessage(Handler.java:106)",
    "android.os.Looper.loop(Looper.java:288)",
    "android.app.ActivityThread.main(ActivityThread.java:7918)",
]
READ_STACK = (
    "android.content.ContentResolver.query(ContentResolver.java:1183)",
    "com.example.circle.contacts.AddressBook.all(AddressBook.java:48)",
    "com.example.circle.onboarding.FriendFinder.prepare(FriendFinder.java:71)",
    "com.example.circle.CircleApplication.onCreate(CircleApplication.java:33)",
    "android.app.Instrumentation.callApplicationOnCreate(Instrumentation.java:1278)",
    *FRAMEWORK,
)
SEND_STACK = (
    "java.net.Socket.connect(Socket.java:646)",
    "com.android.okhttp.internal.Platform.connectSocket(Platform.java:182)",
    "com.example.circle.net.SyncClient.post(SyncClient.java:112)",
    "com.example.circle.onboarding.FriendFinder.lambda$prepare$0(FriendFinder.java:79)",
    "java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1145)",
    "java.lang.Thread.run(Thread.java:1012)",
)
SDK_STACK = (
    "java.net.Socket.connect(Socket.java:646)",
    "com.friendgraph.sdk.Uploader.flush(Uploader.java:204)",
    "com.friendgraph.sdk.FriendGraph.onContacts(FriendGraph.java:88)",
    "com.example.circle.onboarding.FriendFinder.prepare(FriendFinder.java:74)",
    *FRAMEWORK,
)

RULES = (
    ("address-book-upload", "high", "Other people's contact data was uploaded", "上传了他人的通讯录信息"),
    ("read-after-refusal", "high", "Personal data was read after the user refused", "用户拒绝后仍读取个人信息"),
    ("read-before-consent", "medium", "Personal data was read before consent", "用户同意前读取个人信息"),
    ("sent-after-refusal", "high", "Personal data was sent after the user refused", "用户拒绝后仍发送个人信息"),
    ("sent-before-consent", "high", "Personal data was sent before consent", "用户同意前发送个人信息"),
    ("sent-in-cleartext", "medium", "Personal data was sent in cleartext", "明文发送个人信息"),
    (
        "third-party-not-covered",
        "medium",
        "A third party received data without separate consent",
        "未经单独同意向第三方提供",
    ),
)
TITLES = {rule: {"en": en, "zh": zh} for rule, _, en, zh in RULES}
LEVEL = {rule: level for rule, level, _, _ in RULES}

ARTICLES = (
    Article(
        law="CN-PIPL", article="13", jurisdiction="cn",
        citation={"en": "PIPL, art. 13", "zh": "《中华人民共和国个人信息保护法》第十三条"},
        says={"en": "Handling needs consent or another basis", "zh": "须有同意或其他法定事由"},
    ),
    Article(
        law="CN-CSL", article="44 (was 42)", jurisdiction="cn",
        citation={"en": "Cybersecurity Law, art. 44 (was 42)", "zh": "《网络安全法》第四十四条（原第四十二条）"},
        says={"en": "No disclosing and no giving to others", "zh": "不得泄露及擅自提供"}, verify=True,
    ),
    Article(
        law="EU-GDPR", article="6(1)", jurisdiction="eu",
        citation={"en": "Art. 6(1) GDPR", "zh": "欧盟《通用数据保护条例》（GDPR）第6条第1款"},
        says={"en": "Needs a legal basis", "zh": "须有法律依据"},
    ),
    Article(
        law="EU-EPRIVACY", article="ePrivacy Directive 5(3)", jurisdiction="eu",
        citation={"en": "Art. 5(3) of Directive 2002/58/EC", "zh": "《电子隐私指令》第5条第3款"},
        says={"en": "Reading the terminal needs prior consent", "zh": "读取终端信息须事先同意"}, verify=True,
    ),
)  # fmt: skip


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def contacts() -> tuple[Value, ...]:
    return tuple(
        Value(type=type_, text=text, row=row)
        for row, (name, number, mail) in enumerate(PEOPLE)
        for type_, text in (("name", name), ("phone_number", number), ("email", mail))
    )


def run(**changes) -> Run:
    fields: dict[str, Any] = {
        "id": "20260314T012000-com.example.circle",
        "app": AppIdentity(
            package=APP,
            version="3.14.2",
            version_code=31402,
            apk_sha256=sha("apk"),
            certificate_sha256=sha("certificate"),
        ),
        "device": DeviceIdentity(
            serial="emulator-5554", model="sdk_gphone64", release="13", api_level=33, kind="emulator"
        ),
        "plan": "refuse",
        "persona": (OWN, PLACE, ANDROID_ID, *(Value(type=v.type, text=v.text) for v in contacts())),
        "started": START,
        "ended": at(34.2),
        "clock_offset_ms": 250.0,
        "versions": {
            "appwitness": "0.1.0",
            "frida": "17.26.2",
            "mitmproxy": "12.3.1",
            "agent": sha("agent"),
            "rules": sha("rules"),
        },
        "operator": "Lin Yue",
    }
    return Run(**fields | changes)


def people_body(rows: range) -> str:
    return json.dumps(
        {"device": "a1", "people": [{"name": PEOPLE[row][0], "phone_sha256": sha(PEOPLE[row][1])} for row in rows]},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def matches(body: str, rows: range) -> tuple[Match, ...]:
    """A plain name and the digest of a number for each contact."""
    out = []
    for index, row in enumerate(rows):
        name, number, _ = PEOPLE[row]
        for type_, value, variant, form, found, field in (
            ("name", name, "plain", "as_given", name, "name"),
            ("phone_number", number, "sha256", "e164", sha(number), "phone_sha256"),
        ):
            start = body.index(found)
            out.append(
                Match(
                    type=type_,
                    value=value,
                    variant=variant,
                    of=form,
                    decoding=("gzip", "json"),
                    path=f"$.people[{index}].{field}",
                    start=len(body[:start].encode()),
                    end=len(body[: start + len(found)].encode()),
                    confidence=0.97 if type_ == "name" else 0.999999,
                    row=row,
                    before=body[max(0, start - 60) : start],
                    found=found,
                    after=body[start + len(found) : start + len(found) + 60],
                )
            )
    return tuple(out)


class Sample:
    """The parts of the report, by the name of their line."""

    def __init__(self) -> None:
        circle = Recipient(
            host="api.circle.test",
            name="Circle",
            party="first",
            country="CN",
            reason=because(Why.SHARED_LABEL, domain="circle.test", package="com.example.circle", label="circle"),
        )
        graph = Recipient(
            host="sync.friendgraph.test",
            name="FriendGraph",
            party="third",
            country="US",
            country_basis="address_block",
            country_as_of="2026-11",
            reason=because(Why.KNOWN_RECIPIENT, name="FriendGraph", role="analytics"),
        )
        ads = Recipient(
            host="ads.adnet.test",
            name="AdNet",
            party="third",
            country=None,
            reason=because(Why.KNOWN_RECIPIENT, name="AdNet", role="ads"),
        )
        offset = 0.25
        common: dict[str, Any] = {"app": APP, "pid": 3144}
        self.accesses = {
            "accesses.jsonl:1": Access(
                at=at(1.4 + offset), source="android.provider.Settings$Secure.getString", target="android_id",
                data="android_id", values=(ANDROID_ID,), outcome="returned",
                stack=("android.provider.Settings$Secure.getString(Settings.java:6420)",
                       "com.friendgraph.sdk.Identity.read(Identity.java:31)", *FRAMEWORK),
                thread="main", count=4, until=at(3.0), **common,
            ),
            "accesses.jsonl:2": Access(
                at=at(2.1 + offset), source="android.content.ContentResolver.query",
                target="content://com.android.contacts/data/phones", data="device_contacts", values=contacts(),
                outcome="returned", args={"projection": ["display_name", "data1"], "selection": None},
                stack=READ_STACK, thread="main", **common,
            ),
            "accesses.jsonl:3": Access(
                at=at(3.3 + offset), source="android.location.LocationManager.getLastKnownLocation", target="gps",
                data="location", values=(PLACE,), outcome="returned",
                stack=("android.location.LocationManager.getLastKnownLocation(LocationManager.java:730)",
                       "com.adnet.sdk.Geo.fix(Geo.java:19)", "com.adnet.sdk.Bidder.request(Bidder.java:140)",
                       *FRAMEWORK),
                thread="AdNet-1", **common,
            ),
            "accesses.jsonl:4": Access(
                at=at(16.2 + offset), source="android.telephony.TelephonyManager.getLine1Number", data="phone_number",
                values=(OWN,), outcome="returned",
                stack=("android.telephony.TelephonyManager.getLine1Number(TelephonyManager.java:4582)",
                       "com.example.circle.profile.Me.number(Me.java:57)", *FRAMEWORK), thread="main", **common,
            ),
            "accesses.jsonl:5": Access(
                at=at(17.0 + offset), source="android.telephony.TelephonyManager.getImei", data="device_id_imei",
                outcome="denied", thread="main", stack=("com.friendgraph.sdk.Identity.read(Identity.java:44)",),
                **common,
            ),
        }  # fmt: skip
        self.people = people_body(range(12))
        numbers = json.dumps({"v": 1, "numbers": [number for _, number, _ in PEOPLE[:6]]}, separators=(",", ":"))
        self.bodies = {sha(self.people): self.people, sha(numbers): numbers}

        def upload(seconds, url, body=None, tls=True, port=34001, **more):
            host = url.split("/")[2].split(":")[0]
            return Upload(
                at=at(seconds), via="http", method="POST" if body else "GET", url=url, host=host,
                headers=(("user-agent", "okhttp/4.9.3"), ("content-type", "application/json"),
                         ("cookie", f"sid=8f2a71; number={OWN.text}")),
                body=sha(body) if body else None, size=len((body or "").encode()),
                type="application/json" if body else None, client=Endpoint(ip="10.0.2.16", port=port),
                server=Endpoint(ip="198.51.100.11", port=443 if tls else 80),
                tls=Tls(version="TLSv1.3", sni=host, alpn="h2") if tls else None, status=200, **more,
            )  # fmt: skip

        self.uploads = {
            "uploads.jsonl:1": upload(1.1, "https://cfg.circle.test/flags?build=31402"),
            "uploads.jsonl:2": upload(2.6, "https://api.circle.test/contacts/sync", self.people, port=34002),
            "uploads.jsonl:3": upload(2.9, "https://sync.friendgraph.test/v1/upload", numbers, port=34003),
            "uploads.jsonl:4": upload(
                3.9, "http://ads.adnet.test/bid?lat=31.230&lon=121.474&aid=64f051c20ca1dc00", tls=False, port=34004
            ),
            "uploads.jsonl:5": upload(9.7, "https://crash.reports.test/beat", "{}", port=34005),
            "uploads.jsonl:6": upload(16.8, "https://api.circle.test/contacts/sync", self.people, port=34006),
        }

        def connect(seconds, host, port, stack):
            return Connection(
                at=at(seconds + offset), local=Endpoint(ip="10.0.2.16", port=port), host=host,
                remote=Endpoint(ip="198.51.100.11", port=443), stack=stack, thread="OkHttp Dispatcher", **common,
            )  # fmt: skip

        self.connections = {
            "connections.jsonl:2": connect(2.5, "api.circle.test", 34002, SEND_STACK),
            "connections.jsonl:3": connect(2.8, "sync.friendgraph.test", 34003, SDK_STACK),
            "connections.jsonl:6": connect(16.7, "api.circle.test", 34006, SEND_STACK),
        }
        self.consents = {
            "consents.jsonl:1": Consent(
                at=at(5.0 + offset), signal="dialog", status="requested", by="app", text="Privacy policy", **common
            ),
            "consents.jsonl:2": Consent(
                at=at(14.5 + offset), signal="tap", status="refused", by="user", text="Disagree", **common
            ),
            "consents.jsonl:3": Consent(
                at=at(15.9 + offset), signal="permission_result", status="refused", by="user",
                scope="system_permission", data=("device_id_imei",), text="android.permission.READ_PHONE_STATE",
                **common,
            ),
        }  # fmt: skip
        states: tuple[tuple[float, Any, str | None], ...] = (
            (0.4, "started", None),
            (0.8, "foreground", None),
            (20.0, "background", None),
            (27.0, "foreground", None),
            (33.0, "exited", None),
        )
        self.phases = {
            f"phases.jsonl:{number}": Phase(at=at(seconds + offset), state=state, text=text, **common)
            for number, (seconds, state, text) in enumerate(states, start=1)
        }

        def flow(name, access, up, connection, data, consent, recipient, found, **more):
            if data == "device_contacts":
                found = tuple(each.model_copy(update={"person": each.row, "detail": each.row}) for each in found)
                held = ("name", "phone_number")
                more |= {"entries": more["rows"], "people": counted(found, 12, held, told_apart=True)}
            return Flow(
                id=name, access=access, upload=up, connection=connection, data=data, consent=consent,
                recipient=recipient, matches=found, at=self.uploads[up].at,
                access_at=self.accesses[access].at - timedelta(seconds=offset) if access else None, **more,
            )  # fmt: skip

        def numbers_found():
            for row in range(6):
                number = PEOPLE[row][1]
                start = numbers.index(number)
                yield Match(
                    type="phone_number", value=number, variant="plain", of="as_given", decoding=("json",),
                    path=f"$.numbers[{row}]", start=start, end=start + len(number), confidence=0.9999, row=row,
                    before=numbers[max(0, start - 60) : start], found=number,
                    after=numbers[start + len(number) : start + len(number) + 60],
                )  # fmt: skip

        place = [
            Match(
                type="location", value=PLACE.text, variant="coordinates", of="lat", path="url.query.lat",
                start=31, end=37, confidence=0.98, found="31.230",
                reasons=(because(Why.PLACE, count=3, precision="coarse", metres=111.0),),
            ),
            Match(
                type="location", value=PLACE.text, variant="coordinates", of="lon", path="url.query.lon",
                start=42, end=49, confidence=0.98, found="121.474",
                reasons=(because(Why.PLACE, count=3, precision="coarse", metres=95.0),),
            ),
        ]  # fmt: skip
        identity = Match(
            type="android_id", value=ANDROID_ID.text, variant="plain", of="as_given", path="url.query.aid",
            start=54, end=70, confidence=0.999999, found=ANDROID_ID.text,
        )  # fmt: skip
        book = matches(self.people, range(12))
        self.flows = (
            flow("f1", "accesses.jsonl:2", "uploads.jsonl:2", "connections.jsonl:2", "device_contacts", "not_shown",
                 circle, book, rows=12, rows_read=12),
            flow("f2", "accesses.jsonl:2", "uploads.jsonl:3", "connections.jsonl:3", "device_contacts", "not_shown",
                 graph, tuple(numbers_found()), rows=6, rows_read=12),
            flow("f3", "accesses.jsonl:3", "uploads.jsonl:4", None, "location", "not_shown", ads, tuple(place),
                 cleartext=True),
            flow("f4", "accesses.jsonl:1", "uploads.jsonl:4", None, "android_id", "not_shown", ads, (identity,),
                 cleartext=True, earlier=3),
            flow("f5", "accesses.jsonl:2", "uploads.jsonl:6", "connections.jsonl:6", "device_contacts", "refused",
                 circle, book, rows=12, rows_read=12),
            flow("f6", None, "uploads.jsonl:6", "connections.jsonl:6", "phone_number", "refused", circle,
                 (Match(type="phone_number", value=OWN.text, variant="plain", of="as_given",
                        path="headers.cookie.number",
                        start=19, end=33, confidence=0.999999, before="sid=8f2a71; number=", found=OWN.text),)),
        )  # fmt: skip

        def finding(rule, confidence, data, recipient, consent, names, evidence, detail, **more):
            return Finding(
                rule=rule, level=LEVEL[rule], title=TITLES[rule], confidence=confidence, data=data,
                recipient=recipient, consent=consent, flows=names, evidence=evidence, detail=detail, **more,
            )  # fmt: skip

        pipl = ("PIPL art. 13", "PIPL art. 14")
        self.findings = (
            finding("address-book-upload", "proven", "device_contacts", circle, "not_shown", ("f1", "f5"),
                    ("accesses.jsonl:2", "uploads.jsonl:2", "uploads.jsonl:6"),
                    {"en": "12 of the 12 contacts read were sent to api.circle.test, twice.",
                     "zh": "读取的 12 位联系人全部发送至 api.circle.test，共两次。"},
                    count=2, references=("PIPL art. 13", "GDPR art. 6")),
            finding("read-before-consent", "indicated", "device_contacts", None, "not_shown", (),
                    ("accesses.jsonl:2", "consents.jsonl:1"),
                    {"en": "The address book was read 2.9 s before the user was asked.",
                     "zh": "在询问用户前 2.9 秒读取了通讯录。"}, references=pipl),
            finding("read-before-consent", "indicated", "android_id", None, "not_shown", (),
                    ("accesses.jsonl:1", "consents.jsonl:1"),
                    {"en": "The Android id was read 4 times, the first time 3.6 s before the user was asked.",
                     "zh": "Android ID 被读取 4 次，首次在询问用户前 3.6 秒。"}, count=4, references=pipl),
            finding("sent-after-refusal", "proven", "device_contacts", circle, "refused", ("f5",),
                    ("accesses.jsonl:2", "uploads.jsonl:6", "connections.jsonl:6", "consents.jsonl:2",
                     "phases.jsonl:2"),
                    {"en": "Sent 2.3 s after the user refused.", "zh": "在用户拒绝 2.3 秒后发送。"},
                    references=("PIPL art. 15", "191-3.2")),
            finding("sent-before-consent", "proven", "device_contacts", circle, "not_shown", ("f1",),
                    ("accesses.jsonl:2", "uploads.jsonl:2", "connections.jsonl:2", "consents.jsonl:1"),
                    {"en": "Sent 2.4 s before the user was asked.", "zh": "在询问用户前 2.4 秒发送。"},
                    references=pipl, kinds=("F02",), articles=ARTICLES),
            finding("sent-before-consent", "proven", "device_contacts", graph, "not_shown", ("f2",),
                    ("accesses.jsonl:2", "uploads.jsonl:3", "connections.jsonl:3", "consents.jsonl:1"),
                    {"en": "Sent 2.1 s before the user was asked.", "zh": "在询问用户前 2.1 秒发送。"},
                    references=pipl),
            finding("sent-in-cleartext", "proven", "location", ads, "not_shown", ("f3",),
                    ("accesses.jsonl:3", "uploads.jsonl:4"),
                    {"en": "Anyone on the way could read it.", "zh": "传输途中任何人均可读取。"},
                    references=("PIPL art. 51", "GDPR art. 32")),
        )  # fmt: skip
        self.gaps = (
            Gap(at=at(0.9), where="hook", subject="com.google.android.gms.location.FusedLocationProviderClient",
                why="class_absent"),
            Gap(at=at(0.9), where="hook", subject="android.telephony.SubscriptionManager.getPhoneNumber",
                why="method_absent", detail="needs API 33"),
            Gap(at=at(6.1), where="proxy", subject="pinned.bank.example", why="tls_refused",
                detail="client closed after certificate"),
            Gap(at=at(7.5), where="proxy", subject="quic.video.example:443", why="not_decrypted", detail="QUIC"),
            Gap(at=at(8.0), where="proxy", subject="pinned.bank.example", why="tls_refused",
                detail="client closed after certificate"),
        )  # fmt: skip


def report(**changes) -> Report:
    parts = Sample()
    events = {**parts.accesses, **parts.uploads, **parts.connections, **parts.consents, **parts.phases}
    fields: dict[str, Any] = {
        "recording": run().id,
        "run": run(),
        "flows": parts.flows,
        "findings": parts.findings,
        "gaps": tuple(
            ReportedGap(**msgspec.structs.asdict(gap), ref=f"gaps.jsonl:{number}")
            for number, gap in enumerate(parts.gaps, start=1)
        ),
        "rules": tuple(
            JudgedRule(
                id=rule,
                level=level,
                title=TITLES[rule],
                help={"en": f"{en}. Check the lines by hand.", "zh": f"{zh}。请人工核对。"},
                references=("PIPL art. 13",),
            )
            for rule, level, en, zh in RULES
        ),
        "coverage": {
            "lines": {"access": 5, "upload": 6, "connection": 3, "consent": 3, "phase": 5, "gap": 5, "transform": 0},
            "unreadable_lines": 0,
            "sources": {"installed": 41, "class_absent": 1, "overload_absent": 1},
            "hosts": {"api.circle.test": 2, "ads.adnet.test": 1, "cfg.circle.test": 1},
        },
        "consents": tuple(parts.consents.items()),
        "phases": tuple(parts.phases.items()),
        "accesses": tuple(parts.accesses.items()),
        "uploads": tuple(parts.uploads.items()),
        "evidence": events,
        "declared": (
            Declared(
                data="device_contacts",
                recipient=None,
                observed=1,
                declared=True,
                purpose="find friends",
                evidence=("accesses.jsonl:2",),
            ),
            Declared(
                data="device_contacts",
                recipient="sync.friendgraph.test",
                observed=1,
                declared=False,
                evidence=("uploads.jsonl:3",),
            ),
            Declared(data="email", recipient="Circle", observed=0, declared=True, purpose="account"),
        ),
    }
    fields |= changes
    for lane in ("consents", "phases", "accesses", "uploads"):
        lines = fields[lane]
        fields[lane] = tuple(see(each[0], each[-1], fields["run"].clock_offset_ms) for each in lines)
    fields.setdefault("answers", Timeline(fields["consents"]).steps())
    return Report(**fields)


def clean(**changes) -> Report:
    """A run in which nothing was found; without gaps unless they are given."""
    return report(**{"findings": (), "flows": (), "gaps": ()} | changes)


def secrets(of: Report) -> set[str]:
    """Every raw value that a masked rendering must not show."""
    values = {value.text for value in of.run.persona}
    for seen in of.accesses:
        if isinstance(seen.event, Access):
            values |= {value.text for value in seen.event.values}
    return values
