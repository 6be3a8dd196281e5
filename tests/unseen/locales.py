"""Further ways to write a value: as locales write numbers, as address books, maps and databases write them."""

from __future__ import annotations

import math
import quopri
import re
import struct
import urllib.parse
import uuid
from collections.abc import Callable

from tests.unseen import WAYS
from tests.unseen.notations import geohash, national, notation, point
from tests.unseen.rarer import b64, in_base

PHONE, MAIL, PLACE, NAME = "phone_number", "email", "location", "name"
IMEI, MAC, IDS, HEXES = "device_id_imei", "mac_address", "advertising_id oaid", "android_id"


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def in_script(zero: str) -> Callable[[str], str]:
    """Digits as String.format writes them where the language of the device has its own."""
    return lambda text: text.translate({48 + n: chr(ord(zero) + n) for n in range(10)})


def quoted(text: str) -> str:
    return quopri.encodestring(text.encode(), quotetabs=True).decode().replace("=\n", "")


def sexagesimal(degrees: float, wide: int, letters: str) -> str:
    """ddmm.mmmm and the hemisphere."""
    whole, minutes = divmod(abs(degrees) * 60, 60)
    return f"{int(whole):0{wide}d}{minutes:07.4f},{letters[degrees < 0]}"


def rmc(lat: float, lon: float) -> str:
    return f"$GPRMC,123519,A,{sexagesimal(lat, 2, 'NS')},{sexagesimal(lon, 3, 'EW')},022.4,084.4,230394,,*6A"


def aprs(lat: float, lon: float) -> str:
    def part(degrees: float, wide: int, letters: str) -> str:
        whole, minutes = divmod(abs(degrees) * 60, 60)
        return f"{int(whole):0{wide}d}{minutes:05.2f}{letters[degrees < 0]}"

    return f"!{part(lat, 2, 'NS')}/{part(lon, 3, 'EW')}>test"


def metres(lat: float, lon: float) -> tuple[float, float]:
    half = math.pi * 6378137.0
    return lon / 180 * half, math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / math.pi * half


def gad(lat: float, lon: float) -> str:
    """3GPP TS 23.032: a sign and 23 bits of a latitude, 24 bits of a longitude."""
    north = int(abs(lat) / 90 * (1 << 23)) | (lat < 0) << 23
    return (north.to_bytes(3) + int(lon / 360 * (1 << 24)).to_bytes(3, signed=True)).hex()


ARABIC, PERSIAN, HINDI, BENGALI, THAI = map(in_script, "٠۰०০๐")

for _name, _types, _write in (
    # numbers of people
    ("persian digits", PHONE, PERSIAN),
    ("hyphens that do not break", PHONE, lambda t: re.sub(r"(\d{3})(\d{4})(\d{4})$", "\\1\u2011\\2\u2011\\3", t)),
    ("dashes", PHONE, lambda t: re.sub(r"(\d{3})(\d{4})(\d{4})$", "\\1\u2013\\2\u2013\\3", t)),
    ("thin spaces", PHONE, lambda t: re.sub(r"(\d{3})(\d{4})(\d{4})$", "\\1\u2009\\2\u2009\\3", t)),
    ("narrow spaces", PHONE, lambda t: re.sub(r"(\d{3})(\d{4})(\d{4})$", "\\1\u202f\\2\u202f\\3", t)),
    ("isolated", PHONE, lambda t: f"\u2068{t}\u2069"),
    ("as a real number in a text", PHONE, lambda t: f"{digits(t)}.0"),
    ("with an exponent", PHONE, lambda t: f"{int(digits(t)):.{len(digits(t)) - 1}E}".replace("+", "")),
    ("thousands, points", PHONE, lambda t: f"{int(digits(t)):,}".replace(",", ".")),
    ("jid", PHONE, lambda t: f"{digits(t)}@s.whatsapp.net"),
    ("jid of a device", PHONE, lambda t: f"{digits(t)}:12@s.whatsapp.net"),
    ("ims", PHONE, lambda t: f"sip:{t}@ims.mnc002.mcc460.3gppnetwork.org;user=phone"),
    ("print of libphonenumber", PHONE, lambda t: f"Country Code: 86 National Number: {national(t)}"),
    ("vcard", PHONE, lambda t: f"BEGIN:VCARD\r\nVERSION:2.1\r\nTEL;CELL;PREF:{t}\r\nEND:VCARD"),
    ("jcard", PHONE, lambda t: ["vcard", [["tel", {"type": "cell"}, "uri", f"tel:{t}"]]]),
    ("mecard", PHONE, lambda t: f"MECARD:N:x;TEL:{t};;"),
    ("base64 of eight bytes", PHONE, lambda t: b64(int(digits(t)).to_bytes(8))),
    ("long of java", PHONE, lambda t: f"{digits(t)}L"),
    ("gson of a map", PHONE, lambda t: {"map": {"phone": float(digits(t))}}),
    ("extended json", PHONE, lambda t: {"phone": {"$numberLong": digits(t)}}),
    ("dynamo", PHONE, lambda t: {"phone": {"N": digits(t)}}),
    ("firestore", PHONE, lambda t: {"fields": {"phone": {"integerValue": digits(t)}}}),
    ("country of the api", PHONE, lambda t: {"cc": "+86", "phone": national(t)}),
    ("toString", PHONE, lambda t: f"Contact{{id=7, phone='{t}', starred=false}}"),
    ("data class", PHONE, lambda t: f"Contact(id=7, phone={t}, starred=false)"),
    ("bundle", PHONE, lambda t: f"Bundle[{{phone={t}, id=7}}]"),
    ("content values", PHONE, lambda t: f"data1={t} mimetype=vnd.android.cursor.item/phone_v2"),
    ("row of a cursor", PHONE, lambda t: f"Row: 0 _id=7, data1={t}, data2=2"),
    ("php", PHONE, lambda t: f'a:1:{{s:5:"phone";s:{len(t)}:"{t}";}}'),
    ("sql", PHONE, lambda t: f"INSERT INTO contacts VALUES (7,'{t}',NULL);"),
    (
        "uri of a contact",
        PHONE,
        lambda t: f"content://com.android.contacts/phone_lookup/{urllib.parse.quote(t, safe='')}",
    ),
    # mail
    ("at in words", MAIL, lambda t: t.replace("@", "(at)")),
    ("path of firebase", MAIL, lambda t: t.replace(".", ",")),
    ("path of firebase, escaped", MAIL, lambda t: t.replace(".", "%2E")),
    ("with its name", MAIL, lambda t: f'"Some One" <{t}>'),
    ("user of a url", MAIL, lambda t: f"imap://{urllib.parse.quote(t, safe='')}@mail.test/INBOX"),
    ("acl", MAIL, lambda t: f"user:{t}:rw"),
    # places
    (
        "arabic digits",
        PLACE,
        lambda t: {"lat": ARABIC(t.split(",")[0]).replace(".", "٫"), "lng": ARABIC(t.split(",")[1]).replace(".", "٫")},
    ),
    ("arabic digits, points", PLACE, ARABIC),
    ("persian digits", PLACE, lambda t: dict(zip(("lat", "lng"), PERSIAN(t).split(","), strict=True))),
    ("bengali digits", PLACE, lambda t: dict(zip(("lat", "lng"), BENGALI(t).split(","), strict=True))),
    ("thai digits", PLACE, lambda t: dict(zip(("lat", "lng"), THAI(t).split(","), strict=True))),
    ("thai digits of a number", PHONE, THAI),
    ("keycaps", PHONE, lambda t: "".join(f"{one}\ufe0f\u20e3" if one.isdigit() else one for one in t)),
    ("real in a table", PHONE, lambda t: f"id,number,n\n1,{t}.0,7\n" if t.isdigit() else None),
    ("districts apart", "address", lambda t: "市 ".join(t.split("市", 1)) if "市" in t else None),
    ("real minus", PLACE, lambda t: t.replace("-", "\u2212") if "-" in t else None),
    ("url of a map", PLACE, lambda t: f"https://maps.test/maps/@{t},15z/data=!3m1"),
    (
        "url of a place",
        PLACE,
        lambda t: "https://maps.test/maps/place/x/data=!3m1!4b1!8m2!3d{}!4d{}".format(*t.split(",")),
    ),
    ("url of tiles", PLACE, lambda t: "https://maps.test/maps/vt/pb=!1m2!1d{1}!2d{0}!2m3".format(*t.split(","))),
    ("uri with uncertainty", PLACE, lambda t: f"geo:{t};u=35;crs=wgs84"),
    ("what android prints", PLACE, lambda t: f"Location[gps {t} hAcc=12 et=+1d2h alt=4.0 vAcc=3]"),
    ("what ios prints", PLACE, lambda t: "<{0[0]:+.8f},{0[1]:+.8f}> +/- 5.00m (speed -1.00 mps)".format(point(t))),
    ("rmc", PLACE, lambda t: rmc(*point(t))),
    ("gga", PLACE, lambda t: rmc(*point(t)).replace("$GPRMC", "$GPGGA").replace(",A,", ",")),
    ("exponent", PLACE, lambda t: {"lat": f"{point(t)[0]:.8E}", "lng": f"{point(t)[1]:.8E}"}),
    ("bits in hex, joined", PLACE, lambda t: struct.pack(">2d", *point(t)).hex()),
    ("bits in hex, upper", PLACE, lambda t: struct.pack(">2d", *point(t)).hex().upper()),
    (
        "each in base64",
        PLACE,
        lambda t: {k: b64(p.encode()) for k, p in zip(("lat", "lon"), t.split(","), strict=True)},
    ),
    (
        "each in base64, doubles",
        PLACE,
        lambda t: {k: b64(struct.pack("<d", p)) for k, p in zip(("lat", "lon"), point(t), strict=True)},
    ),
    (
        "geojson feature",
        PLACE,
        lambda t: {"type": "Feature", "geometry": {"type": "Point", "coordinates": [*point(t)[::-1], 12.5]}},
    ),
    ("wkb, big endian", PLACE, lambda t: (b"\0\0\0\0\1" + struct.pack(">2d", *point(t)[::-1])).hex()),
    ("mysql", PLACE, lambda t: "ST_GeomFromText('POINT({1} {0})')".format(*t.split(","))),
    ("point of elastic", PLACE, lambda t: {"location": {"lat": point(t)[0], "lon": point(t)[1]}}),
    ("firestore", PLACE, lambda t: {"geoPointValue": {"latitude": point(t)[0], "longitude": point(t)[1]}}),
    ("parse", PLACE, lambda t: {"__type": "GeoPoint", "latitude": point(t)[0], "longitude": point(t)[1]}),
    (
        "bounds",
        PLACE,
        lambda t: {"bbox": [round(point(t)[1] - 0.01, 6), round(point(t)[0] - 0.01, 6), point(t)[1], point(t)[0]]},
    ),
    ("redis", PLACE, lambda t: f"GEOADD k {' '.join(t.split(',')[::-1])} x"),
    ("range of geohashes", PLACE, lambda t: {"startAt": geohash(t, 9), "endAt": geohash(t, 9) + "~"}),
    ("geohash behind its name", PLACE, lambda t: f"geohash:{geohash(t, 9)}"),
    ("geohash, upper", PLACE, lambda t: {"geohash": geohash(t, 9).upper()}),
    (
        "weather",
        PLACE,
        lambda t: f"https://api.weather.test/forecast?latitude={t.split(',')[0]}&longitude={t.split(',')[1]}",
    ),
    ("six digits each", PLACE, lambda t: "{:+011.6f}{:+011.6f}/".format(*point(t))),
    ("aprs", PLACE, lambda t: aprs(*point(t))),
    ("wigle", PLACE, lambda t: f"a4:c1:38:00:00:00,x,[WPA2],2026-01-01,6,-60,{t},12,5,WIFI"),
    ("header of opencellid", PLACE, lambda t: "mcc=460&mnc=0&lac=1&cellid=2&lat={}&lon={}".format(*t.split(","))),
    ("in metres of mercator, in a text", PLACE, lambda t: "{:.2f},{:.2f}".format(*metres(*point(t)))),
    # ids
    ("braces", IDS, lambda t: "{" + t.upper() + "}"),
    (
        "short uuid",
        IDS,
        lambda t: in_base(uuid.UUID(t).int, "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
    ),
    ("flickr", IDS, lambda t: in_base(uuid.UUID(t).int, "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ")),
    ("crockford", IDS, lambda t: in_base(uuid.UUID(t).int, "0123456789ABCDEFGHJKMNPQRSTVWXYZ")),
    ("whole number", IDS, lambda t: str(uuid.UUID(t).int)),
    ("two signed longs", IDS, lambda t: list(struct.unpack(">2q", uuid.UUID(t).bytes))),
    (
        "two longs under names",
        IDS,
        lambda t: dict(zip(("mostSigBits", "leastSigBits"), struct.unpack(">2q", uuid.UUID(t).bytes), strict=True)),
    ),
    ("hex spaced", IDS, lambda t: " ".join(re.findall("..", t.replace("-", "")))),
    ("signed bytes", IDS, lambda t: [b - 256 if b > 127 else b for b in uuid.UUID(t).bytes]),
    ("behind ifa", IDS, lambda t: f"ifa:{t}"),
    ("behind gaid", IDS, lambda t: f"GAID_{t}"),
    ("limited", IDS, lambda t: f"{t}|0"),
    ("behind AND", HEXES, lambda t: f"AND{t}"),
    ("behind letters of hex", HEXES, lambda t: f"ad_{t}"),
    ("behind android", HEXES, lambda t: f"android{t}"),
    ("as a uuid", HEXES, lambda t: f"00000000-0000-0000-{t[:4]}-{t[4:]}"),
    ("with time", HEXES, lambda t: f"1773478800000-{t}"),
    ("filled", HEXES, lambda t: t.rjust(32, "0")),
    ("hyphen in the middle", MAC, lambda t: f"{t.replace(':', '')[:6]}-{t.replace(':', '')[6:]}"),
    ("0x", MAC, lambda t: "0x" + t.replace(":", "")),
    ("uuid of version 1", MAC, lambda t: f"d9428888-122b-11e1-b85c-{t.replace(':', '').lower()}"),
    ("filled to a long", MAC, lambda t: t.replace(":", "").rjust(16, "0")),
    ("key of a scan", MAC, lambda t: {"scan": {t: -61, "00:11:22:33:44:55": -70}}),
    ("with signal", MAC, lambda t: f"{t},-61,CMCC"),
    ("behind BSSID", MAC, lambda t: f"BSSID: {t}, Supplicant state: COMPLETED"),
    ("spaced", IMEI, lambda t: f"{t[:2]} {t[2:8]} {t[8:14]} {t[14]}"),
    ("strokes", IMEI, lambda t: f"{t[:8]}/{t[8:14]}/{t[14]}"),
    ("slots", IMEI, lambda t: f"0={t},1=null"),
    ("with an exponent", IMEI, lambda t: re.sub(r"0*E\+", "E", f"{int(t):.14E}")),
    ("hex", IMEI, lambda t: f"{int(t):X}"),
    ("base64 of the digits packed", IMEI, lambda t: b64(bytes.fromhex("0" + t))),
    ("octets of a list", "ip_address", lambda t: [int(p) for p in t.split(".")] if "." in t else None),
    ("hex", "ip_address", lambda t: "".join(f"{int(p):02x}" for p in t.split(".")) if "." in t else None),
    ("mapped", "ip_address", lambda t: f"::ffff:{t}" if "." in t else None),
    ("with a port", "ip_address", lambda t: f"{t}:8080" if "." in t else f"[{t}]:8080"),
    ("with a zone", "ip_address", lambda t: f"{t}%wlan0" if ":" in t else f"/{t}"),
    ("network", "ip_address", lambda t: f"{t}/24"),
    ("reverse zone", "ip_address", lambda t: ".".join(reversed(t.split("."))) + ".in-addr.arpa" if "." in t else None),
    ("of a forwarder", "ip_address", lambda t: f"{t}, 10.0.0.1, 172.16.0.9"),
    ("candidate of webrtc", "ip_address", lambda t: f"candidate:1 1 udp 2122260223 {t} 51000 typ host"),
    ("base64", "ip_address", lambda t: b64(bytes(map(int, t.split(".")))) if "." in t else None),
    # names
    ("vcard 2.1", NAME, lambda t: f"FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:{quoted(t)}"),
    (
        "last name, first",
        NAME,
        lambda t: {"contact": {"family": t.split()[-1], "given": " ".join(t.split()[:-1])}} if " " in t else None,
    ),
    ("suffix", NAME, lambda t: f"{t}, PhD"),
    ("capitals, surname first", NAME, lambda t: " ".join(reversed(t.upper().split(" ", 1))) if " " in t else None),
    ("hl7", NAME, lambda t: f"{t.split()[-1]}^{' '.join(t.split()[:-1])}" if " " in t else None),
    ("tag", NAME, lambda t: f"@{t.replace(' ', '')}"),
    ("file", NAME, lambda t: f"{t.replace(' ', '_')}_2026.vcf"),
):
    notation(f"locale: {_name}", _types, _write)


HARD = (
    "ip_address: locale: base64",
    "email: locale: at in words",
    "location: locale: aprs",
    "android_id: locale: as a uuid",
    "ip_address: locale: octets of a list",
)
"""Of these, no one field says enough, or nobody is known to send them."""
for _name in HARD:
    WAYS[_name] = WAYS[_name]._replace(grade="hard")
