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
    hosts: tuple[str, ...]
    """Hosts that it sends to, its own first."""
    requested: tuple[str, ...]
    """Permissions that the manifest asks for."""
    granted: tuple[str, ...]
    """Those that the user granted at an earlier time; the system asks for the others when the app does."""
    providers: tuple[str, ...] = ()
    """Content providers, brought up before the application's own code."""

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
            hosts=("log.pages.test",),
            requested=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
            granted=("android.permission.INTERNET", "android.permission.READ_PHONE_NUMBERS"),
        ),
    )
}
"""By name."""

LINE1 = "+8613800138000"
"""The number of the SIM."""
LOCATION = "31.230416,121.473701"
"""Where the device is: latitude and longitude, degrees WGS-84."""


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
    """The planted values: own number, position, and the address book, where values of one person share a row."""
    values = [Value(type="phone_number", text=LINE1), Value(type="location", text=LOCATION)]
    for row, contact in enumerate(CONTACTS):
        values.append(Value(type="name", text=contact.name, row=row))
        values += [Value(type="phone_number", text=number, row=row) for number in contact.numbers]
        values += [Value(type="email", text=mail, row=row) for mail in contact.mails]
    return tuple(values)
