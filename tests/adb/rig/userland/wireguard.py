"""The WireGuard app, as far as its broadcasts go: does nothing, and says nothing, unless it has been allowed to."""

import os
import re
import subprocess
from pathlib import Path

APP = "com.wireguard.android"
FILES = Path(f"/data/data/{APP}/files")


def asked(options, state):
    store = FILES / "datastore/settings.preferences_pb"
    allowed = store.exists() and entries(store.read_bytes()).get("allow_remote_control_intents") == b"\x08\x01"
    may = state.get("appops", {}).get(APP, {}).get("ACTIVATE_VPN") == "allow"
    configuration = FILES / f"{options['-e'].partition(' ')[2]}.conf"
    uid = state["packages"][APP]["uid"]
    owned = all(path.stat().st_uid == uid for path in (store, configuration) if path.exists())
    if options["-n"] != f"{APP}/.model.TunnelManager$IntentReceiver" or not (allowed and owned):
        return
    state.release()
    if options["-a"].endswith("TUNNEL_DOWN"):
        subprocess.run(["ip", "link", "del", "tun0"], check=False, capture_output=True)
    elif may and configuration.exists() and os.geteuid() == 0:
        found = re.search(r"^Address = (\S+)$", configuration.read_text(), re.MULTILINE)
        for words in (
            ["tuntap", "add", "tun0", "mode", "tun"],
            ["addr", "add", found[1], "dev", "tun0"],
            ["link", "set", "tun0", "up"],
        ):
            subprocess.run(["ip", *words], check=True)


def entries(data):
    """A datastore: the later of two entries counts."""
    found = {}
    while data:
        entry, data = data[2 : 2 + data[1]], data[2 + data[1] :]
        key, rest = entry[2 : 2 + entry[1]], entry[2 + entry[1] :]
        found[key.decode()] = rest[2 : 2 + rest[1]]
    return found
