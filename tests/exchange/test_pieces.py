"""Large JSON cut into pieces: each as it stands there, and bounded memory."""

from __future__ import annotations

import io
import json
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.exchange import json_pieces

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet=st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def elements(text, *way, brief=()):
    with tempfile.TemporaryFile() as file:
        file.write(text.encode("utf-8", "surrogatepass"))
        file.flush()
        return list(json_pieces.elements(file, way, brief))


@given(st.lists(JSON, max_size=5), st.booleans())
def test_elements_are_those_of_the_list(wanted, escaped):
    text = json.dumps({"x": [1, {"log": {"v": "]", "entries": wanted, "end": 1}}]}, ensure_ascii=escaped)
    found = elements(text, "log", "entries")
    assert [json.dumps(one.value()) for one in found] == [
        json.dumps(
            json.loads(
                json.dumps(one, ensure_ascii=escaped)
                .encode("utf-8", "surrogatepass")
                .decode("utf-8", "surrogateescape")
            )
        )
        for one in wanted
    ]


@given(st.lists(JSON, min_size=1, max_size=5), st.data())
def test_a_file_that_is_broken_off_gives_what_came_before(wanted, data):
    whole = json.dumps({"log": {"entries": wanted}})
    begin = whole.index("[") + 1
    cut = data.draw(st.integers(begin, len(whole) - 3))
    found = elements(whole[:cut], "log", "entries")
    *before, last = found
    assert [one.value() for one in before] == wanted[: len(before)]
    assert "ends here" in (last.problem or "")


def test_long_strings_are_cut_and_say_so(monkeypatch):
    monkeypatch.setattr(json_pieces, "LONG", 100)
    monkeypatch.setattr(json_pieces, "BRIEF", 20)
    text = json.dumps([{"request": "é\n" * 200, "n": 1}, {"response": {"text": "y" * 200}, "n": 2}])
    first, second = elements(text, brief=("response",))
    assert (first.cut, first.value()["n"], first.value()["request"].replace("é\n", "").strip("é")) == (True, 1, "")
    assert 0 < len(first.value()["request"]) < 100
    assert (second.cut, second.value()["n"], len(second.value()["response"]["text"]) <= 20) == (False, 2, True)


def test_a_piece_that_is_too_large_is_a_problem_and_costs_no_other(monkeypatch):
    monkeypatch.setattr(json_pieces, "LARGEST", 100)
    first, second = elements(json.dumps([["x"] * 100, 2]))
    assert (first.problem, second.value()) == ("it has more than 0 MiB", 2)


@given(st.text(alphabet='\\u"a\né', min_size=20, max_size=60), st.integers(1, 12))
def test_a_string_is_never_cut_within_an_escape(text, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_pieces, "LONG", most)
        (piece,) = elements(json.dumps([[text]]))
    assert piece.cut
    assert text.startswith(piece.value()[0])


@pytest.mark.parametrize("text", ['{"log": {"entries": {"a": []}}, "entries": []}', ""])
def test_a_file_without_the_list(text):
    with pytest.raises(json_pieces.NoListError, match=r"no list log\.entries"):
        elements(text, "log", "entries")


LOGS = {
    "lines": ('{"a": 1}\n\n{"a": 2}', [(1, {"a": 1}), (3, {"a": 2})]),
    "pretty-printed": (
        '{\n  "a": [\n    {\n      "b": 1\n    }\n  ]\n}\n{\n  "a": 2\n}',
        [(1, {"a": [{"b": 1}]}), (8, {"a": 2})],
    ),
    "a pretty-printed list": ('[\n  {\n    "a": 1\n  },\n  {\n    "a": 2\n  }\n]\n', [(2, {"a": 1}), (5, {"a": 2})]),
    "a list of lines": ('[\n{"a": 1},\n{"a": 2}\n]', [(2, {"a": 1}), (3, {"a": 2})]),
    "with the mark of UTF-8": ('\ufeff{"a": 1}', [(1, {"a": 1})]),
    "a line that does not end": ('{"a": "x\n{"a": 2}\n', [(1, None), (2, {"a": 2})]),
    "a value that does not end": ('{\n "a": 1,\n{\n "a": 2\n}\n', [(1, None), (3, {"a": 2})]),
    "the file is broken off": ('{"a": 1}\n{"a": ', [(1, {"a": 1}), (2, None)]),
    "something else": ('Frida 17\n}\n{"a": 1}\n', [(1, None), (2, None), (3, {"a": 1})]),
}


@pytest.mark.parametrize("name", LOGS)
def test_values_of_a_log(name):
    text, wanted = LOGS[name]
    found = []
    for piece in json_pieces.values(io.BytesIO(text.encode())):
        try:
            found.append((piece.line, piece.value()))
        except ValueError:
            found.append((piece.line, None))
    assert found == wanted
