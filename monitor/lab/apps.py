"""The sample apps of the lab device (their manifests) and the persona planted on it."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.events import Value


@dataclass(frozen=True)
class LabApp:
    """One sample app: what its manifest says, and the hosts that it talks to."""

    name: str
    """As on the command line: `lab:circle`."""
    package: str
    title: str
    """Label of the launcher, and what kind of app it is."""
    version: str
    version_code: int
    app_type: int
    """Number in the necessary-scope table (catalog/app_types.yml)."""
    hosts: tuple[str, ...]
    """Hosts that it sends to, its own first."""
    requested: tuple[str, ...]
    """Permissions that the manifest asks for."""
    granted: tuple[str, ...]
    """Those that the user granted at an earlier time; the system asks for the others when the app does."""
    providers: tuple[str, ...] = ()
    """Content providers, brought up before the application's own code."""
    boot: str = ""
    """Receiver that is woken when the device starts, before the user opens the app."""
    then: tuple[str, ...] = ()
    """What the user does in the end, under any plan: `home`, `power`."""
    pins: str = ""
    """File of the app that has the one certificate authority it trusts, that of its servers; none: the device's."""
    preferences: tuple[tuple[str, str], ...] = ()
    """What an earlier run left in the app's preferences, as `file.key` and value; none: a fresh install."""

    @property
    def application(self) -> str:
        """Class of the application."""
        return f"{self.package}.{self.name.capitalize()}Application"

    @property
    def activity(self) -> str:
        """Class of the activity that the launcher starts."""
        return f"{self.package}.MainActivity"


APPS: dict[str, LabApp] = {
    app.name: app
    for app in (
        LabApp(
            name="circle",
            package="com.example.circle",
            title="Circle (social network)",
            version="4.2.0",
            version_code=420,
            app_type=4,
            hosts=("api.circle.test", "sync.friendgraph.test"),
            requested=("android.permission.INTERNET", "android.permission.READ_CONTACTS"),
            granted=("android.permission.INTERNET", "android.permission.READ_CONTACTS"),
            providers=("com.friendgraph.sdk.FriendGraphInitProvider",),
        ),
        LabApp(
            name="skies",
            package="com.example.skies",
            title="Skies (weather)",
            version="2.0.1",
            version_code=201,
            app_type=38,
            hosts=("api.skies.test", "ads.adnet.test"),
            requested=("android.permission.INTERNET", "android.permission.ACCESS_FINE_LOCATION"),
            granted=("android.permission.INTERNET", "android.permission.ACCESS_FINE_LOCATION"),
        ),
        LabApp(
            name="corner",
            package="com.example.corner",
            title="Corner (shop)",
            version="1.3.0",
            version_code=13,
            app_type=6,
            hosts=("api.corner.test",),
            requested=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
            granted=("android.permission.INTERNET",),
        ),
        LabApp(
            name="pages",
            package="com.example.pages",
            title="Pages (reading)",
            version="9.1.0",
            version_code=9100,
            app_type=35,
            hosts=("log.pages.test",),
            requested=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
            granted=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
        ),
        LabApp(
            name="coupon",
            package="com.example.coupon",
            title="Coupon (deals)",
            version="3.5.1",
            version_code=351,
            app_type=6,
            hosts=("api.coupon.test",),
            requested=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
            granted=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
        ),
        LabApp(
            name="jogger",
            package="com.example.jogger",
            title="Jogger (running)",
            version="5.1.0",
            version_code=510,
            app_type=31,
            hosts=("api.jogger.test",),
            requested=("android.permission.INTERNET", "android.permission.ACCESS_FINE_LOCATION"),
            granted=("android.permission.INTERNET", "android.permission.ACCESS_FINE_LOCATION"),
            then=("home", "power"),
        ),
        LabApp(
            name="radio",
            package="com.example.radio",
            title="Radio (music)",
            version="1.8.2",
            version_code=18,
            app_type=28,
            hosts=("api.radio.test",),
            requested=("android.permission.INTERNET", "android.permission.RECEIVE_BOOT_COMPLETED"),
            granted=("android.permission.INTERNET", "android.permission.RECEIVE_BOOT_COMPLETED"),
            boot="com.pushline.sdk.BootReceiver",
        ),
        LabApp(
            name="gems",
            package="com.example.gems",
            title="Gems (puzzle game)",
            version="12.0.0",
            version_code=1200,
            app_type=18,
            hosts=("api.gems.test", "ads.adnet.test"),
            requested=("android.permission.INTERNET", "com.google.android.gms.permission.AD_ID"),
            granted=("android.permission.INTERNET", "com.google.android.gms.permission.AD_ID"),
        ),
        LabApp(
            name="parley",
            package="com.example.parley",
            title="Parley (messenger)",
            version="6.3.0",
            version_code=630,
            app_type=3,
            hosts=("api.parley.test",),
            requested=(
                "android.permission.INTERNET",
                "android.permission.READ_PHONE_NUMBERS",
                "android.permission.READ_CONTACTS",
            ),
            granted=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
        ),
        LabApp(
            name="lanes",
            package="com.example.lanes",
            title="Lanes (maps and navigation)",
            version="2.2.0",
            version_code=22,
            app_type=1,
            hosts=("api.lanes.test",),
            requested=("android.permission.INTERNET", "android.permission.ACCESS_FINE_LOCATION"),
            granted=("android.permission.INTERNET",),
        ),
        LabApp(
            name="quiz",
            package="com.example.quiz",
            title="Quiz (trivia game)",
            version="4.4.0",
            version_code=44,
            app_type=18,
            hosts=("api.quiz.test", "ads.adnet.test", "sync.friendgraph.test"),
            requested=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
            granted=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
        ),
        LabApp(
            name="torch",
            package="com.example.torch",
            title="Torch (flashlight)",
            version="1.1.0",
            version_code=11,
            app_type=38,
            hosts=("api.torch.test",),
            requested=(
                "android.permission.INTERNET",
                "android.permission.QUERY_ALL_PACKAGES",
                "android.permission.CAMERA",
                "android.permission.READ_CONTACTS",
                "android.permission.ACCESS_FINE_LOCATION",
                "android.permission.READ_PHONE_NUMBERS",
            ),
            granted=("android.permission.INTERNET", "android.permission.QUERY_ALL_PACKAGES"),
        ),
        LabApp(
            name="vault",
            package="com.example.vault",
            title="Vault (purse)",
            version="7.0.3",
            version_code=703,
            app_type=5,
            hosts=("api.vault.test",),
            requested=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
            granted=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
            pins="vault.pem",
        ),
    )
}
"""By name."""

LINE1 = "+8613800138000"
"""The number of the SIM."""
LOCATION = "31.230416,121.473701"
"""Where the device is: latitude and longitude, degrees WGS-84."""
ANDROID_ID = "4f1d86b3a09ce275"
ADVERTISING_ID = "7c9e2b54-81d3-4f6a-b0c7-5e12a9d8f364"
CLIPBOARD = "courier code 7714-2093"
"""What the user copied last."""
INSTALLED = (
    "com.android.settings",
    "com.android.chrome",
    "org.mozilla.firefox",
    "com.tencent.mm",
    "com.eg.android.AlipayGphone",
    "com.example.diabetes.diary",
)
"""Packages installed beside the app that runs."""


@dataclass(frozen=True)
class Contact:
    """A person of the address book."""

    name: str
    numbers: tuple[str, ...]
    mails: tuple[str, ...] = ()


CONTACTS = (
    Contact("王小明", ("+86 139 1176 2045",), ("wang.xiaoming@mail.example.cn",)),
    Contact("李娜", ("136 0122 8817",), ("li.na@mail.example.cn",)),
    Contact("Anna Petersen", ("+45 32 45 67 18",), ("anna.petersen@example.dk",)),
    Contact("张伟", ("+8618602109934", "+86 21 6285 4471")),
    Contact("Grace O'Brien", ("+353 20 915 2246",), ("grace.obrien@example.ie",)),
    Contact("Miguel Fernández", ("+34 600 12 83 57",), ("m.fernandez@example.es",)),
    Contact("陈静怡", ("+852 5512 3347",), ("chen.jingyi@example.hk",)),
    Contact("Priya Raghavan", ("+91 98450 27713",), ("priya.raghavan@example.in",)),
    Contact("Jürgen Weißmüller", ("+49 151 23456714",), ("j.weissmueller@example.de",)),
    Contact("Samantha Cole", ("+1 202-555-0147",), ("sam.cole@example.com", "samantha.cole@work.example.com")),
    Contact("欧阳修远", ("+86 150-0042-6618",), ("ouyang@example.cn",)),
    Contact("Oliver Hughes", ("+44 7700 900418",), ("oliver.hughes@example.co.uk",)),
    Contact("佐藤健", ("+81 90-5550-1873",), ("sato.takeru@example.jp",)),
    Contact("Camille Laurent", ("+33 6 39 98 41 25",)),
)


def persona() -> tuple[Value, ...]:
    """The planted values: number, position, identifiers; the address book, where those of one person share a row."""
    values = [
        Value(type="phone_number", text=LINE1),
        Value(type="location", text=LOCATION),
        Value(type="android_id", text=ANDROID_ID),
        Value(type="advertising_id", text=ADVERTISING_ID),
    ]
    for row, contact in enumerate(CONTACTS):
        values.append(Value(type="name", text=contact.name, row=row))
        values += [Value(type="phone_number", text=number, row=row) for number in contact.numbers]
        values += [Value(type="email", text=mail, row=row) for mail in contact.mails]
    return tuple(values)
