"""Hypothesis strategies for what a recording can hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

from hypothesis import strategies as st

from monitor import events

texts = st.text(max_size=40)
codes = st.sampled_from(["phone_number", "name", "email", "location", "device_id_imei"])
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
times = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))
stacks = st.lists(texts, max_size=3).map(tuple)
ports = st.integers(0, 65535)


def optional[T](strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


def one_of(model: type[events.Event], field: str) -> st.SearchStrategy[Any]:
    """One of the choices that a Literal field of the contract allows."""
    return st.sampled_from(get_args(model.model_fields[field].annotation))


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
gaps = st.builds(
    events.Gap,
    **base,
    where=one_of(events.Gap, "where"),
    subject=texts,
    why=one_of(events.Gap, "why"),
    detail=optional(texts),
    until=optional(times),
)
any_event = st.one_of(accesses, transforms, connections, uploads, consents, phases, gaps)
