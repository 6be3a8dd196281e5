"""dumpsys battery"""


def main(arguments, state):
    battery = {"level": 100, "usb": True, **state.get("battery", {})}
    print("Current Battery Service state:\n  AC powered: false")
    print(f"  USB powered: {str(battery['usb']).lower()}\n  Wireless powered: false\n  status: 2\n  health: 2")
    print(f"  present: true\n  level: {battery['level']}\n  scale: 100\n  technology: Li-ion")
