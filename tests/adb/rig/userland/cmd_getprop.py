"""getprop [NAME [DEFAULT]]"""


def main(arguments, state):
    properties = state["properties"]
    if not arguments:
        for name in sorted(properties):
            print(f"[{name}]: [{properties[name]}]")
    else:
        print(properties.get(arguments[0]) or (arguments[1] if len(arguments) > 1 else ""))
