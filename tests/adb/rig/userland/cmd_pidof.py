"""pidof NAME...: 1 where there is none"""

from running import processes


def main(arguments, state):
    state.release()
    found = [str(pid) for pid, _, _, name, _ in processes() if name in arguments]
    if found:
        print(" ".join(found))
    return 0 if found else 1
