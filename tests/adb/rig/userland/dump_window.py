"""dumpsys window [policy]: which window has the input; what the lock screen does, as each version says it"""

import display


def main(arguments, state):
    if arguments[:1] == ["policy"]:
        policy(state)
    else:
        name = display.focus()
        print("WINDOW MANAGER DISPLAY CONTENTS (dumpsys window displays)")
        print(f"  mCurrentFocus=Window{{5e8a21c u0 {name}}}")
        print(f"  mFocusedApp=ActivityRecord{{b7d35f4 u0 {name} t12}}")


def policy(state):
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
