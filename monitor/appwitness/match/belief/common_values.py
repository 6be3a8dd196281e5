"""Estimates the chance of coincidence for values that many people share, from how common they are."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from appwitness.events import Value
from appwitness.findings import Why
from appwitness.match.hits import TELLING, Hit, tells

SHARED = frozenset(
    (
        *("carrier", "device_model_os", "device_state", "network_state", "location_coarse", "gender", "marital_status"),
        *("religion_politics", "race", "sexual_orientation"),
    )
)
"""Types whose values very many devices or people have: however unlikely the text is, it identifies nobody."""
NAMED_BY_ANYBODY = frozenset(("wifi_ssid_bssid", "device_name"))
"""Types whose values are shared if they are a plain word: `AndroidWifi`, `Guest`."""
WORD = re.compile(r"[^\W\d_]+(?:[ _-][^\W\d_]+)?")
GENERIC = frozenset(
    (
        *("android", "google", "linux", "mobile", "phone", "smartphone", "tablet", "device", "emulator", "generic"),
        *(
            "unknown",
            "default",
            "user",
            "guest",
            "test",
            "localhost",
            "wifi",
            "androidwifi",
            "wlan",
            "internet",
            "network",
        ),
        *(
            "samsung",
            "xiaomi",
            "huawei",
            "honor",
            "oppo",
            "vivo",
            "oneplus",
            "motorola",
            "lenovo",
            "sony",
            "nokia",
            "apple",
        ),
        *("ios", "iphone", "windows", "chrome", "sdk", "release", "debug", "home", "local", "none", "other", "global"),
    )
)
"""Words that messages contain for other reasons: an operator called "Android" is an emulator's."""
LIKELY, DOUBTFUL, PLAUSIBLE = 0.55, 0.2, 0.01
"""The chance that something else is meant: for a generic word without a telling key; for one with such a key, or a
shared value without one; for a shared value under its key."""
NEAR_M = 500.0
FEW_DECIMALS = 4
"""Maximum decimals of a number that was typed, not measured."""
UNLIKELY_NAME = 1e-3
"""Minimum chance that a name is somebody else's, however long it is; no match is rated more certain than this
either."""

# fmt: off
CENTRES: dict[str, tuple[tuple[float, float], ...]] = {
    "Beijing": ((39.9042, 116.4074), (39.9075, 116.3972), (39.9087, 116.3975)),
    "Shanghai": ((31.2304, 121.4737), (31.2222, 121.4581)),
    "Guangzhou": ((23.1291, 113.2644), (23.1167, 113.25)), "Shenzhen": ((22.5431, 114.0579), (22.5455, 114.0683)),
    "Chengdu": ((30.5728, 104.0668), (30.6667, 104.0667)), "Chongqing": ((29.563, 106.5516), (29.5628, 106.5528)),
    "Tianjin": ((39.3434, 117.3616), (39.1422, 117.1767)), "Wuhan": ((30.5928, 114.3055), (30.5833, 114.2667)),
    "Hangzhou": ((30.2741, 120.1551), (30.2936, 120.1614)), "Nanjing": ((32.0603, 118.7969), (32.0617, 118.7778)),
    "Xi'an": ((34.3416, 108.9398), (34.2583, 108.9286)), "Suzhou": ((31.2989, 120.5853),),
    "Qingdao": ((36.0671, 120.3826),), "Dalian": ((38.914, 121.6147),), "Shenyang": ((41.8057, 123.4315),),
    "Harbin": ((45.8038, 126.535),), "Jinan": ((36.6512, 117.1201),), "Zhengzhou": ((34.7466, 113.6254),),
    "Changsha": ((28.2282, 112.9388),), "Xiamen": ((24.4798, 118.0894),), "Fuzhou": ((26.0745, 119.2965),),
    "Kunming": ((25.0389, 102.7183),), "Hefei": ((31.8206, 117.2272),), "Ningbo": ((29.8683, 121.544),),
    "Hong Kong": ((22.3193, 114.1694), (22.2783, 114.1747)), "Macau": ((22.1987, 113.5439),),
    "Taipei": ((25.033, 121.5654), (25.0478, 121.5319)),
    "Tokyo": ((35.6762, 139.6503), (35.6895, 139.6917), (35.6812, 139.7671)),
    "Osaka": ((34.6937, 135.5023),), "Seoul": ((37.5665, 126.978),), "Busan": ((35.1796, 129.0756),),
    "Singapore": ((1.3521, 103.8198), (1.2897, 103.8501)), "Kuala Lumpur": ((3.139, 101.6869),),
    "Jakarta": ((-6.2088, 106.8456), (-6.1751, 106.865)), "Bangkok": ((13.7563, 100.5018),),
    "Hanoi": ((21.0278, 105.8342), (21.0285, 105.8542)), "Ho Chi Minh City": ((10.8231, 106.6297), (10.7769, 106.7009)),
    "Manila": ((14.5995, 120.9842),), "New Delhi": ((28.6139, 77.209),), "Delhi": ((28.7041, 77.1025),),
    "Mumbai": ((19.076, 72.8777),), "Bengaluru": ((12.9716, 77.5946),), "Chennai": ((13.0827, 80.2707),),
    "Kolkata": ((22.5726, 88.3639),), "Hyderabad": ((17.385, 78.4867),), "Karachi": ((24.8607, 67.0011),),
    "Lahore": ((31.5204, 74.3587),), "Dhaka": ((23.8103, 90.4125),), "Dubai": ((25.2048, 55.2708),),
    "Abu Dhabi": ((24.4539, 54.3773),), "Riyadh": ((24.7136, 46.6753),), "Tehran": ((35.6892, 51.389),),
    "Baghdad": ((33.3152, 44.3661),), "Tel Aviv": ((32.0853, 34.7818),), "Jerusalem": ((31.7683, 35.2137),),
    "Istanbul": ((41.0082, 28.9784),), "Ankara": ((39.9334, 32.8597),),
    "Moscow": ((55.7558, 37.6173), (55.7522, 37.6156)),
    "Saint Petersburg": ((59.9343, 30.3351), (59.9311, 30.3609)), "Kyiv": ((50.4501, 30.5234),),
    "Minsk": ((53.9006, 27.559),),
    "Warsaw": ((52.2297, 21.0122),), "Krakow": ((50.0647, 19.945),), "Prague": ((50.0755, 14.4378), (50.088, 14.4208)),
    "Vienna": ((48.2082, 16.3738),), "Budapest": ((47.4979, 19.0402),), "Bucharest": ((44.4268, 26.1025),),
    "Sofia": ((42.6977, 23.3219),), "Belgrade": ((44.7866, 20.4489),), "Athens": ((37.9838, 23.7275),),
    "Berlin": ((52.52, 13.405), (52.5244, 13.4105)), "Hamburg": ((53.5511, 9.9937), (53.5753, 10.0153)),
    "Munich": ((48.1351, 11.582), (48.1374, 11.5755)), "Frankfurt": ((50.1109, 8.6821), (50.1155, 8.6842)),
    "Cologne": ((50.9375, 6.9603), (50.9333, 6.95)), "Zurich": ((47.3769, 8.5417),), "Geneva": ((46.2044, 6.1432),),
    "Bern": ((46.948, 7.4474),), "Paris": ((48.8566, 2.3522), (48.8534, 2.3488)), "Lyon": ((45.764, 4.8357),),
    "Marseille": ((43.2965, 5.3698),), "Brussels": ((50.8503, 4.3517),),
    "Amsterdam": ((52.3676, 4.9041), (52.374, 4.8897)),
    "London": ((51.5074, -0.1278), (51.5072, -0.1276), (51.5085, -0.1257)), "Manchester": ((53.4808, -2.2426),),
    "Birmingham": ((52.4862, -1.8904),), "Edinburgh": ((55.9533, -3.1883),), "Dublin": ((53.3498, -6.2603),),
    "Madrid": ((40.4168, -3.7038),), "Barcelona": ((41.3851, 2.1734), (41.3874, 2.1686)),
    "Lisbon": ((38.7223, -9.1393),),
    "Rome": ((41.9028, 12.4964),), "Milan": ((45.4642, 9.19),), "Naples": ((40.8518, 14.2681),),
    "Stockholm": ((59.3293, 18.0686),), "Oslo": ((59.9139, 10.7522),), "Copenhagen": ((55.6761, 12.5683),),
    "Helsinki": ((60.1699, 24.9384),), "Reykjavik": ((64.1466, -21.9426),), "Cairo": ((30.0444, 31.2357),),
    "Lagos": ((6.5244, 3.3792),), "Nairobi": ((-1.2921, 36.8219),), "Johannesburg": ((-26.2041, 28.0473),),
    "Cape Town": ((-33.9249, 18.4241),), "Casablanca": ((33.5731, -7.5898),), "Algiers": ((36.7538, 3.0588),),
    "Addis Ababa": ((9.03, 38.74),), "Accra": ((5.6037, -0.187),),
    "New York": ((40.7128, -74.006), (40.7143, -74.006)), "Los Angeles": ((34.0522, -118.2437),),
    "Chicago": ((41.8781, -87.6298), (41.85, -87.65)), "Houston": ((29.7604, -95.3698),),
    "Phoenix": ((33.4484, -112.074),),
    "Philadelphia": ((39.9526, -75.1652),), "San Antonio": ((29.4241, -98.4936),), "San Diego": ((32.7157, -117.1611),),
    "Dallas": ((32.7767, -96.797),), "San Jose": ((37.3382, -121.8863),), "Austin": ((30.2672, -97.7431),),
    "San Francisco": ((37.7749, -122.4194),), "Seattle": ((47.6062, -122.3321),), "Denver": ((39.7392, -104.9903),),
    "Washington": ((38.9072, -77.0369), (38.8951, -77.0364)), "Boston": ((42.3601, -71.0589),),
    "Atlanta": ((33.749, -84.388),),
    "Miami": ((25.7617, -80.1918),), "Las Vegas": ((36.1699, -115.1398),), "Detroit": ((42.3314, -83.0458),),
    "Minneapolis": ((44.9778, -93.265),), "Portland": ((45.5152, -122.6784),),
    "Mountain View": ((37.3861, -122.0839), (37.422, -122.084)),
    "Toronto": ((43.6532, -79.3832), (43.7001, -79.4163)), "Montreal": ((45.5017, -73.5673),),
    "Vancouver": ((49.2827, -123.1207),),
    "Mexico City": ((19.4326, -99.1332),), "Bogota": ((4.711, -74.0721),), "Lima": ((-12.0464, -77.0428),),
    "Santiago": ((-33.4489, -70.6693),), "Buenos Aires": ((-34.6037, -58.3816),), "Caracas": ((10.4806, -66.9036),),
    "Sao Paulo": ((-23.5505, -46.6333),), "Rio de Janeiro": ((-22.9068, -43.1729),),
    "Brasilia": ((-15.7942, -47.8825), (-15.7975, -47.8919)),
    "Sydney": ((-33.8688, 151.2093),), "Melbourne": ((-37.8136, 144.9631),), "Brisbane": ((-27.4698, 153.0251),),
    "Perth": ((-31.9505, 115.8605),), "Auckland": ((-36.8485, 174.7633),), "Wellington": ((-41.2865, 174.7762),),
}
# fmt: on
"""Centres of cities (latitude, longitude) from maps and gazetteers: what apps show until they know better."""


@lru_cache(maxsize=4096)
def centre_of(text: str) -> str | None:
    """The city whose centre is within NEAR_M of a place (`lat,lon`); None if there is none."""
    try:
        lat, lon = map(float, text.split(",")[:2])
    except ValueError:
        return None
    for name, places in CENTRES.items():
        for north, east in places:
            x = math.radians(lon - east) * math.cos(math.radians(north))
            if 6_371_000 * math.hypot(math.radians(lat - north), x) <= NEAR_M:
                return name
    return None


def is_shared(value: Value) -> bool:
    """Whether very many people have the same value."""
    if value.type in NAMED_BY_ANYBODY:
        return WORD.fullmatch(value.text.strip()) is not None
    return value.type in SHARED


def weighed(hit: Hit) -> Hit:
    """The hit with the chance of coincidence that its common value implies, and the reason; unchanged for a rare
    value."""
    value = hit.value
    if value.type.startswith("location") and (city := centre_of(value.text)):
        typed = all(len(part.partition(".")[2].rstrip("0")) <= FEW_DECIMALS for part in value.text.split(","))
        chance = DOUBTFUL if typed else 1 / len(CENTRES)
        return hit.because(Why.CITY_CENTRE, name=city)._replace(chance=max(hit.chance, chance))
    if is_shared(value):
        path = hit.leaf.path
        under_key = tells(value.type, path) if value.type in TELLING else hit.telling
        if value.text.strip().casefold() in GENERIC:
            chance = DOUBTFUL if under_key else LIKELY
        else:
            chance = PLAUSIBLE if under_key or path.startswith("headers.user-agent") else DOUBTFUL
        return hit.because(Why.SHARED)._replace(chance=max(hit.chance, chance))
    if value.type == "name":
        return hit._replace(chance=max(hit.chance, UNLIKELY_NAME))
    return hit
