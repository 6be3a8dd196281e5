"""Names of lines in few bytes: what is taken out is what was put in, also through a text and a stranger's text."""

import base64
import pickle
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from appwitness.events import FILES
from appwitness.events.refs import Refs

numbers = st.integers(1, 30) | st.integers(1, (1 << 32) + 5)
names = st.builds("{}:{}".format, st.sampled_from(list(FILES.values())), numbers)
OTHERS = ["x", "", "run.json", "uploads.jsonl:", "uploads.jsonl:007", "uploads.jsonl:٣", "b.jsonl:3"]
others = st.sampled_from(OTHERS)
refs = st.lists(names, max_size=60, unique=True) | st.lists(names | others, max_size=8, unique=True)


class Holder(BaseModel):
    all: Refs = Refs()


@given(refs, names | others)
def test_they_are_the_names(given_refs, other):
    made = Refs(given_refs)
    assert list(made) == given_refs
    assert made == tuple(given_refs)
    assert tuple(given_refs) == made
    assert len(made) == len(given_refs)
    assert made[1:3] == tuple(given_refs[1:3])
    assert (other in made) == (other in given_refs)
    assert all(ref in made for ref in given_refs)
    if set(given_refs).isdisjoint(OTHERS):
        by_file = {f"{file}:{number}" for file, found in made.by_file().items() for number in found}
        assert by_file == set(given_refs)
    assert all([*found] == sorted(found) for found in made.by_file().values())
    assert pickle.loads(pickle.dumps(made)) == made


@given(refs)
def test_they_come_back_from_json_in_both_forms(given_refs):
    held = Holder(all=Refs(given_refs))
    plain, packed = held.model_dump_json(), held.model_dump_json(context={"packed": True})
    assert Holder.model_validate_json(plain) == Holder.model_validate_json(packed) == held
    assert held.model_dump() == {"all": tuple(given_refs)}


def test_many_take_few_bytes():
    made = Refs(f"accesses.jsonl:{number}" for number in range(1, 100_000, 3))
    text = made.packed()
    assert isinstance(text, str)
    assert len(text) < len(made)
    assert Refs.of(text) == made


def of(names, data):
    return f"packed:{names}:{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    "given_text",
    [
        "packed:",
        "packed:accesses.jsonl:%%",
        of("accesses.jsonl", b"no zlib"),
        of("accesses.jsonl", zlib.compress(b"1234567")),
        of("accesses.jsonl", zlib.compress(b"\0" * 8 + b"\xff")[:-3]),
        of("accesses.jsonl", zlib.compress(b"\1" + b"\0" * 8)),
        of("elsewhere.jsonl", zlib.compress(b"\0" * 9)),
        of("accesses.jsonl", zlib.compress(b"\0" + b"\xff" * 8)),
        "accesses.jsonl:1",
        [1],
        {"a": 1},
        None,
    ],
)
def test_what_is_no_list_of_names_is_refused(given_text):
    with pytest.raises(ValueError, match="names of lines were expected"):
        Refs.of(given_text)
    with pytest.raises(ValidationError):
        Holder.model_validate({"all": given_text})
