"""dumpsys package [NAME]: the part that tells of packages."""

import zlib

from service_package import RUNTIME

SHELL = """Packages:
  Package [com.android.shell] (c0ffee):
    userId=2000
    sharedUser=SharedUserSetting{decaf android.uid.shell/2000}
    User 0: ceDataInode=0 installed=true
      gids=[3003]

Shared users:
  SharedUser [android.uid.shell] (decaf):
    userId=2000
    User 0:
      runtime permissions:
        android.permission.READ_CONTACTS: granted=true, flags=[ GRANTED_BY_DEFAULT]"""


def main(arguments, state):
    shared = []
    names = [name for name in arguments if not name.startswith("-")]
    if names == ["com.android.shell"] and names[0] not in state["packages"]:
        print(SHELL)
        return 0
    print("Packages:")
    for name, package in sorted(state["packages"].items()):
        if names and name not in names:
            continue
        word = "appId" if state["api"] >= 34 else "userId"
        print(f"  Package [{name}] ({zlib.crc32(name.encode()) & 0xFFFFFF:x}):")
        print(f"    {word}={package.get('uid', 10000)}")
        print(f"    pkg=Package{{{zlib.crc32(name.encode()):x} {name}}}")
        print(f"    codePath={package.get('path')}")
        print(
            f"    versionCode={package.get('version_code')} minSdk={package.get('min_sdk')} "
            f"targetSdk={package.get('target_sdk')}"
        )
        print(f"    versionName={package.get('version_name')}")
        print(f"    splits=[{', '.join(['base', *package.get('splits', [])])}]")
        flags = ["HAS_CODE", "ALLOW_CLEAR_USER_DATA", *(["DEBUGGABLE"] if package.get("debuggable") else [])]
        print(f"    flags=[ {' '.join(flags)} ]")
        print(f"    installerPackageName={package.get('installer') or 'null'}")
        requested = package.get("requested", [])
        if requested:
            print("    requested permissions:")
        for each in requested:
            print(f"      {each}" + (": restricted=true" if "SMS" in each else ""))
        runtime = RUNTIME
        maker = package.get("shared_user")
        if maker:
            setting = f"{zlib.crc32(maker.encode()):x} {maker}/{package.get('uid', 10000)}"
            print(f"    sharedUser=SharedUserSetting{{{setting}}}")
            for user in sorted(package.get("users", {"0": {}})):
                print(f"    User {user}: ceDataInode=4711 installed=true notLaunched=false\n      gids=[3003]")
            shared.append(package | {"asked": requested})
            continue
        if at_install := [each for each in requested if each not in runtime]:
            print("    install permissions:")
            for each in at_install:
                print(f"      {each}: granted=true")
        for user, known in sorted(package.get("users", {"0": {}}).items()):
            print(
                f"    User {user}: ceDataInode=4711 installed={_word(known.get('installed', True))} hidden=false "
                f"suspended=false distractionFlags=0 stopped={_word(known.get('stopped', False))} "
                f"notLaunched={_word(known.get('not_launched', False))} enabled=0 instant=false virtual=false"
            )
            print("      gids=[3003]")
            print("      runtime permissions:")
            for each in requested:
                if each in runtime:
                    granted = each in known.get("granted", [])
                    set_by = "USER_SET|USER_SENSITIVE_WHEN_GRANTED" if granted else "USER_SENSITIVE_WHEN_DENIED"
                    print(f"        {each}: granted={_word(granted)}, flags=[ {set_by}]")
    print("\nShared users:")
    for package in shared:
        print(f"  SharedUser [{package['shared_user']}] (1a2b3c):\n    userId={package.get('uid', 10000)}")
        for user, known in sorted(package.get("users", {"0": {}}).items()):
            print(f"    User {user}: \n      gids=[3003]\n      runtime permissions:")
            for each in package["asked"]:
                if each in RUNTIME:
                    print(f"        {each}: granted={_word(each in known.get('granted', []))}, flags=[ USER_SET]")
    return 0


def _word(value):
    return "true" if value else "false"
