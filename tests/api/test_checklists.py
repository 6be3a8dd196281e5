"""The runs that a checklist needs, as a program asks for them: which plans, for how long, and what is left alone."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from appwitness.api import checklist_runs, checklists, running
from appwitness.api.judging import judging
from appwitness.support.errors import UserError


@pytest.fixture
def made(monkeypatch):
    """What each run was asked to be; nothing is run."""
    asked: list[dict[str, object]] = []

    class Ran:
        def wait(self, timeout_s):
            assert timeout_s > float(str(asked[-1]["duration_s"]))

    @contextmanager
    def observed(_gate, app, **options):
        asked.append({"app": app, **options})
        yield Ran()

    monkeypatch.setattr(running, "observed", observed)
    return asked


def test_each_plan_is_run_once_and_as_long_as_its_items_ask_for(made, tmp_path):
    by = judging(db="sqlite://")
    which = checklists.checklist("cn-164", by.known)
    paths = list(checklist_runs.recorded(which, by, Path("a.apk"), device="usb", folder=tmp_path))
    assert [path.name for path in paths] == ["silent", "refuse", "accept", "withdraw"]
    assert [each["plan"] for each in made] == ["silent", "refuse", "accept", "withdraw"]
    longest = {
        plan: max(item.for_s or which.for_s for item in which.items if plan in item.plans) for plan in which.plans
    }
    assert all(each["duration_s"] > longest[each["plan"]] for each in made)
    assert all(each["by_hand"] is False for each in made)


def test_data_of_an_app_that_was_there_is_cleared_only_where_somebody_says_so(made, tmp_path):
    by = judging(db="sqlite://")
    which = checklists.checklist("masvs-privacy", by.known)
    list(checklist_runs.recorded(which, by, "com.example.shop", device="usb", folder=tmp_path))
    assert not any(each.get("clear_data") for each in made)
    list(checklist_runs.recorded(which, by, "com.example.shop", device="usb", folder=tmp_path, clear_data=True))
    assert [each.get("clear_data", False) for each in made] == [False, False, True, True]


def test_what_is_no_list_is_refused():
    known = judging(db="sqlite://").known
    for name in ("cn-165", "/dev/null", "/nowhere/x.yml"):
        with pytest.raises(UserError):
            checklists.checklist(name, known)
