"""getprop [NAME [DEFAULT]]"""

from pathlib import Path


def main(arguments, state):
    properties = dict(state["properties"])
    if Path("/data/rig/starting").exists():
        properties["init.svc.bootanim"] = "running"
    if not arguments:
        for name in sorted(properties):
            print(f"[{name}]: [{properties[name]}]")
    else:
        print(properties.get(arguments[0]) or (arguments[1] if len(arguments) > 1 else ""))
