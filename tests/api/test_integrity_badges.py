"""Badges of recordings: who asks does not wait, what changed is checked again, the end waits for nothing."""

import shutil
import threading

from appwitness.api.integrity_badges import IntegrityBadges
from appwitness.recording import Recording
from tests.recordings.written import RECORDINGS


def stamped(folder):
    shutil.copytree(RECORDINGS / "clean-untouched", folder)
    (folder / "expected.json").unlink()
    with Recording.open(folder) as recording:
        recording.stamp(final=True)
    return folder


def test_who_asks_does_not_wait_and_a_change_is_noticed(tmp_path):
    place, badges = stamped(tmp_path / "r"), IntegrityBadges()
    assert badges.of("r", place, lambda: True).state == "checking"
    assert badges.of("r", place, lambda: True, 60).state == "intact"
    before = badges.changes
    assert badges.of("r", place, lambda: True).state == "intact"
    (place / "run.json").write_text("{}", "utf-8")
    assert badges.of("r", place, lambda: True).state == "checking"
    assert badges.of("r", place, lambda: True, 60).state in ("altered", "missing")
    assert badges.changes > before
    assert badges.of("r", tmp_path / "nowhere", lambda: True, 60).state == "missing"
    badges.close()


def test_the_end_does_not_wait_for_what_is_not_checked_yet(tmp_path):
    place, badges = stamped(tmp_path / "r"), IntegrityBadges()
    begun, go, asked = threading.Event(), threading.Event(), threading.Event()

    def slow():
        begun.set()
        return go.wait(60)

    badges.of("slow", place, slow)
    assert begun.wait(60)

    def next_one():
        asked.set()
        return True

    badges.of("r", place, next_one)
    badges.close()
    go.set()
    assert not asked.wait(0.5)
