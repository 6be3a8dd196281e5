"""dumpsys window: which window has the input"""

import display


def main(arguments, state):
    name = display.focus()
    print("WINDOW MANAGER DISPLAY CONTENTS (dumpsys window displays)")
    print(f"  mCurrentFocus=Window{{5e8a21c u0 {name}}}")
    print(f"  mFocusedApp=ActivityRecord{{b7d35f4 u0 {name} t12}}")
    return 0
