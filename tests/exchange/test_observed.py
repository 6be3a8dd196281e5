"""What an imported file is taken for in each report: what it holds was observed, and nothing else."""

import hashlib
import itertools
import json
import re

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.recording import Recording
from appwitness.reports import FORMATS
from tests.exchange.test_hook_logs import call, save

APP = "com.example.shop"
NUMBER = "+8613800138000"
VALUE = ["--value", f"phone_number={NUMBER}"]
NEVER_SAID = (
    # What a live run may say, and a foreign capture never.
    "had not been asked", "not asked", "never asked", "observed to ask", "no question", "two independent observers",
    "planted", "stamped while it was made", "ran the app on", "plan of the run", "no fixed plan", "clock was",
    "no read of this value was observed. it is one of the values planted", "as it was sealed during the run",
    "尚未询问", "从未询问", "未见询问", "两种相互独立", "预置", "运行期间逐次封存", "上运行上述应用", "测试方案",
    "运行期间的封存一致",
)  # fmt: skip
MEANINGS = re.compile(r"<section aria-labelledby=\"words\">.*?</section>", re.DOTALL)
"""Where the page says what its grades mean, used or not."""


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))


def entry(second: int, url: str, body: str = ""):
    """A request as Proxyman saves it."""
    kind = [{"name": "Content-Type", "value": "application/json"}]
    request = {"method": "POST", "url": url, "httpVersion": "HTTP/1.1", "headers": kind, "bodySize": len(body)}
    if body:
        request["postData"] = {"mimeType": "application/json", "text": body}
    return {
        "startedDateTime": f"2026-05-01T08:00:{second:02}.500Z",
        "request": request,
        "response": {"status": 200, "headers": [], "content": {"size": 0, "mimeType": ""}},
        "timings": {"send": 1, "wait": 3, "receive": 1},
    }


@pytest.fixture
def har(tmp_path):
    """Three requests, one of them with a phone number to somebody else."""
    entries = [
        entry(1, "https://ads.example.net/v1/track", json.dumps({"p": {"phone": NUMBER}, "sdk": "4.1"})),
        entry(2, "https://api.shop.test/items"),
        entry(9, "https://api.shop.test/ping", json.dumps({"seq": 3})),
    ]
    path = tmp_path / "captured.har"
    log = {"version": "1.2", "creator": {"name": "Proxyman", "version": "5.1"}, "entries": entries}
    path.write_text(json.dumps({"log": log}))
    return path


@pytest.fixture
def log(tmp_path):
    """A read of that number, half a second before it was sent."""
    return save(tmp_path / "hooks.jsonl", call())


def run(*words: object):
    return CliRunner().invoke(main, [str(word) for word in words])


def imported(tmp_path, *words):
    result = run("import", *words, "--app", APP, "--output", tmp_path / "r")
    assert result.exit_code == 0, result.output
    return tmp_path / "r"


def report(path, *options):
    result = run("report", path, "--format", "json", *options)
    return json.loads(result.output), result.exit_code


def told(tree):
    return {(each["rule"], each["confidence"]) for each in tree["findings"]}


def test_run_json_says_what_was_imported_and_who_watched(tmp_path, har) -> None:
    at = Recording.open(imported(tmp_path, har, *VALUE)).run
    (file,) = at.source
    digest = hashlib.sha256(har.read_bytes()).hexdigest()
    assert (file.name, file.size, file.sha256) == ("captured.har", har.stat().st_size, digest)
    assert (file.format, file.tool) == ("har", "Proxyman 5.1")
    assert at.device.kind == "unknown"


@pytest.mark.parametrize(
    ("files", "options", "hooks", "proxy", "persona"),
    [
        (["har"], VALUE, False, True, "declared"),
        (["har"], [], False, True, None),
        (["log"], [], True, False, None),
        (["har", "log"], [], True, True, None),
    ],
)
def test_who_watched(tmp_path, har, log, files, options, hooks, proxy, persona) -> None:
    named = {"har": har, "log": log}
    observers = report(imported(tmp_path, *(named[name] for name in files), *options))[0]["observers"]
    assert observers == {
        "hooks": hooks,
        "proxy": proxy,
        "hooks_failed": False,
        "consent": False,
        "persona": persona,
        "witnesses": False,
        "stamped": "at_import",
    }


def test_no_rule_on_consent_fires_where_nobody_watched_but_for_an_assumption(tmp_path, har) -> None:
    path = imported(tmp_path, har, *VALUE)
    tree, code = report(path)
    assert (told(tree), code, tree["flows"][0]["consent"]) == (set(), 0, "not_observed")
    assert tree["not_judged"]["sent-before-consent"] == ["consent"]
    tree, code = report(path, "--assume-consent", "none")
    # One observer, and the rest is the operator's word.
    assert (told(tree), code) == ({("sent-before-consent", "declared")}, 1)
    assert "it is assumed that the user had not agreed" in tree["findings"][0]["detail"]["en"]
    assert told(report(path)[0]) == set()  # the index does not keep it
    assert told(report(path, "--assume-consent", "given")[0]) == set()


@pytest.mark.parametrize("assumed", [None, "none"])
def test_no_report_says_what_nobody_saw_and_each_says_what_is_assumed(tmp_path, har, assumed) -> None:
    har.write_text(har.read_text().replace("https://api.shop.test/items", f"http://api.shop.test/items?n={NUMBER[1:]}"))
    path = imported(tmp_path, har, *VALUE)  # sent in cleartext: a finding whatever the user had said
    options = ["--verbose", *(["--assume-consent", assumed] if assumed else [])]
    for format_, lang in itertools.product(FORMATS, ("en", "zh")):
        said = run("report", path, "--format", format_, "--lang", lang, *options).output
        lines = MEANINGS.sub("", said).lower() if format_ == "html" else said.lower()
        if format_ in ("json", "sarif"):
            tree = json.loads(said)
            for each in tree.get("runs", [tree]):  # what each rule means, whether or not it found anything
                each.pop("rules" if format_ == "json" else "tool")
            lines = json.dumps(tree, ensure_ascii=False).lower()
        assert [each for each in NEVER_SAID if each in lines] == [], (format_, lang)
        assert hashlib.sha256(har.read_bytes()).hexdigest()[:16] in said.replace("\n", "")
        assert "captured" in said
        assumption = "assume-consent none" in said.replace("\n", " ") or '"assumed_consent": "none"' in said
        assert assumption == bool(assumed), (format_, lang)


def test_two_observers_are_two_files(tmp_path, har, log) -> None:
    tree, _ = report(imported(tmp_path, har, log), "--assume-consent", "none")
    # Both ends were seen, and consent is assumed: indicated, where an observed one would make it proven.
    assert told(tree) == {("read-before-consent", "indicated"), ("sent-before-consent", "indicated")}
    assert "no_clock" in {gap["why"] for gap in tree["gaps"]}


def test_an_operators_mark_is_observed_consent(tmp_path, har, log) -> None:
    path = imported(tmp_path, har, log)
    run("mark", "consent", "refused", "--at", "2026-05-01T07:59:30Z", "--recording", path)
    tree, _ = report(path, "--assume-consent", "given")
    assert tree["observers"]["consent"]
    assert tree["assumed_consent"] is None  # what was observed goes before
    # The mark and the capture are of one clock; whether the read of the hook log was before the mark nobody knows.
    assert told(tree) == {("read-before-consent", "indicated"), ("sent-after-refusal", "indicated")}
    run("mark", "retract", "1", "--recording", path)
    assert told(report(path)[0]) == set()


def test_a_mark_before_the_first_line_is_no_consent_of_an_earlier_run(tmp_path, har) -> None:
    path = imported(tmp_path, har, *VALUE)
    run("mark", "consent", "given", "--at", "2026-05-01T07:59:30Z", "--recording", path)
    assert "consent-from-earlier-run" not in {rule for rule, _ in told(report(path)[0])}


def test_the_address_book_is_medium_where_there_may_have_been_a_yes(tmp_path, har) -> None:
    people = [("+8613800138000", "a"), ("+8613900139001", "b"), ("+8613700137002", "c")]
    har.write_text(
        har.read_text().replace(
            json.dumps(json.dumps({"seq": 3}))[1:-1], json.dumps(json.dumps([n for n, _ in people]))[1:-1]
        )
    )
    path = imported(tmp_path, har, *(word for number, _ in people for word in ("--value", f"phone_number={number}")))
    assert [each["level"] for each in report(path)[0]["findings"] if each["level"] == "high"] == []


@pytest.mark.parametrize(
    ("files", "options", "mark", "missing"),
    [
        (["har"], [], True, ["values"]),
        (["har"], ["--value", "phone_number=+8613900139000"], False, ["consent"]),
        (["log"], [], True, ["uploads"]),
        (["empty"], ["--value", "phone_number=+8613900139000"], True, ["uploads"]),
        (["har"], ["--value", "phone_number=+8613900139000"], True, []),
    ],
)
def test_clean_needs_values_uploads_and_consent(tmp_path, har, log, files, options, mark, missing) -> None:
    empty = tmp_path / "empty.har"
    empty.write_text(json.dumps({"log": {"version": "1.2", "creator": {}, "entries": []}}))
    named = {"har": har, "log": log, "empty": empty}
    path = imported(tmp_path, *(named[name] for name in files), *options)
    if mark:
        run("mark", "consent", "given", "--at", "2026-05-01T07:59:30Z", "--recording", path)
    tree, _ = report(path)
    assert not [each for each in tree["findings"] if each["level"] != "info"]
    subjects = {"values": "reads", "uploads": "uploads", "consent": "consent"}
    assert [gap["subject"] for gap in tree["gaps"] if gap["why"] == "not_observed"] == [
        subjects[each] for each in missing
    ]
    said = run("report", path, "--strict")
    if not tree["findings"]:
        assert said.exit_code == (3 if missing else 0)
        assert ("No finding, and no gap was noticed" in said.output) == (not missing)
        assert ("A clean result would also need" in said.output) == bool(missing)


def test_an_import_of_old_is_read_as_one(tmp_path, har) -> None:
    path = imported(tmp_path, har, *VALUE)
    tree = json.loads((path / "run.json").read_text())
    files = [{"file": each["name"], "format": each["format"], "sha256": each["sha256"]} for each in tree.pop("source")]
    del tree["observers"]
    tree["device"]["kind"] = "phone"  # the default of that time
    (path / "run.json").write_text(json.dumps({**tree, "imported": files}))
    at = Recording.open(path).run
    assert (at.source[0].name, at.source[0].size, at.device.kind) == ("captured.har", None, "unknown")
    assert at.imported
    assert (at.observers.hooks, at.observers.proxy, at.observers.consent) == (False, True, False)
    assert told(report(path)[0]) == set()


def test_a_comparison_of_imports_says_what_nobody_saw_and_what_is_assumed(tmp_path, har) -> None:
    paths = [tmp_path / "one", tmp_path / "two"]
    for path in paths:
        assert run("import", har, "--app", APP, "--output", path, *VALUE).exit_code == 0
    heads = {"plan of the run", "测试方案"}  # of a column, which says nothing of an import
    for format_, lang in itertools.product(("text", "html", "json"), ("en", "zh")):
        said = run("compare", *paths, "--format", format_, "--lang", lang).output
        assert ("Consent not observed" in said) or ("同意情况未观测" in said) or '"not_observed"' in said
        assert [each for each in NEVER_SAID if each in said.lower() and each not in heads] == []
        assumed = run("compare", *paths, "--format", format_, "--lang", lang, "--assume-consent", "none").output
        assert "assume-consent none" in assumed.replace("\n", " ") or '"assumed_consent": "none"' in assumed


def test_a_user_who_names_no_app_is_told_how(har) -> None:
    result = run("import", har)
    assert result.exit_code == 2
    assert "appwitness import capture.har --app com.example.shop" in " ".join(result.output.split())


def test_a_file_without_values_to_look_for_still_says_where_uploads_went(tmp_path, har) -> None:
    done = run("import", har, "--app", "com.example.shop", "--output", tmp_path / "r")
    assert "There is nothing to look for: name what was on the device" in done.output
    said = run("report", tmp_path / "r").output
    assert "Uploads, in which no value was found: " in said
    assert "api.shop.test" in said
    assert "not clean" in said
