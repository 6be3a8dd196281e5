"""The commands of a stand-in Android, one file for each: `cmd_NAME.py` has `main(arguments, state) -> exit status`."""

from __future__ import annotations

import importlib
import sys

sys.path.insert(0, "/data/rig/userland")

from state import State

name = sys.argv[1]
sys.dont_write_bytecode = True
module = importlib.import_module(f"cmd_{name.replace('-', '_')}")
with State() as state:
    status = module.main(sys.argv[2:], state)
sys.stdout.flush()
sys.exit(status or 0)
