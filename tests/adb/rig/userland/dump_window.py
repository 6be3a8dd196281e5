"""dumpsys window policy: what the lock screen does, as each version says it"""


def main(arguments, state):
    screen = state.get("screen", {})
    locked = str(screen.get("locked", False)).lower()
    secure = str(screen.get("lock", "none") not in ("none", "swipe")).lower()
    print("WINDOW MANAGER POLICY STATE (dumpsys window policy)")
    if state["api"] <= 25:
        print(f"    mShowingLockscreen={locked} mShowingDream=false mDreamingLockscreen=false mDreamingSleepToken=null")
    print("    KeyguardServiceDelegate")
    print(f"      showing={locked}\n      inputRestricted={locked}\n      occluded=false")
    print("      trusted=false\n      simSecure=false" if state["api"] >= 34 else f"      secure={secure}")
    print("      dreaming=false\n      systemIsReady=true\n      deviceHasKeyguard=true\n      enabled=true")
