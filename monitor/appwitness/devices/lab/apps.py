"""The sample apps of the lab device (their manifests) and the persona planted on it."""

from __future__ import annotations

from dataclasses import dataclass

from appwitness.events import Value
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken


@dataclass(frozen=True)
class LabApp:
    """One sample app, `com.example.<name>`: the content of its manifest, and the hosts that it talks to."""

    name: str
    """Its name as in `lab:circle` on the command line."""
    what: str
    """The kind of app, as in its label."""
    version: str
    version_code: int
    app_type: int
    """Number in the necessary-scope table (catalog/app_types.yml)."""
    permissions: tuple[str, ...] = ()
    """Permissions in the manifest besides INTERNET that the user granted earlier."""
    asked: tuple[str, ...] = ()
    """Further permissions in the manifest; the system asks the user when the app requests them."""
    host: str = ""
    """Its own server; empty: `api.<name>.test`."""
    others: tuple[str, ...] = ()
    """Servers of its SDKs."""
    providers: tuple[str, ...] = ()
    """Content providers, started before the application's own code."""
    boot: str = ""
    """Receiver that is called when the device starts, before the user opens the app."""
    then: tuple[str, ...] = ()
    """What the user does at the end, under any plan: `home`, `power`."""
    pins: str = ""
    """File of the app with the only certificate authority that the app trusts, its servers' own; empty: the app trusts
    the device's."""
    preferences: tuple[tuple[str, str], ...] = ()
    """What an earlier run left in the app's preferences, as `file.key` and value; empty: a fresh install."""

    @property
    def package(self) -> str:
        """The app's package."""
        return f"com.example.{self.name}"

    @property
    def title(self) -> str:
        """Its label in the launcher."""
        return f"{self.name.capitalize()} ({self.what})"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that it sends to, its own first."""
        return (self.host or f"api.{self.name}.test", *self.others)

    @property
    def granted(self) -> tuple[str, ...]:
        """Full names of the permissions that it has from the start."""
        return tuple(_full(name) for name in ("INTERNET", *self.permissions))

    @property
    def requested(self) -> tuple[str, ...]:
        """Full names of all permissions in the manifest."""
        return (*self.granted, *(_full(name) for name in self.asked))

    @property
    def application(self) -> str:
        """Class of the application."""
        plain = self.name in PLAIN
        return "android.app.Application" if plain else f"{self.package}.{self.name.capitalize()}Application"

    @property
    def activity(self) -> str:
        """Class of the activity that the launcher starts."""
        return f"{self.package}.MainActivity"


def _full(permission: str) -> str:
    return permission if "." in permission else f"android.permission.{permission}"


PLAIN = ("corner", "coupon", "jogger", "lanes", "parley", "radio", "torch")
"""Apps without an application class of their own."""
ADS, FRIENDS = "ads.adnet.test", "sync.friendgraph.test"

APPS: dict[str, LabApp] = {
    app.name: app
    for app in (
        LabApp(
            *("circle", "social network", "4.2.0", 420, 4, ("READ_CONTACTS",)),
            others=(FRIENDS,),
            providers=("com.friendgraph.sdk.FriendGraphInitProvider",),
        ),
        LabApp("skies", "weather", "2.0.1", 201, 38, ("ACCESS_FINE_LOCATION",), others=(ADS,)),
        LabApp("corner", "shop", "1.3.0", 13, 6, asked=("READ_PHONE_NUMBERS",)),
        LabApp("pages", "reading", "9.1.0", 9100, 35, ("READ_PHONE_NUMBERS",), host="log.pages.test"),
        LabApp("coupon", "deals", "3.5.1", 351, 6, ("READ_PHONE_NUMBERS",)),
        LabApp("jogger", "running", "5.1.0", 510, 31, ("ACCESS_FINE_LOCATION",), then=("home", "power")),
        LabApp("radio", "music", "1.8.2", 18, 28, ("RECEIVE_BOOT_COMPLETED",), boot="com.pushline.sdk.BootReceiver"),
        LabApp("gems", "puzzle game", "12.0.0", 1200, 18, ("com.google.android.gms.permission.AD_ID",), others=(ADS,)),
        LabApp("parley", "messenger", "6.3.0", 630, 3, ("READ_PHONE_NUMBERS",), asked=("READ_CONTACTS",)),
        LabApp("lanes", "maps and navigation", "2.2.0", 22, 1, asked=("ACCESS_FINE_LOCATION",)),
        LabApp("quiz", "trivia game", "4.4.0", 44, 18, ("READ_PHONE_NUMBERS",), others=(ADS, FRIENDS)),
        LabApp(
            *("torch", "flashlight", "1.1.0", 11, 38, ("QUERY_ALL_PACKAGES",)),
            asked=("CAMERA", "READ_CONTACTS", "ACCESS_FINE_LOCATION", "READ_PHONE_NUMBERS"),
        ),
        LabApp("vault", "purse", "7.0.3", 703, 5, ("READ_PHONE_NUMBERS",), pins="vault.pem"),
    )
}
"""The sample apps by name."""


def named(name: str) -> LabApp:
    """The sample app with that name. Raises UserError if there is none."""
    if name not in APPS:
        raise UserError(
            Spoken("The lab device has no app {name!r}.", name=name),
            Spoken("It has {apps}.", apps=", ".join(sorted(APPS))),
        )
    return APPS[name]


LINE1 = "+8613800138000"
"""The SIM card's number."""
LOCATION = "31.230416,121.473701"
"""The device's location: latitude and longitude, degrees WGS-84."""
ANDROID_ID = "4f1d86b3a09ce275"
ADVERTISING_ID = "7c9e2b54-81d3-4f6a-b0c7-5e12a9d8f364"
CLIPBOARD = "courier code 7714-2093"
"""The text that the user copied last."""
INSTALLED = (
    "com.android.settings",
    "com.android.chrome",
    "org.mozilla.firefox",
    "com.tencent.mm",
    "com.eg.android.AlipayGphone",
    "com.example.diabetes.diary",
)
"""Packages installed besides the app that runs."""


@dataclass(frozen=True)
class SampleContact:
    """A person in the address book."""

    name: str
    numbers: tuple[str, ...]
    mails: tuple[str, ...] = ()


CONTACTS = (
    SampleContact("王小明", ("+86 139 1176 2045",), ("wang.xiaoming@mail.example.cn",)),
    SampleContact("李娜", ("136 0122 8817",), ("li.na@mail.example.cn",)),
    SampleContact("Anna Petersen", ("+45 32 45 67 18",), ("anna.petersen@example.dk",)),
    SampleContact("张伟", ("+8618602109934", "+86 21 6285 4471")),
    SampleContact("Grace O'Brien", ("+353 20 915 2246",), ("grace.obrien@example.ie",)),
    SampleContact("Miguel Fernández", ("+34 600 12 83 57",), ("m.fernandez@example.es",)),
    SampleContact("陈静怡", ("+852 5512 3347",), ("chen.jingyi@example.hk",)),
    SampleContact("Priya Raghavan", ("+91 98450 27713",), ("priya.raghavan@example.in",)),
    SampleContact("Jürgen Weißmüller", ("+49 151 23456714",), ("j.weissmueller@example.de",)),
    SampleContact("Samantha Cole", ("+1 202-555-0147",), ("sam.cole@example.com", "samantha.cole@work.example.com")),
    SampleContact("欧阳修远", ("+86 150-0042-6618",), ("ouyang@example.cn",)),
    SampleContact("Oliver Hughes", ("+44 7700 900418",), ("oliver.hughes@example.co.uk",)),
    SampleContact("佐藤健", ("+81 90-5550-1873",), ("sato.takeru@example.jp",)),
    SampleContact("Camille Laurent", ("+33 6 39 98 41 25",)),
)


def persona() -> tuple[Value, ...]:
    """The planted values: number, location, identifiers, and the address book, in which the values of one person
    share a row."""
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
