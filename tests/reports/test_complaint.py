"""The letter: what it must contain under each law in each language, that foreign text stays text, and its templates."""

import re

import pytest
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from appwitness.findings import Recipient, Seal
from appwitness.reports import LETTERS, render
from appwitness.reports.complaint import LAWS
from appwitness.support.errors import FileError, UserError
from tests.reports import sample

BLANK = {"en": "[TO FILL IN: ", "zh": "【待填写："}
SEAL = Seal(
    outcome="intact",
    ok=True,
    stamps=7,
    digest=sample.sha("seal"),
    at=sample.at(34.2),
    files={"accesses.jsonl": (5, sample.sha("accesses")), "gaps.jsonl": (0, sample.sha(""))},
)
ALTERED = SEAL.model_copy(
    update={"outcome": "altered", "ok": False, "difference": "accesses.jsonl:17", "how": "differs"}
)
NEVER = Seal(outcome="never_stamped", ok=False, stamps=0, files={})
CASES = [(law, lang) for law in LAWS for lang in ("en", "zh")]


def parsed(page):
    return lxml_html.document_fromstring(page)


def letter(law="eu", lang="en", format_="complaint", **changes):
    return render(sample.report(**{"laws": (law,), "verified": SEAL} | changes), format_, lang=lang)


@pytest.mark.parametrize(("law", "lang"), CASES)
def test_it_has_the_facts_the_evidence_and_who_made_it(law, lang):
    text = letter(law, lang)
    run = sample.run()
    for part in (
        run.app.package, "3.14.2", "31402", run.app.apk_sha256, run.app.certificate_sha256, run.id,
        run.device.serial, "Android 13", "frida", "17.26.2", "+250.0",
        SEAL.digest, sample.sha("accesses"), sample.sha(sample.Sample().people),
        "api.circle.test", "sync.friendgraph.test", "android.content.ContentResolver.query",
        "com.example.circle.contacts.AddressBook.all", "pinned.bank.example",
    ):  # fmt: skip
        assert part in text, part
    for finding in sample.report().findings:
        assert finding.title[lang] in text
        assert finding.detail[lang] in text
        assert f"`{finding.rule}`" in text
        for ref in finding.evidence:
            assert f"`{ref}`" in text


@pytest.mark.parametrize(("law", "lang"), CASES)
def test_nothing_personal_is_in_it_unless_revealed(law, lang):
    text = letter(law, lang)
    assert not [value for value in sample.secrets(sample.report()) if value in text]
    assert "+8613912345678" in render(sample.report(laws=(law,)), "complaint", lang=lang, reveal=True)


@pytest.mark.parametrize(("law", "lang"), CASES)
def test_only_the_articles_of_its_law_and_those_to_be_checked_marked(law, lang):
    text = letter(law, lang)
    for article in sample.ARTICLES:
        assert (article.citation[lang] in text) == (article.jurisdiction == law)
    mark = {"en": "(check before citing)", "zh": "（引用前请核对）"}[lang]
    assert text.count(mark) == 1
    assert {"en": "no. 1, 2 in the table", "zh": "第 1、2 项"}[lang] in text


@pytest.mark.parametrize(("law", "lang"), CASES)
def test_what_the_complainant_must_fill_in_is_marked(law, lang):
    text = letter(law, lang)
    blanks = re.findall(r"\*\*(?:\[TO FILL IN: |【待填写：)(.+?)[\]】]\*\*", text)
    assert len(blanks) >= 8
    assert text.count(BLANK[lang]) == len(blanks)
    wanted = {
        "en": ("name", "date", "store", "requests", "signature"),
        "zh": ("姓名", "签名", "应用商店", "请求", "电话"),
    }[lang]
    for part in wanted:
        assert any(part in blank for blank in blanks), part


@pytest.mark.parametrize(
    ("law", "lang", "parts"),
    [
        ("cn", "zh", ("履行个人信息保护职责的部门", "12377", "12321", "第六十五条", "投诉举报人", "此致", "北京时间")),
        ("cn", "en", ("12377", "12321", "art. 65", "Beijing time")),
        ("eu", "en", ("Article 77(1) GDPR", "supervisory authority", "controller", "Article 58(2)", "UTC")),
        ("eu", "zh", ("GDPR 第 77 条", "监管机构", "控制者")),
    ],
)  # fmt: skip
def test_it_is_addressed_as_the_law_says(law, lang, parts):
    text = letter(law, lang)
    for part in parts:
        assert part in text, part


@pytest.mark.parametrize(("law", "lang"), CASES)
def test_it_says_what_was_observed_and_does_not_judge(law, lang):
    text = letter(law, lang)
    observed = {"en": "No consent event was observed before this moment", "zh": "此前未观测到任何同意事件"}[lang]
    assert observed in text
    assert not re.search(r"\billegal|unlawful", text, re.IGNORECASE)
    # the one place where the word stands says that no such conclusion is drawn; the other is an authority's name
    without = text.replace("不对其是否违法作出结论", "").replace("违法和不良信息举报中心", "")
    assert "违法" not in without


def test_times_are_those_of_the_law():
    assert "2026-03-14 09:20:02.600" in letter("cn", "zh")
    assert "2026-03-14 01:20:02.600" in letter("eu", "en")


@pytest.mark.parametrize(
    ("seal", "lang", "says"),
    [
        (None, "en", "have not been checked"),
        (ALTERED, "en", "NOT what was stamped (the first difference: `accesses.jsonl:17`)"),
        (NEVER, "en", "never stamped"),
        (NEVER, "zh", "从未封存"),
        (SEAL.model_copy(update={"outcome": "intact_up_to", "late": 3}), "en", "3 lines came after the last stamp"),
        (SEAL, "en", "stamps: 7"),
        (SEAL, "zh", "共 7 次"),
        (ALTERED, "zh", "不宜直接作为证据提交"),
    ],
)
def test_the_state_of_the_seal_is_said(seal, lang, says):
    assert says in letter("eu", lang, verified=seal)


def test_a_lab_run_is_never_passed_off_as_a_phone():
    run = sample.run()
    lab = run.model_copy(update={"device": run.device.model_copy(update={"kind": "lab"})})
    assert "not on a real phone" in letter(run=lab)
    assert "并非真实手机" in letter("cn", "zh", run=lab)


def test_what_is_unknown_is_a_blank_and_not_made_up():
    run = sample.run()
    bare = run.model_copy(
        update={"app": run.app.model_copy(update={"version": None, "apk_sha256": None}), "operator": None}
    )
    text = letter(run=bare)
    assert "[TO FILL IN: version]" in text
    assert "APK, SHA-256 | not recorded" in text
    assert "[TO FILL IN: who operated the device]" in text


@pytest.mark.parametrize(
    ("laws", "lang", "title"),
    [
        ((), "zh", "投诉举报书"),
        ((), "en", "Article 77(1) GDPR"),
        (("cn", "eu"), "zh", "投诉举报书"),
        (("cn", "eu"), "en", "Article 77(1) GDPR"),
        (("us", "cn"), "en", "Complaint and report on how the app"),
    ],
)
def test_which_law_it_is_under(laws, lang, title):
    assert title in render(sample.report(laws=laws), "complaint", lang=lang).splitlines()[0]


def test_a_law_without_a_letter_is_the_users_error():
    with pytest.raises(UserError, match="--law cn or eu"):
        render(sample.report(laws=("us",)), "complaint")


@pytest.mark.parametrize("format_", LETTERS)
def test_nothing_found_is_nothing_to_complain_of(format_):
    only_info = sample.report().findings[0].model_copy(update={"level": "info"})
    for report in (sample.clean(), sample.report(findings=(only_info,))):
        with pytest.raises(UserError, match="nothing to complain about"):
            render(report, format_)


def test_the_page_says_the_same_as_the_letter_and_marks_the_blanks():
    tree = parsed(letter(format_="complaint-html"))
    marks = [mark.text_content() for mark in tree.iter("mark")]
    assert len(marks) == letter().count("[TO FILL IN: ")
    assert all(mark.startswith("[TO FILL IN: ") for mark in marks)
    body = MarkdownIt("commonmark").enable("table").render(letter())
    said = "".join(parsed(f"<div>{body}</div>").text_content().split())
    assert said in "".join(tree.text_content().split())
    assert len(list(tree.iter("h1"))) == 1


OWN = """{% import "complaint/parts.en.md" as parts with context %}
# Our form {{ letter.run.app.package }}
{% for fact in letter.facts %}
{{ fact.number }}. {{ fact.title }} {{ fact.recipient }}
{% endfor %}
{{ parts.blank("stamp") }}
"""


def test_a_template_of_the_users_own(tmp_path):
    file = tmp_path / "own.md"
    file.write_text(OWN, "utf-8")
    hostile = Recipient(host="*h*")
    finding = sample.report().findings[0].model_copy(update={"recipient": hostile})
    text = render(sample.report(findings=(finding,), laws=("us",)), "complaint", template=file)
    assert text.splitlines()[0] == "# Our form com.example.circle"
    assert r"\*h\*" in text
    assert "**[TO FILL IN: stamp]**" in text
    page = render(sample.report(laws=("us",)), "complaint-html", template=file)
    assert "<h1>Our form com.example.circle</h1>" in page


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("one\n{% for x in %}\n", r"own\.md:2: "),
        ("{{ letter.nothing }}", r"own\.md: .*nothing"),
        ("{{ ''.__class__.__mro__ }}", r"own\.md: .*unsafe"),
    ],
)
def test_a_template_that_is_none_is_an_error_with_its_line(tmp_path, text, says):
    file = tmp_path / "own.md"
    file.write_text(text, "utf-8")
    with pytest.raises(FileError, match=says):
        render(sample.report(), "complaint", template=file)


def test_a_template_that_cannot_be_used(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        render(sample.report(), "complaint", template=tmp_path / "absent.md")
    with pytest.raises(UserError, match="has no template"):
        render(sample.report(), "html", template=tmp_path / "absent.md")


def test_all_times_of_a_letter_are_in_one_zone():
    finding = (
        sample.report()
        .findings[0]
        .model_copy(update={"detail": {"zh": "于 2026-03-14 01:20:02.600 UTC 发送（uploads.jsonl:2）。"}})
    )
    letter = render(sample.report(laws=("cn",), findings=(finding,)), "complaint", lang="zh")
    assert "2026-03-14 09:20:02.600" in letter.replace("\\", "")
    assert "UTC" not in letter
    assert "2026-03-14 01:20" not in letter.replace("\\", "")
