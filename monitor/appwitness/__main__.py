"""`python -m appwitness` is the program `appwitness`."""

import runpy

runpy.run_module("appwitness.cli", run_name="__main__", alter_sys=True)
