"""service call SERVICE CODE ...: iphonesubinfo's first call is the IMEI, as a parcel is dumped"""

import struct


def main(arguments, state):
    imei = state.get("imei")
    if arguments[:3] != ["call", "iphonesubinfo", "1"] or imei is None:
        print("Result: Parcel(00000000 ffffffff   '........')")
        return 0
    data = struct.pack("<ii", 0, len(imei)) + imei.encode("utf-16-le") + b"\0\0"
    data += b"\0" * (-len(data) % 4)
    print("Result: Parcel(")
    for at in range(0, len(data), 16):
        part = data[at : at + 16]
        words = " ".join(f"{word:08x}" for (word,) in struct.iter_unpack("<I", part))
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        print(f"  0x{at:08x}: {words:<35} '{shown}'{')' if at + 16 >= len(data) else ''}")
    return 0
