"""Birthdays: the orders, separators and words of a date, and the timestamps of its beginning."""

from __future__ import annotations

import re
from datetime import UTC, datetime

DATE = re.compile(r"([12]\d{3})([-/.]?)(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])")
MIDNIGHTS = (
    *("T00:00:00", "T00:00:00Z", "T00:00:00.000Z", "T00:00:00+00:00"),
    *(" 00:00:00", "T00:00:00+08:00", "T00:00:00.000+0000", "T00:00:00.000+00:00", " 00:00:00.0"),
)
"""What follows a day to make it the time at which it begins."""
ZONES = ("GMT", "UTC", "GMT+00:00", "GMT+08:00", "CST", "EST", "PST", "CET", "IST", "JST")
"""Time zones as Java's Date names them."""
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905


def spelled(text: str) -> list[tuple[str, str]]:
    """(normal form, text) of a birthday in the orders and with the separators used around the world, in English
    words, and as the time at which it began in UTC and in China."""
    given = text.strip()
    parts = DATE.fullmatch(given)
    if parts is None:
        return [("as_given", given)]
    year, month, day = (int(parts[group]) for group in (1, 3, 4))
    forms = [("as_given", given), ("year_first", f"{year}-{month:02d}-{day:02d}")]
    forms += [("year_first", f"{year}{month:02d}{day:02d}"), ("year_first", f"{year}/{month:02d}/{day:02d}")]
    forms += [("year_first", f"{year}.{month:02d}.{day:02d}")]
    forms += [("midnight", f"{year}-{month:02d}-{day:02d}{end}") for end in MIDNIGHTS]
    forms += [("year_first", f"{year}年{month}月{day}日"), ("year_first", f"{year}年{month:02d}月{day:02d}日")]
    forms += [("day_first", f"{day:02d}{between}{month:02d}{between}{year}") for between in "./-"]
    forms += [("month_first", f"{month:02d}{between}{day:02d}{between}{year}") for between in "/-"]
    forms += [("unpadded", f"{month}/{day}/{year}")] + [
        ("unpadded", f"{day}{between}{month}{between}{year}") for between in "./-"
    ]
    forms += [("unpadded", f"{year}{between}{month}{between}{day}") for between in "-/."]
    forms += [("day_first", f"{day:02d}{month:02d}{year}")]
    short = (name := MONTHS[month - 1])[:3]
    forms += [("in_words", f"{day}{between}{short}{between}{year}") for between in " -"]
    forms += [
        ("in_words", f"{short} {day}, {year}"),
        ("in_words", f"{name} {day}, {year}"),
        ("in_words", f"{day} {name} {year}"),
    ]
    forms += [("in_words", f"{short} {day}, {year}{end}") for end in (" 12:00:00 AM", ", 12:00:00 AM")]  # as Gson does
    try:
        begins_at = datetime(year, month, day, tzinfo=UTC)
    except ValueError:  # no such day
        return forms
    weekday, begun = WEEKDAYS[begins_at.weekday()], int(begins_at.timestamp()) * 1000
    forms += [("in_words", f"{weekday} {short} {day:02d} 00:00:00 {zone} {year}") for zone in ZONES]
    for begins in (begun, begun - 8 * 3_600_000):
        if abs(begins) >= 10**10:  # a shorter number carries too little
            forms += [("milliseconds", str(begins)), ("seconds", str(begins // 1000))]
    return forms
