import pytest
from PIL import Image

from tests.browser import pictures
from tests.recordings.written import RECORDINGS

RECORDING = str(RECORDINGS / "address-book-upload")


@pytest.mark.parametrize("kind", ["page", "terminal"])
def test_a_picture_of_a_report_is_small_and_not_blank(browser, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(pictures, "HERE", tmp_path)
    if kind == "page":
        shown = pictures.appwitness(tmp_path, "report", RECORDING, "--format", "html")
    else:
        shown = pictures.in_terminal(pictures.appwitness(tmp_path, "report", RECORDING, "--color", "always"))
    pictures.shot(browser, shown, kind, 600)
    made = tmp_path / f"{kind}.png"
    assert made.stat().st_size < 100_000
    assert len(Image.open(made).convert("RGB").getcolors(maxcolors=10_000) or ()) > 10
