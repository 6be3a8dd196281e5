"""Runs all parsers over what a device printed, as `appwitness doctor --export FILE` packs it, and lists what is not
understood: `python -m tests.adb.replay FILE`. A folder of dumps, NAME.txt each, does as well.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from appwitness.devices.android.doctor.reading import DUMPS, Unread, unread
from appwitness.support.escape import terminal

MOST_BYTES = 16 << 20


def dumps_in(path: Path) -> dict[str, str]:
    """Name -> text of each dump of an archive or a folder."""
    if path.is_dir():
        return {file.stem: file.read_text(errors="replace") for file in sorted(path.glob("*.txt"))}
    with zipfile.ZipFile(path) as packed:
        names = [each for each in packed.infolist() if each.filename.endswith(".txt") and each.file_size <= MOST_BYTES]
        return {each.filename.removesuffix(".txt"): packed.read(each).decode(errors="replace") for each in names}


def replayed(path: Path) -> list[Unread]:
    """What is not understood, with its lines."""
    return unread(dumps_in(path), lines=True)


def main() -> int:
    """0: all is understood; 1: something is not; 2: there is nothing to read."""
    if len(sys.argv) != 2:
        print("usage: python -m tests.adb.replay FILE", file=sys.stderr)
        return 2
    try:
        there = dumps_in(Path(sys.argv[1]))
    except (OSError, zipfile.BadZipFile) as error:
        print(f"{sys.argv[1]} cannot be read: {error}", file=sys.stderr)
        return 2
    known = [name for name in there if name in DUMPS]
    if not known:
        print(f"{sys.argv[1]} has no dump that a run reads", file=sys.stderr)
        return 2
    not_understood = unread(there, lines=True)
    for each in not_understood:
        print(f"{each.name}: {each.why}")
        for line in each.lines:
            print(f"    {terminal(line)}")
    print(f"{len(known) - len(not_understood)} of {len(known)} dumps are understood")
    return 1 if not_understood else 0


if __name__ == "__main__":
    sys.exit(main())
