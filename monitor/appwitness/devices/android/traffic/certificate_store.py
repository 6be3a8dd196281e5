"""Adds the proxy's CA certificate to the device's system store during a run, in every mount namespace.

Nothing is written to /system: a tmpfs with the original certificates and the proxy's is mounted over the store, and
from Android 14 on also over the updatable one. It is recognised by its source, which is the run's mark: Conscrypt would
read a marker file inside as a broken certificate.

The certificates that an app's own process would accept (`system.certs.enabled`, TrustedCertificateIndex) are not
changed here. Not tried on Android: propagation of /apex, SELinux labels, Conscrypt.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import ssl
from dataclasses import dataclass
from pathlib import Path

from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import fault
from appwitness.support.errors import FileError
from appwitness.support.spoken import Spoken

SYSTEM = "/system/etc/security/cacerts"
GOOGLE = "/system/etc/security/cacerts_google"
APEX = "/apex/com.android.conscrypt/cacerts"
"""Where apps look from Android 14 on, if it exists."""
APEX_API = 34
SCRIPT_S = 120.0
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

_COMMON = f"""RUN=@RUN@; API=@API@; STAGE=/mnt/.$RUN
SYSTEM={SYSTEM}; GOOGLE={GOOGLE}; APEX={APEX}
ours() {{ # PID POINT: whether what is mounted on top there is ours; a later line lies over an earlier one
  case "$(grep -E "^([^ ]+ ){{4}}$2 " "/proc/$1/mountinfo" 2>/dev/null | tail -n 1)" in
    *" - tmpfs $RUN "*) return 0 ;;
  esac
  return 1
}}
finish() {{ # FOLDER LIKE: owner, mode and label as the original has them
  set -- "$1" $(ls -Zd "$2")
  chown -R 0:0 "$1" && chmod 755 "$1" && chmod 644 "$1"/* || return 1
  case "$2" in *:*:*:*) chcon "$2" "$1" "$1"/* ;; esac
}}
updatable() {{ [ "$API" -ge {APEX_API} ] && [ -n "$(ls "$APEX" 2>/dev/null)" ]; }}
"""

_GIVE = """for store in "$SYSTEM" "$GOOGLE"; do # where the mounts of the first process do not arrive by themselves
  [ -d "$store" ] && ours 1 "$store" && ! ours $$ "$store" || continue
  mount -t tmpfs "$RUN" "$store" && cp "/proc/1/root$store"/* "$store/" && finish "$store" "/proc/1/root$store" &&
    echo "gave $0 $store"
done
if updatable && ours $$ "$SYSTEM" && ! ours $$ "$APEX"; then
  mount -o bind "$SYSTEM" "$APEX" && echo "gave $0 $APEX"
fi
:
"""

_TAKE = """for store in "$APEX" "$GOOGLE" "$SYSTEM" "$STAGE"; do
  while ours $$ "$store"; do
    umount "$store" 2>/dev/null || umount -l "$store" || break
  done
done
:
"""

_EACH = """spaces() { # the oldest process of each mount namespace: of zygote's, zygote itself
  ls -l /proc/[0-9]*/ns/mnt 2>/dev/null |
    sed -n 's|.*/proc/\\([0-9]*\\)/ns/mnt -> mnt:\\[\\([0-9]*\\)\\]|\\2 \\1|p' | sort -n -k1,1 -k2,2 |
    while read -r space pid; do [ "$space" = "$last" ] || echo "$pid"; last=$space; done
}
here=$(readlink /proc/$$/ns/mnt)
within() { # PID SCRIPT: in its mount namespace
  [ -e "/proc/$1/ns/mnt" ] || return 0
  if [ "$(readlink "/proc/$1/ns/mnt")" = "$here" ]; then sh -c "$2" "$1"; else nsenter -t "$1" -m -- sh -c "$2" "$1"; fi
}
each() { # SCRIPT
  for process in $(spaces); do within "$process" "$1" & done
  wait
}
"""

_MAKE = """make() { # POINT FROM: the store with ours in it, made aside, so that apps find it whole
  [ -d "$1" ] && ! ours $$ "$1" || return 0
  if [ -z "$(ls "$2" 2>/dev/null)" ]; then echo "no authorities in $2" >&2; return 1; fi
  mkdir -p "$STAGE" && mount -t tmpfs "$RUN" "$STAGE" || return 1
  cp "$2"/* "$STAGE/" && echo "$PEM" > "$STAGE/$NAME" && finish "$STAGE" "$1" && mount -o bind "$STAGE" "$1"
  made=$?
  umount "$STAGE" && rmdir "$STAGE"
  [ $made = 0 ] && echo "gave $0 $1"
}
if updatable; then from=$APEX; else from=$SYSTEM; fi
make "$SYSTEM" "$from" && make "$GOOGLE" "$GOOGLE"
"""

_LACKING = """lacking() { # PID: prints what it lacks
  for store in "$SYSTEM" "$GOOGLE" "$APEX"; do
    [ -d "/proc/$1/root$store" ] || continue
    [ "$store" != "$APEX" ] || updatable || continue
    ours "$1" "$store" 2>/dev/null || echo "lacks $1 $store $(tr '\\0' ' ' < "/proc/$1/cmdline" 2>/dev/null)"
  done
}
"""

_SPREAD = """for pass in 1 2 3; do # processes start and end all the time
  each "$give"
  left=$(for process in $(spaces); do lacking "$process"; done)
  [ -n "$left" ] || break
done
[ -z "$left" ] || echo "$left"
"""

_SESSIONS = r"""sed -n 's/^\([0-9]*\) (.*) . [0-9-]* [0-9-]* \([0-9]*\) .*/\2 \1/p'"""
"""Prints session and pid for lines of /proc/PID/stat."""

_BEGIN = f"""set -- $({_SESSIONS} "/proc/$$/stat")
echo "$1" > "$STAGE.session" # whoever started this may be killed, and this goes on: undo has to find it
trap 'rm -f "$STAGE.session"' EXIT
"""

_UNDO = f"""if [ -e "$STAGE.session" ]; then
  read -r wanted < "$STAGE.session"
  cat /proc/[0-9]*/stat 2>/dev/null | {_SESSIONS} | while read -r session pid; do
    [ "$session" = "$wanted" ] && kill -9 "$pid" 2>/dev/null
  done
  rm -f "$STAGE.session"
fi
within 1 "$take"
for pass in 1 2 3; do
  each "$take"
  left=$(grep -l -- " - tmpfs $RUN " /proc/[0-9]*/mountinfo 2>/dev/null)
  [ -n "$left" ] || break
done
rmdir "$STAGE" 2>/dev/null
if [ -n "$left" ]; then echo "something else is mounted over the authorities in" $left >&2; exit 1; fi
"""


@dataclass(frozen=True)
class Trust:
    """The proxy's CA certificate in the system store."""

    name: str
    """File name in the store: c8750f0d.0."""
    stores: tuple[str, ...]
    """The folders that it was installed in."""
    namespaces: int
    """Number of mount namespaces in which something had to be mounted."""


def install(control: Control, ca_pem: Path) -> Trust:
    """Make all apps that trust the system store trust the CA in `ca_pem`, until undo.

    Takes effect at once, also for running apps if they read the store again. Raises DeviceFault: no root;
    `trust-not-mounted`.
    """
    pem, der = certificate(ca_pem)
    name = _free_name(control, der)
    values = f"NAME={name}\nPEM={shlex.quote(pem)}\n"
    made = shlex.quote(_common(control) + values + _MAKE)
    script = f"""{_head(control)}{_BEGIN}make={made}
within 1 "$make" || exit 1
{_SPREAD}"""
    said = control.change(
        f"put {name} into the system store of authorities",
        script,
        undo_script(control.run),
        root=True,
        lost_by_reboot=True,
    )
    gave = _told(control, said)
    return Trust(name, tuple(dict.fromkeys(store for _, store in gave)), len({pid for pid, _ in gave}))


def holds(control: Control, pid: int) -> bool:
    """Whether a process sees the store with the proxy's CA on top in its present mount namespace. Needs root."""
    done = control.shell.root(f"{_head(control)}[ -d /proc/{pid} ] || echo gone\nlacking {pid}")
    return done.ok and not done.out.strip()


def mend(control: Control) -> list[str]:
    """Mount the store in namespaces that lack it, as after a restart of zygote; returns a phrase for each.

    Called before each launch and from time to time during the run; does nothing if all have it. Undo covers it. Raises
    DeviceFault `trust-lost` if the first process lost it too.
    """
    script = f"""{_head(control)}{_BEGIN}[ -z "$(lacking 1 | grep -v "$APEX")" ] || {{ echo lost; exit 0; }}
zygotes=$(pidof zygote zygote64 webview_zygote)
[ -z "$zygotes" ] || [ -n "$(for process in 1 $zygotes; do lacking "$process"; done)" ] || exit 0
{_SPREAD}"""
    said = control.shell.check(script, root=True, timeout_s=SCRIPT_S)
    if said.strip() == "lost":
        raise fault("trust-lost", serial=control.shell.serial)
    return [f"gave the authorities in {store} to process {pid} again" for pid, store in _told(control, said)]


def undo_script(run: str) -> str:
    """Script that removes that run's mounts, and no others, from every namespace; self-contained, may run twice."""
    common = _COMMON.replace("@RUN@", run).replace("@API@", "0")
    return f"{common}take={shlex.quote(common + _TAKE)}\n{_EACH}{_UNDO}"


def certificate(ca_pem: Path) -> tuple[str, bytes]:
    """The first certificate in a file, as PEM and as DER. Raises FileError."""
    try:
        found = _PEM.search(ca_pem.read_text("ascii", "replace"))
        if found is None:
            raise ValueError("it has no certificate")
        return found[0], ssl.PEM_cert_to_DER_cert(found[0])
    except (OSError, ValueError) as error:
        raise FileError(
            ca_pem,
            None,
            Spoken("The certificate cannot be read: {error}.", error=error),
            "Delete its folder; it is created again.",
        ) from None


def subject_hash(der: bytes) -> str:
    """The eight hex digits by which Android looks up a certificate: `openssl x509 -subject_hash_old`."""
    return hashlib.md5(_subject(der), usedforsecurity=False).digest()[3::-1].hex()


def _subject(der: bytes) -> bytes:
    """The subject of a certificate (RFC 5280, 4.1): the fifth part, or the sixth if there is a version."""
    inner = _children(_children(der)[0][1])[0][1]
    parts = _children(inner)
    return parts[5 if parts[0][0] == 0xA0 else 4][2]


def _children(der: bytes) -> list[tuple[int, bytes, bytes]]:
    """Tag, content and full bytes of each element in the content of a DER sequence."""
    found, at = [], 0
    while at < len(der):
        size, start = der[at + 1], at + 2
        if size & 0x80:
            more = size & 0x7F
            size, start = int.from_bytes(der[start : start + more]), start + more
        found.append((der[at], der[start : start + size], der[at : start + size]))
        at = start + size
    return found


def _free_name(control: Control, der: bytes) -> str:
    """A free file name for the certificate: all mitmproxy CAs have the same subject, so the same name but for a
    number."""
    base = subject_hash(der)
    folder = APEX if control.facts.api >= APEX_API else SYSTEM
    said = control.shell.user(
        f'for f in {folder}/{base}.* {SYSTEM}/{base}.*; do echo "file ${{f##*.}}"; cat $f; done 2>&1'
    )
    taken = set()
    for part in said.out.split("file ")[1:]:
        number, _, text = part.partition("\n")
        found = _PEM.search(text)
        if number.strip().isdigit() and not (found and _same(found[0], der)):
            taken.add(int(number))
    return f"{base}.{next(number for number in range(len(taken) + 1) if number not in taken)}"


def _same(pem: str, der: bytes) -> bool:
    try:
        return ssl.PEM_cert_to_DER_cert(pem) == der
    except ValueError:
        return False


def _common(control: Control) -> str:
    return _COMMON.replace("@RUN@", control.run).replace("@API@", str(control.facts.api))


def _head(control: Control) -> str:
    common = _common(control)
    return f"{common}give={shlex.quote(common + _GIVE)}\n{_EACH}{_LACKING}"


def _told(control: Control, said: str) -> list[tuple[int, str]]:
    """Which process was given which store, from a script's output; a store still missing is a fault in zygote, else
    a note."""
    gave = []
    for line in said.splitlines():
        match line.split():
            case ["gave", pid, store]:
                gave.append((int(pid), store))
            case ["lacks", pid, store, *name]:
                who = " ".join(name) or "?"
                if pid == "1" or "zygote" in who:
                    raise fault("trust-not-mounted", serial=control.shell.serial, store=store, process=f"{pid} ({who})")
                control.notes.append(
                    Spoken(
                        "process {pid} ({who}) was left without the proxy's authority in {store}",
                        pid=pid,
                        who=who,
                        store=store,
                    )
                )
    return gave
