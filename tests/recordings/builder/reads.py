"""What can be read in a recording: the made-up people and values, and the APIs that give them."""

from __future__ import annotations

from collections.abc import Sequence

PHONE = "+8613800138000"
PLACE = "31.230416,121.473701"
IMEI = "869731046032817"
OAID = "7f6bfbe5-9fd5-4d3c-8ef1-2a9be3d1c7f4"
GAID = "38400000-8cf0-11bd-b23e-10b96e40000d"
CARD = "6222021001116245702"

Values = Sequence[tuple[str, str] | tuple[str, str, int]]


class Read:
    """One API: its name, what it is asked, the kind of data, and what it gives when nothing else is said."""

    def __init__(
        self, source: str, data: str, *values: tuple[str, str] | tuple[str, str, int], target: str | None = None
    ) -> None:
        self.source, self.data, self.values, self.target = source, data, values, target


PEOPLE: Values = (
    ("name", "王小明", 0),
    ("phone_number", "+8613651820377", 0),
    ("name", "李华霞", 1),
    ("phone_number", "+8615656300309", 1),
    ("name", "Anna Kowalska", 2),
    ("phone_number", "+48601234567", 2),
    ("name", "Seán O'Brien", 3),
    ("phone_number", "+353861234567", 3),
    ("name", "Priya Raghunathan", 4),
    ("phone_number", "+919812345670", 4),
)
NUMBER = Read("android.telephony.TelephonyManager.getLine1Number", "phone_number", ("phone_number", PHONE))
POSITION = Read("android.location.LocationManager.getLastKnownLocation", "location", ("location", PLACE))
CONTACTS = Read(
    "android.content.ContentResolver.query",
    "device_contacts",
    *PEOPLE,
    target="content://com.android.contacts/data/phones",
)
CALLS = Read(
    "android.content.ContentResolver.query",
    "call_log",
    ("phone_number", "+8613651820377", 0),
    ("phone_number", "+8615656300309", 1),
    ("phone_number", "+48601234567", 2),
    ("phone_number", "+353861234567", 3),
    target="content://call_log/calls",
)
DEVICE = Read("android.telephony.TelephonyManager.getImei", "device_id_imei", ("device_id_imei", IMEI))
AD = Read(
    "com.google.android.gms.ads.identifier.AdvertisingIdClient$Info.getId", "advertising_id", ("advertising_id", GAID)
)
OPEN = Read("com.bun.miitmdid.interfaces.IdSupplier.getOAID", "oaid", ("oaid", OAID))
CLIPBOARD = Read(
    "android.content.ClipboardManager.getPrimaryClip",
    "clipboard",
    ("clipboard", "Parcel SF1389-4420-7716, code 48-2291, Apt 12"),
)
CHANNEL = Read(
    "libc.so!accept",
    "local_channel",
    ("local_channel", "fb.1.1773450000123.4039162748"),
)
APPS = Read(
    "android.app.ApplicationPackageManager.getInstalledPackages",
    "installed_apps",
    ("installed_apps", "com.tencent.mm", 0),
    ("installed_apps", "com.eg.android.AlipayGphone", 1),
    ("installed_apps", "com.example.diabetesdiary", 2),
    ("installed_apps", "com.example.prayertimes", 3),
    ("installed_apps", "com.example.jobsearch", 4),
)
FILLED = Read(
    "android.view.autofill.AutofillValue.getTextValue", "bank_card", ("bank_card", CARD), target="creditCardNumber"
)
