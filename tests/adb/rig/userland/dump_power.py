"""dumpsys power"""


def main(arguments, state):
    awake = state.get("screen", {}).get("awake", True)
    print("POWER MANAGER (dumpsys power)\n\nPower Manager State:")
    print(f"  mDirty=0x0\n  mWakefulness={'Awake' if awake else 'Asleep'}\n  mWakefulnessChanging=false")
