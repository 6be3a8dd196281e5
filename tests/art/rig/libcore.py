"""What is changed in the source of Android's library so that it works with Debian's ICU and under Frida's bridge."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

JAVA = "ojluni/src/main/java/"
CHANGES = (
    # Android's own ICU has a class and two methods that the public one has not.
    (f"{JAVA}java/text/DecimalFormat.java", r"DecimalFormat_ICU58_Android", "DecimalFormat"),
    (
        f"{JAVA}java/time/format/DateTimeFormatterBuilder.java",
        r"\bCalendar\.getDateTimeFormatString\(",
        "libcore.icu.PublicIcu.pattern(",
    ),
    (
        f"{JAVA}sun/util/locale/provider/CalendarDataUtility.java",
        r"\bnew DateFormatSymbols\((?=ULocale)",
        "libcore.icu.PublicIcu.symbols(",
    ),
    # Debian's ICU has its data in a library: that there is no file of it is no reason to end.
    (
        "luni/src/main/native/libcore_icu_ICU.cpp",
        r"(Create\(getRuntimeModulePath\(\)\);\s+if \([^)]*\) \{\s+)abort\(\);",
        r"\1",
    ),
    # The bridge takes a table of 27 fields, which Thread's is here, for that of its methods.
    (f"{JAVA}java/lang/Thread.java", r"(?=    private boolean systemDaemon\b)", "    private int one_more_field;\n"),
    # Sample apps are of a newer Java than Android 10.
    (
        f"{JAVA}java/nio/file/Path.java",
        r"\}\s*\Z",
        "    static Path of(String first, String... more) { return Paths.get(first, more); }\n}\n",
    ),
    (
        f"{JAVA}java/io/InputStream.java",
        r"\}\s*\Z",
        "    public byte[] readAllBytes() throws IOException {\n"
        "        ByteArrayOutputStream out = new ByteArrayOutputStream();\n"
        "        byte[] some = new byte[4096];\n"
        "        int size;\n"
        "        while ((size = read(some)) != -1) out.write(some, 0, size);\n"
        "        return out.toByteArray();\n"
        "    }\n}\n",
    ),
    # Bouncy Castle takes the entry of each service that is used out of thousands, and puts it back as a service: that
    # one is forgotten with its aliases, which is all that comes of reading the thousands anew.
    (
        f"{JAVA}java/security/Provider.java",
        r"(private Object implRemove\(Object key\) \{\s+if \(.*\) \{\s+)"
        r"(if \(.*\) \{\s+return null;\s+\}\s+)(legacyStrings\.remove\(.*;)",
        "private boolean forgotten(String name) {\n"
        "        String[] parts = getTypeAndAlgorithm(name);\n"
        "        if (parts == null || parts[1].indexOf(' ') >= 0) return false;\n"
        "        Service service = legacyMap.remove(new ServiceKey(getEngineName(parts[0]), parts[1], false));\n"
        "        if (service == null) return false;\n"
        "        for (String alias : service.getAliases()) {\n"
        "            legacyMap.remove(new ServiceKey(service.type, alias, false), service);\n"
        "        }\n"
        "        serviceSet = null;\n"
        "        return true;\n"
        "    }\n\n"
        r"    \1boolean read = legacyMap != null && !legacyChanged;\n            \2String was = \3\n"
        "            legacyChanged = !(read && (was == null || forgotten((String) key)));",
    ),
    # Here Bouncy Castle is no copy of the system's that apps may not name.
    (f"{JAVA}sun/security/jca/Providers.java", r"(SYSTEM_BOUNCY_CASTLE_PROVIDER = )providerList[^;]+;", r"\1null;"),
)
"""File, regular expression, what is put in its place; each is found at least once."""
LISTS = ("openjdk_java_files", "non_openjdk_java_files")
LEFT_OUT = "Java9LanguageFeatures.java"  # for tests of Android's, in Java 9


def change(source: Path) -> None:
    """Make the changes in an unpacked source."""
    for name, old, new in CHANGES:
        path = source / name
        text, times = re.subn(old, new, path.read_text("utf-8"))
        if not times:
            raise ValueError(f"{name} has no {old}")
        path.write_text(text, "utf-8")


def java_sources(source: Path) -> list[Path]:
    """The files of the boot class path, as Android's own lists name them."""
    lists = "".join((source / f"{name}.bp").read_text("utf-8") for name in LISTS)
    groups: dict[str, list[str]] = {}
    for body in re.findall(r"^filegroup \{(.*?)^\}", lists, re.MULTILINE | re.DOTALL):
        name = re.search(r'name: "(.*?)"', body)
        files = re.search(r"srcs: \[(.*?)\]", body, re.DOTALL)
        if name and files:
            groups[name[1]] = re.findall(r'^\s*"(.*?)"', files[1], re.MULTILINE)

    def named(group: str) -> Iterator[str]:
        for name in groups.get(group, ()):
            if name.startswith(":"):
                yield from named(name[1:])
            else:
                yield name

    names = dict.fromkeys(name for group in LISTS for name in named(group) if not name.endswith(LEFT_OUT))
    return [source / name for name in names if (source / name).exists()]


def native_sources(folder: Path) -> list[Path]:
    """The files of a folder of native code that its Android.bp names."""
    names = set(re.findall(r'"(\w+\.(?:cpp|c))"', (folder / "Android.bp").read_text("utf-8")))
    return [folder / name for name in sorted(names)]


def time_zones(zoneinfo: Path) -> bytes:
    """All time zones of a system in the one file that Android reads."""
    zones: dict[str, bytes] = {}
    for path in sorted(zoneinfo.rglob("*")):
        name = path.relative_to(zoneinfo).as_posix()
        if path.is_file() and not name.startswith(("posix/", "right/")) and path.read_bytes()[:4] == b"TZif":
            zones[name] = path.read_bytes()
    entry = struct.Struct(">40s3i")
    start = struct.calcsize(">12s3i")
    index, data = b"", b""
    for name, zone in zones.items():
        index += entry.pack(name.encode(), len(data), len(zone), 0)
        data += zone.ljust(-(-len(zone) // 4) * 4, b"\0")
    begins = start + len(index)
    head = struct.pack(">12s3i", b"tzdata2020a", start, begins, begins + len(data))
    return head + index + data + (zoneinfo / "zone.tab").read_bytes()
