"""The commands of a stand-in Android, one file for each: `cmd_NAME.py` has `main(arguments, state) -> exit status`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

sys.path.insert(0, "/data/rig/userland")

from state import State

NEED_SYSTEM_SERVER = ("am", "appops", "bmgr", "cmd", "content", "dumpsys", "input", "monkey", "pm", "settings", "wm")
"""They ask a service, and fail until those have come up."""

name = sys.argv[1]
if name in NEED_SYSTEM_SERVER and Path("/data/rig/starting").exists():
    print(f"cmd: Can't find service: {name}", file=sys.stderr)
    sys.exit(20)
sys.dont_write_bytecode = True
module = importlib.import_module(f"cmd_{name.replace('-', '_')}")
with State() as state:
    status = module.main(sys.argv[2:], state)
sys.stdout.flush()
sys.exit(status or 0)
