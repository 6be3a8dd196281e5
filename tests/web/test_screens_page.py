"""Screens of a recording: their texts masked; pictures and films only with --reveal, and only what is one."""

from datetime import timedelta

import pytest

from appwitness.api.browsing import Browsing
from appwitness.correlate import correlate, knowledge
from appwitness.events import Screen, Window
from appwitness.recording import Recording
from appwitness.store import Store
from appwitness.web.query import Site
from appwitness.web.routes import app
from tests.web import serving

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
MP4 = b"\0\0\0\x20ftypisom" + b"\0" * 20
HERE = "/recordings/many"


@pytest.fixture
def site(tmp_path):
    recording = Recording.create(tmp_path / "run", serving.run("many", ended=serving.START + timedelta(seconds=9)))
    for number, (image, film) in enumerate([(PNG, MP4), (b"<script>alert(1)</script>", None), (None, None)]):
        recording.append(serving.read(number, serving.START + timedelta(seconds=number)))
        recording.append(
            Screen(
                at=serving.START + timedelta(seconds=number), why="plan", by="host", what="look",
                windows=(Window(texts=("Call +8613800000000", "<b>now</b>"), labels=("Agree",)),),
                image=recording.put_body(image) if image else None,
                film=recording.put_body(film) if film else None,
            )
        )  # fmt: skip
    recording.stamp(final=True)
    with Store(tmp_path / "index.sqlite") as store:
        known = knowledge()
        correlate(recording, store, known)
        yield lambda reveal=None: serving.visitor(app(Site(Browsing(store, known, reveal), serving.TOKEN)))


def test_texts_are_masked_and_no_picture_is_shown(site):
    asking = site()
    page = asking.get(f"{HERE}/screens").text
    assert "Agree" in page
    assert "8613800000000" not in page
    assert "<b>now" not in page
    assert "<img" not in page
    for which in ("picture", "film"):
        answer = asking.get(f"{HERE}/screens/1/{which}", params={"reveal": "1"})
        assert (answer.status_code, "--reveal" in answer.text) == (404, True)


def test_pictures_and_films_are_shown_where_values_are(site, tmp_path):
    asking = site(tmp_path / "reveals")
    page = asking.get(f"{HERE}/screens", params={"reveal": "1"}).text
    assert "8613800000000" in page
    assert page.count("<img") == 2
    assert page.count("<video") == 1
    for which, body, type_ in (("picture", PNG, "image/png"), ("film", MP4, "video/mp4")):
        answer = asking.get(f"{HERE}/screens/1/{which}", params={"reveal": "1"})
        assert (answer.content, answer.headers["content-type"]) == (body, type_)
        assert answer.headers["x-content-type-options"] == "nosniff"
    for number in (2, 3, 99):
        assert asking.get(f"{HERE}/screens/{number}/picture", params={"reveal": "1"}).status_code == 404
