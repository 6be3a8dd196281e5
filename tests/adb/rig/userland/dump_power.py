"""dumpsys power"""


def main(arguments, state):
    screen = state.get("screen", {})
    awake, powered = screen.get("awake", True), str(screen.get("powered", True)).lower()
    print("POWER MANAGER (dumpsys power)\n\nPower Manager State:")
    print(f"  mDirty=0x0\n  mWakefulness={'Awake' if awake else 'Asleep'}\n  mWakefulnessChanging=false")
    print(f"  mIsPowered={powered}")
