"""ps [-A] [-e] [-o PID,UID,PPID,NAME,...] [-p PIDS]; up to Android 7.1 that of toolbox, which takes a name alone"""

from running import processes

USUAL = "USER,PID,PPID,VSZ,RSS,WCHAN,ADDR,S,NAME"


def main(arguments, state):
    if state["api"] < 26:
        print("USER      PID   PPID  VSIZE  RSS   WCHAN              PC  NAME")
        for pid, uid, parent, name, _ in processes():
            if not arguments or arguments[0] in name:
                print(f"{user(uid):<9} {pid:<5} {parent:<5} 1024   512            0 0000000000 S {name}")
        return 0
    state.release()
    columns, wanted, everything = USUAL, None, False
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word in ("-A", "-e", "-ef"):
            everything = True
        elif word.startswith("-o"):
            columns = word[2:] or words.pop(0)
        elif word in ("-p", "-P"):
            wanted = (word, {int(pid) for pid in words.pop(0).split(",")})
    names = columns.upper().split(",")
    print(" ".join("NAME" if name == "NAME" else f"{name:>5}" for name in names))
    for pid, uid, parent, name, process_state in processes():
        if wanted and (pid if wanted[0] == "-p" else parent) not in wanted[1]:
            continue
        if not wanted and not everything and uid != 2000:
            continue
        values = {"PID": pid, "UID": uid, "PPID": parent, "NAME": name, "ARGS": name, "CMD": name, "USER": user(uid)}
        values["S"] = process_state[0]
        print(" ".join(f"{values.get(one, 0)!s:>5}" if one != "NAME" else name for one in names))
    return 0


def user(uid):
    if uid >= 10000:
        return f"u{uid // 100000}_a{uid % 100000 - 10000}"
    return {0: "root", 1000: "system", 2000: "shell"}.get(uid, str(uid))
