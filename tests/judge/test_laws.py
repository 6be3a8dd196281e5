"""The law that findings touch: that the catalog is whole, says what the facts say, and is printed as lawyers do."""

import re
from pathlib import Path

import pytest
import yaml

from appwitness.api.reference import law_compared
from appwitness.catalog import yaml_files
from appwitness.judge.data_types import DataTypes
from appwitness.judge.laws import CHECK, Laws
from appwitness.reports.phrases import cited as printed
from appwitness.reports.words import Words
from appwitness.support.errors import FileError

LAWS = yaml_files.parse(yaml_files.HERE / "laws.yml", Laws)
FACTS = yaml.safe_load((Path(__file__).parent / "facts/laws.yml").read_text("utf-8"))
KINDS = [kind.id for kind in LAWS.kinds]
LAW = {law.id: law for law in LAWS.laws}


def cited(law: str, article: str, language: str) -> str:
    named = next(each for each in LAWS.articles(KINDS) if (each.law, each.article) == (law, article))
    return printed(named, Words(language))


def test_the_finding_types_are_those_of_the_issue():
    assert [f"F{number:02}" for number in range(1, 29)] == KINDS
    assert all(kind.en and kind.zh for kind in LAWS.kinds)


@pytest.mark.parametrize("kind", KINDS)
def test_every_finding_type_has_chinese_law_and_other_law_where_the_facts_have_some(kind):
    for jurisdiction in ("cn", *FACTS["jurisdictions"][kind]):
        assert LAWS.articles([kind], [jurisdiction]), jurisdiction


PRINTED = [
    ("CN-CIVIL", "1033(5)", "Civil Code of the PRC, art. 1033(5)", "《中华人民共和国民法典》第一千零三十三条第五项"),
    ("CN-CIVIL", "1038", "Civil Code of the PRC, art. 1038", "《中华人民共和国民法典》第一千零三十八条"),
    (
        "CN-PIPL",
        "13",
        "Personal Information Protection Law of the PRC (PIPL), art. 13",
        "《中华人民共和国个人信息保护法》第十三条",
    ),
    (
        "CN-CSL",
        "43 (was 41)",
        "Cybersecurity Law of the PRC (2025 amendment), art. 43 (was 41)",
        "《中华人民共和国网络安全法》（2025修正）第四十三条（原第四十一条）",
    ),
    (
        "CN-CSL",
        "44 (was 42)",
        "Cybersecurity Law of the PRC (2025 amendment), art. 44 (was 42) (check before citing)",
        "《中华人民共和国网络安全法》（2025修正）第四十四条（原第四十二条）（引用前请核对）",
    ),
    (
        "CN-191",
        "3.1",
        "CAC, MIIT, MPS and SAMR, Method for Identifying Illegal Collection and Use of Personal Information by Apps"
        " (2019 No. 191), item 3.1",
        "《App违法违规收集使用个人信息行为认定方法》（国信办秘字〔2019〕191号）第三条第1项",
    ),
    (
        "CN-MIIT-337",
        "1",
        "MIIT Notice 2019 No. 337 on infringements of user rights by apps, problem 1",
        "《工业和信息化部关于开展APP侵害用户权益专项整治工作的通知》（工信部信管函〔2019〕337号）第1项“私自收集个人信息”",
    ),
    ("EU-GDPR", "5(1)(c)", "GDPR, Art. 5(1)(c)", "欧盟《通用数据保护条例》（GDPR）第五条第一款（c）项"),
    (
        "EU-EPRIVACY",
        "5(3)",
        "ePrivacy Directive 2002/58/EC, Art. 5(3)",
        "欧盟《电子隐私指令》（2002/58/EC）第五条第三款",
    ),
    (
        "US-CA",
        "1798.120",
        "CCPA/CPRA, Cal. Civ. Code § 1798.120",
        "《加州消费者隐私法》（CCPA/CPRA），《加州民法典》第1798.120条",
    ),
    ("MASWE", "MASWE-0078", "OWASP MASWE 1.0.0, MASWE-0078", "OWASP MASWE 1.0.0 MASWE-0078"),
]


@pytest.mark.parametrize(("law", "article", "en", "zh"), PRINTED)
def test_citations_are_printed_as_lawyers_do(law, article, en, zh):
    assert (cited(law, article, "en"), cited(law, article, "zh")) == (en, zh)


def test_articles_come_by_jurisdiction_as_chosen_and_each_once():
    both = LAWS.articles(["F01", "F02"], ["eu", "cn"])
    assert [each.jurisdiction for each in both] == sorted((each.jurisdiction for each in both), reverse=True)
    assert len({(each.law, each.article) for each in both}) == len(both)
    assert all(each in LAWS.articles(["F02", "F01"]) for each in both)
    assert not LAWS.articles([], ["cn"])
    assert not LAWS.articles(["F01"], ["nowhere"])


NAMED = [
    # law, article, type, kind of data, whether a finding names it
    ("CN-191", "6.2", "F05", "location", False),
    ("CN-191", "1.1", "F16", None, False),
    ("CN-MIIT-337", "3", "F27", "installed_apps", False),
    ("CN-MIIT-337", "3", "F09", "oaid", True),
    ("EU-GDPR", "9", "F11", "health", True),
    ("EU-GDPR", "9", "F11", "bank_card", False),
    ("EU-GDPR", "9", "F11", None, True),
    ("PLAY", "Contacts permissions policy", "F05", "device_contacts", True),
    ("PLAY", "Contacts permissions policy", "F05", "oaid", False),
]


@pytest.mark.parametrize(("law", "article", "kind", "data", "named"), NAMED)
def test_a_finding_names_no_article_that_asks_for_more_than_it_shows(law, article, kind, data, named):
    found = [(each.law, each.article) for each in LAWS.articles([kind], data=data)]
    assert ((law, article) in found) is named
    assert (law, article) in [(each.law, each.article) for _, each in LAWS.provisions(kind)]


@pytest.mark.parametrize(("party", "named"), [("third", True), ("first", False), ("unknown", False), (None, True)])
def test_what_speaks_of_third_parties_is_named_of_no_other_recipient(party, named):
    found = LAWS.articles(["F02"], ["cn"], party=party)
    assert (("CN-191", "5.1") in [(each.law, each.article) for each in found]) is named


def test_what_is_named_of_kinds_of_data_exists():
    data_types = yaml_files.parse(yaml_files.HERE / "data_types.yml", DataTypes)
    special = {kind.code for kind in data_types.items if kind.gdpr_art9 not in (False, "possible")}
    for law in LAWS.laws:
        for each in law.articles:
            assert set(each.data or ()) <= data_types.codes
            if (law.id, each.article) == ("EU-GDPR", "9"):
                assert set(each.data or ()) == special


def test_each_language_is_in_its_own_script():
    for _, article in (pair for kind in KINDS for pair in LAWS.provisions(kind)):
        assert not re.search(r"[\u4e00-\u9fff]", article.citation["en"] + article.says["en"]), article
        assert re.search(r"[\u4e00-\u9fff]", article.says["zh"]), article


def test_references_are_one_line_a_law():
    lines = LAWS.references(LAWS.articles(["F02"], ["cn"]))
    assert "个人信息保护法 PIPL art. 10, 13, 69" in lines
    assert f"网络安全法 CSL art. 42 (was 40), 46 (was 44) [{CHECK['en']} {CHECK['zh']}]" in lines
    assert LAWS.references([]) == ()


# The facts, against what the catalog made of them.


MOVED = {
    # One law of the facts is four here, for they are of different bodies.
    "EU-EPRIVACY ePrivacy Directive 5(3)": ("EU-EPRIVACY", "5(3)"),
    "EU-EPRIVACY TDDDG s.25 (TTDSG until 2024-05-13)": ("DE-TDDDG", "25"),
    "EU-EPRIVACY French Data Protection Act art.82": ("FR-FDPA", "82"),
    "EU-EPRIVACY CNIL recommendation on mobile applications": (
        "FR-CNIL",
        "Recommendation on mobile applications (deliberation 2024-061, amended by 2025-024)",
    ),
    "US-CA CCPA/CPRA Cal. Civ. Code 1798.100": ("US-CA", "1798.100"),
    "PLAY Google Play User Data policy": ("PLAY", "User Data policy"),
    "CN-CSL 42 (was 40, new para)": ("CN-CSL", "42 (was 40)"),
}


def provision(law: str, article: str):
    law, article = MOVED.get(f"{law} {article}", (law, article))
    return next((each for each in LAW[law].articles if each.article == article), None)


def test_every_article_of_the_facts_that_bears_on_a_finding_is_there_with_its_types():
    for law, articles in FACTS["articles"].items():
        for article, types in articles.items():
            ours = provision(law, article)
            if set(types) - {"check"}:
                assert ours is not None, article
            if ours is not None:
                assert [*ours.kinds, *["check"] * ours.verify] == types, article


@pytest.mark.parametrize(("law", "count"), [("CN-191", 31), ("CN-MIIT-337", 8), ("CN-MIIT-164", 10)])
def test_items_of_the_notices_are_those_of_the_facts(law, count):
    theirs = {
        item: (row["types"], row["provable"], row.get("check", False), row.get("group"))
        for item, row in FACTS["notices"][law].items()
    }
    ours = {each.article: (list(each.kinds), each.provable, each.verify, each.group) for each in LAW[law].articles}
    assert ours == theirs
    assert len(ours) == count


def test_the_trade_standards_are_those_of_the_facts():
    owasp = FACTS["owasp"]
    assert {each.article: list(each.kinds) for each in LAW["MASWE"].articles} == {
        name: types for name, (_title, *types) in owasp.items() if types
    }
    for law in ("MASVS", "MASWE", "MASTG"):
        for each in LAW[law].articles:
            assert each.says["en"] == owasp[each.article][0].rstrip(".")
    assert "1.0.0" in LAW["MASWE"].name["en"]
    assert "2.1.0" in LAW["MASVS"].name["en"]


def test_each_law_says_what_it_was_compared_with_and_when_or_that_it_was_not():
    for law in LAWS.laws:
        assert law.compared, law.id
        assert law.compared.at is None or law.compared.at <= LAWS.as_of, law.id
        if not law.compared.at:
            assert law.compared.lacks, law.id
            assert all(each.verify for each in law.articles) or law.id == "EU-GDPR", law.id
    told = law_compared(LAW["FR-CNIL"], Words("en"))
    assert "2024-061" in told
    assert "compared on 2026-12-01" in told
    assert "；未核对：" in law_compared(LAW["BR-LGPD"], Words("zh"))


def test_the_deliberations_of_the_cnil_are_the_right_ones():
    (article,) = LAW["FR-CNIL"].articles
    assert "2024-061" in article.article
    assert "2025-024" in article.article
    assert "2024-059" not in Path(yaml_files.HERE / "laws.yml").read_text("utf-8")


def test_the_groups_and_numbers_of_documents_are_those_of_the_facts():
    assert {group.number: group.zh for group in LAW["CN-191"].groups} == FACTS["groups_of_191"]
    for law, number in FACTS["numbers"].items():
        assert number in LAW[law].cites["zh"], law


def test_the_new_number_of_the_cybersecurity_law_is_two_more_than_the_old():
    for each in LAW["CN-CSL"].articles:
        new, old = re.findall(r"\d+", each.article)
        assert int(new) == int(old) + 2


BROKEN = [
    ("kinds: [F99]", "no such finding type: F99"),
    ("jurisdiction: mars", "no such jurisdiction: mars"),
    ("cites: {en: PIPL, zh: 法}", "expected one {}"),
    ("says: {en: only}", "expected a text for each of en and zh"),
    ("group: 7", "no such group: 7"),
    ("beyond: [F02]", "beyond names a finding type that kinds does not"),
    ("unknown: 1", "Extra inputs"),
]


@pytest.mark.parametrize(("change", "said"), BROKEN)
def test_a_broken_file_is_refused_with_what_was_expected(tmp_path, change, said):
    fields = {
        "jurisdiction": "jurisdiction: cn",
        "cites": "cites: {en: 'L {}', zh: '法{}'}",
        "says": "says: {en: a, zh: 甲}",
        "kinds": "kinds: [F01]",
        "group": "",
        "beyond": "",
        "unknown": "",
    }
    fields[change.partition(":")[0]] = change
    path = tmp_path / "laws.yml"
    path.write_text(
        f"""as_of: 2026-01-01
jurisdictions: [{{code: cn, en: China, zh: 中国}}]
kinds: [{{id: F01, code: one, en: One, zh: 一}}]
laws:
  - id: L
    {fields["jurisdiction"]}
    name: {{en: Law, zh: 法}}
    {fields["cites"]}
    short: "L {{}}"
    articles:
      - article: "1"
        {fields["says"]}
        {fields["kinds"]}
        {fields["group"]}
        {fields["beyond"]}
        {fields["unknown"]}
""",
        "utf-8",
    )
    with pytest.raises(FileError, match=re.escape(said)) as refused:
        yaml_files.parse(path, Laws)
    assert f"{path}:" in refused.value.what
