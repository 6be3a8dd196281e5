"""dumpsys accessibility"""


def main(arguments, state):
    print("ACCESSIBILITY MANAGER (dumpsys accessibility)\n\ncurrentUserId=0")
    if state.get("screen_reader"):
        print("Ui Automation[eventTypes=TYPES_ALL_MASK, notificationTimeout=0]")
    print("User state[\n     attributes:{id=0, touchExplorationEnabled=false}\n     Bound services:{}]")
