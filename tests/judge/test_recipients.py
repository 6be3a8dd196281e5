"""Who a host belongs to, and why; and the table of known recipients."""

import pytest

from appwitness.catalog import yaml_files
from appwitness.judge.policy import Policy
from appwitness.judge.recipients import KnownRecipient, Recipients, RecipientTable
from appwitness.support.errors import FileError

TABLE = yaml_files.parse(next(yaml_files.files("recipients.yml")), RecipientTable)

CASES = [
    # The sample apps
    ("com.example.circle", "api.circle.test", "first"),
    ("com.example.circle", "sync.friendgraph.test", "third"),
    ("com.example.skies", "api.skies.test", "first"),
    ("com.example.skies", "ads.adnet.test", "third"),
    ("com.example.corner", "api.corner.test", "first"),
    ("com.example.pages", "log.pages.test", "first"),
    # Spellings of a host
    ("com.example.circle", "API.Circle.Test.", "first"),
    ("com.example.circle", "api.circle.test:8443", "first"),
    ("com.buecher.app", "xn--bcher-kva.example", "third"),
    ("com.buecher.app", "bücher.example", "third"),
    # The package read backwards, through public suffixes
    ("uk.co.bbc.news", "www.bbc.co.uk", "first"),
    ("uk.co.bbc.news", "other.co.uk", "third"),
    ("cn.com.maker.app", "api.maker.com.cn", "first"),
    ("com.myshop.android", "api.my-shop.com", "first"),
    ("com.my_shop.android", "my-shop.example", "first"),
    ("io.github.someone.tool", "someone.github.io", "first"),
    ("io.github.someone.tool", "api.github.com", "third"),
    # Parts that name nobody
    ("com.maker.app", "app.com", "third"),
    ("com.maker.android", "www.android.com", "third"),
    ("org.maker.x", "x.com", "third"),
    ("com.a.b", "b.com", "third"),
    # A name that only contains the maker's
    ("com.example.circle", "circles.test", "third"),
    ("com.example.circle", "circle.evil.test", "third"),
    ("com.example.circle", "evil-circle.test", "third"),
    # Known recipients; the maker's own apps
    ("com.example.shop", "ulogs.umeng.com", "third"),
    ("com.example.umeng", "ulogs.umeng.com", "third"),
    ("com.example.shop", "notumeng.com", "third"),
    ("com.baidu.BaiduMap", "api.map.baidu.com", "first"),
    ("com.facebook.katana", "graph.facebook.com", "first"),
    ("com.google.android.youtube", "youtubei.googleapis.com", "first"),
    ("com.tencent.mm", "android.bugly.qq.com", "first"),
    ("com.example.shop", "graph.facebook.com", "third"),
    # Platforms that host for others
    ("com.example.shop", "bucket.oss-cn-hangzhou.aliyuncs.com", "unknown"),
    ("com.example.shop", "d111.cloudfront.net", "unknown"),
    ("com.example.shop", "firestore.googleapis.com", "unknown"),
    ("com.example.shop", "somebody.github.io", "unknown"),
    ("com.example.shop", "shop.github.io", "first"),
    # Addresses and local names
    ("com.example.shop", "203.0.113.9", "unknown"),
    ("com.example.shop", "[2001:db8::1]:443", "unknown"),
    ("com.example.shop", "192.168.1.20", "unknown"),
    ("com.example.shop", "router", "unknown"),
    ("com.example.shop", "shop.local", "unknown"),
    ("com.example.shop", "co.uk", "unknown"),
    ("com.example.shop", "", "unknown"),
    ("com.example.shop", "127.0.0.1", "first"),
    ("com.example.shop", "127.8.9.1:80", "first"),
    ("com.example.shop", "[::1]", "first"),
    ("com.example.shop", "::ffff:127.0.0.1", "first"),
    ("com.example.shop", "localhost", "first"),
]


@pytest.mark.parametrize(("package", "host", "party"), CASES)
def test_the_party(package, host, party):
    answer = Recipients(TABLE, package).of(host)
    assert answer.party == party, answer.reason
    assert answer.reason


@pytest.mark.parametrize(
    ("declared", "host", "party"),
    [
        ("maker.example", "api.maker.example", "first"),
        ("maker.example", "maker.example", "first"),
        ("*.Maker.example", "api.maker.example", "first"),
        ("api.maker.example", "www.maker.example", "third"),
        ("maker.example", "notmaker.example", "third"),
        ("umeng.com", "ulogs.umeng.com", "first"),
        ("203.0.113.9", "203.0.113.9:8080", "first"),
        ("", "www.maker.example", "third"),
    ],
)
def test_what_the_tester_declares_goes_before_all_else(declared, host, party):
    assert Recipients(TABLE, "com.other.shop", [declared]).of(host).party == party


@pytest.mark.parametrize(
    ("host", "name", "country"),
    [
        ("ulogs.umeng.com", "友盟 Umeng", "CN"),
        ("android.bugly.qq.com", "腾讯 Bugly", "CN"),
        ("www.qq.com", "腾讯 Tencent", "CN"),
        ("api.map.baidu.com", "百度地图 Baidu Map", "CN"),
        ("hm.baidu.com", "百度 Baidu", "CN"),
        ("app-measurement.com", "Google Analytics for Firebase", "US"),
        ("app.adjust.com", "Adjust", "DE"),
        ("nobody.example", None, None),
    ],
)
def test_the_longest_known_domain_names_the_recipient(host, name, country):
    answer = Recipients(TABLE, "com.other.shop").of(host)
    assert (answer.name, answer.country) == (name, country)


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        ("com.umeng.commonsdk.UMConfigure.init(UMConfigure.java:3)", "友盟 Umeng"),
        ("com.tencent.bugly.crashreport.CrashReport.a(SourceFile:1)", "腾讯 Bugly"),
        ("com.adnet.sdk.Bidder.locate(Bidder.java:9)", "AdNet"),
        ("com.umengine.Car.drive(Car.java:1)", None),
        ("java.lang.Thread.run(Thread.java:1012)", None),
    ],
)
def test_whose_code_a_frame_is(frame, name):
    known = TABLE.of_frame(frame)
    assert (known and known.name) == name


def test_a_domain_and_a_prefix_belong_to_one_recipient_only():
    known = (*TABLE.recipients, *TABLE.lab)
    for values in ([host for each in known for host in each.hosts], [code for each in known for code in each.code]):
        assert sorted({value for value in values if values.count(value) > 1}) == []
    names = [each.name for each in known]
    assert len(names) == len(set(names))


def test_a_hosted_recipient_has_no_code_of_its_own():
    assert [each.name for each in TABLE.recipients if each.role == "hosting" and each.code] == []


@pytest.mark.parametrize(
    ("entry", "line", "says"),
    [
        ("  - {name: X, role: spying, hosts: [x.example]}", 3, "role"),
        ("  - {name: X, role: ads, hosts: ['https://x.example/']}", 3, "hosts"),
        ("  - {name: X, role: ads, host: [x.example]}", 3, "host"),
        ("  - name: X\n    role: ads\n    country: China", 5, "country"),
    ],
)
def test_a_broken_entry_is_an_error_with_its_line(tmp_path, entry, line, says):
    path = tmp_path / "recipients.yml"
    path.write_text(f"recipients:\n  - {{name: Fine, role: ads, hosts: [fine.example]}}\n{entry}\n")
    with pytest.raises(FileError, match=says) as error:
        yaml_files.parse(path, RecipientTable)
    assert error.value.line == line


def test_an_answer_is_the_same_when_asked_again():
    recipients = Recipients(
        RecipientTable(recipients=(KnownRecipient(name="X", role="ads", hosts=("x.example",)),)), "com.a.shop"
    )
    assert recipients.of("www.x.example") is recipients.of("www.x.example")


COUNTRIES = [
    # host, address of the server, country, basis
    ("ulogs.umeng.com", "8.8.8.8", "CN", "company"),
    ("graph.facebook.com", None, "US", "company"),
    ("api.elsewhere.test", "223.5.5.5", "CN", "address_block"),
    ("api.elsewhere.test", "2400:3200::1", "CN", "address_block"),
    ("api.elsewhere.test", "::ffff:223.5.5.5", "CN", "address_block"),
    ("223.5.5.5", None, "CN", "address_block"),
    ("api.elsewhere.test", None, None, None),
    ("api.elsewhere.test", "127.0.0.1", None, None),
    ("api.elsewhere.test", "192.168.1.20", None, None),
    ("api.elsewhere.test", "203.0.113.9", None, None),
    ("api.elsewhere.test", "not an address", None, None),
    ("localhost", "8.8.8.8", None, None),
    # A platform's seat says nothing of the customer who receives.
    ("d111.cloudfront.net", None, None, None),
    ("bucket.s3.cn-north-1.amazonaws.com.cn", "52.80.0.1", "CN", "address_block"),
]


@pytest.mark.parametrize(("host", "address", "country", "basis"), COUNTRIES)
def test_a_country_is_said_with_its_basis_or_not_at_all(host, address, country, basis):
    found = Recipients(TABLE, "com.example.shop", addresses_as_of="2026-10-27").of(host, address)
    assert (found.country, found.country_basis) == (country, basis)
    dates = {"company": str(TABLE.as_of), "address_block": "2026-10-27"}
    assert found.country_as_of == dates.get(basis)


def test_what_the_policy_says_of_a_recipient_goes_first():
    policy = Policy.model_validate(
        {
            "recipients": [
                {"name": "Ours", "hosts": ["umeng.com"], "party": "first", "country": "DE", "data": ["oaid"]},
                {"name": "Elsewhere", "hosts": ["elsewhere.test"], "data": ["oaid"]},
            ]
        }
    )
    recipients = Recipients(TABLE, "com.example.shop", declared=policy.recipient)
    found = recipients.of("ulogs.umeng.com", "8.8.8.8")
    assert (found.party, found.country, found.country_basis, found.country_as_of) == ("first", "DE", "declared", None)
    found = recipients.of("api.elsewhere.test", "223.5.5.5")
    assert (found.name, found.party, found.country_basis) == ("Elsewhere", "third", "address_block")
    assert recipients.of("graph.facebook.com").party == "third"
