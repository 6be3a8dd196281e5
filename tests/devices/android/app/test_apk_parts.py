"""Parts of an APK that somebody made to take forever: steps are counted, and what is left out is told."""

import json
import struct
import zipfile

import pytest

from appwitness.devices.android.app import apk, apk_parts, app_files
from appwitness.devices.android.app.apk_parts import ResourceTable, packages
from tests.adb.rig import make_apk


def dex(names, classes=None):
    """A dex file that defines classes of these types, by number."""
    classes = range(len(names)) if classes is None else classes
    strings = 0x70
    types = strings + 4 * len(names)
    defined = types + 4 * len(names)
    data = defined + 32 * len(classes)
    head = bytearray(0x70)
    head[:4] = b"dex\n"
    struct.pack_into("<IIII", head, 0x38, len(names), strings, len(names), types)
    struct.pack_into("<II", head, 0x60, len(classes), defined)
    places, texts = [], b""
    for name in names:
        places.append(data + len(texts))
        texts += name
    return bytes(
        head
        + struct.pack(f"<{len(names)}I", *places)
        + struct.pack(f"<{len(names)}I", *range(len(names)))
        + b"".join(struct.pack("<I28x", number) for number in classes)
        + texts
    )


class Read(bytes):
    """Bytes that count how many of them are looked at; struct, which takes few at a time, is not counted."""

    looked = 0

    def __getitem__(self, key):
        got = super().__getitem__(key)
        self.looked += len(got) if isinstance(key, slice) else 1
        return got

    def index(self, part, *place):
        """Not bounded, and so not to be used."""
        raise AssertionError


def test_packages_of_classes():
    data = dex([b"\x07La/b/C;\0", b"\x03LC;\0", b"\x85\x00La/D;\0"])
    assert packages(data) == {"a.b", "a"}


@pytest.mark.parametrize("text", [b"\x80" * 1_000_000, b"\x01L" + b"x" * 1_000_000])
def test_a_text_without_end_is_not_followed_for_each_class(text):
    data = Read(dex([text], [0] * 1000))
    assert packages(data) == set()
    assert data.looked < 2_000_000


def test_a_dex_file_has_no_more_classes_than_types():
    with pytest.raises(ValueError, match="more classes"):
        packages(dex([b"\x03LC;\0"], [0] * (apk_parts.MOST_CLASSES + 1)))


def chunk(kind, head, body):
    return struct.pack("<HHI", kind, 8 + len(head), 8 + len(head) + len(body)) + head + body


def type_chunk(number, config=0):
    """One configuration of a type, with one entry: the number 7."""
    head = struct.pack("<BBHII", number, 0, 0, 1, 20 + 8 + 4 + 4) + struct.pack("<II", 8, config)
    entry = struct.pack("<HHI", 8, 0, 0) + struct.pack("<HBBI", 8, 0, 16, 7)
    return chunk(0x201, head, struct.pack("<I", 0) + entry)


def table(*chunks):
    package = chunk(0x200, struct.pack("<I", 0x7F), b"".join(chunks))
    return chunk(2, struct.pack("<I", 1), package)


def test_a_table_is_walked_once_for_all_references():
    made = ResourceTable(table(*(type_chunk(1 + number % 200, number) for number in range(4000))))
    built = made.steps
    assert built < 4010
    for number in range(5000):
        made.resource(0x7F010000 + number % 100)
    assert made.steps < built + 100 * 21


def test_a_table_that_takes_too_many_steps_is_refused(monkeypatch):
    data = table(*(type_chunk(1, 1) for _ in range(200)))
    monkeypatch.setattr(apk_parts, "MOST_STEPS", 1000)
    made = ResourceTable(data)
    with pytest.raises(ValueError, match="steps"):
        list(map(made.resource, range(0x7F010000, 0x7F010000 + 100)))
    monkeypatch.setattr(apk_parts, "MOST_STEPS", 100)
    with pytest.raises(ValueError, match="steps"):
        ResourceTable(data)


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_dex_files_that_are_not_read_are_told(tmp_path, monkeypatch):
    good = dex([b"\x07La/b/C;\0"])
    files = {"classes.dex": good, "classes2.dex": b"dex\n damaged", "classes3.dex": good, "classes4.dex": good}
    path = zipped(tmp_path / "a.apk", {"AndroidManifest.xml": b"", **files})
    left_out: list[str] = []
    assert apk.code_packages(path, left_out) == {"a.b"}
    assert left_out == ["classes2.dex"]
    monkeypatch.setattr(apk, "MOST_DEX", 3)
    left_out.clear()
    apk.code_packages(path, left_out)
    assert left_out == ["classes2.dex", "classes4.dex"]
    monkeypatch.setattr(apk, "ALL_DEX_BYTES", 1)
    left_out.clear()
    apk.code_packages(path, left_out)
    assert left_out == ["classes2.dex", "classes3.dex", "classes4.dex"]


def test_the_manifest_of_an_xapk_is_read_once(tmp_path, monkeypatch):
    name = "com.example.circle"
    listing = {
        "expansions": [
            {"file": f"{n}.obb", "install_path": f"Android/obb/{name}/main.{n}.{name}.obb"} for n in range(50)
        ]
    }
    base = make_apk.apk(tmp_path / "base.apk").read_bytes()
    files = {"manifest.json": json.dumps(listing), "a.apk": base, **{f"{n}.obb": b"" for n in range(50)}}
    path = zipped(tmp_path / "a.xapk", files)
    loads = []
    load = json.loads

    def counted(data):
        loads.append(data)
        return load(data)

    monkeypatch.setattr(json, "loads", counted)
    with app_files.opened(path) as app:
        assert (len(app.expansions), len(loads)) == (50, 1)
