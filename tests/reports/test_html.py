import base64
import hashlib
import itertools
import json
import re
from typing import Any

import pytest
import yaml
from lxml import html as lxml_html

from appwitness.catalog import yaml_files
from appwitness.events import Consent, Screen, Touch, Window
from appwitness.events.seen import see
from appwitness.findings import Seal
from appwitness.recording import Recording
from appwitness.reports import phrases, render
from appwitness.reports import words as words_of
from appwitness.reports.html import TEMPLATES
from appwitness.reports.page import CARDS
from tests.reports import sample

LANGS = ["en", "zh"]
ELEMENTS = """html head meta title style body header main footer section nav article figure figcaption div p span h1 h2
    h3 h4 h5 ul ol li dl dt dd table caption thead tbody tr th td details summary code pre mark small b strong br a time
    img fieldset legend label input svg desc defs pattern g rect circle path text"""
ATTRIBUTES = """lang charset http-equiv content name id class href role tabindex aria-label aria-labelledby aria-hidden
    open scope colspan src alt type checked viewbox preserveaspectratio patternunits x y cx cy r width height rx d"""


def page(report=None, **options):
    return lxml_html.document_fromstring(render(report or sample.report(), "html", **options))


def inert(tree):
    """Nothing of the page but our own elements and attributes; it loads, runs and sends nothing."""
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    assert {element.tag for element in elements} <= set(ELEMENTS.split())
    assert {name.lower() for element in elements for name in element.attrib} <= set(ATTRIBUTES.split())
    assert all(link.startswith("#") for link in tree.xpath("//@href"))
    assert all(link.startswith(("data:image/png;", "data:image/jpeg;")) for link in tree.xpath("//@src"))


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_is_one_file_that_loads_nothing(lang):
    text = render(sample.report(), "html", lang=lang)
    inert(lxml_html.document_fromstring(text))
    assert "url(" not in text.replace("url(#hatch)", "")
    assert "@import" not in text


def test_the_policy_allows_our_style_and_nothing_else():
    tree = page()
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    (style,) = tree.xpath("//style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert (
        policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


FEET = [("20260314-circle", "20260314-circle"), ('x"; } * { color: red', "x?? ? ? ? color: red")]


@pytest.mark.parametrize(("run", "foot"), FEET)
def test_each_sheet_has_the_run_and_its_seal_at_its_foot(run, foot):
    seal = Seal(outcome="intact", ok=True, stamps=1, digest="ab" * 32, files={})
    (style,) = page(sample.report(recording=run, verified=seal)).xpath("//style")
    (content,) = re.findall(r'@bottom-left \{ content: "([^"]*)"; font', style.text)
    assert content == f"{foot}  SHA-256 {'ab' * 32}"


@pytest.mark.parametrize("lang", LANGS)
def test_links_lead_somewhere_and_names_are_given_once(lang):
    tree = page(lang=lang)
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in tree.xpath("//@href")} <= set(ids)
    named = {name for names in tree.xpath("//@aria-labelledby") for name in names.split()}
    assert named <= set(ids)


@pytest.mark.parametrize("lang", LANGS)
def test_a_reader_who_does_not_see_finds_headings_captions_and_a_language(lang):
    tree = page(lang=lang)
    assert tree.get("lang") == {"en": "en", "zh": "zh-CN"}[lang]
    levels = [int(element.tag[1]) for element in tree.iter("h1", "h2", "h3", "h4", "h5")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(table.find("caption") is not None for table in tree.iter("table"))
    assert all(cell.get("scope") for cell in tree.iter("th"))
    assert tree.xpath("//svg[@role='group']/title")
    assert tree.xpath("//svg[@role='group']/desc")


def cards(tree):
    return tree.xpath("//article[starts-with(@id, 'card-')]")


def test_the_evidence_of_a_card_has_a_timeline_of_its_own_lines():
    report = sample.report()
    tree = page(report)
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    for card in cards(tree):
        drawn = card.xpath(".//details[contains(@class, 'evidence')]//svg")
        sent = [mark.text_content() for each in drawn for mark in each.xpath(".//*[contains(@class, 'mark sent')]/..")]
        title = " ".join(card.find(".//h3").text_content().split())
        assert bool(drawn) == bool(card.xpath(".//p[@class='moment']")), title
        assert bool(sent) == bool(drawn), title
        assert all(title.rpartition("→ ")[2] in text for text in sent), (title, sent)


def test_a_card_is_one_kind_of_data_at_one_recipient_with_every_rule_that_objects():
    found = cards(page())
    titles = [" ".join(card.find(".//h3").text_content().split()) for card in found]
    assert titles[0] == "high address book → api.circle.test"
    assert len(titles) == len(set(titles)) == 7
    assert {tag.text for tag in found[0].xpath(".//a[contains(@class, 'tag')]")} == {
        "Other people's contact data was uploaded",
        "Personal data was sent after the user refused",
        "Personal data was sent before consent",
    }
    assert (
        "Data of 12 of 12 people in the address book (names of 12, one number each) went to api.circle.test, "
        "2.4 s before the user was asked" in found[0].text_content()
    )


def test_the_evidence_has_both_stacks_the_decoding_the_found_bytes_and_consent():
    article = cards(page())[0]
    text = " ".join(article.text_content().split())
    for part in (
        "Where it was read", "com.example.circle.contacts.AddressBook.all", "AddressBook.java:48", "accesses.jsonl:2",
        "Where it was sent", "com.example.circle.net.SyncClient.post", "SyncClient.java:112", "uploads.jsonl:2",
        "connections.jsonl:2", "$.people[0].phone_sha256", "sha256 of e164", "+86139****5678",
        "no question seen yet, the first question to the user was observed 2.4 s after the upload (consents.jsonl:1)",
        "Data of 12 of 12 people in the address book (names of 12, one number each)", "1 more upload of the same",
    ):  # fmt: skip
        assert part in text
    (first, *_) = article.xpath(".//section[@class='side read']//ol")
    assert first.text_content().split()[0] == "com.example.circle.contacts.AddressBook.all"
    assert not any(frame.text.startswith(("android.", "java.")) for frame in first.iter("code"))
    assert "android.app.ActivityThread.main" in text
    assert article.xpath(".//mark")[0].text == "诸*"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, None),
        ({"stack_cut": "long"}, "The outermost frames were not recorded."),
        ({"stack_cut": "thinned", "stack": ()}, "no stack was recorded"),
    ],
)
def test_a_stack_that_is_not_whole_says_so(changes, says):
    base = sample.report()
    events = {**base.evidence, "accesses.jsonl:2": base.evidence["accesses.jsonl:2"].model_copy(update=changes)}
    text = page(base.model_copy(update={"evidence": events})).text_content()
    for each in ("The outermost frames were not recorded.", "no stack was recorded"):
        assert (each in text) == (each == says)


def test_a_value_that_nobody_was_seen_to_read_is_said_to_be_planted():
    assert "f6" in page().text_content()
    finding = sample.report().findings[3].model_copy(update={"flows": ("f6",)})
    assert "one of the values planted on the device" in page(sample.report(findings=(finding,))).text_content()


def test_checking_by_hand_gives_commands_over_the_recordings_own_files():
    commands = [code.text for code in page().xpath("//div[@id='hand']//code")]
    body = sample.Sample().uploads["uploads.jsonl:2"].body
    assert commands == [
        "appwitness verify .",
        "sed -n 2p accesses.jsonl",
        "sed -n 1p consents.jsonl",
        "sed -n 2p uploads.jsonl",
        f"sha256sum bodies/{body}",
    ]


def test_a_reference_that_is_none_is_not_offered_as_a_command():
    report = sample.report()
    flow = report.flows[0].model_copy(update={"upload": "uploads.jsonl:2; rm -rf ~", "access": "$(id).jsonl:1"})
    tree = page(sample.report(flows=(flow,)))
    assert not any("rm -rf" in code.text or "$(id)" in code.text for code in tree.xpath("//div[@id='hand']//code"))


def test_the_rules_that_found_nothing_are_named_too():
    text = page().text_content()
    assert "read-after-refusal" in text
    assert "no objection" in text


def many(count):
    base = sample.report()
    flows = tuple(base.flows[0].model_copy(update={"id": f"f{number}"}) for number in range(1, count + 1))
    names = tuple(flow.id for flow in flows)
    findings = (
        base.findings[0].model_copy(update={"flows": names, "count": count}),
        *(base.findings[4].model_copy(update={"flows": (name,)}) for name in names[:200]),
    )
    return sample.report(flows=flows, findings=findings)


def test_many_flows_stay_a_page():
    small, large = (render(many(count), "html") for count in (500, 1500))
    assert len(large) < 3_000_000
    assert len(large) < len(small) * 1.1
    tree: Any = lxml_html.document_fromstring(small)
    assert not tree.xpath("//details[@class='more evidence'][@open]")
    assert "are in the JSON report" in tree.text_content()


def colours(css, dark):
    root = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[1 if dark else 0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", root))


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(dark):
    """WCAG AA: 4.5 to 1."""
    table = colours((TEMPLATES / "report.css").read_text("utf-8"), dark)
    pairs = [
        (ink, ground)
        for ink in ("ink", "soft", "link", "read", "sent")
        for ground in ("paper", "ground", "stripe", "code")
    ]
    pairs += [(name, f"{name}-soft") for name in ("high", "medium", "low", "info", "good")]
    pairs += [(name, "paper") for name in ("high", "medium", "low", "info", "good")]
    pairs += [("ink", f"{name}-soft") for name in ("high", "medium", "low", "info", "good")]
    pairs += [("mark-ink", "mark")]
    for ink, ground in pairs:
        light, deep = sorted((luminance(table[ink]), luminance(table[ground])), reverse=True)
        assert (light + 0.05) / (deep + 0.05) >= 4.5, (ink, ground)


def test_many_findings_stand_by_recipient_a_page_at_a_time_with_filters():
    base = sample.report()
    table = yaml.safe_load((yaml_files.HERE / "data_types.yml").read_text("utf-8"))
    kinds = [item["code"] for item in table["items"]][:60]
    flows, findings = [], []
    for number in range(300):
        host = f"h{number // 60}.example.test"
        recipient = base.flows[0].recipient.model_copy(update={"host": host})
        flow = base.flows[0].model_copy(
            update={"id": f"f{number}", "data": kinds[number % 60], "recipient": recipient, "matches": ()}
        )
        flows.append(flow)
        findings.append(
            base.findings[4].model_copy(update={"flows": (flow.id,), "data": flow.data, "recipient": recipient})
        )
    tree = page(sample.report(flows=tuple(flows), findings=tuple(findings)))
    shelves = tree.xpath("//details[@class='shelf']")
    assert [shelf.find("summary/b").text for shelf in shelves] == [f"h{n}.example.test" for n in range(5)]
    assert [each.text_content() for each in shelves[0].xpath("./details/summary")] == ["1–25", "26–50", "51–60"]
    assert len(cards(tree)) == 300
    assert {each.get("id") for each in tree.iter("input")} == {
        "level-all", "level-high", "state-all", "state-not_shown",
    }  # fmt: skip


def test_a_line_that_was_corrected_or_taken_back_says_so():
    base = sample.report()
    (ref, _, _, old), *_ = base.consents
    assert isinstance(old, Consent)
    right = Consent(at=old.at, signal="operator", status="refused", by="operator", corrects=ref)
    back = right.model_copy(update={"corrects": None, "retracts": "consents.jsonl:90"})
    added = (see("consents.jsonl:90", right, 0), see("consents.jsonl:91", back, 0))
    replaced = {ref: ("consents.jsonl:90",), "consents.jsonl:90": ("consents.jsonl:91",)}
    tree = page(base.model_copy(update={"consents": (*base.consents, *added), "replaced": replaced}))
    rows = [row.text_content() for row in tree.xpath("//div[@id='consents']//tbody/tr")]
    assert "no longer counts: consents.jsonl:90" in rows[0]
    assert f"in place of {ref} · no longer counts: consents.jsonl:91" in rows[-2]
    assert "taken back" in rows[-1]
    assert "retracts consents.jsonl:90" in rows[-1]
    shown = "".join(tree.xpath("//svg//text()"))
    assert "consents.jsonl:3" in shown
    assert "consents.jsonl:91" not in shown


def test_the_lines_of_a_finding_stand_once_on_a_page_and_no_more_than_it_can_hold():
    base = sample.report()
    refs = tuple(f"accesses.jsonl:{2 * line}" for line in range(1, 6001))
    flows = tuple(
        base.flows[0].model_copy(
            update={"id": f"f{n}", "recipient": base.flows[0].recipient.model_copy(update={"host": f"h{n}.test"})}
        )
        for n in range(40)
    )
    finding = base.findings[0].model_copy(
        update={"evidence": refs[:20], "all_evidence": refs, "flows": tuple(each.id for each in flows)}
    )
    text = render(sample.report(flows=flows, findings=(finding,)), "html")
    assert text.count("accesses.jsonl:4000<") <= 1
    assert text.count(">accesses.jsonl:400<") == 1
    assert text.count("5,600 more lines are in the JSON report") == 1
    tree: Any = lxml_html.fromstring(text)
    links = {each.get("href") for each in tree.xpath("//a[contains(., 'lines of evidence are listed further up')]")}
    assert links == {f"#{tree.xpath('//article')[0].get('id')}"}


def test_all_evidence_is_folded_on_the_page_with_neighbours_as_one():
    refs = (*(f"accesses.jsonl:{line}" for line in (7, *range(17, 37))), "uploads.jsonl:3", "uploads.jsonl:5")
    finding = sample.report().findings[0].model_copy(update={"evidence": refs[:20], "all_evidence": refs})
    tree = page(sample.report(findings=(finding,)))
    (folded,) = tree.xpath("//article//details[contains(summary, 'lines of evidence')]")
    assert "All 23 lines" in folded.text_content()
    assert [code.text for code in folded.xpath(".//code")] == [
        "accesses.jsonl:7",
        "accesses.jsonl:17-36",
        "uploads.jsonl:3",
        "uploads.jsonl:5",
    ]


def test_a_finding_on_reads_stands_with_what_carried_them():
    sent = next(each for each in sample.report().findings if each.flows and "accesses.jsonl:2" in each.evidence)
    read = sent.model_copy(update={"rule": "read-before-consent", "recipient": None})
    article = cards(page(sample.report(findings=(read,))))[0]
    assert article.xpath(f".//p[@id='{sent.flows[0]}']")
    alone = read.model_copy(update={"flows": ()})
    article = cards(page(sample.report(findings=(alone,), flows=())))[0]
    assert "Evidence: reads" in article.text_content()


def ours():
    """What we say in English where Chinese says it otherwise: words and reasons, in pieces between their blanks."""
    texts = [text for text in words_of.text_table().values() if text["en"] != text["zh"]]
    texts += phrases.text_table()["sentences"].values()
    for text in texts:
        yield from (piece.strip(" .,;:()") for piece in re.split(r"\{\w+\}", text["en"]))


@pytest.mark.parametrize("format_", ["html", "complaint-html"])
def test_a_chinese_page_has_nothing_of_ours_in_english(format_):
    tree: Any = lxml_html.document_fromstring(render(sample.report(laws=("cn",)), format_, lang="zh"))
    for quoted in tree.xpath("//style | //code | //pre | //*[@lang='en'] | //div[@class='window']"):
        quoted.text = ""
        for child in list(quoted):
            quoted.remove(child)
    shown = " ".join([*tree.itertext(), *tree.xpath("//@aria-label | //@alt")])
    pieces = {piece for piece in ours() if len(piece) >= 5}
    assert len(pieces) > 300
    left = [piece for piece in pieces if re.search(rf"(?<![\w./:-]){re.escape(piece)}(?![\w./:-])", shown)]
    assert set(left) <= {"Android", "Circle"}


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
)


@pytest.mark.parametrize(
    ("image", "reveal", "shown"),
    [(PNG, True, True), (PNG, False, False), (b"<svg onload='alert(1)'/>", True, False), (PNG * 9000, True, False)],
    ids=["revealed", "masked", "no picture", "too large"],
)
def test_a_picture_of_the_question_is_shown_where_values_are_and_it_is_one(tmp_path, image, reveal, shown):
    digest = hashlib.sha256(image).hexdigest()
    recording = Recording.create(tmp_path / "r", sample.run())
    (tmp_path / "r/bodies" / digest).write_bytes(image)
    window = Window(texts=("Privacy policy", f"Your number is {sample.OWN.text}"), labels=("Agree", "Disagree"))
    look = Screen(at=sample.at(5), what="look", windows=(window,), image=digest, why="consent", by="host")
    touch = Screen(
        at=sample.at(6),
        what="touch",
        windows=(window,),
        touched=Touch(label="Disagree", by="user"),
        why="change",
        by="host",
    )
    screens = tuple(see(f"screens.jsonl:{number}", each, 0) for number, each in enumerate((look, touch), 1))
    tree = page(sample.report(screens=screens, path=str(recording.path)), reveal=reveal)
    inert(tree)
    assert bool(tree.xpath("//figure[@class='dialog']//img")) == shown
    if not shown:
        (dialog,) = tree.xpath("//figure[@class='dialog']")
        assert f"bodies/{digest}" in dialog.text_content()
        assert (sample.OWN.text in dialog.text_content()) == reveal
        assert dialog.xpath(".//span[@class='button touched']/text()")[0].strip() == "Disagree"


def test_of_more_recipients_than_a_page_has_room_for_it_says_how_many_are_left_out():
    """Cards are bounded, counts are whole, and the JSON report has all."""
    one = next(finding for finding in sample.report().findings if finding.recipient)
    assert one.recipient
    many = tuple(
        one.model_copy(
            update={
                "id": f"v2:{number:012x}",
                "flows": (),
                "recipient": one.recipient.model_copy(update={"host": f"h{number}.test"}),
            }
        )
        for number in range(CARDS + 7)
    )
    report = sample.report(findings=many, flows=())
    text = render(report, "html")
    assert "7 more are in the JSON report." in text
    assert len(text.encode()) < 5_000_000
    assert json.loads(render(report, "json"))["findings"][-1]["id"] == many[-1].id
