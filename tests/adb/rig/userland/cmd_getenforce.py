"""getenforce"""


def main(arguments, state):
    print(state.get("selinux", "Enforcing"))
