"""Hypothesis strategies for what a recording can hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

from hypothesis import settings
from hypothesis import strategies as st

from appwitness import events

texts = st.text(max_size=40)
codes = st.sampled_from(["phone_number", "name", "email", "location", "device_id_imei"])
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
times = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))
stacks = st.lists(texts, max_size=3).map(tuple)
ports = st.integers(0, 65535)


def examples(thorough: int) -> int:
    """How many examples a property is tried on that wants `thorough` of them: fewer where the profile has fewer."""
    return max(10, thorough * settings().max_examples // 100)


def optional[T](strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


def one_of(model: type[events.Event], field: str) -> st.SearchStrategy[Any]:
    """One of the choices that a Literal field of the contract allows."""
    return st.sampled_from(get_args(get_type_hints(model)[field]))


base: dict[str, Any] = {
    "at": times,
    "app": optional(st.sampled_from(["com.example.circle", "com.example.skies"])),
    "pid": optional(st.integers(0, 2**31)),
}
values = st.builds(events.Value, type=codes, text=texts, row=optional(st.integers(0, 400)))
endpoints = st.builds(events.Endpoint, ip=st.ip_addresses().map(str), port=ports)
blobs = st.binary(max_size=400).map(events.blob)
accesses = st.builds(
    events.Access,
    **base,
    source=texts,
    target=optional(texts),
    data=codes,
    values=st.lists(values, max_size=4).map(tuple),
    outcome=one_of(events.Access, "outcome"),
    args=optional(st.dictionaries(texts, texts | st.integers(-(2**53), 2**53) | st.booleans(), max_size=3)),
    stack=stacks,
    thread=optional(texts),
    count=st.integers(1, 10**6),
    until=optional(times),
)
transforms = st.builds(
    events.Transform,
    **base,
    op=one_of(events.Transform, "op"),
    algorithm=texts,
    input=blobs,
    output=blobs,
    key=optional(blobs),
    iv=optional(blobs),
    stack=stacks,
)
connections = st.builds(
    events.Connection,
    **base,
    op=one_of(events.Connection, "op"),
    local=endpoints,
    remote=endpoints,
    host=optional(texts),
    stack=stacks,
)
uploads = st.builds(
    events.Upload,
    **base,
    via=one_of(events.Upload, "via"),
    method=optional(texts),
    url=optional(texts),
    host=optional(texts),
    headers=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    body=optional(digests),
    size=st.integers(0, 2**40),
    type=optional(texts),
    truncated=st.booleans(),
    client=optional(endpoints),
    server=optional(endpoints),
    tls=optional(st.builds(events.Tls, version=optional(texts), sni=optional(texts), alpn=optional(texts))),
    status=optional(st.integers(100, 599)),
)
consents = st.builds(
    events.Consent,
    **base,
    signal=one_of(events.Consent, "signal"),
    status=one_of(events.Consent, "status"),
    scope=one_of(events.Consent, "scope"),
    data=optional(st.lists(codes, max_size=3).map(tuple)),
    by=one_of(events.Consent, "by"),
    text=optional(texts),
    note=optional(texts),
)
phases = st.builds(events.Phase, **base, state=one_of(events.Phase, "state"), text=optional(texts))
witnesses = st.builds(
    events.Witness,
    **base,
    by=one_of(events.Witness, "by"),
    subject=optional(texts),
    data=optional(codes),
    count=optional(st.integers(0, 2**40)),
    size=optional(st.integers(0, 2**40)),
    since=optional(times),
    until=optional(times),
    tag=optional(texts),
    raw=optional(blobs),
)
gaps = st.builds(
    events.Gap,
    **base,
    where=one_of(events.Gap, "where"),
    subject=texts,
    why=one_of(events.Gap, "why"),
    detail=optional(texts),
    until=optional(times),
)


def number(*parts: str | int) -> st.SearchStrategy[str]:
    """Fixed digits and, for each number, so many digits of any kind."""
    drawn = [
        st.just(part) if isinstance(part, str) else st.text("0123456789", min_size=part, max_size=part)
        for part in parts
    ]
    return st.tuples(*drawn).map("".join).filter(lambda text: len(set(text)) > 4)


def hexed(size: int) -> st.SearchStrategy[str]:
    """That many hex digits that are clearly an id: bytes that differ, and letters among the digits."""
    return (
        st.binary(min_size=size // 2, max_size=size // 2)
        .map(bytes.hex)
        .filter(lambda text: len(set(bytes.fromhex(text))) > 4 and not text.isdecimal() and not text.isalpha())
    )


def words(alphabet: str, least: int, most: int) -> st.SearchStrategy[str]:
    """A word that does not repeat itself."""
    return st.text(alphabet, min_size=least, max_size=most).filter(lambda text: len(set(text)) >= least // 2 + 1)


LATIN = "abcdefghijklmnopqrstuvwxyzáéłñöç"
HAN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚文华建国北京市海淀区中关村大街号楼室您的验证码是请勿泄露"
coordinates = st.tuples(
    st.floats(-70, 70).map(lambda one: round(one, 6)), st.floats(-170, 170).map(lambda one: round(one, 6))
).filter(lambda pair: all(abs(one) > 1 and abs(one - round(one, 4)) > 2e-6 for one in pair))
texts_by_type: dict[str, st.SearchStrategy[str]] = {
    "phone_number": st.one_of(number("138", 8), number("+4479", 8), number("+1310", 7), number("+4915", 9)),
    "name": st.one_of(
        words(HAN, 4, 4), st.tuples(words(LATIN, 6, 9), words(LATIN, 6, 12)).map(lambda two: " ".join(two).title())
    ),
    "email": st.tuples(words("abcdefghijklmnopqrstuvwxyzABC", 4, 12), words("abcdefghijkl", 4, 9)).map(
        lambda two: f"{two[0]}_7@{two[1]}.example"
    ),
    "address": st.one_of(
        words(HAN, 6, 16), words(LATIN, 6, 12).map(lambda street: f"14 {street.title()} Road, Leeds LS1")
    ),
    "location": coordinates.map(lambda pair: f"{pair[0]:.6f},{pair[1]:.6f}"),
    "movement_track": coordinates.map(lambda pair: f"{pair[0]:.6f},{pair[1]:.6f}"),
    "device_id_imei": number("86", 13),
    "device_id_imsi": number("46000", 10),
    "device_id_iccid": number("8986", 16),
    "device_id_serial": words("ABCDEFGHKLMNPRSTUVWXYZ123456789", 11, 14),
    "mac_address": hexed(12).map(lambda text: ":".join(text[at : at + 2] for at in range(0, 12, 2))),
    "android_id": hexed(16),
    "advertising_id": hexed(32).map(lambda text: f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"),
    "ip_address": st.tuples(*[st.integers(11, 250)] * 4).map(lambda four: ".".join(map(str, four))),
    "wifi_ssid_bssid": words("ABCDEFabcdef123456-_", 11, 18).map(lambda text: f"Net-{text}"),
    "sms_content": words(HAN, 6, 20).map(lambda text: f"【{text}】 code 7731-XK"),
    "calendar_events": words(LATIN, 8, 20).map(lambda text: f"Dinner with {text}"),
    "id_number": number("110105", 12),
    "bank_card": number("6222", 15),
    "account_id": words("abcdefghijklmnopqrstuvwxyz0123456789", 12, 18).map(lambda text: f"wxid_{text}"),
    "browsing_history": words("abcdefghij", 6, 12).map(lambda text: f"https://{text}.test/list?page=7"),
    "installed_apps": words("abcdefghij", 6, 12).map(lambda text: f"com.example.{text}.diary"),
    "clipboard": words(LATIN, 8, 30).map(lambda text: f"note: {text}!"),
}
"""Type of a value -> texts of it that are telling enough to stand alone."""
personal = st.sampled_from(sorted(texts_by_type)).flatmap(
    lambda type_: st.builds(events.Value, type=st.just(type_), text=texts_by_type[type_])
)
any_event = st.one_of(accesses, transforms, connections, uploads, consents, phases, witnesses, gaps)
